{{ config(materialized='table', indexes=[{'columns': ['ordered_on']}]) }}

select ordered_on, count(*) as orders, sum(revenue) as revenue
from {{ ref('stg_order') }}
group by ordered_on
