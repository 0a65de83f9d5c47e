-- grain: one row per direct web session whose device came from elsewhere within the look-back
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date',
    lookback=project.sessions.last_non_direct_days,
    sort=['session_id']
) }}

-- A direct visit takes over the last other source of the same device. Kept apart from the session:
-- a late event moves what direct visits of the weeks after it take over, and only this is small.
with session_base as (
    select
        session_id,
        event_date,
        session_started_at,
        -- Visits without a device are told apart by their person.
        case when anonymous_node_id = 0 then identity_node_id else anonymous_node_id end
            as visitor_node_id,
        is_direct,
        channel_key,
        source,
        medium,
        campaign_name
    from {{ ref('int_session_base') }}
),

with_last_source as (
    select
        session_id,
        event_date,
        session_started_at,
        is_direct,
        last_value(case when not is_direct then session_started_at end) ignore nulls over before
            as last_source_at,
        last_value(case when not is_direct then channel_key end) ignore nulls over before
            as last_channel_key,
        last_value(case when not is_direct then source end) ignore nulls over before as last_source,
        last_value(case when not is_direct then medium end) ignore nulls over before as last_medium,
        last_value(case when not is_direct then campaign_name end) ignore nulls over before
            as last_campaign_name
    from session_base
    window before as (
        partition by visitor_node_id
        order by session_started_at, session_id
        rows between unbounded preceding and 1 preceding
    )
),

final as (
    select
        session_id,
        event_date,
        last_source_at,
        last_channel_key,
        last_source,
        last_medium,
        last_campaign_name
    from with_last_source
    where
        is_direct
        and last_source_at >= session_started_at
            - interval '{{ project.sessions.last_non_direct_days }} days'
)

select * from final
