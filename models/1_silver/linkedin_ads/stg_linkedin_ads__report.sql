-- grain: one row per line of a downloaded report: a campaign, ad group, ad or keyword on a day
{{ config(entity='ad_performance', rows='some') }}

with {{ ad_download('linkedin_ads', day_order='mdy') }},

final as (
    select
        {{ ad_download_columns('linkedin_ads') }},
        'UTC' as account_zone,
        leads,
        landing_page_clicks,
        total_engagements
    from counted
)

select * from final
