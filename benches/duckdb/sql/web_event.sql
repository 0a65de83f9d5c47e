-- Events of GA4's export files, typed, with their keys. One pass: JSON is decoded here and nowhere
-- else. `rule` says why a row is no event; `event_hash` is the same for every delivery of it.
with decoded as (
    select
        *,
        list_transform(event_params, lambda p: p.key) as k,
        list_transform(
            event_params,
            lambda p: coalesce(p.value.string_value, p.value.int_value, p.value.double_value)
        ) as v
    from read_json(
        {files}, format = 'newline_delimited', ignore_errors = true, columns = {
            event_timestamp: 'varchar',
            event_name: 'varchar',
            event_bundle_sequence_id: 'varchar',
            batch_page_id: 'varchar',
            batch_ordering_id: 'varchar',
            batch_event_index: 'varchar',
            user_id: 'varchar',
            user_pseudo_id: 'varchar',
            stream_id: 'varchar',
            platform: 'varchar',
            event_params: 'struct(key varchar, value struct(
                string_value varchar, int_value varchar, double_value varchar))[]',
            user_properties: 'struct(key varchar, value struct(string_value varchar))[]',
            privacy_info: 'struct(analytics_storage varchar, ads_storage varchar)',
            device: 'struct(category varchar, mobile_brand_name varchar,
                operating_system varchar, language varchar, web_info struct(browser varchar))',
            geo: 'struct(country varchar, region varchar, city varchar)',
            collected_traffic_source: 'struct(manual_campaign_id varchar,
                manual_campaign_name varchar, manual_source varchar, manual_medium varchar,
                manual_term varchar, manual_content varchar, gclid varchar)',
            ecommerce: 'struct(transaction_id varchar, total_item_quantity varchar,
                purchase_revenue varchar, shipping_value varchar, tax_value varchar)',
            items: 'json'
        }
    )
),

named as (
    select
        *,
        event_name in ('purchase', 'in_app_purchase', 'ecommerce_purchase') as is_purchase,
        v[list_position(k, 'page_location')] as page_url,
        v[list_position(k, 'page_referrer')] as referrer_url,
        v[list_position(k, 'ga_session_id')] as session_id,
        v[list_position(k, 'value')] as param_value,
        stated(coalesce(
            collected_traffic_source.manual_source, v[list_position(k, 'source')]
        )) as sent_source,
        stated(coalesce(
            collected_traffic_source.manual_medium, v[list_position(k, 'medium')]
        )) as sent_medium,
        stated(coalesce(
            collected_traffic_source.manual_campaign_name, v[list_position(k, 'campaign')]
        )) as sent_campaign,
        stated(coalesce(
            stated(ecommerce.transaction_id), v[list_position(k, 'transaction_id')]
        )) as order_id,
        nullif(coalesce(
            collected_traffic_source.gclid,
            v[list_position(k, 'gclid')],
            case
                when contains(page_url, 'gclid=')
                    then nullif(regexp_extract(page_url, '(?i)[?&]gclid=([^&#]*)', 1), '')
            end
        ), '') as gclid,
        coalesce(
            v[list_position(k, 'user_data_email_sha256')],
            case
                when user_properties <> [] then list_extract(list_transform(list_filter(
                    user_properties,
                    lambda p: p.key in ('user_data_email_sha256', 'email_sha256')
                ), lambda p: p.value.string_value), 1)
            end
        ) as email
    from decoded
),

tagged as (
    select
        *,
        node(8, nullif(user_pseudo_id, '')) as device_node,
        node(1, nullif(user_id, '')) as user_node,
        case when email is not null then email_hash(email) end as email_hash,
        case when order_id is not null then node(7, order_reference(order_id)) end as order_node,
        -- What was tagged by hand, against what GA4 wrote by itself.
        (sent_source is not null or sent_medium is not null or sent_campaign is not null)
        and not coalesce(
            contains(page_url, 'utm_')
            and regexp_matches(page_url, '(?i)[?&](amp;)?utm_(source|medium|campaign)='), false
        )
        and coalesce(sent_source, '(direct)') <> '(direct)'
        and coalesce(sent_medium, '') not in ('referral', '(none)')
        and coalesce(sent_campaign, '') not in ('(referral)', '(direct)')
        and (coalesce(sent_medium, '') <> 'organic' or referrer_url is null) as is_tagged
    from named
)

