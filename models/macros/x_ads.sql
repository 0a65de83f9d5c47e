{#- What the reports of X have in common. Of what X calls conversions, visits of the site are none
    here; sale amounts are in millionths. -#}

{#- The conversions of a row, a number; null where the report has none of them. -#}
{%- macro x_conversions(kinds) -%}
case
            when coalesce(
                {%- for kind in kinds %}
                conversion_{{ kind }}_metric{{ ',' if not loop.last }}
                {%- endfor %}
            ) is not null
                then 0
                {%- for kind in kinds %}
                + coalesce(try_cast(conversion_{{ kind }}_metric as double), 0)
                {%- endfor %}
        end
{%- endmacro -%}

{#- Their sale amounts in millionths, as text; null where the report has none of them. -#}
{%- macro x_sale_micros(kinds) -%}
case
            when coalesce(
                {%- for kind in kinds %}
                conversion_{{ kind }}_sale_amount{{ ',' if not loop.last }}
                {%- endfor %}
            ) is not null
                then cast(
                    cast(0 as decimal(20, 0))
                    {%- for kind in kinds %}
                    + coalesce(try_cast(conversion_{{ kind }}_sale_amount as decimal(20, 0)), 0)
                    {%- endfor %}
                    as text
                )
        end
{%- endmacro -%}
