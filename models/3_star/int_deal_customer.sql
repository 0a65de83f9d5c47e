-- grain: one row per deal, with the customer it is told of
{{ config(materialized='table') }}

with party as (
    select
        deal_key,
        identity_node_id,
        row_number() over (
            partition by deal_key order by is_primary desc, member_type, member_id
        ) as place
    from {{ ref('int_deal_party') }}
),

final as (
    select deal_key, identity_node_id
    from party
    where place = 1
)

select * from final
