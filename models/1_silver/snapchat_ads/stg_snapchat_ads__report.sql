-- grain: one row per line of a downloaded report: a campaign, ad group, ad or keyword on a day
{{ config(entity='ad_performance', rows='some') }}

with {{ ad_download('snapchat_ads') }},

final as (
    select
        {{ ad_download_columns('snapchat_ads') }},
        video_views,
        reach,
        frequency
    from counted
)

select * from final
