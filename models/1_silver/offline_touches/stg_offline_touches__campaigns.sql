-- grain: one row per row of a list that names an event or a campaign
{{ config(entity='campaign', rows='some') }}

with {{ offline_touch_rows() }},

final as (
    select
        _raw_id,
        'offline' as platform,
        'campaign' as level,
        '{{ source_name }}' as account_id,
        coalesce(campaign, name) as campaign_id,
        coalesce(campaign, name) as campaign_name,
        {{ offline_medium('kind') }} as campaign_type
    from touch
    where coalesce(campaign, name) is not null
)

select * from final
