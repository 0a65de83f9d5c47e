-- grain: one row per version of an account, campaign, ad group or ad of an ad platform
{{ config(materialized='table', sort=['campaign_key', 'valid_from']) }}

{%- set attributes = [
    'account_name', 'currency_code', 'account_zone', 'campaign_name', 'campaign_status',
    'campaign_type', 'objective', 'start_date', 'end_date', 'utm_source', 'utm_medium',
    'utm_campaign', 'ad_group_name', 'ad_group_status', 'ad_name', 'ad_status', 'final_url',
    'is_deleted',
] %}

with campaign as (
    select * from {{ entity('campaign') }}
),

reported as (
    select
        platform, account_id, account_name, level, campaign_id, campaign_name,
        ad_group_id, ad_group_name, ad_id, ad_name,
        min(report_date) as first_date
    from {{ entity('ad_performance') }}
    where level in ('account', 'campaign', 'ad_group', 'ad')
    group by
        platform, account_id, account_name, level, campaign_id, campaign_name,
        ad_group_id, ad_group_name, ad_id, ad_name
),

member_keyed as (
    select
        level,
        platform,
        account_id,
        campaign_id,
        ad_group_id,
        ad_id,
        {{ campaign_member_key('account', 'platform', 'account_id') }} as account_member_key,
        {{ campaign_member_key('campaign', 'platform', 'campaign_id') }}
            as campaign_member_key,
        {{ campaign_member_key('ad_group', 'platform', 'ad_group_id') }}
            as ad_group_member_key,
        {{ campaign_member_key('ad', 'platform', 'ad_id') }}
            as ad_member_key
    from {{ ref('int_campaign_member') }}
),

-- Below each campaign, and below each account, stands a member for what is not broken down further.
member as (
    select
        case level
            when 'account' then account_member_key
            when 'campaign' then campaign_member_key
            when 'ad_group' then ad_group_member_key
            else ad_member_key
        end as campaign_key,
        level,
        platform,
        account_id,
        campaign_id,
        ad_group_id,
        ad_id,
        account_member_key,
        campaign_member_key,
        ad_group_member_key,
        ad_member_key,
        false as is_not_at_this_level
    from member_keyed

    union all

    select
        {{ campaign_residual_key('ad_group') }}
            as campaign_key,
        'ad_group' as level,
        platform,
        account_id,
        campaign_id,
        ad_group_id,
        ad_id,
        account_member_key,
        campaign_member_key,
        {{ campaign_residual_key('ad_group') }}
            as ad_group_member_key,
        cast(0 as bigint) as ad_member_key,
        true as is_not_at_this_level
    from member_keyed
    where level in ('account', 'campaign')

    union all

    select
        {{ campaign_residual_key('ad') }} as campaign_key,
        'ad' as level,
        platform,
        account_id,
        campaign_id,
        ad_group_id,
        ad_id,
        account_member_key,
        campaign_member_key,
        cast(0 as bigint) as ad_group_member_key,
        {{ campaign_residual_key('ad') }} as ad_member_key,
        true as is_not_at_this_level
    from member_keyed
    where level in ('account', 'campaign')

    union all

    select
        {{ campaign_residual_key('campaign') }}
            as campaign_key,
        'campaign' as level,
        platform,
        account_id,
        campaign_id,
        ad_group_id,
        ad_id,
        account_member_key,
        {{ campaign_residual_key('campaign') }}
            as campaign_member_key,
        cast(0 as bigint) as ad_group_member_key,
        cast(0 as bigint) as ad_member_key,
        true as is_not_at_this_level
    from member_keyed
    where level = 'account'
),

-- What is said of each member itself, by the structure export, else by the names in the reports.
stated as (
    select
        case level
            when 'account' then {{ campaign_member_key('account', 'platform', 'account_id') }}
            when 'campaign'
                then {{ campaign_member_key('campaign', 'platform',
                    'coalesce(campaign_id, campaign_name)') }}
            when 'ad_group'
                then {{ campaign_member_key('ad_group', 'platform',
                    'coalesce(ad_group_id, ad_group_name)') }}
            else {{ campaign_member_key('ad', 'platform', 'coalesce(ad_id, ad_name)') }}
        end as member_key,
        level,
        coalesce(effective_at, {{ beginning() }}) as effective_at,
        case level
            when 'account' then account_name
            when 'campaign' then campaign_name
            when 'ad_group' then ad_group_name
            else ad_name
        end as member_name,
        status,
        campaign_type,
        objective,
        currency_code,
        account_zone,
        start_date,
        end_date,
        final_url,
        utm_source,
        utm_medium,
        utm_campaign,
        is_deleted,
        1 as precedence
    from campaign
),

