-- grain: one row per date basis, attribution model, day, channel and campaign
{{ config(materialized='table', sort=['date_basis', 'model', 'date']) }}

{%- set settled = var('spend_settles_days', 3) %}

-- What was spent and what it brought, as parts that may be added within one basis and one model.
-- By conversion: sales on the day they were made, refunds on the day they were paid. By touch: all
-- of it on the day of the touch that is credited, so that a day's spend meets what it led to.
with credit as (
    select * from {{ ref('fct_attribution_credit') }}
),

refund_credit as (
    select * from {{ ref('int_refund_credit') }}
),

spend as (
    select
        date,
        campaign_key,
        channel_key,
        sum(spend_reporting_amount) as spend_reporting_amount,
        sum(case when is_acquisition then spend_reporting_amount else 0 end)
            as acquisition_spend_reporting_amount,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
        sum(unconverted_rows) as unconverted_rows
    from {{ ref('int_spend_day') }}
    group by date, campaign_key, channel_key
),

campaign_spend as (
    select campaign_key, bool_or(is_matched) as is_matched
    from {{ ref('int_spend_day') }}
    where campaign_key not in (0, -1)
    group by campaign_key
),

-- Leads are those of the CRM; where there is none, those that the site saw.
lead_type as (
    select coalesce(
        max(case when conversion_type = 'crm_lead' then 'crm_lead' end), 'generate_lead'
    ) as conversion_type
    from credit
),

model as (
    select model from credit
    union
    select '{{ project.attribution.default_model }}' as model
),

basis as (
    select * from (values ('conversion'), ('touch')) as listed (date_basis)
),

credited as (
    select
        basis.date_basis,
        credit.model,
        -- What no touch led to has the day of its conversion on either basis.
        case basis.date_basis
            when 'touch' then coalesce(credit.touch_date, credit.conversion_date)
            else credit.conversion_date
        end as date,
        credit.channel_key,
        credit.campaign_key,
        case when credit.is_sale then credit.credit else 0 end as sales,
        case when credit.is_sale and credit.is_new_customer then credit.credit else 0 end
            as new_customers,
        case
            when credit.conversion_type = lead_type.conversion_type then credit.credit else 0
        end as leads,
        case when credit.is_sale then credit.credited_reporting_amount end
            as revenue_reporting_amount,
        case
            when
                credit.is_sale and credit.credited_amount <> 0
                and credit.credited_reporting_amount is null then 1
            else 0
        end as unconverted_rows
    from credit
    cross join basis
    cross join lead_type
),

part as (
    select
        date_basis, model, date, channel_key, campaign_key,
        sales, new_customers, leads, revenue_reporting_amount,
        cast(null as decimal(18, 6)) as refund_reporting_amount,
        cast(null as decimal(18, 6)) as spend_reporting_amount,
        cast(null as decimal(18, 6)) as acquisition_spend_reporting_amount,
        cast(0 as bigint) as impressions,
        cast(0 as bigint) as clicks,
        unconverted_rows
    from credited

    union all

    select
        basis.date_basis,
        refund_credit.model,
        case basis.date_basis
            when 'touch' then coalesce(refund_credit.touch_date, refund_credit.conversion_date)
            else refund_credit.refund_date
        end as date,
        refund_credit.channel_key,
        refund_credit.campaign_key,
        0 as sales, 0 as new_customers, 0 as leads, null as revenue_reporting_amount,
        refund_credit.refund_reporting_amount,
        null as spend_reporting_amount,
        null as acquisition_spend_reporting_amount,
        0 as impressions, 0 as clicks,
        case when refund_credit.is_partial then 1 else 0 end as unconverted_rows
    from refund_credit
    cross join basis

    union all

    select
        basis.date_basis, model.model, spend.date, spend.channel_key, spend.campaign_key,
        0 as sales, 0 as new_customers, 0 as leads, null as revenue_reporting_amount,
        null as refund_reporting_amount,
        spend.spend_reporting_amount,
        spend.acquisition_spend_reporting_amount,
        spend.impressions, spend.clicks, spend.unconverted_rows
    from spend
    cross join model
    cross join basis
),

summed as (
    select
        date_basis,
        model,
        date,
        channel_key,
        campaign_key,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(sales) as decimal(28, 12)) as sales,
        cast(sum(new_customers) as decimal(28, 12)) as new_customers,
        cast(sum(leads) as decimal(28, 12)) as leads,
        {%- for money in ['spend', 'acquisition_spend', 'revenue', 'refund'] %}
        cast(coalesce(sum({{ money }}_reporting_amount), 0) as decimal(18, 6))
            as {{ money }}_reporting_amount,
        {%- endfor %}
        cast(sum(unconverted_rows) as bigint) as unconverted_rows
    from part
    group by date_basis, model, date, channel_key, campaign_key
),

campaign as (
    select campaign_key, platform, account_id, campaign_id, campaign_name
    from {{ ref('dim_campaign') }}
    where level in ('campaign', '(unknown)', '(not applicable)') and is_current
),

channel as (
    select channel_key, channel, channel_group, is_paid from {{ ref('dim_channel') }}
),

as_of as (
    select as_of_date from {{ ref('int_as_of') }}
),

labelled as (
    select
        summed.*,
        channel.channel,
        channel.channel_group,
        campaign.platform,
        campaign.account_id,
        campaign.campaign_id,
        campaign.campaign_name,
        -- Spend that no visit names and revenue of ads that no spend names cannot meet: they are
        -- rows of their own.
        case
            when campaign_spend.is_matched then 'matched'
            when
                campaign_spend.campaign_key is not null or summed.spend_reporting_amount <> 0
                then 'unmatched spend'
            when summed.channel_key = -1 then 'unattributed'
            when channel.is_paid then 'unmatched revenue'
            else 'no spend'
        end as spend_match,
        cast(
            summed.revenue_reporting_amount
            {%- if project.revenue.subtract_refunds %} - summed.refund_reporting_amount{% endif %}
            as decimal(18, 6)
        ) as net_revenue_reporting_amount,
        summed.model = '{{ project.attribution.default_model }}' as is_default_model,
        as_of.as_of_date,
        summed.date + case summed.date_basis
            when 'touch'
                then interval '{{ [longest_lookback() | int, settled | int] | max }} days'
            else interval '{{ settled }} days'
        end <= as_of.as_of_date as is_mature,
        summed.unconverted_rows > 0 as is_partial
    from summed
    inner join channel on summed.channel_key = channel.channel_key
    left join campaign on summed.campaign_key = campaign.campaign_key
    left join campaign_spend on summed.campaign_key = campaign_spend.campaign_key
    cross join as_of
),

final as (
    select
        date_basis,
        model,
        is_default_model,
        date,
        channel_key,
        channel,
        channel_group,
        campaign_key,
        platform,
        account_id,
        campaign_id,
        campaign_name,
        spend_match,
        impressions,
        clicks,
        spend_reporting_amount,
        acquisition_spend_reporting_amount,
        sales,
        new_customers,
        leads,
        revenue_reporting_amount,
        refund_reporting_amount,
        net_revenue_reporting_amount,
        unconverted_rows,
        is_partial,
        is_mature,
        {{ worth_ratios() }}
    from labelled
)

select * from final
