//! `reconcile`: the warehouse beside a platform's own export, every gap put into named causes.

mod amount;
mod definition;
mod file;
mod kind;
mod ours;
mod report;
mod waterfall;
mod words;

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use chrono::{Datelike as _, NaiveDate};

use self::amount::Amount;
use self::definition::{Compared, How, Known};
use self::file::Export;
use self::ours::{Keys, Question};
use self::report::Report;
use self::waterfall::{Atom, Cause, Day, Definition, Row, RowId, waterfall};
use self::words::{Dimension, Subject};
use super::Exit;
use crate::cli::ReconcileArgs;
use crate::project::{Opened, Place};
use crate::say::Voice;

/// The command.
pub(crate) async fn reconcile(
    place: Place,
    args: &ReconcileArgs,
    voice: Voice,
) -> anyhow::Result<Exit> {
    let said = definition::said(&args.their)?;
    let limit = match &args.fail_above {
        Some(text) => Some(
            Amount::parse(text.trim_end_matches('%').trim())
                .with_context(|| format!("`--fail-above {text}` is no percentage"))?,
        ),
        None => None,
    };
    let opened = open(place.clone(), None).await?;
    let languages = file::Languages {
        kinds: opened.manifest.project.source_kinds.values().collect(),
        said: args.kind.as_deref().map(kind::platform_name),
    };
    let mut export = file::read(&args.against, args.date_format.as_deref(), &languages)?;
    let question = kind::question(&opened, args, &mut export).await?;
    let mut keys = Keys::default();
    let theirs = their_figures(&opened, &question, &export, &mut keys).await?;
    let (atoms, without_rate, as_of) =
        our_atoms(place, args, &opened, &question, &mut keys).await?;
    let compared = Compared {
        subject: question.subject,
        atoms: &atoms,
        theirs: &theirs,
        range: (
            question.from.num_days_from_ce(),
            question.to.num_days_from_ce(),
        ),
        is_split: !question.dimensions.is_empty(),
    };
    let (definition, mut known) = settle(&compared, &question, &said, as_of);
    if let Some(at) = definition.as_of.filter(|_| as_of.is_none()) {
        known.push(Known {
            name: "export made",
            value: instant_text(at),
            how: How::Recognised,
        });
    }
    let mut rows = waterfall(&atoms, &theirs, &definition, compared.range);
    not_loaded_yet(&opened, &question, &mut rows).await?;
    let threshold = Amount::parse(&args.threshold.to_string()).unwrap_or_default();
    withheld(&question, threshold, &mut rows);
    let report = Report {
        question: &question,
        export: &export,
        keys: &keys,
        rows: &rows,
        known: &known,
        without_rate,
        is_as_of_said: args.as_of.is_some(),
        is_zone_said: args.zone.is_some(),
    };
    if let Some(path) = &args.output {
        report.write_csv(path)?;
    }
    voice.result(&report.json());
    if !voice.json {
        for line in report.lines(args.by) {
            voice.line(&line);
        }
    }
    Ok(match limit {
        Some(limit) if report.worst() > limit => Exit::FailedChecks,
        _ => Exit::Done,
    })
}

/// Opens the project, with the tables of some time where one is said.
async fn open(place: Place, as_of: Option<&str>) -> anyhow::Result<Opened> {
    let mut opened = Opened::open(place, &BTreeMap::new()).await?;
    if let Some(time) = as_of {
        super::query::as_of(&mut opened, super::query::instant(time)?).await?;
    }
    let context = opened.context("reconcile", crate::project::now());
    transform::run::register_views(&context).await?;
    drop(context);
    Ok(opened)
}

/// Their figures by row. Names of campaigns are those that the campaigns have now.
async fn their_figures(
    opened: &Opened,
    question: &Question,
    export: &Export,
    keys: &mut Keys,
) -> anyhow::Result<BTreeMap<RowId, Amount>> {
    let names = kind::campaign_names(opened, question).await?;
    let (from, to) = (
        question.from.num_days_from_ce(),
        question.to.num_days_from_ce(),
    );
    let mut theirs: BTreeMap<RowId, Amount> = BTreeMap::new();
    let within = export
        .rows
        .iter()
        .filter(|row| (from..=to).contains(&row.day));
    for row in within {
        let about: Vec<String> = question
            .dimensions
            .iter()
            .map(|dimension| {
                let said = row.about.get(dimension).cloned().unwrap_or_default();
                match dimension {
                    Dimension::Campaign => {
                        names.get(&ours::plain_name(&said)).cloned().unwrap_or(said)
                    }
                    Dimension::Platform => kind::platform_name(&said),
                    _ => said,
                }
            })
            .collect();
        let key = keys.number(&about);
        for (index, name) in question.measures.iter().enumerate() {
            let column = kind::column_of(question.subject, name, export);
            if let Some(amount) = row.figures.get(column) {
                // Some write money that is taken off with a sign, some without.
                let amount = match *name {
                    "refunds" | "discounts" => amount.unsigned(),
                    _ => *amount,
                };
                *theirs.entry((index, key, row.day)).or_default() += amount;
            }
        }
    }
    if theirs.is_empty() {
        bail!(
            "`--from` and `--to` leave no row of the export\nhint: its days are {} to {}",
            export
                .rows
                .iter()
                .map(|row| row.day)
                .min()
                .map(file::date)
                .unwrap_or_default(),
            export
                .rows
                .iter()
                .map(|row| row.day)
                .max()
                .map(file::date)
                .unwrap_or_default(),
        );
    }
    Ok(theirs)
}