reported_name as (
    select
        {{ campaign_member_key('account', 'platform', 'account_id') }} as member_key,
        'account' as level, account_name as member_name, first_date
    from reported
    where account_name is not null

    union all

    select
        {{ campaign_member_key('campaign', 'platform', 'coalesce(campaign_id, campaign_name)') }}
            as member_key,
        'campaign' as level, campaign_name as member_name, first_date
    from reported
    where campaign_name is not null

    union all

    select
        {{ campaign_member_key('ad_group', 'platform', 'coalesce(ad_group_id, ad_group_name)') }}
            as member_key,
        'ad_group' as level, ad_group_name as member_name, first_date
    from reported
    where ad_group_name is not null

    union all

    select
        {{ campaign_member_key('ad', 'platform', 'coalesce(ad_id, ad_name)') }}
            as member_key,
        'ad' as level, ad_name as member_name, first_date
    from reported
    where ad_name is not null
),

reported_version as (
    select
        member_key,
        level,
        cast(min(first_date) as timestamp) as effective_at,
        member_name
    from reported_name
    group by member_key, level, member_name
),

own as (
    select * from stated

    union all

    select
        reported_version.member_key,
        reported_version.level,
        arrow_cast(reported_version.effective_at, 'Timestamp(Microsecond, Some("UTC"))')
            as effective_at,
        reported_version.member_name,
        cast(null as text) as status,
        cast(null as text) as campaign_type,
        cast(null as text) as objective,
        cast(null as text) as currency_code,
        cast(null as text) as account_zone,
        cast(null as date) as start_date,
        cast(null as date) as end_date,
        cast(null as text) as final_url,
        cast(null as text) as utm_source,
        cast(null as text) as utm_medium,
        cast(null as text) as utm_campaign,
        cast(null as boolean) as is_deleted,
        2 as precedence
    from reported_version
    left anti join stated on reported_version.member_key = stated.member_key
),

own_at_time as (
    select
        *,
        row_number() over (
            partition by member_key, effective_at order by precedence, member_name
        ) as place
    from own
),

own_version_of_member as (
    select * from own_at_time where place = 1
),

-- Daily snapshots that say the same again are one version, before they multiply below.
{{ versions_of(
    'own_version_of_member',
    'member_key',
    [
        'level', 'member_name', 'status', 'campaign_type', 'objective', 'currency_code',
        'account_zone', 'start_date', 'end_date', 'final_url', 'utm_source', 'utm_medium',
        'utm_campaign', 'is_deleted',
    ],
    output='own_version'
) }},

-- A change anywhere above a member is a new version of the member: the hierarchy is flat.
member_above as (
    select
        campaign_key,
        unnest(make_array(
            account_member_key,
            case when level <> 'account' then campaign_member_key else 0 end,
            case when level in ('ad_group', 'ad') then ad_group_member_key else 0 end,
            case when level = 'ad' then ad_member_key else 0 end
        )) as above_key
    from member
),

stated_at as (
    select
        member_above.campaign_key,
        own_version.effective_from as effective_at,
        max(case when own_version.level = 'account' then own_version.member_name end)
            as account_name,
        max(case when own_version.level = 'account' then own_version.currency_code end)
            as account_currency_code,
        max(own_version.currency_code) as any_currency_code,
        max(own_version.account_zone) as account_zone,
        max(case when own_version.level = 'campaign' then own_version.member_name end)
            as campaign_name,
        max(case when own_version.level = 'campaign' then own_version.status end)
            as campaign_status,
        max(case when own_version.level = 'campaign' then own_version.campaign_type end)
            as campaign_type,
        max(case when own_version.level = 'campaign' then own_version.objective end) as objective,
        max(case when own_version.level = 'campaign' then own_version.start_date end) as start_date,
        max(case when own_version.level = 'campaign' then own_version.end_date end) as end_date,
        max(own_version.utm_source) as utm_source,
        max(own_version.utm_medium) as utm_medium,
        max(own_version.utm_campaign) as utm_campaign,
        max(case when own_version.level = 'ad_group' then own_version.member_name end)
            as ad_group_name,
        max(case when own_version.level = 'ad_group' then own_version.status end)
            as ad_group_status,
        max(case when own_version.level = 'ad' then own_version.member_name end) as ad_name,
        max(case when own_version.level = 'ad' then own_version.status end) as ad_status,
        max(own_version.final_url) as final_url,
        bool_or(own_version.is_deleted) as is_deleted
    from member_above
    inner join own_version on member_above.above_key = own_version.member_key
    group by member_above.campaign_key, own_version.effective_from
),

