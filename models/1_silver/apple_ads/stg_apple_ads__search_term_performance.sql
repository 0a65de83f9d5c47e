-- grain: one row per search term, keyword, match type and day, every report of it
{{ config(entity='ad_performance') }}

with search_term_report as (
    select * from {{ source('apple_ads', 'search_term_report') }}
),

-- Few people's terms come as one row without a term.
final as (
    select
        _raw_id,
        date as report_date,
        'apple_ads' as platform,
        'search_term' as level,
        -- -1 stands for what was deleted or had no id.
        nullif(campaign_id, '-1') as campaign_id,
        nullif(ad_group_id, '-1') as ad_group_id,
        ad_group_name,
        {{ segment_of([
            ['keyword', 'keyword_id'], ['match', 'match_type'],
            ['search_term', 'search_term_text'],
        ]) }} as segment,
        {{ apple_figures() }},
        search_term_text as search_term,
        search_term_source,
        keyword_id,
        keyword as keyword_text,
        match_type,
        bid_amount_amount as bid,
        {{ apple_installs() }}
    from search_term_report
)

select * from final
