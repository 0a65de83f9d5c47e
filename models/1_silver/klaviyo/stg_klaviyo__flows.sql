-- grain: one row per version of a Klaviyo flow
{{ config(entity='campaign') }}

with flow as (
    select * from {{ source('klaviyo', 'flow') }}
),

-- A flow sends messages as a campaign does; events name the one or the other.
final as (
    select
        _raw_id,
        'email' as platform,
        'campaign' as level,
        '{{ source_name }}' as account_id,
        id as campaign_id,
        name as campaign_name,
        status,
        'flow' as campaign_type,
        _fivetran_deleted as is_deleted,
        trigger_type,
        archived as is_archived,
        created as created_at
    from flow
)

select * from final
