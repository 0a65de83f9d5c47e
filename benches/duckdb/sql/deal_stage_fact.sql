-- Stages that deals entered, with when they left them.
select
    hash(deal_stage.deal_id, stage, entered_at) as deal_stage_key,
    deal_stage.deal_id,
    entered_at::date as event_date,
    entered_at,
    lead(entered_at) over by_time as left_at,
    stage,
    lag(stage) over by_time as previous_stage,
    row_number() over by_time as stage_number,
    deal.amount as deal_amount,
    deal.currency_code
from deal_stage
left join (
    select deal_id, amount, currency_code from deal
    qualify row_number() over (partition by deal_id order by effective_at desc) = 1
) as deal on deal_stage.deal_id = deal.deal_id
window by_time as (partition by deal_stage.deal_id order by entered_at, stage)
