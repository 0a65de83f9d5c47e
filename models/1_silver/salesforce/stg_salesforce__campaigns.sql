-- grain: one row per version of a Salesforce campaign
{{ config(entity='campaign') }}

with campaign as (
    select * from {{ source('salesforce', 'campaign') }}
),

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
    from campaign
)

select * from final
