-- grain: one row per day, level, ad platform, account and campaign
{{ config(
    materialized='table',
    sort=['date', 'level', 'platform'],
    share=['sale_claim', 'placed', 'of_account']
) }}

{%- set default = project.attribution.default_model %}
{%- set click = 'last_non_direct' %}
{%- set counts = [
    'platform_conversions', 'platform_view_conversions', 'platform_leads', 'own_sales',
    'own_new_customers', 'own_leads', 'own_unmatched_sales', 'last_click_sales',
    'last_click_by_touch_sales', 'last_click_on_basis_sales', 'last_click_alike_sales',
    'crm_won_deals',
] %}
{%- set moneys = [
    'spend', 'platform_value', 'platform_view_value', 'own_revenue', 'last_click_revenue',
    'last_click_by_touch_revenue', 'last_click_on_basis_revenue', 'last_click_alike_revenue',
    'crm_won',
] %}
{%- set numbers = ['claims_not_of_record', 'unconverted_rows'] %}

-- Three answers to one question on one row: what the platform claims, what our credit gives, what
-- the CRM has won. Platforms claim the same sale twice: there is no level above the platform.
with campaign as (
    select campaign_key, platform, account_id, campaign_id, campaign_name
    from {{ ref('dim_campaign') }}
    where level in ('campaign', '(unknown)', '(not applicable)') and is_current
),

channel as (
    select channel_key, is_paid from {{ ref('dim_channel') }}
),

claim as (
    select * from {{ ref('fct_ad_conversion_current') }}
),

spend as (
    select * from {{ ref('int_spend_day') }}
),

known_platform as (
    select platform from spend
    union
    select platform from claim
),

-- A sale as platforms call it; where they tell no kinds, all that they count.
sale_claim as (
    select
        *,
        coalesce(attribution_window, 'default') as window_name
    from claim
    where conversion_group in ('purchase', 'conversions')
),

rule as (
    select
        platform,
        account_id,
        min({{ window_days('platform', 'attribution_window') }}) as window_days,
        bool_or({{ is_dated_by_click('platform', 'date_basis') }}) as is_dated_by_click
    from sale_claim
    where is_conversion_of_record
    group by platform, account_id
),

claiming as (
    select platform, min(conversion_group) as claim_kind
    from sale_claim
    where is_conversion_of_record
    group by platform
),

-- The same claim in a window of views alone; a part of it where its own window counts views too.
view_claim as (
    select
        seen.report_date, seen.platform, seen.account_id, seen.campaign_key,
        max(seen.platform_conversions) as platform_conversions,
        max(seen.platform_conversion_reporting_amount) as platform_value
    from sale_claim as seen
    inner join sale_claim as counted
        on
            seen.report_date = counted.report_date
            and seen.platform = counted.platform
            and seen.source_account_key = counted.source_account_key
            and seen.level = counted.level
            and seen.campaign_key = counted.campaign_key
            and seen.ad_group_key = counted.ad_group_key
            and seen.ad_key = counted.ad_key
            and seen.action = counted.action
    where
        seen.window_name like '%view%' and seen.window_name not like '%click%'
        and counted.is_conversion_of_record
        and (counted.window_name like '%view%' or counted.window_name = 'default')
    group by
        seen.report_date, seen.platform, seen.account_id, seen.campaign_key, seen.ad_group_key,
        seen.ad_key, seen.action
),

touch as (
    select session_id as touch_id, {{ platform_of_source('source') }} as platform
    from {{ ref('int_session_campaign') }}
    {%- if project.attribution.touches == 'event' %}

    union all

    select event_id as touch_id, {{ platform_of_source('source') }} as platform
    from {{ ref('fct_journey_event', part='web') }}
    where session_id is not null and source_resolution is not null
    {%- endif %}
),

lead_type as (
    select coalesce(
        max(case when conversion_type = 'crm_lead' then 'crm_lead' end), 'generate_lead'
    ) as conversion_type
    from {{ ref('fct_attribution_credit') }}
),

-- Credit with the platform that it is for: that of its campaign, else, for a visit of an ad whose
-- campaign nobody knows, the one that its link names.
credit as (
    select
        credit.conversion_id,
        credit.model,
        credit.conversion_date,
        credit.touch_date,
        credit.conversion_at,
        credit.touch_at,
        credit.campaign_key,
        case
            when credit.campaign_key in (0, -1) then touch.platform else campaign.platform
        end as platform,
        campaign.account_id,
        credit.is_sale,
        credit.is_new_customer,
        credit.conversion_type = lead_type.conversion_type as is_lead,
        credit.credit,
        credit.credited_reporting_amount,
        credit.credited_amount <> 0 and credit.credited_reporting_amount is null as is_partial
    from {{ ref('fct_attribution_credit') }} as credit
    inner join channel on credit.channel_key = channel.channel_key
    left join campaign on credit.campaign_key = campaign.campaign_key
    left join touch on credit.touch_id = touch.touch_id
    cross join lead_type
    where
        not credit.is_unattributed
        and credit.model in ('{{ default }}', '{{ click }}', 'linear')
        and (credit.campaign_key not in (0, -1) or channel.is_paid)
),

