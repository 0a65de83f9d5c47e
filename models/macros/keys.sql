{#- Durable keys of identifiers and dimension members. Every model makes a key by one of these, so
    that facts
    and dimensions meet without waiting for each other. None of them looks anything up. -#}

{#- Key of an identity node; null where there is no value or the value identifies nobody. -#}
{%- macro node_key(type, value) -%}
case
            when {{ value }} is not null and not is_blocked_identifier('{{ type }}', {{ value }})
                then durable_key('node', '{{ type }}', {{ value }})
        end
{%- endmacro -%}

{#- One identifier (b left out), or one pair of them as evidence: for `unnest(make_array(…))`. -#}
{%- macro evidence(a_type, a_value, b_type=none, b_value=none) -%}
named_struct(
                'a_type', '{{ a_type }}', 'a_value', {{ a_value }},
                'b_type', {{ 'cast(null as text)' if b_type is none else "'" ~ b_type ~ "'" }},
                'b_value', {{ 'cast(null as text)' if b_value is none else b_value }}
            )
{%- endmacro -%}

{#- An order number or transaction id as all systems agree on it: trimmed, without a leading #.
    Where systems write prefixes, a project says by a pattern with a group what the number is. -#}
{%- macro order_reference(value) -%}
{%- set pattern = var('order_reference_pattern', '') -%}
{%- if pattern -%}
coalesce(
            regexp_match(btrim({{ value }}), '{{ pattern | replace("'", "''") }}')[1],
            nullif(ltrim(btrim({{ value }}), '#'), '')
        )
{%- else -%}
nullif(ltrim(btrim({{ value }}), '#'), '')
{%- endif -%}
{%- endmacro -%}

{#- The natural id behind `<source>:`. -#}
{%- macro bare_id(value) -%}
substr({{ value }}, strpos({{ value }}, ':') + 1)
{%- endmacro -%}

{#- Address of a page without protocol, query and fragment: what a page member is. -#}
{%- macro page_address(url) -%}
split_part(split_part(replace(replace({{ url }}, 'https://', ''), 'http://', ''), '?', 1), '#', 1)
{%- endmacro -%}

{#- Keys of dimension members; 0 (unknown) where nothing is stated. -#}
{%- macro page_key(url) -%}
coalesce(
            case when {{ url }} is not null then durable_key('page', {{ page_address(url) }}) end, 0
        )
{%- endmacro -%}

{#- Of the columns of a web event that describe its device. -#}
{%- macro device_key() -%}
case
            when coalesce(
                device_category, device_brand, operating_system, browser, language
            ) is null then 0
            else durable_key('device', coalesce(device_category, ''), device_brand,
                operating_system, browser, language)
        end
{%- endmacro -%}

{%- macro geo_key(country, region, city) -%}
case
            when coalesce({{ country }}, {{ region }}, {{ city }}) is null then 0
            else durable_key('geo', coalesce({{ country }}, ''), {{ region }}, {{ city }})
        end
{%- endmacro -%}

{%- macro channel_key(channel) -%}
coalesce(durable_key('channel', {{ channel }}), 0)
{%- endmacro -%}

{#- Key of any member named by one natural id (account, product, deal); 0 where it is null. -#}
{%- macro member_key(type, value) -%}
coalesce(durable_key('{{ type }}', {{ value }}), 0)
{%- endmacro -%}

{%- macro source_account_key(platform, account_id) -%}
coalesce(durable_key('source_account', {{ platform }}, {{ account_id }}), 0)
{%- endmacro -%}

{#- Day of an instant in the project's zone. -#}
{%- macro reporting_date(instant) -%}
local_date({{ instant }}, '{{ project.reporting.zone }}')
{%- endmacro -%}

{#- Where every first version begins and every last one ends. -#}
{%- macro beginning() -%}
arrow_cast('1970-01-01T00:00:00Z', 'Timestamp(Microsecond, Some("UTC"))')
{%- endmacro -%}

{%- macro end_of_time() -%}
arrow_cast('9999-12-31T00:00:00Z', 'Timestamp(Microsecond, Some("UTC"))')
{%- endmacro -%}

{%- macro no_instant() -%}
arrow_cast(null, 'Timestamp(Microsecond, Some("UTC"))')
{%- endmacro -%}

{#- Type of an identifier as the block list knows it: a click id is a cookie of somebody else. -#}
{%- macro guarded_type(type) -%}
case when {{ type }} = 'click' then 'cookie' else {{ type }} end
{%- endmacro -%}

{#- The types of identifiers, for a list. -#}
{%- macro identifier_types() -%}
'user', 'contact', 'lead', 'buyer', 'email', 'phone', 'order', 'device', 'cookie'
{%- endmacro -%}

{#- The two members that every dimension has, so that no fact needs a null key. -#}
{%- macro reserved_members() -%}
(
        select * from (values
            (cast(0 as bigint), '(unknown)'), (cast(-1 as bigint), '(not applicable)')
        ) as member (reserved_key, label)
    )
{%- endmacro -%}

{#- A product by its id; a line that names none by its sku, else by its name. -#}
{%- macro product_member_key(product_id, source_name, sku, product_name) -%}
coalesce(
            durable_key('product', {{ product_id }}),
            durable_key('product_sku', {{ sku }}, {{ source_name }}),
            durable_key('product_name', {{ product_name }}, {{ source_name }}),
            0
        )
{%- endmacro -%}

{#- Key of the strongest identifier that an answer of the entity `consent` came with. -#}
{%- macro consent_node() -%}
coalesce(
            {{ node_key('user', 'user_id') }},
            {{ node_key('email', 'email_hash') }},
            {{ node_key('device', 'anonymous_id') }}
        )
{%- endmacro -%}

{#- Key of the contact or lead that an activity is of. -#}
{%- macro activity_person() -%}
coalesce(
            {{ node_key('contact', 'contact_id') }},
            {{ node_key('lead', 'lead_id') }}
        )
{%- endmacro -%}
