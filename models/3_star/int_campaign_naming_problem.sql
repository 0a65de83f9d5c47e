-- grain: one row per thing that is wrong with a naming convention of the project
{{ config(materialized='table') }}

with naming as (
    select
        naming,
        pattern,
        {{ naming_delimiter('pattern') }} as delimiter
    from {{ ref('campaign_naming') }}
),

fragment as (
    select
        naming,
        pattern,
        delimiter,
        unnest(case
            when delimiter = '' then make_array(pattern)
            else string_to_array(pattern, delimiter)
        end) as fragment
    from naming
    where pattern is not null
),

part as (
    select
        *,
        regexp_match(fragment, '^[{]([^{}?*]+)[?*]?[}]$')[1] as part
    from fragment
),

listed as (
    select naming, part, min(value) as value
    from {{ ref('campaign_naming_value') }}
    group by naming, part
),

problem as (
    select '(without a name)' as naming, pattern, 'has no name' as problem
    from naming
    where naming is null

    union all

    select naming, pattern, 'has no pattern' as problem
    from naming
    where pattern is null

    union all

    select naming, pattern, 'has no part in braces, as {market}' as problem
    from naming
    where strpos(pattern, '{') = 0

    union all

    select naming, pattern, 'has a delimiter with no part behind it' as problem
    from part
    where fragment = ''

    union all

    select
        naming,
        pattern,
        concat(
            '`', fragment, '` is no part, as {market}, {note?} or {rest*}; ',
            case
                when delimiter = '' then 'parts need a delimiter between them'
                else concat('`', delimiter, '` must stand between all parts')
            end
        ) as problem
    from part
    where part is null and regexp_like(fragment, '[{}]')

    union all

    select naming, min(pattern) as pattern, 'has the part `' || part || '` twice' as problem
    from part
    where part is not null
    group by naming, part
    having count(*) > 1

    union all

    select naming, min(pattern) as pattern, 'is there twice' as problem
    from naming
    group by naming
    having count(*) > 1

    union all

    select
        listed.naming,
        listed.part as pattern,
        'campaign_naming_value.csv lists values of a part that the convention has not' as problem
    from listed
    left anti join part on listed.naming = part.naming and listed.part = part.part
),

final as (
    select naming, pattern, problem from problem
)

select * from final
