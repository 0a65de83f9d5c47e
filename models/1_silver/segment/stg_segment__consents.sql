-- grain: one row per purpose that a choice in the consent manager speaks of
{{ config(entity='consent', rows='many') }}

with tracks as (
    select * from {{ source('segment', 'tracks') }}
),

-- Segment's consent manager tells each choice by an event of this name; its answers are stamped on
-- every other event too, where they are no new choice.
choices as (
    select
        *,
        coalesce(strpos(user_id, '@') > 1, false) as is_email,
        {{ segment_answer('analytics') }} as allows_analytics,
        {{ segment_answer('ads') }} as allows_ads
    from tracks
    where
        lower(stated(event, regexp_replace(trim(event_text), '[^A-Za-z0-9]+', '_', 'g')))
        = 'segment_consent_preference_updated'
),

purposes as (
    select
        *,
        unnest(make_array('analytics', 'ads')) as purpose
    from choices
),

judged as (
    select
        *,
        case when purpose = 'analytics' then allows_analytics else allows_ads end as allows
    from purposes
),

final as (
    select
        _raw_id,
        concat(id, '|', purpose) as consent_id,
        {{ segment_event_at() }} as consent_at,
        anonymous_id,
        text_if(not is_email, user_id) as user_id,
        first_text(text_if(is_email, user_id), context_traits_email) as email,
        purpose,
        case when allows then 'granted' else 'denied' end as state
    from judged
    where allows is not null
)

select * from final
