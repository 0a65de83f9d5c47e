{#- What the reports of Microsoft Advertising have in common: each splits a day by how an ad was
    delivered. -#}

{#- What a delivery is split by: its name in the segment, and its column. -#}
{%- set microsoft_delivery = [
    ['network', 'network'], ['device', 'device_type'], ['os', 'device_os'],
    ['language', 'language'], ['distribution', 'ad_distribution'],
    ['bid_match', 'bid_match_type'], ['match', 'delivered_match_type'],
    ['position', 'top_vs_other']
] -%}

{#- The segment: the delivery, without the columns that the report lacks, and `more` pairs of a name
    and a column. -#}
{%- macro microsoft_segment(more=[], without=[]) -%}
{%- set parts = namespace(all=[]) -%}
{%- for part in microsoft_delivery if part[1] not in without -%}
{%- set parts.all = parts.all + [part] -%}
{%- endfor -%}
{{ segment_of(parts.all + more) }}
{%- endmacro -%}

{#- The columns of the delivery. -#}
{%- macro microsoft_delivery_columns(without=[]) -%}
{%- for name, column in microsoft_delivery if column not in without %}
        {{ as_column(column, 'device' if name == 'device' else column) }}{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro -%}

{#- The figures of record. Conversions are the qualified ones; the older column stands in only where
    a report lacks them. -#}
{%- macro microsoft_figures() -%}
impressions,
        clicks,
        spend as spend_amount,
        currency_code,
        coalesce(conversions_qualified, conversions) as platform_conversions,
        revenue as platform_conversion_amount
{%- endmacro -%}
