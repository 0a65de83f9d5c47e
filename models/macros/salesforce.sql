{#- What the models of Salesforce share: of a table as it is today, of its versions in history mode,
    and of an export with Salesforce's own names. -#}

{#- What stands in a lead. -#}
{%- macro salesforce_leads(relation) -%}
-- A mobile phone is one person's; the other telephone of a lead is often its company's.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as lead_id,
        created_date as created_at,
        email,
        coalesce(mobile_phone, phone) as phone,
        first_name,
        last_name,
        converted_contact_id as contact_id,
        converted_account_id as account_id,
        converted_opportunity_id as deal_id,
        company as company_name,
        status,
        lead_source,
        coalesce(country, country_code) as country,
        -- Written by hand or by a form script, so the prefix of the _ga cookie may still be on it.
        regexp_replace(
            coalesce(
                ga_client_id_c, ga_client_id__c, google_client_id_c, google_client_id__c,
                client_id_c, client_id__c
            ),
            '^GA[0-9]+[.][0-9]+[.]',
            ''
        ) as client_id,
        coalesce(gclid_c, gclid__c) as gclid,
        is_deleted,
        coalesce(state, state_code) as region,
        city,
        title as job_title,
        industry,
        {{ whole('number_of_employees') }} as employee_count,
        annual_revenue,
        currency_iso_code as annual_revenue_currency_code,
        owner_id,
        is_converted,
        converted_date as converted_on,
        '{{ source_name }}:' || master_record_id as merged_into_lead_id,
        has_opted_out_of_email as is_email_opted_out,
        coalesce(fbclid_c, fbclid__c) as fbclid,
        coalesce(li_fat_id_c, li_fat_id__c) as li_fat_id,
        coalesce(utm_source_c, utm_source__c) as utm_source,
        coalesce(utm_medium_c, utm_medium__c) as utm_medium,
        coalesce(utm_campaign_c, utm_campaign__c) as utm_campaign,
        _fivetran_end as version_ended_at,
        _fivetran_active as is_current_version
    from {{ relation }}
)
{%- endmacro -%}

{#- What a lead became, what it was merged into, and its further addresses. -#}
{%- macro salesforce_lead_links(relation) -%}
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        'lead' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'contact' as b_type,
        concat('{{ source_name }}:', converted_contact_id) as b_value,
        converted_date as linked_at,
        'crm_conversion' as rule
    from {{ relation }}
    where converted_contact_id is not null
    union all
    {{ salesforce_same_person(relation, 'lead') }}
)
{%- endmacro -%}

{#- What stands in a contact. -#}
{%- macro salesforce_contacts(relation) -%}
-- A mobile phone is one person's; the other telephone of a contact is often its company's.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as contact_id,
        created_date as created_at,
        email,
        coalesce(mobile_phone, phone) as phone,
        first_name,
        last_name,
        account_id,
        title as job_title,
        coalesce(contact_stage_c, contact_stage__c, contact_status_c, contact_status__c)
            as lifecycle_stage,
        lead_source,
        coalesce(mailing_country, mailing_country_code) as country,
        coalesce(mailing_state, mailing_state_code) as region,
        mailing_city as city,
        owner_id,
        coalesce(site_user_id_c, site_user_id__c) as user_id,
        -- Written by hand or by a form script, so the prefix of the _ga cookie may still be on it.
        regexp_replace(
            coalesce(
                ga_client_id_c, ga_client_id__c, google_client_id_c, google_client_id__c,
                client_id_c, client_id__c
            ),
            '^GA[0-9]+[.][0-9]+[.]',
            ''
        ) as client_id,
        coalesce(gclid_c, gclid__c) as gclid,
        is_deleted,
        department,
        is_email_bounced,
        has_opted_out_of_email as is_email_opted_out,
        '{{ source_name }}:' || master_record_id as merged_into_contact_id,
        coalesce(fbclid_c, fbclid__c) as fbclid,
        coalesce(li_fat_id_c, li_fat_id__c) as li_fat_id,
        coalesce(utm_source_c, utm_source__c) as utm_source,
        coalesce(utm_medium_c, utm_medium__c) as utm_medium,
        coalesce(utm_campaign_c, utm_campaign__c) as utm_campaign,
        _fivetran_end as version_ended_at,
        _fivetran_active as is_current_version
    from {{ relation }}
)
{%- endmacro -%}

{#- What a contact was merged into, and its further addresses. -#}
{%- macro salesforce_contact_links(relation) -%}
final as (
    {{ salesforce_same_person(relation, 'contact') }}
)
{%- endmacro -%}

{#- Selects of links for a `record`, lead or contact: to the one that it was merged into, and to its
    further telephone and address. -#}
{%- macro salesforce_same_person(relation, record) -%}
{%- set second_email =
    'trim(coalesce(secondary_email_c, secondary_email__c, email_2_c, email_2__c))' -%}
-- A merge deletes the record that gives way; it names the one that stayed.
    select
        _raw_id,
        _fivetran_start as effective_at,
        '{{ record }}' as a_type,
        concat('{{ source_name }}:', master_record_id) as a_value,
        '{{ record }}' as b_type,
        concat('{{ source_name }}:', id) as b_value,
        cast(null as text) as linked_at,
        'crm_merge' as rule
    from {{ relation }}
    where master_record_id is not null and master_record_id <> id
    union all
    -- The telephone beside the mobile phone that the {{ record }} itself is known by.
    select
        _raw_id,
        _fivetran_start as effective_at,
        '{{ record }}' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'phone' as b_type,
        pii_hash('phone', trim(phone)) as b_value,
        cast(null as text) as linked_at,
        'crm_phone' as rule
    from {{ relation }}
    where
        trim(phone) <> ''
        and trim(mobile_phone) <> ''
        and not is_blocked_identifier('phone', trim(phone))
    union all
    select
        _raw_id,
        _fivetran_start as effective_at,
        '{{ record }}' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'email' as b_type,
        pii_hash('email', {{ second_email }}) as b_value,
        cast(null as text) as linked_at,
        'crm_email' as rule
    from {{ relation }}
    where
        {{ second_email }} <> ''
        and not is_blocked_identifier('email', {{ second_email }})
{%- endmacro -%}

{#- What stands in an account. -#}
{%- macro salesforce_accounts(relation) -%}
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as account_id,
        name as account_name,
        regexp_replace(lower(url_host(website)), '^www[.]', '') as domain,
        industry,
        {{ whole('number_of_employees') }} as employee_count,
        annual_revenue as annual_revenue_amount,
        currency_iso_code as currency_code,
        coalesce(
            billing_country, billing_country_code, shipping_country, shipping_country_code
        ) as country,
        coalesce(billing_city, shipping_city) as city,
        parent_id as parent_account_id,
        owner_id,
        created_date as created_at,
        is_deleted,
        coalesce(billing_state, billing_state_code) as region,
        type as account_type,
        account_source,
        account_number,
        rating,
        ownership,
        '{{ source_name }}:' || master_record_id as merged_into_account_id,
        _fivetran_end as version_ended_at,
        _fivetran_active as is_current_version
    from {{ relation }}
)
{%- endmacro -%}

{#- What stands in an opportunity. With `has_order`, order_of_deal says which order records it. -#}
{%- macro salesforce_deals(relation, has_order=false) -%}
final as (
    select
        deal._raw_id,
        deal._fivetran_start as effective_at,
        deal.id as deal_id,
        deal.name as deal_name,
        deal.account_id,
        -- The record type says which sales process, and so which stages, a deal has.
        deal.record_type_id as pipeline,
        deal.stage_name as stage,
        deal.is_closed,
        deal.is_won,
        deal.amount,
        deal.currency_iso_code as currency_code,
        -- A percentage. What is no number goes on as it is, so that the row is quarantined.
        coalesce(
            cast(
                try_cast(deal.probability as decimal(9, 4)) * cast('0.01' as decimal(3, 2)) as text
            ),
            deal.probability
        ) as probability,
        deal.created_date as created_at,
        -- For an open deal the close date is a hope. For a closed one it is a day; the hour is
        -- known if the stage changed last on that day.
        case
            when lower(deal.is_closed) in ('false', '0', 'f', 'no') then null
            when substr(deal.last_stage_change_date, 1, 10) = substr(deal.close_date, 1, 10)
                then deal.last_stage_change_date
            else deal.close_date
        end as closed_at,
        {{ whole("coalesce(
            deal.order_id_c, deal.order_id__c, deal.order_number_c, deal.order_number__c,
            deal.shop_order_id_c, deal.shop_order_id__c,
            deal.shop_order_number_c, deal.shop_order_number__c,
            deal.shopify_order_id_c, deal.shopify_order_id__c,
            deal.shopify_order_number_c, deal.shopify_order_number__c,
            deal.transaction_id_c, deal.transaction_id__c,
            deal.ecommerce_order_number_c, deal.ecommerce_order_number__c"
            ~ (", order_of_deal.order_id" if has_order else "") ~ "
        )") }} as order_id,
        {{ whole('coalesce(
            deal.invoice_id_c, deal.invoice_id__c, deal.invoice_number_c, deal.invoice_number__c
        )') }} as invoice_id,
        deal.lead_source,
        deal.owner_id,
        deal.is_deleted,
        deal.close_date,
        deal.type as deal_type,
        deal.expected_revenue as expected_revenue_amount,
        coalesce(deal.forecast_category_name, deal.forecast_category) as forecast_category,
        deal.campaign_id,
        deal._fivetran_end as version_ended_at,
        deal._fivetran_active as is_current_version
    from {{ relation }} as deal
    {%- if has_order %}
    left join order_of_deal on deal.id = order_of_deal.opportunity_id
    {%- endif %}
)
{%- endmacro -%}

{#- The CTEs that end in order_of_deal: the order that records an opportunity. -#}
{%- macro salesforce_order_of_deal(orders) -%}
-- An order names the opportunity that it comes of. Drafts, reductions and what was called off are
-- no sales; of several orders the first one records the deal, the others are sales of their own.
order_version as (
    select
        *,
        row_number() over (
            partition by id
            order by coalesce(_fivetran_start, _fivetran_synced) desc nulls last, _raw_id desc
        ) as place
    from {{ orders }}
),

order_of_deal as (
    select opportunity_id, min(id) as order_id
    from order_version
    where
        place = 1
        and opportunity_id is not null
        and lower(coalesce(status_code, status)) = 'activated'
        and lower(coalesce(is_reduction_order, 'false')) not in ('true', '1', 't', 'yes')
        and lower(coalesce(is_deleted, 'false')) not in ('true', '1', 't', 'yes')
    group by opportunity_id
)
{%- endmacro -%}

{#- What stands in the role of a contact. -#}
{%- macro salesforce_deal_contacts(relation) -%}
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        opportunity_id as deal_id,
        contact_id,
        role,
        -- A role that was taken away again is nobody's first one.
        case
            when lower(is_deleted) in ('true', '1', 't', 'yes') then 'false'
            else is_primary
        end as is_primary,
        created_date as created_at,
        is_deleted
    from {{ relation }}
)
{%- endmacro -%}

{#- What stands in Salesforce's own stage history. With `has_stages`, the CTE stage_meaning says of
    each stage what it means. -#}
{%- macro salesforce_deal_stages(relation, has_stages=false) -%}
-- Salesforce makes an entry when stage, amount, probability or close date change, so a stage may
-- come twice in a row. What a stage means stands in opportunity_stage; without it, it is known for
-- the forecast category of won deals and for the standard stages.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        opportunity_id as deal_id,
        stage_name as stage,
        created_date as entered_at,
        case
            {%- if has_stages %}
            when stage_is_closed is not null then stage_is_closed
            {%- endif %}
            when
                lower(forecast_category) = 'closed'
                or lower(stage_name) in ('closed won', 'closed lost')
                then true
        end as is_closed,
        case
            {%- if has_stages %}
            when stage_is_won is not null then stage_is_won
            {%- endif %}
            when lower(forecast_category) = 'closed' or lower(stage_name) = 'closed won' then true
            when lower(stage_name) = 'closed lost' then false
        end as is_won,
        -- A percentage. What is no number goes on as it is, so that the row is quarantined.
        coalesce(
            cast(try_cast(probability as decimal(9, 4)) * cast('0.01' as decimal(3, 2)) as text),
            probability
        ) as probability,
        id as entry_id,
        amount,
        currency_iso_code as amount_currency_code,
        close_date,
        forecast_category,
        prev_amount as previous_amount,
        prev_close_date as previous_close_date,
        is_deleted
    from {{ relation }}
    {%- if has_stages %}
    left join stage_meaning on {{ relation }}.stage_name = stage_meaning.stage
    {%- endif %}
)
{%- endmacro -%}

{#- The CTE `final` of a table of changes of fields. A field may hold anything about a person, so
    values are taken only of `fields`, which say where the record stands. -#}
{%- macro salesforce_field_changes(relation, from_id, id, fields) -%}
final as (
    select
        _raw_id,
        '{{ source_name }}:' || {{ from_id }} as {{ id }},
        created_date as changed_at,
        field as property_name,
        case
            when field in ('{{ fields | join("', '") }}') then old_value
        end as previous_value,
        case
            when field in ('{{ fields | join("', '") }}') then new_value
        end as property_value,
        created_by_id as changed_by
    from {{ relation }}
)
{%- endmacro -%}
