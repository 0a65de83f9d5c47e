-- grain: one row per entry in a Salesforce calendar
{{ config(entity='activity') }}

with event as (
    select * from {{ source('salesforce', 'event') }}
),

-- The first characters of an id say what it is of: 001 account, 003 contact, 006 opportunity,
-- 00Q lead.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as activity_id,
        coalesce(start_date_time, activity_date_time, activity_date, created_date) as activity_at,
        case when lower(type) = 'call' then 'call' else 'meeting' end as activity_type,
        case
            when lower(coalesce(is_private, 'false')) not in ('true', '1', 't', 'yes') then subject
        end as subject,
        case when who_id like '003%' then who_id end as contact_id,
        coalesce(account_id, case when what_id like '001%' then what_id end) as account_id,
        case when what_id like '006%' then what_id end as deal_id,
        false as is_touchpoint,
        '{{ source_name }}:' || case when who_id like '00Q%' then who_id end as lead_id,
        type as event_type,
        coalesce(end_date_time, end_date) as ended_at,
        duration_in_minutes as duration_minutes,
        -- The copy of a meeting in the calendar of somebody else who was invited.
        is_child as is_copy,
        owner_id,
        is_deleted
    from event
)

select * from final
