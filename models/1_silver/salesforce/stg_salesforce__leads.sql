-- grain: one row per version of a Salesforce lead
{{ config(entity='lead') }}

with lead as (
    select * from {{ source('salesforce', 'lead') }}
),

-- A mobile phone is one person's; the other telephone of a lead is often its company's.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as lead_id,
        created_date as created_at,
        email,
        coalesce(mobile_phone, phone) as phone,
        converted_contact_id as contact_id,
        converted_account_id as account_id,
        converted_opportunity_id as deal_id,
        company as company_name,
        status,
        lead_source,
        coalesce(country, country_code) as country,
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
        coalesce(state, state_code) as region,
        city,
        title as job_title,
        industry,
        {{ whole('number_of_employees') }} as employee_count,
        annual_revenue,
        currency_iso_code as annual_revenue_currency_code,
        owner_id,
        is_converted,
        converted_date as converted_on,
        '{{ source_name }}:' || master_record_id as merged_into_lead_id,
        has_opted_out_of_email as is_email_opted_out,
        coalesce(fbclid_c, fbclid__c) as fbclid,
        coalesce(li_fat_id_c, li_fat_id__c) as li_fat_id,
        coalesce(utm_source_c, utm_source__c) as utm_source,
        coalesce(utm_medium_c, utm_medium__c) as utm_medium,
        coalesce(utm_campaign_c, utm_campaign__c) as utm_campaign,
        _fivetran_end as version_ended_at,
        _fivetran_active as is_current_version
    from lead
)

select * from final
