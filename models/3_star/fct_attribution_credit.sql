-- grain: one row per conversion, model and credited touch, or its one unattributed row
{{ config(
    materialized='incremental',
    incremental_strategy='replace_key',
    unique_key='customer_key',
    key_groups={'int_conversion_party': 'conversion_id'},
    sort=['conversion_date', 'model', 'channel_key'],
    bloom=['conversion_id', 'customer_key']
) }}

{%- set compares_channels =
    'exposure' in project.attribution.path_transforms
    or 'first' in project.attribution.path_transforms %}

with channel as (
    select channel_key, is_paid, is_direct from {{ ref('dim_channel') }}
),

customer_touch as (
    select
        touch.customer_key, touch.event_at, touch.is_conversion, touch.touch_id, touch.touch_type,
        touch.channel_key, touch.campaign_key, touch.conversion_id, touch.conversion_type,
        touch.revenue_amount,
        touch.is_direct or coalesce(channel.is_direct, false) as is_direct,
        coalesce(channel.is_paid, false) as is_paid
    from {{ ref('int_customer_touch') }} as touch
    left join channel on touch.channel_key = channel.channel_key
),

conversion as (
    select
        conversion_id, customer_key, reporting_date, currency_code, exchange_rate,
        revenue_reporting_amount, is_sale, is_new_customer
    from {{ ref('fct_conversion') }}
    {%- if project.attribution.conversion_types %}
    where conversion_type in {{ in_list(project.attribution.conversion_types) }}
    {%- endif %}
),

party as (
    select conversion_id, party_key, customer_key from {{ ref('int_conversion_party') }}
),

party_key as (
    select conversion_id, min(party_key) as party_key from party group by conversion_id
),

-- Who converts alone is credited on their own path; who buys together, on the paths of them all.
credited as (
    select
        conversion_key, conversion_at, conversion_type, model, touch_key, touch_at, touch_type,
        touch_channel_key, touch_campaign_key, touch_position, path_length, credit,
        credited_amount, is_unattributed
    from attribute((
        select
            case
                when party_key.party_key is not null then party_key.party_key
                -- Nobody that we know: each such conversion stands alone, without a touch.
                when customer_touch.customer_key = 0 then customer_touch.conversion_id
                else customer_touch.customer_key
            end as customer_key,
            customer_touch.event_at,
            customer_touch.is_conversion,
            customer_touch.touch_id as touch_key,
            customer_touch.is_direct,
            customer_touch.conversion_id as conversion_key,
            customer_touch.conversion_type,
            customer_touch.revenue_amount as amount,
            customer_touch.touch_type,
            customer_touch.channel_key as touch_channel_key,
            customer_touch.campaign_key as touch_campaign_key,
            {%- if compares_channels %}
            customer_touch.channel_key,
            {%- endif %}
            {%- if uses_milestones() %}
            cast(null as text) as milestone,
            {%- endif %}
            customer_touch.is_paid
        from customer_touch
        left join party_key on customer_touch.conversion_id = party_key.conversion_id
        left semi join conversion on customer_touch.customer_key = conversion.customer_key
        {%- if project.attribution.conversion_types %}
        where
            not customer_touch.is_conversion
            or customer_touch.conversion_type
            in {{ in_list(project.attribution.conversion_types) }}
        {%- endif %}

        union all

        select
            party.party_key as customer_key,
            customer_touch.event_at,
            customer_touch.is_conversion,
            customer_touch.touch_id as touch_key,
            customer_touch.is_direct,
            customer_touch.conversion_id as conversion_key,
            customer_touch.conversion_type,
            customer_touch.revenue_amount as amount,
            customer_touch.touch_type,
            customer_touch.channel_key as touch_channel_key,
            customer_touch.campaign_key as touch_campaign_key,
            {%- if compares_channels %}
            customer_touch.channel_key,
            {%- endif %}
            {%- if uses_milestones() %}
            cast(null as text) as milestone,
            {%- endif %}
            customer_touch.is_paid
        from customer_touch
        inner join party on customer_touch.customer_key = party.customer_key
        where not customer_touch.is_conversion

        {%- if uses_milestones() %}

        union all

        {{ milestone_rows('passed.customer_key', compares_channels) }}
        from {{ ref('int_customer_milestone') }} as passed

        union all

        {{ milestone_rows('party.party_key', compares_channels) }}
        from {{ ref('int_customer_milestone') }} as passed
        inner join party on passed.customer_key = party.customer_key
        {%- endif %}
    ))
    -- Participation cannot be added up: it stands by itself.
    where model <> 'participation'
),

shared as (
    select
        credited.conversion_key as conversion_id,
        coalesce(credited.touch_key, 0) as touch_id,
        credited.model,
        conversion.reporting_date as conversion_date,
        {{ reporting_date('credited.touch_at') }} as touch_date,
        credited.conversion_at,
        credited.touch_at,
        credited.conversion_type,
        coalesce(credited.touch_type, 'none') as touch_type,
        conversion.customer_key,
        coalesce(credited.touch_channel_key, -1) as channel_key,
        coalesce(credited.touch_campaign_key, -1) as campaign_key,
        cast(credited.touch_position as bigint) as touch_position,
        cast(credited.path_length as bigint) as path_length,
        credited.credit,
        credited.credited_amount,
        conversion.currency_code,
        {{ reporting_amount('credited.credited_amount', 'conversion.exchange_rate') }}
            as share_reporting_amount,
        conversion.revenue_reporting_amount,
        conversion.is_sale,
        conversion.is_new_customer,
        credited.is_unattributed
    from credited
    inner join conversion on credited.conversion_key = conversion.conversion_id
),

-- Each share is rounded by itself; what rounding leaves goes to the largest, so that the sum is the
-- conversion's money here too.
balanced as (
    select
        *,
        revenue_reporting_amount - sum(share_reporting_amount) over (
            partition by conversion_id, model
        ) as rest_reporting_amount,
        row_number() over (
            partition by conversion_id, model order by credit desc, touch_position, touch_id
        ) as place
    from shared
),

final as (
    select
        conversion_id,
        touch_id,
        model,
        conversion_date,
        touch_date,
        conversion_at,
        touch_at,
        conversion_type,
        touch_type,
        customer_key,
        channel_key,
        campaign_key,
        touch_position,
        path_length,
        credit,
        credited_amount,
        currency_code,
        cast(
            share_reporting_amount + case when place = 1 then rest_reporting_amount else 0 end
            as decimal(18, 6)
        ) as credited_reporting_amount,
        is_sale,
        is_new_customer,
        is_unattributed
    from balanced
)

select * from final
