//! Our side: what the queries beside this file make of the warehouse, as atoms.

use std::collections::BTreeMap;

use anyhow::Context as _;
use arrow_array::{Array as _, Int64Array, RecordBatch, StringArray};
use chrono::{Datelike as _, NaiveDate};

use super::amount::Amount;
use super::waterfall::{Atom, Cause, Day, Side};
use super::words::{Dimension, Subject};
use crate::project::Opened;

/// What the queries ask for.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) subject: Subject,
    /// The ad platform; empty for all.
    pub(super) platform: String,
    pub(super) dimensions: Vec<Dimension>,
    pub(super) by_campaign_id: bool,
    pub(super) measures: Vec<&'static str>,
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    /// Their zone and ours.
    pub(super) zone: String,
    pub(super) reporting_zone: String,
    /// Whether an ad platform's days are those of its accounts.
    pub(super) zone_is_accounts: bool,
    /// Zones of the ad accounts, where each has its own days.
    pub(super) account_zones: Vec<String>,
    /// The currency that is compared; empty if each row has its own.
    pub(super) currency: String,
    pub(super) reporting_currency: String,
    /// Our attribution model, their window in days, and the conversions that are compared.
    pub(super) model: String,
    pub(super) window_days: u32,
    pub(super) types: String,
    /// The platform's name of the action that its conversions are; empty for its usual sale.
    pub(super) action: String,
}

/// Atoms, with the names of what they are about.
#[derive(Debug, Default)]
pub(super) struct Ours {
    pub(super) atoms: Vec<Atom>,
    /// Amounts that are left out because no rate is known for their day.
    pub(super) without_rate: i64,
}

/// Keys of rows: each list of names has one number.
#[derive(Debug, Default)]
pub(super) struct Keys {
    numbers: BTreeMap<Vec<String>, usize>,
    names: Vec<Vec<String>>,
}

impl Keys {
    /// The number of a list of names; case and spaces make no difference.
    pub(super) fn number(&mut self, names: &[String]) -> usize {
        let same: Vec<String> = names.iter().map(|name| plain_name(name)).collect();
        let next = self.names.len();
        let number = *self.numbers.entry(same).or_insert(next);
        if number == next {
            self.names.push(names.to_vec());
        }
        number
    }

    pub(super) fn names(&self, number: usize) -> &[String] {
        &self.names[number]
    }
}

/// A name without what varies between systems. What only says that there is none is none.
pub(super) fn plain_name(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let plain = words.join(" ").to_lowercase();
    match plain.as_str() {
        "(direct)" | "(none)" | "(not set)" | "(organic)" | "(referral)" | "--" => String::new(),
        _ => plain,
    }
}

/// The queries, each with the measures that it answers.
const QUERIES: [(Subject, &str, &[&str]); 7] = [
    (
        Subject::Ads,
        include_str!("ads.sql"),
        &[
            "spend",
            "clicks",
            "impressions",
            "platform_conversions",
            "platform_conversion_value",
        ],
    ),
    (
        Subject::Ads,
        include_str!("actions.sql"),
        &["platform_conversions", "platform_conversion_value"],
    ),
    (
        Subject::Ads,
        include_str!("conversions.sql"),
        &["conversions", "conversion_value"],
    ),
    (
        Subject::Shop,
        include_str!("shop.sql"),
        Subject::Shop.measures(),
    ),
    (
        Subject::Web,
        include_str!("sessions.sql"),
        &["sessions", "users"],
    ),
    (Subject::Web, include_str!("events.sql"), &["events"]),
    (
        Subject::Web,
        include_str!("purchases.sql"),
        &["purchases", "revenue"],
    ),
];

/// Asks the warehouse; `measures` are numbered as they stand in the question.
pub(super) async fn ask(
    opened: &Opened,
    question: &Question,
    keys: &mut Keys,
) -> anyhow::Result<Ours> {
    let mut ours = Ours::default();
    for (subject, template, answers) in QUERIES {
        let wanted = answers.iter().any(|one| question.measures.contains(one));
        if subject != question.subject || !wanted {
            continue;
        }
        let staged = match template.contains("$staged") {
            true => staged_events(opened, question).await?,
            false => String::new(),
        };
        let template = template
            .replace("$session", include_str!("session.sql").trim_end())
            .replace("$staged", &staged);
        let sql = question.sql(&question.with_local_days(&template));
        let frame = opened.warehouse.query(&sql).await.with_context(
            || "the warehouse has not what is compared\nhint: build it with `throughline run`",
        )?;
        for batch in frame.collect().await.map_err(lake::LakeError::of_reading)? {
            atoms(&batch, question, keys, &mut ours)?;
        }
    }
    Ok(ours)
}

