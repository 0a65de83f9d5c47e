-- Conversions credited to a platform's campaigns: by our model, and as the platform does it: all of
-- a conversion to the last click on one of its own ads within its window.
with campaign as (
    select
        campaign_key,
        platform,
        account_id,
        account_zone,
        case when '$campaign_by' = 'id' then campaign_id else campaign_name end as campaign,
        -- Money is compared in one currency, or in that of each account.
        case when '$currency' = '' then upper(currency_code) else '$currency' end as money_code
    from star.dim_campaign
    where is_current and ('$platform' = '' or platform = '$platform') and platform is not null
),

target_rate as (
    select rate_date, currency_code as rate_code, exchange_rate as target_exchange_rate
    from star.int_exchange_rate_day
),

conversion as (
    select
        fct_conversion.conversion_id,
        fct_conversion.customer_key,
        fct_conversion.conversion_at,
        fct_conversion.event_date,
        fct_conversion.reporting_date,
        fct_conversion.revenue_reporting_amount
    from star.fct_conversion
    where
        ('$types' = '' and fct_conversion.is_sale)
        or strpos(',$types,', concat(',', fct_conversion.conversion_type, ',')) > 0
),

by_our_model as (
    select
        conversion.*,
        campaign.platform,
        campaign.account_id,
        campaign.account_zone,
        campaign.campaign,
        campaign.money_code,
        credit.touch_at,
        credit.credit,
        credit.credited_reporting_amount as credited_amount,
        'model:ours' as sides
    from star.fct_attribution_credit as credit
    inner join conversion on credit.conversion_id = conversion.conversion_id
    inner join campaign on credit.campaign_key = campaign.campaign_key
    where credit.model = '$model' and not credit.is_unattributed
),

click as (
    select
        conversion.*,
        campaign.platform,
        campaign.account_id,
        campaign.account_zone,
        campaign.campaign,
        campaign.money_code,
        touch.event_at as touch_at,
        row_number() over (
            partition by conversion.conversion_id, campaign.platform
            order by touch.event_at desc, touch.touch_id
        ) as place
    from conversion
    inner join star.int_customer_touch as touch
        on
            conversion.customer_key = touch.customer_key
            and touch.event_at <= conversion.conversion_at
            and touch.event_at >= conversion.conversion_at - interval '$window days'
    inner join campaign on touch.campaign_key = campaign.campaign_key
    where not touch.is_conversion and conversion.customer_key <> 0
),

by_their_model as (
    select
        * exclude (place),
        cast(1 as decimal(18, 12)) as credit,
        revenue_reporting_amount as credited_amount,
        'model:theirs' as sides
    from click
    where place = 1
),

credited as (
    select * from by_our_model
    union all by name
    select * from by_their_model
),

with_factor as (
    select
        credited.*,
        case
            when credited.money_code = '$reporting' then cast(1 as decimal(18, 8))
            else 1 / target_rate.target_exchange_rate
        end as factor
    from credited
    left join target_rate
        on
            credited.event_date = target_rate.rate_date
            and credited.money_code = target_rate.rate_code
),

measured as (
    select
        *,
        unnest(make_array(
            named_struct('measure', 'conversions', 'amount', cast(credit as decimal(38, 6))),
            named_struct(
                'measure', 'conversion_value',
                'amount', cast(credited_amount * factor as decimal(38, 6))
            )
        )) as figure
    from with_factor
)

select
    figure['measure'] as measure,
    platform,
    account_id as account,
    campaign,
    cast(null as text) as channel,
    cast(null as text) as source,
    cast(null as text) as medium,
    money_code as currency,
    reporting_date as day,
    $local_day(conversion_at) as zone_day,
    $local_day(touch_at) as basis_day,
    cast(null as bigint) as known_from,
    cast(null as bigint) as known_to,
    sides,
    figure['amount'] as amount
from measured
