{#- What the models of Snowplow share. -#}

{#- The words for scopes of a consent that are known, by what they speak of. -#}
{%- set snowplow_scopes = {
    'analytics': [
        'analytics', 'statistics', 'statistic', 'performance', 'measurement', 'c0002'
    ],
    'ads': ['ads', 'advertisement', 'advertising', 'marketing', 'targeting', 'c0004'],
    'other': [
        'necessary', 'essential', 'functional', 'preferences', 'personalization', 'c0001', 'c0003'
    ]
} -%}

{#- The CTE `judged`: what the list `scopes` of a consent allows. -#}
{%- macro snowplow_judged(relation, scopes) -%}
-- What the consent dialogue says of analytics and ads. Scopes name what is allowed, in the words of
-- the site or its consent platform. Who chose among words that are not known here has denied
-- nothing that could be named.
judged as (
    select
        *,
        array_has_any({{ scopes }}, {{ snowplow_words(['analytics']) }}) as allows_analytics,
        array_has_any({{ scopes }}, {{ snowplow_words(['ads']) }}) as allows_ads,
        coalesce(array_length(array_except(
            {{ scopes }}, {{ snowplow_words(['analytics', 'ads', 'other']) }}
        )), 0) = 0 as has_known_scopes_only
    from {{ relation }}
)
{%- endmacro -%}

{#- The words of these kinds, as an array. -#}
{%- macro snowplow_words(kinds) -%}
make_array(
            {%- for kind in kinds %}
            '{{ snowplow_scopes[kind] | join("', '") }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
{%- endmacro -%}
