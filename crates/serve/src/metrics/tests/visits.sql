-- Figures that one can check by hand.
create view star.dim_channel as
select * from (values (1, 'Ads', true), (2, 'Mail', false)) as t (channel_key, channel, is_paid);

create view star.fct_visit as
select cast(d as date) as visit_date, channel_key, device, person, is_engaged, seconds, is_bot
from (values
    ('2026-01-31', 1, 'phone', 10, true, 5, false),
    ('2026-01-31', 1, 'phone', 10, false, 7, false),
    ('2026-02-01', 1, 'desk', 10, false, 1, false),
    ('2026-02-01', 2, 'desk', 11, true, 9, false),
    ('2026-02-02', 2, null, 12, true, 2, false),
    ('2026-02-02', 2, 'desk', 99, true, 2, true)
) as t (d, channel_key, device, person, is_engaged, seconds, is_bot);

create view star.fct_cost as
select
    cast(d as date) as cost_date,
    channel_key,
    currency,
    cast(a as decimal(18, 6)) as amount,
    cast(r as decimal(18, 6)) as reporting_amount
from (values
    ('2026-01-31', 1, 'EUR', 10.10, 10.10),
    ('2026-02-01', 1, 'USD', 20.00, 18.00),
    ('2026-02-01', 3, 'GBP', 5.00, null)
) as t (d, channel_key, currency, a, r);

create view star.fct_claim as
select cast(d as date) as claim_month, platform, model, claims
from (values
    ('2026-01-01', 'a', 'position', 3),
    ('2026-01-01', 'b', 'position', 2),
    ('2026-02-01', 'a', 'position', 1),
    ('2026-01-01', 'a', 'last', 4)
) as t (d, platform, model, claims);

create view star.fct_stock as
select cast(d as date) as stock_date, product, pieces
from (values
    ('2026-01-30', 'x', 7),
    ('2026-01-31', 'x', 5),
    ('2026-01-31', 'y', 1),
    ('2026-02-01', 'x', 4)
) as t (d, product, pieces)
