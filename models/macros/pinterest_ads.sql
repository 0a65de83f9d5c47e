{#- What the reports of Pinterest have in common. Its advertisers are our accounts, its pin
    promotions our ads. -#}

{#- What stands in a daily report of a level; `ids` are the columns that say what it is about. -#}
{%- macro pinterest_performance(relation, level, ids=[]) -%}
{{ pinterest_counts(relation) }},

final as (
    select
        _raw_id,
        date as report_date,
        'pinterest_ads' as platform,
        advertiser_id as account_id,
        '{{ level }}' as level,
        {%- for id in ids %}
        {{ id }},
        {%- endfor %}
        {{ pinterest_figures() }}
    from {{ relation }}_with_counts
)
{%- endmacro -%}

{#- The CTE `<relation>_with_counts`: the report with its counts by their meaning. -#}
{%- macro pinterest_counts(relation) -%}
-- Pinterest counts what was paid for (1) and what followed for free when people saved the pin (2).
-- Its own totals are the two together; each stands apart as a property.
{{ relation }}_with_counts as (
    select
        *,
        {{ whole('impression_1') }} as paid_impressions,
        {{ whole('impression_2') }} as earned_impressions,
        {{ whole('clickthrough_1') }} as paid_clicks,
        {{ whole('clickthrough_2') }} as earned_clicks
    from {{ relation }}
)
{%- endmacro -%}

{#- The figures of such a CTE. -#}
{%- macro pinterest_figures() -%}
-- A count that is no whole number stays as it is: the runner quarantines the row with it.
        coalesce(
            cast(
                try_cast(paid_impressions as bigint) + try_cast(earned_impressions as bigint)
                as text
            ),
            nullif(concat_ws(' + ', paid_impressions, earned_impressions), '')
        ) as impressions,
        coalesce(
            cast(try_cast(paid_clicks as bigint) + try_cast(earned_clicks as bigint) as text),
            nullif(concat_ws(' + ', paid_clicks, earned_clicks), '')
        ) as clicks,
        {{ amount_of_micros('spend_in_micro_dollar') }} as spend_amount,
        total_conversions as platform_conversions,
        {{ amount_of_micros('total_conversions_value_in_micro_dollar') }}
            as platform_conversion_amount,
        paid_impressions,
        earned_impressions,
        paid_clicks,
        earned_clicks,
        total_conversions_quantity as conversion_quantity
{%- endmacro -%}