carried as (
    select
        campaign_key,
        effective_at,
        last_value(account_name) ignore nulls over so_far as account_name,
        last_value(coalesce(account_currency_code, any_currency_code)) ignore nulls over so_far
            as currency_code,
        last_value(account_zone) ignore nulls over so_far as account_zone,
        last_value(campaign_name) ignore nulls over so_far as campaign_name,
        last_value(campaign_status) ignore nulls over so_far as campaign_status,
        last_value(campaign_type) ignore nulls over so_far as campaign_type,
        last_value(objective) ignore nulls over so_far as objective,
        last_value(start_date) ignore nulls over so_far as start_date,
        last_value(end_date) ignore nulls over so_far as end_date,
        last_value(utm_source) ignore nulls over so_far as utm_source,
        last_value(utm_medium) ignore nulls over so_far as utm_medium,
        last_value(utm_campaign) ignore nulls over so_far as utm_campaign,
        last_value(ad_group_name) ignore nulls over so_far as ad_group_name,
        last_value(ad_group_status) ignore nulls over so_far as ad_group_status,
        last_value(ad_name) ignore nulls over so_far as ad_name,
        last_value(ad_status) ignore nulls over so_far as ad_status,
        last_value(final_url) ignore nulls over so_far as final_url,
        coalesce(last_value(is_deleted) ignore nulls over so_far, false) as is_deleted
    from stated_at
    window so_far as (
        partition by campaign_key
        order by effective_at
        rows between unbounded preceding and current row
    )
),

{{ versions_of('carried', 'campaign_key', attributes) }},

-- Members of which nothing is known but their ids have one version.
final as (
    select
        durable_key('campaign_version', cast(member.campaign_key as text),
            cast(coalesce(versions.valid_from, {{ beginning() }}) as text)) as campaign_version_key,
        member.campaign_key,
        member.level,
        member.account_member_key,
        member.campaign_member_key,
        member.ad_group_member_key,
        member.ad_member_key,
        member.platform,
        member.account_id,
        coalesce(versions.account_name, member.account_id) as account_name,
        versions.currency_code,
        versions.account_zone,
        member.campaign_id,
        case
            when member.is_not_at_this_level and member.level = 'campaign'
                then '(not at this level)'
            else coalesce(versions.campaign_name, member.campaign_id)
        end as campaign_name,
        versions.campaign_status,
        versions.campaign_type,
        versions.objective,
        versions.start_date,
        versions.end_date,
        versions.utm_source,
        versions.utm_medium,
        versions.utm_campaign,
        member.ad_group_id,
        case
            when member.is_not_at_this_level and member.level = 'ad_group'
                then '(not at this level)'
            else coalesce(versions.ad_group_name, member.ad_group_id)
        end as ad_group_name,
        versions.ad_group_status,
        member.ad_id,
        case
            when member.is_not_at_this_level and member.level = 'ad' then '(not at this level)'
            else coalesce(versions.ad_name, member.ad_id)
        end as ad_name,
        versions.ad_status,
        versions.final_url,
        coalesce(versions.is_deleted, false) as is_deleted,
        member.is_not_at_this_level,
        versions.effective_from,
        coalesce(versions.valid_from, {{ beginning() }}) as valid_from,
        coalesce(versions.valid_to, {{ end_of_time() }}) as valid_to,
        coalesce(versions.is_current, true) as is_current,
        coalesce(versions.version_number, 1) as version_number
    from member
    left join versions on member.campaign_key = versions.campaign_key

    union all

    select
        reserved.reserved_key as campaign_version_key,
        reserved.reserved_key as campaign_key,
        reserved.label as level,
        reserved.reserved_key as account_member_key,
        reserved.reserved_key as campaign_member_key,
        reserved.reserved_key as ad_group_member_key,
        reserved.reserved_key as ad_member_key,
        reserved.label as platform,
        cast(null as text) as account_id,
        reserved.label as account_name,
        cast(null as text) as currency_code,
        cast(null as text) as account_zone,
        cast(null as text) as campaign_id,
        reserved.label as campaign_name,
        cast(null as text) as campaign_status,
        cast(null as text) as campaign_type,
        cast(null as text) as objective,
        cast(null as date) as start_date,
        cast(null as date) as end_date,
        cast(null as text) as utm_source,
        cast(null as text) as utm_medium,
        cast(null as text) as utm_campaign,
        cast(null as text) as ad_group_id,
        reserved.label as ad_group_name,
        cast(null as text) as ad_group_status,
        cast(null as text) as ad_id,
        reserved.label as ad_name,
        cast(null as text) as ad_status,
        cast(null as text) as final_url,
        false as is_deleted,
        false as is_not_at_this_level,
        {{ no_instant() }} as effective_from,
        {{ beginning() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        true as is_current,
        cast(1 as bigint) as version_number
    from {{ reserved_members() }} as reserved
)

select * from final
