-- Sales of record against what the website's tracker saw of them. The tracker has neither sales
-- that only a CRM or a till records nor those of visitors whom it may not measure; it has each
-- purchase as often as it was sent, and those that were cancelled or tried out later.
with $session,

sale as (
    select
        conversion_id,
        conversion_at,
        reporting_date,
        session_id,
        source_of_record,
        gross_amount,
        currency_code,
        exchange_rate,
        event_date
    from star.fct_conversion
    where is_sale
),

target_rate as (
    select rate_date, exchange_rate as target_exchange_rate from star.int_exchange_rate_day
    where currency_code = '$currency'
),

rate as (
    select rate_date, currency_code as rate_currency_code, exchange_rate
    from star.int_exchange_rate_day
),

-- The last word on a record that counts nowhere, by the sale's reference: why it does not.
order_of_sale as (
    select
        evidence.conversion_id,
        bool_or(fct_order.is_test) as is_test,
        bool_or(fct_order.is_cancelled) as is_cancelled
    from star.fct_conversion_evidence as evidence
    inner join star.fct_order on evidence.evidence_id = fct_order.order_id
    where evidence.evidence_type = 'order'
    group by evidence.conversion_id
),

seen as (
    select
        evidence.conversion_id,
        evidence.evidence_id,
        evidence.evidence_at,
        evidence.gross_amount,
        evidence.currency_code,
        event.session_id,
        coalesce(event.consent_analytics, '') = 'denied' as is_denied,
        row_number() over (
            partition by evidence.conversion_id
            order by evidence.evidence_at, evidence.evidence_id
        ) as place
    from star.fct_conversion_evidence as evidence
    left join (
        select event_id, session_id, consent_analytics from star.fct_journey_event
        where event_group = 'web'
    ) as event on evidence.evidence_id = cast(event.event_id as text)
    where evidence.evidence_type = 'web'
),

sale_row as (
    select
        coalesce(sale.session_id, seen.session_id) as session_id,
        sale.reporting_date as day,
        coalesce(seen.evidence_at, sale.conversion_at) as instant,
        sale.gross_amount,
        sale.currency_code,
        case
            when seen.conversion_id is null and sale.source_of_record in ('order', 'web')
                then 'consent:ours'
            when seen.conversion_id is null then 'systems:ours'
            when seen.is_denied then 'consent:ours'
            else ''
        end as sides
    from sale
    left join seen on sale.conversion_id = seen.conversion_id and seen.place = 1
),

-- Sent again, or sent for what is no sale.
more_row as (
    select
        seen.session_id,
        cast(null as date) as day,
        seen.evidence_at as instant,
        seen.gross_amount,
        seen.currency_code,
        concat(
            case when seen.place > 1 then 'duplicates:theirs ' else '' end,
            case when seen.is_denied then 'consent:ours ' else '' end,
            case when sale.conversion_id is not null then ''
                when order_of_sale.is_test then 'tests:theirs'
                else 'cancelled:theirs'
            end
        ) as sides
    from seen
    left join sale on seen.conversion_id = sale.conversion_id
    left join order_of_sale on seen.conversion_id = order_of_sale.conversion_id
    where seen.place > 1 or sale.conversion_id is null
),

bot_row as (
    select
        session_id,
        cast(null as date) as day,
        event_at as instant,
        revenue_amount as gross_amount,
        currency_code,
        'bots:theirs' as sides
    from star.fct_journey_event
    where
        event_group = 'web'
        and is_bot
        and event_type in ('purchase', 'in_app_purchase', 'ecommerce_purchase')
),

purchase as (
    select * from sale_row
    union all
    select * from more_row
    union all
    select * from bot_row
),

with_factor as (
    select
        purchase.*,
        case
            when '$currency' = purchase.currency_code then cast(1 as decimal(18, 8))
            when '$currency' = '$reporting' then rate.exchange_rate
            when purchase.currency_code = '$reporting' then 1 / target_rate.target_exchange_rate
            else rate.exchange_rate / target_rate.target_exchange_rate
        end as factor
    from purchase
    left join rate
        on
            cast(purchase.instant as date) = rate.rate_date
            and purchase.currency_code = rate.rate_currency_code
    left join target_rate on cast(purchase.instant as date) = target_rate.rate_date
),

measured as (
    select
        with_factor.*,
        coalesce(came_by.model, '') as came_by_model,
        came_by.channel,
        came_by.source,
        came_by.medium,
        came_by.campaign,
        unnest(make_array(
            named_struct('measure', 'purchases', 'amount', cast(1 as decimal(38, 6))),
            named_struct(
                'measure', 'revenue',
                'amount', cast(with_factor.gross_amount * with_factor.factor as decimal(38, 6))
            )
        )) as figure
    from with_factor
    left join came_by on with_factor.session_id = came_by.session_id
)

select
    figure['measure'] as measure,
    cast(null as text) as platform,
    cast(null as text) as account,
    campaign,
    channel,
    source,
    medium,
    cast(null as text) as currency,
    coalesce(day, local_date(instant, '$reporting_zone')) as day,
    local_date(instant, '$zone') as zone_day,
    local_date(instant, '$zone') as basis_day,
    cast(null as bigint) as known_from,
    cast(null as bigint) as known_to,
    concat(came_by_model, sides) as sides,
    figure['amount'] as amount
from measured
