-- Account, campaign, ad group and ad show the same spend, clicks and impressions of a day.
{{ config(severity='error') }}

with by_level as (
    select
        platform,
        account_id,
        report_date,
        sum(case when level = 'account' then spend_amount else 0 end) as account_spend,
        sum(case when level = 'campaign' then spend_amount else 0 end) as campaign_spend,
        sum(case when level = 'ad_group' then spend_amount else 0 end) as ad_group_spend,
        sum(case when level = 'ad' then spend_amount else 0 end) as ad_spend,
        sum(case when level = 'campaign' then clicks else 0 end) as campaign_clicks,
        sum(case when level = 'account' then clicks else 0 end) as account_clicks,
        sum(case when level = 'ad' then clicks else 0 end) as ad_clicks
    from {{ ref('fct_ad_performance_current') }}
    where is_in_hierarchy
    group by platform, account_id, report_date
)

select
    platform, account_id, report_date, account_spend, campaign_spend, ad_group_spend, ad_spend,
    account_clicks, campaign_clicks, ad_clicks
from by_level
where
    account_spend <> campaign_spend
    or ad_group_spend <> campaign_spend
    or ad_spend <> campaign_spend
    or account_clicks <> campaign_clicks
    or ad_clicks <> campaign_clicks
