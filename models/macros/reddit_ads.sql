{#- What the tables of Reddit have in common. Each report has the account; that of campaigns, ad
    groups or ads has the id of its level too. -#}

{#- What stands in a daily report of a level. -#}
{%- macro reddit_performance(relation, level) -%}
-- Conversions stand in reports of their own, by event and attribution window.
final as (
    select
        _raw_id,
        date as report_date,
        'reddit_ads' as platform,
        account_id,
        '{{ level }}' as level,
        {%- if level != 'account' %}
        {{ level }}_id,
        {%- endif %}
        {{ segment_of([['region', 'region'], ['gallery_item', 'gallery_item_id']]) }} as segment,
        impressions,
        clicks,
        {{ amount_of_micros('spend') }} as spend_amount,
        region,
        viewable_impressions,
        comments_page_views,
        video_started,
        video_watched_100_percent as video_completed,
        app_install_metrics_install as app_installs,
        app_install_metrics_purchase as app_purchases
    from {{ relation }}
)
{%- endmacro -%}

{#- What stands in a daily report of a level's conversions: a row for each attribution window. -#}
{%- macro reddit_conversions(relation, level) -%}
-- `clicks` and `views` are what the account's own windows count, and total_value is what the two
-- are worth. Older reports have fixed windows instead, the longest of 28 days. All of them overlap:
-- windows of one event are never added.
by_window as (
    select
        _raw_id,
        date,
        account_id,
        {%- if level != 'account' %}
        {{ level }}_id,
        {%- endif %}
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
    from {{ relation }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'reddit_ads' as platform,
        account_id,
        {%- if level != 'account' %}
        {{ level }}_id,
        {%- endif %}
        event_name as action,
        attribution['name'] as attribution_window,
        attribution['value'] as conversions,
        attribution['amount'] as conversion_amount,
        attribution['items'] as item_quantity
    from by_window
    where attribution['name'] = 'default' or attribution['value'] <> ''
)
{%- endmacro -%}

{#- What stands in an account. -#}
{%- macro reddit_accounts(relation) -%}
final as (
    select
        _raw_id,
        'reddit_ads' as platform,
        'account' as level,
        id as account_id,
        status,
        currency as currency_code,
        -- Reports are in UTC, whatever zone the account prefers.
        'UTC' as account_zone,
        time_zone_id,
        attribution_type,
        click_attribution_window,
        view_attribution_window
    from {{ relation }}
)
{%- endmacro -%}
