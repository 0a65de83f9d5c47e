{{ config(materialized='view') }}

select
    order_id,
    reporting_date as ordered_on,
    status,
    net_reporting_amount as revenue
from {{ source('star', 'fct_order') }}
where not is_test
