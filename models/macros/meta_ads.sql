{#- What the reports of Meta have in common. -#}

{#- The figures of a daily report. -#}
{%- macro meta_figures() -%}
impressions,
        -- Those that lead to the company's page. `clicks` counts likes and opened photos too: it
        -- stands in only where the report lacks the other.
        coalesce(inline_link_clicks, clicks) as clicks,
        spend as spend_amount,
        reach,
        frequency
{%- endmacro -%}

{#- What stands in a daily report of an account by the column `place`: country or region. -#}
{%- macro meta_geo_performance(relation, place) -%}
final as (
    select
        _raw_id,
        date as report_date,
        'meta_ads' as platform,
        account_id,
        'geo' as level,
        {{ segment_of([[place, place]]) }} as segment,
        {{ place }},
        {{ meta_figures() }}
    from {{ relation }}
)
{%- endmacro -%}

{#- What stands in the table of actions beside such a report. -#}
{%- macro meta_geo_actions(relation) -%}
final as (
    select
        _raw_id,
        'meta_ads' as platform,
        _fivetran_id as report_id,
        account_id,
        date as report_date,
        index as action_index,
        action_type as action,
        value as conversions,
        inline as conversions_inline
    from {{ relation }}
)
{%- endmacro -%}

{#- What stands in a report of ads' actions, a row for each attribution window. `value_name` is what
    it counts: conversions, or conversion_amount, what they were worth. -#}
{%- macro meta_conversions(relation, value_name) -%}
-- `value` is the account's own window; the others stand beside it where they were asked for.
-- They overlap: windows of one action are never added.
by_window as (
    select
        _raw_id,
        date,
        ad_id,
        action_type,
        unnest(make_array(
            named_struct('name', 'default', 'value', value),
            named_struct('name', '1d_view', 'value', _1_d_view),
            named_struct('name', '1d_click', 'value', _1_d_click),
            named_struct('name', '7d_view', 'value', _7_d_view),
            named_struct('name', '7d_click', 'value', _7_d_click),
            named_struct('name', '28d_view', 'value', _28_d_view),
            named_struct('name', '28d_click', 'value', _28_d_click)
        )) as attribution
    from {{ relation }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'meta_ads' as platform,
        ad_id,
        action_type as action,
        attribution['name'] as attribution_window,
        attribution['value'] as {{ value_name }}
    from by_window
    where attribution['name'] = 'default' or attribution['value'] <> ''
)
{%- endmacro -%}