placed as (
    select
        credit.*,
        coalesce(rule.is_dated_by_click, {{ is_dated_by_click('credit.platform', "''") }})
            as is_dated_by_click,
        coalesce(
            date_part('epoch', credit.conversion_at) - date_part('epoch', credit.touch_at)
            <= 86400.0
            * coalesce(rule.window_days, {{ window_days('credit.platform', "''") }}),
            true
        ) as is_within_window
    from credit
    left semi join known_platform on credit.platform = known_platform.platform
    left join rule
        on credit.platform = rule.platform and credit.account_id = rule.account_id
),

-- What the CRM calls won, at its own amount and on the day that it was closed.
won_deal as (
    select
        coalesce(deal.closed_date, deal.created_date) as date,
        campaign.platform,
        campaign.account_id,
        deal.campaign_key,
        deal.credit,
        deal.credited_reporting_amount,
        deal.is_partial
    from {{ ref('fct_pipeline_credit') }} as deal
    inner join campaign on deal.campaign_key = campaign.campaign_key
    inner join known_platform on campaign.platform = known_platform.platform
    where
        deal.outcome = 'won' and deal.model = '{{ default }}'
        and deal.campaign_key not in (0, -1)
),

-- One row per figure; the figures that a part does not give are null.
{%- macro figures(date, rows, filter, given) %}
    select
        {{ date }} as date,
        platform,
        account_id,
        campaign_key
        {%- for name in counts %},
        cast({{ given[name] | default('null') }} as decimal(28, 12)) as {{ name }}
        {%- endfor %}
        {%- for name in moneys %},
        cast({{ given[name] | default('null') }} as decimal(18, 6)) as {{ name }}_reporting_amount
        {%- endfor %}
        {%- for name in numbers %},
        cast({{ given[name] | default('0') }} as bigint) as {{ name }}
        {%- endfor %}
    from {{ rows }}
    {%- if filter %}
    where {{ filter }}
    {%- endif %}
{%- endmacro %}

part as (
    {{ figures('date', 'spend', '', {
        'spend': 'spend_reporting_amount',
        'unconverted_rows': 'unconverted_rows',
    }) }}

    union all
    {{ figures('report_date', 'sale_claim', 'is_conversion_of_record', {
        'platform_conversions': 'platform_conversions',
        'platform_value': 'platform_conversion_reporting_amount',
        'unconverted_rows': 'case when is_partial then 1 else 0 end',
    }) }}

    union all
    {{ figures('report_date', 'sale_claim', 'not is_conversion_of_record', {
        'claims_not_of_record': '1',
    }) }}

    union all
    {{ figures('report_date', 'view_claim', '', {
        'platform_view_conversions': 'platform_conversions',
        'platform_view_value': 'platform_value',
    }) }}

    union all
    {{ figures('report_date', 'claim', "is_conversion_of_record and conversion_group = 'lead'", {
        'platform_leads': 'platform_conversions',
    }) }}

    union all
    {{ figures('conversion_date', 'placed', "is_sale and model = '" ~ default ~ "'", {
        'own_sales': 'credit',
        'own_new_customers': 'case when is_new_customer then credit else 0 end',
        'own_unmatched_sales': 'case when campaign_key in (0, -1) then credit else 0 end',
        'own_revenue': 'credited_reporting_amount',
        'unconverted_rows': 'case when is_partial then 1 else 0 end',
    }) }}

    union all
    {{ figures('conversion_date', 'placed', "is_lead and model = '" ~ default ~ "'", {
        'own_leads': 'credit',
    }) }}

    union all
    {{ figures('conversion_date', 'placed', "is_sale and model = '" ~ click ~ "'", {
        'last_click_sales': 'credit',
        'last_click_revenue': 'credited_reporting_amount',
    }) }}

    union all
    {{ figures('touch_date', 'placed', "is_sale and model = '" ~ click ~ "'", {
        'last_click_by_touch_sales': 'credit',
        'last_click_by_touch_revenue': 'credited_reporting_amount',
    }) }}

    union all
    {{ figures(
        'case when is_dated_by_click then touch_date else conversion_date end', 'placed',
        "is_sale and model = '" ~ click ~ "'", {
        'last_click_on_basis_sales': 'credit',
        'last_click_on_basis_revenue': 'credited_reporting_amount',
        'last_click_alike_sales': 'case when is_within_window then credit else 0 end',
        'last_click_alike_revenue':
            'case when is_within_window then credited_reporting_amount else 0 end',
    }) }}

    union all
    {{ figures('date', 'won_deal', '', {
        'crm_won_deals': 'credit',
        'crm_won': 'credited_reporting_amount',
        'unconverted_rows': 'case when is_partial then 1 else 0 end',
    }) }}
),

