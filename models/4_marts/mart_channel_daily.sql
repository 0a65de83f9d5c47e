-- grain: one row per reporting day and channel
{{ config(materialized='table', sort=['date', 'channel_key']) }}

{%- set models = ['first', 'last', 'last_non_direct', 'linear', 'position', 'time_decay'] %}

-- Each part is summed by itself and then put side by side, so that nothing is counted twice.
-- Spend keeps the day of the ad account, all else has the day of the project's zone.
with session as (
    select
        reporting_date as date,
        channel_key,
        count(*) as session_count,
        count(distinct anonymous_node_id) as visitor_count,
        sum(case when is_engaged then 1 else 0 end) as engaged_session_count,
        sum(page_view_count) as page_view_count,
        sum(engagement_msec) as engagement_msec
    from {{ ref('int_session_campaign') }}
    where not is_bot
    group by reporting_date, channel_key
),

spend as (
    select
        report_date as date,
        channel_key,
        sum(spend_reporting_amount) as spend_reporting_amount,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
        sum(case when is_partial then 1 else 0 end) as unconverted_rows
    from {{ ref('fct_ad_performance_current') }}
    where is_spend_of_record
    group by report_date, channel_key
),

credit as (
    select
        conversion_date as date,
        channel_key
        {%- for model in models %},
        sum(case when model = '{{ model }}' and is_sale then credit else 0 end)
            as {{ model }}_sales,
        sum(case when model = '{{ model }}' then new_customer_credit else 0 end)
            as {{ model }}_new_customers,
        sum(case when model = '{{ model }}' and is_sale then credited_reporting_amount end)
            as {{ model }}_revenue
        {%- endfor %},
        sum(case
            when model = '{{ project.attribution.default_model }}' then unconverted_rows else 0
        end) as unconverted_rows,
        bool_or(is_partial) as is_partial
    from {{ ref('fct_channel_credit_daily') }}
    group by conversion_date, channel_key
),

-- A refund takes back from the channels what their sale was credited with, on its own day.
refund as (
    select
        refund.reporting_date as date,
        credit.channel_key,
        sum(refund.refund_reporting_amount * credit.credit) as refund_reporting_amount,
        count(distinct case
            when refund.refund_reporting_amount is null and refund.refund_amount <> 0
                then refund.refund_key
        end) as unconverted_rows
    from {{ ref('fct_refund') }} as refund
    inner join {{ ref('fct_attribution_credit') }} as credit
        on refund.conversion_id = credit.conversion_id
    where credit.model = '{{ project.attribution.default_model }}' and refund.is_of_conversion
    group by refund.reporting_date, credit.channel_key
),

day_channel as (
    select date, channel_key
    from (
        select date, channel_key from session
        union all
        select date, channel_key from spend
        union all
        select date, channel_key from credit
        union all
        select date, channel_key from refund
    )
    group by date, channel_key
),

channel as (
    select channel_key, channel, channel_group, sort_order from {{ ref('dim_channel') }}
),

joined as (
    select
        day_channel.date,
        day_channel.channel_key,
        channel.channel,
        channel.channel_group,
        coalesce(session.session_count, 0) as session_count,
        coalesce(session.visitor_count, 0) as visitor_count,
        cast(coalesce(session.engaged_session_count, 0) as bigint) as engaged_session_count,
        cast(coalesce(session.page_view_count, 0) as bigint) as page_view_count,
        cast(coalesce(session.engagement_msec, 0) as bigint) as engagement_msec,
        cast(coalesce(spend.impressions, 0) as bigint) as impressions,
        cast(coalesce(spend.clicks, 0) as bigint) as clicks,
        cast(coalesce(spend.spend_reporting_amount, 0) as decimal(18, 6)) as spend_reporting_amount,
        {%- for model in models %}
        cast(coalesce(credit.{{ model }}_sales, 0) as decimal(28, 12)) as {{ model }}_sales,
        cast(coalesce(credit.{{ model }}_new_customers, 0) as decimal(28, 12))
            as {{ model }}_new_customers,
        cast(coalesce(credit.{{ model }}_revenue, 0) as decimal(18, 6))
            as {{ model }}_revenue_reporting_amount,
        {%- endfor %}
        cast(coalesce(refund.refund_reporting_amount, 0) as decimal(18, 6))
            as refund_reporting_amount,
        cast(
            coalesce(spend.unconverted_rows, 0) + coalesce(credit.unconverted_rows, 0)
            + coalesce(refund.unconverted_rows, 0) as bigint
        ) as unconverted_rows,
        coalesce(spend.unconverted_rows, 0) > 0 or coalesce(credit.is_partial, false)
        or coalesce(refund.unconverted_rows, 0) > 0 as is_partial
    from day_channel
    left join session
        on day_channel.date = session.date and day_channel.channel_key = session.channel_key
    left join spend
        on day_channel.date = spend.date and day_channel.channel_key = spend.channel_key
    left join credit
        on day_channel.date = credit.date and day_channel.channel_key = credit.channel_key
    left join refund
        on day_channel.date = refund.date and day_channel.channel_key = refund.channel_key
    inner join channel on day_channel.channel_key = channel.channel_key
),

final as (
    select
        joined.*,
        cast(
            {{ project.attribution.default_model }}_revenue_reporting_amount
            {%- if project.revenue.subtract_refunds %} - refund_reporting_amount{% endif %}
            as decimal(18, 6)
        ) as net_revenue_reporting_amount,
        {{ ratio('engaged_session_count', 'session_count') }} as engagement_rate,
        {{ ratio(project.attribution.default_model ~ '_sales', 'session_count') }}
            as conversion_rate,
        {{ ratio('clicks', 'impressions') }} as click_rate,
        {{ ratio('spend_reporting_amount', 'clicks') }} as cost_per_click
        {%- for model in models %},
        {{ ratio(model ~ '_revenue_reporting_amount', 'spend_reporting_amount') }}
            as {{ model }}_roas,
        {{ cost_ratio('spend_reporting_amount', model ~ '_sales') }} as {{ model }}_cpa,
        {{ cost_ratio('spend_reporting_amount', model ~ '_new_customers') }} as {{ model }}_cac
        {%- endfor %}
    from joined
)

select * from final
