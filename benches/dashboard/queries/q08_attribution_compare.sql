-- Sales and revenue of each channel by each model of attribution.
select
    channel.channel,
    figure.model,
    figure.sales,
    figure.new_customers,
    figure.revenue
from (
    select
        channel_key,
        model,
        sum(credit) as sales,
        sum(case when is_new_customer then credit else 0 end) as new_customers,
        sum(credited_reporting_amount) as revenue
    from star.fct_attribution_credit
    where is_sale
    group by channel_key, model
) as figure
inner join star.dim_channel as channel on figure.channel_key = channel.channel_key
order by channel, model
