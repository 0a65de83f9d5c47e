-- grain: one row per ad account, report day, level, member, segment and time of report
{{ config(materialized='table', share=['reported', 'change', 'campaign_record']) }}

{%- set measures = ['spend', 'impressions', 'clicks', 'conversions', 'conversion_amount'] %}
{%- set levels = ['account', 'campaign', 'ad_group', 'ad'] %}

-- Spend is the same money at every level: the campaign's own row is what counts, and where a level
-- shows less (or more) than it, a residual row "not at this level" holds the difference. Platforms
-- restate their days: all of this is worked out for every time of report, so that what was believed
-- on day D stays answerable.
with ad_performance as (
    select
        *,
        case
            when ad_id is not null or level = 'ad' then 'ad'
            when ad_group_id is not null or level = 'ad_group' then 'ad_group'
            when campaign_id is not null or campaign_name is not null then 'campaign'
            else 'account'
        end as named_level,
        case
            when ad_id is not null or level = 'ad' then coalesce(ad_id, ad_name)
            when ad_group_id is not null or level = 'ad_group'
                then coalesce(ad_group_id, ad_group_name)
            when campaign_id is not null or campaign_name is not null
                then coalesce(campaign_id, campaign_name)
            else account_id
        end as named_id
    from {{ entity('ad_performance') }}
),

member as (
    select
        level as member_level,
        platform as member_platform,
        member_id,
        account_id as member_account_id,
        campaign_id as member_campaign_id,
        ad_group_id as member_ad_group_id,
        ad_id as member_ad_id
    from {{ ref('int_campaign_member') }}
),

-- What the report does not say of the hierarchy, the structure does.
placed as (
    select
        ad_performance.platform,
        coalesce(ad_performance.account_id, member.member_account_id) as account_id,
        ad_performance.report_date,
        ad_performance.level,
        coalesce(ad_performance.campaign_id, member.member_campaign_id) as campaign_id,
        coalesce(ad_performance.ad_group_id, member.member_ad_group_id) as ad_group_id,
        coalesce(ad_performance.ad_id, member.member_ad_id) as ad_id,
        ad_performance.segment,
        coalesce(
            ad_performance.reported_at, ad_performance.effective_at, {{ beginning() }}
        ) as reported_at,
        ad_performance.source_name,
        ad_performance.currency_code,
        ad_performance.account_zone,
        ad_performance.spend_amount,
        ad_performance.impressions,
        ad_performance.clicks,
        ad_performance.platform_conversions,
        ad_performance.platform_conversion_amount
    from ad_performance
    left join member
        on
            ad_performance.platform = member.member_platform
            and ad_performance.named_level = member.member_level
            and ad_performance.named_id = member.member_id
),

reported as (
    select
        platform,
        account_id,
        report_date,
        level,
        campaign_id,
        ad_group_id,
        ad_id,
        segment,
        reported_at,
        max(source_name) as source_name,
        max(currency_code) as currency_code,
        max(account_zone) as account_zone,
        max(coalesce(spend_amount, {{ no_money() }})) as spend,
        max(cast(coalesce(impressions, 0) as decimal(18, 6))) as impressions,
        max(cast(coalesce(clicks, 0) as decimal(18, 6))) as clicks,
        max(cast(coalesce(platform_conversions, 0) as decimal(18, 6))) as conversions,
        max(coalesce(platform_conversion_amount, {{ no_money() }})) as conversion_amount
    from placed
    group by
        platform, account_id, report_date, level, campaign_id, ad_group_id, ad_id, segment,
        reported_at
),

-- What each report changed against the one before it: changes add up, states do not.
change as (
    select
        platform,
        account_id,
        report_date,
        level,
        campaign_id,
        reported_at,
        currency_code,
        account_zone,
        source_name,
        case when row_number() over versions = 1 then 1 else 0 end as row_change
        {%- for measure in measures %},
        {{ measure }} - lag({{ measure }}, 1, {{ no_money() }}) over versions
            as {{ measure }}_change
        {%- endfor %}
    from reported
    where level in ('account', 'campaign', 'ad_group', 'ad')
    window versions as (
        partition by
            platform, account_id, report_date, level, campaign_id, ad_group_id, ad_id, segment
        order by reported_at
    )
),

-- Ads and ad groups whose campaign nobody names (platforms take deleted ones out of the structure).
campaign_unknown as (
    select
        platform,
        account_id,
        report_date,
        max(currency_code) as currency_code,
        max(account_zone) as account_zone,
        max(source_name) as source_name
    from change
    where level in ('ad_group', 'ad') and campaign_id is null
    group by platform, account_id, report_date
),

-- The campaigns of their account and day have that money already, once they are reported. Without
-- an account it may be any of the platform.
campaign_elsewhere as (
    select
        campaign_unknown.platform,
        campaign_unknown.account_id,
        campaign_unknown.report_date,
        change.reported_at,
        campaign_unknown.currency_code,
        campaign_unknown.account_zone,
        campaign_unknown.source_name,
        change.row_change
    from campaign_unknown
    inner join change
        on
            campaign_unknown.platform = change.platform
            and campaign_unknown.report_date = change.report_date
            and coalesce(campaign_unknown.account_id, change.account_id, '')
                = coalesce(change.account_id, '')
    where change.level = 'campaign' and change.campaign_id is not null
),

