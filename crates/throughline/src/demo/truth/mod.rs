//! What is true, written beside the sources: who is who, where visits came from, what was sold,
//! what was spent, and every defect that was planted.
//!
//! Readers of the sources are measured against these tables; nothing here is ever a source.

mod defects;
mod identifiers;

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use rayon::prelude::*;
use serde_json::json;

use super::GenerateReport;
use super::ads::{campaign_figures, report_days, synced_at};
use super::calendar::zulu;
use super::campaigns::slug;
use super::catalogue::cents;
use super::files::{self, Csv, Defect, fields};
use super::ga4::email_hash;
use super::model::{EventKind, Order, Origin, Session, Unit, UnitKind, Visibility};
use super::origins::{click_id, true_source};
use super::plan::{CHUNK, Plan};
use super::world::World;

/// The tables that are written unit by unit.
const TABLES: [(&str, &str); 6] = [
    (
        "people",
        "person_id,kind,unit,first_name,last_name,emails,email_sha256s,phone,user_id,devices,\
         hubspot_contact_ids,shopify_customer_id,company_id,refuses_consent",
    ),
    (
        "identifiers",
        "person_id,type,value,is_shared,evidence_group",
    ),
    (
        "sales",
        "sale_id,kind,person_id,company_id,at,currency,gross,tax,shipping,discount,net,\
         refunded,status,shopify_order_id,order_number,ga4_transaction_id,ga4_purchase_events,\
         hubspot_deal_id,device,session_id",
    ),
    (
        "refunds",
        "refund_id,sale_id,shopify_order_id,at,currency,amount,tax",
    ),
    (
        "touches",
        "person_id,device,session_id,at,source,medium,campaign,channel,platform,account_id,\
         campaign_id,ad_group_id,ad_id,click_id_type,click_id,visibility,event_count,is_bot",
    ),
    ("defects", Defect::HEADER),
];

type Texts = [Csv; TABLES.len()];

/// Counts of what is true.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) people: u64,
    pub(crate) sales: u64,
    pub(crate) refunds: u64,
    pub(crate) touches: u64,
    pub(crate) defects: u64,
}

/// Writes the tables that go unit by unit; `tell` hears how many units are done.
pub(crate) fn write_units(
    world: &World,
    plan: &Plan,
    out: &Path,
    mut file_defects: Vec<Defect>,
    tell: &(dyn Fn(u64) + Sync),
) -> anyhow::Result<Counts> {
    let mut writers = Vec::with_capacity(TABLES.len());
    for (name, header) in TABLES {
        let path = out.join(format!("truth/{name}.csv"));
        let mut file = files::create(&path)?;
        file.write_all(Csv::new(header).text().as_bytes())
            .with_context(|| format!("cannot write the file `{}`", path.display()))?;
        writers.push(file);
    }
    file_defects.sort();
    let mut counts = Counts {
        defects: file_defects.len() as u64,
        ..Counts::default()
    };
    for defect in &file_defects {
        let mut csv = Csv::bare();
        csv.row(defect.fields());
        writers[5]
            .write_all(csv.text().as_bytes())
            .context("cannot write `truth/defects.csv`")?;
    }
    let mut next = 0;
    while next < plan.units {
        let starts: Vec<u32> = (0..32u32)
            .map(|piece| next + piece * CHUNK)
            .filter(|start| *start < plan.units)
            .collect();
        next += 32 * CHUNK;
        let parts: Vec<(Texts, Counts)> = starts
            .into_par_iter()
            .map(|start| {
                let mut texts: Texts = std::array::from_fn(|_| Csv::bare());
                let mut counts = Counts::default();
                for index in start..(start + CHUNK).min(plan.units) {
                    let unit = super::units::build(world, index);
                    write_unit(world, plan, &unit, &mut texts, &mut counts);
                }
                (texts, counts)
            })
            .collect();
        for (texts, part) in parts {
            for (writer, text) in writers.iter_mut().zip(&texts) {
                writer
                    .write_all(text.text().as_bytes())
                    .context("cannot write into `truth`")?;
            }
            counts.people += part.people;
            counts.sales += part.sales;
            counts.refunds += part.refunds;
            counts.touches += part.touches;
            counts.defects += part.defects;
        }
        tell(u64::from(next.min(plan.units)));
    }
    for mut writer in writers {
        writer.flush().context("cannot write into `truth`")?;
    }
    Ok(counts)
}

