-- grain: one row per version of a TikTok ad group
{{ config(entity='campaign') }}
{%- set queries = ['query'] %}

with adgroup_history as (
    select * from {{ source('tiktok_ads', 'adgroup_history') }}
),

-- How TikTok delivers it tells more than whether it is switched on. `status` and `opt_status` are
-- the older names of both.
with_status as (
    select
        *,
        coalesce(secondary_status, status, operation_status, opt_status) as status_now,
        -- Placeholders of TikTok (`__CAMPAIGN_NAME__`) are no value of a tag.
        regexp_replace(
            split_part(landing_page_url, '?', 2), '=[^&]*__[A-Z_]+__[^&]*', '=', 'g'
        ) as query
    from adgroup_history
),

final as (
    select
        _raw_id,
        'tiktok_ads' as platform,
        'ad_group' as level,
        advertiser_id as account_id,
        campaign_id,
        adgroup_id as ad_group_id,
        adgroup_name as ad_group_name,
        status_now as status,
        coalesce(optimization_goal, optimize_goal) as objective,
        schedule_start_time as start_date,
        schedule_end_time as end_date,
        landing_page_url as final_url,
        {{ tag_of(queries, 'utm_source') }} as utm_source,
        {{ tag_of(queries, 'utm_medium') }} as utm_medium,
        {{ tag_of(queries, 'utm_campaign') }} as utm_campaign,
        upper(status_now) like '%DELETE' as is_deleted,
        billing_event,
        placement_type,
        budget,
        budget_mode
    from with_status
)

select * from final
