-- grain: one row per product of a Salesforce opportunity
-- It promises no entity: what is offered is not ordered yet. Ids are prefixed as in `deal`.
{{ config(materialized='table', rows='one') }}

with opportunity_line_item as (
    select * from {{ source('salesforce', 'opportunity_line_item') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || opportunity_id as deal_id,
        id as line_id,
        '{{ source_name }}:' || product_2_id as product_id,
        product_code,
        name as line_name,
        to_number(quantity) as quantity,
        to_amount(list_price) as list_price_amount,
        to_amount(unit_price) as unit_price_amount,
        to_amount(total_price) as total_amount,
        to_number(discount) as discount_percent,
        currency_iso_code as currency_code,
        service_date,
        created_date as created_at,
        is_deleted,
        _fivetran_synced as synced_at
    from opportunity_line_item
)

select * from final
