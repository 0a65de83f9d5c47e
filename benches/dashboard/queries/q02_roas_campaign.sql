-- Spend, credited sales and return on ad spend by campaign.
select
    campaign.platform,
    campaign.campaign_name,
    sum(figure.clicks) as clicks,
    sum(figure.spend) as spend,
    sum(figure.sales) as sales,
    sum(figure.revenue) as revenue,
    case
        when sum(figure.spend) > 0
            then cast(sum(figure.revenue) as double) / cast(sum(figure.spend) as double)
    end as roas
from (
    select
        campaign_key,
        sum(clicks) as clicks,
        sum(spend_reporting_amount) as spend,
        cast(0 as decimal(18, 12)) as sales,
        cast(0 as decimal(18, 6)) as revenue
    from star.fct_ad_performance_current
    where is_spend_of_record
    group by campaign_key
    union all
    select
        campaign_key,
        0 as clicks,
        cast(0 as decimal(18, 6)) as spend,
        sum(credit) as sales,
        sum(credited_reporting_amount) as revenue
    from star.fct_attribution_credit
    where model = 'position' and is_sale
    group by campaign_key
) as figure
inner join star.dim_campaign_current as campaign
    on figure.campaign_key = campaign.campaign_key
where campaign.level = 'campaign'
group by campaign.platform, campaign.campaign_name
order by platform, campaign_name
