-- grain: one row per attribution model that is computed or can be fitted
{{ config(materialized='table') }}

{%- set settings = project.attribution %}
{%- set custom = settings.custom %}

-- Rules that are computed, and all that can be fitted: a fit made under other settings is kept.
with model as (
    select * from (values
        ('first', 'First touch', 'All credit to the first touch within the look-back.', true, 1),
        ('last', 'Last touch', 'All credit to the last touch.', true, 2),
        ('last_non_direct', 'Last non-direct touch',
            'All credit to the last touch that is not direct; to the last one if all are.', true,
            3),
        ('linear', 'Linear', 'The same credit to every touch.', true, 4),
        ('position', 'Position based',
            '40 % to the first and to the last touch, the rest shared by those between.', true,
            5),
        ('time_decay', 'Time decay',
            'Credit halves every {{ settings.half_life_days }} days before the sale.', true, 6),
        ('first_paid', 'First paid touch',
            'All credit to the first touch of a paid channel; without one to the first that is '
            || 'not direct, else the first.', false, 7),
        ('last_paid', 'Last paid touch',
            'All credit to the last touch of a paid channel; without one to the last that is not '
            || 'direct, else the last.', false, 8),
        ('j_shaped', 'J-shaped',
            '20 % to the first and 60 % to the last touch, the rest shared by those between.',
            false, 9),
        ('inverse_j', 'Inverse J',
            '60 % to the first and 20 % to the last touch, the rest shared by those between.',
            false, 10),
        ('w_shaped', 'W-shaped',
            '30 % each to the first touch, the one before the lead and the one before the '
            || 'opportunity, 10 % shared by the others.', false, 11),
        ('full_path', 'Full path (Z)',
            '22.5 % each to the first touch, the one before the lead, the one before the '
            || 'opportunity and the last, 10 % shared by the others.', false, 12),
        ('participation', 'Participation',
            'The whole conversion to every channel that took part: never to be added up. See '
            || 'fct_participation.', false, 13),
        ('markov_1', 'Markov chain, order 1',
            'What would be lost without the channel; the last touch is remembered.', true, 101),
        ('markov_2', 'Markov chain, order 2',
            'What would be lost without the channel; two touches are remembered.', true, 102),
        ('markov_3', 'Markov chain, order 3',
            'What would be lost without the channel; three touches are remembered.', true, 103),
        ('shapley', 'Shapley value',
            'The same credit to every channel of the path, however often it comes.', true, 104),
        ('shapley_rate', 'Shapley value of rates',
            'What the channel adds to the conversion rate, on average over all sets of channels.',
            true, 105)
        {%- for name in custom %},
        ('{{ name }}', '{{ name }}', 'Weights of the project''s own.', true, {{ 13 + loop.index }})
        {%- endfor %}
    ) as listed (model, label, definition, is_listed, sort_order)
    where is_listed
        or model in {{ in_list(settings.models) }}
),

weight as (
    select * from (values
        {%- for name, weights in custom | items %}
        ('{{ name }}', '{{ weights | tojson }}'),
        {%- endfor %}
        ('position', '{"first":0.4,"last":0.4,"middle":0.2}'),
        ('j_shaped', '{"first":0.2,"last":0.6,"middle":0.2}'),
        ('inverse_j', '{"first":0.6,"last":0.2,"middle":0.2}'),
        ('w_shaped', '{"first":0.3,"lead":0.3,"opportunity":0.3,"middle":0.1}'),
        ('full_path',
            '{"first":0.225,"lead":0.225,"opportunity":0.225,"last":0.225,"middle":0.1}')
    ) as listed (model, weights)
),

final as (
    select
        durable_key('attribution_model', model.model) as attribution_model_key,
        model.model,
        model.label,
        model.definition,
        cast(model.sort_order as bigint) as sort_order,
        case when model.sort_order > 100 then 'fitted' else 'rule' end as model_kind,
        model.model = '{{ settings.default_model }}' as is_default,
        model.model <> 'participation' as is_additive,
        concat(
            '{"lookback_days":{{ settings.lookback_days | tojson }}',
            case when model.model = 'time_decay'
                then ',"half_life_days":{{ settings.half_life_days }}' else '' end,
            case when weight.weights is not null
                then concat(',"weights":', weight.weights) else '' end,
            case when weight.weights like '%"lead"%'
                then ',"milestones":{{ settings.milestones | tojson }}' else '' end,
            ',"path_transforms":{{ settings.path_transforms | tojson }}',
            ',"touches":"{{ settings.touches }}"',
            ',"path_restart":"{{ settings.path_restart }}"',
            ',"conversion_types":{{ settings.conversion_types | tojson }}}'
        ) as parameters
    from model
    left join weight on model.model = weight.model
)

select * from final
