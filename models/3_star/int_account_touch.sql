-- grain: one row per touch that names a company and no person
{{ config(materialized='table') }}

-- Somebody of the company was at the fair, but nobody wrote down who: such a touch is the
-- company's, and counts for its deals. A company is found by its id, its domain, or its name as the
-- CRM has it.
with activity as (
    select
        activity_id, activity_at, source_name, account_id, company_name, campaign_name, source,
        medium,
        {{ host_of('company_name') }} as host
    from {{ entity('activity') }}
    where
        coalesce(is_touchpoint, false)
        and coalesce(contact_id, lead_id, email_hash, phone_hash) is null
        and coalesce(account_id, company_name) is not null
),

{{ registrable_domains('activity', 'activity_domain') }},

account as (
    select
        account_id,
        account_key,
        lower(btrim(account_name)) as name,
        {{ host_of('domain') }} as host
    from {{ ref('dim_account') }}
    where is_current and not is_deleted and account_id is not null
),

{{ registrable_domains('account', 'account_domain') }},

by_domain as (
    select registrable_domain, min(account_key) as account_key
    from account_domain
    where registrable_domain is not null
    group by registrable_domain
    having count(*) = 1
),

by_name as (
    select name, min(account_key) as account_key
    from account_domain
    where name is not null
    group by name
    having count(*) = 1
),

matched as (
    select
        activity_domain.*,
        coalesce(by_id.account_key, by_domain.account_key, by_name.account_key) as account_key,
        case
            when by_id.account_key is not null then 'stated'
            when by_domain.account_key is not null then 'domain'
            else 'name'
        end as method
    from activity_domain
    left join account as by_id on activity_domain.account_id = by_id.account_id
    left join by_domain
        on activity_domain.registrable_domain = by_domain.registrable_domain
    left join by_name on lower(btrim(activity_domain.company_name)) = by_name.name
),

final as (
    select
        durable_key('event', matched.source_name, 'activity', matched.activity_id) as touch_id,
        matched.activity_id,
        matched.activity_at as event_at,
        matched.account_key,
        matched.method,
        case
            when coalesce(matched.source, matched.medium) is null
                then {{ channel_key("'Unassigned'") }}
            else {{ channel_key(
                'channel_group(matched.source, matched.medium, matched.campaign_name, '
                ~ 'cast(matched.activity_at as date))'
            ) }}
        end as channel_key,
        coalesce(
            campaign_alias.campaign_key,
            case when matched.campaign_name is null then -1 else 0 end
        ) as campaign_key
    from matched
    left join {{ ref('bridge_campaign_alias') }} as campaign_alias
        on
            {{ campaign_alias_key('name', "'*'", 'matched.campaign_name') }}
            = campaign_alias.alias_key
            and matched.activity_at >= campaign_alias.valid_from
            and matched.activity_at < campaign_alias.valid_to
    where matched.account_key is not null
)

select * from final
