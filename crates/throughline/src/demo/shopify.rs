//! The shop's orders and products as the Shopify Admin REST API gives them, one file a day.
//!
//! An order stands in the file of the day it was placed and again, whole, in the file of each day
//! it changed: sent, cancelled, refunded. `updated_at` says which version is the newer one.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use super::calendar::{HOUR, MINUTE, SECOND, with_offset};
use super::catalogue::cents;
use super::files::{self, Defect};
use super::model::{Order, Unit};
use super::origins::arrival;
use super::plan::{OrderRef, Plan};
use super::random::{Purpose, share};
use super::world::{Market, SITE, VENDOR, World};

/// Path of a day's file.
pub(crate) fn file_name(world: &World, day: usize) -> String {
    format!("shopify/orders/orders_{}.ndjson", world.calendar.day(day))
}

/// Writes the orders of a day; gives the number of lines and what was planted.
pub(crate) fn write_day(
    world: &World,
    plan: &Plan,
    out: &Path,
    day: usize,
) -> anyhow::Result<(u64, Vec<Defect>)> {
    let name = file_name(world, day);
    let path = out.join(&name);
    let mut file = files::create(&path)?;
    let mut lines = 0u64;
    let mut defects = Vec::new();
    let mut put = |value: String| {
        lines += 1;
        writeln!(file, "{value}")
            .with_context(|| format!("cannot write the file `{}`", path.display()))?;
        anyhow::Ok(lines)
    };
    for reference in &plan.order_days[day] {
        let unit = super::units::build(world, reference.unit);
        let version = order(world, plan, &unit, reference);
        let line = put(version.to_string())?;
        let slip = unit.orders[usize::from(reference.order)].slipped_currency;
        if let Some(currency) = slip.filter(|_| reference.version == 0) {
            let number = plan.order_number(unit.index, usize::from(reference.order));
            defects.push(Defect {
                kind: "currency_slip",
                file: name.clone(),
                place: line.to_string(),
                what: format!("order {number} is delivered in `{currency}`"),
                expected: "the later version of the order counts, in its true currency",
            });
        }
    }
    let draw = share(world.seed, &[Purpose::Defect as u64, 500, day as u64]);
    if draw < 0.08 || day == 4 {
        let created = with_offset(world.calendar.start(day) + 12 * HOUR);
        let broken = json!({
            "id": null, "name": "#0", "created_at": created, "updated_at": created,
            "currency": "EUR", "total_price": "19.90", "line_items": [], "refunds": [],
        });
        let line = put(broken.to_string())?;
        defects.push(Defect {
            kind: "missing_id",
            file: name.clone(),
            place: line.to_string(),
            what: "the order has no id".to_owned(),
            expected: "quarantined with a reason",
        });
    }
    file.flush()
        .with_context(|| format!("cannot write the file `{}`", path.display()))?;
    Ok((lines, defects))
}

fn money(amount: i64, currency: &str) -> Value {
    let money = json!({"amount": cents(amount), "currency_code": currency});
    json!({"shop_money": money, "presentment_money": money})
}

/// A version of an order.
fn order(world: &World, plan: &Plan, unit: &Unit, reference: &OrderRef) -> Value {
    let order = &unit.orders[usize::from(reference.order)];
    let market = unit.people[usize::from(order.person)].market();
    let slipped = order.slipped_currency.filter(|_| reference.version == 0);
    let currency = slipped.unwrap_or(market.currency);
    let id = plan.order_id(unit.index, usize::from(reference.order));
    let mut parts = [
        head(plan, unit, reference),
        amounts(order, market, currency),
        buyer(unit, order),
        visit(world, plan, unit, order),
        json!({
            "line_items": line_items(world, order, id, currency),
            "refunds": refunds(order, market, currency, (id, reference.at)),
        }),
    ];
    let whole = parts
        .iter_mut()
        .filter_map(Value::as_object_mut)
        .map(std::mem::take);
    Value::Object(whole.flatten().collect())
}

