-- grain: one row per entry in the stage history of a Salesforce opportunity
-- The stream may also hold versions of opportunities: another model takes those.
{{ config(entity='deal_stage', rows='some') }}
{%- set has_stages = 'opportunity_stage' in project.sources[source_name].streams %}

with opportunity_history as (
    select * from {{ source('salesforce', 'opportunity_history') }}
    where opportunity_id is not null
),
{%- if has_stages %}

stage_version as (
    select
        *,
        coalesce(api_name, master_label) as stage,
        row_number() over (
            partition by coalesce(api_name, master_label)
            order by _fivetran_synced desc nulls last, _raw_id desc
        ) as place
    from {{ source('salesforce', 'opportunity_stage') }}
),

stage_meaning as (
    select
        stage,
        lower(is_closed) in ('true', '1', 't', 'yes') as stage_is_closed,
        lower(is_won) in ('true', '1', 't', 'yes') as stage_is_won
    from stage_version
    where place = 1
),
{%- endif %}

{{ salesforce_deal_stages('opportunity_history', has_stages) }}

select * from final