/// Every delivery of every web event, duplicates among them.
async fn staged_events(opened: &Opened, question: &Question) -> anyhow::Result<String> {
    let tables = texts(
        opened,
        "select table_name from information_schema.tables where table_schema = 'staged'",
    )
    .await?;
    let mut all = vec!["select '' as source_name, '' as event_id where false".to_owned()];
    for model in opened.manifest.models_of_entity("web_event") {
        if tables.iter().flatten().any(|name| name == model.name()) {
            all.push(format!(
                "select source_name, event_id from staged.{} where event_date between \
                 date '{}' - interval '2 days' and date '{}' + interval '2 days'",
                model.name(),
                question.from,
                question.to
            ));
        }
    }
    Ok(all.join(" union all "))
}

impl Question {
    fn has(&self, dimension: Dimension) -> bool {
        self.dimensions.contains(&dimension)
    }

    /// A query in which `$local_day(instant)` is the day in their zone: that of the row's account,
    /// where each has its own.
    fn with_local_days(&self, template: &str) -> String {
        let mut parts = template.split("$local_day(");
        let mut sql = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (instant, rest) = part.split_once(')').unwrap_or((part, ""));
            if self.account_zones.is_empty() {
                sql.push_str(&format!("local_date({instant}, '$zone'){rest}"));
                continue;
            }
            sql.push_str("case account_zone");
            for zone in &self.account_zones {
                let zone = zone.replace('\'', "''");
                sql.push_str(&format!(
                    " when '{zone}' then local_date({instant}, '{zone}')"
                ));
            }
            sql.push_str(&format!(" else local_date({instant}, '$zone') end{rest}"));
        }
        sql
    }

    /// A query with this question's names and values.
    fn filled_in(&self, template: &str) -> String {
        let users: Vec<&str> = Dimension::ALL
            .into_iter()
            .filter(|one| self.subject.dimensions().contains(one) && self.has(*one))
            .map(Dimension::name)
            .collect();
        let user_key: Vec<String> = [
            Dimension::Campaign,
            Dimension::Channel,
            Dimension::Source,
            Dimension::Medium,
        ]
        .into_iter()
        .map(|one| match self.has(one) {
            true => one.name().to_owned(),
            false => format!("cast(null as text) as {}", one.name()),
        })
        .collect();
        let mut user_group = users.join(", ");
        if users.is_empty() {
            "'all'".clone_into(&mut user_group);
        }
        let (from, to) = (self.from.to_string(), self.to.to_string());
        let campaign_by = if self.by_campaign_id { "id" } else { "name" };
        let window = self.window_days.to_string();
        // Longer names first: one may begin with another.
        let mut inner = template.to_owned();
        for (name, value) in [
            ("$reporting_zone", self.reporting_zone.as_str()),
            ("$reporting", &self.reporting_currency),
            ("$campaign_by", campaign_by),
            ("$is_split", if users.is_empty() { "false" } else { "true" }),
            ("$user_group", &user_group),
            ("$user_key", &user_key.join(", ")),
            ("$currency", &self.currency),
            ("$platform", &self.platform),
            ("$window", &window),
            ("$model", &self.model),
            ("$types", &self.types),
            ("$action", &self.action),
            ("$zone", &self.zone),
            ("$from", &from),
            ("$to", &to),
        ] {
            // Names of lists stand as they are; all else stands in quotes.
            let value = match name {
                "$user_group" | "$user_key" | "$is_split" => value.to_owned(),
                _ => value.replace('\'', "''"),
            };
            inner = inner.replace(name, &value);
        }
        inner
    }

    /// A query with this question in it, summed to what rows are told apart by.
    fn sql(&self, template: &str) -> String {
        let inner = self.filled_in(template);
        let (from, to) = (self.from.to_string(), self.to.to_string());
        let keys: Vec<String> = Dimension::ALL
            .into_iter()
            .map(|one| match self.has(one) {
                true => format!("coalesce(cast({0} as text), '') as {0}", one.name()),
                false => format!("'' as {}", one.name()),
            })
            .collect();
        let measures: Vec<String> = self.measures.iter().map(|one| format!("'{one}'")).collect();
        let within = ["day", "zone_day", "basis_day"]
            .map(|day| format!("{day} between date '{from}' and date '{to}'"))
            .join(" or ");
        let names: Vec<&str> = Dimension::ALL.into_iter().map(Dimension::name).collect();
        let names = names.join(", ");
        let days = "cast(day as text) as day, cast(zone_day as text) as zone_day, \
                    cast(basis_day as text) as basis_day";
        format!(
            "with figure as (\n{inner}\n), keyed as (\n\
             select measure, {}, day, zone_day, basis_day, known_from, known_to, sides, amount \
             from figure where measure in ({}) and ({within})\n)\n\
             select measure, {names}, {days}, known_from, known_to, sides, \
             cast(sum(amount) as text) as amount, \
             sum(case when amount is null then 1 else 0 end) as without_rate \
             from keyed \
             group by measure, {names}, day, zone_day, basis_day, known_from, known_to, sides \
             order by measure, {names}, day, zone_day, basis_day, known_from, sides",
            keys.join(", "),
            measures.join(", "),
        )
    }
}

