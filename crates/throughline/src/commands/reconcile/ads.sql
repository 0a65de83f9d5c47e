-- Spend of record and what stands beside it, in every version that was ever reported: which of them
-- counts is decided by when it was believed.
with performance as (
    select * from star.fct_ad_performance
    where
        is_spend_of_record
        and report_date between date '$from' and date '$to'
        and ('$platform' = '' or platform = '$platform')
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
        performance.*,
        campaign.campaign,
        case
            when '$currency' in ('', performance.currency_code) then cast(1 as decimal(18, 8))
            when '$currency' = '$reporting' then performance.exchange_rate
            else performance.exchange_rate / target_rate.target_exchange_rate
        end as factor
    from performance
    left join campaign on performance.campaign_key = campaign.campaign_key
    left join target_rate on performance.report_date = target_rate.rate_date
),

measured as (
    select
        *,
        unnest(make_array(
            named_struct(
                'measure', 'spend',
                'amount', cast(spend_amount * factor as decimal(38, 6))
            ),
            named_struct('measure', 'clicks', 'amount', cast(clicks as decimal(38, 6))),
            named_struct('measure', 'impressions', 'amount', cast(impressions as decimal(38, 6))),
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
where figure['amount'] <> 0 or (figure['amount'] is null and spend_amount <> 0)
