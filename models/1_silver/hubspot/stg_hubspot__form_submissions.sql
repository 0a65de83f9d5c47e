-- grain: one row per form that a contact filled in
{{ config(entity='activity') }}

with contact_form_submission as (
    select * from {{ source('hubspot', 'contact_form_submission') }}
),

-- No touchpoint: the visit in which the form was filled in is one already.
final as (
    select
        _raw_id,
        coalesce(
            conversion_id,
            concat_ws('-', 'form', form_id, contact_id, timestamp)
        ) as activity_id,
        timestamp as activity_at,
        'form' as activity_type,
        title as subject,
        contact_id,
        url_param(page_url, 'utm_campaign') as campaign_name,
        url_param(page_url, 'utm_source') as source,
        url_param(page_url, 'utm_medium') as medium,
        false as is_touchpoint,
        form_id,
        page_url
    from contact_form_submission
)

select * from final
