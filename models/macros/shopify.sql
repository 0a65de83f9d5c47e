{#- What Shopify's layouts share. -#}

{#- Under which names a theme or an app keeps on an order what the web tracker knew. -#}
{%- macro shopify_device_names() -%}
'ga_client_id', 'client_id', 'google_client_id', 'user_pseudo_id', 'anonymous_id', '_ga', 'ga'
{%- endmacro -%}

{#- A device without the prefix that the cookie _ga has. -#}
{%- macro shopify_device(value) -%}
regexp_replace({{ value }}, '^GA[0-9]+[.][0-9]+[.]', '')
{%- endmacro -%}

{#- What is noted on an order by one of `names`, out of the text of an export: a note on each line,
    `name: value`. -#}
{%- macro shopify_noted(column, names) -%}
regexp_match({{ column }}, '(?im)^(?:{{ names | join("|") }})[ ]*:[ ]*(.*?)[ ]*$')[1]
{%- endmacro -%}

{#- The CTE `shop_order` out of Fivetran's table `order`: one row per order, as delivered last. Its
    older connector names the amounts of the REST API, its newer one those of the GraphQL API. -#}
{%- macro shopify_latest_order() -%}
order_versions as (
    select
        id as order_id,
        created_at,
        processed_at,
        coalesce(currency, currency_code, total_price_set_shop_currency_code) as currency_code,
        lower(coalesce(taxes_included, 'false')) in ('true', '1', 't', 'yes') as is_tax_included,
        row_number() over (
            partition by id order by _fivetran_synced desc nulls last, _raw_id desc
        ) as place
    from {{ source('shopify', 'order') }}
),

shop_order as (
    select * from order_versions
    where place = 1
)
{%- endmacro -%}
