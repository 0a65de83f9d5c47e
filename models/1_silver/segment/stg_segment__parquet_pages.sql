-- grain: one row per page call in Parquet or JSON lines, every delivery of it
{{ config(entity='web_event') }}
{%- set columns = [
    'id', 'anonymous_id', 'user_id', 'timestamp', '_timestamp', 'original_timestamp', 'sent_at',
    'received_at', 'channel', 'name', 'category', 'title', 'url', 'referrer',
    'context_user_agent', 'context_user_agent_data_mobile', 'context_user_agent_data_platform',
    'context_locale', 'context_page_url', 'context_page_title', 'context_page_referrer',
    'context_campaign_source', 'context_campaign_medium', 'context_campaign_name',
    'context_campaign_term', 'context_campaign_content', 'context_campaign_id',
    'context_session_id', 'context_device_type', 'context_device_manufacturer',
    'context_device_model', 'context_os_name', 'context_app_name', 'context_app_version',
    'context_library_name', 'context_source_id', 'context_group_id', 'context_traits_email',
    'context_traits_phone', 'context_location_country', 'context_location_region',
    'context_location_city', 'context_consent_category_preferences_analytics',
    'context_consent_category_preferences_performance',
    'context_consent_category_preferences_c0002',
    'context_consent_category_preferences_advertising',
    'context_consent_category_preferences_marketing',
    'context_consent_category_preferences_targeting',
    'context_consent_category_preferences_c0004',
    'context_consent_management_allowed_consent_ids',
    'context_consent_management_denied_consent_ids',
] %}

with received as (
    select
        _raw_id,
        from_json(payload, 'struct<{{ columns | join(": text, ") }}: text>') as call
    from {{ source('segment', 'pages_parquet') }}
),

pages as (
    select
        _raw_id
        {%- for column in columns %},
        call['{{ column }}'] as "{{ column }}"
        {%- endfor %}
    from received
),

-- A user id with an @ is an e-mail address: it is stored as its hash, never as an id.
named as (
    select
        *,
        coalesce(strpos(user_id, '@') > 1, false) as is_email,
        stated(url, context_page_url) as page_url,
        -- RudderStack writes $direct where there is no referrer.
        nullif(stated(context_page_referrer, referrer), '$direct') as referrer_url,
        from_json(lower(context_consent_management_allowed_consent_ids), 'list<text>')
            as allowed,
        from_json(lower(context_consent_management_denied_consent_ids), 'list<text>')
            as denied
    from pages
),

-- What the visitor allowed, as the consent manager stamped it on the call: a yes or no for each
-- category (Segment), or lists of the categories that are allowed and denied (RudderStack).
-- Categories have the site's own names; those here are known, the others stay in raw.
asked as (
    select
        *,
        coalesce(
            to_boolean(first_text(
                context_consent_category_preferences_analytics,
                context_consent_category_preferences_performance,
                context_consent_category_preferences_c0002
            )),
            case
                when array_has_any(allowed, make_array('analytics', 'performance', 'c0002'))
                    then true
                when array_has_any(denied, make_array('analytics', 'performance', 'c0002'))
                    then false
            end
        ) as allows_analytics,
        coalesce(
            to_boolean(first_text(
                context_consent_category_preferences_advertising,
                context_consent_category_preferences_marketing,
                context_consent_category_preferences_targeting,
                context_consent_category_preferences_c0004
            )),
            case
                when
                    array_has_any(
                        allowed, make_array('advertising', 'marketing', 'targeting', 'c0004')
                    )
                    then true
                when
                    array_has_any(
                        denied, make_array('advertising', 'marketing', 'targeting', 'c0004')
                    )
                    then false
            end
        ) as allows_ads
    from named
),

final as (
    select
        _raw_id,
        id as event_id,
        -- Corrected for the device's clock; data lakes call it _timestamp.
        stated("timestamp", _timestamp, original_timestamp, sent_at, received_at) as event_at,
        'page_view' as event_name,
        anonymous_id,
        text_if(not is_email, user_id) as user_id,
        first_text(text_if(is_email, user_id), context_traits_email) as email,
        context_traits_phone as phone,
        -- RudderStack numbers sessions; Segment has none, they are cut by the rule.
        context_session_id as session_id,
        page_url,
        stated(title, context_page_title) as page_title,
        referrer_url,
        context_campaign_source as utm_source,
        context_campaign_medium as utm_medium,
        context_campaign_name as utm_campaign,
        context_campaign_term as utm_term,
        context_campaign_content as utm_content,
        context_campaign_id as utm_id,
        url_param(page_url, 'gclid') as gclid,
        case
            when regexp_like(context_user_agent, 'iPad|Tablet') then 'tablet'
            when context_device_model like 'iPad%' then 'tablet'
            when regexp_like(context_user_agent, 'Mobi|iPhone|iPod') then 'mobile'
            when lower(context_device_type) in ('ios', 'android') then 'mobile'
            when to_boolean(context_user_agent_data_mobile) then 'mobile'
            when context_user_agent like '%Android%' then 'tablet'
            when context_user_agent like 'Mozilla/%' then 'desktop'
        end as device_category,
        context_device_manufacturer as device_brand,
        stated(context_os_name, context_user_agent_data_platform) as operating_system,
        context_locale as language,
        context_user_agent as user_agent,
        context_location_country as country,
        context_location_region as region,
        context_location_city as city,
        'WEB' as platform,
        context_source_id as stream_id,
        case
            when allows_analytics then 'granted' when not allows_analytics then 'denied'
        end as consent_analytics,
        case when allows_ads then 'granted' when not allows_ads then 'denied' end as consent_ads,
        -- IP address, traits and the fields of your own stay in raw: they may hold anything.
        context_app_name as app_name,
        context_app_version as app_version,
        context_library_name as library_name,
        context_group_id as group_id,
        channel,
        name as page_name,
        category as page_category
    from asked
)

select * from final
