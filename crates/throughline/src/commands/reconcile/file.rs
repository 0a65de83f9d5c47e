//! The other side's export: read as any CSV of a source is, and understood by its headings.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use arrow_array::{Array as _, StringArray};
use chrono::{Datelike as _, NaiveDate};
use domain::config::{FileConfig, Stream};
use sources::{Collected, FoundFile};
use transform::project::SourceKind;

use super::amount::Amount;
use super::waterfall::Day;
use super::words::{Column, Dimension, Words};

mod values;

/// Lines that an export may have before its headings.
const PREAMBLE_MAX: usize = 30;

/// A row of an export.
#[derive(Debug)]
pub(super) struct FileRow {
    pub(super) day: Day,
    /// What it is about, as written.
    pub(super) about: BTreeMap<Dimension, String>,
    pub(super) figures: BTreeMap<&'static str, Amount>,
}

/// An export, understood.
#[derive(Debug, Default)]
pub(super) struct Export {
    pub(super) rows: Vec<FileRow>,
    /// What its rows are told apart by.
    pub(super) dimensions: Vec<Dimension>,
    pub(super) measures: Vec<&'static str>,
    /// Whether campaigns are named by their ids.
    pub(super) by_campaign_id: bool,
    /// The currency that stands in its headings.
    pub(super) currency: Option<String>,
    /// Headings, as they are.
    pub(super) headings: Vec<String>,
    /// Headings that mean nothing to us.
    pub(super) ignored: Vec<String>,
    /// Rows of totals, which are left out.
    pub(super) totals: usize,
}

/// A table of texts.
struct Sheet {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Line of the headings, from 1.
    line: usize,
}

/// Whose headings an export may have, beside English ones.
pub(super) struct Languages<'a> {
    /// The kinds of source that the project knows.
    pub(super) kinds: Vec<&'a SourceKind>,
    /// The one that is said to be the export's.
    pub(super) said: Option<String>,
}

/// Reads an export. `date_format` says how its days are written (as for strftime) where that is not
/// clear by itself.
///
/// # Errors
/// It cannot be read, has no column with a day or none with a figure, or a value is none.
pub(super) fn read(
    path: &Path,
    date_format: Option<&str>,
    languages: &Languages<'_>,
) -> anyhow::Result<Export> {
    let (sheet, columns) = find_headings(path, languages)?;
    let mut export = Export {
        headings: sheet.headings.clone(),
        ..Export::default()
    };
    let has_id = columns
        .iter()
        .any(|(found, _)| found.is_some_and(|(column, _)| column == Column::CampaignId));
    export.by_campaign_id = has_id;
    // Of two columns that mean the same the one whose heading is preferred counts, else the first.
    let mut taken: Vec<(usize, Column)> = Vec::new();
    for (index, (found, currency)) in columns.iter().enumerate() {
        let is_best = found.is_some_and(|(column, place)| {
            let others = columns.iter().enumerate();
            let mut same = others.filter_map(|(other, (found, _))| {
                let (_, place) = found.filter(|found| found.0 == column)?;
                Some((place, other))
            });
            same.all(|other| (place, index) <= other)
        });
        let meant = match found.filter(|_| is_best).map(|(column, _)| column) {
            Some(Column::Of(Dimension::Campaign)) if has_id => None,
            Some(Column::CampaignId) => Some(Column::Of(Dimension::Campaign)),
            other => other,
        };
        match meant {
            Some(meant) => {
                taken.push((index, meant));
                if export.currency.is_none() {
                    export.currency.clone_from(currency);
                }
            }
            None => export.ignored.push(sheet.headings[index].clone()),
        }
    }
    for (_, column) in &taken {
        match column {
            Column::Of(dimension) => export.dimensions.push(*dimension),
            Column::SourceMedium => {
                export
                    .dimensions
                    .extend([Dimension::Source, Dimension::Medium]);
            }
            Column::Measure(name) => export.measures.push(name),
            Column::Day | Column::LastDay | Column::CampaignId => {}
        }
    }
    export.dimensions.sort_unstable();
    export.dimensions.dedup();
    fill(&mut export, &sheet, &taken, date_format)
        .with_context(|| format!("`{}` cannot be compared with", path.display()))?;
    Ok(export)
}

/// The cells of a row, by what their columns mean.
fn fill(
    export: &mut Export,
    sheet: &Sheet,
    columns: &[(usize, Column)],
    date_format: Option<&str>,
) -> anyhow::Result<()> {
    let of = |wanted: fn(&Column) -> bool| -> Vec<usize> {
        let found = columns.iter().filter(|(_, column)| wanted(column));
        found.map(|(index, _)| *index).collect()
    };
    let day_at = of(|column| matches!(column, Column::Day))[0];
    let last_at = of(|column| matches!(column, Column::LastDay))
        .first()
        .copied();
    let figures_at = of(|column| matches!(column, Column::Measure(_)));
    let cells = |at: &[usize]| -> Vec<&str> {
        let rows = sheet.rows.iter();
        rows.flat_map(|row| at.iter().map(|index| row[*index].as_str()))
            .collect()
    };
    let numbers = values::Numbers::of(&cells(&figures_at))?;
    let dates = values::Dates::of(&cells(&[day_at]), date_format)?;
    for (number, row) in sheet.rows.iter().enumerate() {
        let line = sheet.line + number + 1;
        let is_total = row.iter().any(|cell| values::is_total(cell));
        let text = row[day_at].as_str();
        let day = match dates.day(text) {
            Some(day) if !is_total => day,
            None if !is_total && !text.trim().is_empty() => bail!(
                "line {line}: `{text}` in column `{}` is no day\nhint: YYYY-MM-DD is always \
                 understood; `--date-format` says another form, for example %d/%m/%Y",
                sheet.headings[day_at]
            ),
            _ => {
                export.totals += 1;
                continue;
            }
        };
        let last = last_at.map(|index| row[index].as_str());
        if let Some(last) = last.filter(|last| dates.day(last).is_some_and(|last| last != day)) {
            bail!(
                "line {line}: the row covers {text} to {last}\nhint: set the download to one row \
                 a day"
            );
        }
        let mut read = FileRow {
            day: day.num_days_from_ce(),
            about: BTreeMap::new(),
            figures: BTreeMap::new(),
        };
        for (index, column) in columns {
            let cell = row[*index].trim();
            put(&mut read, *column, cell, &numbers).with_context(|| {
                let heading = &sheet.headings[*index];
                format!("line {line}: `{cell}` in column `{heading}` is no number")
            })?;
        }
        export.rows.push(read);
    }
    if export.rows.is_empty() {
        bail!("it has headings and no rows with a day");
    }
    Ok(())
}

