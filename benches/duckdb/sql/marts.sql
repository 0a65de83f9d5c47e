-- Ready answers, made anew from the star.

create or replace table refund_fact as
select
    refund.refund_id,
    refund.refunded_at::date as event_date,
    sale_record.conversion_id,
    refund.refund_amount,
    reporting(refund.refund_amount, rate.exchange_rate) as refund_reporting_amount
from refund
left join sale_record
    on sale_record.record_type = 'order' and sale_record.is_valid
        and refund.order_id = sale_record.order_id
left join exchange_rate as rate
    on refund.currency_code = rate.currency_code and refund.refunded_at::date = rate.rate_date;

create or replace table channel_credit as
select
    conversion_date, touch_at::date as touch_date, conversion_type, model, channel, is_sale,
    sum(credit) as credit,
    coalesce(sum(credit) filter (is_new_customer), 0) as new_customer_credit,
    sum(credited_reporting_amount) as credited_reporting_amount
from credit
group by all;

create or replace table campaign_channel as
with visited as (
    select campaign_id, channel
    from fct_session
    where campaign_id not in ('(none)', '(unknown)') and not is_bot
    group by campaign_id, channel
    qualify row_number() over (partition by campaign_id order by count(*) desc, channel) = 1
)

select
    campaign.campaign_id,
    coalesce(visited.channel, case
        when lower(campaign_type) like '%performance_max%' then 'Cross-network'
        when lower(campaign_type) like '%shopping%' then 'Paid Shopping'
        when lower(campaign_type) like '%video%' then 'Paid Video'
        when lower(campaign_type) like '%display%' then 'Display'
        when platform = 'google_ads' then 'Paid Search'
        else 'Paid Social'
    end) as channel
from campaign
left join visited on campaign.campaign_id = visited.campaign_id;

create or replace table spend as
select
    report_date as date,
    campaign_id,
    channel,
    sum(spend_reporting_amount) as spend_reporting_amount,
    sum(impressions) as impressions,
    sum(clicks) as clicks
from ad_performance
left join campaign_channel using (campaign_id)
where is_spend_of_record
group by all;

create or replace table mart_channel_daily as
with session as (
    select
        event_date as date, channel, count(*) as session_count,
        count(distinct anonymous_node) as visitor_count,
        count(*) filter (is_engaged) as engaged_session_count,
        sum(page_view_count) as page_view_count,
        sum(engagement_msec) as engagement_msec
    from session
    where not is_bot
    group by all
),

paid as (
    select date, channel, sum(spend_reporting_amount) as spend_reporting_amount,
        sum(impressions) as impressions, sum(clicks) as clicks
    from spend
    group by all
),

credited as (
    select
        conversion_date as date,
        channel,
        sum(credit) filter (model = 'first' and is_sale) as first_sales,
        sum(new_customer_credit) filter (model = 'first') as first_new_customers,
        sum(credited_reporting_amount) filter (model = 'first' and is_sale) as first_revenue,
        sum(credit) filter (model = 'last' and is_sale) as last_sales,
        sum(new_customer_credit) filter (model = 'last') as last_new_customers,
        sum(credited_reporting_amount) filter (model = 'last' and is_sale) as last_revenue,
        sum(credit) filter (model = 'last_non_direct' and is_sale) as last_non_direct_sales,
        sum(new_customer_credit)
            filter (model = 'last_non_direct') as last_non_direct_new_customers,
        sum(credited_reporting_amount)
            filter (model = 'last_non_direct' and is_sale) as last_non_direct_revenue,
        sum(credit) filter (model = 'linear' and is_sale) as linear_sales,
        sum(new_customer_credit) filter (model = 'linear') as linear_new_customers,
        sum(credited_reporting_amount) filter (model = 'linear' and is_sale) as linear_revenue,
        sum(credit) filter (model = 'position' and is_sale) as position_sales,
        sum(new_customer_credit) filter (model = 'position') as position_new_customers,
        sum(credited_reporting_amount) filter (model = 'position' and is_sale) as position_revenue,
        sum(credit) filter (model = 'time_decay' and is_sale) as time_decay_sales,
        sum(new_customer_credit) filter (model = 'time_decay') as time_decay_new_customers,
        sum(credited_reporting_amount)
            filter (model = 'time_decay' and is_sale) as time_decay_revenue
    from channel_credit
    group by all
),

