-- grain: one row per cohort (month or week of the first sale), attribution model, level, channel
-- that won the customers, and month of their life
{{ config(
    materialized='table',
    sort=['cohort_grain', 'model', 'cohort_start'],
    share=['cohort_of', 'money_cell', 'customer', 'spend_cell', 'cell']
) }}

{%- set default = project.attribution.default_model %}
{%- set amounts = ['revenue', 'refund', 'net_revenue', 'margin'] %}
{%- set margin_rate = var('margin_rate', '') %}
{%- set payback_on = var('payback_on', 'margin' if margin_rate != '' else 'net_revenue') %}
{{- refuse_unknown('payback_on', [payback_on], ['net_revenue', 'margin']) }}

-- What the customers won in a month or week have brought since. Month 0 begins with the cohort, and
-- month k ends k + 1 months after that; it is mature when that day is past, and no ratio is given
-- before. Sales of nobody we know have no cohort: they are one row, so that the sum is all revenue.
with acquisition as (
    select * from {{ ref('int_acquisition') }}
),

as_of as (
    select as_of_date from {{ ref('int_as_of') }}
),

-- Each customer once per kind of cohort.
cohort_of as (
    select
        customer_key, 'month' as cohort_grain,
        cast(date_trunc('month', acquired_date) as date) as cohort_start
    from acquisition
    group by customer_key, acquired_date

    union all

    select
        customer_key, 'week' as cohort_grain,
        {{ week_of('acquired_date') }} as cohort_start
    from acquisition
    group by customer_key, acquired_date
),

dated as (
    select
        money.customer_key,
        cohort_of.cohort_grain,
        cohort_of.cohort_start,
        greatest({{ months_between('cohort_of.cohort_start', 'money.date') }}, 0) as months_since,
        money.order_count,
        money.revenue_reporting_amount,
        money.refund_reporting_amount,
        money.net_revenue_reporting_amount,
        money.margin_reporting_amount,
        money.is_partial
    from {{ ref('int_customer_money') }} as money
    inner join cohort_of on money.customer_key = cohort_of.customer_key
),

customer_month as (
    select
        customer_key,
        cohort_grain,
        cohort_start,
        months_since,
        sum(order_count) as order_count,
        {%- for amount in amounts %}
        cast(sum({{ amount }}_reporting_amount) as decimal(18, 6)) as {{ amount }}_whole,
        {%- endfor %}
        sum(case when margin_reporting_amount is null and not is_partial then 1 else 0 end)
            as uncosted_rows,
        sum(case when is_partial then 1 else 0 end) as unconverted_rows
    from dated
    group by customer_key, cohort_grain, cohort_start, months_since
),

shared as (
    select
        customer_month.*,
        acquisition.model,
        acquisition.channel_key,
        acquisition.share,
        acquisition.place
        {%- for amount in amounts %},
        cast(customer_month.{{ amount }}_whole * acquisition.share as decimal(18, 6))
            as {{ amount }}_share
        {%- endfor %}
    from customer_month
    inner join acquisition on customer_month.customer_key = acquisition.customer_key
),

-- What rounding leaves goes to the channel with the largest share.
balanced as (
    select
        *
        {%- for amount in amounts %},
        {{ amount }}_share + case
            when place = 1
                then {{ amount }}_whole - sum({{ amount }}_share) over (
                    partition by customer_key, cohort_grain, months_since, model
                )
            else 0
        end as {{ amount }}_reporting_amount
        {%- endfor %}
    from shared
),

money_cell as (
    select
        cohort_grain,
        cohort_start,
        model,
        channel_key,
        months_since,
        sum(case when order_count > 0 then share else 0 end) as active_customers,
        sum(order_count * share) as order_count,
        {%- for amount in amounts %}
        sum({{ amount }}_reporting_amount) as {{ amount }}_reporting_amount,
        {%- endfor %}
        -- Each row is counted with its largest share, so that counts may be added too.
        sum(case when place = 1 then uncosted_rows else 0 end) as uncosted_rows,
        sum(case when place = 1 then unconverted_rows else 0 end) as unconverted_rows,
        bool_or(uncosted_rows > 0) as is_uncosted,
        bool_or(unconverted_rows > 0) as is_partial
    from balanced
    group by cohort_grain, cohort_start, model, channel_key, months_since
),

customer as (
    select
        cohort_of.cohort_grain,
        cohort_of.cohort_start,
        acquisition.model,
        acquisition.channel_key,
        sum(acquisition.share) as customers
    from acquisition
    inner join cohort_of on acquisition.customer_key = cohort_of.customer_key
    group by
        cohort_of.cohort_grain, cohort_of.cohort_start, acquisition.model, acquisition.channel_key
),

spend as (
    select
        'month' as cohort_grain, cast(date_trunc('month', date) as date) as cohort_start,
        channel_key, spend_reporting_amount, unconverted_rows
    from {{ ref('int_spend_day') }}
    where is_acquisition

    union all

    select
        'week' as cohort_grain, {{ week_of('date') }} as cohort_start,
        channel_key, spend_reporting_amount, unconverted_rows
    from {{ ref('int_spend_day') }}
    where is_acquisition
),

