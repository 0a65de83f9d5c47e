-- Silver of everything but web events: a few thousand rows, made anew from the raw rows whenever
-- new files came. Rows that break a rule go to `quarantine_small`.

create or replace table shop_order as
select * exclude (line_items, refunds, taxes_included)
from shopify_orders
where order_id is not null and ordered_at is not null and gross_amount is not null
qualify row_number() over (partition by order_id order by effective_at desc nulls last) = 1;

create or replace table order_line as
with version as (
    select order_id, ordered_at, effective_at, currency_code, unnest(line_items) as line
    from shopify_orders
    where order_id is not null and ordered_at is not null
)

select
    order_id,
    line.id as line_id,
    ordered_at,
    line.product_id,
    nullif(line.sku, '') as sku,
    line.title as product_name,
    line.quantity::double as quantity,
    money(line.price) as unit_price_amount,
    coalesce(
        list_sum(list_transform(line.discount_allocations, lambda share: money(share.amount))),
        money(line.total_discount)
    )::decimal(18, 6) as discount_amount,
    (line.quantity::decimal(26, 3) * money(line.price))::decimal(18, 6)
    - coalesce(discount_amount, 0) as revenue_amount,
    currency_code
from version
where line.id is not null
qualify row_number() over (
    partition by order_id, line.id order by effective_at desc nulls last
) = 1;

create or replace table refund as
with version as (
    select order_id, effective_at, currency_code, taxes_included, unnest(refunds) as given
    from shopify_orders
)

select
    given.id as refund_id,
    order_id,
    instant(coalesce(given.created_at, given.processed_at)) as refunded_at,
    case
        when len(given.transactions) > 0
            then coalesce(list_sum(list_transform(list_filter(
                given.transactions,
                lambda paid: paid.kind = 'refund' and coalesce(paid.status, 'success') = 'success'
            ), lambda paid: money(paid.amount))), 0)
        else coalesce(list_sum(list_transform(
            given.refund_line_items,
            lambda line: money(line.subtotal)
                + case when taxes_included then 0 else coalesce(money(line.total_tax), 0) end
        )), 0)
    end::decimal(18, 6) as refund_amount,
    currency_code
from version
where given.id is not null and refunded_at is not null
qualify row_number() over (partition by given.id order by effective_at desc nulls last) = 1;

create or replace table contact as
select
    id as contact_id,
    node(2, id) as contact_node,
    property_createdate::timestamp as created_at,
    _fivetran_synced::timestamp as effective_at,
    email_hash(property_email) as email_hash,
    phone_hash(property_phone) as phone_hash,
    property_site_user_id as user_id,
    regexp_replace(property_ga_client_id, '^GA[0-9]+[.][0-9]+[.]', '') as client_id,
    property_hubspotutk as tracking_cookie,
    property_gclid as gclid,
    regexp_replace(property_associatedcompanyid, '[.]0+$', '') as account_id,
    property_lifecyclestage as lifecycle_stage,
    property_hs_analytics_source as lead_source,
    property_country as country,
    coalesce(truth(_fivetran_deleted), false) as is_deleted
from hubspot__contact
where id is not null
qualify row_number() over (partition by id, effective_at) = 1;

create or replace table account as
select
    id as account_id,
    property_name as account_name,
    lower(property_domain) as domain,
    property_industry as industry,
    try_cast(property_numberofemployees as bigint) as employee_count,
    money(property_annualrevenue) as annual_revenue_amount,
    property_country as country,
    property_city as city,
    _fivetran_synced::timestamp as effective_at
from hubspot__company
where id is not null
qualify row_number() over (partition by id, effective_at) = 1;

create or replace table deal as
select
    deal_id,
    deal_pipeline_stage_id as stage,
    truth(property_hs_is_closed_won) as is_won,
    money(property_amount) as amount,
    upper(property_deal_currency_code) as currency_code,
    property_createdate::timestamp as created_at,
    case
        when truth(property_hs_is_closed_won) or truth(property_hs_is_closed)
            then property_closedate::timestamp
    end as closed_at,
    order_reference(regexp_replace(property_order_number, '[.]0+$', '')) as order_reference,
    _fivetran_synced::timestamp as effective_at,
    coalesce(truth(is_deleted), false) as is_deleted
from hubspot__deal
where deal_id is not null
qualify row_number() over (partition by deal_id, effective_at) = 1;

create or replace table deal_stage as
select deal_id, value as stage, coalesce(date_entered, _fivetran_start)::timestamp as entered_at
from hubspot__deal_stage
where deal_id is not null and value is not null and entered_at is not null
group by all;

create or replace table deal_contact as
select deal_id, contact_id, node(2, contact_id) as contact_node
from hubspot__deal_contact
group by all;

create or replace table contact_merge as
select coalesce(canonical_vid, contact_id) as a_id, vid_to_merge as b_id,
    min(timestamp::timestamp) as linked_at
from hubspot__contact_merge_audit
group by all

union

select
    id,
    trim(split_part(unnest(string_split(property_hs_merged_object_ids, ';')), ':', 1)) as b_id,
    cast(null as timestamp) as linked_at
from hubspot__contact
where property_hs_merged_object_ids is not null;

create or replace table exchange_rate as
with both_ways as (
    select rate_date, 'EUR' as from_currency, currency_code as to_currency, rate
    from exchange_rates__reference_rates
    where rate > 0
    union all
    select rate_date, currency_code, 'EUR', (1 / rate::double)::decimal(18, 8)
    from exchange_rates__reference_rates
    where rate > 0
),

stated as (
    select rate_date, from_currency, rate from both_ways
    where from_currency = 'EUR' and to_currency = 'USD'
    union all
    select a.rate_date, a.from_currency, (a.rate::decimal(26, 8) * b.rate)::decimal(18, 8)
    from both_ways as a
    inner join both_ways as b using (rate_date)
    where
        a.to_currency = 'EUR' and a.from_currency <> 'USD'
        and b.from_currency = 'EUR' and b.to_currency = 'USD'
),

held as (
    select
        *,
        least(
            coalesce(
                lead(rate_date) over (partition by from_currency order by rate_date) - 1,
                rate_date + 10
            ),
            rate_date + 10
        ) as last_date
    from stated
)

select
    unnest(generate_series(rate_date, last_date, interval '1 day'))::date as rate_date,
    from_currency as currency_code,
    rate as exchange_rate
from held;
insert into exchange_rate
select range::date, 'USD', 1 from range(date '2020-01-01', date '2031-01-01', interval '1 day');
