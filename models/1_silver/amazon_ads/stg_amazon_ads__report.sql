-- grain: one row per line of a downloaded report: a campaign, ad group, ad or keyword on a day
{{ config(entity='ad_performance', rows='some') }}

with {{ ad_download('amazon_ads') }},

final as (
    select
        {{ ad_download_columns('amazon_ads') }},
        portfolio,
        units
    from counted
)

select * from final
