-- Identifiers that can be shared (telephone, order, device, cookie) and are linked to too many
-- people: more than one user, contact or buyer, or more than two e-mails. a is the stronger end.
select b as node
from edge
where (b >> 60) >= 6 and (a >> 60) in (1, 2, 4, 5)
group by b, a >> 60
having count(*) > case when (any_value(a) >> 60) = 5 then 2 else 1 end
