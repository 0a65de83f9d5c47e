-- grain: one row per thing that happened to somebody, on the web or elsewhere
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date',
    parts=['web', 'record'],
    lookback_of={'web_event': 2},
    sort=['anonymous_node_id', 'event_at'],
    bloom=['anonymous_node_id', 'identity_node_id', 'session_id'],
    stats=['event_at', 'event_date', 'reporting_date', 'event_type', 'anonymous_node_id',
        'identity_node_id', 'session_id', 'channel_key']
) }}

-- An event keeps the identifiers it was seen with, for ever. Customers and versions of dimensions
-- are joined when it is read (star.journey_event), so a merge of two customers rewrites nothing.
-- Web events and what records state lie in files of their own: a deal stage that is known late puts
-- no session of its day together again.
with
{%- if in_part('web') %}
web_event as (
    select
        event_id,
        event_at,
        event_sequence,
        event_name,
        source_name,
        {{ node_key('device', 'anonymous_id') }} as anonymous_node_id,
        {{ node_key('user', 'user_id') }} as user_node_id,
        {{ node_key('email', 'email_hash') }} as email_node_id,
        {{ node_key('phone', 'phone_hash') }} as phone_node_id,
        {{ node_key('order', order_reference('order_id')) }} as order_node_id,
        session_id as native_session_id,
        session_number,
        -- Only an event that may bring a new source is worth parsing: one with tags, a click id,
        -- or a referrer of another host.
        case
            when
                utm_source is not null or utm_medium is not null or utm_campaign is not null
                or gclid is not null
                or has_traffic_parameter(page_url)
                or (
                    referrer_url is not null
                    and split_part(referrer_url, '/', 3)
                        <> coalesce(split_part(page_url, '/', 3), '')
                )
                then traffic_source(page_url, referrer_url, utm_source, utm_medium, utm_campaign,
                    utm_term, utm_content, gclid, ignore_referrer)
        end as traffic,
        case
            when utm_id is not null then utm_id
            when strpos(page_url, 'utm_id=') > 0 then url_param(page_url, 'utm_id')
        end as utm_id,
        case when referrer_url is not null then split_part(referrer_url, '/', 3) end
            as referrer_host,
        {{ page_key('page_url') }} as page_key,
        {{ device_key() }} as device_member_key,
        {{ geo_key('country', 'region', 'city') }} as geo_key,
        {{ order_reference('order_id') }} as order_reference,
        revenue_amount,
        tax_amount,
        shipping_amount,
        currency_code,
        item_quantity,
        engagement_msec,
        coalesce(is_engaged, false) as is_engaged,
        coalesce(is_bot, false)
        or case when user_agent is not null then is_bot(user_agent) else false end as is_bot,
        consent_analytics,
        consent_ads
    from {{ entity('web_event') }}
),

-- Sessions hang on the device; without one on the strongest identifier; without any there is none.
web_keyed as (
    select
        event_id,
        event_at,
        event_sequence,
        event_name,
        source_name,
        anonymous_node_id,
        coalesce(user_node_id, email_node_id, phone_node_id, order_node_id, anonymous_node_id)
            as identity_node_id,
        case
            when user_node_id is not null then 'user'
            when email_node_id is not null then 'email'
            when phone_node_id is not null then 'phone'
            when order_node_id is not null then 'order'
            when anonymous_node_id is not null then 'device'
            else 'unknown'
        end as identity_node_type,
        coalesce(anonymous_node_id, user_node_id, email_node_id, phone_node_id, order_node_id)
            as device_key,
        native_session_id,
        session_number,
        case when traffic['resolution'] <> 'none' then traffic['source'] end as source,
        case when traffic['resolution'] <> 'none' then traffic['medium'] end as medium,
        case when traffic['resolution'] <> 'none' then traffic['campaign'] end as campaign_name,
        traffic['term'] as term,
        traffic['content'] as content,
        traffic['click_id'] as click_id,
        traffic['click_id_type'] as click_id_type,
        nullif(traffic['resolution'], 'none') as source_resolution,
        utm_id,
        case when traffic['resolution'] <> 'none' then referrer_host end as referrer_host,
        page_key,
        device_member_key,
        geo_key,
        order_reference,
        revenue_amount,
        tax_amount,
        shipping_amount,
        currency_code,
        item_quantity,
        engagement_msec,
        is_engaged,
        is_bot,
        consent_analytics,
        consent_ads
    from web_event
),

web_in_session as (
    select *
    from sessionize((
        select * from web_keyed
    ))
),

