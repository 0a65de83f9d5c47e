-- Raw rows of the small files, as text: columns that files have beyond these are not kept.
create table google_ads__account_history (
    id text, updated_at text, descriptive_name text, currency_code text, time_zone text
);
create table google_ads__campaign_history (
    id text, updated_at text, name text, customer_id text, advertising_channel_type text,
    status text
);
create table google_ads__ad_group_history (
    id text, updated_at text, campaign_id text, name text, status text
);
create table google_ads__ad_history (
    id text, updated_at text, ad_group_id text, name text, status text, final_urls text
);
create table google_ads__campaign_stats (
    id text, customer_id text, date text, _fivetran_synced text, ad_network_type text, device text,
    impressions text, clicks text, cost_micros text, conversions text, conversions_value text
);
create table google_ads__ad_stats (
    ad_id text, customer_id text, date text, _fivetran_synced text, ad_group_id text,
    campaign_id text, ad_network_type text, device text, keyword_ad_group_criterion text,
    impressions text, clicks text, cost_micros text, conversions text, conversions_value text
);
create table google_ads__click_view (
    gclid text, date text, customer_id text, campaign_id text, ad_group_id text, ad_id text,
    keyword_text text, _fivetran_synced text
);
create table meta_ads__account_history (
    id text, name text, _fivetran_synced text, currency text, timezone_name text
);
create table meta_ads__campaign_history (
    id text, account_id text, name text, updated_time text, objective text, status text
);
create table meta_ads__ad_set_history (
    id text, account_id text, campaign_id text, name text, updated_time text, status text
);
create table meta_ads__ad_history (
    id text, account_id text, ad_set_id text, campaign_id text, creative_id text, name text,
    updated_time text, status text
);
create table meta_ads__creative_history (
    id text, account_id text, name text, page_link text, url_tags text, _fivetran_synced text
);
create table meta_ads__basic_ad (
    ad_id text, date text, account_id text, _fivetran_synced text, ad_name text, adset_name text,
    campaign_name text, impressions text, reach text, inline_link_clicks text, spend text
);
create table meta_ads__basic_ad_actions (
    ad_id text, date text, action_type text, value text, _7_d_click text, _1_d_view text,
    _fivetran_synced text
);
create table meta_ads__basic_ad_action_values (
    ad_id text, date text, action_type text, value text, _7_d_click text, _fivetran_synced text
);
create table linkedin_ads__ad_account_history (
    id text, last_modified_time text, name text, currency text
);
create table linkedin_ads__ad_campaign_group_history (
    id text, last_modified_time text, account_id text, name text, status text
);
create table linkedin_ads__ad_campaign_history (
    id text, last_modified_time text, account_id text, campaign_group_id text, name text,
    type text, objective_type text, status text
);
create table linkedin_ads__ad_creative_history (
    id text, campaign_id text, click_uri text, last_modified_at text, name text,
    intended_status text
);
create table linkedin_ads__ad_analytics_by_campaign (
    campaign_id text, day text, _fivetran_synced text, clicks text, impressions text,
    cost_in_local_currency text, conversion_value_in_local_currency text,
    external_website_conversions text, one_click_leads text
);
create table linkedin_ads__ad_analytics_by_creative (
    creative_id text, day text, _fivetran_synced text, clicks text, impressions text,
    cost_in_local_currency text, conversion_value_in_local_currency text,
    external_website_conversions text, one_click_leads text
);
create table hubspot__company (
    id text, is_deleted text, _fivetran_synced text, property_name text, property_domain text,
    property_createdate text, property_industry text, property_city text, property_country text,
    property_annualrevenue text, property_numberofemployees text, property_hubspot_owner_id text
);
create table hubspot__contact (
    _fivetran_deleted text, _fivetran_synced text, id text, property_email text,
    property_phone text, property_createdate text, property_jobtitle text,
    property_lifecyclestage text, property_hs_analytics_source text, property_country text,
    property_state text, property_city text, property_hs_language text,
    property_hubspot_owner_id text, property_associatedcompanyid text,
    property_hs_merged_object_ids text, property_ga_client_id text, property_hubspotutk text,
    property_gclid text, property_site_user_id text
);
create table hubspot__contact_merge_audit (
    canonical_vid text, contact_id text, vid_to_merge text, _fivetran_synced text, timestamp text
);
create table hubspot__contact_property_history (
    contact_id text, timestamp text, _fivetran_synced text, source text, name text, value text
);
create table hubspot__deal (
    deal_id text, is_deleted text, _fivetran_synced text, deal_pipeline_id text,
    deal_pipeline_stage_id text, owner_id text, property_dealname text, property_amount text,
    property_deal_currency_code text, property_closedate text, property_createdate text,
    property_hs_is_closed text, property_hs_is_closed_won text, property_order_number text
);
create table hubspot__deal_company (company_id text, deal_id text, _fivetran_synced text);
create table hubspot__deal_contact (
    contact_id text, deal_id text, _fivetran_synced text, type_id text
);
create table hubspot__deal_pipeline (pipeline_id text, label text);
create table hubspot__deal_pipeline_stage (stage_id text, label text, pipeline_id text);
create table hubspot__deal_stage (
    deal_id text, _fivetran_start text, _fivetran_synced text, date_entered text, value text
);
create table hubspot__owner (owner_id text, email text, first_name text, last_name text);
create table exchange_rates__reference_rates (
    rate_date date, currency_code text, rate decimal(18, 8)
);

-- What was seen on which day, so that a dimension is made from little.
create table page_day (
    event_date date, page_address text, page_key ubigint, page_title text, event_count bigint
);
create table device_day (
    event_date date, device_key ubigint, device_category text, device_brand text,
    operating_system text, browser text, language text, event_count bigint
);
create table geo_day (
    event_date date, geo_key ubigint, country text, region text, city text, event_count bigint
);
