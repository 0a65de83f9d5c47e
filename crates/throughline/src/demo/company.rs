//! The CRM's side of the world: contacts, companies, deals, merges.
//!
//! Contacts come from forms, from accounts on the site and from orders. A company's deal starts
//! days after its first form, moves through the pipeline for a month or two, and is won, lost or
//! still open. Some won deals are invoiced by an order in the shop: one sale in two systems.

use super::calendar::{DAY, HOUR, MINUTE, SECOND};
use super::model::{Company, Contact, Deal, Session, Unit, UnitKind, Visibility};
use super::random::{Dice, HEX};
use super::world::{COMPANY_KINDS, OWNERS, World};

/// Stages of the pipeline: id, label, probability.
pub(crate) const STAGES: [(&str, &str, &str); 7] = [
    ("appointmentscheduled", "Appointment scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified to buy", "0.4"),
    ("presentationscheduled", "Presentation scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision maker bought-in", "0.8"),
    ("contractsent", "Contract sent", "0.9"),
    ("closedwon", "Closed won", "1.0"),
    ("closedlost", "Closed lost", "0.0"),
];
/// Index of the stage that wins a deal.
pub(crate) const WON: usize = 5;
/// Index of the stage that loses a deal.
pub(crate) const LOST: usize = 6;

/// Gives a unit its company.
pub(crate) fn found(unit: &mut Unit, dice: &mut Dice, word: &str, kind: usize, domain: &str) {
    unit.company = Some(Company {
        id: 9_400_000_000 + u64::from(unit.index) * 16,
        name: format!("{word} {}", COMPANY_KINDS[kind].0),
        domain: domain.to_owned(),
        industry: COMPANY_KINDS[kind].1,
        employees: [12, 25, 40, 60, 90, 140, 220, 400, 900][dice.below(9)],
        owner: dice.below(OWNERS.len()),
        created_at: 0,
    });
}

fn add_contact(
    dice: &mut Dice,
    unit: &mut Unit,
    person: usize,
    session: &Session,
    at: i64,
    email: String,
    stage: &'static str,
) -> u8 {
    let number = unit.contacts.len() as u64;
    let device = &unit.devices[usize::from(session.device)];
    let is_seen = session.visibility == Visibility::Seen;
    let origin = device.first.map_or(session.origin, |(_, origin)| origin);
    let account = &unit.people[person];
    let user_id = account
        .registered_at
        .filter(|_| dice.chance(0.5))
        .map(|_| unit.user_id(person));
    let client = (is_seen && dice.chance(0.7)).then(|| device.client.clone());
    let cookie = is_seen.then(|| dice.text(HEX, 32));
    unit.contacts.push(Contact {
        person: person as u8,
        id: 140_000_000_000 + u64::from(unit.index) * 16 + number,
        created_at: at,
        email,
        origin,
        client,
        cookie,
        gclid: None,
        user_id,
        stages: vec![(at, stage)],
        merged: None,
        absorbed: None,
    });
    (unit.contacts.len() - 1) as u8
}

/// A person fills in the form for companies; gives the contact's index.
pub(crate) fn ask_for_a_quote(
    dice: &mut Dice,
    unit: &mut Unit,
    person: usize,
    session: &Session,
    at: i64,
) -> Option<u8> {
    if unit.contacts.len() > 12 {
        return None;
    }
    let second = unit.people[person].second_email.clone();
    let email = match second {
        Some(private) if dice.chance(0.25) => private,
        _ => unit.people[person].email.clone(),
    };
    let at = at + 2 * SECOND;
    let contact = add_contact(dice, unit, person, session, at, email, "lead");
    if let Some(company) = &mut unit.company
        && company.created_at == 0
    {
        company.created_at = at + 5 * SECOND;
    }
    Some(contact)
}

