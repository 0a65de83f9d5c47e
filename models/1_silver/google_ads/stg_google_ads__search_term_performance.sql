-- grain: one row per search term, keyword, match type and day, every report of it
{{ config(entity='ad_performance') }}

with search_term_keyword_stats as (
    select * from {{ source('google_ads', 'search_term_keyword_stats') }}
),

-- customers/1/adGroupCriteria/<ad group>~<keyword>
search_term_keyword_stats_with_keyword as (
    select
        *,
        nullif(split_part(keyword_ad_group_criterion, '~', 2), '') as keyword_id
    from search_term_keyword_stats
),

final as (
    select
        _raw_id,
        date as report_date,
        'google_ads' as platform,
        customer_id as account_id,
        'search_term' as level,
        campaign_id,
        ad_group_id,
        {{ segment_of([
            ['keyword', 'keyword_id'], ['match', 'search_term_match_type'],
            ['search_term', 'search_term'],
        ]) }} as segment,
        {{ google_figures() }},
        search_term,
        search_term_match_type,
        info_text as keyword_text,
        keyword_id,
        view_through_conversions
    from search_term_keyword_stats_with_keyword
)

select * from final
