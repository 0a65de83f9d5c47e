-- Sessions of the devices that have a new or changed session, or a click that its platform has
-- reported by now: where a visit came from depends on the visits before.
create temp table dirty_device as
with changed as (
    from old_session_base
    union all
    from new_session_base
    union all
    from session_base where click_id in (
        select click_id from ((from ad_click except from old_click)
            union all (from old_click except from ad_click))
    )
)

select distinct case when anonymous_node = 0 then identity_node else anonymous_node end as device
from changed;

create temp table dirty_device_session as
from session_base
where case when anonymous_node = 0 then identity_node else anonymous_node end
    in (from dirty_device)
