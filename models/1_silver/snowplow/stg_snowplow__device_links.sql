-- grain: one row per event of a page that was reached by a link from another site of ours
{{ config(entity='identity_link', rows='some') }}

with events as (
    select * from {{ source('snowplow', 'events') }}
),

-- The tracker puts the device's id and the time of the click into links between sites (`_sp`), and
-- the page that is reached notes them. A link that was copied and sent to somebody else says that
-- two people are one: only what follows the click within half an hour is taken.
final as (
    select
        _raw_id,
        'device' as a_type,
        domain_userid as a_value,
        'device' as b_type,
        refr_domain_userid as b_value,
        stated(derived_tstamp, collector_tstamp) as linked_at,
        'cross_domain_link' as rule
    from events
    where
        domain_userid <> refr_domain_userid
        and to_instant(dvce_created_tstamp) >= to_instant(refr_dvce_tstamp) - interval '1 minute'
        and to_instant(dvce_created_tstamp) <= to_instant(refr_dvce_tstamp) + interval '30 minutes'
)

select * from final
