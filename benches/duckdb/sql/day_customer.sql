-- Customers whose touches may be others now, with their sessions.
insert into dirty_customer
select customer from bridge where node in (
    select identity_node from new_session
)
union
select customer from touch where touch_key in (
    select session_key from old_session_base union select session_key from new_session
)
union
select touch.customer from touch
inner join fct_session on touch.touch_key = fct_session.session_key
where
    exists ((from campaign_alias except from old_alias)
        union all (from old_alias except from campaign_alias))
    and touch.campaign_id <> fct_session.campaign_id;

create temp table dirty_customer_session as
from fct_session
where identity_node in (
    select node from bridge where customer in (from dirty_customer)
)
