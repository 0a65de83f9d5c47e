-- grain: one row per version of a Google Ads campaign
{{ config(entity='campaign') }}
{%- set queries = ['final_url_suffix', "split_part(tracking_url_template, '?', 2)"] %}

with campaign_history as (
    select * from {{ source('google_ads', 'campaign_history') }}
),

final as (
    select
        _raw_id,
        'google_ads' as platform,
        'campaign' as level,
        customer_id as account_id,
        id as campaign_id,
        name as campaign_name,
        status,
        advertising_channel_type as campaign_type,
        start_date,
        end_date,
        {{ tag_of(queries, 'utm_source') }} as utm_source,
        {{ tag_of(queries, 'utm_medium') }} as utm_medium,
        {{ tag_of(queries, 'utm_campaign') }} as utm_campaign,
        upper(status) = 'REMOVED' as is_deleted,
        advertising_channel_subtype,
        serving_status
    from campaign_history
)

select * from final
