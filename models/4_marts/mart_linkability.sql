-- grain: one row per record type and source, join key, and source on the other side
{{ config(
    materialized='table',
    sort=['record_type', 'record_source', 'join_key'],
    share=['rule', 'target_key', 'key_pair', 'pair', 'carried', 'judged_key', 'judged']
) }}

-- Which key should tie which records to which side; `click` stands for each known click id.
{%- set rules = [
    ('contact', 'web', ['client_id', 'tracking_cookie', 'click', 'user_id', 'email', 'phone']),
    ('lead', 'web', ['client_id', 'click', 'email', 'phone']),
    ('order', 'web', ['transaction_id', 'client_id', 'click', 'user_id', 'email', 'phone']),
    ('order', 'crm', ['user_id', 'email', 'phone']),
    ('web', 'order', ['transaction_id']),
    ('deal', 'order', ['order_number']),
    ('deal', 'invoice', ['invoice_number']),
    ('invoice', 'order', ['order_number']),
    ('invoice', 'deal', ['deal_id']),
    ('invoice', 'web', ['email']),
    ('invoice', 'crm', ['email']),
    ('recipient', 'web', ['email']),
    ('recipient', 'crm', ['email']),
] %}
{%- set personal = "('client_id', 'tracking_cookie', 'user_id', 'email', 'phone')" %}

with stated_rule as (
    select * from (values
        {%- for record_type, target_type, keys in rules %}
        {%- set outer = loop %}
        {%- for key in keys %}
        ('{{ record_type }}', '{{ target_type }}', '{{ key }}')
        {{- '' if outer.last and loop.last else ',' }}
        {%- endfor %}
        {%- endfor %}
    ) as rule (record_type, target_type, join_key)
),

rule as (
    select record_type, target_type, join_key, false as is_click from stated_rule
    where join_key <> 'click'

    union all

    select
        stated_rule.record_type, stated_rule.target_type, click.parameter as join_key,
        true as is_click
    from stated_rule
    cross join {{ ref('click_id') }} as click
    where stated_rule.join_key = 'click'
),

record as (
    select record_type, record_id, source_name, recorded_at, identity_node_id
    from {{ ref('int_link_record') }}
),

target as (
    select target_type, source_name, join_key, value, loose_value, first_at, last_at
    from {{ ref('int_link_target') }}
),

record_source as (
    select record_type, source_name, count(*) as record_count from record
    group by record_type, source_name
),

target_key as (
    select
        target_type, source_name, join_key, count(*) as target_value_count,
        min(first_at) as first_at, max(last_at) as last_at
    from target
    group by target_type, source_name, join_key
),

target_source as (
    select
        target_type, source_name, min(first_at) as first_at, max(last_at) as last_at
    from target_key
    group by target_type, source_name
),

key_pair as (
    select
        record_source.record_type,
        record_source.source_name as record_source,
        rule.join_key,
        rule.is_click,
        rule.target_type,
        target_source.source_name as target_source,
        target_source.first_at as target_first_at,
        target_source.last_at as target_last_at,
        record_source.record_count,
        coalesce(target_key.target_value_count, 0) as target_value_count
    from record_source
    inner join rule on record_source.record_type = rule.record_type
    left join target_source on rule.target_type = target_source.target_type
    left join target_key
        on
            rule.target_type = target_key.target_type
            and target_source.source_name = target_key.source_name
            and rule.join_key = target_key.join_key
),

-- All keys of a pair of sides together.
pair as (
    select * from key_pair

    union all

    select
        record_type,
        record_source,
        'any' as join_key,
        false as is_click,
        target_type,
        target_source,
        min(target_first_at) as target_first_at,
        max(target_last_at) as target_last_at,
        max(record_count) as record_count,
        cast(sum(target_value_count) as bigint) as target_value_count
    from key_pair
    where target_source is not null
    group by record_type, record_source, target_type, target_source
    having count(*) > 1
),

guarded as (
    select identity_node_id from {{ ref('bridge_identity') }}
    where guard_reason is not null
    group by identity_node_id
),

