-- grain: one row per record of a sale, with the conversion that it is evidence of
{{ config(materialized='table', sort=['conversion_id']) }}

with sale_record as (
    select * from {{ ref('int_sale_record') }}
),

final as (
    select
        conversion_id,
        record_type as evidence_type,
        record_id as evidence_id,
        cast(recorded_at as date) as event_date,
        recorded_at as evidence_at,
        identity_node_id,
        sale_reference,
        source_name,
        standing,
        gross_amount,
        net_amount,
        currency_code,
        is_valid,
        is_of_record
    from sale_record
)

select * from final
