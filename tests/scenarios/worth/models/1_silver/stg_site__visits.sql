-- grain: one row per visit
{{ config(entity='web_event') }}
select
    _raw_id,
    id as event_id,
    at as event_at,
    'page_view' as event_name,
    visitor as anonymous_id,
    "user" as user_id,
    concat('s', id) as session_id,
    url as page_url
from {{ source('site', 'rows') }}
