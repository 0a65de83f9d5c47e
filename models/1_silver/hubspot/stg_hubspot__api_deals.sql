-- grain: one row per version of a HubSpot deal, as its API gives it
{{ config(entity='deal') }}
{%- set has_stages = 'pipelines' in project.sources[source_name].streams %}

with {{ hubspot_api('deals', 'received', 'deal') }},
{%- if has_stages %}

{{ hubspot_api_stages() }},
{%- endif %}

deal as (
    select
        received.* replace (
            coalesce(property_createdate, record_created_at) as property_createdate,
            coalesce(property_associatedcompanyid, companies[1]['id'], company_ids[1])
                as property_associatedcompanyid
        )
        {%- if has_stages %},
        stage_meaning.is_closed as stage_is_closed,
        stage_meaning.is_won as stage_is_won
        {%- endif %}
    from received
    {%- if has_stages %}
    left join stage_meaning on received.property_dealstage = stage_meaning.stage_id
    {%- endif %}
),

{{ hubspot_deals('deal', has_stages=has_stages) }}

select * from final
