-- grain: one row per version of a Klaviyo profile
{{ config(entity='contact') }}

with person as (
    select * from {{ source('klaviyo', 'person') }}
),

final as (
    select
        _raw_id,
        id as contact_id,
        created as created_at,
        email,
        phone_number as phone,
        first_name,
        last_name,
        organization as company_name,
        title as job_title,
        custom_source as lead_source,
        country,
        region,
        city,
        coalesce(custom_site_user_id, custom_user_id) as user_id,
        -- Written by a form script, so the prefix of the _ga cookie may still be on it.
        regexp_replace(
            coalesce(custom_ga_client_id, custom_google_client_id),
            '^GA[0-9]+[.][0-9]+[.]',
            ''
        ) as client_id,
        custom_gclid as gclid,
        _fivetran_deleted as is_deleted,
        timezone as zone,
        last_event_date as last_event_at
    from person
)

select * from final
