-- grain: one row per touch of a person or company, from a list
{{ config(entity='activity') }}

with {{ offline_touch_rows() }},

-- Ids of contacts, leads and deals are the CRM's: contact_links says whose.
final as (
    select
        _raw_id,
        {{ offline_touch_id() }} as activity_id,
        concat_ws(' ', given_date, given_time) as activity_at,
        coalesce(lower(kind), 'offline') as activity_type,
        name as subject,
        contact_id,
        lead_id,
        email,
        phone,
        company as company_name,
        coalesce(campaign, name) as campaign_name,
        coalesce(lower(source), 'offline') as source,
        coalesce(lower(medium), {{ offline_medium('kind') }}) as medium,
        -- Who was only invited, or did not come, was not touched.
        not coalesce(
            regexp_like(
                lower(status),
                'no.?show|did not|invited|registered|declined|cancel|absent|no answer|'
                || 'not reached|angemeldet|eingeladen|nicht'
            ),
            false
        ) as is_touchpoint,
        status,
        deal_id as crm_deal_id
    from touch
)

select * from final
