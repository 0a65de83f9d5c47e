{#- What the calls of Segment and RudderStack have in common: each carries the context in which it
    was made. -#}

{#- The categories of consent managers that are known, by what they speak of. -#}
{%- set segment_categories = {
    'analytics': ['analytics', 'performance', 'c0002'],
    'ads': ['advertising', 'marketing', 'targeting', 'c0004']
} -%}

{#- The lists of categories that the visitor allowed and denied (RudderStack). -#}
{%- macro segment_listed_consents() -%}
from_json(lower(context_consent_management_allowed_consent_ids), 'list<text>')
            as allowed,
        from_json(lower(context_consent_management_denied_consent_ids), 'list<text>')
            as denied
{%- endmacro -%}

{#- The CTE `asked` out of `relation`, which has those lists. -#}
{%- macro segment_consents(relation) -%}
-- What the visitor allowed, as the consent manager stamped it on the call: a yes or no for each
-- category (Segment), or lists of the categories that are allowed and denied (RudderStack).
-- Categories have the site's own names; those here are known, the others stay in raw.
asked as (
    select
        *,
        {{ segment_consent('analytics') }} as allows_analytics,
        {{ segment_consent('ads') }} as allows_ads
    from {{ relation }}
)
{%- endmacro -%}

{#- Whether `purpose`, analytics or ads, is allowed; null where nothing is said of it. -#}
{%- macro segment_consent(purpose) -%}
{%- set names = "make_array('" ~ segment_categories[purpose] | join("', '") ~ "')" -%}
coalesce(
            {{ segment_answer(purpose) }},
            case
                when array_has_any(allowed, {{ names }}) then true
                when array_has_any(denied, {{ names }}) then false
            end
        )
{%- endmacro -%}

{#- The yes or no to a purpose that is stamped on a call. -#}
{%- macro segment_answer(purpose) -%}
to_boolean(first_text(
            {%- for category in segment_categories[purpose] %}
            context_consent_category_preferences_{{ category }}{{ ',' if not loop.last }}
            {%- endfor %}
        ))
{%- endmacro -%}

{#- When a call was made. -#}
{%- macro segment_event_at() -%}
-- Corrected for the device's clock; data lakes call it _timestamp.
        stated("timestamp", _timestamp, original_timestamp, sent_at, received_at)
{%- endmacro -%}

{#- The campaign that the page's address names. -#}
{%- macro segment_campaign() -%}
context_campaign_source as utm_source,
        context_campaign_medium as utm_medium,
        context_campaign_name as utm_campaign,
        context_campaign_term as utm_term,
        context_campaign_content as utm_content,
        context_campaign_id as utm_id
{%- endmacro -%}

{#- The device and the place. -#}
{%- macro segment_device() -%}
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
        context_location_city as city
{%- endmacro -%}

{#- The source, the consents of the CTE `asked`, and the app. -#}
{%- macro segment_app() -%}
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
        channel
{%- endmacro -%}
