-- grain: one row per version of a HubSpot deal
{{ config(entity='deal') }}

with deal as (
    select * from {{ source('hubspot', 'deal') }}
),

-- Whether a stage closes a deal is known from the deal's own properties; without them, from the ids
-- that HubSpot's standard stages have. What other stages mean stands in deal_pipeline_stage: until
-- that is joined, the question stays open here.
deals_with_outcome as (
    select
        *,
        coalesce(deal_pipeline_stage_id, property_dealstage) as stage,
        case
            when property_hs_is_closed_won is not null
                then lower(property_hs_is_closed_won) in ('true', '1', '1.0', 'yes')
            when lower(coalesce(deal_pipeline_stage_id, property_dealstage)) = 'closedwon'
                then true
            when lower(coalesce(deal_pipeline_stage_id, property_dealstage)) = 'closedlost'
                then false
            when lower(property_hs_is_closed) in ('false', '0', '0.0', 'no')
                then false
        end as is_won
    from deal
),

deals_with_closing as (
    select
        *,
        case
            when is_won then true
            when property_hs_is_closed is not null
                then lower(property_hs_is_closed) in ('true', '1', '1.0', 'yes')
            when lower(stage) = 'closedlost' then true
        end as is_closed
    from deals_with_outcome
),

final as (
    select
        _raw_id,
        coalesce(deal_id, id) as deal_id,
        property_dealname as deal_name,
        {{ whole(
            'coalesce(property_hs_primary_associated_company, property_associatedcompanyid)'
        ) }} as account_id,
        coalesce(deal_pipeline_id, property_pipeline) as pipeline,
        stage,
        is_closed,
        is_won,
        property_amount as amount,
        property_deal_currency_code as currency_code,
        property_hs_deal_stage_probability as probability,
        coalesce(property_createdate, property_hs_createdate) as created_at,
        -- For an open deal, HubSpot's close date is a hope.
        case when is_closed is distinct from false then property_closedate end as closed_at,
        {{ whole("coalesce(
            property_order_id, property_order_number, property_shop_order_id,
            property_shop_order_number, property_shopify_order_id, property_shopify_order_number,
            property_transaction_id, property_ecommerce_order_number
        )") }} as order_id,
        {{ whole('coalesce(property_invoice_id, property_invoice_number)') }} as invoice_id,
        coalesce(property_lead_source, property_leadsource, property_hs_analytics_source)
            as lead_source,
        coalesce(property_hs_campaign, property_campaign, property_utm_campaign) as campaign_name,
        {{ whole('coalesce(owner_id, property_hubspot_owner_id)') }} as owner_id,
        coalesce(is_deleted, _fivetran_deleted) as is_deleted,
        property_closedate as close_date,
        property_dealtype as deal_type,
        property_hs_merged_object_ids as merged_deal_ids
    from deals_with_closing
)

select * from final
