-- grain: one row per version of a customer
{{ config(
    materialized='incremental',
    incremental_strategy='replace_key',
    unique_key='customer_key',
    keys_of={
        'contact': ['bridge_identity.identity_node_id', node_key('contact', 'contact_id')],
        'lead': ['bridge_identity.identity_node_id', node_key('lead', 'lead_id')]
    },
    sort=['customer_key', 'valid_from']
) }}

{%- set attributes = [
    'account_id', 'company_name', 'job_title', 'lifecycle_stage', 'lead_source', 'country',
    'region', 'city', 'language', 'owner_id',
] %}

with bridge as (
    select identity_node_id, node_type, customer_key, first_seen_at
    from {{ ref('bridge_identity') }}
    where customer_key <> 0
),

-- What a customer is, by the identifiers we know of them. Not versioned.
customer as (
    select
        customer_key,
        min(first_seen_at) as first_seen_at,
        count(distinct identity_node_id) as identifier_count,
        count(distinct case when node_type = 'device' then identity_node_id end) as device_count,
        case
            when bool_or(node_type in ('buyer', 'order')) then 'customer'
            when bool_or(node_type = 'contact') then 'contact'
            when bool_or(node_type = 'lead') then 'lead'
            when bool_or(node_type in ('user', 'email', 'phone')) then 'known'
            else 'anonymous'
        end as customer_type
    from bridge
    group by customer_key
),

person_version as (
    select
        {{ node_key('contact', 'contact_id') }} as identity_node_id,
        contact_id as person_id,
        coalesce(effective_at, created_at, {{ beginning() }}) as effective_at,
        account_id, company_name, job_title, lifecycle_stage, lead_source,
        country, region, city, language, owner_id
    from {{ entity('contact') }}

    union all

    select
        {{ node_key('lead', 'lead_id') }} as identity_node_id,
        lead_id as person_id,
        coalesce(effective_at, created_at, {{ beginning() }}) as effective_at,
        account_id, company_name,
        cast(null as text) as job_title,
        status as lifecycle_stage,
        lead_source, country,
        cast(null as text) as region,
        cast(null as text) as city,
        cast(null as text) as language,
        cast(null as text) as owner_id
    from {{ entity('lead') }}
),

-- Several contacts may be one customer: each says what it knows, the latest word counts.
said_at as (
    select
        bridge.customer_key,
        person_version.effective_at
        {%- for attribute in attributes %},
        max(person_version.{{ attribute }}) as {{ attribute }}
        {%- endfor %}
    from person_version
    inner join bridge on person_version.identity_node_id = bridge.identity_node_id
    group by bridge.customer_key, person_version.effective_at
),

carried as (
    select
        customer_key,
        effective_at
        {%- for attribute in attributes %},
        last_value({{ attribute }}) ignore nulls over so_far as {{ attribute }}
        {%- endfor %}
    from said_at
    window so_far as (
        partition by customer_key
        order by effective_at
        rows between unbounded preceding and current row
    )
),

{{ versions_of('carried', 'customer_key', attributes) }},

final as (
    select
        durable_key('customer_version', cast(customer.customer_key as text),
            cast(coalesce(versions.valid_from, {{ beginning() }}) as text)) as customer_version_key,
        customer.customer_key,
        customer.customer_type,
        customer.first_seen_at,
        customer.identifier_count,
        cast(customer.device_count as bigint) as device_count,
        {{ member_key('account', 'versions.account_id') }} as account_key,
        versions.company_name,
        versions.job_title,
        versions.lifecycle_stage,
        versions.lead_source,
        versions.country,
        versions.region,
        versions.city,
        versions.language,
        versions.owner_id,
        versions.effective_from,
        coalesce(versions.valid_from, {{ beginning() }}) as valid_from,
        coalesce(versions.valid_to, {{ end_of_time() }}) as valid_to,
        coalesce(versions.is_current, true) as is_current,
        coalesce(versions.version_number, 1) as version_number
    from customer
    left join versions on customer.customer_key = versions.customer_key

    union all

    select
        reserved.reserved_key as customer_version_key,
        reserved.reserved_key as customer_key,
        reserved.label as customer_type,
        {{ no_instant() }} as first_seen_at,
        cast(0 as bigint) as identifier_count,
        cast(0 as bigint) as device_count,
        cast(0 as bigint) as account_key,
        cast(null as text) as company_name,
        cast(null as text) as job_title,
        cast(null as text) as lifecycle_stage,
        cast(null as text) as lead_source,
        cast(null as text) as country,
        cast(null as text) as region,
        cast(null as text) as city,
        cast(null as text) as language,
        cast(null as text) as owner_id,
        {{ no_instant() }} as effective_from,
        {{ beginning() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        true as is_current,
        cast(1 as bigint) as version_number
    from {{ reserved_members() }} as reserved
)

select * from final
