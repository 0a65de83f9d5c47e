-- The versions of a member, and the meanings of a campaign's name, follow each other without gap or
-- overlap, and one is current.
{{ config(severity='error') }}

with version as (
    select 'customer' as dimension, customer_key as member_key, valid_from, valid_to, is_current
    from {{ ref('dim_customer') }}
    union all
    select 'campaign' as dimension, campaign_key as member_key, valid_from, valid_to, is_current
    from {{ ref('dim_campaign') }}
    union all
    select 'account' as dimension, account_key as member_key, valid_from, valid_to, is_current
    from {{ ref('dim_account') }}
    union all
    select 'product' as dimension, product_key as member_key, valid_from, valid_to, is_current
    from {{ ref('dim_product') }}
    union all
    select 'alias' as dimension, alias_key as member_key, valid_from, valid_to, is_current
    from {{ ref('bridge_campaign_alias') }}
),

followed as (
    select
        *,
        lead(valid_from) over (partition by dimension, member_key order by valid_from) as next_from
    from version
)

select dimension, member_key, valid_from, valid_to, next_from, is_current
from followed
where
    valid_to <= valid_from
    or (next_from is not null and next_from <> valid_to)
    or is_current <> (next_from is null)
