-- grain: one row per day, campaign, channel, measure and currency
{{ config(materialized='table', sort=['date', 'measure'], share=['conversion_credit', 'spend']) }}

-- What plans are measured by, each in the currency it happened in. Spend has the day of the ad
-- account, sales that of the project's zone.
with spend as (
    select
        report_date,
        platform,
        account_id,
        campaign_key,
        channel_key,
        currency_code,
        sum(spend_amount) as spend_amount,
        sum(spend_reporting_amount) as spend_reporting_amount,
        bool_or(is_partial) as is_partial,
        sum(impressions) as impressions,
        sum(clicks) as clicks
    from {{ ref('fct_ad_performance_current') }}
    where is_spend_of_record
    group by report_date, platform, account_id, campaign_key, channel_key, currency_code
),

campaign as (
    select campaign_key, platform, account_id
    from {{ ref('dim_campaign') }}
    where level = 'campaign' and is_current
),

conversion_credit as (
    select
        credit.conversion_date,
        credit.conversion_type,
        campaign.platform,
        campaign.account_id,
        credit.campaign_key,
        credit.channel_key,
        credit.currency_code,
        credit.is_sale,
        sum(credit.credit) as credit,
        sum(case when credit.is_sale and credit.is_new_customer then credit.credit else 0 end)
            as new_customer_credit,
        sum(credit.credited_amount) as credited_amount,
        sum(credit.credited_reporting_amount) as credited_reporting_amount,
        bool_or(credit.credited_amount <> 0 and credit.credited_reporting_amount is null)
            as is_partial
    from {{ ref('fct_attribution_credit') }} as credit
    left join campaign on credit.campaign_key = campaign.campaign_key
    where credit.model = '{{ project.attribution.default_model }}'
    group by
        credit.conversion_date, credit.conversion_type, campaign.platform, campaign.account_id,
        credit.campaign_key, credit.channel_key, credit.currency_code, credit.is_sale
),

-- Leads are those of the CRM; where there is none, those that the site saw.
lead_type as (
    select coalesce(
        max(case when conversion_type = 'crm_lead' then 'crm_lead' end), 'generate_lead'
    ) as conversion_type
    from conversion_credit
),

every_measure as (
    {%- for measure in ['impressions', 'clicks'] %}
    select
        report_date as date, platform, account_id, campaign_key, channel_key,
        '{{ measure }}' as measure,
        cast(null as text) as currency_code,
        cast({{ measure }} as decimal(28, 12)) as amount,
        cast({{ measure }} as decimal(28, 12)) as reporting_amount,
        false as is_partial
    from spend

    union all
    {% endfor %}
    select
        report_date as date, platform, account_id, campaign_key, channel_key,
        'spend' as measure, currency_code,
        cast(spend_amount as decimal(28, 12)) as amount,
        cast(spend_reporting_amount as decimal(28, 12)) as reporting_amount,
        is_partial
    from spend

    union all

    select
        conversion_date as date, platform, account_id, campaign_key, channel_key,
        'revenue' as measure, currency_code,
        cast(credited_amount as decimal(28, 12)) as amount,
        cast(credited_reporting_amount as decimal(28, 12)) as reporting_amount,
        is_partial
    from conversion_credit
    where is_sale

    union all
    {% for measure, sum, condition in [
        ("'conversions'", 'credit', 'is_sale'),
        ("'new_customers'", 'new_customer_credit', 'is_sale'),
        ('conversion_type', 'credit', 'not is_sale'),
        ("'leads'", 'credit', 'conversion_type in (select conversion_type from lead_type)'),
    ] %}
    select
        conversion_date as date, platform, account_id, campaign_key, channel_key,
        {{ measure }} as measure,
        cast(null as text) as currency_code,
        cast({{ sum }} as decimal(28, 12)) as amount,
        cast({{ sum }} as decimal(28, 12)) as reporting_amount,
        false as is_partial
    from conversion_credit
    where {{ condition }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
),

final as (
    select
        date,
        platform,
        account_id,
        campaign_key,
        channel_key,
        measure,
        currency_code,
        cast(sum(amount) as decimal(28, 12)) as amount,
        cast(sum(reporting_amount) as decimal(28, 12)) as reporting_amount,
        bool_or(is_partial) as is_partial
    from every_measure
    group by date, platform, account_id, campaign_key, channel_key, measure, currency_code
)

select * from final
