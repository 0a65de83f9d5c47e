-- grain: one row per screen call, every delivery of it
{{ config(entity='web_event') }}

with screens as (
    select * from {{ source('segment', 'screens') }}
),

-- A user id with an @ is an e-mail address: it is stored as its hash, never as an id.
named as (
    select
        *,
        coalesce(strpos(user_id, '@') > 1, false) as is_email,
        {{ segment_listed_consents() }}
    from screens
),

{{ segment_consents('named') }},

final as (
    select
        _raw_id,
        id as event_id,
        {{ segment_event_at() }} as event_at,
        'screen_view' as event_name,
        anonymous_id,
        text_if(not is_email, user_id) as user_id,
        first_text(text_if(is_email, user_id), context_traits_email) as email,
        context_traits_phone as phone,
        -- RudderStack numbers sessions; Segment has none, they are cut by the rule.
        context_session_id as session_id,
        name as page_title,
        {{ segment_campaign() }},
        {{ segment_device() }},
        case
            when lower(stated(context_device_type, context_os_name)) in ('ios', 'ipados')
                then 'IOS'
            when lower(stated(context_device_type, context_os_name)) = 'android' then 'ANDROID'
        end as platform,
        {{ segment_app() }},
        name as screen_name,
        category as screen_category
    from asked
)

select * from final
