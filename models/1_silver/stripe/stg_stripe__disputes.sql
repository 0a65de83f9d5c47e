-- grain: one row per version of a dispute, whatever became of it
-- It promises no entity: those that were lost are refunds, by another model.
{{ config(materialized='table', rows='one') }}

with dispute as (
    select * from {{ source('stripe', 'dispute') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || id as dispute_id,
        '{{ source_name }}:' || charge_id as charge_id,
        created as disputed_at,
        status,
        reason,
        {{ amount_of_smallest_unit('amount', 'currency') }} as disputed_amount,
        upper(currency) as currency_code,
        is_charge_refundable,
        evidence_details_due_by as evidence_due_at
    from dispute
)

select * from final
