-- grain: one row per contact or lead, with the company it belongs to and how that is known
{{ config(materialized='table', sort=['record_id'], share=['record_domain', 'account_domain']) }}

-- The CRM's own word counts. Where it names no company, a mail domain that is one company's and no
-- mail provider's is evidence for that company: kept with its method, never as an identity.
with contact as (
    select
        'contact' as record_type,
        contact_id as record_id,
        source_name,
        account_id,
        last_value(email_domain) ignore nulls over by_time as email_domain,
        coalesce(is_deleted, false) as is_deleted,
        min(coalesce(effective_at, created_at)) over (partition by contact_id) as first_at,
        row_number() over (
            partition by contact_id order by effective_at desc nulls last, _raw_id desc
        ) as place
    from {{ entity('contact') }}
    window by_time as (
        partition by contact_id order by effective_at nulls first, _raw_id
        rows between unbounded preceding and unbounded following
    )
),

lead as (
    select
        'lead' as record_type,
        lead_id as record_id,
        source_name,
        account_id,
        last_value(email_domain) ignore nulls over by_time as email_domain,
        coalesce(is_deleted, false) as is_deleted,
        min(coalesce(effective_at, created_at)) over (partition by lead_id) as first_at,
        row_number() over (
            partition by lead_id order by effective_at desc nulls last, _raw_id desc
        ) as place
    from {{ entity('lead') }}
    window by_time as (
        partition by lead_id order by effective_at nulls first, _raw_id
        rows between unbounded preceding and unbounded following
    )
),

record as (
    select *, {{ host_of('email_domain') }} as host from contact where place = 1
    union all
    select *, {{ host_of('email_domain') }} as host from lead where place = 1
),

{{ registrable_domains('record', 'record_domain') }},

account_version as (
    select
        account_id,
        domain,
        coalesce(is_deleted, false) as is_deleted,
        row_number() over (
            partition by account_id order by effective_at desc nulls last, _raw_id desc
        ) as place
    from {{ entity('account') }}
),

account as (
    select account_id, {{ host_of('domain') }} as host
    from account_version
    where place = 1 and not is_deleted and domain is not null
),

{{ registrable_domains('account', 'account_domain') }},

free_mail as (
    select domain from {{ ref('free_mail_provider') }}
),

-- Nobody's own domain says which company somebody is of.
open_record as (
    select record_domain.*
    from record_domain
    left anti join free_mail as free_host on record_domain.host = free_host.domain
    left anti join free_mail as free_domain on record_domain.registrable_domain = free_domain.domain
    where
        record_domain.account_id is null
        and record_domain.registrable_domain is not null
        and not record_domain.is_deleted
),

-- The very host first (uk.acme.com), else the registered domain. Of several companies with that
-- domain nobody knows which: then none is taken.
by_host as (
    select
        open_record.record_type,
        open_record.record_id,
        min(account_domain.account_id) as account_id,
        count(*) as candidate_count
    from open_record
    inner join account_domain on open_record.host = account_domain.host
    group by open_record.record_type, open_record.record_id
),

by_domain as (
    select
        open_record.record_type,
        open_record.record_id,
        min(account_domain.account_id) as account_id,
        count(*) as candidate_count
    from open_record
    inner join account_domain
        on open_record.registrable_domain = account_domain.registrable_domain
    group by open_record.record_type, open_record.record_id
),

matched as (
    select
        record_domain.*,
        free_host.domain is not null or free_domain.domain is not null as is_free_mail,
        case
            when record_domain.account_id is not null then record_domain.account_id
            when by_host.candidate_count = 1 then by_host.account_id
            when by_host.candidate_count is null and by_domain.candidate_count = 1
                then by_domain.account_id
        end as matched_account_id,
        case
            when record_domain.account_id is not null then 'stated'
            when by_host.candidate_count = 1 then 'email_domain'
            when by_host.candidate_count is null and by_domain.candidate_count = 1
                then 'email_registrable_domain'
            when coalesce(by_host.candidate_count, by_domain.candidate_count) > 1
                then 'ambiguous_domain'
            when free_host.domain is not null or free_domain.domain is not null
                then 'free_mail'
            else 'none'
        end as method,
        coalesce(by_host.candidate_count, by_domain.candidate_count, 0) as candidate_count
    from record_domain
    left join by_host
        on
            record_domain.record_type = by_host.record_type
            and record_domain.record_id = by_host.record_id
    left join by_domain
        on
            record_domain.record_type = by_domain.record_type
            and record_domain.record_id = by_domain.record_id
    left join free_mail as free_host on record_domain.host = free_host.domain
    left join free_mail as free_domain on record_domain.registrable_domain = free_domain.domain
),

final as (
    select
        durable_key('contact_account', record_type, record_id) as contact_account_key,
        record_type,
        record_id,
        source_name,
        case
            when record_type = 'contact' then {{ node_key('contact', 'record_id') }}
            else {{ node_key('lead', 'record_id') }}
        end as identity_node_id,
        matched_account_id as account_id,
        {{ member_key('account', 'matched_account_id') }} as account_key,
        method,
        host as email_domain,
        registrable_domain,
        is_free_mail,
        candidate_count,
        first_at,
        is_deleted
    from matched
)

select * from final
