-- grain: one row per version of a HubSpot contact
{{ config(entity='contact') }}

with contact as (
    select * from {{ source('hubspot', 'contact') }}
),

{{ hubspot_contacts('contact', "coalesce(nullif(_fivetran_deleted, ''), is_deleted)") }}

select * from final
