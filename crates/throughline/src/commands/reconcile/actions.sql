-- What a platform claims by action and window, where its reports have no column of conversions. Of
-- the names under which a sale is claimed the widest one counts, because they hold each other; of
-- several levels the lowest, because they repeat each other.
with action_name as (
    select unnest(make_array(
        named_struct('name', 'omni_purchase', 'place', 1),
        named_struct('name', 'purchase', 'place', 2),
        named_struct('name', 'offsite_conversion.fb_pixel_purchase', 'place', 3)
    )) as usual
),

counted_elsewhere as (
    select distinct platform from star.fct_ad_performance
    where is_spend_of_record and platform_conversions <> 0
),

claim as (
    select
        claimed.*,
        case
            when claimed.ad_key > 0 or claimed.ad_key < -1 then 3
            when claimed.ad_group_key > 0 or claimed.ad_group_key < -1 then 2
            else 1
        end as depth,
        coalesce(action_name.usual['place'], 0) as place
    from star.fct_ad_conversion as claimed
    left anti join counted_elsewhere on claimed.platform = counted_elsewhere.platform
    left join action_name on claimed.action = action_name.usual['name']
    where
        ('$platform' = '' or claimed.platform = '$platform')
        and (
            claimed.action = '$action'
            or ('$action' = '' and action_name.usual['name'] is not null)
        )
        and coalesce(claimed.attribution_window, 'default') = 'default'
),

ranked as (
    select
        *,
        min(place) over (partition by platform) as best_place,
        max(depth) over (partition by platform, action) as lowest
    from claim
),

campaign as (
    select
        campaign_key,
        case when '$campaign_by' = 'id' then campaign_id else campaign_name end as campaign
    from star.dim_campaign
    where is_current
),

target_rate as (
    select rate_date, exchange_rate as target_exchange_rate from star.int_exchange_rate_day
    where currency_code = '$currency'
),

with_factor as (
    select
        ranked.*,
        campaign.campaign,
        case
            when '$currency' in ('', ranked.currency_code) then cast(1 as decimal(18, 8))
            when '$currency' = '$reporting' then ranked.exchange_rate
            else ranked.exchange_rate / target_rate.target_exchange_rate
        end as factor
    from ranked
    left join campaign on ranked.campaign_key = campaign.campaign_key
    left join target_rate on ranked.report_date = target_rate.rate_date
    where
        ranked.place = ranked.best_place
        and ranked.depth = ranked.lowest
        and ranked.report_date between date '$from' and date '$to'
),

measured as (
    select
        *,
        unnest(make_array(
            named_struct(
                'measure', 'platform_conversions',
                'amount', cast(platform_conversions as decimal(38, 6))
            ),
            named_struct(
                'measure', 'platform_conversion_value',
                'amount', cast(platform_conversion_amount * factor as decimal(38, 6))
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
    currency_code as currency,
    report_date as day,
    report_date as zone_day,
    report_date as basis_day,
    cast(reported_at as bigint) as known_from,
    cast(superseded_at as bigint) as known_to,
    '' as sides,
    figure['amount'] as amount
from measured
where figure['amount'] <> 0 or (figure['amount'] is null and platform_conversion_amount <> 0)
