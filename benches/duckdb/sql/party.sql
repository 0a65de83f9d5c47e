-- Customers that took part in the conversion of a deal together.
with member as (
    select conversion.conversion_id, bridge.customer
    from conversion
    inner join deal_contact on conversion.deal_id = deal_contact.deal_id
    inner join bridge on deal_contact.contact_node = bridge.node
    union
    select conversion_id, customer from conversion where deal_id is not null and customer <> 0
)

from member
qualify count(*) over (partition by conversion_id) > 1
