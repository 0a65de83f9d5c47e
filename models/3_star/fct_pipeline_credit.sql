-- grain: one row per deal, model and credited touch of the people who take part, or its one
-- unattributed row
{{ config(materialized='table', sort=['deal_key', 'model']) }}

-- Open and lost deals are no conversions and bring no revenue, but their touches can be weighed by
-- the same rules. A deal that is over is credited to what came before its end, an open one to all
-- that came so far, as if it ended now.
{%- set compares_channels =
    'exposure' in project.attribution.path_transforms
    or 'first' in project.attribution.path_transforms %}

with deal as (
    select
        deal_id, deal_key, outcome, amount, reporting_amount, currency_code, exchange_rate,
        created_at, closed_at, is_partial
    from {{ ref('int_deal') }}
    where not is_deleted
),

member as (
    select deal_key, customer_key
    from {{ ref('int_deal_party') }}
    where customer_key <> 0
    group by deal_key, customer_key
),

touch as (
    select
        customer_key, event_at, touch_id, touch_type, channel_key, campaign_key, is_direct
    from {{ ref('int_customer_touch') }}
    where not is_conversion and customer_key <> 0
),

deal_touch as (
    select member.deal_key, touch.*
    from member
    inner join touch on member.customer_key = touch.customer_key

    union all

    -- Nobody wrote down who of the company it was: the touch counts for each of its deals.
    select
        durable_key('deal', subject.record_id) as deal_key,
        cast(0 as bigint) as customer_key,
        account_touch.event_at,
        account_touch.touch_id,
        'activity' as touch_type,
        account_touch.channel_key,
        account_touch.campaign_key,
        false as is_direct
    from {{ ref('int_funnel_subject') }} as subject
    inner join {{ ref('int_account_touch') }} as account_touch
        on subject.subject_key = account_touch.account_key
    where subject.subject_type = 'account' and subject.record_type = 'deal'
),

last_touch as (
    select deal_key, max(event_at) as last_touch_at from deal_touch group by deal_key
),

conversion as (
    select
        deal.*,
        coalesce(
            deal.closed_at,
            greatest(
                deal.created_at, coalesce(last_touch.last_touch_at, deal.created_at)
            ),
            last_touch.last_touch_at,
            -- A deal that nothing dates stands unattributed.
            {{ beginning() }}
        ) as credited_at
    from deal
    left join last_touch on deal.deal_key = last_touch.deal_key
),

{% if uses_milestones() -%}
-- The people of a deal became leads before; the deal itself is the opportunity.
passed as (
    select member.deal_key, milestone.milestone, milestone.reached_at
    from member
    inner join {{ ref('int_customer_milestone') }} as milestone
        on member.customer_key = milestone.customer_key
    where milestone.milestone = 'lead'

    union all

    select deal_key, 'opportunity' as milestone, created_at as reached_at
    from deal
    where created_at is not null
),

{% endif -%}
channel as (
    select channel_key, is_paid, is_direct from {{ ref('dim_channel') }}
),

credited as (
    select
        conversion_key, model, touch_key, touch_at, touch_type, touch_channel_key,
        touch_campaign_key, touch_position, path_length, credit, credited_amount, is_unattributed
    from attribute((
        select
            deal_touch.deal_key as customer_key,
            deal_touch.event_at,
            false as is_conversion,
            deal_touch.touch_id as touch_key,
            deal_touch.is_direct or coalesce(channel.is_direct, false) as is_direct,
            cast(null as bigint) as conversion_key,
            cast(null as text) as conversion_type,
            cast(null as decimal(18, 6)) as amount,
            deal_touch.touch_type,
            deal_touch.channel_key as touch_channel_key,
            deal_touch.campaign_key as touch_campaign_key,
            {%- if compares_channels %}
            deal_touch.channel_key,
            {%- endif %}
            {%- if uses_milestones() %}
            cast(null as text) as milestone,
            {%- endif %}
            coalesce(channel.is_paid, false) as is_paid
        from deal_touch
        left join channel on deal_touch.channel_key = channel.channel_key

        union all

        select
            deal_key as customer_key,
            credited_at as event_at,
            true as is_conversion,
            cast(null as bigint) as touch_key,
            false as is_direct,
            deal_key as conversion_key,
            'deal_won' as conversion_type,
            coalesce(amount, {{ no_money() }}) as amount,
            cast(null as text) as touch_type,
            cast(null as bigint) as touch_channel_key,
            cast(null as bigint) as touch_campaign_key,
            {%- if compares_channels %}
            cast(null as bigint) as channel_key,
            {%- endif %}
            {%- if uses_milestones() %}
            cast(null as text) as milestone,
            {%- endif %}
            false as is_paid
        from conversion

        {%- if uses_milestones() %}

        union all

        {{ milestone_rows('passed.deal_key', compares_channels) }}
        from passed
        {%- endif %}
    ))
    where model <> 'participation'
),

shared as (
    select
        conversion.deal_key,
        conversion.deal_id,
        credited.model,
        conversion.outcome,
        conversion.created_at,
        conversion.closed_at,
        conversion.credited_at,
        coalesce(credited.touch_key, 0) as touch_id,
        credited.touch_at,
        coalesce(credited.touch_type, 'none') as touch_type,
        coalesce(credited.touch_channel_key, -1) as channel_key,
        coalesce(credited.touch_campaign_key, -1) as campaign_key,
        cast(credited.touch_position as bigint) as touch_position,
        cast(credited.path_length as bigint) as path_length,
        credited.credit,
        credited.credited_amount,
        conversion.currency_code,
        {{ reporting_amount('credited.credited_amount', 'conversion.exchange_rate') }}
            as share_reporting_amount,
        conversion.reporting_amount,
        credited.is_unattributed,
        conversion.is_partial
    from credited
    inner join conversion on credited.conversion_key = conversion.deal_key
),

-- What rounding leaves goes to the largest share, so that the sum is the deal's money.
balanced as (
    select
        *,
        reporting_amount - sum(share_reporting_amount) over (partition by deal_key, model)
            as rest_reporting_amount,
        row_number() over (
            partition by deal_key, model order by credit desc, touch_position, touch_id
        ) as place
    from shared
),

final as (
    select
        deal_key,
        deal_id,
        touch_id,
        model,
        outcome,
        {{ reporting_date('created_at') }} as created_date,
        {{ reporting_date('closed_at') }} as closed_date,
        nullif(credited_at, {{ beginning() }}) as credited_at,
        touch_at,
        touch_type,
        channel_key,
        campaign_key,
        touch_position,
        path_length,
        credit,
        credited_amount,
        currency_code,
        cast(
            share_reporting_amount
            + case when place = 1 then coalesce(rest_reporting_amount, 0) else 0 end
            as decimal(18, 6)
        ) as credited_reporting_amount,
        is_unattributed,
        is_partial
    from balanced
)

select * from final
