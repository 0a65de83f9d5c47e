-- grain: one row per version of a Mailchimp list
-- It promises no entity: members name it.
{{ config(materialized='table', rows='one') }}

with list as (
    select * from {{ source('mailchimp', 'list') }}
),

final as (
    select
        _raw_id,
        id as list_id,
        name as list_name,
        visibility,
        default_language as language,
        date_created as created_at,
        _fivetran_deleted as is_deleted
    from list
)

select * from final
