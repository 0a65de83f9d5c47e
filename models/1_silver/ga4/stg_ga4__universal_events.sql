-- grain: one row per hit of Universal Analytics, and one more for what a page view sold or showed
{{ config(entity='web_event', rows='many') }}

with sessions as (
    select
        _raw_id,
        from_json(payload, 'struct<
            visitNumber: text,
            visitId: text,
            visitStartTime: text,
            fullVisitorId: text,
            clientId: text,
            userId: text,
            channelGrouping: text,
            totals: struct<bounces: text, timeOnSite: text>,
            trafficSource: struct<
                referralPath: text,
                campaign: text,
                source: text,
                medium: text,
                keyword: text,
                adContent: text,
                campaignCode: text,
                isTrueDirect: text,
                adwordsClickInfo: struct<campaignId: text, adGroupId: text, gclId: text>
            >,
            device: struct<
                deviceCategory: text,
                mobileDeviceBranding: text,
                operatingSystem: text,
                browser: text,
                language: text
            >,
            geoNetwork: struct<country: text, region: text, city: text>,
            hits: list<struct<
                hitNumber: text,
                time: text,
                type: text,
                isEntrance: text,
                referer: text,
                dataSource: text,
                page: struct<
                    pagePath: text, hostname: text, pageTitle: text, searchKeyword: text
                >,
                appInfo: struct<screenName: text>,
                eventInfo: struct<eventCategory: text, eventAction: text, eventValue: text>,
                eCommerceAction: struct<action_type: text>,
                transaction: struct<
                    transactionId: text,
                    transactionRevenue: text,
                    transactionTax: text,
                    transactionShipping: text,
                    transactionCoupon: text,
                    currencyCode: text,
                    localTransactionRevenue: text,
                    localTransactionTax: text,
                    localTransactionShipping: text
                >,
                product: json
            >>
        >') as session
    from {{ source('ga4', 'ga_sessions') }}
),

-- A direct visit is given the source of an earlier one: Universal Analytics says so (isTrueDirect),
-- and it is no tag of this visit. What it wrote by itself for referrals is none either.
visits as (
    select
        _raw_id,
        session['visitNumber'] as visit_number,
        session['visitId'] as visit_id,
        session['visitStartTime'] as visit_start_time,
        session['fullVisitorId'] as full_visitor_id,
        stated(session['clientId'], session['fullVisitorId']) as anonymous_id,
        session['userId'] as user_id,
        session['channelGrouping'] as channel_grouping,
        session['totals'] as totals,
        session['device'] as device,
        session['geoNetwork'] as place,
        session['trafficSource'] as traffic,
        coalesce(session['trafficSource']['isTrueDirect'], 'false') <> 'true'
        and coalesce(session['trafficSource']['source'], '(direct)') <> '(direct)'
            as has_source,
        coalesce(session['trafficSource']['medium'], '') in ('referral', '(none)', '(not set)')
            as is_written_by_itself,
        -- Of two deliveries of a visit the one that goes on longer is the newer.
        cast(
            to_integer(session['visitStartTime']) * 1000
            + coalesce(to_integer(session['hits'][-1]['time']), 0) as text
        ) as visit_until,
        session['hits'] as hits
    from sessions
),

hits as (
    select
        _raw_id,
        visit_number,
        visit_id,
        visit_start_time,
        visit_until,
        full_visitor_id,
        anonymous_id,
        user_id,
        channel_grouping,
        totals,
        device,
        place,
        traffic,
        has_source and not is_written_by_itself as is_tagged,
        has_source and is_written_by_itself as is_referral,
        unnest(hits) as hit
    from visits
),

hits_named as (
    select
        *,
        to_integer(hit['hitNumber']) as hit_number,
        case hit['eCommerceAction']['action_type']
            when '1' then 'select_item'
            when '2' then 'view_item'
            when '3' then 'add_to_cart'
            when '4' then 'remove_from_cart'
            when '5' then 'begin_checkout'
            when '6' then 'purchase'
            when '7' then 'refund'
            when '8' then 'checkout_option'
        end as shop_event,
        case hit['type']
            when 'PAGE' then 'page_view'
            when 'APPVIEW' then 'screen_view'
            when 'TRANSACTION' then 'purchase'
            when 'SOCIAL' then 'share'
            when 'EXCEPTION' then 'app_exception'
            else coalesce(
                nullif({{ campaign_alias_text("hit['eventInfo']['eventAction']") }}, ''), 'event'
            )
        end as hit_event
    from hits
    -- Lines of an order came as hits of their own; the order is the hit TRANSACTION.
    where coalesce(hit['type'], '') <> 'ITEM'
),

-- A page view or a screen view that carries an action of the shop is two events, as it is in GA4;
-- an event or a transaction that carries one is that action.
events as (
    select
        *,
        case
            when hit['type'] in ('PAGE', 'APPVIEW') or shop_event is null then hit_event
            else shop_event
        end as event_name,
        0 as place_in_hit
    from hits_named
    union all
    select
        *,
        shop_event as event_name,
        1 as place_in_hit
    from hits_named
    where hit['type'] in ('PAGE', 'APPVIEW') and shop_event is not null
),

marked as (
    select
        *,
        event_name = 'purchase' as is_purchase,
        hit_number = 1 and place_in_hit = 0 as is_first,
        hit['transaction']['localTransactionRevenue'] is not null
        and stated(hit['transaction']['currencyCode']) is not null as is_local,
        case
            when stated(hit['page']['hostname']) is not null
                then concat('https://', hit['page']['hostname'], hit['page']['pagePath'])
        end as page_url
    from events
),

final as (
    select
        _raw_id,
        -- Hits are numbered within a visit, anew after midnight: the start of the visit's part and
        -- the time of the hit tell them apart. Intraday and daily table give the same.
        text_digest(
            full_visitor_id,
            visit_id,
            visit_start_time,
            hit['hitNumber'],
            hit['time'],
            cast(place_in_hit as text)
        ) as event_id,
        cast(
            to_integer(visit_start_time) * 1000 + coalesce(to_integer(hit['time']), 0) as text
        ) as event_at,
        visit_until as effective_at,
        event_name,
        anonymous_id,
        user_id,
        visit_id as session_id,
        visit_number as session_number,
        hit_number * 2 + place_in_hit as event_sequence,
        page_url,
        hit['page']['pageTitle'] as page_title,
        case
            when not is_first then null
            when stated(hit['referer']) is not null then hit['referer']
            when is_referral
                then concat('https://', traffic['source'], coalesce(traffic['referralPath'], '/'))
        end as referrer_url,
        text_if(is_tagged and is_first, stated(traffic['source'])) as utm_source,
        text_if(is_tagged and is_first, stated(traffic['medium'])) as utm_medium,
        text_if(
            is_tagged and is_first and traffic['campaign'] not in ('(organic)', '(referral)'),
            stated(traffic['campaign'])
        ) as utm_campaign,
        text_if(is_tagged and is_first, stated(traffic['keyword'])) as utm_term,
        text_if(is_tagged and is_first, stated(traffic['adContent'])) as utm_content,
        text_if(
            is_tagged and is_first,
            stated(traffic['campaignCode'], traffic['adwordsClickInfo']['campaignId'])
        ) as utm_id,
        text_if(is_tagged and is_first, stated(traffic['adwordsClickInfo']['gclId'])) as gclid,
        text_if(event_name in ('purchase', 'refund'), hit['transaction']['transactionId'])
            as order_id,
        -- All amounts are millionths: in the currency of the sale, or else of the property.
        case
            when is_purchase and is_local
                then {{ amount_of_micros("hit['transaction']['localTransactionRevenue']") }}
            when is_purchase
                then {{ amount_of_micros("hit['transaction']['transactionRevenue']") }}
        end as revenue_amount,
        case
            when is_purchase and is_local
                then {{ amount_of_micros("hit['transaction']['localTransactionTax']") }}
            when is_purchase
                then {{ amount_of_micros("hit['transaction']['transactionTax']") }}
        end as tax_amount,
        case
            when is_purchase and is_local
                then {{ amount_of_micros("hit['transaction']['localTransactionShipping']") }}
            when is_purchase
                then {{ amount_of_micros("hit['transaction']['transactionShipping']") }}
        end as shipping_amount,
        text_if(is_purchase and is_local, hit['transaction']['currencyCode']) as currency_code,
        text_if(
            place_in_hit = 1 or shop_event is not null and event_name = shop_event,
            nullif(nullif(hit['product'], '[]'), 'null')
        ) as items,
        case
            when is_first then to_integer(totals['timeOnSite']) * 1000
        end as engagement_msec,
        coalesce(totals['bounces'], '0') <> '1' as is_engaged,
        device['deviceCategory'] as device_category,
        stated(device['mobileDeviceBranding']) as device_brand,
        stated(device['operatingSystem']) as operating_system,
        stated(device['browser']) as browser,
        stated(device['language']) as language,
        stated(place['country']) as country,
        stated(place['region']) as region,
        stated(place['city']) as city,
        upper(hit['dataSource']) as platform,
        'unknown' as consent_analytics,
        'unknown' as consent_ads,
        text_if(hit['type'] = 'EVENT', hit['eventInfo']['eventCategory']) as event_category,
        text_if(hit['type'] = 'EVENT', hit['eventInfo']['eventValue']) as event_value,
        text_if(is_purchase, hit['transaction']['transactionCoupon']) as coupon,
        stated(hit['page']['searchKeyword']) as search_term,
        stated(hit['appInfo']['screenName']) as screen_class,
        text_if(is_tagged, traffic['adwordsClickInfo']['campaignId']) as google_ads_campaign_id,
        text_if(is_tagged, traffic['adwordsClickInfo']['adGroupId']) as google_ads_ad_group_id,
        channel_grouping as tracker_channel_group
    from marked
)

select * from final
