-- What the ad platforms report, and the structure of their accounts. The latest report of a row
-- counts; spend is that of campaigns: where a platform reports none, the sum of what lies below.

create or replace table ad_report as
with stated as (
    select
        date as report_date, 'google_ads' as platform, customer_id as account_id,
        'campaign' as level, id as campaign_id, null as ad_group_id, null as ad_id,
        concat_ws('|', 'network=' || ad_network_type, 'device=' || device) as segment,
        impressions, clicks,
        coalesce(
            (try_cast(cost_micros as decimal(26, 0)) * 0.000001)::decimal(18, 6)::text, cost_micros
        ) as spend,
        conversions, conversions_value as conversion_value, _fivetran_synced as reported_at
    from google_ads__campaign_stats
    union all
    select
        date, 'google_ads', customer_id, 'ad', campaign_id, ad_group_id, ad_id,
        concat_ws('|', 'network=' || ad_network_type, 'device=' || device,
            'keyword=' || nullif(split_part(keyword_ad_group_criterion, '~', 2), '')),
        impressions, clicks,
        coalesce(
            (try_cast(cost_micros as decimal(26, 0)) * 0.000001)::decimal(18, 6)::text, cost_micros
        ),
        conversions, conversions_value, _fivetran_synced
    from google_ads__ad_stats
    union all
    select
        date, 'meta_ads', account_id, 'ad', null, null, ad_id, null, impressions,
        inline_link_clicks, spend, null, null, _fivetran_synced
    from meta_ads__basic_ad
    union all
    select
        day, 'linkedin_ads', null, 'ad_group', null, campaign_id, null, null, impressions, clicks,
        cost_in_local_currency, external_website_conversions::double + one_click_leads::double,
        conversion_value_in_local_currency, _fivetran_synced
    from linkedin_ads__ad_analytics_by_campaign
    union all
    select
        day, 'linkedin_ads', null, 'ad', null, null, creative_id, null, impressions, clicks,
        cost_in_local_currency, external_website_conversions::double + one_click_leads::double,
        conversion_value_in_local_currency, _fivetran_synced
    from linkedin_ads__ad_analytics_by_creative
)

select
    try_cast(try_cast(report_date as timestamp) as date) as report_date,
    platform, account_id, level, campaign_id, ad_group_id, ad_id, segment,
    reported_at::timestamp as reported_at,
    try_cast(impressions as bigint) as impressions,
    try_cast(clicks as bigint) as clicks,
    money(spend) as spend_amount,
    try_cast(conversions as double) as platform_conversions,
    money(conversion_value) as platform_conversion_amount,
    case
        when stated.report_date is null or try_cast(stated.report_date as timestamp) is null
            then 'report_date'
        when impressions is null and stated.impressions is not null then 'impressions'
        when clicks is null and stated.clicks is not null then 'clicks'
        when spend_amount is null and stated.spend is not null then 'spend_amount'
        when platform_conversions is null and stated.conversions is not null
            then 'platform_conversions'
        when platform_conversion_amount is null and stated.conversion_value is not null
            then 'platform_conversion_amount'
    end as rule
from stated;

create or replace table quarantine_ad as from ad_report where rule is not null;

create or replace table ad_click as
select
    gclid as click_id, any_value(date::date) as click_date, any_value(customer_id) as account_id,
    any_value(campaign_id) as campaign_id, any_value(ad_group_id) as ad_group_id,
    any_value(ad_id) as ad_id, any_value(keyword_text) as keyword_text
from (
    from google_ads__click_view
    where gclid is not null and try_cast(date as date) is not null
    qualify row_number() over (partition by gclid order by _fivetran_synced desc) = 1
)
group by gclid;

create or replace table campaign as
with version as (
    select 'google_ads' as platform, id as campaign_id, customer_id as account_id, name,
        advertising_channel_type as campaign_type, updated_at::timestamp as effective_at
    from google_ads__campaign_history
    union all
    select 'meta_ads', id, account_id, name, null, updated_time::timestamp
    from meta_ads__campaign_history
    union all
    select 'linkedin_ads', id, account_id, name, null, last_modified_time::timestamp
    from linkedin_ads__ad_campaign_group_history
),

