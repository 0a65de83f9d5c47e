{% snapshot order_state %}
{{ config(target_schema='dbt', unique_key='order_id', strategy='check', check_cols=['revenue']) }}
select order_id, revenue * {{ var('factor', 1) }} as revenue from {{ ref('stg_order') }}
{% endsnapshot %}
