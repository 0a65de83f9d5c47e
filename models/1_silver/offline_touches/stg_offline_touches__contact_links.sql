-- grain: one row per contact or lead of a CRM that a list of touches names by its id
{{ config(entity='identity_link', rows='many') }}
{#- The CRM that a bare id belongs to: as the project says, else its only one. -#}
{%- set crms = namespace(names=[]) %}
{%- for name in project.sources %}
{%- if project.sources[name].kind in ['hubspot', 'salesforce'] %}
{%- set crms.names = crms.names + [name] %}
{%- endif %}
{%- endfor %}
{%- set only_crm = crms.names[0] if crms.names | length == 1 else '' %}
{%- set crm = var('offline_touches_crm', only_crm) %}

with {{ offline_touch_rows() }},

named as (
    select
        _raw_id,
        unnest(make_array(
            named_struct('type', 'contact', 'id', contact_id),
            named_struct('type', 'lead', 'id', lead_id)
        )) as person
    from touch
),

-- `hubspot:123` says by itself whose id it is. Without that, and without a CRM, it is nobody's.
final as (
    select
        _raw_id,
        person['type'] as a_type,
        concat('{{ source_name }}:', person['id']) as a_value,
        person['type'] as b_type,
        case
            when strpos(person['id'], ':') > 0 then person['id']
            else concat('{{ crm }}:', person['id'])
        end as b_value,
        'offline_list' as rule
    from named
    where
        person['id'] is not null
        and (strpos(person['id'], ':') > 0 or '{{ crm }}' <> '')
)

select * from final