/// A new account on the site is a subscriber in the CRM.
pub(crate) fn subscribe(
    dice: &mut Dice,
    unit: &mut Unit,
    person: usize,
    session: &Session,
    at: i64,
) {
    let known = unit
        .contacts
        .iter()
        .any(|contact| usize::from(contact.person) == person);
    if !known && dice.chance(0.85) {
        let email = if dice.chance(0.006) {
            super::commerce::BLOCKED_EMAIL.to_owned()
        } else {
            unit.people[person].email.clone()
        };
        add_contact(
            dice,
            unit,
            person,
            session,
            at + 20 * MINUTE,
            email,
            "subscriber",
        );
    }
}

/// An order makes its buyer a customer in the CRM, most of the time.
pub(crate) fn note_customer(
    world: &World,
    dice: &mut Dice,
    unit: &mut Unit,
    person: usize,
    session: &Session,
    at: i64,
) {
    let Some(order) = unit.orders.last() else {
        return;
    };
    if order.is_test || order.email == super::commerce::BLOCKED_EMAIL {
        return;
    }
    let email = order.email.trim().to_lowercase();
    let at = at + 15 * MINUTE;
    let known = unit
        .contacts
        .iter()
        .position(|contact| usize::from(contact.person) == person && contact.email == email);
    match known {
        Some(contact) => {
            let stages = &mut unit.contacts[contact].stages;
            if stages.iter().all(|(_, stage)| *stage != "customer") && at < world.calendar.end() {
                stages.push((at, "customer"));
            }
        }
        None if dice.chance(0.6) => {
            add_contact(dice, unit, person, session, at, email, "customer");
        }
        None => {}
    }
}

/// Keeps the Google click id of the contact's first visit, as a hidden field of the form does.
pub(crate) fn keep_click_id(world: &World, unit: &mut Unit, dice: &mut Dice) {
    for index in 0..unit.contacts.len() {
        let contact = &unit.contacts[index];
        let first = unit.sessions.iter().position(|session| {
            session.person == contact.person
                && session.visibility == Visibility::Seen
                && session.start < contact.created_at
        });
        let click = first.and_then(|session| super::origins::click_id(world, unit, session));
        if let Some(("gclid", value)) = click
            && dice.chance(0.5)
        {
            unit.contacts[index].gclid = Some(value);
        }
    }
}

/// Sales of a company: its deals and what becomes of them.
pub(crate) fn sell(world: &World, dice: &mut Dice, unit: &mut Unit) {
    if unit.contacts.is_empty() || !dice.chance(0.8) {
        return;
    }
    let asked = unit.contacts[0].created_at;
    let mut created = asked + 3 * HOUR + (dice.waiting(2.0) * DAY as f64) as i64;
    for number in 0..if dice.chance(0.15) { 2 } else { 1u64 } {
        if created >= world.calendar.end() - DAY {
            return;
        }
        add_deal(world, dice, unit, number, created);
        created += dice.between(15 * DAY, 40 * DAY);
    }
}

