-- grain: one row per record type and source, key, and source on the other side; and one for all
{{ config(
    materialized='table',
    sort=['level', 'record_type', 'record_source', 'sale_key'],
    share=['record', 'source', 'pair', 'system_of_sale', 'possibly_twice', 'counted', 'of_pair']
) }}

{%- set days = var('sale_customer_days', 3) %}
{%- set tolerance = var('sale_customer_tolerance', 0.01) %}

-- By which key records of a sale name each other.
with rule as (
    select * from (values
        ('web', 'transaction_id', 'order'),
        ('deal', 'order_number', 'order'),
        ('deal', 'invoice_number', 'invoice'),
        ('invoice', 'order_number', 'order'),
        ('invoice', 'deal_id', 'deal'),
        ('web', 'customer', 'order'),
        ('deal', 'customer', 'order'),
        ('invoice', 'customer', 'order')
    ) as rule (record_type, sale_key, target_type)
),

sale as (
    select
        conversion_id, customer_key, revenue_reporting_amount, exchange_rate, currency_code,
        is_partial
    from {{ ref('fct_conversion') }}
    where is_sale
),

reference as (
    select
        record_type, record_id,
        {{ loose_value("'order_number'", 'order_reference') }} as loose_reference
    from {{ ref('int_sale_candidate') }}
),

record as (
    select
        sale_record.record_type,
        sale_record.record_id,
        sale_record.source_name,
        sale_record.conversion_id,
        sale_record.recorded_at,
        sale_record.gross_amount,
        sale_record.net_amount,
        sale_record.currency_code,
        nullif(sale.customer_key, 0) as customer_key,
        nullif(reference.loose_reference, '') as loose_reference
    from {{ ref('int_sale_record') }} as sale_record
    inner join sale on sale_record.conversion_id = sale.conversion_id
    inner join reference
        on
            sale_record.record_type = reference.record_type
            and sale_record.record_id = reference.record_id
    where sale_record.is_valid
),

match as (
    select
        found.record_type,
        found.source_name as record_source,
        record.conversion_id,
        found.sale_key,
        found.matched_type,
        found.matched_source,
        found.standing,
        found.amount_difference,
        found.amount_difference * case
            when record.currency_code = sale.currency_code then sale.exchange_rate
        end as amount_difference_reporting_amount
    from {{ ref('int_sale_match') }} as found
    inner join record
        on found.record_type = record.record_type and found.record_id = record.record_id
    inner join sale on record.conversion_id = sale.conversion_id
),

source as (
    select record_type, source_name, count(distinct conversion_id) as sale_count from record
    group by record_type, source_name
),

pair as (
    select
        source.record_type,
        source.source_name as record_source,
        rule.sale_key,
        rule.target_type,
        target.source_name as target_source,
        source.sale_count
    from source
    inner join rule on source.record_type = rule.record_type
    left join source as target on rule.target_type = target.record_type
),

-- Two sales that look like one: the same money at about the same time, by one customer or under
-- numbers that differ by a prefix only, and neither has a record of the other's system.
alike as (
    select a.conversion_id, b.conversion_id as other_conversion_id,
        a.record_type, a.source_name as record_source, b.record_type as target_type,
        b.source_name as target_source,
        {{ days_between('a.recorded_at', 'b.recorded_at') }} as days_apart,
        {{ amount_difference('a', 'b') }} as amount_difference,
        a.gross_amount
    from record as a
    inner join record as b on a.customer_key = b.customer_key
    where a.conversion_id <> b.conversion_id and a.record_type <> b.record_type

    union all

    select a.conversion_id, b.conversion_id as other_conversion_id,
        a.record_type, a.source_name as record_source, b.record_type as target_type,
        b.source_name as target_source,
        {{ days_between('a.recorded_at', 'b.recorded_at') }} as days_apart,
        {{ amount_difference('a', 'b') }} as amount_difference,
        a.gross_amount
    from record as a
    inner join record as b on a.loose_reference = b.loose_reference
    where a.conversion_id <> b.conversion_id and a.record_type <> b.record_type
),

system_of_sale as (
    select conversion_id, record_type, source_name from record
    group by conversion_id, record_type, source_name
),

