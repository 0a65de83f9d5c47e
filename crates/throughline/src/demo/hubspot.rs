//! The CRM as the Fivetran connector for HubSpot delivers it: once a week what is new or changed.
//!
//! A row is the state at the delivery. Contacts carry the custom properties by which a site and a
//! CRM are usually tied: the cookie, HubSpot's own cookie, the click id, the site's user id.

use std::path::Path;

use super::calendar::{HOUR, plain};
use super::catalogue::cents;
use super::company::{STAGES, WON};
use super::files::{self, Csv, Defect, fields};
use super::model::{Contact, Deal, Origin, Unit};
use super::origins::true_source;
use super::plan::{Plan, WEEK};
use super::random::{Purpose, share};
use super::world::{JOB_TITLES, OWNERS, PORTAL_ID, World};

const PIPELINE: &str = "default";
/// The tables that change from week to week, with their columns.
const TABLES: [(&str, &str); 8] = [
    (
        "contact",
        "_fivetran_deleted,_fivetran_synced,id,property_email,property_company,\
         property_firstname,property_lastname,property_phone,property_createdate,\
         property_jobtitle,property_lifecyclestage,property_hs_analytics_source,\
         property_hs_analytics_source_data_1,property_country,property_state,property_city,\
         property_hs_language,property_hubspot_owner_id,property_associatedcompanyid,\
         property_hs_merged_object_ids,property_ga_client_id,property_hubspotutk,\
         property_gclid,property_site_user_id,property_lastmodifieddate",
    ),
    (
        "contact_property_history",
        "contact_id,timestamp,_fivetran_synced,source,name,value,source_id",
    ),
    (
        "contact_merge_audit",
        "canonical_vid,contact_id,vid_to_merge,_fivetran_synced,entity_id,first_name,last_name,\
         num_properties_moved,timestamp,user_id",
    ),
    (
        "company",
        "id,is_deleted,_fivetran_synced,property_name,property_domain,property_createdate,\
         property_industry,property_city,property_state,property_country,\
         property_annualrevenue,property_numberofemployees,property_hubspot_owner_id",
    ),
    (
        "deal",
        "deal_id,is_deleted,_fivetran_synced,deal_pipeline_id,deal_pipeline_stage_id,owner_id,\
         portal_id,property_dealname,property_description,property_amount,\
         property_deal_currency_code,property_closedate,property_createdate,\
         property_hs_is_closed,property_hs_is_closed_won,property_hs_analytics_source,\
         property_order_number",
    ),
    (
        "deal_stage",
        "_fivetran_start,deal_id,_fivetran_active,_fivetran_end,_fivetran_synced,date_entered,\
         source,source_id,value",
    ),
    (
        "deal_contact",
        "contact_id,deal_id,_fivetran_synced,type_id,category",
    ),
    (
        "deal_company",
        "company_id,deal_id,_fivetran_synced,type_id,category",
    ),
];

/// When something of a unit changed in the CRM.
pub(crate) fn changes(unit: &Unit) -> Vec<i64> {
    let mut all: Vec<i64> = unit.contacts.iter().flat_map(contact_changes).collect();
    if !unit.contacts.is_empty() {
        all.extend(unit.company.iter().map(|company| company.created_at));
    }
    for deal in &unit.deals {
        all.extend(deal.stages.iter().map(|(at, _)| *at));
        all.extend(
            deal.contacts
                .iter()
                .map(|contact| linked_at(unit, deal, *contact)),
        );
    }
    all
}

fn contact_changes(contact: &Contact) -> Vec<i64> {
    let mut all: Vec<i64> = contact.stages.iter().map(|(at, _)| *at).collect();
    all.extend(contact.merged.map(|(at, _)| at));
    all.extend(contact.absorbed.map(|(at, _)| at));
    all
}

fn linked_at(unit: &Unit, deal: &Deal, contact: u8) -> i64 {
    deal.created_at
        .max(unit.contacts[usize::from(contact)].created_at)
}

