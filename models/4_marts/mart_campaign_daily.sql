-- grain: one row per reporting day and campaign
{{ config(materialized='table', sort=['date', 'campaign_key']) }}

{%- set models = ['first', 'last', 'last_non_direct', 'linear', 'position', 'time_decay'] %}

with spend as (
    select
        report_date as date,
        campaign_key,
        max(account_zone) as account_zone,
        sum(spend_reporting_amount) as spend_reporting_amount,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
        -- One platform's own claim; a campaign has one platform, so this adds nothing across them.
        sum(platform_conversions) as platform_conversions,
        sum(platform_conversion_reporting_amount) as platform_conversion_reporting_amount,
        sum(case
            when is_partial
                or (platform_conversion_amount <> 0 and exchange_rate is null) then 1
            else 0
        end) as unconverted_rows
    from {{ ref('fct_ad_performance_current') }}
    where is_spend_of_record
    group by report_date, campaign_key
),

session as (
    select
        reporting_date as date,
        campaign_key,
        count(*) as session_count,
        sum(case when is_engaged then 1 else 0 end) as engaged_session_count
    from {{ ref('int_session_campaign') }}
    where not is_bot
    group by reporting_date, campaign_key
),

credit as (
    select
        conversion_date as date,
        campaign_key
        {%- for model in models %},
        sum(case when model = '{{ model }}' and is_sale then credit else 0 end)
            as {{ model }}_sales,
        sum(case when model = '{{ model }}' and is_new_customer then credit else 0 end)
            as {{ model }}_new_customers,
        sum(case when model = '{{ model }}' and is_sale then credited_reporting_amount end)
            as {{ model }}_revenue
        {%- endfor %},
        count(distinct case
            when credited_reporting_amount is null and credited_amount <> 0
                and model = '{{ project.attribution.default_model }}'
                then conversion_id
        end) as unconverted_rows,
        bool_or(is_sale and credited_reporting_amount is null and credited_amount <> 0)
            as is_partial
    from {{ ref('fct_attribution_credit') }}
    group by conversion_date, campaign_key
),

day_campaign as (
    select date, campaign_key
    from (
        select date, campaign_key from spend
        union all
        select date, campaign_key from session
        union all
        select date, campaign_key from credit
    )
    group by date, campaign_key
),

campaign as (
    select
        campaign_key, platform, account_name, account_zone, campaign_id, campaign_name,
        campaign_type
    from {{ ref('dim_campaign') }}
    where level in ('campaign', '(unknown)', '(not applicable)') and is_current
),

campaign_channel as (
    select campaign_key, channel_key from {{ ref('int_campaign_channel') }}
),

channel as (
    select channel_key, channel from {{ ref('dim_channel') }}
),

joined as (
    select
        day_campaign.date,
        day_campaign.campaign_key,
        campaign.platform,
        campaign.account_name,
        coalesce(spend.account_zone, campaign.account_zone) as account_zone,
        campaign.campaign_id,
        campaign.campaign_name,
        campaign.campaign_type,
        coalesce(channel.channel, '(not applicable)') as channel,
        cast(coalesce(spend.impressions, 0) as bigint) as impressions,
        cast(coalesce(spend.clicks, 0) as bigint) as clicks,
        cast(coalesce(spend.spend_reporting_amount, 0) as decimal(18, 6)) as spend_reporting_amount,
        coalesce(spend.platform_conversions, 0) as platform_conversions,
        cast(coalesce(spend.platform_conversion_reporting_amount, 0) as decimal(18, 6))
            as platform_conversion_reporting_amount,
        coalesce(session.session_count, 0) as session_count,
        cast(coalesce(session.engaged_session_count, 0) as bigint) as engaged_session_count,
        {%- for model in models %}
        cast(coalesce(credit.{{ model }}_sales, 0) as decimal(28, 12)) as {{ model }}_sales,
        cast(coalesce(credit.{{ model }}_new_customers, 0) as decimal(28, 12))
            as {{ model }}_new_customers,
        cast(coalesce(credit.{{ model }}_revenue, 0) as decimal(18, 6))
            as {{ model }}_revenue_reporting_amount,
        {%- endfor %}
        cast(
            coalesce(spend.unconverted_rows, 0) + coalesce(credit.unconverted_rows, 0) as bigint
        ) as unconverted_rows,
        coalesce(spend.unconverted_rows, 0) > 0 or coalesce(credit.is_partial, false)
            as is_partial
    from day_campaign
    left join spend
        on day_campaign.date = spend.date and day_campaign.campaign_key = spend.campaign_key
    left join session
        on day_campaign.date = session.date and day_campaign.campaign_key = session.campaign_key
    left join credit
        on day_campaign.date = credit.date and day_campaign.campaign_key = credit.campaign_key
    left join campaign on day_campaign.campaign_key = campaign.campaign_key
    left join campaign_channel on day_campaign.campaign_key = campaign_channel.campaign_key
    left join channel on campaign_channel.channel_key = channel.channel_key
),

final as (
    select
        joined.*,
        {{ ratio('clicks', 'impressions') }} as click_rate,
        {{ ratio('spend_reporting_amount', 'clicks') }} as cost_per_click,
        {{ ratio('platform_conversion_reporting_amount', 'spend_reporting_amount') }}
            as platform_roas
        {%- for model in models %},
        {{ ratio(model ~ '_revenue_reporting_amount', 'spend_reporting_amount') }}
            as {{ model }}_roas,
        {{ cost_ratio('spend_reporting_amount', model ~ '_sales') }} as {{ model }}_cpa,
        {{ cost_ratio('spend_reporting_amount', model ~ '_new_customers') }} as {{ model }}_cac
        {%- endfor %}
    from joined
)

select * from final
