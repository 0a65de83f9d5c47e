-- grain: one row per version of an account, campaign, ad group or ad of an ad platform
{{ config(
    materialized='table',
    sort=['campaign_key', 'valid_from'],
    share=['reported', 'stated', 'own_version', 'said_above']
) }}

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
        ad_group_id, ad_group_name, ad_id, ad_name, report_date,
        min(coalesce(reported_at, effective_at)) as reported_at
    from {{ entity('ad_performance') }}
    where level in ('account', 'campaign', 'ad_group', 'ad')
    group by
        platform, account_id, account_name, level, campaign_id, campaign_name,
        ad_group_id, ad_group_name, ad_id, ad_name, report_date
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
        _raw_id
    from campaign
),

reported_name as (
    select
        {{ campaign_member_key('account', 'platform', 'account_id') }}
            as member_key,
        'account' as level, account_name as member_name, report_date, reported_at
    from reported
    where account_name is not null

    union all

    select
        {{ campaign_member_key('campaign', 'platform', 'coalesce(campaign_id, campaign_name)') }}
            as member_key,
        'campaign' as level, campaign_name as member_name, report_date, reported_at
    from reported
    where campaign_name is not null

    union all

    select
        {{ campaign_member_key('ad_group', 'platform', 'coalesce(ad_group_id, ad_group_name)') }}
            as member_key,
        'ad_group' as level, ad_group_name as member_name, report_date, reported_at
    from reported
    where ad_group_name is not null

    union all

    select
        {{ campaign_member_key('ad', 'platform', 'coalesce(ad_id, ad_name)') }}
            as member_key,
        'ad' as level, ad_name as member_name, report_date, reported_at
    from reported
    where ad_name is not null
),

unstated_name as (
    select
        reported_name.member_key,
        reported_name.level,
        reported_name.member_name,
        reported_name.report_date,
        min(reported_name.reported_at) as reported_at
    from reported_name
    left anti join stated on reported_name.member_key = stated.member_key
    group by
        reported_name.member_key, reported_name.level, reported_name.member_name,
        reported_name.report_date
),

-- The first report about a day has the name of that day. One that restates the day under another
-- name has the name of the day on which it restates: platforms know today's name only.
reported_version as (
    select
        member_key,
        level,
        member_name,
        report_date,
        case
            when row_number() over (
                partition by member_key, report_date
                order by reported_at nulls first, member_name
            ) = 1 then arrow_cast(report_date, 'Timestamp(Microsecond, Some("UTC"))')
            else coalesce(
                reported_at, arrow_cast(report_date, 'Timestamp(Microsecond, Some("UTC"))')
            )
        end as effective_at
    from unstated_name
),

own as (
    select *, cast(null as date) as report_date from stated

    union all

    select
        member_key,
        level,
        effective_at,
        member_name,
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
        cast(0 as bigint) as _raw_id,
        report_date
    from reported_version
),

-- Daily snapshots that say the same again are one version, before they multiply below.
{{ versions_of(
    'own',
    'member_key',
    [
        'level', 'member_name', 'status', 'campaign_type', 'objective', 'currency_code',
        'account_zone', 'start_date', 'end_date', 'final_url', 'utm_source', 'utm_medium',
        'utm_campaign',
    ],
    output='own_version',
    sequence=['_raw_id', 'report_date', 'member_name'],
    deleted='is_deleted'
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

said_above as (
    select
        member_above.campaign_key,
        own_version.*
    from member_above
    inner join own_version on member_above.above_key = own_version.member_key
),

first_word as (
    select member_key, min(effective_from) as effective_from
    from own_version
    group by member_key
),

-- What lies above may be older than the member: its history begins with what is said of itself.
instant as (
    select
        said_above.campaign_key,
        greatest(
            said_above.effective_from,
            coalesce(first_word.effective_from, said_above.effective_from)
        ) as effective_at
    from said_above
    left join first_word on said_above.campaign_key = first_word.member_key
    group by
        said_above.campaign_key,
        greatest(
            said_above.effective_from,
            coalesce(first_word.effective_from, said_above.effective_from)
        )
),

-- What held at each level at that instant: one version of each.
flat as (
    select
        instant.campaign_key,
        instant.effective_at,
        {%- for level, name in [
            ('account', 'account_name'), ('campaign', 'campaign_name'),
            ('ad_group', 'ad_group_name'), ('ad', 'ad_name')
        ] %}
        max(case when said_above.level = '{{ level }}' then said_above.member_name end)
            as {{ name }},
        {%- endfor %}
        {%- for level in ['campaign', 'ad_group', 'ad'] %}
        max(case when said_above.level = '{{ level }}' then said_above.status end)
            as {{ level }}_status,
        {%- endfor %}
        {%- for column in ['campaign_type', 'objective', 'start_date', 'end_date'] %}
        max(case when said_above.level = 'campaign' then said_above.{{ column }} end)
            as {{ column }},
        {%- endfor %}
        -- An account's currency holds for what lies below it.
        coalesce(
            max(case when said_above.level = 'account' then said_above.currency_code end),
            max(said_above.currency_code)
        ) as currency_code,
        max(said_above.account_zone) as account_zone,
        -- The nearest level that says it.
        {%- for column in ['utm_source', 'utm_medium', 'utm_campaign', 'final_url'] %}
        coalesce(
            {%- for level in ['ad', 'ad_group', 'campaign', 'account'] %}
            max(case when said_above.level = '{{ level }}' then said_above.{{ column }} end)
                {{- ',' if not loop.last }}
            {%- endfor %}
        ) as {{ column }},
        {%- endfor %}
        bool_or(said_above.is_deleted) as is_deleted
    from instant
    inner join said_above
        on
            instant.campaign_key = said_above.campaign_key
            and instant.effective_at >= said_above.valid_from
            and instant.effective_at < said_above.valid_to
    group by instant.campaign_key, instant.effective_at
),

{{ versions_of('flat', 'campaign_key', attributes) }},

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