carried as (
    select
        record.record_type,
        record.record_id,
        record.source_name as record_source,
        record.recorded_at,
        link_key.join_key,
        link_key.value,
        link_key.loose_value,
        link_key.is_usable,
        guarded.identity_node_id is not null and link_key.join_key in {{ personal }} as is_shared,
        link_key.join_key = 'client_id' and (
            regexp_like(lower(link_key.value), '^[0-9]+([.,][0-9]+)?e[+]?[0-9]+$')
            or regexp_like(link_key.value, '^[0-9]{6,}[.,][0-9]{1,9}$')
        ) as is_damaged
    from record
    inner join {{ ref('int_link_key') }} as link_key
        on record.record_type = link_key.record_type and record.record_id = link_key.record_id
    left join guarded on link_key.node_key = guarded.identity_node_id
),

matched_value as (
    select
        carried.record_type, carried.record_id, carried.join_key, target.target_type,
        target.source_name as target_source, min(carried.is_shared) as is_shared
    from carried
    inner join rule
        on carried.record_type = rule.record_type and carried.join_key = rule.join_key
    inner join target
        on
            rule.target_type = target.target_type
            and carried.join_key = target.join_key
            and carried.value = target.value
    where carried.is_usable
    group by
        carried.record_type, carried.record_id, carried.join_key, target.target_type,
        target.source_name
),

loosely_matched as (
    select
        carried.record_type, carried.record_id, carried.join_key, target.target_type,
        target.source_name as target_source
    from carried
    inner join rule
        on carried.record_type = rule.record_type and carried.join_key = rule.join_key
    inner join target
        on
            rule.target_type = target.target_type
            and carried.join_key = target.join_key
            and carried.loose_value = target.loose_value
    where carried.is_usable and carried.loose_value <> ''
    group by
        carried.record_type, carried.record_id, carried.join_key, target.target_type,
        target.source_name
),

carrying_record as (
    select
        record_type, record_source, record_id, join_key, min(recorded_at) as recorded_at,
        bool_or(is_usable) as is_usable, bool_or(is_damaged) as is_damaged
    from carried
    group by record_type, record_source, record_id, join_key
),

judged_key as (
    select
        pair.record_type,
        pair.record_source,
        pair.join_key,
        pair.target_type,
        pair.target_source,
        carrying_record.record_id,
        carrying_record.is_usable,
        matched_value.record_id is not null as is_matched,
        coalesce(matched_value.is_shared, false) as is_shared,
        matched_value.record_id is null and carrying_record.is_damaged as is_damaged,
        matched_value.record_id is null and loosely_matched.record_id is not null
            as is_written_differently,
        matched_value.record_id is null
        and pair.target_type not in ('crm', 'deal')
        and (
            cast(carrying_record.recorded_at as date) < cast(pair.target_first_at as date)
            or cast(carrying_record.recorded_at as date) > cast(pair.target_last_at as date)
        ) as is_outside_history
    from pair
    inner join carrying_record
        on
            pair.record_type = carrying_record.record_type
            and pair.record_source = carrying_record.record_source
            and pair.join_key = carrying_record.join_key
    left join matched_value
        on
            carrying_record.record_type = matched_value.record_type
            and carrying_record.record_id = matched_value.record_id
            and pair.join_key = matched_value.join_key
            and pair.target_type = matched_value.target_type
            and pair.target_source = matched_value.target_source
    left join loosely_matched
        on
            carrying_record.record_type = loosely_matched.record_type
            and carrying_record.record_id = loosely_matched.record_id
            and pair.join_key = loosely_matched.join_key
            and pair.target_type = loosely_matched.target_type
            and pair.target_source = loosely_matched.target_source
),

judged as (
    select * from judged_key

    union all

    select
        record_type,
        record_source,
        'any' as join_key,
        target_type,
        target_source,
        record_id,
        bool_or(is_usable) as is_usable,
        bool_or(is_matched) as is_matched,
        min(case when is_matched then is_shared end) as is_shared,
        bool_and(is_damaged) as is_damaged,
        bool_and(is_written_differently) as is_written_differently,
        bool_and(is_outside_history) as is_outside_history
    from judged_key
    where target_source is not null
    group by record_type, record_source, target_type, target_source, record_id
),

counted as (
    select
        record_type, record_source, join_key, target_type, target_source,
        count(*) as carrying_count,
        sum(case when is_matched then 1 else 0 end) as matched_count,
        sum(case when is_usable then 0 else 1 end) as unusable_count,
        sum(case when is_shared then 1 else 0 end) as shared_count,
        sum(case when is_damaged then 1 else 0 end) as damaged_count,
        sum(case when is_written_differently then 1 else 0 end) as written_differently_count,
        sum(case when is_outside_history then 1 else 0 end) as outside_history_count
    from judged
    group by record_type, record_source, join_key, target_type, target_source
),

