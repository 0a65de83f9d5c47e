-- Orders and refunds of the shops: ours are those that count as sales, each on the day of the
-- project's zone; what a shop also counts is marked as theirs.
with shop_order as (
    select * from star.fct_order
),

target_rate as (
    select rate_date, exchange_rate as target_exchange_rate from star.int_exchange_rate_day
    where currency_code = '$currency'
),

-- A second order that records a sale that another order records already.
duplicate_order as (
    select evidence_id from star.fct_conversion_evidence
    where evidence_type = 'order' and standing = 'duplicate order'
),

order_row as (
    select
        shop_order.*,
        case
            when '$currency' in ('', shop_order.currency_code) then cast(1 as decimal(18, 8))
            when '$currency' = '$reporting' then shop_order.exchange_rate
            else shop_order.exchange_rate / target_rate.target_exchange_rate
        end as factor,
        concat(
            case when shop_order.is_test then 'tests:theirs ' else '' end,
            case when shop_order.is_cancelled then 'cancelled:theirs ' else '' end,
            case when duplicate_order.evidence_id is not null then 'duplicates:theirs' else '' end
        ) as sides
    from shop_order
    left join duplicate_order on shop_order.order_id = duplicate_order.evidence_id
    left join target_rate on shop_order.event_date = target_rate.rate_date
),

refund_row as (
    select
        refund.*,
        coalesce(shop_order.ordered_at, refund.refunded_at) as ordered_at,
        case
            when '$currency' in ('', refund.currency_code) then cast(1 as decimal(18, 8))
            when '$currency' = '$reporting' then refund.exchange_rate
            else refund.exchange_rate / target_rate.target_exchange_rate
        end as factor,
        concat(
            case when refund.is_test then 'tests:theirs ' else '' end,
            case when refund.is_order_cancelled then 'cancelled:theirs ' else '' end
        ) as sides
    from star.fct_refund as refund
    left join shop_order on refund.order_key = shop_order.order_key
    left join target_rate on refund.event_date = target_rate.rate_date
),

order_money as (
    select
        currency_code,
        reporting_date,
        local_date(ordered_at, '$zone') as zone_day,
        sides,
        cast(gross_amount * factor as decimal(38, 6)) as total_amount,
        cast(coalesce(tax_amount, 0) * factor as decimal(38, 6)) as tax_amount,
        cast(coalesce(shipping_amount, 0) * factor as decimal(38, 6)) as shipping_amount,
        cast(coalesce(discount_amount, 0) * factor as decimal(38, 6)) as discount_amount
    from order_row
),

order_figure as (
    select
        currency_code,
        reporting_date as day,
        zone_day,
        zone_day as basis_day,
        sides,
        unnest(make_array(
            named_struct('measure', 'orders', 'amount', cast(1 as decimal(38, 6))),
            named_struct(
                'measure', 'gross_sales',
                'amount',
                cast(
                    total_amount - tax_amount - shipping_amount + discount_amount
                    as decimal(38, 6)
                )
            ),
            named_struct('measure', 'discounts', 'amount', discount_amount),
            named_struct('measure', 'shipping', 'amount', shipping_amount),
            named_struct('measure', 'taxes', 'amount', tax_amount),
            named_struct(
                'measure', 'net_sales',
                'amount', cast(total_amount - tax_amount - shipping_amount as decimal(38, 6))
            ),
            named_struct('measure', 'total_sales', 'amount', total_amount)
        )) as figure
    from order_money
),

refund_money as (
    select
        currency_code,
        reporting_date as day,
        local_date(refunded_at, '$zone') as zone_day,
        local_date(ordered_at, '$zone') as basis_day,
        sides,
        cast(refund_amount * factor as decimal(38, 6)) as refund_amount
    from refund_row
),

refund_figure as (
    select
        currency_code,
        day,
        zone_day,
        basis_day,
        sides,
        unnest(make_array(
            named_struct('measure', 'refunds', 'amount', refund_amount),
            named_struct(
                'measure', 'net_sales', 'amount', cast(-refund_amount as decimal(38, 6))
            ),
            named_struct(
                'measure', 'total_sales', 'amount', cast(-refund_amount as decimal(38, 6))
            )
        )) as figure
    from refund_money
),

figure_row as (
    select * from order_figure
    union all
    select * from refund_figure
)

select
    figure['measure'] as measure,
    cast(null as text) as platform,
    cast(null as text) as account,
    cast(null as text) as campaign,
    cast(null as text) as channel,
    cast(null as text) as source,
    cast(null as text) as medium,
    currency_code as currency,
    day,
    zone_day,
    basis_day,
    cast(null as bigint) as known_from,
    cast(null as bigint) as known_to,
    sides,
    figure['amount'] as amount
from figure_row
