-- Of every conversion and model the credit sums to one, and the money to the conversion's money.
{{ config(severity='error') }}

with credited as (
    select
        conversion_id,
        model,
        sum(credit) as credit,
        sum(credited_amount) as credited_amount,
        sum(credited_reporting_amount) as credited_reporting_amount
    from {{ ref('fct_attribution_credit') }}
    group by conversion_id, model
),

conversion as (
    select conversion_id, revenue_amount, revenue_reporting_amount from {{ ref('fct_conversion') }}
    {%- if project.attribution.conversion_types %}
    where conversion_type in {{ in_list(project.attribution.conversion_types) }}
    {%- endif %}
),

expected as (
    select conversion.*, model.model
    from conversion
    cross join {{ ref('dim_attribution_model') }} as model
    where model.is_additive and model.model_kind = 'rule'
)

select
    expected.conversion_id,
    expected.model,
    credited.credit,
    expected.revenue_amount,
    credited.credited_amount,
    expected.revenue_reporting_amount,
    credited.credited_reporting_amount
from expected
left join credited
    on expected.conversion_id = credited.conversion_id and expected.model = credited.model
where
    credited.credit is null
    or credited.credit <> 1
    or credited.credited_amount <> expected.revenue_amount
    or credited.credited_reporting_amount <> expected.revenue_reporting_amount
