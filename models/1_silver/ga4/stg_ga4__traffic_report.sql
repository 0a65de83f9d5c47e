-- grain: one row per line of GA4's own report: a channel, source or campaign on a day or period
-- It promises no entity: these are sums to compare with, counted nowhere.
{{ config(materialized='table', rows='some') }}

with report as (
    select * from {{ source('ga4', 'traffic_report') }}
),

-- The page writes several tables into one file, each behind lines with `#`: the first one counts.
with_end as (
    select
        *,
        min(
            case
                when starts_with(
                    coalesce(day, channel, source_medium, traffic_source, traffic_medium, campaign),
                    '#'
                ) then _row
            end
        ) over (partition by _file_id) as _end_row,
        regexp_match(_preamble, '([0-9]{8})[^0-9]+([0-9]{8})') as _period,
        concat(
            decimal_sign(sessions, 'count'), decimal_sign(engaged_sessions, 'count'),
            decimal_sign(users, 'count'), decimal_sign(new_users, 'count'),
            decimal_sign(event_count, 'count'), decimal_sign(total_revenue),
            decimal_sign(purchase_revenue), decimal_sign(rate), decimal_sign(average)
        ) as _signs
    from report
),

written as (
    select
        *,
        {{ decimal_of_file('traffic_report') }} as _decimal
    from with_end
    window in_file as (partition by _file_id)
),

final as (
    select
        _raw_id,
        _file as file_name,
        coalesce(to_day(day), to_day(_period[1])) as first_date,
        coalesce(to_day(day), to_day(_period[2])) as last_date,
        regexp_match(
            _preamble, '(Property|Propriété|Propiedad|Proprietà|Propriedade) *: *([^\n\r]*)'
        )[2] as property_name,
        channel,
        source_medium,
        traffic_source,
        traffic_medium,
        campaign,
        to_integer(sessions, _decimal) as sessions,
        to_integer(engaged_sessions, _decimal) as engaged_sessions,
        to_integer(users, _decimal) as users,
        to_integer(new_users, _decimal) as new_users,
        to_integer(event_count, _decimal) as event_count,
        to_number(key_events, _decimal) as key_events,
        to_number(purchases, _decimal) as purchases,
        to_amount(purchase_revenue, _decimal) as purchase_revenue_amount,
        to_amount(total_revenue, _decimal) as total_revenue_amount,
        coalesce(_heading_currency, {{ stated_currency() }}) as currency_code
    from written
    where
        (_end_row is null or _row < _end_row)
        and coalesce(sessions, users, event_count, engaged_sessions) is not null
        and coalesce(channel, source_medium, traffic_source, traffic_medium, campaign) is not null
        and not coalesce(
            {{ is_total(
                'coalesce(day, channel, source_medium, traffic_source, traffic_medium, campaign)'
            ) }},
            false
        )
)

select * from final
