-- grain: one row per version of a company
{{ config(materialized='table', sort=['account_key', 'valid_from']) }}

{%- set attributes = [
    'account_id', 'account_name', 'domain', 'industry', 'employee_count', 'annual_revenue_amount',
    'currency_code', 'country', 'city', 'parent_account_id', 'owner_id',
] %}

with stated as (
    select
        durable_key('account', account_id) as account_key,
        account_id,
        account_name,
        domain,
        industry,
        employee_count,
        annual_revenue_amount,
        currency_code,
        country,
        city,
        parent_account_id,
        owner_id,
        coalesce(is_deleted, false) as is_deleted,
        coalesce(effective_at, created_at, {{ beginning() }}) as effective_at,
        _raw_id
    from {{ entity('account') }}
),

-- A company that others name but no export describes.
mentioned as (
    select account_id from {{ entity('contact') }} where account_id is not null group by account_id
    union all
    select account_id from {{ entity('lead') }} where account_id is not null group by account_id
    union all
    select account_id from {{ entity('deal') }} where account_id is not null group by account_id
    union all
    select account_id from {{ entity('activity') }} where account_id is not null group by account_id
    union all
    select account_id from {{ entity('order') }} where account_id is not null group by account_id
    union all
    select account_id from {{ entity('invoice') }} where account_id is not null group by account_id
),

only_mentioned as (
    select durable_key('account', mentioned.account_id) as account_key, mentioned.account_id
    from mentioned
    left anti join stated on mentioned.account_id = stated.account_id
    group by mentioned.account_id
),

every_version as (
    select * from stated

    union all

    select
        account_key,
        account_id,
        account_id as account_name,
        cast(null as text) as domain,
        cast(null as text) as industry,
        cast(null as bigint) as employee_count,
        cast(null as decimal(18, 6)) as annual_revenue_amount,
        cast(null as text) as currency_code,
        cast(null as text) as country,
        cast(null as text) as city,
        cast(null as text) as parent_account_id,
        cast(null as text) as owner_id,
        false as is_deleted,
        {{ beginning() }} as effective_at,
        cast(0 as bigint) as _raw_id
    from only_mentioned
),

{{ versions_of(
    'every_version', 'account_key', attributes, sequence=['_raw_id'], deleted='is_deleted'
) }},

final as (
    select
        durable_key('account_version', cast(account_key as text), cast(valid_from as text))
            as account_version_key,
        account_key,
        account_id,
        coalesce(account_name, account_id) as account_name,
        domain,
        coalesce(industry, '(unknown)') as industry,
        employee_count,
        case
            when employee_count is null then '(unknown)'
            when employee_count <= 10 then '1-10'
            when employee_count <= 50 then '11-50'
            when employee_count <= 250 then '51-250'
            when employee_count <= 1000 then '251-1000'
            else '1001+'
        end as employee_band,
        annual_revenue_amount,
        currency_code,
        country,
        city,
        {{ member_key('account', 'parent_account_id') }} as parent_account_key,
        owner_id,
        is_deleted,
        effective_from,
        valid_from,
        valid_to,
        is_current,
        version_number
    from versions

    union all

    select
        reserved.reserved_key as account_version_key,
        reserved.reserved_key as account_key,
        cast(null as text) as account_id,
        reserved.label as account_name,
        cast(null as text) as domain,
        reserved.label as industry,
        cast(null as bigint) as employee_count,
        reserved.label as employee_band,
        cast(null as decimal(18, 6)) as annual_revenue_amount,
        cast(null as text) as currency_code,
        cast(null as text) as country,
        cast(null as text) as city,
        cast(0 as bigint) as parent_account_key,
        cast(null as text) as owner_id,
        false as is_deleted,
        {{ no_instant() }} as effective_from,
        {{ beginning() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        true as is_current,
        cast(1 as bigint) as version_number
    from {{ reserved_members() }} as reserved
)

select * from final
