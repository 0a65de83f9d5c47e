-- grain: one row per version of a HubSpot deal
{{ config(entity='deal') }}
{%- set has_stages = 'deal_pipeline_stage' in project.sources[source_name].streams %}

with received as (
    select
        * replace (
            coalesce(deal_id, id) as id,
            coalesce(deal_pipeline_id, property_pipeline) as property_pipeline,
            coalesce(deal_pipeline_stage_id, property_dealstage) as property_dealstage,
            coalesce(owner_id, property_hubspot_owner_id) as property_hubspot_owner_id
        )
    from {{ source('hubspot', 'deal') }}
),
{%- if has_stages %}

{{ hubspot_stage_meanings() }},
{%- endif %}

deal as (
    select
        received.*
        {%- if has_stages %},
        stage_meaning.is_closed as stage_is_closed,
        stage_meaning.is_won as stage_is_won
        {%- endif %}
    from received
    {%- if has_stages %}
    left join stage_meaning on received.property_dealstage = stage_meaning.stage_id
    {%- endif %}
),

{{ hubspot_deals('deal', 'coalesce(is_deleted, _fivetran_deleted)', has_stages) }}

select * from final
