-- grain: one row per attribution model
{{ config(materialized='table') }}

with model as (
    select * from (values
        ('first', 'First touch', 'All credit to the first touch within the look-back.', 1),
        ('last', 'Last touch', 'All credit to the last touch.', 2),
        ('last_non_direct', 'Last non-direct touch',
            'All credit to the last touch that is not direct; to the last one if all are.', 3),
        ('linear', 'Linear', 'The same credit to every touch.', 4),
        ('position', 'Position based',
            '40 % to the first and to the last touch, the rest shared by those between.', 5),
        ('time_decay', 'Time decay',
            'Credit halves every {{ project.attribution.half_life_days }} days before the sale.',
            6)
    ) as listed (model, label, definition, sort_order)
),

final as (
    select
        durable_key('attribution_model', model) as attribution_model_key,
        model,
        label,
        definition,
        cast(sort_order as bigint) as sort_order,
        model = '{{ project.attribution.default_model }}' as is_default
    from model
)

select * from final
