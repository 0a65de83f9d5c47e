-- The causes of a gap sum to it, and so does a platform over its accounts and campaigns; its spend
-- is the spend of record.
{{ config(severity='error') }}

with reported as (
    select * from {{ ref('mart_reported_vs_own') }}
),

spend as (
    select report_date as date, platform, sum(coalesce(spend_reporting_amount, 0)) as spend
    from {{ ref('fct_ad_performance_current') }}
    where is_spend_of_record
    group by report_date, platform
),

summed as (
    select
        date,
        platform,
        level,
        sum(spend_reporting_amount) as spend,
        sum(platform_conversions) as claimed,
        sum(own_sales) as own,
        sum(crm_won_deals) as won
    from reported
    group by date, platform, level
)

select date, platform, level, 'causes' as finding
from reported
where
    gap_sales <> gap_by_model_sales + gap_by_day_sales + gap_by_window_sales + gap_by_view_sales
        + gap_unexplained_sales
    or gap_reporting_amount <> gap_by_model_reporting_amount + gap_by_day_reporting_amount
        + gap_by_window_reporting_amount + gap_by_view_reporting_amount
        + gap_unexplained_reporting_amount

union all

select date, platform, 'any' as level, 'levels' as finding
from summed
group by date, platform
having
    max(spend) <> min(spend) or max(claimed) <> min(claimed) or max(own) <> min(own)
    or max(won) <> min(won)

union all

select summed.date, summed.platform, summed.level, 'spend' as finding
from summed
left join spend on summed.date = spend.date and summed.platform = spend.platform
where summed.spend <> coalesce(spend.spend, 0)