/// Its names, times and status.
fn head(plan: &Plan, unit: &Unit, reference: &OrderRef) -> Value {
    let index = usize::from(reference.order);
    let order = &unit.orders[index];
    let at = reference.at;
    let number = plan.order_number(unit.index, index);
    let id = plan.order_id(unit.index, index);
    let so_far = |moment: Option<i64>| moment.filter(|moment| *moment <= at);
    let cancelled = so_far(order.cancelled_at);
    let refunded = order.refund.as_ref().filter(|refund| refund.at <= at);
    let status = match (cancelled, refunded) {
        (Some(_), _) => "voided",
        (None, Some(refund)) if refund.amount >= order.gross => "refunded",
        (None, Some(_)) => "partially_refunded",
        (None, None) => "paid",
    };
    let is_entered = order.deal.is_some();
    json!({
        "id": id,
        "admin_graphql_api_id": format!("gid://shopify/Order/{id}"),
        "name": format!("#{number}"),
        "order_number": number,
        "number": number - 1000,
        "created_at": with_offset(order.placed_at),
        "processed_at": with_offset(order.placed_at),
        "updated_at": with_offset(at + MINUTE),
        "cancelled_at": cancelled.map(with_offset),
        "cancel_reason": cancelled.map(|_| "customer"),
        "test": order.is_test,
        "confirmed": true,
        "financial_status": status,
        "fulfillment_status": so_far(order.fulfilled_at).map(|_| "fulfilled"),
        "source_name": if is_entered { "shopify_draft_order" } else { "web" },
    })
}

/// Who bought.
fn buyer(unit: &Unit, order: &Order) -> Value {
    let person = &unit.people[usize::from(order.person)];
    let market = person.market();
    let address = address(unit, order, market);
    let has_phone = unit.index.is_multiple_of(3);
    json!({
        "email": order.email,
        "contact_email": order.email,
        "phone": has_phone.then_some(&person.phone),
        "buyer_accepts_marketing": person.is_subscriber,
        "customer_locale": market.language,
        "customer": {
            "id": unit.customer_id(usize::from(order.person)),
            "email": order.email,
            "first_name": person.first,
            "last_name": person.last,
            "phone": person.phone,
            "currency": market.currency,
        },
        "billing_address": address,
        "shipping_address": address,
    })
}

/// What the shop noted of the visit.
fn visit(world: &World, plan: &Plan, unit: &Unit, order: &Order) -> Value {
    let (landing, referring) = landing(world, plan, unit, order);
    let codes: Vec<Value> = order
        .coupon
        .iter()
        .map(|code| json!({"code": code, "amount": cents(order.discount), "type": "percentage"}))
        .collect();
    json!({
        "landing_site": landing,
        "referring_site": referring,
        "note_attributes": note_attributes(unit, order),
        "discount_codes": codes,
    })
}

fn amounts(order: &Order, market: &Market, currency: &str) -> Value {
    let subtotal: i64 = order
        .lines
        .iter()
        .map(|line| line.price * line.quantity - line.discount)
        .sum();
    json!({
        "currency": currency,
        "presentment_currency": currency,
        "taxes_included": market.tax_included,
        "total_line_items_price": cents(subtotal + order.discount),
        "total_discounts": cents(order.discount),
        "subtotal_price": cents(subtotal),
        "total_shipping_price_set": money(order.shipping, currency),
        "total_tax": cents(order.tax),
        "total_price": cents(order.gross),
        "total_price_set": money(order.gross, currency),
    })
}

fn refunds(order: &Order, market: &Market, currency: &str, (id, at): (u64, i64)) -> Vec<Value> {
    let Some(refund) = order.refund.as_ref().filter(|refund| refund.at <= at) else {
        return vec![];
    };
    let on_top = if market.tax_included { 0 } else { refund.tax };
    vec![json!({
        "id": refund_id(id),
        "order_id": id,
        "created_at": with_offset(refund.at),
        "processed_at": with_offset(refund.at),
        "note": refund.reason,
        "refund_line_items": [{
            "id": refund_id(id) + 1,
            "line_item_id": line_id(id, refund.line),
            "quantity": refund.quantity,
            "restock_type": "return",
            "subtotal": cents(refund.amount - on_top),
            "total_tax": cents(refund.tax),
        }],
        "transactions": [{
            "id": refund_id(id) + 2,
            "order_id": id,
            "kind": "refund",
            "status": "success",
            "gateway": "shopify_payments",
            "amount": cents(refund.amount),
            "currency": currency,
            "created_at": with_offset(refund.at),
        }],
        "order_adjustments": [],
    })]
}

/// The shop's id of a refund.
pub(crate) fn refund_id(order: u64) -> u64 {
    order - 4_700_000_000_000
}

/// The shop's id of a line.
pub(crate) fn line_id(order: u64, line: usize) -> u64 {
    order + 8_900_000_000_000 + line as u64
}