fn atoms(
    batch: &RecordBatch,
    question: &Question,
    keys: &mut Keys,
    ours: &mut Ours,
) -> anyhow::Result<()> {
    let text = |name: &str| -> anyhow::Result<&StringArray> {
        let column = batch.column_by_name(name);
        column
            .and_then(|column| column.as_any().downcast_ref())
            .with_context(|| format!("the comparison's query has no text `{name}`"))
    };
    let number = |name: &str| -> anyhow::Result<&Int64Array> {
        let column = batch.column_by_name(name);
        column
            .and_then(|column| column.as_any().downcast_ref())
            .with_context(|| format!("the comparison's query has no number `{name}`"))
    };
    let (measure, sides, amount) = (text("measure")?, text("sides")?, text("amount")?);
    let days = [text("day")?, text("zone_day")?, text("basis_day")?];
    let known = [number("known_from")?, number("known_to")?];
    let without_rate = number("without_rate")?;
    let dimensions = question
        .dimensions
        .iter()
        .map(|one| text(one.name()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    for row in 0..batch.num_rows() {
        ours.without_rate += without_rate.value(row);
        let place = question
            .measures
            .iter()
            .position(|one| *one == measure.value(row));
        let (Some(measure), false) = (place, amount.is_null(row)) else {
            continue;
        };
        let names: Vec<String> = dimensions
            .iter()
            .map(|column| column.value(row).to_owned())
            .collect();
        ours.atoms.push(Atom {
            measure,
            key: keys.number(&names),
            days: days.map(|column| {
                (!column.is_null(row))
                    .then(|| day(column.value(row)))
                    .flatten()
            }),
            known: (!known[0].is_null(row)).then(|| {
                let to = (!known[1].is_null(row)).then(|| known[1].value(row));
                (known[0].value(row), to)
            }),
            sides: sides_of(sides.value(row)),
            amount: Amount::parse(amount.value(row))
                .with_context(|| format!("`{}` is no amount", amount.value(row)))?,
        });
    }
    Ok(())
}

fn day(text: &str) -> Option<Day> {
    let date: NaiveDate = text.parse().ok()?;
    Some(date.num_days_from_ce())
}

/// `bots:theirs consent:ours` as causes and sides.
fn sides_of(text: &str) -> Vec<(Cause, Side)> {
    let one = |word: &str| {
        let (cause, side) = word.split_once(':')?;
        let cause = Cause::ALL.into_iter().find(|known| known.side() == cause)?;
        Some((
            cause,
            if side == "ours" {
                Side::Ours
            } else {
                Side::Theirs
            },
        ))
    };
    text.split_whitespace().filter_map(one).collect()
}

/// A small query's rows, as text.
pub(super) async fn texts(opened: &Opened, sql: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let frame = opened.warehouse.query(sql).await.with_context(
        || "the warehouse has not what is compared\nhint: build it with `throughline run`",
    )?;
    let mut rows = Vec::new();
    for batch in frame.collect().await.map_err(lake::LakeError::of_reading)? {
        let columns: Vec<&StringArray> = batch
            .columns()
            .iter()
            .filter_map(|column| column.as_any().downcast_ref())
            .collect();
        for row in 0..batch.num_rows() {
            let text = |column: &&StringArray| {
                if column.is_null(row) {
                    ""
                } else {
                    column.value(row)
                }
                .to_owned()
            };
            rows.push(columns.iter().map(text).collect());
        }
    }
    Ok(rows)
}