taken_back as (
    select
        refund.event_date as date, credit.channel,
        sum(refund_reporting_amount::decimal(20, 6) * credit::decimal(18, 0)) / 1e12
            as refund_reporting_amount
    from refund_fact as refund
    inner join credit on refund.conversion_id = credit.conversion_id
    where credit.model = 'position'
    group by all
)

select
    date,
    channel,
    channel.channel_group,
    coalesce(session_count, 0) as session_count,
    coalesce(visitor_count, 0) as visitor_count,
    coalesce(engaged_session_count, 0) as engaged_session_count,
    coalesce(page_view_count, 0) as page_view_count,
    coalesce(engagement_msec, 0) as engagement_msec,
    coalesce(impressions, 0) as impressions,
    coalesce(clicks, 0) as clicks,
    coalesce(spend_reporting_amount, 0) as spend_reporting_amount,
    coalesce(first_sales, 0) / 1e12 as first_sales,
    coalesce(first_new_customers, 0) / 1e12 as first_new_customers,
    coalesce(first_revenue, 0) as first_revenue,
    ratio(first_revenue, spend_reporting_amount) as first_roas,
    ratio(spend_reporting_amount, first_new_customers / 1e12) as first_cac,
    coalesce(last_sales, 0) / 1e12 as last_sales,
    coalesce(last_new_customers, 0) / 1e12 as last_new_customers,
    coalesce(last_revenue, 0) as last_revenue,
    ratio(last_revenue, spend_reporting_amount) as last_roas,
    ratio(spend_reporting_amount, last_new_customers / 1e12) as last_cac,
    coalesce(last_non_direct_sales, 0) / 1e12 as last_non_direct_sales,
    coalesce(last_non_direct_new_customers, 0) / 1e12 as last_non_direct_new_customers,
    coalesce(last_non_direct_revenue, 0) as last_non_direct_revenue,
    ratio(last_non_direct_revenue, spend_reporting_amount) as last_non_direct_roas,
    ratio(spend_reporting_amount, last_non_direct_new_customers / 1e12) as last_non_direct_cac,
    coalesce(linear_sales, 0) / 1e12 as linear_sales,
    coalesce(linear_new_customers, 0) / 1e12 as linear_new_customers,
    coalesce(linear_revenue, 0) as linear_revenue,
    ratio(linear_revenue, spend_reporting_amount) as linear_roas,
    ratio(spend_reporting_amount, linear_new_customers / 1e12) as linear_cac,
    coalesce(position_sales, 0) / 1e12 as position_sales,
    coalesce(position_new_customers, 0) / 1e12 as position_new_customers,
    coalesce(position_revenue, 0) as position_revenue,
    ratio(position_revenue, spend_reporting_amount) as position_roas,
    ratio(spend_reporting_amount, position_new_customers / 1e12) as position_cac,
    coalesce(time_decay_sales, 0) / 1e12 as time_decay_sales,
    coalesce(time_decay_new_customers, 0) / 1e12 as time_decay_new_customers,
    coalesce(time_decay_revenue, 0) as time_decay_revenue,
    ratio(time_decay_revenue, spend_reporting_amount) as time_decay_roas,
    ratio(spend_reporting_amount, time_decay_new_customers / 1e12) as time_decay_cac,
    coalesce(refund_reporting_amount, 0) as refund_reporting_amount,
    ratio(engaged_session_count, session_count) as engagement_rate,
    ratio(clicks, impressions) as click_rate,
    ratio(spend_reporting_amount, clicks) as cost_per_click
from session
full join paid using (date, channel)
full join credited using (date, channel)
full join taken_back using (date, channel)
left join channel using (channel);

create or replace table mart_campaign_daily as
with session as (
    select
        event_date as date, campaign_id, count(*) as session_count,
        count(*) filter (is_engaged) as engaged_session_count
    from fct_session
    where not is_bot
    group by all
),

