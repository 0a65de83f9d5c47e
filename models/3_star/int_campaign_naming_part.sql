-- grain: one row per campaign, convention that it may follow, and part of the convention
{{ config(materialized='table', share=['naming_part_read', 'valued']) }}

-- A convention is a pattern of parts in braces between one delimiter, as in `{market}_{yyyymm}`.
-- `{part?}` may be missing, `{part*}` takes all that is left, other text stands for itself.
with naming as (
    select
        naming,
        coalesce(platform, '*') as naming_platform,
        pattern,
        coalesce(try_cast(priority as bigint), 1) as priority,
        {{ naming_delimiter('pattern') }} as delimiter
    from {{ ref('campaign_naming') }}
    where pattern is not null
),

naming_split as (
    select
        *,
        case
            when delimiter = '' then make_array(pattern)
            else string_to_array(pattern, delimiter)
        end as pattern_parts
    from naming
),

naming_part as (
    select
        naming,
        naming_platform,
        pattern,
        priority,
        delimiter,
        cast(array_length(pattern_parts) as bigint) as pattern_part_count,
        pattern_parts,
        unnest(range(1, cast(array_length(pattern_parts) as bigint) + 1)) as position
    from naming_split
),

naming_part_read as (
    select
        naming,
        naming_platform,
        priority,
        delimiter,
        pattern_part_count,
        position,
        pattern_parts[position] as pattern_part,
        regexp_match(pattern_parts[position], '^[{]([^{}?*]+)[?*]?[}]$')[1] as part,
        regexp_like(pattern_parts[position], '[?*][}]$') as is_optional,
        regexp_like(pattern_parts[position], '[*][}]$') as is_rest
    from naming_part
),

naming_rest as (
    select naming, bool_or(is_rest) as has_rest from naming_part_read group by naming
),

campaign as (
    select campaign_key, platform, account_id, campaign_name
    from {{ ref('dim_campaign') }}
    where
        level = 'campaign' and is_current and not is_not_at_this_level
        and campaign_key not in (0, -1) and campaign_name is not null
),

campaign_split as (
    select
        campaign.campaign_key,
        campaign.platform,
        campaign.account_id,
        campaign.campaign_name,
        naming_part_read.*,
        naming_rest.has_rest,
        case
            when naming_part_read.delimiter = '' then make_array(campaign.campaign_name)
            else string_to_array(campaign.campaign_name, naming_part_read.delimiter)
        end as name_parts
    from campaign
    inner join naming_part_read
        on
            naming_part_read.naming_platform = '*'
            or naming_part_read.naming_platform = campaign.platform
    inner join naming_rest on naming_part_read.naming = naming_rest.naming
),

valued as (
    select
        campaign_key,
        platform,
        account_id,
        campaign_name,
        naming,
        priority,
        pattern_part,
        coalesce(part, pattern_part) as part,
        part is null as is_literal,
        is_optional,
        position,
        pattern_part_count,
        has_rest,
        cast(array_length(name_parts) as bigint) as name_part_count,
        nullif(btrim(case
            when is_rest
                then array_to_string(
                    array_slice(name_parts, position, 1000), delimiter
                )
            else name_parts[position]
        end), '') as value
    from campaign_split
),

allowed as (
    select
        naming,
        part,
        value as allowed_value,
        -- `/…/` is a pattern of its own.
        regexp_match(value, '^/(.*)/$')[1] as allowed_pattern
    from {{ ref('campaign_naming_value') }}
),

listed as (
    select naming, part from allowed group by naming, part
),

allowed_value as (
    select
        valued.campaign_key,
        valued.naming,
        valued.position
    from valued
    inner join allowed on valued.naming = allowed.naming and valued.part = allowed.part
    where
        case
            when allowed.allowed_pattern is not null
                then regexp_like(valued.value, '^(' || allowed.allowed_pattern || ')$')
            else valued.value = allowed.allowed_value
        end
    group by valued.campaign_key, valued.naming, valued.position
),

checked as (
    select
        valued.*,
        case
            when valued.is_literal and valued.value is distinct from valued.pattern_part
                then 'does not say `' || valued.pattern_part || '`'
            when valued.is_literal then null
            when valued.value is null and not valued.is_optional then 'is missing'
            when valued.value is null then null
            when listed.part is not null and allowed_value.campaign_key is null
                then '`' || valued.value || '` is not in the list'
            when valued.part = 'yyyymm'
                and not regexp_like(valued.value, '^[0-9]{4}(0[1-9]|1[0-2])$')
                then '`' || valued.value || '` is no month (YYYYMM)'
            when valued.part = 'yymm' and not regexp_like(valued.value, '^[0-9]{2}(0[1-9]|1[0-2])$')
                then '`' || valued.value || '` is no month (YYMM)'
            when valued.part = 'yyyy' and not regexp_like(valued.value, '^[0-9]{4}$')
                then '`' || valued.value || '` is no year'
            when valued.part = 'yyyymmdd'
                and (
                    not regexp_like(valued.value, '^[0-9]{8}$') or to_day(valued.value) is null
                )
                then '`' || valued.value || '` is no day (YYYYMMDD)'
            when valued.position = valued.pattern_part_count and not valued.has_rest
                and valued.name_part_count > valued.pattern_part_count
                then 'is followed by more: the name has '
                    || cast(valued.name_part_count as text) || ' parts, the pattern '
                    || cast(valued.pattern_part_count as text)
        end as problem
    from valued
    left join listed on valued.naming = listed.naming and valued.part = listed.part
    left join allowed_value
        on
            valued.campaign_key = allowed_value.campaign_key
            and valued.naming = allowed_value.naming
            and valued.position = allowed_value.position
),

final as (
    select
        campaign_key,
        platform,
        account_id,
        campaign_name,
        naming,
        priority,
        position,
        part,
        is_literal,
        value,
        problem is null as is_valid,
        problem
    from checked
)

select * from final