-- What each report changed of a campaign, and of those elsewhere.
campaign_part as (
    select
        platform,
        account_id,
        report_date,
        campaign_id,
        reported_at,
        currency_code,
        account_zone,
        source_name
        {%- for level in levels if level != 'account' %},
        case when level = '{{ level }}' then row_change else 0 end as {{ level }}_rows
        {%- for measure in measures %},
        case when level = '{{ level }}' then {{ measure }}_change else 0 end
            as {{ level }}_{{ measure }}
        {%- endfor %}
        {%- endfor %},
        0 as elsewhere_rows
    from change
    where level <> 'account'

    union all

    select
        platform,
        account_id,
        report_date,
        cast(null as text) as campaign_id,
        reported_at,
        currency_code,
        account_zone,
        source_name
        {%- for level in levels if level != 'account' %},
        0 as {{ level }}_rows
        {%- for measure in measures %},
        cast(0 as decimal(18, 6)) as {{ level }}_{{ measure }}
        {%- endfor %}
        {%- endfor %},
        row_change as elsewhere_rows
    from campaign_elsewhere
),

-- Per campaign: the totals that its own rows, its ad groups and its ads show after each report.
-- A row of these levels without a campaign counts as a campaign of its own, the account's rest.
campaign_change as (
    select
        platform,
        account_id,
        report_date,
        campaign_id,
        reported_at,
        max(currency_code) as currency_code,
        max(account_zone) as account_zone,
        max(source_name) as source_name
        {%- for level in levels if level != 'account' %},
        sum({{ level }}_rows) as {{ level }}_rows
        {%- for measure in measures %},
        sum({{ level }}_{{ measure }}) as {{ level }}_{{ measure }}
        {%- endfor %}
        {%- endfor %},
        sum(elsewhere_rows) as elsewhere_rows
    from campaign_part
    group by platform, account_id, report_date, campaign_id, reported_at
),

campaign_total as (
    select
        platform,
        account_id,
        report_date,
        campaign_id,
        reported_at,
        currency_code,
        account_zone,
        source_name
        {%- for level in levels if level != 'account' %},
        sum({{ level }}_rows) over so_far as {{ level }}_rows
        {%- for measure in measures %},
        sum({{ level }}_{{ measure }}) over so_far as {{ level }}_{{ measure }}
        {%- endfor %}
        {%- endfor %},
        sum(elsewhere_rows) over so_far as elsewhere_rows
    from campaign_change
    window so_far as (
        partition by platform, account_id, report_date, campaign_id
        order by reported_at
        rows between unbounded preceding and current row
    )
),

-- The record of a campaign: its own rows; without them its ad groups; without those its ads. What
-- other campaigns have already is none.
campaign_record as (
    select
        *
        {%- for measure in measures %},
        case
            when campaign_rows > 0 then campaign_{{ measure }}
            when elsewhere_rows > 0 then 0
            when ad_group_rows > 0 then ad_group_{{ measure }}
            else ad_{{ measure }}
        end as {{ measure }}
        {%- endfor %}
    from campaign_total
),

-- Rows that make each level below and at the campaign sum to its record.
campaign_gap as (
    select
        platform, account_id, report_date, campaign_id, reported_at, currency_code, account_zone,
        source_name,
        'campaign' as gap_of,
        unnest(make_array(
            named_struct(
                'level', 'campaign',
                'kind', 'derived'
                {%- for measure in measures %},
                '{{ measure }}', case when campaign_rows > 0 then 0 else {{ measure }} end
                {%- endfor %}
            )
            {%- for level in ['ad_group', 'ad'] %},
            named_struct(
                'level', '{{ level }}',
                'kind', 'residual'
                {%- for measure in measures %},
                '{{ measure }}', {{ measure }} - {{ level }}_{{ measure }}
                {%- endfor %}
            )
            {%- endfor %}
        )) as gap
    from campaign_record
),

-- The account: the sum of its campaigns; only where there are none, its own rows.
campaign_record_change as (
    select
        platform,
        account_id,
        report_date,
        reported_at,
        currency_code,
        account_zone,
        source_name,
        0 as account_rows,
        case when row_number() over records = 1 then 1 else 0 end as campaign_count
        {%- for measure in measures %},
        cast(0 as decimal(18, 6)) as account_{{ measure }},
        {{ measure }} - lag({{ measure }}, 1, {{ no_money() }}) over records
            as campaign_{{ measure }}
        {%- endfor %}
    from campaign_record
    window records as (
        partition by platform, account_id, report_date, campaign_id order by reported_at
    )
),

