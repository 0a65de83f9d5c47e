{#- Hosts, mail domains, and the domain that somebody registered. -#}

{#- The host that a text names, be it a domain, a web address or what stands behind an @. -#}
{%- macro host_of(text) -%}
nullif(
            regexp_replace(
                split_part(
                    regexp_replace(
                        lower(btrim({{ text }})), '^([a-z][a-z0-9+.-]*:)?//|^[^/?#]*@', ''
                    ),
                    '/',
                    1
                ),
                '^www[.]|[:?#].*$|[.]$',
                '',
                'g'
            ),
            ''
        )
{%- endmacro -%}

{#- Ends a CTE list: `output` has the rows of `relation` with `registrable_domain` beside its column
    `host`: the last two labels, or three where the last two are a public suffix (co.uk) or a host
    that many share (github.io). Null for what is no domain. -#}
{%- macro registrable_domains(relation, output) -%}
{{ relation }}_labels as (
    select
        *,
        cardinality(string_to_array(host, '.')) as label_count,
        regexp_match(host, '[^.]+[.][^.]+$')[1] as last_two,
        regexp_match(host, '[^.]+[.][^.]+[.][^.]+$')[1] as last_three
    from {{ relation }}
),

{{ output }} as (
    select
        {{ relation }}_labels.*,
        case
            when not regexp_like({{ relation }}_labels.host, '[.][^.0-9]{2,}$') then null
            when public_suffix.suffix is null then {{ relation }}_labels.last_two
            when {{ relation }}_labels.label_count > 2 then {{ relation }}_labels.last_three
        end as registrable_domain
    from {{ relation }}_labels
    left join {{ ref('public_suffix') }} as public_suffix
        on {{ relation }}_labels.last_two = public_suffix.suffix
)
{%- endmacro -%}
