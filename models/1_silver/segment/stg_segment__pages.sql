-- grain: one row per page call, every delivery of it
{{ config(entity='web_event') }}

with pages as (
    select * from {{ source('segment', 'pages') }}
),

-- A user id with an @ is an e-mail address: it is stored as its hash, never as an id.
named as (
    select
        *,
        coalesce(strpos(user_id, '@') > 1, false) as is_email,
        stated(url, context_page_url) as page_url,
        -- RudderStack writes $direct where there is no referrer.
        nullif(stated(context_page_referrer, referrer), '$direct') as referrer_url,
        {{ segment_listed_consents() }}
    from pages
),

{{ segment_consents('named') }},

final as (
    select
        _raw_id,
        id as event_id,
        {{ segment_event_at() }} as event_at,
        'page_view' as event_name,
        anonymous_id,
        text_if(not is_email, user_id) as user_id,
        first_text(text_if(is_email, user_id), context_traits_email) as email,
        context_traits_phone as phone,
        -- RudderStack numbers sessions; Segment has none, they are cut by the rule.
        context_session_id as session_id,
        page_url,
        stated(title, context_page_title) as page_title,
        referrer_url,
        {{ segment_campaign() }},
        url_param(page_url, 'gclid') as gclid,
        {{ segment_device() }},
        'WEB' as platform,
        {{ segment_app() }},
        name as page_name,
        category as page_category
    from asked
)

select * from final
