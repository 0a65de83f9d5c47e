-- grain: one row per choice in the consent dialogue
-- It promises no entity: it does not say whose choice it is; the event with its id does.
{{ config(materialized='table', rows='one') }}

with consent_preferences as (
    select * from {{ source('snowplow', 'consent_preferences') }}
),

final as (
    select
        _raw_id,
        root_id as event_id,
        to_instant(root_tstamp) as collector_at,
        coalesce("eventType", event_type) as event_type,
        coalesce("basisForProcessing", basis_for_processing) as basis_for_processing,
        coalesce("consentVersion", consent_version) as consent_version,
        coalesce("consentScopes", consent_scopes) as consent_scopes,
        coalesce("consentUrl", consent_url) as consent_url,
        coalesce("domainsApplied", domains_applied) as domains_applied,
        coalesce("gdprApplies", gdpr_applies) as gdpr_applies
    from consent_preferences
)

select * from final
