-- grain: one row per deal and stage that it entered
{{ config(entity='deal_stage') }}

with deal_stage as (
    select * from {{ source('hubspot', 'deal_stage') }}
),

-- Like a deal's own stage: what it means is known here for HubSpot's standard stages alone, for
-- others from deal_pipeline_stage.
final as (
    select
        _raw_id,
        deal_id,
        value as stage,
        coalesce(date_entered, _fivetran_start) as entered_at,
        case when lower(value) in ('closedwon', 'closedlost') then true end as is_closed,
        case
            when lower(value) = 'closedwon' then true
            when lower(value) = 'closedlost' then false
        end as is_won,
        source as change_source,
        _fivetran_active as is_current
    from deal_stage
)

select * from final
