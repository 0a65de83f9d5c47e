{#- Lists of touches that no tracker saw: headings as people write them, and what a kind means. -#}

{#- The first heading of `name` that the list has. -#}
{%- macro offline_column(name) -%}
{%- set headings = {
    'id': ['id', 'ID', 'Id'],
    'date': ['date', 'Date', 'datetime', 'Datetime', 'date_time', 'Date/time', 'at', 'day',
        'Day'],
    'time': ['time', 'Time'],
    'kind': ['kind', 'Kind', 'type', 'Type'],
    'name': ['name', 'Name', 'event', 'Event', 'title', 'Title'],
    'campaign': ['campaign', 'Campaign', 'campaign_name', 'Campaign name'],
    'email': ['email', 'Email', 'e_mail', 'E-mail', 'E-Mail', 'e-mail', 'mail'],
    'phone': ['phone', 'Phone', 'telephone', 'Telephone', 'mobile', 'Mobile'],
    'contact_id': ['contact_id', 'Contact ID', 'Contact Id', 'contact id'],
    'lead_id': ['lead_id', 'Lead ID', 'Lead Id', 'lead id'],
    'deal_id': ['deal_id', 'Deal ID', 'Deal Id', 'deal id', 'opportunity_id', 'Opportunity ID'],
    'company': ['company', 'Company', 'account', 'Account', 'company_name', 'Company name',
        'organisation', 'Organisation', 'organization', 'Organization'],
    'status': ['status', 'Status'],
    'cost': ['cost', 'Cost', 'costs', 'Costs'],
    'currency': ['currency', 'Currency', 'currency_code'],
    'notes': ['notes', 'Notes', 'note', 'Note'],
    'source': ['source', 'Source'],
    'medium': ['medium', 'Medium'],
} -%}
coalesce(
            {%- for heading in headings[name] %}
            nullif(btrim("{{ heading }}"), ''){{ ',' if not loop.last }}
            {%- endfor %}
        )
{%- endmacro -%}

{#- What a kind is as a medium: the channel rules know these words. -#}
{%- macro offline_medium(kind) -%}
case
            when regexp_like(
                lower({{ kind }}),
                'event|fair|messe|salon|conference|kongress|congress|seminar|webinar|webcast|'
                || 'workshop|exhibition|roadshow|meetup|dinner|breakfast|booth|summit|forum|'
                || 'sponsor|conf[eé]rence|feria|fiera|beurs'
            ) then 'event'
            when regexp_like(lower({{ kind }}), 'e-?mail') then 'email'
            when regexp_like(lower({{ kind }}), 'call|phone|anruf|appel|llamada|chiamata')
                then 'call'
            when regexp_like(lower({{ kind }}), 'meet|visit|besuch|termin|visite|demo')
                then 'meeting'
            when regexp_like(lower({{ kind }}), 'mail|letter|brief|post|flyer|catalog|lettre|carta')
                then 'direct mail'
            else 'offline'
        end
{%- endmacro -%}

{#- A touch's own id, else one of all that the row says of it: addresses only as keyed hashes. -#}
{%- macro offline_touch_id() -%}
coalesce(
            given_id,
            concat_ws(
                '|', given_date, given_time, lower(kind), name,
                coalesce(contact_id, lead_id, pii_hash('email', email), pii_hash('phone', phone),
                    company)
            )
        )
{%- endmacro -%}

{#- The list with one name for each heading: begins the CTEs of every model of the kind. -#}
{%- macro offline_touch_rows() -%}
touch as (
    select
        _raw_id,
        {{ offline_column('id') }} as given_id,
        {{ offline_column('date') }} as given_date,
        {{ offline_column('time') }} as given_time,
        {{ offline_column('kind') }} as kind,
        {{ offline_column('name') }} as name,
        {{ offline_column('campaign') }} as campaign,
        {{ offline_column('email') }} as email,
        {{ offline_column('phone') }} as phone,
        {{ offline_column('contact_id') }} as contact_id,
        {{ offline_column('lead_id') }} as lead_id,
        {{ offline_column('deal_id') }} as deal_id,
        {{ offline_column('company') }} as company,
        {{ offline_column('status') }} as status,
        {{ offline_column('cost') }} as cost,
        {{ offline_column('currency') }} as currency,
        {{ offline_column('source') }} as source,
        {{ offline_column('medium') }} as medium
    from {{ source('offline_touches', 'touches') }}
)
{%- endmacro -%}
