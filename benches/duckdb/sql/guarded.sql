-- Identifiers that can be shared (telephone, order, device, cookie) and are linked to too many
-- people: more than one user, contact or buyer, or more than two e-mails. a is the stronger end.
-- Contacts that the CRM merged count once.
with merged as (
    select b as contact, min(a) as into_contact
    from edge
    where (a >> 60) = 2 and (b >> 60) = 2
    group by b
)
select edge.b as node
from edge
left join merged on edge.a = merged.contact
where (edge.b >> 60) >= 6 and (edge.a >> 60) in (1, 2, 4, 5)
group by edge.b, edge.a >> 60
having count(distinct coalesce(merged.into_contact, edge.a))
    > case when (any_value(edge.a) >> 60) = 5 then 2 else 1 end
