-- User agents that name a robot. `not` hides what lies in it (cubot is a telephone).
with agent as (
    select distinct user_agent from fresh_event where user_agent is not null
)

select distinct user_agent
from agent, bot_pattern
where
    case match
        when 'any_case' then contains(
            lower(replace(
                user_agent,
                (select any_value(pattern) from bot_pattern where match = 'not'), ''
            )),
            lower(pattern)
        )
        when 'contains' then contains(user_agent, pattern)
        when 'starts_with' then starts_with(user_agent, pattern)
        when 'regex' then regexp_matches(user_agent, pattern)
    end
