-- Conversions whose credit may be another now.
create temp table dirty_conversion as
select conversion_id from (
    (from conversion except from old_conversion)
    union all
    (from old_conversion except from conversion)
)
union
select conversion_id from conversion where customer in (from dirty_customer)
union
select conversion_id from party where customer in (from dirty_customer)
union
select conversion_id from (
    (from party except from old_party)
    union all
    (from old_party except from party)
);

create temp table dirty_conversion_row as
from conversion where conversion_id in (from dirty_conversion)
