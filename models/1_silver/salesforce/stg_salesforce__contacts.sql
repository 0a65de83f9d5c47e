-- grain: one row per version of a Salesforce contact
{{ config(entity='contact') }}

with contact as (
    select * from {{ source('salesforce', 'contact') }}
),

-- A mobile phone is one person's; the other telephone of a contact is often its company's.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as contact_id,
        created_date as created_at,
        email,
        coalesce(mobile_phone, phone) as phone,
        first_name,
        last_name,
        account_id,
        title as job_title,
        coalesce(contact_stage_c, contact_stage__c, contact_status_c, contact_status__c)
            as lifecycle_stage,
        lead_source,
        coalesce(mailing_country, mailing_country_code) as country,
        coalesce(mailing_state, mailing_state_code) as region,
        mailing_city as city,
        owner_id,
        coalesce(site_user_id_c, site_user_id__c) as user_id,
        -- Written by hand or by a form script, so the prefix of the _ga cookie may still be on it.
        regexp_replace(
            coalesce(
                ga_client_id_c, ga_client_id__c, google_client_id_c, google_client_id__c,
                client_id_c, client_id__c
            ),
            '^GA[0-9]+[.][0-9]+[.]',
            ''
        ) as client_id,
        coalesce(gclid_c, gclid__c) as gclid,
        is_deleted,
        department,
        is_email_bounced,
        has_opted_out_of_email as is_email_opted_out,
        '{{ source_name }}:' || master_record_id as merged_into_contact_id,
        coalesce(fbclid_c, fbclid__c) as fbclid,
        coalesce(li_fat_id_c, li_fat_id__c) as li_fat_id,
        coalesce(utm_source_c, utm_source__c) as utm_source,
        coalesce(utm_medium_c, utm_medium__c) as utm_medium,
        coalesce(utm_campaign_c, utm_campaign__c) as utm_campaign,
        _fivetran_end as version_ended_at,
        _fivetran_active as is_current_version
    from contact
)

select * from final
