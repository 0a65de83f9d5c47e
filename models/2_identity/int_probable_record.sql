-- grain: one row per contact or lead that is not deleted, with what it is compared by
{{ config(materialized='view') }}

-- The columns are those that `probable_links` understands. Names are there as keyed hashes, so that
-- they are the same, sound the same, or neither.
with contact as (
    select
        'contact' as record_type,
        contact_id as record_id,
        source_name,
        first_name_hash,
        first_name_sound_hash,
        last_name_hash,
        last_name_sound_hash,
        email_hash,
        phone_hash,
        account_id,
        company_name,
        city,
        country,
        coalesce(is_deleted, false) as is_deleted,
        row_number() over (
            partition by contact_id order by effective_at desc nulls last, _raw_id desc
        ) as place
    from {{ entity('contact') }}
),

lead as (
    select
        'lead' as record_type,
        lead_id as record_id,
        source_name,
        first_name_hash,
        first_name_sound_hash,
        last_name_hash,
        last_name_sound_hash,
        email_hash,
        phone_hash,
        account_id,
        company_name,
        cast(null as text) as city,
        country,
        coalesce(is_deleted, false) as is_deleted,
        row_number() over (
            partition by lead_id order by effective_at desc nulls last, _raw_id desc
        ) as place
    from {{ entity('lead') }}
),

account as (
    select
        account_id,
        account_name,
        row_number() over (
            partition by account_id order by effective_at desc nulls last, _raw_id desc
        ) as place
    from {{ entity('account') }}
),

record as (
    select * from contact where place = 1 and not is_deleted
    union all
    select * from lead where place = 1 and not is_deleted
),

final as (
    select
        durable_key('node', record.record_type, record.record_id) as record_key,
        record.source_name as source,
        record.first_name_hash as exact_first_name,
        record.first_name_sound_hash as sound_first_name,
        record.last_name_hash as exact_last_name,
        record.last_name_sound_hash as sound_last_name,
        record.email_hash as exact_email,
        record.phone_hash as exact_phone,
        coalesce(record.company_name, account.account_name) as name_company,
        record.city as name_city,
        -- A town says the country, too: to count both would count one thing twice.
        case when record.city is null then record.country end as exact_country
    from record
    left join account on record.account_id = account.account_id and account.place = 1
)

select * from final
