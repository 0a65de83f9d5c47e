-- grain: one row per customer, milestone (lead, opportunity) and instant at which it was passed
{{ config(materialized='table', sort=['customer_key', 'reached_at']) }}

-- Milestones on the way to a sale: stages of the CRM's funnel, and conversions that are one.
with stage as (
    select record_type, record_id, funnel_stage, entered_at
    from {{ ref('int_funnel_entry') }}
    where funnel_stage in ('lead', 'opportunity')
),

person as (
    select record_type, record_id, customer_key from {{ ref('int_funnel_subject') }}
    where subject_type = 'person' and customer_key <> 0
),

party as (
    select deal_id, customer_key from {{ ref('int_deal_party') }}
    where customer_key <> 0
    group by deal_id, customer_key
),

conversion as (
    select customer_key, conversion_type, conversion_at from {{ ref('fct_conversion') }}
    where customer_key <> 0
),

every_milestone as (
    select person.customer_key, stage.funnel_stage as milestone, stage.entered_at as reached_at
    from stage
    inner join person
        on stage.record_type = person.record_type and stage.record_id = person.record_id

    union all

    select party.customer_key, stage.funnel_stage as milestone, stage.entered_at as reached_at
    from stage
    inner join party on stage.record_type = 'deal' and stage.record_id = party.deal_id

    {%- for milestone in ['lead', 'opportunity'] %}

    union all

    select customer_key, '{{ milestone }}' as milestone, conversion_at as reached_at
    from conversion
    where conversion_type in {{ in_list(project.attribution.milestones[milestone]) }}
    {%- endfor %}
),

final as (
    select customer_key, milestone, reached_at
    from every_milestone
    group by customer_key, milestone, reached_at
)

select * from final
