-- grain: one row per campaign to which a naming convention applies
{{ config(materialized='table') }}

with campaign_part as (
    select * from {{ ref('int_campaign_naming_part') }}
),

by_naming as (
    select
        campaign_key,
        platform,
        account_id,
        campaign_name,
        naming,
        min(priority) as priority,
        count(*) as part_count,
        sum(case when is_valid and value is not null then 1 else 0 end) as valid_count,
        sum(case when is_valid then 0 else 1 end) as problem_count,
        string_agg('`' || part || '` ' || problem, '; ' order by position) as problems
    from campaign_part
    group by campaign_key, platform, account_id, campaign_name, naming
),

-- The convention that the name follows, else the one that it comes nearest to.
ranked as (
    select
        *,
        row_number() over (
            partition by campaign_key
            order by
                problem_count = 0 desc,
                case when problem_count = 0 then priority end,
                valid_count desc,
                problem_count,
                priority,
                naming
        ) as place
    from by_naming
),

final as (
    select
        campaign_key,
        platform,
        account_id,
        campaign_name,
        naming,
        cast(part_count as bigint) as part_count,
        cast(problem_count as bigint) as problem_count,
        problem_count = 0 as is_valid,
        problems
    from ranked
    where place = 1
)

select * from final
