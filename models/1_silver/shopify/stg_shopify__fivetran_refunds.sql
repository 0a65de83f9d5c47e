-- grain: one row per version of a refund of a Shopify order, as Fivetran lands it
{{ config(entity='refund') }}
{%- set streams = project.sources[source_name].streams %}
{%- set lines = ['order_line_refund', 'refund_line_item'] | select('in', streams) | list %}

with refund as (
    select * from {{ source('shopify', 'refund') }}
),

{{ shopify_latest_order() }},
{%- if 'transaction' in streams %}

-- What was paid back is what the transactions say.
paid as (
    select
        refund_id,
        sum(
            case
                when lower(kind) = 'refund' and lower(coalesce(status, 'success')) = 'success'
                    then to_amount(coalesce(amount, amount_set_shop_amount))
            end
        ) as paid_amount,
        count(*) as transaction_count,
        count(coalesce(amount, amount_set_shop_amount))
        - count(to_amount(coalesce(amount, amount_set_shop_amount))) as unreadable_count
    from (
        select
            *,
            row_number() over (
                partition by id order by _fivetran_synced desc nulls last, _raw_id desc
            ) as place
        from {{ source('shopify', 'transaction') }}
    )
    where place = 1 and refund_id is not null
    group by refund_id
),
{%- endif %}
{%- if lines %}

refund_lines as (
    {%- for stream in lines %}
    select
        refund_id,
        id,
        quantity,
        coalesce(subtotal, subtotal_set_shop_amount) as subtotal,
        coalesce(total_tax, total_tax_set_shop_amount) as total_tax,
        row_number() over (
            partition by id order by _fivetran_synced desc nulls last, _raw_id desc
        ) as place
    from {{ source('shopify', stream) }}
    {{- '' if loop.last else '\n    union all' }}
    {%- endfor %}
),

lines_summed as (
    select
        refund_id,
        sum(to_amount(subtotal)) as subtotal_amount,
        sum(to_amount(total_tax)) as tax_amount,
        sum(try_cast(regexp_replace(quantity, '[.]0+$', '') as bigint)) as item_quantity
    from refund_lines
    where place = 1
    group by refund_id
),
{%- endif %}

final as (
    select
        refund._raw_id,
        refund.id as refund_id,
        refund.order_id,
        coalesce(refund.created_at, refund.processed_at) as refunded_at,
        -- A refund without transactions (given as credit) is worth what it says itself, or its
        -- lines, with their tax where prices are without.
        {%- if 'transaction' in streams %}
        -- An amount that cannot be read makes the refund unknown, not smaller.
        case when coalesce(paid.unreadable_count, 0) = 0 then coalesce(
            case when paid.transaction_count > 0 then coalesce(paid.paid_amount, 0) end,
        {%- else %}
        coalesce(
        {%- endif %}
            to_amount(refund.total_refunded_set_shop_amount)
            {%- if lines %},
            lines_summed.subtotal_amount
            + case
                when coalesce(shop_order.is_tax_included, false) then 0
                else coalesce(lines_summed.tax_amount, 0)
            end
            {%- endif %}
        ){{ ' end' if 'transaction' in streams }} as refund_amount,
        shop_order.currency_code
        {%- if lines %},
        lines_summed.item_quantity,
        lines_summed.tax_amount
        {%- endif %}
    from refund
    left join shop_order on refund.order_id = shop_order.order_id
    {%- if 'transaction' in streams %}
    left join paid on refund.id = paid.refund_id
    {%- endif %}
    {%- if lines %}
    left join lines_summed on refund.id = lines_summed.refund_id
    {%- endif %}
)

select * from final
