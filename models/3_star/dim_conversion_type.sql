-- grain: one row per type of conversion
{{ config(materialized='table') }}

with conversion_type as (
    select * from (values
        ('purchase', 'Purchase', 'sale', true, 1),
        ('deal_won', 'Deal won', 'sale', true, 2),
        ('crm_contact', 'Contact created', 'lead', false, 3),
        ('crm_lead', 'Lead created', 'lead', false, 4)
        {%- for name in project.attribution.conversion_events %}
        {%- if name not in ['purchase', 'deal_won', 'crm_contact', 'crm_lead'] %},
        ('{{ name }}', '{{ name }}', 'key event', false, {{ 4 + loop.index }})
        {%- endif %}
        {%- endfor %}
    ) as listed (conversion_type, label, conversion_group, is_sale, sort_order)
),

final as (
    select
        durable_key('conversion_type', conversion_type) as conversion_type_key,
        conversion_type,
        label,
        conversion_group,
        cast(sort_order as bigint) as sort_order,
        is_sale
    from conversion_type

    union all

    select
        reserved.reserved_key as conversion_type_key,
        reserved.label as conversion_type,
        reserved.label,
        reserved.label as conversion_group,
        cast(99 - reserved.reserved_key as bigint) as sort_order,
        false as is_sale
    from {{ reserved_members() }} as reserved
)

select * from final
