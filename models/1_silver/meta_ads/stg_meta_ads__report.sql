-- grain: one row per line of a downloaded report: a campaign, ad group, ad or keyword on a day
{{ config(entity='ad_performance', rows='some') }}

with {{ ad_download('meta_ads') }},

final as (
    select
        {{ ad_download_columns('meta_ads', 'coalesce(clicks, all_clicks)') }},
        results,
        result_indicator,
        reach,
        frequency
    from counted
)

select * from final
