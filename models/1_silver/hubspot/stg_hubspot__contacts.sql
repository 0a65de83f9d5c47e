-- grain: one row per version of a HubSpot contact
{{ config(entity='contact') }}

with contact as (
    select * from {{ source('hubspot', 'contact') }}
),

-- E-mails may be hashed already by the tool that exported them: opaque text is kept as it is.
final as (
    select
        _raw_id,
        id as contact_id,
        coalesce(property_createdate, property_created_at) as created_at,
        property_email as email,
        coalesce(property_phone, property_mobilephone) as phone,
        property_firstname as first_name,
        property_lastname as last_name,
        {{ whole('property_associatedcompanyid') }} as account_id,
        property_company as company_name,
        property_jobtitle as job_title,
        property_lifecyclestage as lifecycle_stage,
        coalesce(property_lead_source, property_leadsource, property_hs_analytics_source)
            as lead_source,
        coalesce(property_country, property_ip_country) as country,
        property_state as region,
        property_city as city,
        property_hs_language as language,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        coalesce(property_site_user_id, property_user_id) as user_id,
        -- Written by hand or by a form script, so the prefix of the _ga cookie may still be on it.
        regexp_replace(
            coalesce(property_ga_client_id, property_google_client_id, property_client_id),
            '^GA[0-9]+[.][0-9]+[.]',
            ''
        ) as client_id,
        coalesce(property_hubspotutk, property_hs_cookie) as tracking_cookie,
        coalesce(property_gclid, property_hs_google_click_id) as gclid,
        coalesce(nullif(_fivetran_deleted, ''), is_deleted) as is_deleted,
        property_hs_lead_status as lead_status,
        property_hs_analytics_source as original_source,
        property_hs_analytics_source_data_1 as original_source_detail_1,
        property_hs_analytics_source_data_2 as original_source_detail_2,
        property_hs_latest_source as latest_source,
        coalesce(property_fbclid, property_hs_facebook_click_id) as fbclid,
        property_li_fat_id as li_fat_id,
        property_utm_source as utm_source,
        property_utm_medium as utm_medium,
        property_utm_campaign as utm_campaign,
        property_first_conversion_date as first_conversion_at,
        property_first_conversion_event_name as first_conversion_name,
        property_annualrevenue as annual_revenue
    from contact
)

select * from final
