//! The project file of the demo company: where its sources lie and how it reports.

/// A `throughline.yml` over generated sources in a folder, given relative to the project.
pub(crate) fn project_yaml(sources_dir: &str) -> String {
    TEMPLATE
        .trim_start()
        .replace("{sources}", sources_dir.trim_end_matches('/'))
}

const TEMPLATE: &str = r#"
# The demo company: Larkfield sells outdoor and office goods to people in a web shop, and
# furnishes offices for companies. Every file below was made by `throughline generate`.
name: larkfield
version: 1

reporting:
  zone: Europe/Berlin
  currency: EUR
  week_start: monday
  home_country: DE

site:
  domains: [larkfield.example]
  payment_referrals: [paypal.com, checkout.stripe.com]

attribution:
  default_model: position
  lookback_days: {default: 90, purchase: 30}
  half_life_days: 7
  conversion_events: [generate_lead, sign_up]

revenue:
  exclude_tax: true
  exclude_shipping: true
  subtract_refunds: true

sources:
  ga4:
    kind: ga4
    streams:
      events: '{sources}/ga4/events_*.ndjson.gz'

  google_ads:
    kind: google_ads
    layout: fivetran
    streams:
      account_history: '{sources}/google_ads/account_history/*.csv'
      campaign_history: '{sources}/google_ads/campaign_history/*.csv'
      ad_group_history: '{sources}/google_ads/ad_group_history/*.csv'
      ad_history: '{sources}/google_ads/ad_history/*.csv'
      campaign_stats: '{sources}/google_ads/campaign_stats/*.csv'
      ad_stats: '{sources}/google_ads/ad_stats/*.csv'
      click_view: '{sources}/google_ads/click_view/*.csv'

  meta_ads:
    kind: meta_ads
    layout: fivetran
    streams:
      account_history: '{sources}/meta_ads/account_history/*.csv'
      campaign_history: '{sources}/meta_ads/campaign_history/*.csv'
      ad_set_history: '{sources}/meta_ads/ad_set_history/*.csv'
      ad_history: '{sources}/meta_ads/ad_history/*.csv'
      creative_history: '{sources}/meta_ads/creative_history/*.csv'
      basic_ad: '{sources}/meta_ads/basic_ad/*.csv'
      basic_ad_actions: '{sources}/meta_ads/basic_ad_actions/*.csv'
      basic_ad_action_values: '{sources}/meta_ads/basic_ad_action_values/*.csv'

  linkedin_ads:
    kind: linkedin_ads
    layout: fivetran
    streams:
      ad_account_history: '{sources}/linkedin_ads/ad_account_history/*.csv'
      ad_campaign_group_history: '{sources}/linkedin_ads/ad_campaign_group_history/*.csv'
      ad_campaign_history: '{sources}/linkedin_ads/ad_campaign_history/*.csv'
      ad_creative_history: '{sources}/linkedin_ads/ad_creative_history/*.csv'
      ad_analytics_by_creative: '{sources}/linkedin_ads/ad_analytics_by_creative/*.csv'
      ad_analytics_by_campaign: '{sources}/linkedin_ads/ad_analytics_by_campaign/*.csv'

  hubspot:
    kind: hubspot
    layout: fivetran
    streams:
      contact: '{sources}/hubspot/contact/*.csv'
      contact_property_history: '{sources}/hubspot/contact_property_history/*.csv'
      contact_merge_audit: '{sources}/hubspot/contact_merge_audit/*.csv'
      company: '{sources}/hubspot/company/*.csv'
      deal: '{sources}/hubspot/deal/*.csv'
      deal_stage: '{sources}/hubspot/deal_stage/*.csv'
      deal_contact: '{sources}/hubspot/deal_contact/*.csv'
      deal_company: '{sources}/hubspot/deal_company/*.csv'
      deal_pipeline: '{sources}/hubspot/deal_pipeline/*.csv'
      deal_pipeline_stage: '{sources}/hubspot/deal_pipeline_stage/*.csv'
      owner: '{sources}/hubspot/owner/*.csv'

  shopify:
    kind: shopify
    layout: api
    zone: Europe/Berlin
    currency: EUR
    files: {effective_at: updated_at}
    streams:
      orders: '{sources}/shopify/orders/*.ndjson'
      products: '{sources}/shopify/products.ndjson'

  exchange_rates:
    kind: exchange_rates
    layout: ecb
    streams:
      reference_rates: '{sources}/exchange_rates/*.csv'
"#;
