-- grain: one row per deal and stage that it entered
{{ config(entity='deal_stage') }}
{%- set has_stages = 'deal_pipeline_stage' in project.sources[source_name].streams %}

with deal_stage as (
    select * from {{ source('hubspot', 'deal_stage') }}
),
{%- if has_stages %}

{{ hubspot_stage_meanings() }},
{%- endif %}

-- Like a deal's own stage: what it means is what the pipeline says of it, else known for HubSpot's
-- standard stages alone.
final as (
    select
        deal_stage._raw_id,
        deal_stage.deal_id,
        deal_stage.value as stage,
        coalesce(deal_stage.date_entered, deal_stage._fivetran_start) as entered_at,
        {%- if has_stages %}
        stage_meaning.pipeline_id as pipeline,
        stage_meaning.probability,
        {%- endif %}
        case
            {%- if has_stages %}
            when stage_meaning.is_closed is not null then stage_meaning.is_closed
            {%- endif %}
            when lower(deal_stage.value) in ('closedwon', 'closedlost') then true
        end as is_closed,
        case
            {%- if has_stages %}
            when stage_meaning.is_won is not null then stage_meaning.is_won
            {%- endif %}
            when lower(deal_stage.value) = 'closedwon' then true
            when lower(deal_stage.value) = 'closedlost' then false
        end as is_won,
        deal_stage.source as change_source,
        deal_stage._fivetran_active as is_current
    from deal_stage
    {%- if has_stages %}
    left join stage_meaning on deal_stage.value = stage_meaning.stage_id
    {%- endif %}
)

select * from final
