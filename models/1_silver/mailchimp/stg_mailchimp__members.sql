-- grain: one row per version of a Mailchimp member
{{ config(entity='contact') }}

with member as (
    select * from {{ source('mailchimp', 'member') }}
),

-- An address on two lists is two contacts; their e-mail makes them one customer.
final as (
    select
        _raw_id,
        concat(coalesce(list_id || '-', ''), id) as contact_id,
        coalesce(timestamp_signup, timestamp_opt) as created_at,
        email_address as email,
        merge_phone as phone,
        merge_fname as first_name,
        merge_lname as last_name,
        country_code as country,
        language,
        lower(status) = 'archived' as is_deleted,
        list_id,
        status as subscription_status,
        unique_email_id,
        email_type,
        member_rating,
        vip as is_vip,
        timezone as zone,
        timestamp_opt as confirmed_at,
        last_changed as changed_at
    from member
)

select * from final
