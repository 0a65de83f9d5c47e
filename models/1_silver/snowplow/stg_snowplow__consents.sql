-- grain: one row per purpose that a consent_preferences event speaks of
{{ config(entity='consent', rows='many') }}

with preferences as (
    select
        *,
        first_text(
            unstruct_event_com_snowplowanalytics_snowplow_consent_preferences_1,
            unstruct_event_com_snowplowanalytics_snowplow_consent_preferences_1_0_0
        ) as consent_json
    from {{ source('snowplow', 'events') }}
),

events as (
    select
        _raw_id,
        event_id,
        stated(derived_tstamp, collector_tstamp) as consent_at,
        domain_userid,
        user_id,
        event_type,
        basis_for_processing,
        consent_version,
        consent_scopes,
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

{{ snowplow_judged('choices', 'scopes') }},

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
