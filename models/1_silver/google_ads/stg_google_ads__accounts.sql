-- grain: one row per version of a Google Ads account
{{ config(entity='campaign') }}
{%- set queries = ['final_url_suffix', "split_part(tracking_url_template, '?', 2)"] %}

with account_history as (
    select * from {{ source('google_ads', 'account_history') }}
),

final as (
    select
        _raw_id,
        'google_ads' as platform,
        'account' as level,
        id as account_id,
        descriptive_name as account_name,
        case when lower(hidden) = 'true' then 'HIDDEN' else 'ENABLED' end as status,
        currency_code,
        time_zone as account_zone,
        {{ tag_of(queries, 'utm_source') }} as utm_source,
        {{ tag_of(queries, 'utm_medium') }} as utm_medium,
        {{ tag_of(queries, 'utm_campaign') }} as utm_campaign,
        manager as is_manager,
        test_account as is_test
    from account_history
)

select * from final
