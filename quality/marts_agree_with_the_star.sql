-- What the marts say of spend, revenue, sales and sessions is what the facts say.
{{ config(severity='error') }}

with mart_of_channels as (
    select
        sum(spend_reporting_amount) as spend,
        sum(linear_revenue_reporting_amount) as revenue,
        sum(linear_sales) as sales,
        sum(session_count) as sessions
    from {{ ref('mart_channel_daily') }}
),

mart_of_campaigns as (
    select
        sum(spend_reporting_amount) as spend,
        sum(linear_revenue_reporting_amount) as revenue,
        sum(linear_sales) as sales,
        sum(session_count) as sessions
    from {{ ref('mart_campaign_daily') }}
),

star as (
    select
        (
            select coalesce(sum(spend_reporting_amount), 0)
            from {{ ref('fct_ad_performance_current') }}
            where is_spend_of_record
        ) as spend,
        (
            select coalesce(sum(revenue_reporting_amount), 0)
            from {{ ref('fct_conversion') }}
            where is_sale
        ) as revenue,
        (select count(*) from {{ ref('fct_conversion') }} where is_sale) as sales,
        (select count(*) from {{ ref('fct_session') }} where not is_bot) as sessions
),

compared as (
    select 'mart_channel_daily' as mart, mart_of_channels.*, star.spend as star_spend,
        star.revenue as star_revenue, star.sales as star_sales, star.sessions as star_sessions
    from mart_of_channels
    cross join star

    union all

    select 'mart_campaign_daily' as mart, mart_of_campaigns.*, star.spend as star_spend,
        star.revenue as star_revenue, star.sales as star_sales, star.sessions as star_sessions
    from mart_of_campaigns
    cross join star
)

select
    mart, spend, star_spend, revenue, star_revenue, sales, star_sales, sessions, star_sessions
from compared
where
    abs(spend - star_spend) >= 0.005
    or abs(revenue - star_revenue) >= 0.005
    or abs(sales - star_sales) >= 0.000001
    or sessions <> star_sessions
