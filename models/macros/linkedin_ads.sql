{#- What the reports of LinkedIn have in common. Its campaign groups are our campaigns, its
    campaigns our ad groups, its creatives our ads. -#}

{#- What stands in a daily report of campaigns or creatives, by their `id`. -#}
{%- macro linkedin_performance(relation, level, id) -%}
final as (
    select
        _raw_id,
        day as report_date,
        'linkedin_ads' as platform,
        '{{ level }}' as level,
        {{ id }} as {{ level }}_id,
        {{ linkedin_figures('external_website_conversions') }},
        external_website_post_click_conversions,
        external_website_post_view_conversions,
        one_click_leads,
        landing_page_clicks,
        total_engagements,
        video_views
    from {{ relation }}
)
{%- endmacro -%}

{#- What stands in a monthly report of campaigns by their members' `place`: country or region. It
    counts no conversions on the website but those after a click. -#}
{%- macro linkedin_geo_performance(relation, place) -%}
{%- set column = 'member_' ~ place -%}
final as (
    select
        _raw_id,
        -- A whole month under its first day: nothing finer is to be had.
        case when length(month) = 7 then concat(month, '-01') else month end as report_date,
        'linkedin_ads' as platform,
        'geo' as level,
        campaign_id as ad_group_id,
        {{ segment_of([['month', 'left(month, 7)'], [place, column]]) }} as segment,
        {{ linkedin_figures('external_website_post_click_conversions') }},
        {{ column }},
        one_click_leads
    from {{ relation }}
)
{%- endmacro -%}

{#- The figures of record, with the column that counts conversions on the website. -#}
{%- macro linkedin_figures(website_conversions) -%}
impressions,
        clicks,
        -- The account's currency; US dollars stand in where a report has no other.
        coalesce(cost_in_local_currency, cost_in_usd) as spend_amount,
        case
            when cost_in_local_currency is null and cost_in_usd is not null then 'USD'
        end as currency_code,
        -- Those on the website and the forms filled in on LinkedIn.
        coalesce(
            try_cast({{ website_conversions }} as double)
            + try_cast(one_click_leads as double),
            try_cast({{ website_conversions }} as double),
            try_cast(one_click_leads as double)
        ) as platform_conversions,
        conversion_value_in_local_currency as platform_conversion_amount
{%- endmacro -%}
