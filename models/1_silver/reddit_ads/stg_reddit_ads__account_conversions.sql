-- grain: one row per account, day, event and attribution window, every report of it
{{ config(entity='ad_conversion', rows='many') }}

with account_conversions_report as (
    select * from {{ source('reddit_ads', 'account_conversions_report') }}
),

-- `clicks` and `views` are what the account's own windows count, and total_value is what the two
-- are worth. Older reports have fixed windows instead, the longest of 28 days. All of them overlap:
-- windows of one event are never added.
by_window as (
    select
        _raw_id,
        date,
        account_id,
        event_name,
        unnest(make_array(
            named_struct(
                'name', 'default',
                -- What is no number stays as it is: the runner quarantines the row with it.
                'value', coalesce(
                    cast(try_cast(clicks as double) + try_cast(views as double) as text),
                    nullif(concat_ws(' + ', clicks, views), '')
                ),
                'amount', total_value,
                'items', total_items
            ),
            {%- for name, column in [
                ('default_click', 'clicks'),
                ('default_view', 'views'),
                ('1d_click', 'click_through_conversion_attribution_window_day'),
                ('7d_click', 'click_through_conversion_attribution_window_week'),
                ('28d_click', 'click_through_conversion_attribution_window_month'),
                ('1d_view', 'view_through_conversion_attribution_window_day'),
                ('7d_view', 'view_through_conversion_attribution_window_week'),
                ('28d_view', 'view_through_conversion_attribution_window_month'),
            ] %}
            named_struct(
                'name', '{{ name }}',
                'value', {{ column }},
                'amount', cast(null as text),
                'items', cast(null as text)
            ){{ ',' if not loop.last }}
            {%- endfor %}
        )) as attribution
    from account_conversions_report
),

final as (
    select
        _raw_id,
        date as report_date,
        'reddit_ads' as platform,
        account_id,
        event_name as action,
        attribution['name'] as attribution_window,
        attribution['value'] as conversions,
        attribution['amount'] as conversion_amount,
        attribution['items'] as item_quantity
    from by_window
    where attribution['name'] = 'default' or attribution['value'] <> ''
)

select * from final