web as (
    select
        durable_key('event', source_name, event_id) as event_id,
        event_at,
        event_name as event_type,
        'web' as event_group,
        cast(null as text) as event_detail,
        source_name,
        coalesce(anonymous_node_id, 0) as anonymous_node_id,
        coalesce(identity_node_id, 0) as identity_node_id,
        identity_node_type,
        session_key as session_id,
        session_started_at,
        cast(session_event_index as bigint) as session_event_index,
        session_number,
        case
            -- By the rules of the day on which the session began.
            when source_resolution is not null
                then {{ channel_key('channel_group(source, medium, campaign_name, '
                    ~ 'cast(coalesce(session_started_at, event_at) as date))') }}
            when session_event_index = 1 then {{ channel_key("'Direct'") }}
            else -1
        end as channel_key,
        source,
        medium,
        campaign_name,
        term,
        content,
        utm_id,
        click_id,
        click_id_type,
        source_resolution,
        referrer_host,
        page_key,
        device_member_key as device_key,
        geo_key,
        cast(-1 as bigint) as account_key,
        cast(-1 as bigint) as deal_key,
        order_reference,
        revenue_amount,
        tax_amount,
        shipping_amount,
        currency_code,
        item_quantity,
        engagement_msec,
        is_engaged,
        is_bot,
        false as is_touchpoint,
        consent_analytics,
        consent_ads
    from web_in_session
),
{%- endif %}
{%- if in_part('record') %}

-- Everything else, in one narrow shape: what happened, when, and the identifiers it names.
activity as (
    select
        durable_key('event', source_name, 'activity', activity_id) as event_id,
        activity_at as event_at,
        activity_type as event_type,
        'crm' as event_group,
        case when activity_type = 'stage_change' then subject end as event_detail,
        source_name,
        coalesce(
            {{ node_key('contact', 'contact_id') }},
            {{ node_key('lead', 'lead_id') }},
            {{ node_key('email', 'email_hash') }},
            {{ node_key('phone', 'phone_hash') }},
            0
        ) as identity_node_id,
        case
            when contact_id is not null then 'contact'
            when lead_id is not null then 'lead'
            when email_hash is not null then 'email'
            when phone_hash is not null then 'phone'
            else 'unknown'
        end as identity_node_type,
        source,
        medium,
        campaign_name,
        {{ member_key('account', 'account_id') }} as account_key,
        {{ member_key('deal', 'deal_id') }} as deal_key,
        cast(null as text) as order_reference,
        cast(null as decimal(18, 6)) as revenue_amount,
        cast(null as decimal(18, 6)) as tax_amount,
        cast(null as decimal(18, 6)) as shipping_amount,
        cast(null as text) as currency_code,
        cast(null as bigint) as item_quantity,
        false as is_bot,
        coalesce(is_touchpoint, false) as is_touchpoint,
        cast(0 as bigint) as geo_key
    from {{ entity('activity') }}
),

deal_stage as (
    select
        durable_key('event', source_name, 'deal_stage', deal_id, stage, cast(entered_at as text))
            as event_id,
        entered_at as event_at,
        'deal_stage' as event_type,
        'crm' as event_group,
        stage as event_detail,
        source_name,
        cast(0 as bigint) as identity_node_id,
        'unknown' as identity_node_type,
        cast(null as text) as source,
        cast(null as text) as medium,
        cast(null as text) as campaign_name,
        cast(0 as bigint) as account_key,
        {{ member_key('deal', 'deal_id') }} as deal_key,
        cast(null as text) as order_reference,
        cast(null as decimal(18, 6)) as revenue_amount,
        cast(null as decimal(18, 6)) as tax_amount,
        cast(null as decimal(18, 6)) as shipping_amount,
        cast(null as text) as currency_code,
        cast(null as bigint) as item_quantity,
        false as is_bot,
        false as is_touchpoint,
        cast(0 as bigint) as geo_key
    from {{ entity('deal_stage') }}
),

email_event as (
    select
        durable_key('event', source_name, 'email_event', email_event_id) as event_id,
        event_at,
        concat('email_', event_type) as event_type,
        'email' as event_group,
        cast(null as text) as event_detail,
        source_name,
        coalesce({{ node_key('contact', 'contact_id') }}, {{ node_key('email', 'email_hash') }}, 0)
            as identity_node_id,
        case
            when contact_id is not null then 'contact'
            when email_hash is not null then 'email'
            else 'unknown'
        end as identity_node_type,
        'email' as source,
        'email' as medium,
        campaign_name,
        cast(-1 as bigint) as account_key,
        cast(-1 as bigint) as deal_key,
        cast(null as text) as order_reference,
        cast(null as decimal(18, 6)) as revenue_amount,
        cast(null as decimal(18, 6)) as tax_amount,
        cast(null as decimal(18, 6)) as shipping_amount,
        cast(null as text) as currency_code,
        cast(null as bigint) as item_quantity,
        coalesce(is_bot, false) as is_bot,
        false as is_touchpoint,
        cast(0 as bigint) as geo_key
    from {{ entity('email_event') }}
),

