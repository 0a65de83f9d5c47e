-- grain: one row per version of a Pinterest advertiser (our account)
{{ config(entity='campaign') }}

with advertiser_history as (
    select * from {{ source('pinterest_ads', 'advertiser_history') }}
),

final as (
    select
        _raw_id,
        'pinterest_ads' as platform,
        'account' as level,
        id as account_id,
        name as account_name,
        status,
        currency as currency_code,
        -- Pinterest reports in UTC.
        'UTC' as account_zone,
        coalesce(updated_time, _fivetran_synced) as effective_at,
        country,
        billing_type
    from advertiser_history
)

select * from final
