//! What is dirty: each table's ledger compared with its inputs as they are now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use lake::{InputMark, Table, TableName};
use serde::Serialize;

use super::{Context, Options};
use crate::Result;
use crate::compile::{Dependency, Manifest, ParsedModel, Target};
use crate::project::{Layer, Materialized, Strategy};
use crate::silver;

/// Why a model is built, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum Reason {
    /// Nothing changed.
    UpToDate,
    /// It is a view: nothing to build.
    View,
    /// There is no table yet.
    New,
    /// Its SQL, its settings or its contract changed.
    Changed,
    /// It was asked for.
    Asked,
    /// These inputs changed.
    Inputs(Vec<String>),
}

/// What is to be done with a model.
#[derive(Debug, Clone, Serialize)]
pub struct Decision {
    /// The model.
    pub model: String,
    /// Its table.
    pub table: String,
    /// Why.
    pub reason: Reason,
    /// Only what would be built first may make it dirty: if that comes out as it was, this is not
    /// built.
    pub is_conditional: bool,
    /// For a table kept by day: the days to be built; none for the whole table.
    pub days: Option<BTreeSet<NaiveDate>>,
    /// The same for each of its parts; one without a name where it has none.
    #[serde(skip)]
    pub parts: BTreeMap<String, Option<BTreeSet<NaiveDate>>>,
    /// For a silver model: source files to be staged.
    pub files: usize,
    /// What the table is to remember.
    #[serde(skip)]
    pub inputs: BTreeMap<String, InputMark>,
    /// Fingerprint of the model and of the views that it reads.
    #[serde(skip)]
    pub fingerprint: String,
}

impl Decision {
    /// Nothing is to be done, as far as is known yet.
    fn up_to_date(model: &ParsedModel) -> Self {
        Self {
            model: model.name().to_owned(),
            table: model.table(),
            reason: Reason::UpToDate,
            is_conditional: false,
            days: None,
            parts: BTreeMap::new(),
            files: 0,
            inputs: BTreeMap::new(),
            fingerprint: model.fingerprint.clone(),
        }
    }

    /// The days of each part, and of all together.
    fn with_parts(mut self, parts: BTreeMap<String, Option<BTreeSet<NaiveDate>>>) -> Self {
        self.days = parts.values().try_fold(BTreeSet::new(), |mut all, days| {
            all.extend(days.as_ref()?);
            Some(all)
        });
        self.parts = parts;
        self
    }

    /// Something is to be built.
    pub fn builds(&self) -> bool {
        !matches!(self.reason, Reason::UpToDate | Reason::View)
    }

    /// The reason in words.
    pub fn why(&self) -> String {
        let extent = match &self.days {
            Some(days) if days.len() == 1 => {
                format!(
                    ", day {}",
                    days.iter()
                        .next()
                        .map(ToString::to_string)
                        .unwrap_or_default()
                )
            }
            Some(days) => format!(
                ", {} days {} to {}",
                days.len(),
                days.first().map(ToString::to_string).unwrap_or_default(),
                days.last().map(ToString::to_string).unwrap_or_default()
            ),
            None => String::new(),
        };
        match &self.reason {
            Reason::UpToDate => "up to date".into(),
            Reason::View => "view".into(),
            Reason::New => "new".into(),
            Reason::Changed => "its SQL or settings changed".into(),
            Reason::Asked => format!("asked for{extent}"),
            Reason::Inputs(names) if self.files > 0 => {
                format!(
                    "{} source files from {}{extent}",
                    self.files,
                    names.join(", ")
                )
            }
            Reason::Inputs(names) if self.is_conditional => {
                format!("if one of these changes: {}{extent}", names.join(", "))
            }
            Reason::Inputs(names) => format!("changed: {}{extent}", names.join(", ")),
        }
    }
}

/// The tables that a model reads, through views and entities.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inputs {
    /// Each table and how it is read.
    pub(crate) tables: BTreeMap<TableName, Input>,
    /// Fingerprints of the views on the way.
    pub(crate) views: Vec<String>,
    /// Tables read as they were at this model's last build.
    pub(crate) previous: BTreeSet<TableName>,
}

/// How far a change in an input reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Only its changed days matter, and those around them.
    pub(crate) is_bounded: bool,
    /// Days after a changed one that look back at it.
    pub(crate) lookback: u32,
}

/// A table that a model reads.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// How far a change in it reaches.
    pub(crate) reach: Reach,
    /// The one part of it that is read; none where all of it is.
    pub(crate) part: Option<String>,
}

impl Inputs {
    /// The tables that exist, as they are now.
    async fn open(&self, context: &Context<'_>) -> Result<BTreeMap<TableName, Arc<Table>>> {
        let mut tables = BTreeMap::new();
        for name in self.tables.keys().chain(&self.previous) {
            if let Some(table) = context.warehouse.lake.table(name).await? {
                tables.insert(name.clone(), table);
            }
        }
        Ok(tables)
    }
}

/// Follows what a model reads down to tables.
pub(crate) fn inputs(manifest: &Manifest, model: &ParsedModel) -> Inputs {
    inputs_of(manifest, model, &model.dependencies)
}