/// HubSpot's name of an origin.
fn analytics_source(world: &World, origin: Origin, at: i64) -> (&'static str, String) {
    let truth = true_source(world, origin, at);
    let name = match truth.channel {
        "Direct" => "DIRECT_TRAFFIC",
        "Organic Search" => "ORGANIC_SEARCH",
        "Paid Search" | "Cross-network" => "PAID_SEARCH",
        "Paid Social" => "PAID_SOCIAL",
        "Organic Social" => "SOCIAL_MEDIA",
        "Email" => "EMAIL_MARKETING",
        "Affiliates" | "AI Assistant" => "OTHER_CAMPAIGNS",
        _ => "REFERRALS",
    };
    (name, truth.campaign.unwrap_or(truth.source))
}

struct Week {
    begin: i64,
    end: i64,
    synced: String,
    tables: Vec<Csv>,
}

impl Week {
    fn holds(&self, at: i64) -> bool {
        // The last week also takes what happens within the night after the window.
        (self.begin..self.end).contains(&at)
    }

    fn row<I>(&mut self, table: &str, row: I) -> usize
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        match TABLES.iter().position(|(name, _)| *name == table) {
            Some(index) => self.tables[index].row(row),
            None => 0,
        }
    }
}

/// Day in the name of a week's files.
pub(crate) fn delivery_date(world: &World, week: usize) -> String {
    world
        .calendar
        .day(((week + 1) * WEEK).min(world.calendar.days))
        .to_string()
}

/// Path of a table's file of a week.
pub(crate) fn file_name(world: &World, table: &str, week: usize) -> String {
    format!("hubspot/{table}/{table}_{}.csv", delivery_date(world, week))
}

/// Writes the files of a week; gives what was planted in them.
pub(crate) fn write_week(
    world: &World,
    plan: &Plan,
    out: &Path,
    number: usize,
) -> anyhow::Result<Vec<Defect>> {
    let last = ((number + 1) * WEEK).min(world.calendar.days);
    let end = world.calendar.start(last);
    let is_last = last == world.calendar.days;
    let mut week = Week {
        begin: world.calendar.start(number * WEEK),
        end: if is_last { i64::MAX } else { end },
        synced: plain(end + 4 * HOUR),
        tables: TABLES.iter().map(|(_, header)| Csv::new(header)).collect(),
    };
    for index in &plan.crm_weeks[number] {
        let unit = super::units::build(world, *index);
        for contact in 0..unit.contacts.len() {
            write_contact(world, &unit, contact, &mut week);
        }
        write_company(&unit, &mut week);
        for deal in 0..unit.deals.len() {
            write_deal(world, plan, &unit, deal, &mut week);
        }
    }
    let defects = plant(world, number, &mut week);
    for ((table, _), csv) in TABLES.iter().zip(&week.tables) {
        if csv.lines() > 1 || number == 0 {
            files::write(&out.join(file_name(world, table, number)), csv.text())?;
        }
    }
    if number == 0 {
        write_standing(world, out, &week.synced)?;
    }
    Ok(defects)
}

fn plant(world: &World, number: usize, week: &mut Week) -> Vec<Defect> {
    let draw = |what: u64| {
        share(
            world.seed,
            &[Purpose::Defect as u64, 700 + what, number as u64],
        )
    };
    let mut defects = Vec::new();
    let synced = week.synced.clone();
    if number == 1 || draw(1) < 0.15 {
        let mut row = vec![String::new(); TABLES[0].1.split(',').count()];
        row[0] = "false".to_owned();
        row[1].clone_from(&synced);
        row[3] = "nobody@mail.example".to_owned();
        let line = week.row("contact", row);
        defects.push(Defect {
            kind: "missing_id",
            file: file_name(world, "contact", number),
            place: line.to_string(),
            what: "id is empty".to_owned(),
            expected: "quarantined with a reason",
        });
    }
    if number == 2 || draw(2) < 0.1 {
        let id = (31_999_000_000 + number as u64).to_string();
        let created = plain(world.calendar.start(number * WEEK) + 9 * HOUR);
        let line = week.row("deal", fields! {
            id, "false", synced, PIPELINE, STAGES[0].0, OWNERS[0].0, PORTAL_ID, "Entered by hand",
            "", "to be discussed", "EUR", "", created, "false", "false", "OFFLINE", "",
        });
        defects.push(Defect {
            kind: "text_in_number",
            file: file_name(world, "deal", number),
            place: line.to_string(),
            what: "property_amount is `to be discussed`".to_owned(),
            expected: "quarantined with a reason",
        });
    }
    defects
}