/// Our side; where a time is said, with what the warehouse said then.
async fn our_atoms(
    place: Place,
    args: &ReconcileArgs,
    opened: &Opened,
    question: &Question,
    keys: &mut Keys,
) -> anyhow::Result<(Vec<Atom>, i64, Option<i64>)> {
    let now = ours::ask(opened, question, keys).await?;
    let Some(time) = &args.as_of else {
        return Ok((now.atoms, now.without_rate, None));
    };
    let at = super::query::instant(time)?.timestamp_micros();
    // Ad platforms' reports keep their history; all else is asked as the tables were.
    if question.subject == Subject::Ads {
        return Ok((now.atoms, now.without_rate, Some(at)));
    }
    let before = open(place, Some(time)).await?;
    let then = ours::ask(&before, question, keys).await?;
    Ok((
        definition::late(now.atoms, then.atoms),
        now.without_rate,
        Some(at),
    ))
}

/// How they count.
fn settle(
    compared: &Compared<'_>,
    question: &Question,
    said: &BTreeMap<Cause, bool>,
    as_of: Option<i64>,
) -> (Definition, Vec<Known>) {
    let mut fixed = Definition {
        switched: vec![Cause::Systems],
        as_of,
    };
    if question.subject == Subject::Ads {
        fixed.switched.push(Cause::Model);
    }
    if question.zone != question.reporting_zone || !question.account_zones.is_empty() {
        fixed.switched.push(Cause::Zone);
    }
    if as_of.is_none() && question.subject == Subject::Ads {
        fixed.as_of = compared.when_made();
    }
    if fixed.as_of.is_some() {
        fixed.switched.push(Cause::Late);
    }
    compared.definition(said, fixed)
}

/// Days after the last one that was loaded are late as a whole.
async fn not_loaded_yet(
    opened: &Opened,
    question: &Question,
    rows: &mut BTreeMap<RowId, Row>,
) -> anyhow::Result<()> {
    let Some(last) = kind::last_day(opened, question).await? else {
        return Ok(());
    };
    let last: Day = last.num_days_from_ce();
    for ((_, _, day), row) in rows.iter_mut() {
        if *day > last && row.ours == Amount::default() {
            row.explain(Cause::Late);
        }
    }
    Ok(())
}

/// Small rows that their export does not have at all.
fn withheld(question: &Question, threshold: Amount, rows: &mut BTreeMap<RowId, Row>) {
    if question.subject != Subject::Web || question.dimensions.is_empty() {
        return;
    }
    // What decides is how many people a row is about, or the nearest to it that is compared.
    let order = ["users", "sessions", "purchases", "events"];
    let measure = order
        .iter()
        .find_map(|name| question.measures.iter().position(|one| one == name));
    let Some(measure) = measure else {
        return;
    };
    let mut places: BTreeMap<(usize, Day), (bool, Amount)> = BTreeMap::new();
    for ((of, key, day), row) in rows.iter() {
        let place = places.entry((*key, *day)).or_default();
        place.0 |= row.theirs.is_some();
        if *of == measure {
            place.1 = row.recomputed();
        }
    }
    for ((_, key, day), row) in rows.iter_mut() {
        match places.get(&(*key, *day)) {
            Some((false, size)) if *size <= threshold => row.explain(Cause::Thresholds),
            _ => {}
        }
    }
}

fn instant_text(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros)
        .map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// The first and the last day that are compared.
fn range(args: &ReconcileArgs, export: &Export) -> anyhow::Result<(NaiveDate, NaiveDate)> {
    let days = || export.rows.iter().map(|row| row.day);
    let (first, last) = (days().min(), days().max());
    let from = args.from.or(first.map(file::date));
    let to = args.to.or(last.map(file::date));
    match from.zip(to) {
        Some((from, to)) if from > to => bail!("`--from` is after `--to`"),
        Some(both) => Ok(both),
        None => bail!("the export has no day"),
    }
}

#[cfg(test)]
mod tests;
