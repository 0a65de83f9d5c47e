{#- Keys of campaigns, and of the texts by which links name them. -#}

{#- Key of a member of an ad platform's hierarchy. level: account, campaign, ad_group or ad.
    Platforms give every member an id of its own: what it lies below is no part of its key. -#}
{%- macro campaign_member_key(level, platform, id) -%}
{%- if level == 'account' -%}
coalesce(durable_key('campaign', {{ platform }}, 'account', {{ id }}), 0)
{%- else -%}
case
            when {{ id }} is null then 0
            else durable_key('campaign', {{ platform }}, '{{ level }}', {{ id }})
        end
{%- endif -%}
{%- endmacro -%}

{#- Key of the member that stands for "not at this level" below a campaign (or, without a campaign,
    below the account): spend that the platform does not break down further. -#}
{%- macro campaign_residual_key(level) -%}
durable_key('campaign', platform, 'not at this level', '{{ level }}', account_id, campaign_id)
{%- endmacro -%}

{#- The ad platform that a utm_source speaks of; '*' where it speaks of none that we know. -#}
{%- macro platform_of_source(source) -%}
case
            when lower({{ source }}) in ('google', 'google_ads', 'googleads', 'adwords', 'youtube')
                then 'google_ads'
            when lower({{ source }}) in ('facebook', 'fb', 'instagram', 'ig', 'meta',
                'facebook.com', 'meta_ads', 'audience_network')
                then 'meta_ads'
            when lower({{ source }}) in ('linkedin', 'linkedin.com', 'li', 'linkedin_ads')
                then 'linkedin_ads'
            when lower({{ source }}) in ('bing', 'microsoft', 'msn', 'microsoft_ads', 'bing_ads')
                then 'microsoft_ads'
            when lower({{ source }}) in ('tiktok', 'tiktok_ads', 'tiktok.com') then 'tiktok_ads'
            when lower({{ source }})
                in ('twitter', 'x', 't.co', 'twitter.com', 'x.com', 'twitter_ads', 'x_ads')
                then 'x_ads'
            when lower({{ source }}) in ('pinterest', 'pinterest.com', 'pinterest_ads')
                then 'pinterest_ads'
            when lower({{ source }}) in ('reddit', 'reddit.com', 'reddit_ads') then 'reddit_ads'
            when lower({{ source }}) in ('snapchat', 'snapchat.com', 'snap', 'snapchat_ads')
                then 'snapchat_ads'
            else '*'
        end
{%- endmacro -%}

{#- A campaign's id or name as links and platforms agree on it: `Brand | EU` is `brand_eu`. -#}
{%- macro campaign_alias_text(text) -%}
btrim(regexp_replace(lower({{ text }}), '[^\p{L}\p{N}]+', '_', 'g'), '_')
{%- endmacro -%}

{#- Key of a text by which a link names a campaign. kind: `id` or `name`. -#}
{%- macro campaign_alias_key(kind, platform, text) -%}
case
            when {{ text }} is not null
                then durable_key('campaign_alias', '{{ kind }}', {{ platform }},
                    {{ campaign_alias_text(text) }})
        end
{%- endmacro -%}

{#- The channel that a platform's spend belongs to, where no session of the campaign tells. -#}
{%- macro channel_of_platform(platform, campaign_type) -%}
case
            when lower({{ campaign_type }}) like '%performance_max%'
                or lower({{ campaign_type }})
                    in ('pmax', 'performancemax', 'demand_gen', 'discovery', 'cross-network')
                then 'Cross-network'
            when lower({{ campaign_type }}) like '%shopping%' then 'Paid Shopping'
            when lower({{ campaign_type }}) like '%video%' and {{ platform }} = 'google_ads'
                then 'Paid Video'
            when lower({{ campaign_type }}) like '%display%' then 'Display'
            when {{ platform }} = 'microsoft_ads' and lower({{ campaign_type }}) = 'audience'
                then 'Display'
            when {{ platform }} in ('google_ads', 'microsoft_ads', 'apple_ads')
                then 'Paid Search'
            when {{ platform }} in ('meta_ads', 'facebook_ads', 'linkedin_ads', 'tiktok_ads',
                'x_ads', 'pinterest_ads', 'snapchat_ads', 'reddit_ads') then 'Paid Social'
            when {{ platform }} = 'amazon_ads' then 'Paid Shopping'
            when {{ platform }} = 'email' then 'Email'
            when {{ platform }} in ('offline', 'other')
                and regexp_like(
                    lower({{ campaign_type }}),
                    'event|trade ?show|webinar|conference|seminar'
                ) then 'Event'
            when {{ platform }} = 'offline' then 'Offline'
            -- Of a platform that nobody knows, the type says it.
            when lower({{ campaign_type }}) like '%search%' then 'Paid Search'
            when lower({{ campaign_type }}) like '%social%' then 'Paid Social'
            else 'Paid Other'
        end
{%- endmacro -%}

{#- Event names that count as conversions on the web, quoted, for `in (…)`. -#}
{%- macro conversion_event_names() -%}
{{ purchase_event_names() }}
{%- for name in project.attribution.conversion_events %}, '{{ name }}'{% endfor %}
{%- endmacro -%}

{#- Event names that are a sale on the web, quoted. -#}
{%- macro purchase_event_names() -%}
'purchase', 'in_app_purchase', 'ecommerce_purchase'
{%- endmacro -%}

{#- Which level of a platform's claims counts, where there are several: the first. -#}
{%- macro claim_level_place(level) -%}
case {{ level }} when 'campaign' then 1 when 'ad_group' then 2 when 'ad' then 3 else 4 end
{%- endmacro -%}

{#- What stands between the parts of a naming convention: what follows the first brace that closes,
    up to the next letter, digit or brace; nothing where the pattern is one part. -#}
{%- macro naming_delimiter(pattern) -%}
coalesce(regexp_match({{ pattern }}, '[}]([^{}\p{L}\p{N}]+)[{\p{L}\p{N}]')[1], '')
{%- endmacro -%}

{#- An ad account's id as people write it: 123-456-7890 is 1234567890, act_42 is 42. -#}
{%- macro bare_account_id(id) -%}
regexp_replace(lower({{ id }}), '^act_|[^a-z0-9]', '', 'g')
{%- endmacro -%}

{#- The campaign of a visit or an event of it: by its click id, its utm_id, its campaign's name. -#}
{%- macro campaign_of_visit(visit) -%}
coalesce(
            {{ visit }}.click_campaign_key,
            nullif(alias_by_id.campaign_key, 0),
            nullif(alias_by_name.campaign_key, 0),
            -- A campaign that nobody knows is unknown; a visit without one has none.
            case
                when {{ visit }}.campaign_name like '(%' and {{ visit }}.utm_id is null then -1
                else 0
            end
        )
{%- endmacro -%}

{#- The keys under which a visit's utm_id and its campaign's name are looked up. -#}
{%- macro campaign_alias_keys(visit) -%}
{{ campaign_alias_key('id', platform_of_source(visit ~ '.source'), visit ~ '.utm_id') }}
            as campaign_id_alias_key,
        case
            when {{ visit }}.campaign_name not like '(%'
                then {{ campaign_alias_key('name', platform_of_source(visit ~ '.source'),
                    visit ~ '.campaign_name') }}
        end as campaign_name_alias_key
{%- endmacro -%}

{#- What these keys meant at an instant: the joins that `campaign_of_visit` reads. -#}
{%- macro campaign_alias_joins(visit, instant) -%}
left join {{ ref('bridge_campaign_alias') }} as alias_by_id
        on
            {{ visit }}.campaign_id_alias_key = alias_by_id.alias_key
            and {{ visit }}.{{ instant }} >= alias_by_id.valid_from
            and {{ visit }}.{{ instant }} < alias_by_id.valid_to
    left join {{ ref('bridge_campaign_alias') }} as alias_by_name
        on
            {{ visit }}.campaign_name_alias_key = alias_by_name.alias_key
            and {{ visit }}.{{ instant }} >= alias_by_name.valid_from
            and {{ visit }}.{{ instant }} < alias_by_name.valid_to
{%- endmacro -%}

{#- The platforms' reports of clicks, of each click id in `place` 1 the one that counts. -#}
{%- macro ranked_ad_clicks() -%}
select
        click_id,
        platform,
        account_id,
        campaign_id,
        ad_group_id,
        ad_id,
        keyword_text,
        row_number() over (partition by click_id order by click_date, platform) as place
    from {{ entity('ad_click') }}
{%- endmacro -%}
