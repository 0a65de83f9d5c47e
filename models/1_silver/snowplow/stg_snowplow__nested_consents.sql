-- grain: one row per purpose that a consent_preferences event speaks of
{{ config(entity='consent', rows='many') }}

with received as (
    select
        _raw_id,
        from_json(payload, 'struct<
            event_id: text,
            derived_tstamp: text,
            collector_tstamp: text,
            domain_userid: text,
            user_id: text,
            event_type: text,
            basis_for_processing: text,
            consent_version: text,
            consent_scopes: text,
            unstruct_event_com_snowplowanalytics_snowplow_consent_preferences_1: json,
            unstruct_event_com_snowplowanalytics_snowplow_consent_preferences_1_0_0: json
        >') as event
    from {{ source('snowplow', 'events_nested') }}
),

preferences as (
    select
        _raw_id,
        event,
        first_text(
            event['unstruct_event_com_snowplowanalytics_snowplow_consent_preferences_1'],
            event['unstruct_event_com_snowplowanalytics_snowplow_consent_preferences_1_0_0']
        ) as consent_json
    from received
),

events as (
    select
        _raw_id,
        event['event_id'] as event_id,
        stated(event['derived_tstamp'], event['collector_tstamp']) as consent_at,
        event['domain_userid'] as domain_userid,
        event['user_id'] as user_id,
        event['event_type'] as event_type,
        event['basis_for_processing'] as basis_for_processing,
        event['consent_version'] as consent_version,
        event['consent_scopes'] as consent_scopes,
        from_json(first_text(json_text(consent_json, '[0]'), consent_json), 'struct<
            eventType: text, event_type: text,
            consentScopes: json, consent_scopes: json,
            basisForProcessing: text, basis_for_processing: text,
            consentVersion: text, consent_version: text
        >') as consent
    from preferences
),

choices as (
    select
        _raw_id,
        event_id,
        consent_at,
        domain_userid,
        user_id,
        strpos(user_id, '@') > 1 as is_email,
        lower(stated(consent['eventType'], consent['event_type'], event_type)) as choice,
        stated(consent['basisForProcessing'], consent['basis_for_processing'], basis_for_processing)
            as basis_for_processing,
        stated(consent['consentVersion'], consent['consent_version'], consent_version)
            as consent_version,
        coalesce(
            from_json(
                lower(stated(
                    consent['consentScopes'], consent['consent_scopes'], consent_scopes
                )),
                'list<text>'
            ),
            from_json('[]', 'list<text>')
        ) as scopes
    from events
    where coalesce(consent['eventType'], consent['event_type'], event_type) is not null
),

-- What the consent dialogue says of analytics and ads. Scopes name what is allowed, in the words of
-- the site or its consent platform. Who chose among words that are not known here has denied
-- nothing that could be named.
judged as (
    select
        *,
        array_has_any(scopes, make_array(
            'analytics', 'statistics', 'statistic', 'performance', 'measurement', 'c0002'
        )) as allows_analytics,
        array_has_any(scopes, make_array(
            'ads', 'advertisement', 'advertising', 'marketing', 'targeting', 'c0004'
        )) as allows_ads,
        coalesce(array_length(array_except(scopes, make_array(
            'analytics', 'statistics', 'statistic', 'performance', 'measurement', 'c0002',
            'ads', 'advertisement', 'advertising', 'marketing', 'targeting', 'c0004',
            'necessary', 'essential', 'functional', 'preferences', 'personalization',
            'c0001', 'c0003'
        ))), 0) = 0 as has_known_scopes_only
    from choices
),

-- Analytics and ads are always asked about; other scopes go by the site's own words.
purposes as (
    select
        *,
        unnest(array_concat(
            make_array('analytics', 'ads'),
            array_except(scopes, make_array(
                'analytics', 'statistics', 'statistic', 'performance', 'measurement', 'c0002',
                'ads', 'advertisement', 'advertising', 'marketing', 'targeting', 'c0004'
            ))
        )) as purpose
    from judged
),

stated_purposes as (
    select
        *,
        case
            -- What is necessary needs no consent, so nobody takes it back.
            when choice in ('withdrawn', 'expired') and purpose <> 'necessary' then 'denied'
            when choice = 'pending' then null
            when purpose not in ('analytics', 'ads') then 'granted'
            when purpose = 'analytics' and allows_analytics then 'granted'
            when purpose = 'ads' and allows_ads then 'granted'
            when choice = 'allow_all' then 'granted'
            when choice = 'deny_all' then 'denied'
            when choice in ('allow_selected', 'implicit_consent') and has_known_scopes_only
                then 'denied'
        end as state
    from purposes
),

final as (
    select
        _raw_id,
        concat(event_id, '|', purpose) as consent_id,
        consent_at,
        domain_userid as anonymous_id,
        text_if(not is_email, user_id) as user_id,
        text_if(is_email, user_id) as email,
        purpose,
        state,
        choice,
        basis_for_processing,
        consent_version
    from stated_purposes
    where state is not null
)

select * from final
