-- grain: one row per version of a HubSpot company
{{ config(entity='account') }}

with company as (
    select * from {{ source('hubspot', 'company') }}
),

{{ hubspot_companies('company', "coalesce(nullif(_fivetran_deleted, ''), is_deleted)") }}

select * from final
