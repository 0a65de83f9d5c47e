-- grain: one row per account, day and placement, every report of it
{{ config(entity='ad_performance') }}

with account_report as (
    select * from {{ source('x_ads', 'account_report') }}
),

-- X gives neither clicks nor spend of an account: those of its campaigns are added up.
final as (
    select
        _raw_id,
        {{ x_report_date() }} as report_date,
        'x_ads' as platform,
        account_id,
        'account' as level,
        {{ segment_of([['placement', 'placement']]) }} as segment,
        impressions,
        placement,
        engagements,
        follows,
        unfollows,
        likes,
        replies,
        retweets
    from account_report
)

select * from final