fn line_items(world: &World, order: &Order, id: u64, currency: &str) -> Vec<Value> {
    let mut items = Vec::with_capacity(order.lines.len());
    for (index, line) in order.lines.iter().enumerate() {
        let product = &world.products[line.product];
        let variant = &product.variants[line.variant];
        items.push(json!({
            "id": line_id(id, index),
            "product_id": product.id,
            "variant_id": variant.id,
            "sku": variant.sku,
            "title": product.title,
            "variant_title": variant.title,
            "name": format!("{} - {}", product.title, variant.title),
            "vendor": VENDOR,
            "quantity": line.quantity,
            "price": cents(line.price),
            "price_set": money(line.price, currency),
            "total_discount": "0.00",
            "discount_allocations": if line.discount > 0 {
                json!([{"amount": cents(line.discount), "discount_application_index": 0}])
            } else {
                json!([])
            },
            "tax_lines": [{"title": "VAT", "price": cents(line.tax)}],
            "requires_shipping": true,
            "taxable": true,
            "gift_card": false,
        }));
    }
    items
}

/// Landing page and referrer that the shop noted: only where the cookie was kept.
fn landing(world: &World, plan: &Plan, unit: &Unit, order: &Order) -> (Value, Value) {
    let Some(session) = order
        .session
        .filter(|_| order.keeps_client)
        .map(usize::from)
    else {
        return (Value::Null, Value::Null);
    };
    let arrival = arrival(world, unit, session);
    let page = unit.sessions[session]
        .events
        .first()
        .map(|event| event.page);
    let page = page.unwrap_or(super::model::Page::Home);
    let address = super::ga4::page(world, plan, unit.index, page).0;
    let mut path = address.trim_start_matches(SITE).to_owned();
    if !arrival.query.is_empty() {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&arrival.query);
    }
    let referrer = if arrival.referrer.is_empty() {
        Value::Null
    } else {
        json!(arrival.referrer)
    };
    (json!(path), referrer)
}

fn note_attributes(unit: &Unit, order: &Order) -> Vec<Value> {
    let Some(session) = order
        .session
        .filter(|_| order.keeps_client)
        .map(usize::from)
    else {
        return vec![];
    };
    let session = &unit.sessions[session];
    let client = &unit.devices[usize::from(session.device)].client;
    let mut all = vec![
        json!({"name": "ga_client_id", "value": client}),
        json!({"name": "ga_session_id", "value": session.id().to_string()}),
    ];
    if session.user_from.is_some() && session.false_user.is_none() {
        let user = unit.user_id(usize::from(order.person));
        all.push(json!({"name": "user_id", "value": user}));
    }
    all
}

fn address(unit: &Unit, order: &Order, market: &Market) -> Value {
    let person = &unit.people[usize::from(order.person)];
    let (city, region, code, postal) = person.city();
    json!({
        "first_name": person.first,
        "last_name": person.last,
        "company": unit.company.as_ref().map(|company| &company.name),
        "address1": format!("{} Lark Lane", 1 + unit.index % 98),
        "city": city,
        "zip": postal,
        "province": region,
        "province_code": code,
        "country": market.country,
        "country_code": market.code,
        "phone": person.phone,
    })
}

/// Writes the products as they stand on the first day.
pub(crate) fn write_products(world: &World, out: &Path) -> anyhow::Result<()> {
    let mut text = String::new();
    for product in &world.products {
        let euro = super::world::MARKETS[0].price_factor;
        let price = (product.price_euro_cents as f64 * euro).round() as i64;
        let category = super::catalogue::CATEGORIES[product.category_index()].1;
        let variants: Vec<Value> = product
            .variants
            .iter()
            .enumerate()
            .map(|(index, variant)| {
                json!({
                    "id": variant.id,
                    "product_id": product.id,
                    "title": variant.title,
                    "sku": variant.sku,
                    "price": cents(price),
                    "position": index + 1,
                    "inventory_quantity": 40 + product.id % 90,
                })
            })
            .collect();
        let created = with_offset(world.calendar.begin() - 90 * 24 * HOUR);
        let product = json!({
            "id": product.id,
            "title": product.title,
            "handle": product.handle,
            "vendor": VENDOR,
            "product_type": product.category,
            "status": "active",
            "tags": category,
            "created_at": created,
            "updated_at": with_offset(world.calendar.begin() - SECOND),
            "variants": variants,
        });
        text.push_str(&product.to_string());
        text.push('\n');
    }
    files::write(&out.join("shopify/products.ndjson"), &text)
}
