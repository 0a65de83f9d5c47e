//! Every identifier of a person, and which of them some record ties together.
//!
//! `evidence_group` says what can be known: two identifiers of a person with the same group are
//! linked by records in the files (an order with an e-mail and a cookie, a log-in on a device that
//! nobody shares).
//! Identifiers of one person in different groups cannot be brought together by anybody.

use crate::demo::commerce::BLOCKED_EMAIL;
use crate::demo::files::{Csv, fields};
use crate::demo::ga4::email_hash;
use crate::demo::model::{Device, EventKind, Unit, Visibility};
use crate::demo::plan::Plan;

/// Identifiers of a person and the records that tie them.
struct Evidence {
    nodes: Vec<(&'static str, String, bool)>,
    parents: Vec<usize>,
}

impl Evidence {
    fn node(&mut self, kind: &'static str, value: String) -> usize {
        let known = self
            .nodes
            .iter()
            .position(|(other, text, _)| *other == kind && *text == value);
        known.unwrap_or_else(|| {
            self.nodes.push((kind, value, false));
            self.parents.push(self.parents.len());
            self.parents.len() - 1
        })
    }

    fn root(&self, mut node: usize) -> usize {
        while self.parents[node] != node {
            node = self.parents[node];
        }
        node
    }

    /// Links a record to a device, unless two people share it.
    fn link_device(&mut self, unit: &Unit, node: usize, client: &str) {
        let is_shared = |machine: &&Device| machine.client == client && machine.is_shared;
        let device = self.node("device", client.to_owned());
        if !unit.devices.iter().any(|machine| is_shared(&machine)) {
            self.link(node, device);
        }
    }

    fn link(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

/// Writes the identifiers of a person.
pub(super) fn write(plan: &Plan, unit: &Unit, person: usize, csv: &mut Csv) {
    let mut evidence = Evidence {
        nodes: vec![],
        parents: vec![],
    };
    add_sessions(plan, unit, person, &mut evidence);
    add_orders(plan, unit, person, &mut evidence);
    add_contacts(unit, person, &mut evidence);
    let name = unit.person_id(person);
    for (index, (kind, value, is_shared)) in evidence.nodes.iter().enumerate() {
        let group = format!("{name}-{}", evidence.root(index));
        csv.row(fields![name, kind, value, is_shared, group]);
    }
}

fn add_sessions(plan: &Plan, unit: &Unit, person: usize, evidence: &mut Evidence) {
    for session in &unit.sessions {
        if usize::from(session.person) != person || session.visibility != Visibility::Seen {
            continue;
        }
        let machine = &unit.devices[usize::from(session.device)];
        let device = evidence.node("device", machine.client.clone());
        evidence.nodes[device].2 = machine.is_shared;
        let is_logged_in = session.user_from.is_some() && session.false_user.is_none();
        let user = is_logged_in.then(|| evidence.node("user", unit.user_id(person)));
        // A device that two people share ties nothing; what stands on one event still does.
        let Some(device) = (if machine.is_shared {
            user
        } else {
            Some(device)
        }) else {
            continue;
        };
        if let Some(user) = user {
            evidence.link(device, user);
        }
        for event in &session.events {
            match event.kind {
                EventKind::Purchase(order, _) => {
                    let number = plan
                        .order_number(unit.index, usize::from(order))
                        .to_string();
                    let order = evidence.node("order_number", number);
                    evidence.link(device, order);
                }
                // The same part of the forms as in the event files carries the hash.
                EventKind::GenerateLead(contact) if session.start % 10 != 6 => {
                    let email = &unit.contacts[usize::from(contact)].email;
                    let email = evidence.node("email_sha256", email_hash(email));
                    evidence.link(device, email);
                }
                EventKind::SignUp if session.start % 10 < 4 => {
                    let email = email_hash(&unit.people[person].email);
                    let email = evidence.node("email_sha256", email);
                    evidence.link(device, email);
                }
                _ => {}
            }
        }
    }
}

fn add_orders(plan: &Plan, unit: &Unit, person: usize, evidence: &mut Evidence) {
    for (index, order) in unit.orders.iter().enumerate() {
        if usize::from(order.person) != person {
            continue;
        }
        let number = plan.order_number(unit.index, index).to_string();
        let node = evidence.node("order_number", number);
        let buyer = evidence.node("shopify_customer", unit.customer_id(person).to_string());
        evidence.link(node, buyer);
        let phone = evidence.node("phone", unit.people[person].phone.clone());
        evidence.link(buyer, phone);
        if order.email != BLOCKED_EMAIL {
            let email = evidence.node("email_sha256", email_hash(&order.email));
            evidence.link(node, email);
        }
        let Some(session) = order.session.filter(|_| order.keeps_client) else {
            continue;
        };
        let session = &unit.sessions[usize::from(session)];
        evidence.link_device(
            unit,
            node,
            &unit.devices[usize::from(session.device)].client,
        );
        if session.user_from.is_some() && session.false_user.is_none() {
            let user = evidence.node("user", unit.user_id(person));
            evidence.link(node, user);
        }
    }
}

fn add_contacts(unit: &Unit, person: usize, evidence: &mut Evidence) {
    for contact in &unit.contacts {
        if usize::from(contact.person) != person {
            continue;
        }
        let node = evidence.node("hubspot_contact", contact.id.to_string());
        let phone = evidence.node("phone", unit.people[person].phone.clone());
        evidence.link(node, phone);
        if contact.email != BLOCKED_EMAIL {
            let email = evidence.node("email_sha256", email_hash(&contact.email));
            evidence.link(node, email);
        }
        if let Some(client) = &contact.client {
            evidence.link_device(unit, node, client);
        }
        if let Some(user) = &contact.user_id {
            let user = evidence.node("user", user.clone());
            evidence.link(node, user);
        }
        if let Some((_, kept)) = contact.merged {
            let kept = evidence.node("hubspot_contact", kept.to_string());
            evidence.link(node, kept);
        }
    }
}
