-- grain: one row per line of a downloaded report: a campaign, ad group, ad or keyword on a day
{{ config(entity='ad_performance', rows='some') }}

with {{ ad_download('x_ads') }},

final as (
    select
        {{ ad_download_columns('x_ads', 'coalesce(clicks, all_clicks)') }},
        all_clicks,
        objective,
        results,
        engagements,
        billed_engagements,
        follows,
        likes,
        reposts,
        replies
    from counted
)

select * from final
