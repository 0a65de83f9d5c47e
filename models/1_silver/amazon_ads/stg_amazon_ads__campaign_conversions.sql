-- grain: one row per campaign, day and attribution window, every report of it
{{ config(entity='ad_conversion', rows='many') }}

with campaign_level_report as (
    select * from {{ source('amazon_ads', 'campaign_level_report') }}
),

-- A longer window holds the shorter ones: windows are never added. Campaigns are told because that
-- is the level of record; those of ad groups and ads are the same purchases.
by_window as (
    select
        _raw_id,
        date,
        campaign_id,
        campaign_budget_currency_code,
        unnest(make_array(
            {%- for days in ['1', '7', '14', '30'] %}
            named_struct(
                'name', '{{ days }}d_click',
                'purchases', purchases_{{ days }}_d,
                'sales', sales_{{ days }}_d
            ){{ ',' if not loop.last }}
            {%- endfor %}
        )) as attribution
    from campaign_level_report
),

final as (
    select
        _raw_id,
        date as report_date,
        'amazon_ads' as platform,
        campaign_id,
        'purchases' as action,
        attribution['name'] as attribution_window,
        attribution['purchases'] as conversions,
        attribution['sales'] as conversion_amount,
        campaign_budget_currency_code as currency_code
    from by_window
    where attribution['purchases'] is not null or attribution['sales'] is not null
)

select * from final
