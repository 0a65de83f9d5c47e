-- grain: one row per touch of a list that says what it cost
{{ config(entity='ad_performance', rows='some') }}

with {{ offline_touch_rows() }},

-- What one touch cost; what the whole event cost stands in the stream costs.
final as (
    select
        _raw_id,
        split_part(split_part(given_date, ' ', 1), 'T', 1) as report_date,
        'offline' as platform,
        '{{ source_name }}' as account_id,
        'campaign' as level,
        coalesce(campaign, name, 'offline') as campaign_id,
        coalesce(campaign, name, 'offline') as campaign_name,
        {{ offline_touch_id() }} as segment,
        cost as spend_amount,
        currency as currency_code
    from touch
    where cost is not null
)

select * from final
