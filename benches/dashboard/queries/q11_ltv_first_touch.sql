-- What customers were worth until now, by the channel and month of their first touch.
select
    first_touch.cohort_month,
    channel.channel,
    count(*) as customers,
    count(money.customer_key) as buyers,
    sum(coalesce(money.revenue, 0)) as revenue,
    cast(sum(coalesce(money.revenue, 0)) as double) / count(*) as ltv
from (
    select customer_key, channel_key, {month} as cohort_month
    from ({first_touch})
) as first_touch
inner join star.dim_channel as channel on first_touch.channel_key = channel.channel_key
left join (
    select customer_key, sum(amount) as revenue
    from (
        select customer_key, revenue_reporting_amount as amount
        from star.fct_conversion
        where is_sale
        union all
        select conversion.customer_key, -refund.refund_reporting_amount as amount
        from star.fct_refund as refund
        inner join star.fct_conversion as conversion
            on refund.conversion_id = conversion.conversion_id
    ) as amount
    group by customer_key
) as money on first_touch.customer_key = money.customer_key
group by first_touch.cohort_month, channel.channel
order by cohort_month, channel
