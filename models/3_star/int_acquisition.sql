-- grain: one row per customer that has bought, attribution model and channel of the first sale
{{ config(materialized='table', sort=['customer_key', 'model']) }}

{%- set default = project.attribution.default_model %}

-- What won the customer, by the first touch and by the project's own model: the channels that the
-- first sale is credited to, each with its share.
with credit as (
    select customer_key, conversion_id, model, conversion_date, channel_key, credit
    from {{ ref('fct_attribution_credit') }}
    where
        is_sale and is_new_customer
        and model in ('first'{% if default != 'first' %}, '{{ default }}'{% endif %})
),

summed as (
    select
        customer_key,
        conversion_id,
        model,
        channel_key,
        min(conversion_date) as acquired_date,
        cast(sum(credit) as decimal(18, 12)) as share
    from credit
    group by customer_key, conversion_id, model, channel_key
),

final as (
    select
        customer_key,
        model,
        channel_key,
        conversion_id,
        acquired_date,
        share,
        row_number() over (
            partition by customer_key, model order by share desc, channel_key
        ) as place
    from summed
)

select * from final
