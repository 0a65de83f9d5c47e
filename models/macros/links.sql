{#- How join keys of different systems are compared: `throughline linkability` uses these. -#}

{#- A value as somebody may have meant it, to tell a value that is written differently from one that
    is not there. Never evidence: only a hint at what to mend. -#}
{%- macro loose_value(join_key, value) -%}
case
            when {{ join_key }} = 'client_id'
                then regexp_replace(
                    lower(btrim({{ value }})), '^(_ga=)?ga[0-9]+[.][0-9]+[.]', ''
                )
            when {{ join_key }} = 'tracking_cookie'
                then replace(lower(btrim({{ value }})), '-', '')
            when {{ join_key }} = 'user_id'
                then regexp_replace(
                    regexp_replace(lower(btrim({{ value }})), '[.]0+$', ''), '^0+', ''
                )
            when {{ join_key }} in ('email', 'phone') then {{ value }}
            when {{ join_key }} in (
                'transaction_id', 'order_number', 'invoice_number', 'deal_id'
            )
                then regexp_replace(
                    regexp_replace(
                        regexp_replace(lower(btrim({{ value }})), '[.]0+$', ''),
                        '[^a-z0-9]', '', 'g'
                    ),
                    '^[a-z]*0*', ''
                )
            -- A click id, or the address that it stands in.
            else regexp_replace(lower(btrim({{ value }})), '^.*[a-z_]+id=([^&#]*).*$', '\1')
        end
{%- endmacro -%}

{#- Type of identifier that a join key is, where it is one of a person or a device. -#}
{%- macro node_type_of(join_key) -%}
case {{ join_key }}
            when 'client_id' then 'device'
            when 'tracking_cookie' then 'cookie'
            when 'user_id' then 'user'
            when 'email' then 'email'
            when 'phone' then 'phone'
            when 'transaction_id' then 'order'
            when 'order_number' then 'order'
            when 'invoice_number' then 'order'
            when 'deal_id' then 'order'
            else 'cookie'
        end
{%- endmacro -%}
