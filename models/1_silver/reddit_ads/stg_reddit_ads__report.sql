-- grain: one row per line of a downloaded report: a campaign, ad group, ad or keyword on a day
{{ config(entity='ad_performance', rows='some') }}

with {{ ad_download('reddit_ads', parts=[['community', 'community']]) }},

final as (
    select
        {{ ad_download_columns('reddit_ads') }},
        'UTC' as account_zone,
        community,
        upvotes,
        comments
    from counted
)

select * from final