select
    hash(
        stream_id, user_pseudo_id, event_timestamp, event_name, event_bundle_sequence_id,
        batch_page_id, batch_ordering_id, batch_event_index, event_params
    ) as event_hash,
    make_timestamp(try_cast(event_timestamp as bigint)) as event_at,
    event_name,
    try_cast(batch_ordering_id as int) * 1000 + coalesce(try_cast(batch_event_index as int), 0)
        as event_sequence,
    nullif(user_pseudo_id, '') as anonymous_id,
    nullif(user_id, '') as user_id,
    email_hash,
    session_id,
    try_cast(v[list_position(k, 'ga_session_number')] as int) as session_number,
    device_node,
    user_node,
    case when email_hash is not null then node(5, email_hash) end as email_node,
    order_node,
    coalesce(device_node, user_node, email_node, order_node) as session_node,
    case
        when session_id is not null and session_node is not null
            then hash(session_node, session_id)
    end as native_key,
    page_url,
    v[list_position(k, 'page_title')] as page_title,
    referrer_url,
    case when is_tagged then sent_source end as utm_source,
    case when is_tagged then sent_medium end as utm_medium,
    case when is_tagged and sent_campaign <> '(organic)' then sent_campaign end as utm_campaign,
    case
        when is_tagged
            then stated(coalesce(
                collected_traffic_source.manual_term, v[list_position(k, 'term')]
            ))
    end as utm_term,
    case
        when is_tagged
            then stated(coalesce(
                collected_traffic_source.manual_content, v[list_position(k, 'content')]
            ))
    end as utm_content,
    stated(coalesce(
        collected_traffic_source.manual_campaign_id, v[list_position(k, 'campaign_id')]
    )) as utm_id,
    gclid,
    coalesce(truth(v[list_position(k, 'ignore_referrer')]), false) as ignore_referrer,
    order_id,
    case
        when is_purchase then money(coalesce(ecommerce.purchase_revenue, param_value))
    end as revenue_amount,
    case
        when is_purchase
            then money(coalesce(ecommerce.tax_value, v[list_position(k, 'tax')]))
    end as tax_amount,
    case
        when is_purchase
            then money(coalesce(ecommerce.shipping_value, v[list_position(k, 'shipping')]))
    end as shipping_amount,
    upper(v[list_position(k, 'currency')]) as currency_code,
    try_cast(ecommerce.total_item_quantity as int) as item_quantity,
    nullif(nullif(items::varchar, '[]'), 'null') as items,
    try_cast(v[list_position(k, 'engagement_time_msec')] as bigint) as engagement_msec,
    coalesce(truth(v[list_position(k, 'session_engaged')]), false) as is_engaged,
    nullif(device.category, '') as device_category,
    stated(device.mobile_brand_name) as device_brand,
    nullif(device.operating_system, '') as operating_system,
    nullif(device.web_info.browser, '') as browser,
    nullif(device.language, '') as language,
    v[list_position(k, 'user_agent')] as user_agent,
    stated(geo.country) as country,
    stated(geo.region) as region,
    stated(geo.city) as city,
    platform,
    stream_id,
    case privacy_info.analytics_storage
        when 'Yes' then 'granted' when 'No' then 'denied' else 'unknown'
    end as consent_analytics,
    case privacy_info.ads_storage
        when 'Yes' then 'granted' when 'No' then 'denied' else 'unknown'
    end as consent_ads,
    case when not is_purchase then param_value end as event_value,
    v[list_position(k, 'percent_scrolled')] as percent_scrolled,
    v[list_position(k, 'method')] as method,
    v[list_position(k, 'coupon')] as coupon,
    v[list_position(k, 'form_id')] as form_id,
    case
        when coalesce(event_timestamp, event_name) is null then 'malformed'
        when event_at is null then 'event_at'
        when event_name is null then 'event_name'
        when is_purchase and revenue_amount is null
            and coalesce(ecommerce.purchase_revenue, param_value) is not null then 'revenue_amount'
    end as rule
from tagged
