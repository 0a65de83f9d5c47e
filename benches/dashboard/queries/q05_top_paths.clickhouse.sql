with way as (
    select arrayJoin(arrayMap(
        steps -> arrayCompact(arrayMap(step -> step.3, arrayFilter(step -> not step.2, steps))),
        arrayFilter(
            steps -> steps[-1].2,
            arraySplit(
                (step, before) -> before,
                rows,
                arrayPushFront(arrayPopBack(arrayMap(step -> step.2, rows)), false)
            )
        )
    )) as channels
    from (
        select arraySort(groupArray((touch.event_at, touch.is_conversion, channel.channel))) as rows
        from star.int_customer_touch as touch
        left join star.dim_channel as channel on touch.channel_key = channel.channel_key
        where touch.customer_key <> 0
            and (not touch.is_conversion or touch.conversion_type in ('purchase', 'deal_won'))
        group by touch.customer_key
        having max(touch.is_conversion)
    )
)

select
    concat(
        if(length(channels) > 20, '… > ', ''),
        arrayStringConcat(arraySlice(channels, -20), ' > ')
    ) as path,
    least(length(channels), 20) as step_count,
    count() as conversion_count
from way
where notEmpty(channels)
group by channels
order by conversion_count desc, path
limit 20