fn write_contact(world: &World, unit: &Unit, index: usize, week: &mut Week) {
    let contact = &unit.contacts[index];
    if !contact_changes(contact)
        .into_iter()
        .any(|at| week.holds(at))
    {
        return;
    }
    let person = &unit.people[usize::from(contact.person)];
    let (city, region, _, _) = person.city();
    let so_far = |at: i64| at < week.end;
    let stages = contact.stages.iter().filter(|(at, _)| so_far(*at));
    let stage = stages
        .clone()
        .next_back()
        .map_or("subscriber", |(_, stage)| stage);
    let changed = contact_changes(contact)
        .into_iter()
        .filter(|at| so_far(*at))
        .max();
    let (source, detail) = analytics_source(world, contact.origin, contact.created_at);
    let merged = contact.merged.filter(|(at, _)| so_far(*at));
    let absorbed = contact.absorbed.filter(|(at, _)| so_far(*at));
    let company = unit.company.as_ref();
    let title = company.map_or("", |_| JOB_TITLES[(contact.id % 10) as usize]);
    let row = fields! {
        merged.is_some(), week.synced, contact.id, contact.email,
        company.map_or("", |company| &company.name), person.first, person.last, person.phone,
        plain(contact.created_at), title, stage, source, detail, person.market().country, region,
        city, &person.market().language[..2],
        company.map_or(String::new(), |company| OWNERS[company.owner].0.to_string()),
        company.map_or(String::new(), |company| company.id.to_string()),
        absorbed.map_or(String::new(), |(_, id)| id.to_string()),
        contact.client.as_deref().unwrap_or_default(),
        contact.cookie.as_deref().unwrap_or_default(),
        contact.gclid.as_deref().unwrap_or_default(),
        contact.user_id.as_deref().unwrap_or_default(),
        plain(changed.unwrap_or(contact.created_at)),
    };
    week.row("contact", row);
    for (number, (at, stage)) in contact.stages.iter().enumerate() {
        if week.holds(*at) {
            let source = if number == 0 { "FORM" } else { "CRM_UI" };
            if number == 0 {
                let row = fields! {
                    contact.id, plain(*at), week.synced, source, "email", contact.email, ""
                };
                week.row("contact_property_history", row);
            }
            let row = fields! {
                contact.id, plain(*at), week.synced, source, "lifecyclestage", stage, ""
            };
            week.row("contact_property_history", row);
        }
    }
    if let Some((at, gone)) = contact.absorbed
        && week.holds(at)
    {
        let row = fields! {
            contact.id, contact.id, gone, week.synced, "auth", person.first, person.last, 3,
            plain(at), OWNERS[0].0,
        };
        week.row("contact_merge_audit", row);
    }
}

fn write_company(unit: &Unit, week: &mut Week) {
    let Some(company) = &unit.company else { return };
    if unit.contacts.is_empty() || !week.holds(company.created_at) {
        return;
    }
    let person = &unit.people[0];
    let (city, region, _, _) = person.city();
    let row = fields! {
        company.id, "false", week.synced, company.name, company.domain, plain(company.created_at),
        company.industry, city, region, person.market().country, company.employees * 140_000,
        company.employees, OWNERS[company.owner].0,
    };
    week.row("company", row);
}

