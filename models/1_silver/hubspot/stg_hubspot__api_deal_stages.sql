-- grain: one row per deal and stage that it entered
-- The history of the property says when. A record without history says it of its stage of today.
{{ config(entity='deal_stage', rows='many') }}
{%- set has_stages = 'pipelines' in project.sources[source_name].streams %}

with received as (
    select
        _raw_id,
        from_json(payload, 'struct<
            id: text,
            properties: struct<
                dealstage: text, pipeline: text, hs_v2_date_entered_current_stage: text
            >,
            propertiesWithHistory: struct<
                dealstage: list<struct<value: text, timestamp: text, sourceType: text>>
            >
        >') as record
    from {{ source('hubspot', 'deals') }}
),
{%- if has_stages %}

{{ hubspot_api_stages() }},
{%- endif %}

history as (
    select
        _raw_id,
        record['id'] as deal_id,
        record['properties']['pipeline'] as pipeline,
        unnest(record['propertiesWithHistory']['dealstage']) as entry
    from received
),

entered as (
    select
        _raw_id,
        deal_id,
        pipeline,
        entry['value'] as stage,
        entry['timestamp'] as entered_at,
        entry['sourceType'] as change_source
    from history
    union all
    select
        _raw_id,
        record['id'] as deal_id,
        record['properties']['pipeline'] as pipeline,
        record['properties']['dealstage'] as stage,
        record['properties']['hs_v2_date_entered_current_stage'] as entered_at,
        cast(null as text) as change_source
    from received
    where
        coalesce(cardinality(record['propertiesWithHistory']['dealstage']), 0) = 0
        and nullif(record['properties']['hs_v2_date_entered_current_stage'], '') is not null
),

final as (
    select
        entered._raw_id,
        entered.deal_id,
        entered.stage,
        entered.entered_at,
        {%- if has_stages %}
        coalesce(stage_meaning.pipeline_id, entered.pipeline) as pipeline,
        coalesce(
            stage_meaning.is_closed,
            case when lower(entered.stage) in ('closedwon', 'closedlost') then true end
        ) as is_closed,
        coalesce(
            stage_meaning.is_won,
            case
                when lower(entered.stage) = 'closedwon' then true
                when lower(entered.stage) = 'closedlost' then false
            end
        ) as is_won,
        stage_meaning.probability,
        {%- else %}
        entered.pipeline,
        case when lower(entered.stage) in ('closedwon', 'closedlost') then true end as is_closed,
        case
            when lower(entered.stage) = 'closedwon' then true
            when lower(entered.stage) = 'closedlost' then false
        end as is_won,
        {%- endif %}
        entered.change_source
    from entered
    {%- if has_stages %}
    left join stage_meaning on entered.stage = stage_meaning.stage_id
    {%- endif %}
    -- A stage that was taken back leaves an empty entry.
    where nullif(entered.stage, '') is not null
)

select * from final
