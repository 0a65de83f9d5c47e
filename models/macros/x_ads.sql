{#- What the reports of X have in common. Of what X calls conversions, visits of the site are none
    here; sale amounts are in millionths. -#}

{#- The kinds of conversion that are read. -#}
{%- set x_conversion_kinds = ['purchases', 'sign_ups', 'downloads', 'custom'] -%}

{#- The conversions of a row, a number; null where the report has none of them. -#}
{%- macro x_conversions() -%}
case
            when coalesce(
                {%- for kind in x_conversion_kinds %}
                conversion_{{ kind }}_metric{{ ',' if not loop.last }}
                {%- endfor %}
            ) is not null
                then 0
                {%- for kind in x_conversion_kinds %}
                + coalesce(try_cast(conversion_{{ kind }}_metric as double), 0)
                {%- endfor %}
        end
{%- endmacro -%}

{#- Their sale amounts in millionths, as text; null where the report has none of them. -#}
{%- macro x_sale_micros() -%}
case
            when coalesce(
                {%- for kind in x_conversion_kinds %}
                conversion_{{ kind }}_sale_amount{{ ',' if not loop.last }}
                {%- endfor %}
            ) is not null
                then cast(
                    cast(0 as decimal(20, 0))
                    {%- for kind in x_conversion_kinds %}
                    + coalesce(try_cast(conversion_{{ kind }}_sale_amount as decimal(20, 0)), 0)
                    {%- endfor %}
                    as text
                )
        end
{%- endmacro -%}

{#- The day of a report. -#}
{%- macro x_report_date() -%}
-- The account's midnight, written in UTC: 15:00 of the day before in Tokyo, 07:00 in Los
        -- Angeles. The nearest midnight is that of the day.
        coalesce(
            cast(local_date(to_instant(date) + interval '13 hours', 'UTC') as text), date
        )
{%- endmacro -%}

{#- What stands in a daily report with spend, of a level by its `id`. `split_by` are pairs of a name
    and a column that split its rows beside the placement; `columns` what it has beside the figures.
    Reports of places know no engagement. -#}
{%- macro x_performance(relation, level, id, split_by=[], columns=[]) -%}
-- Of what X calls conversions, visits of the site are none here. Sale amounts are in millionths.
{{ relation }}_with_conversions as (
    select
        *,
        {{ x_conversions() }} as conversions,
        {{ x_sale_micros() }} as sale_micros
    from {{ relation }}
),

-- Clicks are those on links. `clicks` counts likes and opened profiles too: it stands in only where
-- the report lacks the other.
final as (
    select
        _raw_id,
        {{ x_report_date() }} as report_date,
        'x_ads' as platform,
        account_id,
        '{{ level }}' as level,
        {{ id }},
        {{ segment_of([['placement', 'placement']] + split_by) }} as segment,
        impressions,
        coalesce(url_clicks, clicks) as clicks,
        {{ amount_of_micros('billed_charge_local_micro') }} as spend_amount,
        conversions as platform_conversions,
        {{ amount_of_micros('sale_micros') }} as platform_conversion_amount,
        placement,
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        clicks as all_clicks,
        {%- if level != 'geo' %}
        engagements,
        billed_engagements,
        app_clicks,
        likes,
        replies,
        retweets,
        follows,
        video_total_views,
        {%- endif %}
        {%- for kind in x_conversion_kinds %}
        conversion_{{ kind }}_metric as {{ kind }},
        {%- endfor %}
        {%- for kind in ['purchases', 'sign_ups'] %}
        conversion_{{ kind }}_post_engagement as {{ kind }}_post_engagement,
        conversion_{{ kind }}_post_view as {{ kind }}_post_view,
        conversion_{{ kind }}_assisted as {{ kind }}_assisted,
        {%- endfor %}
        conversion_site_visits_metric as site_visits,
        mobile_conversion_installs_post_engagement as installs_post_engagement,
        mobile_conversion_installs_post_view as installs_post_view,
        mobile_conversion_installs_assisted as installs_assisted
    from {{ relation }}_with_conversions
)
{%- endmacro -%}
