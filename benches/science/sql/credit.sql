-- Credit of each conversion by ten models, to whole units of 10^-12, and its money, to the cent:
-- shares by largest remainder, so that the sums are exactly one conversion and its amount.
with customer_touch as (
    select
        touch.*,
        touch.is_direct or coalesce(channel.is_direct, false) as touch_is_direct,
        coalesce(channel.is_paid, false) as touch_is_paid
    from read_parquet({int_customer_touch}) as touch
    left join read_parquet({dim_channel}) as channel on touch.channel_key = channel.channel_key
),

conversion as (
    select
        conversion_id,
        case when customer_key = 0 then conversion_id else customer_key end as customer_key,
        event_at as conversion_at,
        revenue_amount
    from customer_touch
    where is_conversion
),

touched as (
    select
        conversion.conversion_id,
        conversion.revenue_amount,
        touch.touch_id,
        touch.event_at as touch_at,
        touch.channel_key,
        touch.touch_is_direct as is_direct,
        touch.touch_is_paid as is_paid,
        row_number() over path as position,
        count(*) over (partition by conversion.conversion_id) as path_length,
        max(touch.event_at) over (partition by conversion.conversion_id) as newest_at
    from conversion
    inner join customer_touch as touch
        on
            conversion.customer_key = touch.customer_key
            and not touch.is_conversion
            and touch.event_at <= conversion.conversion_at
            and touch.event_at >= conversion.conversion_at - interval '90 days'
    window path as (
        partition by conversion.conversion_id order by touch.event_at, touch.touch_id
    )
),

placed as (
    select
        *,
        coalesce(max(position) filter (not is_direct) over path, path_length)
            as non_direct_position,
        -- Without a paid touch the first or last that is not direct, else the first or last.
        coalesce(
            min(position) filter (is_paid) over path,
            min(position) filter (not is_direct) over path,
            1
        ) as first_paid_position,
        coalesce(
            max(position) filter (is_paid) over path,
            max(position) filter (not is_direct) over path,
            path_length
        ) as last_paid_position
    from touched
    window path as (partition by conversion_id)
),

-- Weights of the first and the last touch; what they leave of 1 is for those between.
shape (model, first_weight, last_weight) as (
    values ('position', 0.4::double, 0.4::double), ('j_shaped', 0.2::double, 0.6::double),
        ('inverse_j', 0.6::double, 0.2::double)
),

weighed as (
    select *, 'linear' as model, 1.0::double as weight from placed
    union all
    select placed.*, shape.model, case
        when path_length = 1 then 1.0::double
        when position = 1 then first_weight
        when position = path_length then last_weight
        else (1.0::double - first_weight - last_weight) / (path_length - 2)
    end
    from placed cross join shape
    union all
    select *, 'time_decay',
        pow(2, -(epoch_us(newest_at) - epoch_us(touch_at)) / (7 * 86400000000.0::double))
    from placed
),

{divide}

select conversion_id as conversion_key, model, touch_id as touch_key, channel_key,
    position as touch_position, path_length, credit,
    (amount * sign(revenue_amount))::decimal(18, 6) as credited_amount
from paid
union all
select conversion_id, unnest(list_filter(
        ['first', 'last', 'last_non_direct', 'first_paid', 'last_paid'],
        lambda name:
            (name = 'first' and position = 1)
            or (name = 'last' and position = path_length)
            or (name = 'last_non_direct' and position = non_direct_position)
            or (name = 'first_paid' and position = first_paid_position)
            or (name = 'last_paid' and position = last_paid_position)
    )), touch_id, channel_key, position, path_length, 1000000000000, revenue_amount
from placed
where position in (1, path_length, non_direct_position, first_paid_position, last_paid_position)
union all
select conversion_id, unnest([
        'first', 'last', 'last_non_direct', 'first_paid', 'last_paid', 'linear', 'position',
        'j_shaped', 'inverse_j', 'time_decay'
    ]), null, null, null, 0, 1000000000000, revenue_amount
from conversion
where conversion_id not in (select conversion_id from touched)
