-- grain: one row per LinkedIn campaign (our ad group) and day, every report of it
{{ config(entity='ad_performance') }}

with ad_analytics_by_campaign as (
    select * from {{ source('linkedin_ads', 'ad_analytics_by_campaign') }}
),

-- Spend is in the account's currency; US dollars stand in where a report has no other. Conversions
-- are those on the website and the forms filled in on LinkedIn.
final as (
    select
        _raw_id,
        day as report_date,
        'linkedin_ads' as platform,
        'ad_group' as level,
        campaign_id as ad_group_id,
        impressions,
        clicks,
        coalesce(cost_in_local_currency, cost_in_usd) as spend_amount,
        case
            when cost_in_local_currency is null and cost_in_usd is not null then 'USD'
        end as currency_code,
        coalesce(
            try_cast(external_website_conversions as double)
            + try_cast(one_click_leads as double),
            try_cast(external_website_conversions as double),
            try_cast(one_click_leads as double)
        ) as platform_conversions,
        conversion_value_in_local_currency as platform_conversion_amount,
        external_website_post_click_conversions,
        external_website_post_view_conversions,
        one_click_leads,
        landing_page_clicks,
        total_engagements,
        video_views
    from ad_analytics_by_campaign
)

select * from final
