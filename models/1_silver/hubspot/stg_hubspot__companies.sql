-- grain: one row per version of a HubSpot company
{{ config(entity='account') }}

with company as (
    select * from {{ source('hubspot', 'company') }}
),

final as (
    select
        _raw_id,
        id as account_id,
        property_name as account_name,
        lower(coalesce(property_domain, url_host(property_website))) as domain,
        property_industry as industry,
        {{ whole('property_numberofemployees') }} as employee_count,
        property_annualrevenue as annual_revenue_amount,
        property_currency_code as currency_code,
        property_country as country,
        property_city as city,
        {{ whole('property_hs_parent_company_id') }} as parent_account_id,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        property_createdate as created_at,
        coalesce(nullif(_fivetran_deleted, ''), is_deleted) as is_deleted,
        property_state as region,
        property_lifecyclestage as lifecycle_stage
    from company
)

select * from final
