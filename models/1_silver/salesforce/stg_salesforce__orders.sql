-- grain: one row per version of a Salesforce order
{{ config(entity='order') }}

with orders as (
    select * from {{ source('salesforce', 'order') }}
),

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
    from orders
)

select * from final
