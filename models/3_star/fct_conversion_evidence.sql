-- grain: one row per record of a sale, with the conversion that it is evidence of
{{ config(materialized='table', sort=['conversion_id']) }}

with sale_record as (
    select * from {{ ref('int_sale_record') }}
),

sale_match as (
    select record_type, record_id, string_agg(sale_key, ', ' order by sale_key) as matched_by
    from (
        select record_type, record_id, sale_key
        from {{ ref('int_sale_match') }}
        where standing = 'matched'
        group by record_type, record_id, sale_key
    )
    group by record_type, record_id
),

final as (
    select
        sale_record.conversion_id,
        sale_record.record_type as evidence_type,
        sale_record.record_id as evidence_id,
        cast(sale_record.recorded_at as date) as event_date,
        sale_record.recorded_at as evidence_at,
        sale_record.identity_node_id,
        sale_record.sale_reference,
        sale_match.matched_by,
        sale_record.source_name,
        sale_record.standing,
        sale_record.gross_amount,
        sale_record.net_amount,
        sale_record.currency_code,
        sale_record.is_valid,
        sale_record.is_of_record
    from sale_record
    left join sale_match
        on
            sale_record.record_type = sale_match.record_type
            and sale_record.record_id = sale_match.record_id
)

select * from final
