-- grain: one row per version of a customer
{{ config(
    materialized='incremental',
    incremental_strategy='replace_key',
    unique_key='customer_key',
    keys_of={
        'contact': ['bridge_identity.identity_node_id', node_key('contact', 'contact_id')],
        'lead': ['bridge_identity.identity_node_id', node_key('lead', 'lead_id')],
        'activity': ['bridge_identity.identity_node_id', activity_person()],
        'consent': ['bridge_identity.identity_node_id', consent_node()]
    },
    sort=['customer_key', 'valid_from']
) }}

{%- set said = [
    'account_id', 'company_name', 'job_title', 'lifecycle_stage', 'lead_source', 'country',
    'region', 'city', 'language', 'owner_id',
] %}
{%- set purposes = ['analytics', 'ads', 'email'] %}
{%- set attributes = said + [
    'consent_analytics', 'consent_ads', 'consent_email', 'is_deleted',
] %}

with bridge as (
    select identity_node_id, node_type, customer_key, first_seen_at, valid_from, valid_to
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

-- What each record of the CRM says of a person.
stated as (
    select
        {{ node_key('contact', 'contact_id') }} as identity_node_id,
        coalesce(effective_at, created_at, {{ beginning() }}) as effective_at,
        account_id, company_name, job_title, lifecycle_stage, lead_source,
        country, region, city, language, owner_id,
        coalesce(is_deleted, false) as is_deleted,
        _raw_id
    from {{ entity('contact') }}

    union all

    select
        {{ node_key('lead', 'lead_id') }} as identity_node_id,
        coalesce(effective_at, created_at, {{ beginning() }}) as effective_at,
        account_id, company_name,
        cast(null as text) as job_title,
        status as lifecycle_stage,
        lead_source, country,
        cast(null as text) as region,
        cast(null as text) as city,
        cast(null as text) as language,
        cast(null as text) as owner_id,
        coalesce(is_deleted, false) as is_deleted,
        _raw_id
    from {{ entity('lead') }}
),

-- Some sources tell when the stage of a person changed, and nothing else of that time.
stage_change as (
    select
        {{ activity_person() }} as identity_node_id,
        activity_at as effective_at,
        subject as lifecycle_stage,
        _raw_id
    from {{ entity('activity') }}
    where activity_type = 'stage_change' and subject is not null
),

said_or_changed as (
    select *, true as is_statement from stated

    union all by name

    select *, false as is_statement from stage_change
),

ordered as (
    select
        said_or_changed.*,
        bridge.customer_key,
        -- The statement that all else is known by: the latest, the first for what lies before it.
        greatest(
            1,
            count(case when said_or_changed.is_statement then 1 end) over (
                partition by said_or_changed.identity_node_id
                order by said_or_changed.effective_at, said_or_changed.is_statement desc
                rows between unbounded preceding and current row
            )
        ) as statement_number
    from said_or_changed
    inner join bridge on said_or_changed.identity_node_id = bridge.identity_node_id
),

person as (
    select
        identity_node_id,
        customer_key,
        effective_at,
        is_statement,
        _raw_id,
        lifecycle_stage,
        coalesce(first_value(is_deleted) over known_by, false) as is_deleted
        {%- for attribute in said if attribute != 'lifecycle_stage' %},
        first_value({{ attribute }}) over known_by as {{ attribute }}
        {%- endfor %}
    from ordered
    window known_by as (
        partition by identity_node_id, statement_number
        order by is_statement desc, effective_at
        rows between unbounded preceding and current row
    )
),

{{ versions_of(
    'person', 'identity_node_id', ['customer_key'] + said, output='person_version',
    sequence=['is_statement', '_raw_id'], deleted='is_deleted'
) }},

-- The answers to questions of consent, by the strongest identifier that each came with.
consent as (
    select
        bridge.customer_key,
        consent.consent_at as effective_at,
        {%- for purpose in purposes %}
        first_value(case when consent.purpose = '{{ purpose }}' then consent.state end)
            ignore nulls over latest as consent_{{ purpose }},
        {%- endfor %}
        row_number() over latest as place
    from (
        select
            {{ consent_node() }} as identity_node_id,
            consent_at, lower(purpose) as purpose, state, effective_at, _raw_id
        from {{ entity('consent') }}
    ) as consent
    inner join bridge
        on
            consent.identity_node_id = bridge.identity_node_id
            and consent.consent_at >= bridge.valid_from
            and consent.consent_at < bridge.valid_to
    where consent.purpose in ({% for purpose in purposes %}'{{ purpose }}'
        {{- ', ' if not loop.last }}{% endfor %})
    -- Of two answers of one instant the one counts that is known to be newer, else the refusal.
    window latest as (
        partition by bridge.customer_key, consent.consent_at
        order by
            consent.effective_at desc nulls last, consent.state, consent._raw_id desc
        rows between unbounded preceding and unbounded following
    )
),

instant as (
    select customer_key, effective_from as effective_at from person_version
    union
    select customer_key, effective_at from consent
),

-- Several records may be one customer. At every instant each says what it knows then; what a record
-- says that is gone counts only where none is left.
heard as (
    select
        instant.customer_key,
        instant.effective_at,
        person_version.identity_node_id,
        person_version.effective_from,
        person_version.is_deleted,
        bool_and(person_version.is_deleted) over (
            partition by instant.customer_key, instant.effective_at
        ) as is_gone
        {%- for attribute in said %},
        person_version.{{ attribute }}
        {%- endfor %}
    from instant
    left join person_version
        on
            instant.customer_key = person_version.customer_key
            and instant.effective_at >= person_version.valid_from
            and instant.effective_at < person_version.valid_to
),

-- The latest word counts, attribute by attribute: a record that is silent takes nothing back from
-- another. One that has yet to speak reaches back behind those that have spoken.
latest_word as (
    select
        customer_key,
        effective_at,
        is_gone,
        {%- for attribute in said %}
        first_value({{ attribute }}) ignore nulls over newest as {{ attribute }},
        {%- endfor %}
        row_number() over newest as place
    from heard
    where is_gone or not coalesce(is_deleted, false)
    window newest as (
        partition by customer_key, effective_at
        order by
            effective_from > effective_at,
            case when effective_from <= effective_at then effective_from end desc nulls last,
            effective_from,
            identity_node_id
        rows between unbounded preceding and unbounded following
    )
),

known as (
    select
        latest_word.customer_key,
        latest_word.effective_at,
        coalesce(latest_word.is_gone, false) as is_deleted,
        {%- for attribute in said %}
        latest_word.{{ attribute }},
        {%- endfor %}
        {%- for purpose in purposes %}
        last_value(consent.consent_{{ purpose }}) ignore nulls over so_far
            as consent_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from latest_word
    left join consent
        on
            latest_word.customer_key = consent.customer_key
            and latest_word.effective_at = consent.effective_at
            and consent.place = 1
    where latest_word.place = 1
    window so_far as (
        partition by latest_word.customer_key
        order by latest_word.effective_at
        rows between unbounded preceding and current row
    )
),

{{ versions_of('known', 'customer_key', attributes) }},

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
        versions.consent_analytics,
        versions.consent_ads,
        versions.consent_email,
        coalesce(versions.is_deleted, false) as is_deleted,
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
        cast(null as text) as consent_analytics,
        cast(null as text) as consent_ads,
        cast(null as text) as consent_email,
        false as is_deleted,
        {{ no_instant() }} as effective_from,
        {{ beginning() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        true as is_current,
        cast(1 as bigint) as version_number
    from {{ reserved_members() }} as reserved
)

select * from final