model as (
    select * from (
        values ('first'){% if default != 'first' %}, ('{{ default }}'){% endif %}
    ) as listed (model)
),

spend_cell as (
    select
        spend.cohort_grain,
        spend.cohort_start,
        model.model,
        spend.channel_key,
        sum(spend.spend_reporting_amount) as acquisition_spend_reporting_amount,
        sum(spend.unconverted_rows) as unconverted_rows
    from spend
    cross join model
    group by spend.cohort_grain, spend.cohort_start, model.model, spend.channel_key
),

cohort as (
    select cohort_grain, cohort_start, model, channel_key from customer
    union
    select cohort_grain, cohort_start, model, channel_key from spend_cell
),

-- Every month that has begun, also those in which nobody bought.
life as (
    select
        cohort.*,
        unnest(range(
            0, greatest({{ months_between('cohort.cohort_start', 'as_of.as_of_date') }}, 0) + 1
        )) as months_since
    from cohort
    cross join as_of
),

grid as (
    select cohort_grain, cohort_start, model, channel_key, months_since from life
    union
    select cohort_grain, cohort_start, model, channel_key, months_since from money_cell
),

cell as (
    select
        grid.*,
        coalesce(customer.customers, 0) as customers,
        coalesce(spend_cell.acquisition_spend_reporting_amount, 0)
            as acquisition_spend_reporting_amount,
        coalesce(spend_cell.unconverted_rows, 0) as spend_unconverted_rows,
        coalesce(money_cell.active_customers, 0) as active_customers,
        coalesce(money_cell.order_count, 0) as order_count,
        {%- for amount in amounts %}
        coalesce(money_cell.{{ amount }}_reporting_amount, 0) as {{ amount }}_reporting_amount,
        {%- endfor %}
        coalesce(money_cell.uncosted_rows, 0) as uncosted_rows,
        coalesce(money_cell.unconverted_rows, 0) as unconverted_rows,
        coalesce(money_cell.is_uncosted, false) as is_uncosted,
        coalesce(money_cell.is_partial, false)
        or coalesce(spend_cell.unconverted_rows, 0) > 0 as is_partial
    from grid
    left join customer
        on
            grid.cohort_grain = customer.cohort_grain
            and grid.cohort_start = customer.cohort_start
            and grid.model = customer.model
            and grid.channel_key = customer.channel_key
    left join spend_cell
        on
            grid.cohort_grain = spend_cell.cohort_grain
            and grid.cohort_start = spend_cell.cohort_start
            and grid.model = spend_cell.model
            and grid.channel_key = spend_cell.channel_key
    left join money_cell
        on
            grid.cohort_grain = money_cell.cohort_grain
            and grid.cohort_start = money_cell.cohort_start
            and grid.model = money_cell.model
            and grid.channel_key = money_cell.channel_key
            and grid.months_since = money_cell.months_since
),

channel as (
    select channel_key, channel from {{ ref('dim_channel') }}
),

levelled as (
    select
        cell.cohort_grain, cell.cohort_start, cell.model, 'channel' as level, cell.channel_key,
        channel.channel, cell.months_since, cell.customers,
        cell.acquisition_spend_reporting_amount, cell.spend_unconverted_rows,
        cell.active_customers, cell.order_count,
        {%- for amount in amounts %} cell.{{ amount }}_reporting_amount,{% endfor %}
        cell.uncosted_rows, cell.unconverted_rows, cell.is_uncosted, cell.is_partial
    from cell
    inner join channel on cell.channel_key = channel.channel_key

    union all

    select
        cohort_grain, cohort_start, model, 'total' as level, cast(null as bigint) as channel_key,
        '(all channels)' as channel, months_since, sum(customers) as customers,
        sum(acquisition_spend_reporting_amount) as acquisition_spend_reporting_amount,
        sum(spend_unconverted_rows) as spend_unconverted_rows,
        sum(active_customers) as active_customers, sum(order_count) as order_count,
        {%- for amount in amounts %}
        sum({{ amount }}_reporting_amount) as {{ amount }}_reporting_amount,
        {%- endfor %}
        sum(uncosted_rows) as uncosted_rows, sum(unconverted_rows) as unconverted_rows,
        bool_or(is_uncosted) as is_uncosted, bool_or(is_partial) as is_partial
    from cell
    group by cohort_grain, cohort_start, model, months_since
),

cumulated as (
    select
        levelled.*,
        {%- for amount in ['revenue', 'net_revenue', 'margin'] %}
        cast(sum({{ amount }}_reporting_amount) over so_far as decimal(18, 6))
            as cumulative_{{ amount }}_reporting_amount,
        {%- endfor %}
        cast(sum(order_count) over so_far as decimal(28, 12)) as cumulative_order_count,
        bool_or(is_uncosted) over so_far as is_uncosted_so_far,
        bool_or(is_partial) over so_far as is_partial_so_far,
        {{ months_later('cohort_start', 'months_since + 1') }} - interval '1 day'
            <= as_of.as_of_date as is_mature
    from levelled
    cross join as_of
    window so_far as (
        partition by cohort_grain, cohort_start, model, level, channel_key
        order by months_since
        rows between unbounded preceding and current row
    )
),

