-- Web events that may be conversions.
select
    event_id, event_at, event_date, event_type, identity_node, session_key, order_reference,
    revenue_amount, tax_amount, shipping_amount, currency_code, item_quantity
from scope_journey
where
    event_type in ('purchase', 'in_app_purchase', 'ecommerce_purchase', 'generate_lead', 'sign_up')
    and not is_bot
