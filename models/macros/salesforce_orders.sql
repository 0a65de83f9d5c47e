{#- What Salesforce's orders and products say, in whatever layout. -#}

{#- What stands in an order. -#}
{%- macro salesforce_orders(relation) -%}
-- An order is a sale once it is activated: a draft is none yet, and a reduction takes from another
-- order. `status` says which it is.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as order_id,
        order_number,
        coalesce(activated_date, created_date) as ordered_at,
        -- Written by hand or by a form script, so the prefix of the _ga cookie may still be on it.
        regexp_replace(
            coalesce(
                ga_client_id_c, ga_client_id__c, google_client_id_c, google_client_id__c,
                client_id_c, client_id__c
            ),
            '^GA[0-9]+[.][0-9]+[.]',
            ''
        ) as anonymous_id,
        account_id,
        status,
        lower(coalesce(status_code, status, '')) in ('draft', 'canceled', 'cancelled', 'expired')
        or lower(coalesce(is_reduction_order, 'false')) in ('true', '1', 't', 'yes')
        or lower(coalesce(is_deleted, 'false')) in ('true', '1', 't', 'yes') as is_cancelled,
        total_amount as gross_amount,
        currency_iso_code as currency_code,
        coalesce(shipping_country, shipping_country_code, billing_country, billing_country_code)
            as country,
        coalesce(shipping_state, shipping_state_code, billing_state, billing_state_code)
            as region,
        coalesce(shipping_city, billing_city) as city,
        '{{ source_name }}:' || opportunity_id as deal_id,
        '{{ source_name }}:' || bill_to_contact_id as contact_id,
        '{{ source_name }}:' || original_order_id as original_order_id,
        status_code,
        type as order_type,
        is_reduction_order,
        effective_date,
        end_date,
        owner_id,
        po_number as purchase_order_number,
        coalesce(gclid_c, gclid__c) as gclid,
        is_deleted
    from {{ relation }}
)
{%- endmacro -%}

{#- Who gets the bill of an order. -#}
{%- macro salesforce_order_links(relation) -%}
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        'order' as a_type,
        '{{ source_name }}:' || id as a_value,
        'contact' as b_type,
        '{{ source_name }}:' || bill_to_contact_id as b_value,
        created_date as linked_at,
        'crm_order' as rule
    from {{ relation }}
    where bill_to_contact_id is not null and id is not null
)
{%- endmacro -%}

{#- What stands in a line of an order. -#}
{%- macro salesforce_order_lines(relation) -%}
-- A line does not say when its order was placed, so it stands on the day it was written.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        order_id,
        id as line_id,
        created_date as ordered_at,
        product_2_id as product_id,
        quantity,
        unit_price as unit_price_amount,
        total_price as revenue_amount,
        currency_iso_code as currency_code,
        list_price as list_price_amount,
        order_item_number,
        service_date,
        end_date,
        is_deleted
    from {{ relation }}
)
{%- endmacro -%}

{#- What an order takes from another. -#}
{%- macro salesforce_reductions(relation) -%}
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as refund_id,
        original_order_id as order_id,
        coalesce(activated_date, created_date) as refunded_at,
        -- The total of a reduction is negative.
        ltrim(total_amount, '-') as refund_amount,
        currency_iso_code as currency_code,
        type as reason,
        order_number
    from {{ relation }}
    where
        lower(is_reduction_order) in ('true', '1', 't', 'yes')
        and lower(coalesce(status_code, status)) = 'activated'
        and lower(coalesce(is_deleted, 'false')) not in ('true', '1', 't', 'yes')
)
{%- endmacro -%}

{#- What stands in a product. -#}
{%- macro salesforce_products(relation) -%}
-- Prices stand in price books: a product may have several.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as product_id,
        coalesce(stock_keeping_unit, product_code) as sku,
        name as product_name,
        family as category,
        currency_iso_code as currency_code,
        case
            when
                lower(coalesce(is_deleted, 'false')) in ('true', '1', 't', 'yes')
                or lower(coalesce(is_archived, 'false')) in ('true', '1', 't', 'yes')
                then 'false'
            else is_active
        end as is_active,
        product_code,
        external_id,
        quantity_unit_of_measure as unit,
        created_date as created_at
    from {{ relation }}
)
{%- endmacro -%}
