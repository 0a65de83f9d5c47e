-- grain: one row per line of a downloaded report: a campaign, ad group, ad or keyword on a day
{{ config(entity='ad_performance', rows='some') }}

with {{ ad_download('pinterest_ads', day_order='mdy') }},

final as (
    select
        {{ ad_download_columns('pinterest_ads', 'coalesce(clicks, outbound_clicks)') }},
        'UTC' as account_zone,
        outbound_clicks,
        total_conversions,
        total_conversion_value,
        saves,
        engagements,
        reach
    from counted
)

select * from final
