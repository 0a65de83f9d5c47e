{#- What the models of plans (budgets and goals) share. -#}

{#- A measure as plans call it, under the name that the star knows; spend where none is named. -#}
{%- macro plan_metric(text) -%}
case {{ campaign_alias_text('coalesce(' ~ text ~ ", 'spend')") }}
            when 'budget' then 'spend'
            when 'cost' then 'spend'
            when 'costs' then 'spend'
            when 'ad_spend' then 'spend'
            when 'media_spend' then 'spend'
            when 'turnover' then 'revenue'
            when 'orders' then 'conversions'
            when 'purchases' then 'conversions'
            when 'customers' then 'new_customers'
            when 'return_on_ad_spend' then 'roas'
            when 'cost_per_acquisition' then 'cpa'
            when 'cost_per_conversion' then 'cpa'
            when 'cost_per_order' then 'cpa'
            when 'cost_per_lead' then 'cpl'
            when 'cost_per_click' then 'cpc'
            when 'click_rate' then 'ctr'
            else {{ campaign_alias_text('coalesce(' ~ text ~ ", 'spend')") }}
        end
{%- endmacro -%}

{#- First day of a period: 2026, 2026-Q1, Q1 2026, 2026-01, 01/2026, Jan 2026, Jan-26; text that is
    none of these passes through, so that the runner reads it as a day or refuses the row. -#}
{%- macro plan_period_start(text) -%}
case
            when {{ text }} is null then null
            else coalesce(
                cast(cast({{ plan_month(text) }} || '-01' as date) as text), {{ text }}
            )
        end
{%- endmacro -%}

{#- Its last day; null where the text is no period. -#}
{%- macro plan_period_end(text) -%}
cast(cast(
            cast({{ plan_month(text) }} || '-01' as date)
            + case
                when regexp_like({{ text }}, '^\s*[0-9]{4}\s*$') then interval '12 months'
                when regexp_like({{ text }}, '[qQ]') then interval '3 months'
                else interval '1 month'
            end
            - interval '1 day' as date
        ) as text)
{%- endmacro -%}

{#- The first month of a period as YYYY-MM; null where the text is no period. -#}
{%- macro plan_month(text) -%}
case
            when regexp_like({{ text }}, '^\s*[0-9]{4}\s*$') then trim({{ text }}) || '-01'
            when regexp_like({{ text }}, '^\s*[0-9]{4}[- ]?[qQ][1-4]\s*$')
                or regexp_like({{ text }}, '^\s*[qQ][1-4][- /]?[0-9]{4}\s*$')
                then regexp_match({{ text }}, '([0-9]{4})')[1] || case
                    regexp_match({{ text }}, '[qQ]([1-4])')[1]
                    when '1' then '-01' when '2' then '-04' when '3' then '-07' else '-10'
                end
            when regexp_like({{ text }}, '^\s*[0-9]{4}[-/.](0[1-9]|1[0-2])\s*$')
                then replace(replace(trim({{ text }}), '/', '-'), '.', '-')
            when regexp_like({{ text }}, '^\s*[0-9]{4}-(0[1-9]|1[0-2])-01\s*$')
                then left(trim({{ text }}), 7)
            when regexp_like({{ text }}, '^\s*(0?[1-9]|1[0-2])[-/.][0-9]{4}\s*$')
                then right(trim({{ text }}), 4)
                || '-' || lpad(regexp_match({{ text }}, '^\s*([0-9]+)')[1], 2, '0')
            when regexp_like(lower({{ text }}), '^\s*[a-z]{3,9}[- ]''?([0-9]{4}|[0-9]{2})\s*$')
                then '20' || right(trim({{ text }}), 2) || '-'
                || case left(lower(trim({{ text }})), 3)
                    when 'jan' then '01' when 'feb' then '02' when 'mar' then '03'
                    when 'apr' then '04' when 'may' then '05' when 'jun' then '06'
                    when 'jul' then '07' when 'aug' then '08' when 'sep' then '09'
                    when 'oct' then '10' when 'nov' then '11' when 'dec' then '12'
                end
        end
{%- endmacro -%}

{#- One cell of a table with months as columns: its period and what stands in the first of these
    columns that is filled. -#}
{%- macro plan_cell(period, columns) -%}
named_struct('period', {{ period }}, 'amount', coalesce(
                {%- for column in columns %}"{{ column }}"{{ ', ' if not loop.last }}
                {%- endfor -%}, cast(null as text)))
{%- endmacro -%}
