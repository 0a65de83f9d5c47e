-- Orders as the shop exports them, every version, typed once.
select
    id as order_id,
    order_reference(coalesce(nullif(name, ''), order_number)) as order_number,
    instant(coalesce(created_at, processed_at)) as ordered_at,
    instant(updated_at) as effective_at,
    customer.id as buyer_id,
    email_hash(coalesce(nullif(email, ''), nullif(contact_email, ''), nullif(customer.email, '')))
        as email_hash,
    phone_hash(coalesce(nullif(phone, ''), nullif(customer.phone, ''),
        nullif(billing_address.phone, ''), nullif(shipping_address.phone, ''))) as phone_hash,
    regexp_replace(list_extract(list_transform(list_filter(
        note_attributes, lambda note: note.name = 'ga_client_id'
    ), lambda note: note.value), 1), '^GA[0-9]+[.][0-9]+[.]', '') as anonymous_id,
    financial_status as status,
    coalesce(nullif(cancelled_at, '') is not null, false) or financial_status = 'voided'
        as is_cancelled,
    coalesce(test, false) as is_test,
    money(total_price) as gross_amount,
    money(total_discounts) as discount_amount,
    money(total_tax) as tax_amount,
    money(total_shipping_price_set.shop_money.amount) as shipping_amount,
    upper(currency) as currency_code,
    list_sum(list_transform(line_items, lambda line: line.quantity::bigint))::bigint
        as item_quantity,
    array_to_string(list_transform(discount_codes, lambda discount: discount.code), ',') as coupon,
    shipping_address.country_code as country,
    shipping_address.province as region,
    shipping_address.city as city,
    landing_site as landing_url,
    referring_site as referrer_url,
    line_items,
    refunds,
    taxes_included
from read_json({files}, format = 'newline_delimited', ignore_errors = true, columns = {
    id: 'varchar', name: 'varchar', order_number: 'varchar', created_at: 'varchar',
    processed_at: 'varchar', updated_at: 'varchar', cancelled_at: 'varchar', test: 'boolean',
    financial_status: 'varchar', currency: 'varchar', total_price: 'varchar',
    total_discounts: 'varchar', total_tax: 'varchar',
    total_shipping_price_set: 'struct(shop_money struct(amount varchar))',
    email: 'varchar', contact_email: 'varchar', phone: 'varchar',
    customer: 'struct(id varchar, email varchar, phone varchar)',
    shipping_address: 'struct(country_code varchar, province varchar, city varchar,
        phone varchar)',
    billing_address: 'struct(phone varchar)',
    note_attributes: 'struct(name varchar, value varchar)[]',
    discount_codes: 'struct(code varchar)[]',
    landing_site: 'varchar', referring_site: 'varchar', taxes_included: 'boolean',
    line_items: 'struct(id varchar, product_id varchar, sku varchar, title varchar,
        quantity varchar, price varchar, total_discount varchar,
        discount_allocations struct(amount varchar)[])[]',
    refunds: 'struct(id varchar, created_at varchar, processed_at varchar,
        transactions struct(kind varchar, status varchar, amount varchar)[],
        refund_line_items struct(subtotal varchar, total_tax varchar)[])[]'
})
