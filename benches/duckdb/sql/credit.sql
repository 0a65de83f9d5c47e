-- Credit of each conversion by six models, to whole units of 10^-12, and its money, to the cent:
-- shares by largest remainder, so that the sums are exactly one conversion and its amount.
with member as (
    select conversion_id, customer from party
    union all
    select conversion_id, customer from scope_conversion
    where customer <> 0 and conversion_id not in (select conversion_id from party)
),

touched as (
    select
        conversion.conversion_id,
        conversion.revenue_amount,
        touch.touch_key,
        touch.touch_at,
        touch.channel,
        touch.campaign_id,
        touch.is_direct,
        row_number() over path as position,
        count(*) over (partition by conversion.conversion_id) as path_length,
        max(touch.touch_at) over (partition by conversion.conversion_id) as newest_at
    from scope_conversion as conversion
    inner join member on conversion.conversion_id = member.conversion_id
    inner join touch
        on
            member.customer = touch.customer
            and touch.touch_at <= conversion.conversion_at
            and touch.touch_at >= conversion.conversion_at - interval '90 days'
    window path as (
        partition by conversion.conversion_id order by touch.touch_at, touch.touch_key
    )
),

placed as (
    select
        *,
        coalesce(
            max(position) filter (not is_direct) over (partition by conversion_id), path_length
        ) as non_direct_position
    from touched
),

weighed as (
    select *, 'linear' as model, 1.0::double as weight from placed
    union all
    select *, 'position', case
        when path_length = 1 then 1.0::double
        when position in (1, path_length) then 0.4::double
        else (1.0::double - 0.4::double - 0.4::double) / (path_length - 2)
    end
    from placed
    union all
    select *, 'time_decay',
        pow(2, -(epoch_us(newest_at) - epoch_us(touch_at)) / (7 * 86400000000.0::double))
    from placed
),

{divide},

credited as (
    select conversion_id, touch_key, model, touch_at, channel, campaign_id, position, path_length,
        credit, (amount * sign(revenue_amount))::decimal(18, 6) as credited_amount
    from paid
    union all
    select conversion_id, touch_key, unnest(list_filter(
            ['first', 'last', 'last_non_direct'],
            lambda name:
                (name = 'first' and position = 1)
                or (name = 'last' and position = path_length)
                or (name = 'last_non_direct' and position = non_direct_position)
        )), touch_at, channel, campaign_id, position, path_length, 1000000000000, revenue_amount
    from placed
    where position in (1, path_length, non_direct_position)
    union all
    select conversion_id, 0, unnest(
            ['first', 'last', 'last_non_direct', 'linear', 'position', 'time_decay']
        ), null, '(unattributed)', '(none)', null, 0, 1000000000000, revenue_amount
    from scope_conversion
    where conversion_id not in (select conversion_id from touched)
),

reporting as (
    select
        credited.*,
        conversion.event_date as conversion_date,
        conversion.conversion_type,
        conversion.customer,
        conversion.is_sale,
        conversion.is_new_customer,
        conversion.revenue_reporting_amount,
        reporting(credited.credited_amount, conversion.exchange_rate) as share
    from credited
    inner join scope_conversion as conversion using (conversion_id)
)

-- What rounding to the reporting currency leaves goes to the largest share.
select
    * exclude (share, revenue_reporting_amount),
    share + case
        when row_number() over (
            partition by conversion_id, model order by credit desc, position, touch_key
        ) = 1
            then revenue_reporting_amount - sum(share) over (partition by conversion_id, model)
        else 0
    end as credited_reporting_amount
from reporting
