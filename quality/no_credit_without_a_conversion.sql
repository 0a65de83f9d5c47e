-- Every credit row belongs to a conversion, and none is credited twice to the same touch.
{{ config(severity='error') }}

select credit.conversion_id, credit.model, credit.touch_id, count(*) as row_count
from {{ ref('fct_attribution_credit') }} as credit
group by credit.conversion_id, credit.model, credit.touch_id
having count(*) > 1

union all

select credit.conversion_id, credit.model, credit.touch_id, cast(0 as bigint) as row_count
from {{ ref('fct_attribution_credit') }} as credit
left anti join {{ ref('fct_conversion') }} as conversion
    on credit.conversion_id = conversion.conversion_id
