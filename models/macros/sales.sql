{#- The rules by which records become sales. Each is a variable that a project may set under
    `vars:` in throughline.yml; without one they are as here. -#}

{#- Refuses what a list may not name. -#}
{%- macro refuse_unknown(name, given, known) -%}
{%- for item in given if item not in known -%}
{{ exceptions.raise_compiler_error(
    "`vars: " ~ name ~ "` names `" ~ item ~ "`; it may name: " ~ known | join(', ')
) }}
{%- endfor -%}
{%- endmacro -%}

{#- Is this key of these records believed? `sale_keys` lists those that are. -#}
{%- macro uses_sale_key(key) -%}
{%- set known = [
    'web.transaction_id', 'deal.order_number', 'deal.invoice_number', 'invoice.order_number',
    'invoice.deal_id', 'web.customer', 'deal.customer', 'invoice.customer',
] -%}
{%- set given = var('sale_keys', [
    'web.transaction_id', 'deal.order_number', 'deal.invoice_number', 'invoice.order_number',
    'invoice.deal_id',
]) -%}
{{- refuse_unknown('sale_keys', given, known) -}}
{{- 'true' if key in given else '' -}}
{%- endmacro -%}

{#- Place of a kind of record in `sale_precedence`, from 1: the first gives the sale its money.
    Kinds that the list leaves out follow in the usual order. -#}
{%- macro sale_precedence(kind) -%}
{%- set usual = ['invoice', 'order', 'payment', 'deal', 'web'] -%}
{%- set given = var('sale_precedence', usual) -%}
{{- refuse_unknown('sale_precedence', given, usual) -}}
case {{ kind }}
            {%- for name in given %}
            when '{{ name }}' then {{ loop.index }}
            {%- endfor %}
            {%- for name in usual if name not in given %}
            when '{{ name }}' then {{ given | length + loop.index }}
            {%- endfor %}
        end
{%- endmacro -%}

{#- Days between two instants, as a number. -#}
{%- macro days_between(a, b) -%}
abs(date_part('epoch', {{ a }}) - date_part('epoch', {{ b }})) / 86400.0
{%- endmacro -%}

{#- By how much the money of two records differs: with and without tax and shipping, whichever is
    nearest, since systems state either. Null where currencies differ or one states no money. -#}
{%- macro amount_difference(a, b) -%}
case
            when
                {{ a }}.currency_code = {{ b }}.currency_code
                and {{ a }}.gross_amount <> 0 and {{ b }}.gross_amount <> 0
                then least(
                    abs({{ a }}.gross_amount - {{ b }}.gross_amount),
                    abs({{ a }}.gross_amount - {{ b }}.net_amount),
                    abs({{ a }}.net_amount - {{ b }}.gross_amount),
                    abs({{ a }}.net_amount - {{ b }}.net_amount)
                )
        end
{%- endmacro -%}

{#- What stands between two records that name each other, of columns days_apart, amount_difference
    and gross_amount; null where nothing does. -#}
{%- macro sale_obstacle() -%}
{%- set days = var('sale_days_max', '') -%}
{%- set tolerance = var('sale_amount_tolerance', '') -%}
case
            {%- if days != '' %}
            when days_apart > {{ days }} then 'too far apart'
            {%- endif %}
            {%- if tolerance != '' %}
            when amount_difference > cast('{{ tolerance }}' as decimal(9, 6)) * abs(gross_amount)
                then 'amount differs'
            {%- endif %}
            when false then ''
        end
{%- endmacro -%}
