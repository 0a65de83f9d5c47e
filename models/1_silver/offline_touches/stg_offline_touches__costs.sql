-- grain: one row per amount that an event, a mailing or the like cost
{{ config(entity='ad_performance') }}

with cost as (
    select
        _raw_id,
        {{ offline_column('date') }} as given_date,
        {{ offline_column('kind') }} as kind,
        {{ offline_column('name') }} as name,
        {{ offline_column('campaign') }} as campaign,
        {{ offline_column('cost') }} as cost,
        {{ offline_column('currency') }} as currency,
        {{ offline_column('notes') }} as notes
    from {{ source('offline_touches', 'costs') }}
),

-- The notes tell two amounts of one day and event apart.
final as (
    select
        _raw_id,
        split_part(split_part(given_date, ' ', 1), 'T', 1) as report_date,
        'offline' as platform,
        '{{ source_name }}' as account_id,
        'campaign' as level,
        coalesce(campaign, name, 'offline') as campaign_id,
        coalesce(campaign, name, 'offline') as campaign_name,
        concat_ws('|', 'cost', notes) as segment,
        cost as spend_amount,
        currency as currency_code
    from cost
)

select * from final