fn write_unit(world: &World, plan: &Plan, unit: &Unit, texts: &mut Texts, counts: &mut Counts) {
    let [people, identifiers, sales, refunds, touches, defects] = texts;
    for person in 0..unit.people.len() {
        // Who never came, for the window ended first, is nobody.
        let came = unit
            .sessions
            .iter()
            .any(|session| usize::from(session.person) == person);
        if came {
            counts.people += 1;
            write_person(unit, person, people);
            identifiers::write(plan, unit, person, identifiers);
        }
    }
    for index in 0..unit.sessions.len() {
        counts.touches += 1;
        write_touch(world, unit, index, touches);
    }
    for (index, order) in unit.orders.iter().enumerate() {
        counts.sales += 1;
        write_order(plan, unit, (index, order), sales);
        if let Some(refund) = &order.refund {
            counts.refunds += 1;
            let id = plan.order_id(unit.index, index);
            refunds.row(fields! {
                super::shopify::refund_id(id), unit.order_sale_id(index), id, zulu(refund.at),
                unit.people[usize::from(order.person)].market().currency, cents(refund.amount),
                cents(refund.tax),
            });
        }
    }
    for (index, deal) in unit.deals.iter().enumerate() {
        if let (Some(at), None) = (deal.won_at(), deal.order) {
            counts.sales += 1;
            let primary = deal.contacts.first().map_or(0, |contact| {
                usize::from(unit.contacts[usize::from(*contact)].person)
            });
            let amount = cents(deal.amount);
            sales.row(fields! {
                unit.deal_sale_id(index), "b2b", unit.person_id(primary), company_id(unit),
                zulu(at), unit.people[primary].market().currency, amount, "0.00", "0.00", "0.00",
                amount, "0.00", "valid", "", "", "", 0, deal.id, "", "",
            });
        }
    }
    let before = defects.lines();
    defects::write(world, plan, unit, defects);
    counts.defects += (defects.lines() - before) as u64;
}

fn company_id(unit: &Unit) -> String {
    unit.company
        .as_ref()
        .map_or(String::new(), |company| company.id.to_string())
}

/// E-mail addresses under which a person appears, normalised.
fn emails_of(unit: &Unit, person: usize) -> Vec<String> {
    let own = &unit.people[person];
    let mut all = vec![own.email.clone()];
    all.extend(own.second_email.clone());
    all
}

fn write_person(unit: &Unit, person: usize, csv: &mut Csv) {
    let own = &unit.people[person];
    let kind = match unit.kind {
        UnitKind::Bot => "bot",
        UnitKind::Company => "business",
        UnitKind::Single | UnitKind::Family => "consumer",
    };
    let emails = emails_of(unit, person);
    let hashes: Vec<String> = emails.iter().map(|email| email_hash(email)).collect();
    let mut devices: Vec<&str> = Vec::new();
    for session in &unit.sessions {
        let client = unit.devices[usize::from(session.device)].client.as_str();
        if usize::from(session.person) == person && !devices.contains(&client) {
            devices.push(client);
        }
    }
    let contacts: Vec<String> = unit
        .contacts
        .iter()
        .filter(|contact| usize::from(contact.person) == person)
        .map(|contact| contact.id.to_string())
        .collect();
    let buys = unit
        .orders
        .iter()
        .any(|order| usize::from(order.person) == person);
    csv.row(fields! {
        unit.person_id(person), kind, unit.index, own.first, own.last, emails.join(";"),
        hashes.join(";"), own.phone,
        own.registered_at.map_or(String::new(), |_| unit.user_id(person)), devices.join(";"),
        contacts.join(";"),
        if buys { unit.customer_id(person).to_string() } else { String::new() },
        company_id(unit), own.refuses,
    });
}

fn visibility(session: &Session) -> &'static str {
    match session.visibility {
        Visibility::Seen => "seen",
        Visibility::Cookieless => "cookieless",
        Visibility::Hidden => "hidden",
    }
}

fn write_touch(world: &World, unit: &Unit, index: usize, csv: &mut Csv) {
    let session = &unit.sessions[index];
    let truth = true_source(world, session.origin, session.start);
    let mut ad_ids = fields! { "", "", "", "", "" };
    if let Origin::Ad(ad) = session.origin {
        let ad = &world.ads.ads[usize::from(ad)];
        let campaign = world.ads.campaign_of(ad);
        let group = ad.group.map_or("", |group| &world.ads.groups[group].id);
        let account = &world.ads.account_of(ad).id;
        ad_ids = fields! { campaign.platform.name(), account, campaign.id, group, ad.id };
    }
    let click = click_id(world, unit, index);
    let (click_type, click) = click.map_or(("", String::new()), |(name, value)| (name, value));
    let device = &unit.devices[usize::from(session.device)].client;
    let mut row = fields! {
        unit.person_id(usize::from(session.person)), device, session.id(), zulu(session.start),
        truth.source, truth.medium, truth.campaign.unwrap_or_default(), truth.channel,
    }
    .to_vec();
    row.extend(ad_ids);
    row.extend(fields! {
        click_type, click, visibility(session), session.events.len(), unit.kind == UnitKind::Bot,
    });
    csv.row(row);
}

