-- grain: one row per ad, day, action and attribution window, every report of it
{{ config(entity='ad_conversion', rows='many') }}

with basic_ad_action_values as (
    select * from {{ source('meta_ads', 'basic_ad_action_values') }}
),

-- `value` is the account's own window; the others stand beside it where they were asked for.
-- They overlap: windows of one action are never added.
by_window as (
    select
        _raw_id,
        date,
        ad_id,
        action_type,
        unnest(make_array(
            named_struct('name', 'default', 'value', value),
            named_struct('name', '1d_view', 'value', _1_d_view),
            named_struct('name', '1d_click', 'value', _1_d_click),
            named_struct('name', '7d_view', 'value', _7_d_view),
            named_struct('name', '7d_click', 'value', _7_d_click),
            named_struct('name', '28d_view', 'value', _28_d_view),
            named_struct('name', '28d_click', 'value', _28_d_click)
        )) as attribution
    from basic_ad_action_values
),

final as (
    select
        _raw_id,
        date as report_date,
        'meta_ads' as platform,
        ad_id,
        action_type as action,
        attribution['name'] as attribution_window,
        attribution['value'] as conversion_amount
    from by_window
    where attribution['name'] = 'default' or attribution['value'] <> ''
)

select * from final
