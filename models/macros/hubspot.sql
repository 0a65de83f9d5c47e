{#- What HubSpot's layouts share: its properties as columns `property_<internal name>`, whether
    Fivetran landed them, its API gave them or somebody exported them from its pages, and what they
    mean. -#}

{#- Properties that are read, by what has them; an activity is of whatever kind. -#}
{%- set hubspot_properties = {
    'contact': [
        'email', 'hs_email_domain', 'hs_additional_emails', 'phone', 'mobilephone', 'firstname',
        'lastname', 'company', 'associatedcompanyid', 'jobtitle', 'createdate', 'created_at',
        'lifecyclestage', 'hs_lead_status', 'hs_analytics_source', 'hs_analytics_source_data_1',
        'hs_analytics_source_data_2', 'hs_latest_source', 'lead_source', 'leadsource', 'country',
        'ip_country', 'state', 'city', 'hs_language', 'hubspot_owner_id', 'user_id', 'site_user_id',
        'ga_client_id', 'google_client_id', 'client_id', 'hubspotutk', 'hs_cookie', 'gclid',
        'hs_google_click_id', 'hs_facebook_click_id', 'fbclid', 'li_fat_id', 'utm_source',
        'utm_medium', 'utm_campaign', 'first_conversion_date', 'first_conversion_event_name',
        'hs_merged_object_ids', 'hs_calculated_merged_vids', 'annualrevenue',
        'hs_v2_date_entered_subscriber', 'hs_lifecyclestage_subscriber_date',
        'hs_v2_date_entered_lead', 'hs_lifecyclestage_lead_date',
        'hs_v2_date_entered_marketingqualifiedlead',
        'hs_lifecyclestage_marketingqualifiedlead_date', 'hs_v2_date_entered_salesqualifiedlead',
        'hs_lifecyclestage_salesqualifiedlead_date', 'hs_v2_date_entered_opportunity',
        'hs_lifecyclestage_opportunity_date', 'hs_v2_date_entered_customer',
        'hs_lifecyclestage_customer_date', 'hs_v2_date_entered_evangelist',
        'hs_lifecyclestage_evangelist_date'
    ],
    'company': [
        'name', 'domain', 'website', 'industry', 'numberofemployees', 'annualrevenue',
        'currency_code', 'country', 'state', 'city', 'hs_parent_company_id', 'hubspot_owner_id',
        'createdate', 'lifecyclestage'
    ],
    'deal': [
        'dealname', 'amount', 'amount_in_home_currency', 'deal_currency_code', 'closedate',
        'createdate', 'hs_createdate', 'pipeline', 'dealstage', 'dealtype', 'hs_is_closed',
        'hs_is_closed_won', 'hs_deal_stage_probability', 'hs_primary_associated_company',
        'associatedcompanyid', 'order_id', 'order_number', 'shop_order_id', 'shop_order_number',
        'shopify_order_id', 'shopify_order_number', 'transaction_id', 'ecommerce_order_number',
        'invoice_id', 'invoice_number', 'hs_analytics_source', 'lead_source', 'leadsource',
        'hs_campaign', 'campaign', 'utm_campaign', 'hubspot_owner_id', 'hs_merged_object_ids'
    ],
    'activity': [
        'hs_timestamp', 'hs_createdate', 'hubspot_owner_id', 'hs_call_title', 'hs_call_direction',
        'hs_call_disposition', 'hs_call_duration', 'hs_meeting_title', 'hs_meeting_start_time',
        'hs_meeting_end_time', 'hs_meeting_outcome', 'hs_email_direction', 'hs_email_status',
        'hs_task_subject', 'hs_task_type', 'hs_task_status', 'hs_communication_channel_type'
    ],
    'deal_link': ['dealname']
} -%}

{#- Properties whose changes are read. A property may hold anything about a person, so these are
    those that say where a record stands; the others stay in raw. -#}
{%- set hubspot_tracked_properties = {
    'contact': ['lifecyclestage', 'hs_lead_status', 'hs_analytics_source'],
    'company': ['lifecyclestage', 'hs_lead_status', 'industry'],
    'deal': ['dealstage', 'pipeline', 'amount', 'closedate', 'hs_is_closed_won']
} -%}

{#- Stages of the life cycle of which a contact keeps since when. -#}
{%- set hubspot_dated_stages = [
    'subscriber', 'lead', 'marketingqualifiedlead', 'salesqualifiedlead', 'opportunity', 'customer',
    'evangelist'
] -%}

{#- How HubSpot's pages and exports call a property, in small letters and with _ for spaces, where
    that is not its internal name (the label `GA client ID` is ga_client_id). -#}
{%- set hubspot_labels = {
    'hs_email_domain': ['email_domain'],
    'hs_additional_emails': ['additional_email_addresses'],
    'phone': ['phone_number'],
    'mobilephone': ['mobile_phone_number'],
    'firstname': ['first_name'],
    'lastname': ['last_name'],
    'company': ['company_name'],
    'associatedcompanyid': [
        'primary_associated_company_id',
        'associated_company_ids',
        'associated_company_id'
    ],
    'jobtitle': ['job_title'],
    'createdate': ['create_date'],
    'lifecyclestage': ['lifecycle_stage'],
    'hs_lifecyclestage_subscriber_date': ['became_a_subscriber_date'],
    'hs_lifecyclestage_lead_date': ['became_a_lead_date'],
    'hs_lifecyclestage_marketingqualifiedlead_date': ['became_a_marketing_qualified_lead_date'],
    'hs_lifecyclestage_salesqualifiedlead_date': ['became_a_sales_qualified_lead_date'],
    'hs_lifecyclestage_opportunity_date': ['became_an_opportunity_date'],
    'hs_lifecyclestage_customer_date': ['became_a_customer_date'],
    'hs_lifecyclestage_evangelist_date': ['became_an_evangelist_date'],
    'hs_lead_status': ['lead_status'],
    'hs_analytics_source': ['original_source', 'original_traffic_source', 'original_source_type'],
    'hs_analytics_source_data_1': [
        'original_source_drill-down_1',
        'original_traffic_source_drill-down_1'
    ],
    'hs_analytics_source_data_2': [
        'original_source_drill-down_2',
        'original_traffic_source_drill-down_2'
    ],
    'hs_latest_source': ['latest_source', 'latest_traffic_source'],
    'country': ['country/region'],
    'state': ['state/region'],
    'hs_language': ['preferred_language'],
    'hs_google_click_id': ['google_ad_click_id'],
    'hs_facebook_click_id': ['facebook_click_id'],
    'first_conversion_event_name': ['first_conversion'],
    'hs_merged_object_ids': ['merged_object_ids', 'merged_record_ids'],
    'hs_calculated_merged_vids': ['merged_vids_with_timestamps_of_a_contact'],
    'annualrevenue': ['annual_revenue'],
    'name': ['company_name'],
    'domain': ['company_domain_name'],
    'website': ['website_url'],
    'numberofemployees': ['number_of_employees'],
    'hs_parent_company_id': ['parent_company_id'],
    'dealname': ['deal_name'],
    'amount_in_home_currency': ['amount_in_company_currency'],
    'deal_currency_code': ['currency'],
    'closedate': ['close_date'],
    'dealstage': ['deal_stage'],
    'dealtype': ['deal_type'],
    'hs_is_closed': ['is_deal_closed?', 'is_closed'],
    'hs_is_closed_won': ['is_closed_won'],
    'hs_deal_stage_probability': ['deal_probability']
} -%}

{#- The CTE `relation` out of a CSV of HubSpot's pages: id and property_…, found by their labels
    or their internal names. Of several associated companies the first one counts. A stage may have
    its pipeline behind it in brackets. -#}
{%- macro hubspot_exported(stream, relation, object) -%}
{%- set properties = hubspot_properties[object] -%}
{{ relation }} as (
    select
        _raw_id,
        coalesce(record_id, "record_id_-_{{ object }}", {{ object }}_id, hs_object_id) as id,
        {%- if object == 'deal' %}
        coalesce(associated_contact_ids, associated_contact_id) as contact_ids,
        {%- endif %}
        cast(null as text) as is_deleted,
        {%- for name in properties %}
        {%- set value = 'coalesce(' ~ hubspot_headings(name) ~ ')' %}
        {%- if name == 'associatedcompanyid' %}
        split_part({{ value }}, ';', 1)
        {%- elif name == 'dealstage' %}
        replace({{ value }}, ' (' || coalesce(pipeline, '') || ')', '')
        {%- elif name == 'lifecyclestage' %}
        {{ hubspot_lifecycle_stage(value) }}
        {%- else %}
        {{ value }}
        {%- endif %} as property_{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source('hubspot', stream) }}
)
{%- endmacro -%}

{#- Labels of the life cycle's own stages in other languages, in small letters and without blanks
    and hyphens. -#}
{%- set hubspot_stage_labels = {
    'subscriber': ['abonnent', 'abonné', 'suscriptor'],
    'lead': [],
    'marketingqualifiedlead': [
        'leadqualifiéparlemarketing', 'leadcalificadopormarketing', 'leadcualificadopormarketing'
    ],
    'salesqualifiedlead': [
        "leadqualifiéparl''équipecommerciale", 'leadcalificadoporventas',
        'leadcualificadoporventas'
    ],
    'opportunity': ['opportunité', 'oportunidad'],
    'customer': ['kunde', 'client', 'cliente'],
    'evangelist': ['fürsprecher', 'ambassadeur', 'evangelizador'],
    'other': ['sonstige', 'sonstiges', 'autre', 'otro']
} -%}

{#- Words of a property that is yes or no, and of a deal that is won or lost, in all languages. -#}
{%- set hubspot_yes = "'true', '1', '1.0', 'yes', 'ja', 'wahr', 'oui', 'vrai', 'sí',
                'verdadero'" -%}
{%- set hubspot_no = "'false', '0', '0.0', 'no', 'nein', 'falsch', 'non', 'faux', 'falso'" -%}
{%- set hubspot_won = "'closedwon', 'abgeschlossenundgewonnen', 'ferméegagnée', 'fermégagné',
                'concluegagnée', 'cierreganado', 'cerradoganado', 'cerradaganada'" -%}
{%- set hubspot_lost = "'closedlost', 'abgeschlossenundverloren', 'ferméeperdue', 'ferméperdu',
                'conclueperdue', 'cierreperdido', 'cerradoperdido', 'cerradaperdida'" -%}

{#- A stage of the life cycle by its internal name, where it is one of HubSpot's own: the label
    `Marketing Qualified Lead` is marketingqualifiedlead. -#}
{%- macro hubspot_lifecycle_stage(label) -%}
{%- set bare = "lower(translate(" ~ label ~ ", ' -', ''))" -%}
case
            {%- for stage, labels in hubspot_stage_labels | items %}
            when {{ bare }} in ('{{ ([stage] + labels) | join("', '") }}')
                then '{{ stage }}'
            {%- endfor %}
            else {{ label }}
        end
{%- endmacro -%}

{#- Under which columns an export may have a property, joined by commas. -#}
{%- macro hubspot_headings(name) -%}
{%- set labels = hubspot_labels[name] if name in hubspot_labels else [] -%}
"{{ (labels + [name]) | join('", "') }}"
{%- endmacro -%}

{#- What stands in a contact. E-mails may be hashed already by the tool that exported them: opaque
    text is kept as it is. -#}
{%- macro hubspot_contacts(relation, is_deleted='is_deleted') -%}
final as (
    select
        _raw_id,
        id as contact_id,
        coalesce(property_createdate, property_created_at) as created_at,
        property_email as email,
        -- HubSpot keeps the domain beside it: it is there where the address itself is hashed.
        property_hs_email_domain as email_domain,
        coalesce(property_phone, property_mobilephone) as phone,
        property_firstname as first_name,
        property_lastname as last_name,
        {{ whole('property_associatedcompanyid') }} as account_id,
        property_company as company_name,
        property_jobtitle as job_title,
        property_lifecyclestage as lifecycle_stage,
        coalesce(property_lead_source, property_leadsource, property_hs_analytics_source)
            as lead_source,
        coalesce(property_country, property_ip_country) as country,
        property_state as region,
        property_city as city,
        property_hs_language as language,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        coalesce(property_site_user_id, property_user_id) as user_id,
        -- Written by hand or by a form script, so the prefix of the _ga cookie may still be on it.
        regexp_replace(
            coalesce(property_ga_client_id, property_google_client_id, property_client_id),
            '^GA[0-9]+[.][0-9]+[.]',
            ''
        ) as client_id,
        coalesce(property_hubspotutk, property_hs_cookie) as tracking_cookie,
        coalesce(property_gclid, property_hs_google_click_id) as gclid,
        {{ is_deleted }} as is_deleted,
        property_hs_lead_status as lead_status,
        property_hs_analytics_source as original_source,
        property_hs_analytics_source_data_1 as original_source_detail_1,
        property_hs_analytics_source_data_2 as original_source_detail_2,
        property_hs_latest_source as latest_source,
        coalesce(property_fbclid, property_hs_facebook_click_id) as fbclid,
        property_li_fat_id as li_fat_id,
        property_utm_source as utm_source,
        property_utm_medium as utm_medium,
        property_utm_campaign as utm_campaign,
        property_first_conversion_date as first_conversion_at,
        property_first_conversion_event_name as first_conversion_name,
        property_annualrevenue as annual_revenue
    from {{ relation }}
)
{%- endmacro -%}

{#- The stages that a contact came into, by the dates kept on it; Fivetran writes v2 as v_2 too. -#}
{%- macro hubspot_stage_dates(relation, by_fivetran=false) -%}
stage_dates as (
    select
        _raw_id,
        id,
        unnest(make_array(
            {%- for stage in hubspot_dated_stages %}
            named_struct(
                'stage', '{{ stage }}',
                'entered_at', coalesce(
                    {%- if by_fivetran %}
                    property_hs_v_2_date_entered_{{ stage }},
                    {%- endif %}
                    property_hs_v2_date_entered_{{ stage }},
                    property_hs_lifecyclestage_{{ stage }}_date
                )
            ){{ ',' if not loop.last }}
            {%- endfor %}
        )) as entry
    from {{ relation }}
),

-- A stage that a contact comes into again has another date: both entries stay.
final as (
    select
        _raw_id,
        concat('stage-', id, '-', entry['stage'], '-', entry['entered_at']) as activity_id,
        entry['entered_at'] as activity_at,
        'stage_change' as activity_type,
        entry['stage'] as subject,
        id as contact_id,
        false as is_touchpoint,
        'contact' as change_source
    from stage_dates
    where trim(entry['entered_at']) <> ''
)
{%- endmacro -%}

{#- Identifiers that a contact took over from another, or has besides. Ids of merged contacts stand
    as `1;2;3`, in an older property as `1:<milliseconds>;2:<…>`. -#}
{%- macro hubspot_contact_links(relation) -%}
merged_contacts as (
    select
        _raw_id,
        id,
        split_part(
            unnest(string_to_array(
                concat_ws(';', property_hs_merged_object_ids, property_hs_calculated_merged_vids),
                ';'
            )),
            ':',
            1
        ) as merged_id
    from {{ relation }}
),

additional_emails as (
    select
        _raw_id,
        id,
        unnest(string_to_array(property_hs_additional_emails, ';')) as email
    from {{ relation }}
),

final as (
    select
        _raw_id,
        'contact' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'contact' as b_type,
        concat('{{ source_name }}:', trim(merged_id)) as b_value,
        'crm_merge' as rule
    from merged_contacts
    where trim(merged_id) <> '' and trim(merged_id) <> id
    union all
    select
        _raw_id,
        'contact' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'email' as b_type,
        pii_hash('email', trim(email)) as b_value,
        'crm_email' as rule
    from additional_emails
    where trim(email) <> ''
)
{%- endmacro -%}

{#- What stands in a company. -#}
{%- macro hubspot_companies(relation, is_deleted='is_deleted') -%}
final as (
    select
        _raw_id,
        id as account_id,
        property_name as account_name,
        regexp_replace(
            lower(coalesce(property_domain, url_host(property_website))), '^www[.]', ''
        ) as domain,
        property_industry as industry,
        {{ whole('property_numberofemployees') }} as employee_count,
        property_annualrevenue as annual_revenue_amount,
        property_currency_code as currency_code,
        property_country as country,
        property_city as city,
        {{ whole('property_hs_parent_company_id') }} as parent_account_id,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        property_createdate as created_at,
        {{ is_deleted }} as is_deleted,
        property_state as region,
        property_lifecyclestage as lifecycle_stage
    from {{ relation }}
)
{%- endmacro -%}

{#- What stands in a deal. Whether a stage closes it is known from its own properties, then from
    `stage_is_won` and `stage_is_closed` where the relation has looked them up, then from the names
    that HubSpot's standard stages have; of other stages it stays open here. -#}
{%- macro hubspot_deals(relation, is_deleted='is_deleted', has_stages=false) -%}
deals_named as (
    select
        *,
        -- `Closed Won (Sales pipeline)` of an export is `closedwon` of the API.
        regexp_replace(lower(property_dealstage), ' |[(].*$', '', 'g') as standard_stage,
        lower(property_hs_is_closed_won) as stated_won,
        lower(property_hs_is_closed) as stated_closed
    from {{ relation }}
),

deals_with_outcome as (
    select
        *,
        case
            when stated_won is not null then stated_won in ({{ hubspot_yes }})
            {%- if has_stages %}
            when stage_is_won is not null then stage_is_won
            {%- endif %}
            when standard_stage in ({{ hubspot_won }}) then true
            when standard_stage in ({{ hubspot_lost }}) then false
            when stated_closed in ({{ hubspot_no }}) then false
        end as is_won
    from deals_named
),

deals_with_closing as (
    select
        *,
        case
            when is_won then true
            when stated_closed is not null then stated_closed in ({{ hubspot_yes }})
            {%- if has_stages %}
            when stage_is_closed is not null then stage_is_closed
            {%- endif %}
            when standard_stage in ({{ hubspot_lost }}) then true
        end as is_closed
    from deals_with_outcome
),

final as (
    select
        _raw_id,
        id as deal_id,
        property_dealname as deal_name,
        {{ whole(
            'coalesce(property_hs_primary_associated_company, property_associatedcompanyid)'
        ) }} as account_id,
        property_pipeline as pipeline,
        property_dealstage as stage,
        is_closed,
        is_won,
        property_amount as amount,
        property_deal_currency_code as currency_code,
        property_hs_deal_stage_probability as probability,
        coalesce(property_createdate, property_hs_createdate) as created_at,
        -- For an open deal, HubSpot's close date is a hope.
        case when is_closed is distinct from false then property_closedate end as closed_at,
        {{ whole("coalesce(
            property_order_id, property_order_number, property_shop_order_id,
            property_shop_order_number, property_shopify_order_id, property_shopify_order_number,
            property_transaction_id, property_ecommerce_order_number
        )") }} as order_id,
        {{ whole('coalesce(property_invoice_id, property_invoice_number)') }} as invoice_id,
        coalesce(property_lead_source, property_leadsource, property_hs_analytics_source)
            as lead_source,
        coalesce(property_hs_campaign, property_campaign, property_utm_campaign) as campaign_name,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        {{ is_deleted }} as is_deleted,
        property_closedate as close_date,
        property_dealtype as deal_type,
        property_hs_merged_object_ids as merged_deal_ids
    from deals_with_closing
)
{%- endmacro -%}

{#- The CTEs that say what the stages of deals mean: stage_meaning has one row per stage, as its
    pipeline has it now. HubSpot marks a lost stage as closed and not won, or by probability 0. -#}
{%- macro hubspot_stage_meanings() -%}
stage_version as (
    select
        *,
        row_number() over (
            partition by stage_id order by _fivetran_synced desc nulls last, _raw_id desc
        ) as place
    from {{ source('hubspot', 'deal_pipeline_stage') }}
    where stage_id is not null
),

stage_meaning as (
    select
        stage_id,
        pipeline_id,
        probability,
        lower(closed_won) in ('true', '1', '1.0', 'yes') as is_won,
        case
            when lower(closed_won) in ('true', '1', '1.0', 'yes') then true
            when lower(is_closed) in ('true', '1', '1.0', 'yes') then true
            when lower(is_closed) in ('false', '0', '0.0', 'no') then false
            when try_cast(probability as double) = 0 then true
        end as is_closed
    from stage_version
    where place = 1
)
{%- endmacro -%}

{#- The CTE `campaign_name`: how each e-mail campaign is called in its latest version. -#}
{%- macro hubspot_email_campaign_names(stream, changed_at) -%}
campaign_name as (
    select id, campaign_name
    from (
        select
            id,
            coalesce(name, subject) as campaign_name,
            row_number() over (
                partition by id order by {{ changed_at }} desc nulls last, _raw_id desc
            ) as place
        from {{ source('hubspot', stream) }}
    )
    where place = 1
)
{%- endmacro -%}

{#- What stands in Fivetran's table of changes of an object: contact, company or deal. -#}
{%- macro hubspot_property_changes(relation, object) -%}
final as (
    select
        _raw_id,
        '{{ source_name }}:' || {{ object }}_id as {{ hubspot_record_id(object) }},
        timestamp as changed_at,
        name as property_name,
        case
            when name in ('{{ hubspot_tracked_properties[object] | join("', '") }}')
                then value
        end as property_value,
        source as change_source
    from {{ relation }}
)
{%- endmacro -%}

{#- How we call the id of an object: a company is an account. -#}
{%- macro hubspot_record_id(object) -%}
{{ 'account' if object == 'company' else object }}_id
{%- endmacro -%}