account_change as (
    select * from campaign_record_change

    union all

    select
        platform,
        account_id,
        report_date,
        reported_at,
        currency_code,
        account_zone,
        source_name,
        row_change as account_rows,
        0 as campaign_count
        {%- for measure in measures %},
        {{ measure }}_change as account_{{ measure }},
        cast(0 as decimal(18, 6)) as campaign_{{ measure }}
        {%- endfor %}
    from change
    where level = 'account'
),

account_at as (
    select
        platform,
        account_id,
        report_date,
        reported_at,
        max(currency_code) as currency_code,
        max(account_zone) as account_zone,
        max(source_name) as source_name,
        sum(account_rows) as account_rows,
        sum(campaign_count) as campaign_count
        {%- for measure in measures %},
        sum(account_{{ measure }}) as account_{{ measure }},
        sum(campaign_{{ measure }}) as campaign_{{ measure }}
        {%- endfor %}
    from account_change
    group by platform, account_id, report_date, reported_at
),

account_total as (
    select
        platform,
        account_id,
        report_date,
        reported_at,
        currency_code,
        account_zone,
        source_name,
        sum(account_rows) over so_far as account_rows,
        sum(campaign_count) over so_far as campaign_count
        {%- for measure in measures %},
        sum(account_{{ measure }}) over so_far as account_{{ measure }},
        sum(campaign_{{ measure }}) over so_far as campaign_{{ measure }}
        {%- endfor %}
    from account_at
    window so_far as (
        partition by platform, account_id, report_date
        order by reported_at
        rows between unbounded preceding and current row
    )
),

account_gap as (
    select
        platform,
        account_id,
        report_date,
        cast(null as text) as campaign_id,
        reported_at,
        currency_code,
        account_zone,
        source_name,
        'account' as gap_of,
        unnest(make_array(
            named_struct(
                'level', 'account',
                'kind', case when account_rows > 0 then 'residual' else 'derived' end
                {%- for measure in measures %},
                '{{ measure }}',
                case
                    when campaign_count > 0 then campaign_{{ measure }} - account_{{ measure }}
                    else 0
                end
                {%- endfor %}
            )
            {%- for level in ['campaign', 'ad_group', 'ad'] %},
            named_struct(
                'level', '{{ level }}',
                'kind', 'residual'
                {%- for measure in measures %},
                '{{ measure }}', case when campaign_count > 0 then 0 else account_{{ measure }} end
                {%- endfor %}
            )
            {%- endfor %}
        )) as gap
    from account_total
),

gap as (
    select * from campaign_gap
    union all
    select * from account_gap
),

gap_flat as (
    select
        platform,
        account_id,
        report_date,
        gap['level'] as level,
        gap['kind'] as record_kind,
        campaign_id,
        reported_at,
        currency_code,
        account_zone,
        source_name,
        gap_of
        {%- for measure in measures %},
        cast(gap['{{ measure }}'] as decimal(18, 6)) as {{ measure }}
        {%- endfor %}
    from gap
),

-- A gap is written when it changes: from nothing to something, or to another size, or back.
gap_change as (
    select
        *
        {%- for measure in measures %},
        lag({{ measure }}, 1, {{ no_money() }}) over gaps as previous_{{ measure }}
        {%- endfor %}
    from gap_flat
    window gaps as (
        partition by platform, account_id, report_date, gap_of, level, campaign_id
        order by reported_at
    )
),

every_row as (
    select
        platform,
        account_id,
        report_date,
        level,
        'reported' as record_kind,
        campaign_id,
        ad_group_id,
        ad_id,
        segment,
        reported_at,
        currency_code,
        account_zone,
        source_name,
        'none' as gap_of
        {%- for measure in measures %},
        {{ measure }}
        {%- endfor %}
    from reported

    union all

    select
        platform,
        account_id,
        report_date,
        level,
        record_kind,
        campaign_id,
        cast(null as text) as ad_group_id,
        cast(null as text) as ad_id,
        cast(null as text) as segment,
        reported_at,
        currency_code,
        account_zone,
        source_name,
        gap_of
        {%- for measure in measures %},
        {{ measure }}
        {%- endfor %}
    from gap_change
    where
        {%- for measure in measures %}
        {{ '' if loop.first else 'or ' }}{{ measure }} <> previous_{{ measure }}
        {%- endfor %}
),

final as (
    select
        report_date,
        reported_at,
        lead(reported_at) over versions as superseded_at,
        lead(reported_at) over versions is null as is_current,
        platform,
        account_id,
        level,
        record_kind,
        gap_of,
        campaign_id,
        ad_group_id,
        ad_id,
        segment,
        source_name,
        currency_code,
        account_zone,
        cast(spend as decimal(18, 6)) as spend_amount,
        cast(impressions as bigint) as impressions,
        cast(clicks as bigint) as clicks,
        cast(conversions as double) as platform_conversions,
        cast(conversion_amount as decimal(18, 6)) as platform_conversion_amount,
        level in ('account', 'campaign', 'ad_group', 'ad') as is_in_hierarchy
    from every_row
    window versions as (
        partition by
            platform, account_id, report_date, level, gap_of,
            campaign_id, ad_group_id, ad_id, segment
        order by reported_at
    )
)

select * from final