account as (
    select 'google_ads' as platform, id as account_id, currency_code, descriptive_name as name,
        updated_at::timestamp as effective_at
    from google_ads__account_history
    union all
    select 'meta_ads', id, currency, name, _fivetran_synced::timestamp
    from meta_ads__account_history
    union all
    select 'linkedin_ads', id, currency, name, last_modified_time::timestamp
    from linkedin_ads__ad_account_history
),

latest_account as (
    select platform, account_id, arg_max(currency_code, effective_at) as currency_code,
        arg_max(name, effective_at) as account_name
    from account
    group by all
)

select
    version.platform,
    version.campaign_id,
    arg_max(version.account_id, effective_at) as account_id,
    arg_max(name, effective_at) as campaign_name,
    arg_max(campaign_type, effective_at) as campaign_type,
    list_sort(list(distinct name)) as names,
    any_value(currency_code) as currency_code,
    any_value(account_name) as account_name
from version
left join latest_account using (platform, account_id)
group by version.platform, version.campaign_id;

create or replace table campaign_alias as
with alias as (
    select platform, campaign_id, 'id' as kind, campaign_id as alias from campaign
    union
    select platform, campaign_id, 'name', alias_text(unnest(names)) from campaign
)

select platform, kind, alias, min(campaign_id) as campaign_id
from alias
group by all
union all
select '*', kind, alias, min(campaign_id)
from alias
group by all
having count(distinct campaign_id) = 1;

create or replace table ad_performance as
with ad_group as (
    select 'linkedin_ads' as platform, id as ad_group_id,
        arg_max(campaign_group_id, last_modified_time) as campaign_id
    from linkedin_ads__ad_campaign_history
    group by all
),

ad as (
    select 'meta_ads' as platform, id as ad_id, arg_max(campaign_id, updated_time) as campaign_id,
        arg_max(ad_set_id, updated_time) as ad_group_id
    from meta_ads__ad_history
    group by all
    union all
    select 'linkedin_ads', creative.id, arg_max(ad_group.campaign_id, last_modified_at),
        arg_max(creative.campaign_id, last_modified_at)
    from linkedin_ads__ad_creative_history as creative
    left join ad_group on creative.campaign_id = ad_group.ad_group_id
    group by all
),

current_report as (
    from ad_report
    where rule is null
    qualify row_number() over (
        partition by platform, account_id, level, report_date, campaign_id, ad_group_id, ad_id,
            segment
        order by reported_at desc
    ) = 1
),

placed as (
    select
        report.* replace (
            coalesce(report.campaign_id, ad.campaign_id, ad_group.campaign_id) as campaign_id,
            coalesce(report.ad_group_id, ad.ad_group_id) as ad_group_id
        )
    from current_report as report
    left join ad on report.platform = ad.platform and report.ad_id = ad.ad_id
    left join ad_group
        on report.platform = ad_group.platform and report.ad_group_id = ad_group.ad_group_id
),

-- Of each campaign and day the highest level that reports it.
ranked as (
    select
        *,
        case level when 'campaign' then 1 when 'ad_group' then 2 else 3 end as depth,
        min(depth) over (partition by platform, report_date, campaign_id) as best_depth
    from placed
)

select
    ranked.report_date,
    ranked.platform,
    campaign.account_id,
    ranked.level,
    ranked.campaign_id,
    ranked.ad_group_id,
    ranked.ad_id,
    ranked.segment,
    ranked.reported_at,
    ranked.impressions,
    ranked.clicks,
    ranked.spend_amount,
    campaign.currency_code,
    rate.exchange_rate,
    reporting(ranked.spend_amount, rate.exchange_rate) as spend_reporting_amount,
    ranked.platform_conversions,
    ranked.platform_conversion_amount,
    depth = best_depth as is_spend_of_record
from ranked
left join campaign
    on ranked.platform = campaign.platform and ranked.campaign_id = campaign.campaign_id
left join exchange_rate as rate
    on campaign.currency_code = rate.currency_code and ranked.report_date = rate.rate_date
