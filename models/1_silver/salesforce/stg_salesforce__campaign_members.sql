-- grain: one row per member of a Salesforce campaign
{{ config(entity='activity') }}

with campaign_member as (
    select * from {{ source('salesforce', 'campaign_member') }}
),

-- Ids of contacts begin with 003, those of leads with 00Q.
members as (
    select
        *,
        coalesce(
            contact_id, case when lead_or_contact_id like '003%' then lead_or_contact_id end
        ) as member_contact_id,
        coalesce(
            lead_id, case when lead_or_contact_id like '00Q%' then lead_or_contact_id end
        ) as member_lead_id,
        coalesce(lower(has_responded) in ('true', '1', 't', 'yes'), false) as is_response,
        coalesce(lower(is_deleted) in ('true', '1', 't', 'yes'), false) as is_gone
    from campaign_member
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
        account_id,
        -- A contact is known by its own e-mail; a lead is found by the one that stands here.
        case when member_contact_id is null then email end as email,
        -- The id leads to the campaign as a tag would: the campaign itself names it.
        coalesce(utm_campaign_c, utm_campaign__c, campaign_id) as campaign_name,
        coalesce(utm_source_c, utm_source__c, 'salesforce') as source,
        coalesce(utm_medium_c, utm_medium__c, 'campaign') as medium,
        is_response and not is_gone as is_touchpoint,
        '{{ source_name }}:' || member_lead_id as lead_id,
        campaign_id,
        first_responded_date as responded_on,
        created_date as added_at,
        lead_source,
        is_deleted
    from members
)

select * from final
