-- grain: one row per pin promotion (our ad), place and day, every report of it
{{ config(entity='ad_performance', rows='some') }}

with pin_promotion_targeting_report as (
    select * from {{ source('pinterest_ads', 'pin_promotion_targeting_report') }}
),

-- Pinterest counts what was paid for (1) and what followed for free when people saved the pin (2).
-- Its own totals are the two together; each stands apart as a property.
pin_promotion_targeting_report_with_counts as (
    select
        *,
        {{ whole('impression_1') }} as paid_impressions,
        {{ whole('impression_2') }} as earned_impressions,
        {{ whole('clickthrough_1') }} as paid_clicks,
        {{ whole('clickthrough_2') }} as earned_clicks
    from pin_promotion_targeting_report
),

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
        -- A count that is no whole number stays as it is: the runner quarantines the row with it.
        coalesce(
            cast(
                try_cast(paid_impressions as bigint) + try_cast(earned_impressions as bigint)
                as text
            ),
            nullif(concat_ws(' + ', paid_impressions, earned_impressions), '')
        ) as impressions,
        coalesce(
            cast(try_cast(paid_clicks as bigint) + try_cast(earned_clicks as bigint) as text),
            nullif(concat_ws(' + ', paid_clicks, earned_clicks), '')
        ) as clicks,
        {{ amount_of_micros('spend_in_micro_dollar') }} as spend_amount,
        total_conversions as platform_conversions,
        {{ amount_of_micros('total_conversions_value_in_micro_dollar') }}
            as platform_conversion_amount,
        paid_impressions,
        earned_impressions,
        paid_clicks,
        earned_clicks,
        total_conversions_quantity as conversion_quantity,
        targeting_type,
        targeting_value
    from pin_promotion_targeting_report_with_counts
    -- The other kinds of targeting are no level of ours: stg_pinterest_ads__targeting has them all.
    where upper(targeting_type) in ('COUNTRY', 'REGION', 'LOCATION', 'GEO')
)

select * from final