paid as (
    select date, campaign_id, sum(spend_reporting_amount) as spend_reporting_amount,
        sum(impressions) as impressions, sum(clicks) as clicks
    from spend
    group by all
),

credited as (
    select
        conversion_date as date,
        campaign_id,
        sum(credit) filter (model = 'first' and is_sale) as first_sales,
        sum(credit) filter (model = 'first' and is_new_customer) as first_new_customers,
        sum(credited_reporting_amount) filter (model = 'first' and is_sale) as first_revenue,
        sum(credit) filter (model = 'last' and is_sale) as last_sales,
        sum(credit) filter (model = 'last' and is_new_customer) as last_new_customers,
        sum(credited_reporting_amount) filter (model = 'last' and is_sale) as last_revenue,
        sum(credit) filter (model = 'last_non_direct' and is_sale) as last_non_direct_sales,
        sum(credit)
            filter (model = 'last_non_direct' and is_new_customer) as last_non_direct_new_customers,
        sum(credited_reporting_amount)
            filter (model = 'last_non_direct' and is_sale) as last_non_direct_revenue,
        sum(credit) filter (model = 'linear' and is_sale) as linear_sales,
        sum(credit) filter (model = 'linear' and is_new_customer) as linear_new_customers,
        sum(credited_reporting_amount) filter (model = 'linear' and is_sale) as linear_revenue,
        sum(credit) filter (model = 'position' and is_sale) as position_sales,
        sum(credit) filter (model = 'position' and is_new_customer) as position_new_customers,
        sum(credited_reporting_amount) filter (model = 'position' and is_sale) as position_revenue,
        sum(credit) filter (model = 'time_decay' and is_sale) as time_decay_sales,
        sum(credit) filter (model = 'time_decay' and is_new_customer) as time_decay_new_customers,
        sum(credited_reporting_amount)
            filter (model = 'time_decay' and is_sale) as time_decay_revenue
    from credit
    group by all
)

select
    date,
    campaign_id,
    campaign.platform,
    campaign.account_name,
    campaign.campaign_name,
    campaign.campaign_type,
    campaign_channel.channel,
    coalesce(session_count, 0) as session_count,
    coalesce(engaged_session_count, 0) as engaged_session_count,
    coalesce(impressions, 0) as impressions,
    coalesce(clicks, 0) as clicks,
    coalesce(spend_reporting_amount, 0) as spend_reporting_amount,
    coalesce(first_sales, 0) / 1e12 as first_sales,
    coalesce(first_new_customers, 0) / 1e12 as first_new_customers,
    coalesce(first_revenue, 0) as first_revenue,
    ratio(first_revenue, spend_reporting_amount) as first_roas,
    ratio(spend_reporting_amount, first_new_customers / 1e12) as first_cac,
    coalesce(last_sales, 0) / 1e12 as last_sales,
    coalesce(last_new_customers, 0) / 1e12 as last_new_customers,
    coalesce(last_revenue, 0) as last_revenue,
    ratio(last_revenue, spend_reporting_amount) as last_roas,
    ratio(spend_reporting_amount, last_new_customers / 1e12) as last_cac,
    coalesce(last_non_direct_sales, 0) / 1e12 as last_non_direct_sales,
    coalesce(last_non_direct_new_customers, 0) / 1e12 as last_non_direct_new_customers,
    coalesce(last_non_direct_revenue, 0) as last_non_direct_revenue,
    ratio(last_non_direct_revenue, spend_reporting_amount) as last_non_direct_roas,
    ratio(spend_reporting_amount, last_non_direct_new_customers / 1e12) as last_non_direct_cac,
    coalesce(linear_sales, 0) / 1e12 as linear_sales,
    coalesce(linear_new_customers, 0) / 1e12 as linear_new_customers,
    coalesce(linear_revenue, 0) as linear_revenue,
    ratio(linear_revenue, spend_reporting_amount) as linear_roas,
    ratio(spend_reporting_amount, linear_new_customers / 1e12) as linear_cac,
    coalesce(position_sales, 0) / 1e12 as position_sales,
    coalesce(position_new_customers, 0) / 1e12 as position_new_customers,
    coalesce(position_revenue, 0) as position_revenue,
    ratio(position_revenue, spend_reporting_amount) as position_roas,
    ratio(spend_reporting_amount, position_new_customers / 1e12) as position_cac,
    coalesce(time_decay_sales, 0) / 1e12 as time_decay_sales,
    coalesce(time_decay_new_customers, 0) / 1e12 as time_decay_new_customers,
    coalesce(time_decay_revenue, 0) as time_decay_revenue,
    ratio(time_decay_revenue, spend_reporting_amount) as time_decay_roas,
    ratio(spend_reporting_amount, time_decay_new_customers / 1e12) as time_decay_cac,
    ratio(clicks, impressions) as click_rate,
    ratio(spend_reporting_amount, clicks) as cost_per_click
