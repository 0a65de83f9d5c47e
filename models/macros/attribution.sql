{#- What the attribution models share. -#}

{#- Days before a conversion of this type in which a touch counts. -#}
{%- macro lookback_days(conversion_type) -%}
case {{ conversion_type }}
            {%- for name, days in project.attribution.lookback_days | items if name != 'default' %}
            when '{{ name }}' then {{ days }}
            {%- endfor %}
            when '' then 0
            else {{ project.attribution.lookback_days['default'] | default(90) }}
        end
{%- endmacro -%}

{#- Says something where a computed model asks for the touches of milestones. -#}
{%- macro uses_milestones() -%}
{%- for model in project.attribution.models if model in ['w_shaped', 'full_path'] -%}
yes
{%- endfor -%}
{%- for name, weights in project.attribution.custom | items -%}
{%- if weights is mapping and (weights.lead > 0 or weights.opportunity > 0) -%}
yes
{%- endif -%}
{%- endfor -%}
{%- endmacro -%}

{#- A list of texts for `in (…)`; of none, one that nothing is. -#}
{%- macro in_list(texts) -%}
(
            {%- for text in texts %}'{{ text }}', {% endfor %}'')
{%- endmacro -%}

{#- Milestones as rows for `attribute`, without a touch of their own. -#}
{%- macro milestone_rows(customer_key, compares_channels) -%}
select
            {{ customer_key }} as customer_key,
            passed.reached_at as event_at,
            false as is_conversion,
            cast(null as bigint) as touch_key,
            false as is_direct,
            cast(null as bigint) as conversion_key,
            cast(null as text) as conversion_type,
            cast(null as decimal(18, 6)) as amount,
            cast(null as text) as touch_type,
            cast(null as bigint) as touch_channel_key,
            cast(null as bigint) as touch_campaign_key,
            {%- if compares_channels %}
            cast(null as bigint) as channel_key,
            {%- endif %}
            passed.milestone,
            false as is_paid
{%- endmacro -%}
