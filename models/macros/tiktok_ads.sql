{#- What the reports and the account structure of TikTok have in common. -#}

{#- Figures of a report, as TikTok calls them. -#}
{%- set tiktok_figures = [
    'stat_time_hour', 'impressions', 'clicks', 'spend', 'conversion', 'real_time_conversion',
    'total_purchase_value', 'total_sales_lead_value', 'reach', 'video_play_actions',
    'video_watched_2_s', 'video_watched_6_s', 'likes', 'comments', 'shares', 'follows',
    'profile_visits'
] -%}

{#- What stands in an hourly report: of an account's campaigns, ad groups or ads, by their `id`. -#}
{%- macro tiktok_hourly_performance(relation, level, id) -%}
-- Some warehouses write the names of columns in capitals: those are other columns to SQL.
named as (
    select
        _raw_id
        {%- for column in [id] + tiktok_figures %},
        coalesce({{ column }}, "{{ column | upper }}") as {{ column }}
        {%- endfor %}
    from {{ relation }}
),

with_hour as (
    select
        *,
        lpad(cast(date_part('hour', to_instant(stat_time_hour)) as text), 2, '0') as stat_hour
    from named
),

-- The hour is in the segment: the hours of a day stand side by side and sum to it. `-` is TikTok's
-- word for a figure that there is none of.
final as (
    select
        _raw_id,
        stat_time_hour as report_date,
        'tiktok_ads' as platform,
        '{{ level }}' as level,
        {{ as_column(id, level ~ '_id') }},
        {{ segment_of([['hour', 'stat_hour']]) }} as segment,
        impressions,
        clicks,
        spend as spend_amount,
        nullif(conversion, '-') as platform_conversions,
        coalesce(
            try_cast(total_purchase_value as decimal(18, 6))
            + try_cast(total_sales_lead_value as decimal(18, 6)),
            try_cast(total_purchase_value as decimal(18, 6)),
            try_cast(total_sales_lead_value as decimal(18, 6))
        ) as platform_conversion_amount,
        real_time_conversion,
        total_purchase_value,
        total_sales_lead_value,
        reach,
        video_play_actions,
        video_watched_2_s,
        video_watched_6_s,
        likes,
        comments,
        shares,
        follows,
        profile_visits
    from with_hour
)
{%- endmacro -%}

{#- The CTE `with_status`: versions of campaigns, ad groups or ads with the status that counts, and
    where they have a link with its query. -#}
{%- macro tiktok_with_status(relation, has_link) -%}
-- How TikTok delivers it tells more than whether it is switched on. `status` and `opt_status` are
-- the older names of both.
with_status as (
    select
        *,
        coalesce(secondary_status, status, operation_status, opt_status) as status_now
        {%- if has_link %},
        -- Placeholders of TikTok (`__CAMPAIGN_NAME__`) are no value of a tag.
        regexp_replace(
            split_part(landing_page_url, '?', 2), '=[^&]*__[A-Z_]+__[^&]*', '=', 'g'
        ) as query
        {%- endif %}
    from {{ relation }}
)
{%- endmacro -%}

{#- The link and its tags, out of that CTE. -#}
{%- macro tiktok_link() -%}
landing_page_url as final_url,
        {{ tag_of(['query'], 'utm_source') }} as utm_source,
        {{ tag_of(['query'], 'utm_medium') }} as utm_medium,
        {{ tag_of(['query'], 'utm_campaign') }} as utm_campaign
{%- endmacro -%}
