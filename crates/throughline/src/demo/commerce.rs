//! Orders of the shop: what is bought, what it costs, what becomes of it.
//!
//! All money is whole cents. Where prices include tax, tax is taken out of them line by line;
//! elsewhere it comes on top. Gross is always what the customer pays.

use super::calendar::{DAY, HOUR, SECOND};
use super::model::{Line, Order, Person, Refund, Session, Unit, UnitKind, Visibility};
use super::random::Dice;
use super::world::{Market, World};

/// An address that identifies nobody.
pub(crate) const BLOCKED_EMAIL: &str = "test@test.com";

/// Places an order of some products; gives its index in the unit.
pub(crate) fn place(
    world: &World,
    dice: &mut Dice,
    unit: &mut Unit,
    person: usize,
    session: &Session,
    products: &[u16],
    at: i64,
) -> u8 {
    let buyer = &unit.people[person];
    let lines = products
        .iter()
        .map(|product| {
            (
                usize::from(*product),
                [1, 1, 1, 1, 2, 1, 1, 3][dice.below(8)],
            )
        })
        .collect::<Vec<_>>();
    let coupon = dice
        .chance(0.17)
        .then(|| ["WELCOME10", "TRAIL15", "DESKWEEK"][dice.below(3)]);
    let percent = match coupon {
        Some("TRAIL15") => 15,
        Some(_) => 10,
        None => 0,
    };
    let mut order = price(world, dice, buyer.market(), &lines, percent, 495);
    order.person = person as u8;
    order.placed_at = at;
    order.coupon = coupon;
    order.email = typed_email(dice, buyer);
    order.keeps_client = session.visibility == Visibility::Seen && dice.chance(0.6);
    order.is_test = unit.kind != UnitKind::Family && dice.chance(0.006);
    follow(world, dice, &mut order, buyer.market());
    unit.orders.push(order);
    (unit.orders.len() - 1) as u8
}

/// An order that sales enters for a deal.
pub(crate) fn enter(
    world: &World,
    dice: &mut Dice,
    market: &Market,
    person: usize,
    email: String,
    at: i64,
) -> Order {
    let mut lines = vec![(19 + dice.below(4), dice.between(2, 9))];
    lines.push((25 + dice.below(5), dice.between(2, 12)));
    let percent = [0, 5, 10][dice.below(3)];
    let mut order = price(world, dice, market, &lines, percent, 19_900);
    order.person = person as u8;
    order.placed_at = at;
    order.email = email;
    order.fulfilled_at = within(world, at + dice.between(5 * DAY, 12 * DAY));
    order
}

/// The e-mail as the customer types it: sometimes another one, sometimes with stray spaces.
fn typed_email(dice: &mut Dice, person: &Person) -> String {
    if dice.chance(0.004) {
        return BLOCKED_EMAIL.to_owned();
    }
    let email = match &person.second_email {
        Some(second) if dice.chance(0.4) => second,
        _ => &person.email,
    };
    match dice.below(40) {
        0 => email.to_uppercase(),
        1 => format!("  {email} "),
        2 | 3 => {
            let mut letters = email.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
        _ => email.clone(),
    }
}

fn price(
    world: &World,
    dice: &mut Dice,
    market: &Market,
    items: &[(usize, i64)],
    percent: i64,
    shipping_euro: i64,
) -> Order {
    let mut lines = Vec::with_capacity(items.len());
    let (mut subtotal, mut discount, mut tax) = (0, 0, 0);
    for (product, quantity) in items {
        let unit_price = world.products[*product].price(market);
        let line_discount = unit_price * quantity * percent / 100;
        let paid = unit_price * quantity - line_discount;
        let line_tax = tax_of(market, paid);
        subtotal += paid;
        discount += line_discount;
        tax += line_tax;
        lines.push(Line {
            product: *product,
            variant: dice.below(world.products[*product].variants.len()),
            quantity: *quantity,
            price: unit_price,
            discount: line_discount,
            tax: line_tax,
        });
    }
    let free_from = if shipping_euro > 10_000 {
        i64::MAX
    } else {
        10_000
    };
    let shipping = if subtotal >= free_from {
        0
    } else {
        ((shipping_euro as f64 * market.price_factor) / 5.0).round() as i64 * 5
    };
    let on_top = if market.tax_included { 0 } else { tax };
    Order {
        person: 0,
        session: None,
        placed_at: 0,
        lines,
        discount,
        coupon: None,
        shipping,
        tax,
        gross: subtotal + shipping + on_top,
        email: String::new(),
        keeps_client: false,
        is_test: false,
        fulfilled_at: None,
        cancelled_at: None,
        refund: None,
        slipped_currency: None,
        deal: None,
    }
}

/// Tax within a paid amount, or on top of it where prices are without.
fn tax_of(market: &Market, paid: i64) -> i64 {
    let percent = market.tax_percent;
    if market.tax_included {
        (paid * percent + (100 + percent) / 2) / (100 + percent)
    } else {
        (paid * percent + 50) / 100
    }
}

fn within(world: &World, at: i64) -> Option<i64> {
    (at < world.calendar.end() - HOUR).then_some(at)
}

/// What becomes of an order: sent, cancelled, given back.
fn follow(world: &World, dice: &mut Dice, order: &mut Order, market: &Market) {
    let placed = order.placed_at;
    if dice.chance(0.022) {
        order.cancelled_at = within(world, placed + dice.between(HOUR, 20 * HOUR));
        return;
    }
    order.fulfilled_at = within(world, placed + dice.between(18 * HOUR, 3 * DAY));
    if order.fulfilled_at.is_some() && dice.chance(0.008) {
        let slips = ["EURO", "HUF", "XXX"];
        order.slipped_currency = Some(slips[dice.below(slips.len())]);
    }
    let back = placed + 4 * DAY + dice.between(0, 24 * DAY) + dice.between(0, 3600) * SECOND;
    if dice.chance(0.075)
        && !order.is_test
        && let Some(at) = within(world, back)
    {
        let index = dice.below(order.lines.len());
        let line = &order.lines[index];
        let quantity = dice.between(1, line.quantity);
        let paid = line.price * line.quantity - line.discount;
        let tax = line.tax * quantity / line.quantity;
        let on_top = if market.tax_included { 0 } else { tax };
        order.refund = Some(Refund {
            at,
            line: index,
            quantity,
            amount: paid * quantity / line.quantity + on_top,
            tax,
            reason: ["Too small", "Changed my mind", "Damaged", "Late delivery"][dice.below(4)],
        });
    }
}
