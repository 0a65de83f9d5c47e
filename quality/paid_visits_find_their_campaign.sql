-- Links of ads whose campaign nobody knows: their revenue cannot be set against its cost.
{{ config(severity='warn') }}

select source, medium, campaign_name, count(*) as session_count
from {{ ref('fct_session') }}
where campaign_resolution = 'unresolved' and click_id is not null and not is_bot
group by source, medium, campaign_name
