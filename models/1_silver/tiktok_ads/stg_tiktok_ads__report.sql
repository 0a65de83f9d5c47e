-- grain: one row per line of a downloaded report: a campaign, ad group, ad or keyword on a day
{{ config(entity='ad_performance', rows='some') }}

with {{ ad_download('tiktok_ads') }},

final as (
    select
        {{ ad_download_columns('tiktok_ads', 'coalesce(clicks, all_clicks)') }}
    from counted
)

select * from final