-- The campaign says which account it is of, whatever the row says.
of_account as (
    select part.*, coalesce(campaign.account_id, part.account_id) as of_account_id
    from part
    left join campaign
        on part.campaign_key = campaign.campaign_key and part.campaign_key not in (0, -1)
    where part.date is not null
),

levelled as (
    {%- for level in ['campaign', 'account', 'platform'] %}
    select
        '{{ level }}' as level, date, platform,
        {{ 'cast(null as text)' if level == 'platform' else 'of_account_id' }} as account_id,
        {{ 'campaign_key' if level == 'campaign' else 'cast(null as bigint)' }} as campaign_key
        {%- for name in counts %}, {{ name }}{% endfor %}
        {%- for name in moneys %}, {{ name }}_reporting_amount{% endfor %}
        {%- for name in numbers %}, {{ name }}{% endfor %}
    from of_account
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
),

summed as (
    select
        level,
        date,
        platform,
        account_id,
        campaign_key
        {%- for name in counts %},
        cast(coalesce(sum({{ name }}), 0) as decimal(28, 12)) as {{ name }}
        {%- endfor %}
        {%- for name in moneys %},
        cast(coalesce(sum({{ name }}_reporting_amount), 0) as decimal(18, 6))
            as {{ name }}_reporting_amount
        {%- endfor %}
        {%- for name in numbers %},
        cast(sum({{ name }}) as bigint) as {{ name }}
        {%- endfor %}
    from levelled
    group by level, date, platform, account_id, campaign_key
),

-- Sales with a touch of it anywhere in their path, each once: the most that clicks can explain.
touched_at_level as (
    {%- for level in ['campaign', 'account', 'platform'] %}
    select
        '{{ level }}' as level, conversion_date as date, platform,
        {{ 'cast(null as text)' if level == 'platform' else 'account_id' }} as account_id,
        {{ 'campaign_key' if level == 'campaign' else 'cast(null as bigint)' }} as campaign_key,
        conversion_id
    from placed
    where is_sale and model = 'linear'
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
),

touched as (
    select
        level, date, platform, account_id, campaign_key,
        count(distinct conversion_id) as touched_sale_count
    from touched_at_level
    group by level, date, platform, account_id, campaign_key
),

named as (
    select
        summed.*,
        campaign.campaign_id,
        campaign.campaign_name,
        claiming.claim_kind,
        coalesce(touched.touched_sale_count, 0) as touched_sale_count
    from summed
    left join campaign on summed.campaign_key = campaign.campaign_key
    left join claiming on summed.platform = claiming.platform
    left join touched
        on
            summed.level = touched.level
            and summed.date = touched.date
            and summed.platform = touched.platform
            and coalesce(summed.account_id, '') = coalesce(touched.account_id, '')
            and coalesce(summed.campaign_key, 0) = coalesce(touched.campaign_key, 0)
),

-- The causes are taken one after the other, from our figure to the platform's, and sum to the gap.
final as (
    select
        date,
        level,
        platform,
        account_id,
        campaign_key,
        campaign_id,
        campaign_name,
        coalesce(campaign_key in (0, -1), false) as is_unmatched,
        claim_kind
        {%- for name in counts %},
        {{ name }}
        {%- endfor %},
        touched_sale_count
        {%- for name in moneys %},
        {{ name }}_reporting_amount
        {%- endfor %}
        {%- for end, claimed, seen, own in [
            ('sales', 'platform_conversions', 'platform_view_conversions', 'own_sales'),
            ('reporting_amount', 'platform_value_reporting_amount',
                'platform_view_value_reporting_amount', 'own_revenue_reporting_amount'),
        ] %}
        {%- set tail = 'sales' if end == 'sales' else 'revenue_reporting_amount' %},
        case when claim_kind is not null then {{ claimed }} - {{ own }} end as gap_{{ end }},
        case when claim_kind is not null then last_click_{{ tail }} - {{ own }} end
            as gap_by_model_{{ end }},
        case when claim_kind is not null then last_click_on_basis_{{ tail }} - last_click_{{ tail }}
        end as gap_by_day_{{ end }},
        case when claim_kind is not null then last_click_alike_{{ tail }}
            - last_click_on_basis_{{ tail }}
        end as gap_by_window_{{ end }},
        case when claim_kind is not null then {{ seen }} end as gap_by_view_{{ end }},
        case when claim_kind is not null then {{ claimed }} - {{ seen }}
            - last_click_alike_{{ tail }}
        end as gap_unexplained_{{ end }}
        {%- endfor %},
        claims_not_of_record,
        unconverted_rows,
        unconverted_rows > 0 as is_partial,
        {{ ratio('platform_value_reporting_amount', 'spend_reporting_amount') }} as platform_roas,
        {{ ratio('own_revenue_reporting_amount', 'spend_reporting_amount') }} as own_roas
    from named
)

select * from final