/// Follows what a model, or a part of it, reads down to tables.
pub(crate) fn inputs_of(
    manifest: &Manifest,
    model: &ParsedModel,
    dependencies: &[Dependency],
) -> Inputs {
    let mut found = Inputs::default();
    for dependency in dependencies {
        let reach = Reach {
            is_bounded: dependency.is_bounded,
            lookback: model.config.lookback_into(dependency.target.name()),
        };
        follow(manifest, dependency, reach, &mut found, 0);
    }
    found
}

fn follow(
    manifest: &Manifest,
    dependency: &Dependency,
    reach: Reach,
    found: &mut Inputs,
    depth: usize,
) {
    if depth > 64 {
        return; // the graph has no circles; this is only a guard
    }
    let table = |parsed: &ParsedModel| TableName::new(parsed.layer().schema(), parsed.name());
    let part = &dependency.part;
    let mut add = |name: TableName, reach: Reach| {
        let input = || Input {
            reach,
            part: part.clone(),
        };
        let known = found.tables.entry(name).or_insert_with(input);
        known.reach.is_bounded = known.reach.is_bounded && reach.is_bounded;
        known.reach.lookback = known.reach.lookback.max(reach.lookback);
        if known.part != *part {
            known.part = None;
        }
    };
    let whole = Reach {
        is_bounded: false,
        ..reach
    };
    match &dependency.target {
        Target::Source { source, stream } => {
            add(TableName::new("raw", format!("{source}__{stream}")), whole);
        }
        Target::Seed(name) => add(TableName::new("seeds", name), whole),
        Target::Entity(entity) => {
            for silver in manifest.models_of_entity(entity) {
                add(table(silver), reach);
            }
        }
        Target::Model(name) => {
            let Some(parsed) = manifest.models.get(name) else {
                return;
            };
            let is_view =
                parsed.config.materialized == Materialized::View && parsed.config.entity.is_none();
            if !is_view || parsed.layer() == Layer::Silver {
                add(table(parsed), reach);
                return;
            }
            found.views.push(parsed.fingerprint.clone());
            for dependency in &parsed.dependencies {
                let is_bounded = reach.is_bounded && dependency.is_bounded;
                let reach = Reach {
                    is_bounded,
                    ..reach
                };
                follow(manifest, dependency, reach, found, depth + 1);
            }
        }
        Target::Previous(name) => {
            if let Some(parsed) = manifest.models.get(name) {
                found.previous.insert(table(parsed));
            }
        }
    }
}

/// Names of the models that a model reads, through views and entities.
pub(crate) fn models_read(manifest: &Manifest, model: &ParsedModel) -> BTreeSet<String> {
    inputs(manifest, model)
        .tables
        .into_keys()
        .map(|table| table.name)
        .collect()
}

/// Decides what is to be done. `changing` names tables that this plan would change first.
pub(crate) async fn decide(
    context: &Context<'_>,
    model: &ParsedModel,
    options: &Options,
    changing: &BTreeSet<String>,
) -> Result<Decision> {
    let mut decision = Decision::up_to_date(model);
    if model.config.entity.is_some() {
        return decide_entity(context, model, options, changing, decision).await;
    }
    if model.config.materialized == Materialized::View && model.layer() != Layer::Silver {
        decision.reason = Reason::View;
        return Ok(decision);
    }
    let read = inputs(context.manifest, model);
    decision.fingerprint = std::iter::once(&model.fingerprint)
        .chain(&read.views)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("+");
    let tables = read.open(context).await?;
    decision.inputs = tables
        .values()
        .map(|t| (t.name.to_string(), t.mark()))
        .collect();
    let own = TableName::new(model.layer().schema(), model.name());
    let Some(table) = context.warehouse.lake.table(&own).await? else {
        decision.reason = Reason::New;
        return Ok(decision);
    };
    if options.full_refresh {
        decision.reason = Reason::Asked;
        return Ok(decision);
    }
    if table.ledger.fingerprint != decision.fingerprint {
        decision.reason = Reason::Changed;
        return Ok(decision);
    }
    let changed = changed_inputs(&read, &table, &tables, changing);
    let by_day = is_by_day(model);
    if let (true, Some((from, to))) = (by_day, options.days) {
        // What is dirty besides is built too: the ledger will say that all inputs were seen.
        decision.reason = Reason::Asked;
        let mut parts = dirty_parts(context, model, &table, &tables, changing);
        for days in parts.values_mut().flatten() {
            days.extend(from.iter_days().take_while(|day| *day <= to));
        }
        return Ok(decision.with_parts(parts));
    }
    // A seen input that is no longer read at all is a change of the model, and its fingerprint says
    // so.
    if changed.is_empty() {
        return Ok(decision);
    }
    let names: Vec<String> = changed.iter().map(ToString::to_string).collect();
    // What changed already, not only what is about to.
    let known = changed_inputs(&read, &table, &tables, &BTreeSet::new());
    decision.is_conditional = known.is_empty();
    if by_day {
        let parts = dirty_parts(context, model, &table, &tables, changing);
        decision = decision.with_parts(parts);
        let is_clean = decision.days.as_ref().is_some_and(BTreeSet::is_empty);
        decision.is_conditional |= is_clean;
        if is_clean && !names.iter().any(|name| changing.contains(name)) {
            return Ok(decision);
        }
    }
    decision.reason = Reason::Inputs(names);
    Ok(decision)
}

