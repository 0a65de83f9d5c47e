{#- Money in the reporting currency, and ratios. No rate gives no amount, never a rate of 1. -#}

{#- The rate of a currency out of the joined `exchange_rate`: 1 for the reporting currency, null
    where there is no rate. -#}
{%- macro rate_of(currency) -%}
case
            when {{ currency }} = '{{ project.reporting.currency }}' then cast(1 as decimal(18, 8))
            else exchange_rate.exchange_rate
        end
{%- endmacro -%}

{#- That rate and the day that it is of, which is `day` itself for the reporting currency. -#}
{%- macro rate_and_date(currency, day) -%}
{{ rate_of(currency) }} as exchange_rate,
        case
            when {{ currency }} = '{{ project.reporting.currency }}' then {{ day }}
            else exchange_rate.exchange_rate_date
        end as exchange_rate_date
{%- endmacro -%}

{#- An amount in the reporting currency; null where there is no rate. -#}
{%- macro reporting_amount(amount, rate) -%}
cast({{ amount }} * {{ rate }} as decimal(18, 6))
{%- endmacro -%}

{#- A ratio recomputed from sums; null where there is nothing to divide by. -#}
{%- macro ratio(numerator, denominator) -%}
case
    when {{ denominator }} <> 0
        then cast({{ numerator }} as double) / cast({{ denominator }} as double)
end
{%- endmacro -%}

{#- Revenue as the project defines it: gross less what it leaves out. Refunds stand apart. -#}
{%- macro net_revenue(gross, tax, shipping) -%}
coalesce({{ gross }}, {{ no_money() }})
        {%- if project.revenue.exclude_tax %}
        - coalesce({{ tax }}, {{ no_money() }})
        {%- endif %}
        {%- if project.revenue.exclude_shipping %}
        - coalesce({{ shipping }}, {{ no_money() }})
        {%- endif %}
{%- endmacro -%}

{#- Nothing, as money: of the type that all amounts have. -#}
{%- macro no_money() -%}
cast(0 as decimal(18, 6))
{%- endmacro -%}
