{{ config(materialized='incremental', unique_key='order_id') }}

select order_id, ordered_on, revenue
from {{ ref('stg_order') }}
{% if is_incremental() %}
where ordered_on >= (select max(seen.ordered_on) from {{ this }} as seen)
{% endif %}
