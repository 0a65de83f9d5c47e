-- grain: one row per ad, day, network, device and keyword, every report of it
{{ config(entity='ad_performance') }}

with ad_stats as (
    select * from {{ source('google_ads', 'ad_stats') }}
),

-- customers/1/adGroupCriteria/<ad group>~<keyword>
ad_stats_with_keyword as (
    select
        *,
        nullif(split_part(keyword_ad_group_criterion, '~', 2), '') as keyword_id
    from ad_stats
),

final as (
    select
        _raw_id,
        date as report_date,
        'google_ads' as platform,
        customer_id as account_id,
        'ad' as level,
        campaign_id,
        coalesce(ad_group_id, {{ resource_id('ad_group', 'adGroups') }}) as ad_group_id,
        ad_id,
        {{ segment_of([
            ['network', 'ad_network_type'], ['device', 'device'],
            ['keyword', 'keyword_id'],
        ]) }} as segment,
        {{ google_figures() }},
        ad_network_type as network,
        device,
        interactions,
        view_through_conversions,
        keyword_id
    from ad_stats_with_keyword
)

select * from final
