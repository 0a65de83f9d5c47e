-- grain: one row per version of a Salesforce opportunity in its history
-- The stream may also be Salesforce's own OpportunityHistory: those rows name the opportunity in
-- `opportunity_id`, and another model takes them.
{{ config(entity='deal', rows='some') }}
{%- set has_order = 'order' in project.sources[source_name].streams %}

with opportunity_history as (
    select * from {{ source('salesforce', 'opportunity_history') }}
    where opportunity_id is null
),
{%- if has_order %}

-- An order names the opportunity that it comes of. Drafts, reductions and what was called off are
-- no sales; of several orders the first one records the deal, the others are sales of their own.
order_version as (
    select
        *,
        row_number() over (
            partition by id
            order by coalesce(_fivetran_start, _fivetran_synced) desc nulls last, _raw_id desc
        ) as place
    from {{ source('salesforce', 'order') }}
),

order_of_deal as (
    select opportunity_id, min(id) as order_id
    from order_version
    where
        place = 1
        and opportunity_id is not null
        and lower(coalesce(status_code, status)) = 'activated'
        and lower(coalesce(is_reduction_order, 'false')) not in ('true', '1', 't', 'yes')
        and lower(coalesce(is_deleted, 'false')) not in ('true', '1', 't', 'yes')
    group by opportunity_id
),
{%- endif %}

final as (
    select
        deal._raw_id,
        deal._fivetran_start as effective_at,
        deal.id as deal_id,
        deal.name as deal_name,
        deal.account_id,
        -- The record type says which sales process, and so which stages, a deal has.
        deal.record_type_id as pipeline,
        deal.stage_name as stage,
        deal.is_closed,
        deal.is_won,
        deal.amount,
        deal.currency_iso_code as currency_code,
        -- A percentage. What is no number goes on as it is, so that the row is quarantined.
        coalesce(
            cast(
                try_cast(deal.probability as decimal(9, 4)) * cast('0.01' as decimal(3, 2)) as text
            ),
            deal.probability
        ) as probability,
        deal.created_date as created_at,
        -- For an open deal the close date is a hope. For a closed one it is a day; the hour is
        -- known if the stage changed last on that day.
        case
            when lower(deal.is_closed) in ('false', '0', 'f', 'no') then null
            when substr(deal.last_stage_change_date, 1, 10) = substr(deal.close_date, 1, 10)
                then deal.last_stage_change_date
            else deal.close_date
        end as closed_at,
        {{ whole("coalesce(
            deal.order_id_c, deal.order_id__c, deal.order_number_c, deal.order_number__c,
            deal.shop_order_id_c, deal.shop_order_id__c,
            deal.shop_order_number_c, deal.shop_order_number__c,
            deal.shopify_order_id_c, deal.shopify_order_id__c,
            deal.shopify_order_number_c, deal.shopify_order_number__c,
            deal.transaction_id_c, deal.transaction_id__c,
            deal.ecommerce_order_number_c, deal.ecommerce_order_number__c"
            ~ (", order_of_deal.order_id" if has_order else "") ~ "
        )") }} as order_id,
        {{ whole('coalesce(
            deal.invoice_id_c, deal.invoice_id__c, deal.invoice_number_c, deal.invoice_number__c
        )') }} as invoice_id,
        deal.lead_source,
        deal.owner_id,
        deal.is_deleted,
        deal.close_date,
        deal.type as deal_type,
        deal.expected_revenue as expected_revenue_amount,
        coalesce(deal.forecast_category_name, deal.forecast_category) as forecast_category,
        deal.campaign_id,
        deal._fivetran_end as version_ended_at,
        deal._fivetran_active as is_current_version
    from opportunity_history as deal
    {%- if has_order %}
    left join order_of_deal on deal.id = order_of_deal.opportunity_id
    {%- endif %}
)

select * from final
