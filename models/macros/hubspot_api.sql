{#- What the models of HubSpot's own API share. Which properties are read stands in hubspot.sql. -#}

{#- The CTE `relation` out of records of the CRM API: id, is_deleted, property_… and whom a record
    is associated with, in associations or, as Airbyte lands it, in bare lists of ids. An emptied
    property comes as an empty text. -#}
{%- macro hubspot_api(stream, relation, object) -%}
{%- set properties = hubspot_properties[object] -%}
{{ relation }}_record as (
    select
        _raw_id,
        from_json(payload, 'struct<
            id: text,
            createdAt: text,
            archived: text,
            companies: list<text>,
            contacts: list<text>,
            deals: list<text>,
            properties: struct<
                {%- for name in properties %}
                {{ name }}: text{{ ',' if not loop.last }}
                {%- endfor %}
            >,
            associations: struct<
                companies: struct<results: list<struct<id: text, type: text>>>,
                contacts: struct<results: list<struct<id: text, type: text>>>,
                deals: struct<results: list<struct<id: text, type: text>>>
            >
        >') as record
    from {{ source('hubspot', stream) }}
),

{{ relation }} as (
    select
        _raw_id,
        record['id'] as id,
        record['createdAt'] as record_created_at,
        record['archived'] as is_deleted,
        record['associations']['companies']['results'] as companies,
        record['associations']['contacts']['results'] as contacts,
        record['associations']['deals']['results'] as deals,
        record['companies'] as company_ids,
        record['contacts'] as contact_ids,
        record['deals'] as deal_ids,
        {%- for name in properties %}
        nullif(record['properties']['{{ name }}'], '') as property_{{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}_record
)
{%- endmacro -%}

{#- The CTE `change` out of records of the API that were asked for with history: one row per change
    of the properties of `names`, out of the latest record of each. -#}
{%- macro hubspot_api_changes(stream, names) -%}
received as (
    select
        _raw_id,
        _effective_at,
        from_json(payload, 'struct<
            id: text,
            propertiesWithHistory: struct<
                {%- for name in names %}
                {{ name }}: list<struct<
                    value: text, timestamp: text, sourceType: text, sourceId: text
                >>{{ ',' if not loop.last }}
                {%- endfor %}
            >
        >') as record
    from {{ source('hubspot', stream) }}
),

latest as (
    select
        _raw_id,
        record['id'] as id,
        record['propertiesWithHistory'] as history,
        row_number() over (
            partition by record['id'] order by _effective_at desc nulls last, _raw_id desc
        ) as place
    from received
),

change as (
    {%- for name in names %}
    select
        _raw_id,
        id,
        '{{ name }}' as property_name,
        unnest(history['{{ name }}']) as entry
    from latest
    where place = 1
    {{- '' if loop.last else '\n    union all' }}
    {%- endfor %}
)
{%- endmacro -%}

{#- The CTE `stage_meaning` out of the pipelines of the API: what each stage of a deal means. -#}
{%- macro hubspot_api_stages() -%}
pipelines as (
    select
        _raw_id,
        _effective_at,
        from_json(payload, 'struct<
            id: text,
            label: text,
            archived: text,
            stages: list<struct<
                id: text,
                label: text,
                displayOrder: text,
                archived: text,
                metadata: struct<isClosed: text, probability: text>
            >>
        >') as pipeline
    from {{ source('hubspot', 'pipelines') }}
),

pipeline_stages as (
    select
        _raw_id,
        _effective_at,
        pipeline['id'] as pipeline_id,
        pipeline['label'] as pipeline_name,
        unnest(pipeline['stages']) as stage
    from pipelines
),

stage_meaning as (
    select
        *,
        -- A stage that closes a deal for certain has won it.
        case
            when is_closed is not null
                then is_closed and coalesce(try_cast(probability as decimal(9, 4)), 0) = 1
        end as is_won
    from (
        select
            _raw_id,
            pipeline_id,
            pipeline_name,
            stage['id'] as stage_id,
            stage['label'] as stage_name,
            stage['displayOrder'] as display_order,
            stage['metadata']['probability'] as probability,
            lower(stage['metadata']['isClosed']) = 'true' as is_closed,
            row_number() over (
                partition by stage['id'] order by _effective_at desc nulls last, _raw_id desc
            ) as place
        from pipeline_stages
    )
    where place = 1
)
{%- endmacro -%}

{#- An activity of the API: its record, and with whom it was. An activity may have several contacts:
    with one alone it is that contact's, and all are listed beside it. -#}
{%- macro hubspot_api_activity(stream, type, columns) -%}
{{ hubspot_api(stream, 'activity', 'activity') }},

-- The null at the end keeps an activity with nobody.
activity_parties as (
    select
        _raw_id,
        unnest(array_append(contacts, null)) as contact,
        unnest(array_append(companies, null)) as company,
        unnest(array_append(deals, null)) as deal,
        unnest(array_append(contact_ids, null)) as contact_id,
        unnest(array_append(company_ids, null)) as company_id,
        unnest(array_append(deal_ids, null)) as deal_id
    from activity
),

parties_named as (
    select
        _raw_id,
        coalesce(contact['id'], contact_id) as contact_id,
        coalesce(company['id'], company_id) as account_id,
        coalesce(deal['id'], deal_id) as deal_id
    from activity_parties
),

parties as (
    select
        _raw_id,
        count(distinct contact_id) as contact_count,
        min(contact_id) as contact_id,
        nullif(string_agg(distinct contact_id, ';' order by contact_id), '') as contact_ids,
        count(distinct account_id) as company_count,
        min(account_id) as account_id,
        count(distinct deal_id) as deal_count,
        min(deal_id) as deal_id
    from parties_named
    group by _raw_id
),

final as (
    select
        activity._raw_id,
        activity.id as activity_id,
        coalesce(property_hs_timestamp, property_hs_createdate, record_created_at) as activity_at,
        '{{ type }}' as activity_type,
        case when parties.contact_count = 1 then parties.contact_id end as contact_id,
        case when parties.company_count = 1 then parties.account_id end as account_id,
        case when parties.deal_count = 1 then parties.deal_id end as deal_id,
        false as is_touchpoint,
        {%- for name, value in columns | items %}
        {{ value }} as {{ name }},
        {%- endfor %}
        case when parties.contact_count > 1 then parties.contact_ids end as contact_ids,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        activity.is_deleted
    from activity
    inner join parties on activity._raw_id = parties._raw_id
)
{%- endmacro -%}

{#- The same changes, out of an object's records of the API that were asked for with history. -#}
{%- macro hubspot_api_property_changes(stream, object) -%}
{{ hubspot_api_changes(stream, hubspot_tracked_properties[object]) }},

final as (
    select
        _raw_id,
        '{{ source_name }}:' || id as {{ hubspot_record_id(object) }},
        entry['timestamp'] as changed_at,
        property_name,
        entry['value'] as property_value,
        entry['sourceType'] as change_source
    from change
)
{%- endmacro -%}
