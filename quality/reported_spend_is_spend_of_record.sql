-- What the platforms report of campaigns is in the spend of record to the cent.
{{ config(severity='error') }}

with latest as (
    select
        platform, report_date, campaign_id, spend_amount,
        row_number() over (
            partition by platform, account_id, report_date, campaign_id, segment
            order by coalesce(reported_at, effective_at) desc
        ) as place
    from {{ entity('ad_performance') }}
    where level = 'campaign' and campaign_id is not null
),

reported as (
    select platform, report_date, sum(spend_amount) as spend_amount
    from latest
    where place = 1
    group by platform, report_date
),

recorded as (
    select platform, report_date, sum(spend_amount) as spend_amount
    from {{ ref('fct_ad_performance_current') }}
    where is_spend_of_record and record_kind = 'reported'
    group by platform, report_date
)

select
    reported.platform,
    reported.report_date,
    reported.spend_amount as reported_amount,
    recorded.spend_amount as recorded_amount
from reported
left join recorded
    on
        reported.platform = recorded.platform
        and reported.report_date = recorded.report_date
where
    reported.spend_amount is not null
    and (
        recorded.spend_amount is null
        or abs(reported.spend_amount - recorded.spend_amount) >= 0.005
    )
