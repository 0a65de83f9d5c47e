-- grain: one row per account, campaign, ad group or ad of an ad platform
{{ config(
    materialized='table',
    share=['stated', 'own', 'ad_group', 'ad', 'campaign_member']
) }}

-- Reports often name a member by its own id alone (LinkedIn's by creative, Meta's by ad). What it
-- lies below is said by the structure export, by a click, or by another report: put together here.
with campaign as (
    select
        platform, level, account_id, campaign_id, ad_group_id, ad_id,
        campaign_name, ad_group_name, ad_name,
        1 as precedence,
        max(coalesce(effective_at, {{ beginning() }})) as known_at
    from {{ entity('campaign') }}
    group by
        platform, level, account_id, campaign_id, ad_group_id, ad_id,
        campaign_name, ad_group_name, ad_name
),

reported as (
    select
        platform, level, account_id, campaign_id, ad_group_id, ad_id,
        campaign_name, ad_group_name, ad_name,
        2 as precedence,
        arrow_cast(max(report_date), 'Timestamp(Microsecond, Some("UTC"))') as known_at
    from {{ entity('ad_performance') }}
    group by
        platform, level, account_id, campaign_id, ad_group_id, ad_id,
        campaign_name, ad_group_name, ad_name
),

clicked as (
    select
        platform,
        case
            when ad_id is not null then 'ad'
            when ad_group_id is not null then 'ad_group'
            when campaign_id is not null then 'campaign'
            else 'account'
        end as level,
        account_id, campaign_id, ad_group_id, ad_id,
        cast(null as text) as campaign_name,
        cast(null as text) as ad_group_name,
        cast(null as text) as ad_name,
        3 as precedence,
        arrow_cast(max(click_date), 'Timestamp(Microsecond, Some("UTC"))') as known_at
    from {{ entity('ad_click') }}
    group by platform, account_id, campaign_id, ad_group_id, ad_id
),

stated as (
    select * from campaign
    union all
    select * from reported
    union all
    select * from clicked
),

-- A member that has no id goes by its name. A row about an ad also speaks of its group, and so on.
named as (
    select
        platform,
        account_id,
        case when level = 'campaign' then coalesce(campaign_id, campaign_name) else campaign_id end
            as campaign_id,
        case when level = 'ad_group' then coalesce(ad_group_id, ad_group_name) else ad_group_id end
            as ad_group_id,
        case when level = 'ad' then coalesce(ad_id, ad_name) else ad_id end as ad_id,
        campaign_name,
        precedence,
        known_at
    from stated
),

mention as (
    select
        platform,
        account_id,
        campaign_id,
        ad_group_id,
        campaign_name,
        precedence,
        known_at,
        unnest(make_array(
            named_struct('level', 'ad', 'id', ad_id),
            named_struct('level', 'ad_group', 'id', ad_group_id),
            named_struct('level', 'campaign', 'id', campaign_id)
        )) as member
    from named
),

-- The latest word of the strongest source, for each level above by itself.
placed as (
    select
        platform,
        member['level'] as level,
        member['id'] as member_id,
        first_value(account_id) ignore nulls over best as account_id,
        first_value(campaign_id) ignore nulls over best as campaign_id,
        first_value(ad_group_id) ignore nulls over best as ad_group_id,
        first_value(campaign_name) ignore nulls over best as campaign_name,
        row_number() over (partition by platform, member['level'], member['id']) as place
    from mention
    where member['id'] is not null
    window best as (
        partition by platform, member['level'], member['id']
        order by precedence, known_at desc, account_id, campaign_id, ad_group_id
        rows between unbounded preceding and unbounded following
    )
),

own as (
    select * from placed where place = 1
),

ad_group as (
    select
        own.platform,
        own.member_id as ad_group_id,
        -- Without any id, the campaign goes by the name that stands in the report.
        coalesce(own.campaign_id, own.campaign_name) as campaign_id,
        own.account_id
    from own
    where own.level = 'ad_group'
),

ad as (
    select
        own.platform,
        own.member_id as ad_id,
        own.ad_group_id,
        coalesce(own.campaign_id, ad_group.campaign_id, own.campaign_name) as campaign_id,
        coalesce(own.account_id, ad_group.account_id) as account_id
    from own
    left join ad_group
        on own.platform = ad_group.platform and own.ad_group_id = ad_group.ad_group_id
    where own.level = 'ad'
),

-- Campaigns, those too that only a name in the row of an ad or ad group speaks of.
campaign_mention as (
    select platform, member_id as campaign_id, account_id from own where level = 'campaign'
    union all
    select platform, campaign_id, account_id from ad_group where campaign_id is not null
    union all
    select platform, campaign_id, account_id from ad where campaign_id is not null
),

campaign_member as (
    select platform, campaign_id, min(account_id) as account_id
    from campaign_mention
    group by platform, campaign_id
),

below as (
    select
        'campaign' as level,
        platform,
        campaign_id as member_id,
        account_id,
        campaign_id,
        cast(null as text) as ad_group_id,
        cast(null as text) as ad_id
    from campaign_member

    union all

    select
        'ad_group' as level,
        ad_group.platform,
        ad_group.ad_group_id as member_id,
        coalesce(ad_group.account_id, campaign_member.account_id) as account_id,
        ad_group.campaign_id,
        ad_group.ad_group_id,
        cast(null as text) as ad_id
    from ad_group
    left join campaign_member
        on
            ad_group.platform = campaign_member.platform
            and ad_group.campaign_id = campaign_member.campaign_id

    union all

    select
        'ad' as level,
        ad.platform,
        ad.ad_id as member_id,
        coalesce(ad.account_id, campaign_member.account_id) as account_id,
        ad.campaign_id,
        ad.ad_group_id,
        ad.ad_id
    from ad
    left join campaign_member
        on ad.platform = campaign_member.platform and ad.campaign_id = campaign_member.campaign_id
),

account_mention as (
    select platform, account_id from stated
    union all
    select platform, account_id from below
),

account as (
    select platform, account_id
    from account_mention
    group by platform, account_id
),

final as (
    select * from below

    union all

    select
        'account' as level,
        platform,
        account_id as member_id,
        account_id,
        cast(null as text) as campaign_id,
        cast(null as text) as ad_group_id,
        cast(null as text) as ad_id
    from account
)

select * from final
