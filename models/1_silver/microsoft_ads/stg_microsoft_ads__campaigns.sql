-- grain: one row per version of a Microsoft Advertising campaign
{{ config(entity='campaign') }}

with campaign_history as (
    select * from {{ source('microsoft_ads', 'campaign_history') }}
),

-- The campaign's zone tells when it is shown; its days are those of the account all the same.
final as (
    select
        _raw_id,
        'microsoft_ads' as platform,
        'campaign' as level,
        account_id,
        id as campaign_id,
        name as campaign_name,
        status,
        type as campaign_type,
        upper(status) = 'DELETED' as is_deleted,
        time_zone,
        language,
        budget,
        budget_id,
        budget_type
    from campaign_history
)

select * from final
