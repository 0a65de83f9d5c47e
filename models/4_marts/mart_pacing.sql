-- grain: one row per plan, measure, scope, period and currency
{{ config(
    materialized='table',
    sort=['period_start', 'plan_name'],
    share=['meant', 'dated', 'summed']
) }}

{%- set reporting = project.reporting.currency %}
{#- A ratio is worked out from two measures; all others are themselves. -#}
{%- set ratios = {
    'roas': ['revenue', 'spend'],
    'cpa': ['spend', 'conversions'],
    'cpl': ['spend', 'leads'],
    'cac': ['spend', 'new_customers'],
    'cpc': ['spend', 'clicks'],
    'ctr': ['clicks', 'impressions'],
} %}

with target as (
    select
        *,
        case metric
            {%- for ratio, parts in ratios | items %}
            when '{{ ratio }}' then '{{ parts[0] }}'
            {%- endfor %}
            else metric
        end as numerator,
        case metric
            {%- for ratio, parts in ratios | items %}
            when '{{ ratio }}' then '{{ parts[1] }}'
            {%- endfor %}
        end as denominator
    from {{ ref('int_target') }}
),

actual as (
    select * from {{ ref('int_target_actual') }}
),

-- What can be measured: each campaign in each of its channels.
member as (
    select platform, account_id, campaign_key, channel_key
    from actual
    group by platform, account_id, campaign_key, channel_key
),

channel as (
    select channel_key, {{ campaign_alias_text('channel') }} as channel_text
    from {{ ref('dim_channel') }}
),

campaign_name as (
    select
        campaign_key,
        campaign_id,
        {{ campaign_alias_text('campaign_name') }} as campaign_text,
        cast(valid_from as date) as first_date,
        cast(valid_to as date) as last_date
    from {{ ref('dim_campaign') }}
    where level = 'campaign'
),

campaign_market as (
    select campaign_key, {{ campaign_alias_text('value') }} as market_text
    from {{ ref('bridge_campaign_name_part') }}
    where part = 'market' and is_valid
),

member_of_target as (
    select
        target.target_key,
        member.platform,
        member.account_id,
        member.campaign_key,
        member.channel_key
    from target
    inner join member
        on
            (
                target.platform is null
                or target.platform = {{ campaign_alias_text('member.platform') }}
            )
            and (
                target.account_id is null
                or {{ bare_account_id('target.account_id') }}
                = {{ bare_account_id('member.account_id') }}
            )
    left join channel on member.channel_key = channel.channel_key
    left join campaign_market on member.campaign_key = campaign_market.campaign_key
    where
        (
            target.channel is null
            or {{ campaign_alias_text('target.channel') }} = channel.channel_text
        )
        and (
            target.market is null
            or {{ campaign_alias_text('target.market') }} = campaign_market.market_text
        )
),

-- A campaign is meant by its id, or by a name that it has in the period; where none has it then, by
-- any name that it ever had.
named as (
    select
        member_of_target.target_key,
        member_of_target.platform,
        member_of_target.account_id,
        member_of_target.campaign_key,
        member_of_target.channel_key,
        bool_or(
            target.campaign_name is null
            or target.campaign_id is not null
            or (
                campaign_name.first_date <= target.period_end
                and campaign_name.last_date >= target.period_start
            )
        ) as has_it_then
    from member_of_target
    inner join target on member_of_target.target_key = target.target_key
    left join campaign_name on member_of_target.campaign_key = campaign_name.campaign_key
    where
        (target.campaign_id is null or target.campaign_id = campaign_name.campaign_id)
        and (
            target.campaign_name is null
            or target.campaign_id is not null
            or {{ campaign_alias_text('target.campaign_name') }} = campaign_name.campaign_text
        )
    group by
        member_of_target.target_key, member_of_target.platform, member_of_target.account_id,
        member_of_target.campaign_key, member_of_target.channel_key
),

judged as (
    select
        *,
        bool_or(has_it_then) over (partition by target_key) as some_have_it_then
    from named
),

meant as (
    select target_key, platform, account_id, campaign_key, channel_key
    from judged
    where has_it_then or not some_have_it_then
),

-- Figures reach to the last day that anything of the scope's platform was reported for.
last_day as (
    select platform, max(date) as last_date
    from actual
    where measure = 'impressions'
    group by platform
),

last_day_of_all as (
    select max(date) as last_date from actual
),

dated as (
    select
        target.*,
        {%- if var('as_of_date', '') %}
        cast('{{ var('as_of_date') }}' as date)
        {%- else %}
        coalesce(last_day.last_date, last_day_of_all.last_date)
        {%- endif %} as as_of_date
    from target
    left join last_day
        on target.platform = {{ campaign_alias_text('last_day.platform') }}
    cross join last_day_of_all
),

-- Money counts in the plan's own currency; of another currency only what the reporting currency,
-- if the plan is in that, says of it. The rest is counted as missing and never added.
counted as (
    select
        dated.target_key,
        actual.measure,
        case
            when actual.measure not in ('spend', 'revenue')
                or actual.currency_code = dated.currency_code
                then actual.amount
            when coalesce(dated.currency_code, '{{ reporting }}') = '{{ reporting }}'
                and not actual.is_partial
                then actual.reporting_amount
        end as amount,
        actual.amount as own_amount
    from dated
    inner join meant on dated.target_key = meant.target_key
    inner join actual
        on
            meant.campaign_key = actual.campaign_key
            and meant.channel_key = actual.channel_key
            and (meant.platform is not distinct from actual.platform)
            and (meant.account_id is not distinct from actual.account_id)
    where
        actual.date between dated.period_start and least(dated.period_end, dated.as_of_date)
        and (actual.measure = dated.numerator or actual.measure = dated.denominator)
),

summed as (
    select
        target_key,
        measure,
        sum(amount) as amount,
        sum(case when own_amount <> 0 and amount is null then 1 else 0 end) as unconverted_rows
    from counted
    group by target_key, measure
),

scope_size as (
    select target_key, count(distinct campaign_key) as campaign_count
    from meant
    group by target_key
),

expected as (
    select dated.target_key, sum(budget_day.day_amount) as expected_amount
    from dated
    inner join {{ ref('fct_budget_day') }} as budget_day
        on dated.target_key = budget_day.target_key
    where budget_day.date <= dated.as_of_date
    group by dated.target_key
),

joined as (
    select
        dated.*,
        case
            when dated.as_of_date is null or dated.as_of_date < dated.period_start then 0
            else least(
                dated.days_in_period,
                cast(date_part('epoch', cast(dated.as_of_date as timestamp)) / 86400 as bigint)
                - cast(date_part('epoch', cast(dated.period_start as timestamp)) / 86400 as bigint)
                + 1
            )
        end as days_elapsed,
        cast(coalesce(scope_size.campaign_count, 0) as bigint) as campaign_count,
        cast(case
            when dated.as_of_date is null or dated.as_of_date < dated.period_start then null
            when dated.is_ratio
                then cast({{ ratio('numerator.amount', 'denominator.amount') }} as decimal(18, 6))
            -- Nothing of it could be compared: unknown, and not nothing.
            when numerator.amount is null and numerator.unconverted_rows > 0 then null
            else coalesce(numerator.amount, 0)
        end as decimal(18, 6)) as actual_amount,
        cast(case
            when dated.is_ratio then dated.amount
            else coalesce(expected.expected_amount, 0)
        end as decimal(18, 6)) as expected_amount,
        cast(
            coalesce(numerator.unconverted_rows, 0) + coalesce(denominator.unconverted_rows, 0)
            as bigint
        ) as unconverted_rows
    from dated
    left join summed as numerator
        on dated.target_key = numerator.target_key and dated.numerator = numerator.measure
    left join summed as denominator
        on dated.target_key = denominator.target_key and dated.denominator = denominator.measure
    left join expected on dated.target_key = expected.target_key
    left join scope_size on dated.target_key = scope_size.target_key
),

final as (
    select
        target_key,
        plan_name,
        plan_version,
        metric,
        scope,
        platform,
        account_id,
        channel,
        market,
        campaign_id,
        campaign_name,
        campaign_count,
        period_start,
        period_end,
        days_in_period,
        as_of_date,
        cast(days_elapsed as bigint) as days_elapsed,
        case
            when days_elapsed = 0 then 'not started'
            when days_elapsed < days_in_period then 'running'
            else 'ended'
        end as status,
        currency_code,
        amount as budget_amount,
        actual_amount,
        expected_amount,
        cast(actual_amount - expected_amount as decimal(18, 6)) as difference_amount,
        {{ ratio('actual_amount', 'expected_amount') }} as pace,
        -- At the rate of the days so far; a ratio stays what it is.
        cast(case
            when days_elapsed = 0 then null
            when is_ratio then actual_amount
            else cast(actual_amount as decimal(28, 6)) * days_in_period / days_elapsed
        end as decimal(18, 6)) as forecast_amount,
        unconverted_rows,
        unconverted_rows > 0 as is_partial
    from joined
)

select * from final
