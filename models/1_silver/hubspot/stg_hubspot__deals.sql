-- grain: one row per version of a HubSpot deal
{{ config(entity='deal') }}

-- What stages other than HubSpot's standard ones mean stands in deal_pipeline_stage.
with deal as (
    select
        * replace (
            coalesce(deal_id, id) as id,
            coalesce(deal_pipeline_id, property_pipeline) as property_pipeline,
            coalesce(deal_pipeline_stage_id, property_dealstage) as property_dealstage,
            coalesce(owner_id, property_hubspot_owner_id) as property_hubspot_owner_id
        )
    from {{ source('hubspot', 'deal') }}
),

{{ hubspot_deals('deal', 'coalesce(is_deleted, _fivetran_deleted)') }}

select * from final
