-- grain: one row per refund, attribution model and credited touch of its sale
{{ config(materialized='table', sort=['refund_date', 'model', 'channel_key']) }}

-- A refund takes back from each touch what the sale gave it, as money of the refund's own day.
with refund as (
    select refund_key, conversion_id, reporting_date, refund_amount, refund_reporting_amount
    from {{ ref('fct_refund') }}
    where is_of_conversion
),

credit as (
    select * from {{ ref('fct_attribution_credit') }}
),

shared as (
    select
        refund.refund_key,
        refund.conversion_id,
        credit.model,
        credit.touch_id,
        refund.reporting_date as refund_date,
        credit.conversion_date,
        credit.touch_date,
        credit.channel_key,
        credit.campaign_key,
        credit.credit,
        credit.touch_position,
        refund.refund_reporting_amount,
        cast(refund.refund_reporting_amount * credit.credit as decimal(18, 6))
            as share_reporting_amount,
        refund.refund_amount <> 0 and refund.refund_reporting_amount is null as is_partial
    from refund
    inner join credit on refund.conversion_id = credit.conversion_id
),

-- What rounding leaves goes to the largest share, so that the sum is the refund's money.
balanced as (
    select
        *,
        refund_reporting_amount - sum(share_reporting_amount) over (
            partition by refund_key, model
        ) as rest_reporting_amount,
        row_number() over (
            partition by refund_key, model order by credit desc, touch_position, touch_id
        ) as place
    from shared
),

final as (
    select
        refund_key,
        conversion_id,
        model,
        touch_id,
        refund_date,
        conversion_date,
        touch_date,
        channel_key,
        campaign_key,
        cast(
            share_reporting_amount + case when place = 1 then rest_reporting_amount else 0 end
            as decimal(18, 6)
        ) as refund_reporting_amount,
        is_partial
    from balanced
)

select * from final
