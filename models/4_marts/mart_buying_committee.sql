-- grain: one row per deal and contact, or lead, that takes part in it
{{ config(materialized='table', sort=['deal_key']) }}

with deal as (
    select
        deal_id, deal_key, account_key, source_name, pipeline, stage, outcome, created_at,
        closed_at, reporting_amount
    from {{ ref('int_deal') }}
    where not is_deleted
),

party as (
    select
        *,
        count(*) over (partition by deal_key) as member_count,
        count(*) over (partition by deal_key, customer_key) as record_count
    from {{ ref('int_deal_party') }}
),

touch as (
    select customer_key, touch_id, event_at, channel_key
    from {{ ref('int_customer_touch') }}
    where not is_conversion and customer_key <> 0
),

credit as (
    select deal_key, touch_id, credited_at, credit, is_unattributed
    from {{ ref('fct_pipeline_credit') }}
    where model = 'linear'
),

credited_at as (
    select deal_key, max(credited_at) as credited_at from credit group by deal_key
),

-- The touches of each person up to the deal's end; of an open deal all so far.
touch_of_member as (
    select
        member.deal_key,
        member.customer_key,
        count(*) as touch_count,
        min(touch.event_at) as first_touch_at,
        max(touch.event_at) as last_touch_at,
        first_value(touch.channel_key order by touch.event_at, touch.touch_id)
            as first_channel_key,
        last_value(touch.channel_key order by touch.event_at, touch.touch_id)
            as last_channel_key
    from (
        select deal_key, customer_key from party
        where customer_key <> 0
        group by deal_key, customer_key
    ) as member
    inner join credited_at on member.deal_key = credited_at.deal_key
    inner join touch
        on
            member.customer_key = touch.customer_key
            and touch.event_at <= credited_at.credited_at
    group by member.deal_key, member.customer_key
),

credit_of_member as (
    select credit.deal_key, touch.customer_key, sum(credit.credit) as linear_credit
    from credit
    inner join touch on credit.touch_id = touch.touch_id
    where not credit.is_unattributed
    group by credit.deal_key, touch.customer_key
),

channel as (
    select channel_key, channel from {{ ref('dim_channel') }}
),

final as (
    select
        party.deal_party_key,
        deal.deal_key,
        deal.deal_id,
        deal.account_key,
        deal.source_name,
        deal.pipeline,
        deal.stage,
        deal.outcome,
        deal.created_at,
        deal.closed_at,
        deal.reporting_amount as deal_reporting_amount,
        party.member_type,
        party.member_id,
        party.customer_key,
        party.role,
        party.is_primary,
        party.member_count,
        party.member_count = 1 as is_single_contact,
        touch_of_member.first_touch_at,
        first_channel.channel as first_channel,
        touch_of_member.last_touch_at,
        last_channel.channel as last_channel,
        coalesce(touch_of_member.touch_count, 0) as touch_count,
        -- Records of one person share that person's part.
        cast(
            coalesce(credit_of_member.linear_credit, 0) / party.record_count as decimal(28, 12)
        ) as linear_credit_share
    from party
    inner join deal on party.deal_key = deal.deal_key
    left join touch_of_member
        on
            party.deal_key = touch_of_member.deal_key
            and party.customer_key = touch_of_member.customer_key
    left join credit_of_member
        on
            party.deal_key = credit_of_member.deal_key
            and party.customer_key = credit_of_member.customer_key
    left join channel as first_channel
        on touch_of_member.first_channel_key = first_channel.channel_key
    left join channel as last_channel
        on touch_of_member.last_channel_key = last_channel.channel_key
)

select * from final
