-- grain: one row per Salesforce task
{{ config(entity='activity') }}

with task as (
    select * from {{ source('salesforce', 'task') }}
),

tasks_with_type as (
    select
        *,
        case
            when lower(task_subtype) = 'call' or lower(type) = 'call' then 'call'
            when lower(task_subtype) in ('email', 'listemail') or lower(type) = 'email'
                then 'sales_email'
            when lower(type) = 'meeting' then 'meeting'
            else 'task'
        end as activity_type
    from task
),

-- The first characters of an id say what it is of: 001 account, 003 contact, 006 opportunity,
-- 00Q lead. A task that is still open stands on the day it is due.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as activity_id,
        coalesce(completed_date_time, activity_date, created_date) as activity_at,
        activity_type,
        -- Of an e-mail the subject is what was written to a person.
        case when activity_type <> 'sales_email' then subject end as subject,
        case when who_id like '003%' then who_id end as contact_id,
        coalesce(account_id, case when what_id like '001%' then what_id end) as account_id,
        case when what_id like '006%' then what_id end as deal_id,
        false as is_touchpoint,
        '{{ source_name }}:' || case when who_id like '00Q%' then who_id end as lead_id,
        type as task_type,
        status as outcome,
        is_closed,
        priority,
        call_type as direction,
        call_disposition,
        call_duration_in_seconds as duration_seconds,
        owner_id,
        is_deleted
    from tasks_with_type
)

select * from final