fn add_deal(world: &World, dice: &mut Dice, unit: &mut Unit, number: u64, created: i64) {
    let end = world.calendar.end();
    let market = unit.people[0].market();
    let amount = (1_400.0 + dice.waiting(5_200.0)) * market.price_factor;
    let amount = (amount / 50.0).round() as i64 * 5_000;
    let mut contacts: Vec<u8> = Vec::new();
    for (index, contact) in unit.contacts.iter().enumerate() {
        if contact.created_at < created + 20 * DAY && contacts.len() < 4 {
            contacts.push(index as u8);
        }
    }
    let is_won = dice.chance(0.42);
    let total = dice.between(26 * DAY, 58 * DAY);
    let mut stages = vec![(created, 0)];
    let last = if is_won { 4 } else { dice.below(5) };
    for stage in 1..=last {
        let share = stage as f64 / 6.0 + (dice.share() - 0.5) * 0.1;
        stages.push((created + (total as f64 * share) as i64, stage));
    }
    stages.push((created + total, if is_won { WON } else { LOST }));
    stages.retain(|(at, _)| *at < end - HOUR);
    let title = ["Office refit", "Standing desks", "Task chairs", "New floor"][dice.below(4)];
    let name = match &unit.company {
        Some(company) => format!("{} - {title}", company.name),
        None => title.to_owned(),
    };
    let id = 31_000_000_000 + u64::from(unit.index) * 8 + number;
    let mut deal = Deal {
        id,
        name,
        contacts,
        amount,
        created_at: created,
        stages,
        order: None,
    };
    if let Some(won) = deal.won_at() {
        for contact in &deal.contacts {
            let stages = &mut unit.contacts[usize::from(*contact)].stages;
            if stages.iter().all(|(at, _)| *at < won) {
                stages.push((won + MINUTE, "customer"));
            }
        }
        let at = won + 30 * MINUTE;
        if dice.chance(0.4) && at < end - HOUR {
            let primary = usize::from(deal.contacts.first().copied().unwrap_or(0));
            let contact = &unit.contacts[primary];
            let person = usize::from(contact.person);
            let email = unit.people[person].email.clone();
            let mut order = super::commerce::enter(world, dice, market, person, email, at);
            order.deal = Some(unit.deals.len() as u8);
            deal.amount = order.gross - order.tax - order.shipping;
            deal.order = Some(unit.orders.len() as u8);
            unit.orders.push(order);
        }
    }
    for contact in &deal.contacts {
        let stages = &mut unit.contacts[usize::from(*contact)].stages;
        if stages.len() == 1 && stages[0].1 == "lead" && stages[0].0 < created {
            stages.push((created + MINUTE, "opportunity"));
        }
        stages.sort_unstable();
    }
    unit.deals.push(deal);
}

/// One person who became two contacts is found out and merged, most of the time.
pub(crate) fn merge_contacts(world: &World, dice: &mut Dice, unit: &mut Unit) {
    // A business person who also left a private address some time before.
    if unit.kind == UnitKind::Company {
        add_private_contacts(world, dice, unit);
    }
    keep_click_id(world, unit, dice);
    for person in 0..unit.people.len() {
        let own: Vec<usize> = (0..unit.contacts.len())
            .filter(|index| usize::from(unit.contacts[*index].person) == person)
            .collect();
        let [first, second, ..] = own[..] else {
            continue;
        };
        let later = unit.contacts[first]
            .created_at
            .max(unit.contacts[second].created_at);
        let at = later + HOUR + (dice.waiting(8.0) * DAY as f64) as i64;
        if dice.chance(0.75) && at < world.calendar.end() - HOUR {
            let (kept, gone) = (unit.contacts[first].id, unit.contacts[second].id);
            unit.contacts[second].merged = Some((at, kept));
            unit.contacts[first].absorbed = Some((at, gone));
        }
    }
}

fn add_private_contacts(world: &World, dice: &mut Dice, unit: &mut Unit) {
    for person in 0..unit.people.len() {
        let known = unit.contacts.iter().position(|contact| {
            usize::from(contact.person) == person && contact.email == unit.people[person].email
        });
        let (Some(known), Some(private)) = (known, unit.people[person].second_email.clone()) else {
            continue;
        };
        let at = unit.contacts[known].created_at + dice.between(DAY, 9 * DAY);
        if !dice.chance(0.6) || at >= world.calendar.end() - HOUR {
            continue;
        }
        let number = unit.contacts.len() as u64;
        let origin = unit.contacts[known].origin;
        unit.contacts.push(Contact {
            person: person as u8,
            id: 140_000_000_000 + u64::from(unit.index) * 16 + number,
            created_at: at,
            email: private,
            origin,
            client: None,
            cookie: None,
            gclid: None,
            user_id: None,
            stages: vec![(at, "subscriber")],
            merged: None,
            absorbed: None,
        });
    }
}