from session
full join paid using (date, campaign_id)
full join credited using (date, campaign_id)
left join campaign using (campaign_id)
left join campaign_channel using (campaign_id);

create or replace table mart_attribution_compare as
select
    conversion_date as date, conversion_type, channel, model,
    sum(credit) / 1e12 as credited_conversions,
    sum(new_customer_credit) / 1e12 as credited_new_customers,
    coalesce(sum(credited_reporting_amount), 0) as revenue_reporting_amount
from channel_credit
group by all;

create or replace table mart_funnel as
with step as (
    select
        event_date as date, channel, count(*) as visited,
        count(*) filter (has_view_item) as viewed,
        count(*) filter (has_add_to_cart) as added,
        count(*) filter (has_begin_checkout) as checked_out,
        count(*) filter (has_purchase) as purchased
    from session
    where not is_bot
    group by all
)

select
    date,
    channel,
    unnest([
        {'step': 'session', 'session_count': visited, 'before': visited},
        {'step': 'view_item', 'session_count': viewed, 'before': visited},
        {'step': 'add_to_cart', 'session_count': added, 'before': viewed},
        {'step': 'begin_checkout', 'session_count': checked_out, 'before': added},
        {'step': 'purchase', 'session_count': purchased, 'before': checked_out}
    ], recursive := true)
from step;
alter table mart_funnel add column step_rate double;
update mart_funnel set step_rate = ratio(session_count, before);

create or replace table mart_retention_weekly as
with active_week as (
    select distinct customer, date_trunc('week', touch_at)::date as week from touch
),

sale as (
    select customer, date_trunc('week', event_date)::date as week,
        sum(revenue_reporting_amount) as revenue, count(*) as order_count
    from conversion
    where is_sale and customer <> 0
    group by all
),

first_week as (
    select customer, min(week) as cohort_week from active_week group by customer
),

presence as (
    select customer, week, revenue, order_count, sale.customer is not null as is_buyer
    from active_week
    full join sale using (customer, week)
),

cohort as (
    select cohort_week, count(*) as cohort_customer_count from first_week group by all
)

select
    cohort_week,
    week,
    (week - cohort_week) // 7 as week_number,
    any_value(cohort_customer_count) as cohort_customer_count,
    count(*) as active_customer_count,
    count(*) filter (is_buyer) as buying_customer_count,
    coalesce(sum(order_count), 0) as order_count,
    coalesce(sum(revenue), 0) as revenue_reporting_amount,
    ratio(count(*), any_value(cohort_customer_count)) as retention_rate
from presence
inner join first_week using (customer)
inner join cohort using (cohort_week)
where week >= cohort_week
group by all
;

create or replace table mart_top_paths as
with path as (
    select
        conversion_type,
        channel_path,
        max(step_count) as step_count,
        count(*) as conversion_count,
        count(*) filter (is_new_customer) as new_customer_count,
        sum(touch_count) as touch_count,
        coalesce(sum(revenue_reporting_amount), 0) as revenue_reporting_amount,
        min(event_date) as first_date,
        max(event_date) as last_date
    from conversion_path
    group by all
)

select
    *,
    row_number() over (
        partition by conversion_type
        order by conversion_count desc, revenue_reporting_amount desc, channel_path
    ) as rank,
    ratio(conversion_count, sum(conversion_count) over (partition by conversion_type))
        as conversion_share