judged as (
    select
        *,
        is_mature and customers > 0 and acquisition_spend_reporting_amount > 0
        {%- if payback_on == 'margin' %} and not is_uncosted_so_far{% endif %}
        and cumulative_{{ payback_on }}_reporting_amount >= acquisition_spend_reporting_amount
            as is_paid_back_by_now
    from cumulated
),

with_payback as (
    select
        *,
        min(case when is_paid_back_by_now then months_since end) over (
            partition by cohort_grain, cohort_start, model, level, channel_key
        ) as payback_month
    from judged
),

grain as (
    select * from (values ('month'), ('week')) as listed (cohort_grain)
),

level as (
    select * from (values ('channel'), ('total')) as listed (level)
),

nobody as (
    select
        grain.cohort_grain,
        model.model,
        level.level,
        sum(money.order_count) as order_count,
        {%- for amount in amounts %}
        sum(money.{{ amount }}_reporting_amount) as {{ amount }}_reporting_amount,
        {%- endfor %}
        sum(case when money.margin_reporting_amount is null and not money.is_partial then 1 else 0
        end) as uncosted_rows,
        sum(case when money.is_partial then 1 else 0 end) as unconverted_rows
    from {{ ref('int_customer_money') }} as money
    cross join model
    cross join grain
    cross join level
    where money.customer_key = 0
    group by grain.cohort_grain, model.model, level.level
),

every_row as (
    select
        cohort_grain, cohort_start, model, level, channel_key, channel, months_since, is_mature,
        customers, acquisition_spend_reporting_amount, spend_unconverted_rows, active_customers,
        order_count,
        {%- for amount in amounts %} {{ amount }}_reporting_amount,{% endfor %}
        cumulative_order_count, cumulative_revenue_reporting_amount,
        cumulative_net_revenue_reporting_amount, cumulative_margin_reporting_amount,
        uncosted_rows, unconverted_rows, is_uncosted_so_far, is_partial_so_far, payback_month
    from with_payback

    union all

    select
        cohort_grain, cast(null as date) as cohort_start, model, level,
        cast(case when level = 'channel' then -1 end as bigint) as channel_key,
        '(unknown customer)' as channel, cast(null as bigint) as months_since, false as is_mature,
        0 as customers, 0 as acquisition_spend_reporting_amount, 0 as spend_unconverted_rows,
        0 as active_customers, order_count,
        {%- for amount in amounts %} {{ amount }}_reporting_amount,{% endfor %}
        cast(null as decimal(28, 12)) as cumulative_order_count,
        cast(null as decimal(18, 6)) as cumulative_revenue_reporting_amount,
        cast(null as decimal(18, 6)) as cumulative_net_revenue_reporting_amount,
        cast(null as decimal(18, 6)) as cumulative_margin_reporting_amount,
        uncosted_rows, unconverted_rows, uncosted_rows > 0 as is_uncosted_so_far,
        unconverted_rows > 0 as is_partial_so_far, cast(null as bigint) as payback_month
    from nobody
),

final as (
    select
        cohort_grain,
        cohort_start,
        model,
        model = '{{ default }}' as is_default_model,
        level,
        channel_key,
        channel,
        cast(months_since as bigint) as months_since,
        is_mature,
        cast(customers as decimal(28, 12)) as customers,
        cast(acquisition_spend_reporting_amount as decimal(18, 6))
            as acquisition_spend_reporting_amount,
        cast(active_customers as decimal(28, 12)) as active_customers,
        cast(order_count as decimal(28, 12)) as order_count,
        {%- for amount in ['revenue', 'refund', 'net_revenue'] %}
        cast({{ amount }}_reporting_amount as decimal(18, 6)) as {{ amount }}_reporting_amount,
        {%- endfor %}
        case when uncosted_rows = 0 then cast(margin_reporting_amount as decimal(18, 6)) end
            as margin_reporting_amount,
        cumulative_order_count,
        cumulative_revenue_reporting_amount,
        cumulative_net_revenue_reporting_amount,
        case when not is_uncosted_so_far then cumulative_margin_reporting_amount end
            as cumulative_margin_reporting_amount,
        cast(uncosted_rows as bigint) as uncosted_rows,
        cast(unconverted_rows as bigint) as unconverted_rows,
        cast(spend_unconverted_rows as bigint) as spend_unconverted_rows,
        is_partial_so_far as is_partial,
        {{ cost_ratio('acquisition_spend_reporting_amount', 'customers') }} as cac,
        case
            when is_mature
                then {{ ratio('cumulative_net_revenue_reporting_amount', 'customers') }}
        end as ltv,
        case
            when is_mature and customers > 0
                then {{ ratio(
                    'cumulative_net_revenue_reporting_amount', 'acquisition_spend_reporting_amount'
                ) }}
        end as ltv_to_cac,
        cast(payback_month as bigint) as payback_month,
        '{{ payback_on }}' as payback_on
    from every_row
)

select * from final
