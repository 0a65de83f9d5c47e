-- grain: one row per campaign, country, day and event, every report of it
-- It promises no entity: ad_conversion knows no country, and the campaign's own report counts the
-- same conversions.
{{ config(materialized='table', rows='one') }}

with campaign_country_conversions_report as (
    select * from {{ source('reddit_ads', 'campaign_country_conversions_report') }}
),

final as (
    select
        _raw_id,
        'reddit_ads' as platform,
        left(date, 10) as report_date,
        account_id,
        campaign_id,
        country,
        event_name as action,
        clicks as conversions_click,
        views as conversions_view,
        click_through_conversion_attribution_window_month as conversions_28d_click,
        view_through_conversion_attribution_window_month as conversions_28d_view,
        total_value as conversion_value,
        total_items as item_quantity,
        _fivetran_synced as synced_at
    from campaign_country_conversions_report
)

select * from final
