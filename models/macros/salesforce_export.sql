{#- Salesforce's own exports: the weekly one, Data Loader, the REST API. They name columns as the
    API does (`AccountId`), which is read in any case; models read the names with underscores. -#}

{#- Columns that are read, by table; a custom field ends in __c. -#}
{%- set salesforce_columns = {
    'lead': [
        'id', 'created_date', 'email', 'phone', 'mobile_phone', 'first_name', 'last_name',
        'company', 'title', 'status', 'lead_source', 'industry', 'number_of_employees',
        'annual_revenue', 'country', 'country_code', 'state', 'state_code', 'city', 'owner_id',
        'is_converted', 'converted_date', 'converted_contact_id', 'converted_account_id',
        'converted_opportunity_id', 'master_record_id', 'is_deleted', 'has_opted_out_of_email',
        'currency_iso_code', 'secondary_email__c', 'email_2__c', 'ga_client_id__c',
        'google_client_id__c', 'client_id__c', 'gclid__c', 'fbclid__c', 'li_fat_id__c',
        'utm_source__c', 'utm_medium__c', 'utm_campaign__c'
    ],
    'contact': [
        'id', 'created_date', 'email', 'phone', 'mobile_phone', 'first_name', 'last_name',
        'account_id', 'title', 'department', 'lead_source', 'mailing_country',
        'mailing_country_code', 'mailing_state', 'mailing_state_code', 'mailing_city', 'owner_id',
        'reports_to_id', 'master_record_id', 'is_deleted', 'is_email_bounced',
        'has_opted_out_of_email', 'contact_stage__c', 'contact_status__c', 'secondary_email__c',
        'email_2__c', 'site_user_id__c', 'ga_client_id__c', 'google_client_id__c', 'client_id__c',
        'gclid__c', 'fbclid__c', 'li_fat_id__c', 'utm_source__c', 'utm_medium__c', 'utm_campaign__c'
    ],
    'account': [
        'id', 'created_date', 'name', 'website', 'industry', 'number_of_employees',
        'annual_revenue', 'currency_iso_code', 'billing_country', 'billing_country_code',
        'billing_state', 'billing_state_code', 'billing_city', 'shipping_country',
        'shipping_country_code', 'shipping_city', 'parent_id', 'owner_id', 'account_number',
        'account_source', 'type', 'rating', 'ownership', 'master_record_id', 'is_deleted'
    ],
    'opportunity': [
        'id', 'created_date', 'name', 'account_id', 'contact_id', 'campaign_id', 'record_type_id',
        'stage_name', 'is_closed', 'is_won', 'amount', 'currency_iso_code', 'expected_revenue',
        'probability', 'forecast_category', 'forecast_category_name', 'close_date',
        'last_stage_change_date', 'type', 'lead_source', 'owner_id', 'is_deleted', 'order_id__c',
        'order_number__c', 'shop_order_id__c', 'shop_order_number__c', 'shopify_order_id__c',
        'shopify_order_number__c', 'transaction_id__c', 'ecommerce_order_number__c',
        'invoice_id__c', 'invoice_number__c'
    ],
    'opportunity_contact_role': [
        'id', 'opportunity_id', 'contact_id', 'role', 'is_primary', 'created_date', 'is_deleted'
    ],
    'opportunity_history': [
        'id', 'created_date', 'name', 'account_id', 'contact_id', 'campaign_id', 'record_type_id',
        'stage_name', 'is_closed', 'is_won', 'amount', 'currency_iso_code', 'expected_revenue',
        'probability', 'forecast_category', 'forecast_category_name', 'close_date',
        'last_stage_change_date', 'type', 'lead_source', 'owner_id', 'is_deleted', 'order_id__c',
        'order_number__c', 'shop_order_id__c', 'shop_order_number__c', 'shopify_order_id__c',
        'shopify_order_number__c', 'transaction_id__c', 'ecommerce_order_number__c',
        'invoice_id__c', 'invoice_number__c', 'opportunity_id', 'created_by_id', 'prev_amount',
        'prev_close_date', 'system_modstamp'
    ],
    'campaign': [
        'id', 'name', 'type', 'status', 'is_active', 'is_deleted', 'parent_id', 'owner_id',
        'start_date', 'end_date', 'currency_iso_code', 'budgeted_cost', 'actual_cost',
        'expected_revenue', 'number_sent', 'number_of_leads', 'number_of_contacts',
        'number_of_responses', 'created_date', 'utm_source__c', 'utm_medium__c', 'utm_campaign__c'
    ],
    'campaign_member': [
        'id', 'campaign_id', 'contact_id', 'lead_id', 'lead_or_contact_id', 'account_id', 'email',
        'status', 'has_responded', 'first_responded_date', 'created_date', 'lead_source', 'type',
        'is_deleted', 'utm_source__c', 'utm_medium__c', 'utm_campaign__c'
    ],
    'task': [
        'id', 'created_date', 'activity_date', 'completed_date_time', 'who_id', 'what_id',
        'account_id', 'owner_id', 'subject', 'task_subtype', 'type', 'status', 'priority',
        'is_closed', 'call_type', 'call_disposition', 'call_duration_in_seconds', 'is_deleted'
    ],
    'event': [
        'id', 'created_date', 'start_date_time', 'end_date_time', 'activity_date_time',
        'activity_date', 'end_date', 'duration_in_minutes', 'who_id', 'what_id', 'account_id',
        'owner_id', 'subject', 'event_subtype', 'type', 'is_private', 'is_child', 'is_deleted'
    ],
    'order': [
        'id', 'order_number', 'account_id', 'opportunity_id', 'original_order_id',
        'bill_to_contact_id', 'status', 'status_code', 'type', 'is_reduction_order', 'total_amount',
        'currency_iso_code', 'effective_date', 'end_date', 'activated_date', 'created_date',
        'shipping_country', 'shipping_country_code', 'shipping_state', 'shipping_state_code',
        'shipping_city', 'billing_country', 'billing_country_code', 'billing_state',
        'billing_state_code', 'billing_city', 'owner_id', 'contract_id', 'po_number', 'is_deleted',
        'ga_client_id__c', 'google_client_id__c', 'client_id__c', 'gclid__c'
    ],
    'order_item': [
        'id', 'order_id', 'product_2_id', 'order_item_number', 'original_order_item_id', 'quantity',
        'list_price', 'unit_price', 'total_price', 'currency_iso_code', 'service_date', 'end_date',
        'created_date', 'is_deleted'
    ],
    'product_2': [
        'id', 'name', 'product_code', 'stock_keeping_unit', 'family', 'is_active', 'is_archived',
        'is_deleted', 'external_id', 'quantity_unit_of_measure', 'created_date', 'currency_iso_code'
    ]
} -%}

{#- The CTE `relation` (`table` without it) out of an export of a table, under the names that
    Fivetran gives its columns. A row is as new as its last change. -#}
{%- macro salesforce_export(table, relation=none) -%}
{{ relation or table }} as (
    select
        _raw_id,
        {%- for name in salesforce_columns[table] %}
        {%- if name[-3:] == '__c' %}
        {{ name }},
        cast(null as text) as {{ name[:-3] }}_c,
        {%- else %}
        "{{ name | replace('_', '') }}" as {{ name }},
        {%- endif %}
        {%- endfor %}
        coalesce(systemmodstamp, lastmodifieddate) as _fivetran_start,
        cast(null as text) as _fivetran_end,
        cast(null as text) as _fivetran_active,
        cast(null as text) as _fivetran_deleted,
        systemmodstamp as _fivetran_synced
    from {{ source('salesforce', table ~ '_export') }}
)
{%- endmacro -%}
