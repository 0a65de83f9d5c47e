-- grain: one row per entry in the stage history of a Salesforce opportunity
-- The stream may also hold versions of opportunities: another model takes those.
{{ config(entity='deal_stage', rows='some') }}

with opportunity_history as (
    select * from {{ source('salesforce', 'opportunity_history') }}
    where opportunity_id is not null
),

-- Salesforce makes an entry when stage, amount, probability or close date change, so a stage may
-- come twice in a row. What a stage means is known here for the forecast category of won deals and
-- for the standard stages; for others from opportunity_stage.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        opportunity_id as deal_id,
        stage_name as stage,
        created_date as entered_at,
        case
            when
                lower(forecast_category) = 'closed'
                or lower(stage_name) in ('closed won', 'closed lost')
                then true
        end as is_closed,
        case
            when lower(forecast_category) = 'closed' or lower(stage_name) = 'closed won' then true
            when lower(stage_name) = 'closed lost' then false
        end as is_won,
        -- A percentage. What is no number goes on as it is, so that the row is quarantined.
        coalesce(
            cast(try_cast(probability as decimal(9, 4)) * cast('0.01' as decimal(3, 2)) as text),
            probability
        ) as probability,
        id as entry_id,
        amount,
        currency_iso_code as amount_currency_code,
        close_date,
        forecast_category,
        prev_amount as previous_amount,
        prev_close_date as previous_close_date,
        is_deleted
    from opportunity_history
)

select * from final
