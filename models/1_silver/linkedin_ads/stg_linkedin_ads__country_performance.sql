-- grain: one row per LinkedIn campaign (our ad group), member country and month, every report of it
{{ config(entity='ad_performance') }}

with monthly_ad_analytics_by_member_country as (
    select * from {{ source('linkedin_ads', 'monthly_ad_analytics_by_member_country') }}
),

-- Spend is in the account's currency; US dollars stand in where a report has no other. Conversions
-- are those on the website and the forms filled in on LinkedIn.
final as (
    select
        _raw_id,
        -- A whole month under its first day: nothing finer is to be had.
        case when length(month) = 7 then concat(month, '-01') else month end as report_date,
        'linkedin_ads' as platform,
        'geo' as level,
        campaign_id as ad_group_id,
        {{ segment_of([['month', 'left(month, 7)'], ['country', 'member_country']]) }} as segment,
        impressions,
        clicks,
        coalesce(cost_in_local_currency, cost_in_usd) as spend_amount,
        case
            when cost_in_local_currency is null and cost_in_usd is not null then 'USD'
        end as currency_code,
        coalesce(
            try_cast(external_website_post_click_conversions as double)
            + try_cast(one_click_leads as double),
            try_cast(external_website_post_click_conversions as double),
            try_cast(one_click_leads as double)
        ) as platform_conversions,
        conversion_value_in_local_currency as platform_conversion_amount,
        member_country,
        one_click_leads
    from monthly_ad_analytics_by_member_country
)

select * from final
