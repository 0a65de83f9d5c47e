//! The defects that belong to people and their visits; those of files are told by who writes them.

use crate::demo::commerce::BLOCKED_EMAIL;
use crate::demo::files::{Csv, Defect};
use crate::demo::ga4::{delivery_day, file_name};
use crate::demo::model::{EventKind, Order, Session, Unit, UnitKind, Visibility};
use crate::demo::origins::arrival;
use crate::demo::plan::Plan;
use crate::demo::world::World;

/// Writes the defects of a unit.
pub(super) fn write(world: &World, plan: &Plan, unit: &Unit, csv: &mut Csv) {
    for (index, session) in unit.sessions.iter().enumerate() {
        if session.visibility == Visibility::Seen {
            write_session(world, plan, unit, (index, session), csv);
        }
    }
    for (index, order) in unit.orders.iter().enumerate() {
        write_order(world, plan, unit, (index, order), csv);
    }
    for contact in &unit.contacts {
        let mut put = |kind, what: String, expected| {
            let place = contact.id.to_string();
            let file = "hubspot/contact".to_owned();
            csv.row(
                Defect {
                    kind,
                    file,
                    place,
                    what,
                    expected,
                }
                .fields(),
            );
        };
        if contact.email == BLOCKED_EMAIL {
            put(
                "blocked_identifier",
                format!("e-mail `{BLOCKED_EMAIL}`"),
                "no evidence of identity",
            );
        }
        if let Some((_, kept)) = contact.merged {
            put("crm_merge", format!("merged into {kept}"), "one customer");
        }
    }
    for device in unit
        .devices
        .iter()
        .filter(|device| device.is_shared && device.session_count > 0)
    {
        let defect = Defect {
            kind: "shared_device",
            file: "ga4".to_owned(),
            place: device.client.clone(),
            what: "two people use this device".to_owned(),
            expected: "the device does not make them one customer",
        };
        csv.row(defect.fields());
    }
}

fn write_session(
    world: &World,
    plan: &Plan,
    unit: &Unit,
    (index, session): (usize, &Session),
    csv: &mut Csv,
) {
    let device = &unit.devices[usize::from(session.device)];
    let place = format!("{}.{}", device.client, session.id());
    let Some(first) = session.events.first() else {
        return;
    };
    let file = file_name(world, delivery_day(world, session, first));
    let mut put = |kind, what: String, expected| {
        let defect = Defect {
            kind,
            file: file.clone(),
            place: place.clone(),
            what,
            expected,
        };
        csv.row(defect.fields());
    };
    if unit.kind == UnitKind::Bot {
        let what = format!("{} events of `{}`", session.events.len(), device.user_agent);
        put("bot", what, "marked as a bot, out of journeys and funnels");
    }
    if session.late_days > 0 {
        let what = format!("delivered {} days late", session.late_days);
        put("late_events", what, "counted on the day it happened");
    }
    if let Some((event, later)) = session.duplicate {
        let what = format!("event {} comes again {later} days later", event + 1);
        put("duplicate_event", what, "counted once");
    }
    if session.has_macro && session.self_referral.is_none() {
        let what = arrival(world, unit, index).utm[2].clone();
        put("macro_in_utm", what, "no campaign of that name");
    }
    if let Some(referrer) = session.self_referral {
        put("self_referral", referrer.to_owned(), "no new source");
    }
    if device.skew > 0 {
        let what = format!("the clock is {} minutes ahead", device.skew / 60_000_000);
        put("clock_skew", what, "kept, and flagged as future");
    }
    if let Some(user) = session.false_user {
        let what = format!("user_id `{user}`");
        put("blocked_identifier", what, "no evidence of identity");
    }
    for number in sent_twice(plan, unit, session) {
        put(
            "double_purchase",
            format!("transaction {number} is sent twice"),
            "one conversion",
        );
    }
}

/// Numbers of the orders whose purchase a session sends a second time.
fn sent_twice(plan: &Plan, unit: &Unit, session: &Session) -> Vec<u32> {
    let again = |kind| match kind {
        EventKind::Purchase(order, true) => Some(plan.order_number(unit.index, usize::from(order))),
        _ => None,
    };
    session
        .events
        .iter()
        .filter_map(|event| again(event.kind))
        .collect()
}

fn write_order(
    world: &World,
    plan: &Plan,
    unit: &Unit,
    (index, order): (usize, &Order),
    csv: &mut Csv,
) {
    let place = plan.order_number(unit.index, index).to_string();
    let file = crate::demo::shopify::file_name(world, world.calendar.index(order.placed_at));
    let mut put = |kind, what: &str, expected| {
        let (file, place) = (file.clone(), place.clone());
        let defect = Defect {
            kind,
            file,
            place,
            what: what.to_owned(),
            expected,
        };
        csv.row(defect.fields());
    };
    if order.is_test {
        put("test_order", "a test", "no conversion, no revenue");
    }
    if order.cancelled_at.is_some() {
        put(
            "cancelled_order",
            "cancelled later",
            "no conversion, no revenue",
        );
    }
    if order.refund.is_some() {
        put(
            "late_refund",
            "refunded later",
            "revenue falls on the day of the refund",
        );
    }
    if order.email == BLOCKED_EMAIL {
        put(
            "blocked_identifier",
            "e-mail of nobody",
            "no evidence of identity",
        );
    } else if order.email != order.email.trim().to_lowercase() {
        put(
            "email_variant",
            &order.email,
            "the same person as in lower case without spaces",
        );
    }
    let hidden = order.session.is_some_and(|session| {
        unit.sessions[usize::from(session)].visibility == Visibility::Hidden
    });
    if hidden {
        put(
            "missing_in_ga4",
            "no consent: no purchase event",
            "a conversion all the same",
        );
    }
}
