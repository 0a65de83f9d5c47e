-- grain: one row per version of a Salesforce account
{{ config(entity='account') }}

with account as (
    select * from {{ source('salesforce', 'account') }}
),

final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as account_id,
        name as account_name,
        regexp_replace(lower(url_host(website)), '^www[.]', '') as domain,
        industry,
        {{ whole('number_of_employees') }} as employee_count,
        annual_revenue as annual_revenue_amount,
        currency_iso_code as currency_code,
        coalesce(
            billing_country, billing_country_code, shipping_country, shipping_country_code
        ) as country,
        coalesce(billing_city, shipping_city) as city,
        parent_id as parent_account_id,
        owner_id,
        created_date as created_at,
        is_deleted,
        coalesce(billing_state, billing_state_code) as region,
        type as account_type,
        account_source,
        account_number,
        rating,
        ownership,
        '{{ source_name }}:' || master_record_id as merged_into_account_id,
        _fivetran_end as version_ended_at,
        _fivetran_active as is_current_version
    from account
)

select * from final
