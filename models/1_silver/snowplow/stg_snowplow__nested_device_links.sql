-- grain: one row per event of a page that was reached by a link from another site of ours
{{ config(entity='identity_link', rows='some') }}

with received as (
    select
        _raw_id,
        from_json(payload, 'struct<
            domain_userid: text,
            refr_domain_userid: text,
            refr_dvce_tstamp: text,
            dvce_created_tstamp: text,
            derived_tstamp: text,
            collector_tstamp: text
        >') as event
    from {{ source('snowplow', 'events_nested') }}
),

events as (
    select
        _raw_id,
        event['domain_userid'] as domain_userid,
        event['refr_domain_userid'] as refr_domain_userid,
        event['refr_dvce_tstamp'] as refr_dvce_tstamp,
        event['dvce_created_tstamp'] as dvce_created_tstamp,
        event['derived_tstamp'] as derived_tstamp,
        event['collector_tstamp'] as collector_tstamp
    from received
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