possibly_twice as (
    select
        alike.conversion_id, alike.other_conversion_id, alike.record_type, alike.record_source,
        alike.target_type, alike.target_source
    from alike
    left anti join system_of_sale as own
        on
            alike.conversion_id = own.conversion_id
            and alike.target_type = own.record_type
            and alike.target_source = own.source_name
    left anti join system_of_sale as other
        on
            alike.other_conversion_id = other.conversion_id
            and alike.record_type = other.record_type
            and alike.record_source = other.source_name
    where
        alike.days_apart <= {{ days }}
        and alike.amount_difference
            <= cast('{{ tolerance }}' as decimal(9, 6)) * abs(alike.gross_amount)
    group by
        alike.conversion_id, alike.other_conversion_id, alike.record_type, alike.record_source,
        alike.target_type, alike.target_source
),

possible_pair as (
    select
        record_type, record_source, target_type, target_source,
        count(distinct conversion_id) as possibly_twice_count
    from possibly_twice
    group by record_type, record_source, target_type, target_source
),

-- A sale of each pair: found at that source, or not.
judged as (
    select
        pair.record_type, pair.record_source, pair.sale_key, pair.target_type, pair.target_source,
        match.conversion_id,
        bool_or(match.standing = 'matched' and match.matched_source = pair.target_source)
            as is_matched,
        bool_or(match.standing not in ('matched', 'no such record')) as is_refused,
        max(case
            when match.standing = 'matched' and match.matched_source = pair.target_source
                then match.amount_difference
        end) as amount_difference,
        max(case
            when match.standing = 'matched' and match.matched_source = pair.target_source
                then match.amount_difference_reporting_amount
        end) as amount_difference_reporting_amount
    from pair
    inner join match
        on
            pair.record_type = match.record_type
            and pair.record_source = match.record_source
            and pair.sale_key = match.sale_key
    group by
        pair.record_type, pair.record_source, pair.sale_key, pair.target_type, pair.target_source,
        match.conversion_id
),

counted as (
    select
        judged.record_type, judged.record_source, judged.sale_key, judged.target_type,
        judged.target_source,
        count(*) as naming_sale_count,
        sum(case when judged.is_matched then 1 else 0 end) as matched_sale_count,
        sum(case when judged.is_refused and not judged.is_matched then 1 else 0 end)
            as refused_sale_count,
        sum(case when judged.is_matched then sale.revenue_reporting_amount end) as matched_revenue,
        sum(case when judged.is_matched then 0 else sale.revenue_reporting_amount end)
            as unmatched_revenue,
        sum(case
            when judged.amount_difference > cast('0.01' as decimal(18, 6)) then 1
            else 0
        end)
            as amount_difference_count,
        sum(judged.amount_difference_reporting_amount) as amount_difference,
        bool_or(sale.is_partial) as is_partial
    from judged
    inner join sale on judged.conversion_id = sale.conversion_id
    group by
        judged.record_type, judged.record_source, judged.sale_key, judged.target_type,
        judged.target_source
),

of_pair as (
    select
        'pair' as level,
        pair.record_type,
        pair.record_source,
        pair.sale_key,
        pair.target_type,
        pair.target_source,
        pair.sale_count,
        coalesce(counted.naming_sale_count, 0) as naming_sale_count,
        coalesce(counted.matched_sale_count, 0) as matched_sale_count,
        coalesce(counted.refused_sale_count, 0) as refused_sale_count,
        coalesce(counted.matched_revenue, {{ no_money() }}) as matched_revenue,
        coalesce(counted.unmatched_revenue, {{ no_money() }}) as unmatched_revenue,
        coalesce(counted.amount_difference_count, 0) as amount_difference_count,
        coalesce(counted.amount_difference, {{ no_money() }}) as amount_difference,
        cast(0 as bigint) as counted_twice_count,
        coalesce(possible_pair.possibly_twice_count, 0) as possibly_twice_count,
        coalesce(counted.is_partial, false) as is_partial
    from pair
    left join counted
        on
            pair.record_type = counted.record_type
            and pair.record_source = counted.record_source
            and pair.sale_key = counted.sale_key
            and pair.target_type = counted.target_type
            and pair.target_source is not distinct from counted.target_source
    left join possible_pair
        on
            pair.record_type = possible_pair.record_type
            and pair.record_source = possible_pair.record_source
            and pair.target_type = possible_pair.target_type
            and pair.target_source = possible_pair.target_source
    where counted.naming_sale_count > 0 or pair.sale_key <> 'customer' and (
        pair.target_source is not null
    )
),

-- All sales: those that several systems record, and those that name a record of a source that is
-- there but does not have it.
system_count as (
    select conversion_id, count(*) as system_count
    from system_of_sale
    group by conversion_id
),

loose_end as (
    select match.conversion_id
    from match
    inner join source on match.matched_type = source.record_type
    where match.standing <> 'matched'
    group by match.conversion_id
),

