-- grain: one row per link in a tweet
-- It promises no entity: it says where the tweet behind an ad leads.
{{ config(materialized='table', rows='one') }}
{%- set queries = ["split_part(expanded_url, '?', 2)"] %}

with tweet_url as (
    select * from {{ source('x_ads', 'tweet_url') }}
),

final as (
    select
        _raw_id,
        'x_ads' as platform,
        tweet_id,
        index as url_index,
        expanded_url as final_url,
        url as short_url,
        display_url,
        {{ tag_of(queries, 'utm_source') }} as utm_source,
        {{ tag_of(queries, 'utm_medium') }} as utm_medium,
        {{ tag_of(queries, 'utm_campaign') }} as utm_campaign
    from tweet_url
)

select * from final
