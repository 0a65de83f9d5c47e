-- grain: one row per version of a TikTok campaign
{{ config(entity='campaign') }}

with campaign_history as (
    select * from {{ source('tiktok_ads', 'campaign_history') }}
),

-- How TikTok delivers it tells more than whether it is switched on. `status` and `opt_status` are
-- the older names of both.
with_status as (
    select
        *,
        coalesce(secondary_status, status, operation_status, opt_status) as status_now
    from campaign_history
),

final as (
    select
        _raw_id,
        'tiktok_ads' as platform,
        'campaign' as level,
        advertiser_id as account_id,
        campaign_id,
        campaign_name,
        status_now as status,
        campaign_type,
        objective_type as objective,
        upper(status_now) like '%DELETE' as is_deleted,
        budget,
        budget_mode,
        split_test_variable
    from with_status
)

select * from final
