-- grain: one row per line of a downloaded report: a campaign, ad group, ad or keyword on a day
{{ config(entity='ad_performance', rows='some') }}

with {{ ad_download('apple_ads', day_order='mdy') }},

final as (
    select
        {{ ad_download_columns('apple_ads') }},
        regexp_match(_preamble, 'Time Zone[":,; ]+([A-Za-z_]+/[A-Za-z_/]+|UTC)')[1] as account_zone,
        new_downloads,
        redownloads,
        view_installs,
        total_installs
    from counted
)

select * from final
