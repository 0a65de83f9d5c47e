-- grain: one row per keyword, pin promotion (our ad) and day, every report of it
{{ config(entity='ad_performance') }}

with keyword_report as (
    select * from {{ source('pinterest_ads', 'keyword_report') }}
),

{{ pinterest_counts('keyword_report') }},

final as (
    select
        _raw_id,
        date as report_date,
        'pinterest_ads' as platform,
        advertiser_id as account_id,
        'keyword' as level,
        campaign_id,
        ad_group_id,
        ad_group_name,
        pin_promotion_id as ad_id,
        {{ segment_of([['keyword', 'keyword_id']]) }} as segment,
        {{ pinterest_figures() }},
        keyword_id
    from keyword_report_with_counts
)

select * from final
