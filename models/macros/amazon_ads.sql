{#- What the reports of Amazon Ads have in common. -#}

{#- Purchases and sales within 30 days of the click; where the report lacks those, the longest
    window that it has. -#}
{%- macro amazon_purchases() -%}
coalesce(purchases_30_d, purchases_14_d, purchases_7_d, purchases_1_d)
            as platform_conversions,
        coalesce(sales_30_d, sales_14_d, sales_7_d, sales_1_d) as platform_conversion_amount
{%- endmacro -%}

{#- What the shorter windows count. They overlap: they are never added. -#}
{%- macro amazon_windows() -%}
purchases_1_d,
        purchases_7_d,
        purchases_14_d,
        sales_1_d,
        sales_7_d,
        sales_14_d
{%- endmacro -%}
