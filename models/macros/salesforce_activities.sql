{#- What Salesforce's campaigns, tasks and calendar say, in whatever layout. -#}

{#- What stands in a campaign. -#}
{%- macro salesforce_campaigns(relation) -%}
-- No ad platform, so no spend of record: the costs are what somebody typed in.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        'other' as platform,
        'campaign' as level,
        '{{ source_name }}' as account_id,
        id as campaign_id,
        name as campaign_name,
        status,
        type as campaign_type,
        currency_iso_code as currency_code,
        start_date,
        end_date,
        coalesce(utm_source_c, utm_source__c) as utm_source,
        coalesce(utm_medium_c, utm_medium__c) as utm_medium,
        -- Members name their campaign by its id: without a tag of its own, that leads to it.
        coalesce(utm_campaign_c, utm_campaign__c, id) as utm_campaign,
        is_deleted,
        is_active,
        parent_id as parent_campaign_id,
        owner_id,
        budgeted_cost as budgeted_cost_amount,
        actual_cost as actual_cost_amount,
        expected_revenue as expected_revenue_amount,
        number_sent as sent_count,
        number_of_leads as lead_count,
        number_of_contacts as contact_count,
        number_of_responses as response_count
    from {{ relation }}
)
{%- endmacro -%}

{#- The CTE `campaign_medium`: which channel a response to a campaign came by, which the type of the
    campaign says. -#}
{%- macro salesforce_campaign_media(relation) -%}
campaign_version as (
    select
        id,
        lower(btrim(type)) as type,
        row_number() over (
            partition by id
            order by coalesce(_fivetran_start, _fivetran_synced) desc nulls last, _raw_id desc
        ) as place
    from {{ relation }}
),

campaign_medium as (
    select
        id,
        case
            when type in ('advertisement', 'advertising', 'ads') then 'paid'
            when type in ('banner ads', 'banner') then 'display'
            when type in ('referral program', 'partners', 'partner') then 'referral'
            when type in ('e-mail marketing', 'email marketing', 'newsletter') then 'email'
            when type in ('social media', 'social') then 'social'
            when type like '%webinar%' or type like '%webcast%' then 'webinar'
            when type like '%trade show%' or type like '%tradeshow%' then 'trade show'
            when type in ('other', '') then null
            else type
        end as medium
    from campaign_version
    where place = 1
)
{%- endmacro -%}

{#- What stands in a member of a campaign. With `has_campaign`, the CTE campaign_medium says which
    medium its campaign is. -#}
{%- macro salesforce_campaign_members(relation, has_campaign=false) -%}
-- Ids of contacts begin with 003, those of leads with 00Q.
members as (
    select
        member.*,
        {{ 'campaign_medium.medium' if has_campaign else 'cast(null as text)' }}
            as campaign_medium,
        coalesce(
            contact_id, case when lead_or_contact_id like '003%' then lead_or_contact_id end
        ) as member_contact_id,
        coalesce(
            lead_id, case when lead_or_contact_id like '00Q%' then lead_or_contact_id end
        ) as member_lead_id,
        coalesce(lower(has_responded) in ('true', '1', 't', 'yes'), false) as is_response,
        coalesce(lower(is_deleted) in ('true', '1', 't', 'yes'), false) as is_gone
    from {{ relation }} as member
    {%- if has_campaign %}
    left join campaign_medium on member.campaign_id = campaign_medium.id
    {%- endif %}
),

-- To be on the list is no touch; to have responded is one. The response is dated by a day: the hour
-- is known if the member was added on that day.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as activity_id,
        case
            when not is_response then created_date
            when substr(first_responded_date, 1, 10) = substr(created_date, 1, 10)
                then created_date
            else coalesce(first_responded_date, created_date)
        end as activity_at,
        case when is_response then 'campaign_response' else 'campaign_member' end as activity_type,
        status as subject,
        member_contact_id as contact_id,
        member_lead_id as lead_id,
        account_id,
        -- A contact is known by its own e-mail; a lead is found by the one that stands here.
        case when member_contact_id is null then email end as email,
        -- The id leads to the campaign as a tag would: the campaign itself names it.
        coalesce(utm_campaign_c, utm_campaign__c, campaign_id) as campaign_name,
        coalesce(utm_source_c, utm_source__c, 'salesforce') as source,
        coalesce(utm_medium_c, utm_medium__c, campaign_medium, 'campaign') as medium,
        is_response and not is_gone as is_touchpoint,
        campaign_id,
        first_responded_date as responded_on,
        created_date as added_at,
        lead_source,
        is_deleted
    from members
)
{%- endmacro -%}

{#- What stands in a task. -#}
{%- macro salesforce_tasks(relation) -%}
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
    from {{ relation }}
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
        case when who_id like '00Q%' then who_id end as lead_id,
        coalesce(account_id, case when what_id like '001%' then what_id end) as account_id,
        case when what_id like '006%' then what_id end as deal_id,
        false as is_touchpoint,
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
{%- endmacro -%}

{#- What stands in an entry of the calendar. -#}
{%- macro salesforce_events(relation) -%}
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
        case when who_id like '00Q%' then who_id end as lead_id,
        coalesce(account_id, case when what_id like '001%' then what_id end) as account_id,
        case when what_id like '006%' then what_id end as deal_id,
        false as is_touchpoint,
        type as event_type,
        coalesce(end_date_time, end_date) as ended_at,
        duration_in_minutes as duration_minutes,
        -- The copy of a meeting in the calendar of somebody else who was invited.
        is_child as is_copy,
        owner_id,
        is_deleted
    from {{ relation }}
)
{%- endmacro -%}