shop_order as (
    select
        durable_key('event', source_name, 'order', order_id) as event_id,
        ordered_at as event_at,
        'order' as event_type,
        'shop' as event_group,
        cast(null as text) as event_detail,
        source_name,
        coalesce(
            {{ node_key('user', 'user_id') }},
            {{ node_key('buyer', 'buyer_id') }},
            {{ node_key('email', 'email_hash') }},
            {{ node_key('phone', 'phone_hash') }},
            {{ node_key('order', order_reference('order_number')) }},
            {{ node_key('order', bare_id('order_id')) }},
            0
        ) as identity_node_id,
        case
            when user_id is not null then 'user'
            when buyer_id is not null then 'buyer'
            when email_hash is not null then 'email'
            when phone_hash is not null then 'phone'
            else 'order'
        end as identity_node_type,
        cast(null as text) as source,
        cast(null as text) as medium,
        cast(null as text) as campaign_name,
        {{ member_key('account', 'account_id') }} as account_key,
        cast(-1 as bigint) as deal_key,
        coalesce({{ order_reference('order_number') }}, {{ bare_id('order_id') }})
            as order_reference,
        gross_amount as revenue_amount,
        tax_amount,
        shipping_amount,
        coalesce(currency_code, '{{ project.reporting.currency }}') as currency_code,
        item_quantity,
        false as is_bot,
        false as is_touchpoint,
        {{ geo_key('country', 'region', 'city') }} as geo_key
    from {{ entity('order') }}
),

refund as (
    select
        durable_key('event', source_name, 'refund', refund_id) as event_id,
        refunded_at as event_at,
        'refund' as event_type,
        'shop' as event_group,
        cast(null as text) as event_detail,
        source_name,
        coalesce({{ node_key('order', bare_id('order_id')) }}, 0) as identity_node_id,
        case when order_id is not null then 'order' else 'unknown' end as identity_node_type,
        cast(null as text) as source,
        cast(null as text) as medium,
        cast(null as text) as campaign_name,
        cast(-1 as bigint) as account_key,
        cast(-1 as bigint) as deal_key,
        {{ bare_id('order_id') }} as order_reference,
        refund_amount as revenue_amount,
        cast(null as decimal(18, 6)) as tax_amount,
        cast(null as decimal(18, 6)) as shipping_amount,
        coalesce(currency_code, '{{ project.reporting.currency }}') as currency_code,
        cast(null as bigint) as item_quantity,
        false as is_bot,
        false as is_touchpoint,
        cast(0 as bigint) as geo_key
    from {{ entity('refund') }}
),

record as (
    select * from activity
    union all
    select * from deal_stage
    union all
    select * from email_event
    union all
    select * from shop_order
    union all
    select * from refund
),

record_event as (
    select
        event_id,
        event_at,
        event_type,
        event_group,
        event_detail,
        source_name,
        cast(0 as bigint) as anonymous_node_id,
        identity_node_id,
        identity_node_type,
        cast(null as bigint) as session_id,
        {{ no_instant() }} as session_started_at,
        cast(null as bigint) as session_event_index,
        cast(null as bigint) as session_number,
        case
            when coalesce(source, medium) is not null
                then {{ channel_key(
                    'channel_group(source, medium, campaign_name, cast(event_at as date))'
                ) }}
            else -1
        end as channel_key,
        source,
        medium,
        campaign_name,
        cast(null as text) as term,
        cast(null as text) as content,
        cast(null as text) as utm_id,
        cast(null as text) as click_id,
        cast(null as text) as click_id_type,
        cast(null as text) as source_resolution,
        cast(null as text) as referrer_host,
        cast(-1 as bigint) as page_key,
        cast(-1 as bigint) as device_key,
        geo_key,
        account_key,
        deal_key,
        order_reference,
        revenue_amount,
        tax_amount,
        shipping_amount,
        currency_code,
        item_quantity,
        cast(null as bigint) as engagement_msec,
        false as is_engaged,
        is_bot,
        is_touchpoint,
        cast(null as text) as consent_analytics,
        cast(null as text) as consent_ads
    from record
),
{%- endif %}

every_event as (
    {% if in_part('web') %}select * from web{% endif %}
    {% if in_part('web') and in_part('record') %}union all{% endif %}
    {% if in_part('record') %}select * from record_event{% endif %}
),

final as (
    select
        event_id,
        event_at,
        cast(event_at as date) as event_date,
        {{ reporting_date('event_at') }} as reporting_date,
        event_type,
        event_group,
        event_detail,
        source_name,
        anonymous_node_id,
        identity_node_id,
        identity_node_type,
        session_id,
        session_started_at,
        session_event_index,
        session_number,
        channel_key,
        source,
        medium,
        campaign_name,
        term,
        content,
        utm_id,
        click_id,
        click_id_type,
        source_resolution,
        referrer_host,
        page_key,
        device_key,
        geo_key,
        account_key,
        deal_key,
        order_reference,
        revenue_amount,
        tax_amount,
        shipping_amount,
        currency_code,
        item_quantity,
        engagement_msec,
        is_engaged,
        is_bot,
        is_touchpoint,
        consent_analytics,
        consent_ads
    from every_event
)

select * from final