-- The sales that a record speaks of: its own, or those of its customer.
bridge as (
    select identity_node_id, customer_key from {{ ref('bridge_identity') }}
    where customer_key <> 0 and valid_to = {{ end_of_time() }}
),

sale as (
    select conversion_id, customer_key, revenue_reporting_amount, is_partial
    from {{ ref('fct_conversion') }}
    where is_sale
),

record_sale as (
    select
        evidence.evidence_type as record_type, evidence.evidence_id as record_id,
        evidence.conversion_id
    from {{ ref('fct_conversion_evidence') }} as evidence
    where evidence.is_valid

    union all

    select record.record_type, record.record_id, sale.conversion_id
    from record
    inner join bridge on record.identity_node_id = bridge.identity_node_id
    inner join sale on bridge.customer_key = sale.customer_key

    union all

    -- Everybody who took part in a deal.
    select 'contact' as record_type, deal_contact.contact_id as record_id, evidence.conversion_id
    from {{ entity('deal_contact') }} as deal_contact
    inner join {{ ref('fct_conversion_evidence') }} as evidence
        on evidence.evidence_type = 'deal' and deal_contact.deal_id = evidence.evidence_id
    where evidence.is_valid and not coalesce(deal_contact.is_deleted, false)
),

web_journey as (
    select conversion_id from {{ ref('fct_attribution_credit') }}
    where model = 'linear' and touch_type in ('session', 'event')
    group by conversion_id
),

source_sale as (
    select record.record_type, record.source_name as record_source, record_sale.conversion_id
    from record
    inner join record_sale
        on record.record_type = record_sale.record_type and record.record_id = record_sale.record_id
    group by record.record_type, record.source_name, record_sale.conversion_id
),

source_revenue as (
    select
        source_sale.record_type,
        source_sale.record_source,
        count(*) as sale_count,
        sum(sale.revenue_reporting_amount) as revenue,
        bool_or(sale.is_partial) as is_partial
    from source_sale
    inner join sale on source_sale.conversion_id = sale.conversion_id
    group by source_sale.record_type, source_sale.record_source
),

linked_sale as (
    select
        judged.record_type, judged.record_source, judged.join_key, judged.target_type,
        judged.target_source, record_sale.conversion_id
    from judged
    inner join record_sale
        on judged.record_type = record_sale.record_type and judged.record_id = record_sale.record_id
    inner join web_journey on record_sale.conversion_id = web_journey.conversion_id
    where judged.is_matched
    group by
        judged.record_type, judged.record_source, judged.join_key, judged.target_type,
        judged.target_source, record_sale.conversion_id
),

linked_revenue as (
    select
        linked_sale.record_type, linked_sale.record_source, linked_sale.join_key,
        linked_sale.target_type, linked_sale.target_source,
        count(*) as sale_count,
        sum(sale.revenue_reporting_amount) as revenue
    from linked_sale
    inner join sale on linked_sale.conversion_id = sale.conversion_id
    group by
        linked_sale.record_type, linked_sale.record_source, linked_sale.join_key,
        linked_sale.target_type, linked_sale.target_source
),

joined as (
    select
        pair.*,
        coalesce(counted.carrying_count, 0) as carrying_count,
        cast(coalesce(counted.matched_count, 0) as bigint) as matched_count,
        coalesce(counted.carrying_count, 0) - cast(coalesce(counted.matched_count, 0) as bigint)
            as unmatched_count,
        cast(coalesce(counted.unusable_count, 0) as bigint) as unusable_count,
        cast(coalesce(counted.shared_count, 0) as bigint) as shared_count,
        cast(coalesce(counted.damaged_count, 0) as bigint) as damaged_count,
        cast(coalesce(counted.written_differently_count, 0) as bigint)
            as written_differently_count,
        cast(coalesce(counted.outside_history_count, 0) as bigint) as outside_history_count,
        coalesce(source_revenue.sale_count, 0) as sale_count,
        coalesce(linked_revenue.sale_count, 0) as linked_sale_count,
        coalesce(source_revenue.revenue, {{ no_money() }}) as revenue,
        coalesce(linked_revenue.revenue, {{ no_money() }}) as linked_revenue,
        coalesce(source_revenue.is_partial, false) as is_partial
    from pair
    left join counted
        on
            pair.record_type = counted.record_type
            and pair.record_source = counted.record_source
            and pair.join_key = counted.join_key
            and pair.target_type = counted.target_type
            and pair.target_source is not distinct from counted.target_source
    left join source_revenue
        on
            pair.record_type = source_revenue.record_type
            and pair.record_source = source_revenue.record_source
    left join linked_revenue
        on
            pair.record_type = linked_revenue.record_type
            and pair.record_source = linked_revenue.record_source
            and pair.join_key = linked_revenue.join_key
            and pair.target_type = linked_revenue.target_type
            and pair.target_source = linked_revenue.target_source
    -- A key that neither side knows is no finding.
    where
        counted.carrying_count > 0
        or (pair.target_value_count > 0 and pair.join_key <> 'any')
        or (pair.join_key in ('transaction_id', 'order_number') and pair.target_source is not null)
),

