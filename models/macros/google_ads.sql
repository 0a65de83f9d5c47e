{#- What the reports of Google Ads have in common. -#}

{#- The figures of record. -#}
{%- macro google_figures() -%}
impressions,
        clicks,
        {{ amount_of_micros('cost_micros') }} as spend_amount,
        conversions as platform_conversions,
        conversions_value as platform_conversion_amount
{%- endmacro -%}
