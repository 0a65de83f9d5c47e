{#- What the stage dictionary (seed funnel_stage_rule) is asked with: the word that a CRM uses. -#}
{%- macro stage_word(value) -%}
replace(lower(btrim({{ value }})), '_', ' ')
{%- endmacro -%}
