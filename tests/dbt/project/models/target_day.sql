{{ config(materialized='incremental', unique_key=['ordered_on', 'channel_group']) }}

select days.ordered_on, goals.channel_group, goals.target * 2 as doubled
from {{ ref('revenue_day') }} as days
cross join {{ ref('channel_target') }} as goals