/// Puts a cell into its row.
fn put(
    row: &mut FileRow,
    column: Column,
    cell: &str,
    numbers: &values::Numbers,
) -> anyhow::Result<()> {
    match column {
        Column::Of(dimension) => {
            row.about.insert(dimension, cell.to_owned());
        }
        Column::SourceMedium => {
            let (source, medium) = cell.split_once('/').unwrap_or((cell, ""));
            for (dimension, text) in [(Dimension::Source, source), (Dimension::Medium, medium)] {
                row.about.insert(dimension, text.trim().to_owned());
            }
        }
        Column::Measure(name) => {
            if let Some(amount) = numbers.amount(cell)? {
                row.figures.insert(name, amount);
            }
        }
        Column::Day | Column::LastDay | Column::CampaignId => {}
    }
    Ok(())
}

/// What a column means, with how much its heading is preferred, and the currency that it names.
type Meant = (Option<(Column, usize)>, Option<String>);

/// The sheet whose headings are understood: downloads have lines of their own before them.
fn find_headings(path: &Path, languages: &Languages<'_>) -> anyhow::Result<(Sheet, Vec<Meant>)> {
    if !path.is_file() {
        bail!("there is no file `{}`", path.display());
    }
    let mut first: Option<anyhow::Result<Sheet>> = None;
    for skipped in 0..=PREAMBLE_MAX {
        let sheet = sheet(path, skipped);
        if let Ok(sheet) = sheet {
            let columns = meant(&sheet.headings, languages);
            let has = |wanted: fn(&Column) -> bool| {
                let mut found = columns.iter().filter_map(|(found, _)| found.as_ref());
                found.any(|(column, _)| wanted(column))
            };
            if has(|column| *column == Column::Day) && has(|one| matches!(one, Column::Measure(_)))
            {
                return Ok((sheet, columns));
            }
            first.get_or_insert(Ok(sheet));
        } else {
            first.get_or_insert(sheet);
        }
    }
    let found = match first {
        Some(Err(error)) => return Err(error),
        Some(Ok(sheet)) => sheet.headings.join(", "),
        None => String::new(),
    };
    bail!(
        "`{}` is not understood: no line has a column for the day and one for a figure\n  \
         found: {found}\n  \
         expected: a day (date, day …), if you like campaign, channel, source, medium, and \
         figures: spend, clicks, impressions, conversions, conversion value · sessions, users, \
         events, purchases, revenue · orders, gross sales, discounts, refunds, net sales, total \
         sales\nhint: set the download to one row a day, as CSV, best with English headings",
        path.display()
    )
}

/// What the headings of a sheet mean.
fn meant(headings: &[String], languages: &Languages<'_>) -> Vec<Meant> {
    let kinds = languages.kinds.iter().copied();
    let words = Words::of(kinds, languages.said.as_deref(), headings);
    let meanings = headings.iter().map(|heading| words.meaning(heading));
    meanings.collect()
}

/// Reads the file as a source's file is read, from a line on.
fn sheet(path: &Path, skipped: usize) -> anyhow::Result<Sheet> {
    let shown = path.display().to_string();
    let stream = Stream {
        source: "reconcile".to_owned(),
        name: "against".to_owned(),
        kind: None,
        paths: vec![shown.clone()],
        files: FileConfig {
            skip_lines: Some(skipped),
            ..FileConfig::default()
        },
        zone: None,
        currency: None,
    };
    let file =
        FoundFile::at(path, shown.clone()).with_context(|| format!("`{shown}` cannot be read"))?;
    let hash = file.content_hash()?;
    let mut collected = Collected::default();
    sources::read(&stream, &file, &hash, &mut collected)?;
    let schema = collected
        .schema
        .with_context(|| format!("`{shown}` is empty"))?;
    let is_ours = |name: &str| sources::META_COLUMNS.contains(&name) || name.starts_with('_');
    let places: Vec<usize> = schema
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| !is_ours(field.name()))
        .map(|(index, _)| index)
        .collect();
    if schema.field_with_name(sources::PAYLOAD).is_ok() {
        bail!("`{shown}` is no CSV\nhint: download the export as CSV");
    }
    let mut rows = Vec::new();
    for batch in &collected.batches {
        let cells: Vec<&StringArray> = places
            .iter()
            .filter_map(|index| batch.column(*index).as_any().downcast_ref())
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
            rows.push(cells.iter().map(text).collect());
        }
    }
    let headings = places
        .iter()
        .map(|index| schema.field(*index).name().clone())
        .collect();
    Ok(Sheet {
        headings,
        rows,
        line: skipped + 1,
    })
}

/// A day from its number.
pub(super) fn date(day: Day) -> NaiveDate {
    NaiveDate::from_num_days_from_ce_opt(day).unwrap_or_default()
}