-- A number under two sales, unless two shops gave it or a rule refused it.
number_of_sale as (
    select reference.reference, record.conversion_id
    from record
    inner join (
        select record_type, record_id, order_reference as reference
        from {{ ref('int_sale_candidate') }}
        where order_reference is not null
    ) as reference
        on
            record.record_type = reference.record_type
            and record.record_id = reference.record_id
    left anti join (
        select reference from {{ ref('int_order_reference') }}
        where is_ambiguous
    ) as ambiguous on reference.reference = ambiguous.reference
    left anti join (
        select record_type, record_id from {{ ref('int_sale_match') }}
        where standing in ('too far apart', 'amount differs')
    ) as refused
        on record.record_type = refused.record_type and record.record_id = refused.record_id
    group by reference.reference, record.conversion_id
),

twice as (
    select coalesce(sum(conversion_count - 1), 0) as counted_twice_count
    from (
        select reference, count(*) as conversion_count from number_of_sale
        group by reference
        having count(*) > 1
    )
),

twice_maybe as (
    select count(*) as possibly_twice_count
    from (
        select conversion_id, other_conversion_id from possibly_twice
        where conversion_id < other_conversion_id
        group by conversion_id, other_conversion_id

        union

        select other_conversion_id as conversion_id, conversion_id as other_conversion_id
        from possibly_twice
        where conversion_id > other_conversion_id
        group by conversion_id, other_conversion_id
    )
),

of_all as (
    select
        count(*) as sale_count,
        sum(case
            when system_count.system_count > 1 or loose_end.conversion_id is not null then 1
            else 0
        end)
            as naming_sale_count,
        sum(case when system_count.system_count > 1 then 1 else 0 end) as matched_sale_count,
        sum(case when system_count.system_count > 1 then sale.revenue_reporting_amount end)
            as matched_revenue,
        sum(case
            when system_count.system_count = 1 and loose_end.conversion_id is not null
                then sale.revenue_reporting_amount
        end) as unmatched_revenue,
        bool_or(sale.is_partial) as is_partial
    from sale
    left join system_count on sale.conversion_id = system_count.conversion_id
    left join loose_end on sale.conversion_id = loose_end.conversion_id
),

of_pairs as (
    select
        cast(coalesce(sum(amount_difference_count), 0) as bigint) as amount_difference_count,
        cast(coalesce(sum(refused_sale_count), 0) as bigint) as refused_sale_count,
        coalesce(sum(amount_difference), {{ no_money() }}) as amount_difference
    from of_pair
),

total as (
    select
        'total' as level,
        cast(null as text) as record_type,
        cast(null as text) as record_source,
        cast(null as text) as sale_key,
        cast(null as text) as target_type,
        cast(null as text) as target_source,
        of_all.sale_count,
        coalesce(of_all.naming_sale_count, 0) as naming_sale_count,
        coalesce(of_all.matched_sale_count, 0) as matched_sale_count,
        of_pairs.refused_sale_count,
        coalesce(of_all.matched_revenue, {{ no_money() }}) as matched_revenue,
        coalesce(of_all.unmatched_revenue, {{ no_money() }}) as unmatched_revenue,
        of_pairs.amount_difference_count,
        of_pairs.amount_difference,
        twice.counted_twice_count,
        twice_maybe.possibly_twice_count,
        coalesce(of_all.is_partial, false) as is_partial
    from of_all
    cross join of_pairs
    cross join twice
    cross join twice_maybe
),

all_level as (
    select * from of_pair
    union all
    select * from total
),

final as (
    select
        level,
        record_type,
        record_source,
        sale_key,
        target_type,
        target_source,
        cast(sale_count as bigint) as sale_count,
        cast(naming_sale_count as bigint) as naming_sale_count,
        cast(matched_sale_count as bigint) as matched_sale_count,
        cast(naming_sale_count - matched_sale_count as bigint) as unmatched_sale_count,
        cast(refused_sale_count as bigint) as refused_sale_count,
        {{ ratio('matched_sale_count', 'naming_sale_count') }} as match_rate,
        cast(matched_revenue as decimal(18, 6)) as matched_revenue_reporting_amount,
        cast(unmatched_revenue as decimal(18, 6)) as unmatched_revenue_reporting_amount,
        cast(amount_difference_count as bigint) as amount_difference_count,
        cast(amount_difference as decimal(18, 6)) as amount_difference_reporting_amount,
        cast(counted_twice_count as bigint) as counted_twice_count,
        cast(possibly_twice_count as bigint) as possibly_twice_count,
        is_partial
    from all_level
)

select * from final