/// Decides for a silver model with an entity: new or replaced source files, or staged rows that are
/// not published yet.
async fn decide_entity(
    context: &Context<'_>,
    model: &ParsedModel,
    options: &Options,
    changing: &BTreeSet<String>,
    mut decision: Decision,
) -> Result<Decision> {
    let work = silver::work(context, model, options.full_refresh).await?;
    let read = inputs(context.manifest, model);
    let loads = read
        .tables
        .keys()
        .any(|name| changing.contains(&name.to_string()));
    decision.files = work.new.len();
    let staged = context
        .warehouse
        .lake
        .table(&silver::staged_name(model.name()))
        .await?;
    let silver = context
        .warehouse
        .lake
        .table(&TableName::new("silver", model.name()))
        .await?;
    let behind = match (&staged, &silver) {
        (Some(staged), Some(silver)) => silver
            .ledger
            .inputs
            .get(&staged.name.to_string())
            .is_none_or(|seen| seen.batch < staged.ledger.data_batch),
        _ => true,
    };
    decision.reason = match staged {
        None => Reason::New,
        Some(_) if options.full_refresh => Reason::Asked,
        Some(staged) if staged.ledger.fingerprint != work.fingerprint => Reason::Changed,
        Some(_) if !work.is_empty() || behind || loads => {
            Reason::Inputs(read.tables.keys().map(ToString::to_string).collect())
        }
        Some(_) => Reason::UpToDate,
    };
    Ok(decision)
}

/// The inputs that changed since the table was built, or are about to.
fn changed_inputs<'a>(
    read: &'a Inputs,
    table: &Table,
    tables: &BTreeMap<TableName, Arc<Table>>,
    changing: &BTreeSet<String>,
) -> Vec<&'a TableName> {
    let is_changed = |(name, input): &(&TableName, &Input)| {
        let text = name.to_string();
        let seen = table.ledger.inputs.get(&text);
        changing.contains(&text)
            || match tables.get(*name) {
                Some(table) => seen.is_none_or(|seen| seen.batch < last_change(table, input)),
                None => seen.is_some(),
            }
    };
    let changed = read.tables.iter().filter(is_changed);
    changed.map(|(name, _)| name).collect()
}

/// The batch in which what is read of a table last changed.
pub(crate) fn last_change(table: &Table, input: &Input) -> i64 {
    match &input.part {
        Some(part) => table.part(part).ledger.data_batch,
        None => table.ledger.data_batch,
    }
}

/// The model's table is kept by day and its days are replaced.
pub(crate) fn is_by_day(model: &ParsedModel) -> bool {
    model.config.materialized == Materialized::Incremental
        && model.config.strategy == Some(Strategy::ReplaceInterval)
}

/// The dirty days of each part of the model.
fn dirty_parts(
    context: &Context<'_>,
    model: &ParsedModel,
    table: &Table,
    tables: &BTreeMap<TableName, Arc<Table>>,
    changing: &BTreeSet<String>,
) -> BTreeMap<String, Option<BTreeSet<NaiveDate>>> {
    let parts = model.parts().into_iter();
    parts
        .map(|(part, reads)| {
            let read = inputs_of(context.manifest, model, reads);
            let changed = changed_inputs(&read, table, tables, changing);
            let days = dirty_days(model, table, &read, tables, &changed);
            (part.to_owned(), days)
        })
        .collect()
}

/// The days of the output that changed inputs touch; none where the whole table is touched.
fn dirty_days(
    model: &ParsedModel,
    table: &Table,
    read: &Inputs,
    tables: &BTreeMap<TableName, Arc<Table>>,
    changed: &[&TableName],
) -> Option<BTreeSet<NaiveDate>> {
    let mut dirty = BTreeSet::new();
    for name in changed {
        let Input { reach, part } = read.tables.get(*name)?;
        let table_read = tables.get(*name)?;
        let input = match part {
            Some(part) => &table_read.part(part),
            None => table_read.as_ref(),
        };
        let days = input.days();
        if !reach.is_bounded || (days.is_empty() && input.rows() > 0) {
            return None;
        }
        let seen = table.ledger.inputs.get(&name.to_string())?;
        for (day, batch) in days {
            if batch > seen.batch {
                // A row may look back at this day, or ahead to it.
                let after = u64::from(reach.lookback);
                let before = u64::from(model.config.lookahead);
                dirty.extend((0..=after).filter_map(|n| day.checked_add_days(Days::new(n))));
                dirty.extend((1..=before).filter_map(|n| day.checked_sub_days(Days::new(n))));
            }
        }
    }
    Some(dirty)
}
