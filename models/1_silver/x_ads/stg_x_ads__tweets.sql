-- grain: one row per tweet
-- It promises no entity: a tweet is no level of its own, a promoted tweet names the tweet it shows.
{{ config(materialized='table', rows='one') }}

with tweet as (
    select * from {{ source('x_ads', 'tweet') }}
),

final as (
    select
        _raw_id,
        'x_ads' as platform,
        account_id,
        id as tweet_id,
        name as tweet_name,
        full_text as tweet_text,
        lang as language,
        tweet_type,
        card_uri,
        created_at
    from tweet
)

select * from final