from path;

create or replace table mart_product_by_channel as
with line as (
    select
        sale_record.conversion_id, event_date as date, product_id,
        sum(quantity) as quantity, sum(revenue_reporting_amount) as revenue_reporting_amount
    from order_line_fact
    inner join sale_record
        on
            order_line_fact.order_id = sale_record.order_id
            and sale_record.record_type = 'order'
            and sale_record.is_valid
    group by all
),

share as (
    select conversion_id, model, channel, sum(credit) as credit
    from credit
    where is_sale
    group by all
)

select
    line.date,
    line.product_id,
    any_value(product.product_name) as product_name,
    any_value(product.category) as category,
    share.channel,
    share.model,
    sum(line.quantity::decimal(20, 3) * share.credit::decimal(18, 0)) / 1e12 as quantity,
    sum(share.credit) / 1e12 as credited_orders,
    sum(line.revenue_reporting_amount::decimal(20, 6) * share.credit::decimal(18, 0)) / 1e12
        as revenue_reporting_amount
from line
inner join share on line.conversion_id = share.conversion_id
left join product on line.product_id = product.product_id
group by line.date, line.product_id, share.channel, share.model;

create or replace table mart_customer_360 as
with known as (
    select
        customer,
        count(*) as identifier_count,
        count(*) filter (node >> 60 = 8) as device_count,
        case
            when bool_or(node >> 60 in (4, 7)) then 'customer'
            when bool_or(node >> 60 = 2) then 'contact'
            else 'known'
        end as customer_type
    from bridge
    where customer >> 60 < 8
    group by customer
),

visit as (
    select
        bridge.customer,
        count(*) as session_count,
        count(*) filter (is_engaged) as engaged_session_count,
        sum(page_view_count) as page_view_count,
        min(session_started_at) as first_session_at,
        max(session_started_at) as last_session_at,
        arg_min({'channel': channel, 'campaign_id': campaign_id},
            {'at': session_started_at, 'key': session_key}) as acquired
    from fct_session
    inner join bridge on fct_session.identity_node = bridge.node
    where not is_bot and bridge.customer >> 60 < 8
    group by bridge.customer
),

bought as (
    select
        customer,
        count(*) filter (is_sale) as order_count,
        count(*) filter (not is_sale) as lead_count,
        sum(revenue_reporting_amount) filter (is_sale) as revenue_reporting_amount,
        min(conversion_at) filter (is_sale) as first_order_at,
        max(conversion_at) filter (is_sale) as last_order_at
    from conversion
    where customer <> 0
    group by customer
),

taken_back as (
    select customer, sum(refund_reporting_amount) as refund_reporting_amount
    from refund_fact
    inner join conversion using (conversion_id)
    group by customer
),

-- The latest word of any of the customer's contacts.
person as (
    select
        bridge.customer,
        arg_max(lifecycle_stage, {'at': effective_at, 'said': lifecycle_stage}) as lifecycle_stage,
        arg_max(lead_source, {'at': effective_at, 'said': lead_source}) as lead_source,
        arg_max(country, {'at': effective_at, 'said': country}) as country
    from contact
    inner join bridge on contact.contact_node = bridge.node
    group by bridge.customer
)

select
    known.*,
    person.lifecycle_stage,
    person.lead_source,
    person.country,
    coalesce(acquired.channel, '(no visit)') as acquisition_channel,
    acquired.campaign_id as acquisition_campaign_id,
    coalesce(session_count, 0) as session_count,
    coalesce(engaged_session_count, 0) as engaged_session_count,
    coalesce(page_view_count, 0) as page_view_count,
    coalesce(lead_count, 0) as lead_count,
    coalesce(order_count, 0) as order_count,
    coalesce(revenue_reporting_amount, 0) as revenue_reporting_amount,
    coalesce(refund_reporting_amount, 0) as refund_reporting_amount,
    first_session_at,
    last_session_at,
    first_order_at,
    last_order_at,
    ratio(revenue_reporting_amount, order_count) as average_order_value
from known
left join visit using (customer)
left join bought using (customer)
left join taken_back using (customer)
left join person using (customer)
