-- grain: one row per campaign and part of the naming convention that its name follows
{{ config(materialized='table') }}

with campaign_part as (
    select * from {{ ref('int_campaign_naming_part') }}
    where not is_literal
),

chosen as (
    select campaign_key, naming from {{ ref('int_campaign_naming') }}
),

final as (
    select
        campaign_part.campaign_key,
        campaign_part.part,
        campaign_part.value,
        campaign_part.is_valid,
        campaign_part.problem,
        campaign_part.position,
        campaign_part.naming
    from campaign_part
    inner join chosen
        on
            campaign_part.campaign_key = chosen.campaign_key
            and campaign_part.naming = chosen.naming
)

select * from final
