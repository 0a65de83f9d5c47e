-- grain: one row per form that somebody filled in
{{ config(entity='activity') }}

with submissions as (
    select
        _raw_id,
        _file,
        from_json(payload, 'struct<
            conversionId: text,
            submittedAt: text,
            formId: text,
            pageUrl: text,
            values: list<struct<name: text, value: text>>
        >') as submission
    from {{ source('hubspot', 'form_submissions') }}
),

-- The null at the end keeps a submission without fields.
fields as (
    select
        _raw_id,
        unnest(array_append(submission['values'], null)) as field
    from submissions
),

-- Who it was stands in the fields; what else somebody wrote stays in raw.
senders as (
    select
        _raw_id,
        max(case when lower(field['name']) = 'email' then nullif(field['value'], '') end) as email
    from fields
    group by _raw_id
),

-- No touchpoint: the visit in which the form was filled in is one already.
final as (
    select
        submissions._raw_id,
        coalesce(
            submission['conversionId'],
            text_digest('form', submission['formId'], submission['submittedAt'], senders.email)
        ) as activity_id,
        submission['submittedAt'] as activity_at,
        'form' as activity_type,
        senders.email,
        url_param(submission['pageUrl'], 'utm_campaign') as campaign_name,
        url_param(submission['pageUrl'], 'utm_source') as source,
        url_param(submission['pageUrl'], 'utm_medium') as medium,
        false as is_touchpoint,
        -- The API names the form in the address alone, so a file's name may have to.
        coalesce(
            submission['formId'],
            regexp_match(
                _file, '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
            )[1]
        ) as form_id,
        submission['pageUrl'] as page_url
    from submissions
    inner join senders on submissions._raw_id = senders._raw_id
)

select * from final