rated as (
    select
        *,
        {{ ratio('carrying_count', 'record_count') }} as coverage_rate,
        {{ ratio('matched_count', 'carrying_count') }} as match_rate
    from joined
),

found as (
    select
        *,
        case
            when target_source is null then 'no_source'
            when join_key = 'any' then 'together'
            when carrying_count = 0 or (coverage_rate < 0.05 and not is_click) then 'not_carried'
            when unusable_count * 2 >= carrying_count then 'unusable'
            when target_value_count = 0 then 'not_on_other_side'
            when damaged_count > 0 and damaged_count * 2 >= unmatched_count then 'damaged'
            when
                written_differently_count > 0 and match_rate < 0.95
                and written_differently_count * 2 >= unmatched_count
                then 'written_differently'
            when
                outside_history_count > 0 and match_rate < 0.9
                and outside_history_count * 2 >= unmatched_count
                then 'outside_history'
            when shared_count > 0 and shared_count * 2 >= matched_count then 'shared'
            when match_rate < 0.5 then 'low_match'
            -- Not everybody clicks on an ad or has an account.
            when coverage_rate < 0.8 and not is_click and join_key <> 'user_id'
                then 'partly_carried'
            when match_rate < 0.95 then 'partly_matched'
            else 'good'
        end as finding
    from rated
),

advised as (
    select
        found.*,
        advice.advice,
        row_number() over (
            partition by
                found.record_type, found.record_source, found.join_key, found.target_type,
                found.target_source
            order by
                advice.record_type = '*', advice.join_key = '*', advice.target_type = '*'
        ) as place
    from found
    left join {{ ref('link_advice') }} as advice
        on
            found.finding = advice.finding
            and (advice.record_type = '*' or advice.record_type = found.record_type)
            and (advice.join_key = '*' or advice.join_key = found.join_key)
            and (advice.target_type = '*' or advice.target_type = found.target_type)
),

final as (
    select
        record_type,
        record_source,
        join_key,
        target_type,
        target_source,
        record_count,
        carrying_count,
        coverage_rate,
        matched_count,
        unmatched_count,
        match_rate,
        unusable_count,
        damaged_count,
        written_differently_count,
        outside_history_count,
        shared_count,
        target_value_count,
        sale_count,
        linked_sale_count,
        cast(linked_revenue as decimal(18, 6)) as linked_revenue_reporting_amount,
        cast(revenue - linked_revenue as decimal(18, 6)) as unlinked_revenue_reporting_amount,
        is_partial,
        finding,
        {%- set fills = [
            ('missing', 'cast(record_count - carrying_count as text)'),
            ('records', 'cast(record_count as text)'),
            ('carrying', 'cast(carrying_count as text)'),
            ('unmatched', 'cast(unmatched_count as text)'),
            ('matched', 'cast(matched_count as text)'),
            ('unusable', 'cast(unusable_count as text)'),
            ('damaged', 'cast(damaged_count as text)'),
            ('differently', 'cast(written_differently_count as text)'),
            ('outside', 'cast(outside_history_count as text)'),
            ('shared', 'cast(shared_count as text)'),
            ('key', 'join_key'),
            ('target', "coalesce(target_source, '')"),
            ('from', "coalesce(cast(cast(target_first_at as date) as text), '')"),
            ('to', "coalesce(cast(cast(target_last_at as date) as text), '')"),
        ] %}
        {% for fill in fills %}replace({% endfor %}
        coalesce(advice, 'Nothing is known to mend.')
        {%- for name, value in fills %}
        , '{' || '{{ name }}' || '}', {{ value }})
        {%- endfor %} as advice
    from advised
    where place = 1
)

select * from final