fn write_deal(world: &World, plan: &Plan, unit: &Unit, index: usize, week: &mut Week) {
    let deal = &unit.deals[index];
    let owner = unit
        .company
        .as_ref()
        .map_or(OWNERS[0].0, |company| OWNERS[company.owner].0);
    for contact in &deal.contacts {
        if week.holds(linked_at(unit, deal, *contact)) {
            let id = unit.contacts[usize::from(*contact)].id;
            let kind = if deal.contacts.first() == Some(contact) {
                3
            } else {
                4
            };
            week.row(
                "deal_contact",
                fields! { id, deal.id, week.synced, kind, "HUBSPOT_DEFINED" },
            );
        }
    }
    if let Some(company) = &unit.company
        && week.holds(deal.created_at)
    {
        week.row(
            "deal_company",
            fields! { company.id, deal.id, week.synced, 5, "HUBSPOT_DEFINED" },
        );
    }
    if !deal.stages.iter().any(|(at, _)| week.holds(*at)) {
        return;
    }
    let known: Vec<&(i64, usize)> = deal
        .stages
        .iter()
        .filter(|(at, _)| *at < week.end)
        .collect();
    let (since, stage) = known.last().map_or((deal.created_at, 0), |last| **last);
    let is_closed = stage >= WON;
    let source = deal
        .contacts
        .first()
        .map(|contact| &unit.contacts[usize::from(*contact)])
        .map_or("OFFLINE", |contact| {
            analytics_source(world, contact.origin, since).0
        });
    let order = deal.order.filter(|_| is_closed);
    let number = order.map(|order| {
        plan.order_number(unit.index, usize::from(order))
            .to_string()
    });
    let row = fields! {
        deal.id, "false", week.synced, PIPELINE, STAGES[stage].0, owner, PORTAL_ID, deal.name, "",
        cents(deal.amount), unit.people[0].market().currency,
        if is_closed { plain(since) } else { String::new() }, plain(deal.created_at), is_closed,
        stage == WON, source, number.unwrap_or_default(),
    };
    week.row("deal", row);
    write_deal_stages(deal, owner, week);
}

/// The stages that a deal entered or left within the week.
fn write_deal_stages(deal: &Deal, owner: u64, week: &mut Week) {
    for (position, (at, stage)) in deal.stages.iter().enumerate() {
        let until = deal.stages.get(position + 1).map(|(at, _)| *at);
        if !week.holds(*at) && !until.is_some_and(|until| week.holds(until)) {
            continue;
        }
        let until = until.filter(|until| *until < week.end);
        let ended = until.map_or_else(|| "9999-12-31 23:59:59.000".to_owned(), plain);
        let row = fields! {
            plain(*at), deal.id, until.is_none(), ended, week.synced, plain(*at), "CRM_UI",
            owner, STAGES[*stage].0,
        };
        week.row("deal_stage", row);
    }
}

/// What stands fast: pipelines, their stages, owners.
fn write_standing(world: &World, out: &Path, synced: &str) -> anyhow::Result<()> {
    let created = "2024-01-15 08:00:00.000";
    let write =
        |table: &str, csv: &Csv| files::write(&out.join(file_name(world, table, 0)), csv.text());
    let mut pipelines = Csv::new(
        "pipeline_id,_fivetran_deleted,_fivetran_synced,active,display_order,label,created_at,\
         updated_at",
    );
    pipelines.row(fields! {
        PIPELINE, "false", synced, "true", 0, "Sales pipeline", created, created
    });
    write("deal_pipeline", &pipelines)?;
    let mut stages = Csv::new(
        "_fivetran_deleted,_fivetran_synced,active,closed_won,is_closed,display_order,\
         probability,stage_id,label,pipeline_id,created_at,updated_at",
    );
    for (index, (id, label, probability)) in STAGES.iter().enumerate() {
        stages.row(fields! {
            "false", synced, "true", index == WON, index >= WON, index, probability, id, label,
            PIPELINE, created, created,
        });
    }
    write("deal_pipeline_stage", &stages)?;
    let mut owners = Csv::new(
        "owner_id,_fivetran_synced,created_at,portal_id,type,updated_at,email,first_name,\
         last_name,active_user_id",
    );
    for (id, first, last) in OWNERS {
        let email = format!(
            "{}.{}@larkfield.example",
            first.to_lowercase(),
            last.to_lowercase()
        );
        owners.row(fields! {
            id, synced, created, PORTAL_ID, "PERSON", created, email, first, last, id
        });
    }
    write("owner", &owners)
}
