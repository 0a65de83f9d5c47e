-- grain: one row per campaign that breaks its naming convention, and currency of its spend
{{ config(materialized='table') }}

with violation as (
    select * from {{ ref('int_campaign_naming') }}
    where not is_valid
),

-- What cannot be told by market, audience … because of the name.
spend as (
    select
        campaign_key,
        currency_code,
        min(report_date) as first_date,
        max(report_date) as last_date,
        sum(spend_amount) as spend_amount,
        sum(spend_reporting_amount) as spend_reporting_amount,
        sum(case when is_partial then 1 else 0 end) as unconverted_rows
    from {{ ref('fct_ad_performance_current') }}
    where is_spend_of_record
    group by campaign_key, currency_code
),

final as (
    select
        violation.campaign_key,
        violation.platform,
        violation.account_id,
        violation.campaign_name,
        violation.naming,
        violation.problem_count,
        violation.problems,
        spend.first_date,
        spend.last_date,
        cast(coalesce(spend.spend_amount, 0) as decimal(18, 6)) as spend_amount,
        spend.currency_code,
        cast(spend.spend_reporting_amount as decimal(18, 6)) as spend_reporting_amount,
        cast(coalesce(spend.unconverted_rows, 0) as bigint) as unconverted_rows,
        coalesce(spend.unconverted_rows > 0, false) as is_partial
    from violation
    left join spend on violation.campaign_key = spend.campaign_key
)

select * from final