fn write_order(plan: &Plan, unit: &Unit, (index, order): (usize, &Order), csv: &mut Csv) {
    let market = unit.people[usize::from(order.person)].market();
    let session = order
        .session
        .map(|session| &unit.sessions[usize::from(session)]);
    let number = plan.order_number(unit.index, index);
    let seen = session.filter(|session| session.visibility != Visibility::Hidden);
    let purchases = seen.map_or(0, |session| {
        let is_own = |kind: &EventKind| {
            matches!(kind, EventKind::Purchase(order, _) if usize::from(*order) == index)
        };
        session.events.iter().filter(|event| is_own(&event.kind)).count()
    });
    let status = match (order.is_test, order.cancelled_at) {
        (true, _) => "test",
        (false, Some(_)) => "cancelled",
        (false, None) => "valid",
    };
    let deal = order
        .deal
        .and_then(|deal| unit.deals.get(usize::from(deal)));
    let cookie = session.filter(|session| session.visibility == Visibility::Seen);
    csv.row(fields! {
        unit.order_sale_id(index),
        if order.deal.is_some() { "b2b_shop" } else { "b2c" },
        unit.person_id(usize::from(order.person)),
        company_id(unit),
        zulu(order.placed_at),
        market.currency,
        cents(order.gross),
        cents(order.tax),
        cents(order.shipping),
        cents(order.discount),
        cents(order.gross - order.tax - order.shipping),
        cents(order.refund.as_ref().map_or(0, |refund| refund.amount)),
        status,
        plan.order_id(unit.index, index),
        number,
        if purchases > 0 { number.to_string() } else { String::new() },
        purchases,
        deal.map_or(String::new(), |deal| deal.id.to_string()),
        cookie.map_or("", |session| &unit.devices[usize::from(session.device)].client),
        cookie.map_or(String::new(), |session| session.id().to_string()),
    });
}

/// Writes spend by campaign and day: every version that was delivered, the last one marked.
pub(crate) fn write_spend(world: &World, plan: &Plan, out: &Path) -> anyhow::Result<()> {
    let mut csv = Csv::new(
        "platform,account_id,campaign_id,day,currency,spend,impressions,clicks,reported_at,\
         is_final",
    );
    let days = world.calendar.days;
    let mut deliveries: Vec<Vec<(usize, usize)>> = vec![vec![]; days];
    for (index, campaign) in world.ads.campaigns.iter().enumerate() {
        let account = &world.ads.accounts[campaign.account];
        deliveries.iter_mut().for_each(Vec::clear);
        for delivery in 0..days {
            for (day, age) in report_days(world, delivery, campaign.account) {
                deliveries[day].push((delivery, age));
            }
        }
        for (day, versions) in deliveries.iter().enumerate() {
            for (position, (delivery, age)) in versions.iter().enumerate() {
                let sum = campaign_figures(world, plan, index, day, *age);
                csv.row(fields! {
                    account.platform.name(), account.id, campaign.id, world.calendar.day(day),
                    account.currency, cents(sum.spend), sum.impressions, sum.clicks,
                    zulu(synced_at(world, *delivery)), position + 1 == versions.len(),
                });
            }
        }
    }
    files::write(&out.join("truth/spend.csv"), csv.text())
}

/// Writes the campaigns with each of their names.
pub(crate) fn write_campaigns(world: &World, out: &Path) -> anyhow::Result<()> {
    let mut csv = Csv::new(
        "platform,account_id,account_currency,account_zone,campaign_id,campaign_name,\
         utm_campaign,valid_from,valid_to",
    );
    for campaign in &world.ads.campaigns {
        let account = &world.ads.accounts[campaign.account];
        let mut row = |name: &str, from: String, to: String| {
            csv.row(fields! {
                account.platform.name(), account.id, account.currency,
                super::calendar::ZONES[account.zone].name(), campaign.id, name, slug(name), from,
                to,
            });
        };
        match campaign.renamed {
            Some((at, later)) => {
                row(campaign.name, String::new(), zulu(at));
                row(later, zulu(at), String::new());
            }
            None => row(campaign.name, String::new(), String::new()),
        }
    }
    files::write(&out.join("truth/campaigns.csv"), csv.text())
}

/// Writes the counts.
pub(crate) fn write_summary(
    world: &World,
    report: &GenerateReport,
    out: &Path,
) -> anyhow::Result<()> {
    let summary = json!({
        "seed": world.seed,
        "first_day": world.calendar.day(0).to_string(),
        "last_day": world.calendar.day(world.calendar.days - 1).to_string(),
        "days": world.calendar.days,
        "event_lines": report.events,
        "sessions": report.sessions,
        "people": report.people,
        "sales": report.sales,
        "orders": report.orders,
        "order_lines": report.order_lines,
        "refunds": report.refunds,
        "defects": report.defects,
    });
    let text = serde_json::to_string_pretty(&summary).context("cannot write the summary")?;
    files::write(&out.join("truth/summary.json"), &(text + "\n"))
}
