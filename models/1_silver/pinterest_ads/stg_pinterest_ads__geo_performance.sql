-- grain: one row per pin promotion (our ad), place and day, every report of it
{{ config(entity='ad_performance', rows='some') }}

with pin_promotion_targeting_report as (
    select * from {{ source('pinterest_ads', 'pin_promotion_targeting_report') }}
),

{{ pinterest_counts('pin_promotion_targeting_report') }},

final as (
    select
        _raw_id,
        date as report_date,
        'pinterest_ads' as platform,
        advertiser_id as account_id,
        'geo' as level,
        campaign_id,
        ad_group_id,
        pin_promotion_id as ad_id,
        concat(lower(targeting_type), '=', targeting_value) as segment,
        {{ pinterest_figures() }},
        targeting_type,
        targeting_value
    from pin_promotion_targeting_report_with_counts
    -- The other kinds of targeting are no level of ours: stg_pinterest_ads__targeting has them all.
    where upper(targeting_type) in ('COUNTRY', 'REGION', 'LOCATION', 'GEO')
)

select * from final
