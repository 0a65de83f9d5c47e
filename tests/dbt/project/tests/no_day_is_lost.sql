select ordered_on from {{ ref('stg_order') }}
except
select ordered_on from {{ ref('revenue_day') }}
