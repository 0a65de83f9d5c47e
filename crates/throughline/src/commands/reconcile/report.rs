//! What is told: ours, each cause, the unexplained rest, theirs.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::amount::Amount;
use super::definition::Known;
use super::file::{Export, date};
use super::ours::{Keys, Question};
use super::waterfall::{Cause, Row, RowId};
use super::words::{Dimension, Subject, is_money};
use crate::cli::ByArg;

/// All that is known in the end.
pub(super) struct Report<'a> {
    pub(super) question: &'a Question,
    pub(super) export: &'a Export,
    pub(super) keys: &'a Keys,
    pub(super) rows: &'a BTreeMap<RowId, Row>,
    pub(super) known: &'a [Known],
    pub(super) without_rate: i64,
    pub(super) is_as_of_said: bool,
    pub(super) is_zone_said: bool,
}

/// A sum of rows.
#[derive(Debug, Clone, Default)]
struct Total {
    theirs: Amount,
    ours: Amount,
    /// Each cause's part, and the sum of its parts without their signs: a zone only moves.
    parts: BTreeMap<Cause, (Amount, Amount)>,
    unexplained: Amount,
    /// The unexplained of every row without its sign: what would cancel out does not.
    unexplained_in_rows: Amount,
}

impl Total {
    fn add(&mut self, row: &Row) {
        self.theirs += row.theirs.unwrap_or_default();
        self.ours += row.ours;
        for (cause, part) in &row.parts {
            let sum = self.parts.entry(*cause).or_default();
            sum.0 += *part;
            sum.1 += part.unsigned();
        }
        self.unexplained += row.unexplained();
        self.unexplained_in_rows += row.unexplained().unsigned();
    }

    /// Percent of the larger figure that is unexplained, row by row.
    fn percent(&self) -> Amount {
        let whole = self.theirs.unsigned().max(self.ours.unsigned());
        let hundred = Amount::parse("100").unwrap_or_default();
        match self.unexplained_in_rows.percent_of(whole) {
            Some(percent) => percent,
            None if self.unexplained_in_rows == Amount::default() => Amount::default(),
            None => hundred,
        }
    }
}

/// What sums may be made over: a measure; of several currencies each, and what platforms claim is
/// never added across platforms.
type Line = (usize, String);

impl Report<'_> {
    /// The largest part, in percent, that remains unexplained of any figure.
    pub(super) fn worst(&self) -> Amount {
        let totals = self.totals(None);
        totals
            .values()
            .map(Total::percent)
            .max()
            .unwrap_or_default()
    }

    fn dimension(&self, dimension: Dimension, key: usize) -> Option<&str> {
        let place = self
            .question
            .dimensions
            .iter()
            .position(|one| *one == dimension)?;
        self.keys.names(key).get(place).map(String::as_str)
    }

    /// What stands beside a measure: its currency, and its platform where there are several.
    fn apart(&self, measure: usize, key: usize) -> String {
        let name = self.question.measures[measure];
        let currency = match is_money(name) {
            true => self
                .dimension(Dimension::Currency, key)
                .unwrap_or(&self.question.currency),
            false => "",
        };
        let platform = match name.contains("conversion") {
            true => self.dimension(Dimension::Platform, key).unwrap_or_default(),
            false => "",
        };
        format!("{platform} {currency}").trim().to_owned()
    }

    fn totals(&self, by: Option<ByArg>) -> BTreeMap<(String, Line), Total> {
        let mut totals: BTreeMap<(String, Line), Total> = BTreeMap::new();
        for ((measure, key, day), row) in self.rows {
            let group = match by.map(dimension_of) {
                None => String::new(),
                Some(None) => date(*day).to_string(),
                Some(Some(dimension)) => self
                    .dimension(dimension, *key)
                    .unwrap_or_default()
                    .to_owned(),
            };
            let line = (*measure, self.apart(*measure, *key));
            totals.entry((group, line)).or_default().add(row);
        }
        totals
    }

    /// Whether a cause is asked for a measure, and if it is and cannot be worked out, why.
    fn asked(&self, cause: Cause, measure: &str) -> Option<Result<(), String>> {
        let question = self.question;
        let say_when = || match self.is_as_of_said {
            true => Ok(()),
            false => Err("say when the export was made, with --as-of".to_owned()),
        };
        let is_own = measure.starts_with("conversion");
        match (question.subject, cause) {
            (Subject::Ads, Cause::Late) if is_own => {
                Some(Err("credit is worked out anew with every run".to_owned()))
            }
            (Subject::Ads, Cause::Late) => Some(Ok(())),
            (Subject::Ads, Cause::Zone) if is_own || question.zone_is_accounts => Some(Ok(())),
            (Subject::Ads, Cause::Zone) => Some(Err(
                "an account's day cannot be cut anew: figures come by whole days of its own zone"
                    .to_owned(),
            )),
            (Subject::Ads, Cause::Consent) if is_own => Some(Err(
                "a platform does not say which of its conversions it models".to_owned(),
            )),
            (Subject::Ads, Cause::Model | Cause::ClickDate) => is_own.then_some(Ok(())),
            (Subject::Shop | Subject::Web, Cause::Late) => Some(say_when()),
            (Subject::Shop | Subject::Web, Cause::Zone) => Some(Ok(())),
            (Subject::Shop, Cause::RefundDate) => {
                matches!(measure, "refunds" | "net_sales" | "total_sales").then_some(Ok(()))
            }
            (Subject::Shop, Cause::Duplicates | Cause::Tests | Cause::Cancelled) => Some(Ok(())),
            (Subject::Web, Cause::Bots | Cause::Consent) => Some(Ok(())),
            (Subject::Web, Cause::Duplicates) if measure == "events" => Some(Ok(())),
            (
                Subject::Web,
                Cause::Duplicates | Cause::Tests | Cause::Cancelled | Cause::Systems,
            ) => matches!(measure, "purchases" | "revenue").then_some(Ok(())),
            (Subject::Web, Cause::Model | Cause::Thresholds) => {
                (!question.dimensions.is_empty()).then_some(Ok(()))
            }
            _ => None,
        }
    }

    /// What cannot be worked out, once each.
    fn not_computable(&self) -> Vec<(Cause, String, Vec<&'static str>)> {
        let mut all: Vec<(Cause, String, Vec<&'static str>)> = Vec::new();
        for cause in Cause::ALL {
            for measure in &self.question.measures {
                if let Some(Err(why)) = self.asked(cause, measure) {
                    match all
                        .iter_mut()
                        .find(|(of, text, _)| *of == cause && *text == why)
                    {
                        Some((.., measures)) => measures.push(measure),
                        None => all.push((cause, why, vec![measure])),
                    }
                }
            }
        }
        all
    }

    /// Lines for people.
    pub(super) fn lines(&self, by: Option<ByArg>) -> Vec<String> {
        let question = self.question;
        let kind = match question.subject {
            Subject::Web => "the website",
            Subject::Shop => "the shop",
            Subject::Ads if question.platform.is_empty() => "the ad platforms",
            Subject::Ads => &question.platform,
        };
        let is_credit = question
            .measures
            .iter()
            .any(|one| one.starts_with("conversion"));
        let days = match question.subject {
            Subject::Ads if !is_credit => "days are each account's".to_owned(),
            _ => format!(
                "their days: {}, ours: {}",
                match question.account_zones.is_empty() {
                    true => &question.zone,
                    false => "each account's",
                },
                question.reporting_zone
            ),
        };
        let mut lines = vec![format!(
            "{kind}, {} to {}; {days}",
            question.from, question.to
        )];
        for known in self.known {
            lines.push(format!(
                "they: {} = {} ({})",
                known.name,
                known.value,
                known.how.word()
            ));
        }
        lines.push(String::new());
        lines.extend(self.table(by));
        let missing = self.not_computable();
        if !missing.is_empty() {
            lines.push(String::new());
        }
        for (cause, why, measures) in missing {
            lines.push(format!(
                "not computable: {} ({}): {why}",
                cause.label(),
                measures.join(", ").replace('_', " ")
            ));
        }
        lines.extend(self.remarks());
        lines
    }

    /// What should be known of the comparison besides.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.without_rate > 0 {
            remarks.push(format!(
                "partial: {} amounts of ours are left out, no exchange rate is known for them",
                self.without_rate
            ));
        }
        if self.looks_shifted() {
            remarks.push(
                "what is unexplained goes from day to day and sums to little: are their days those \
                 of another zone? say it with --zone"
                    .to_owned(),
            );
        }
        if self.export.totals > 0 {
            remarks.push(format!("left out: {} rows of totals", self.export.totals));
        }
        if !self.export.ignored.is_empty() {
            remarks.push(format!("not compared: {}", self.export.ignored.join(", ")));
        }
        remarks
    }

    /// Whether figures stand on other days than they should: much is unexplained in the rows, and
    /// next to nothing of it in their sum.
    fn looks_shifted(&self) -> bool {
        !self.is_zone_said
            && self.totals(None).values().any(|total| {
                let (sum, in_rows) = (
                    total.unexplained.magnitude(),
                    total.unexplained_in_rows.magnitude(),
                );
                total.theirs.magnitude() > 0
                    && sum * 5 < in_rows
                    && in_rows * 50 > total.theirs.magnitude()
            })
    }

    /// The waterfall: a column for each measure, or a block of lines for each group.
    fn table(&self, by: Option<ByArg>) -> Vec<String> {
        let totals = self.totals(by);
        let mut columns: Vec<&Line> = totals.keys().map(|(_, line)| line).collect();
        columns.sort_unstable();
        columns.dedup();
        let mut groups: Vec<&String> = totals.keys().map(|(group, _)| group).collect();
        groups.dedup();
        let heading = |line: &&Line| {
            let name = self.question.measures[line.0].replace('_', " ");
            format!("{name} {}", line.1).trim().to_owned()
        };
        let mut table: Vec<Vec<String>> = Vec::new();
        let mut first = vec![String::new()];
        first.extend(columns.iter().map(heading));
        table.push(first);
        for group in groups {
            if by.is_some() {
                let name = if group.is_empty() { "(none)" } else { group };
                let mut row = vec![name.to_owned()];
                row.extend(columns.iter().map(|_| String::new()));
                table.push(row);
            }
            let of = |line: &Line| totals.get(&(group.clone(), line.clone()));
            let mut put = |name: &str, cell: &dyn Fn(&Line, &Total) -> String| {
                let mut row = vec![name.to_owned()];
                row.extend(
                    columns
                        .iter()
                        .map(|line| of(line).map(|total| cell(line, total)).unwrap_or_default()),
                );
                if row[1..].iter().any(|cell| !cell.is_empty()) {
                    table.push(row);
                }
            };
            put("ours", &|_, total| total.ours.to_string());
            for cause in Cause::ALL {
                put(&format!("  {}", cause.label()), &|line, total| {
                    let part = total.parts.get(&cause).copied();
                    match (self.asked(cause, self.question.measures[line.0]), part) {
                        (_, Some((part, in_rows))) if part.unsigned() == in_rows => {
                            part.to_string()
                        }
                        // What goes out of one row comes into another.
                        (_, Some((part, in_rows))) => format!("{part} (moves {in_rows})"),
                        (Some(Ok(())), None) if by.is_none() => "0".to_owned(),
                        (Some(Err(_)), None) if by.is_none() => "?".to_owned(),
                        _ => String::new(),
                    }
                });
            }
            put("  unexplained", &|_, total| total.unexplained.to_string());
            put("theirs", &|_, total| total.theirs.to_string());
            if by.is_none() {
                put("unexplained by row, %", &|_, total| {
                    total.percent().to_string()
                });
            }
        }
        aligned(&table)
    }

    /// The result for programs.
    pub(super) fn json(&self) -> Value {
        let question = self.question;
        let figures: Vec<Value> = self
            .totals(None)
            .iter()
            .map(|((_, (measure, apart)), total)| {
                let name = question.measures[*measure];
                let causes: Vec<Value> = Cause::ALL
                    .into_iter()
                    .filter_map(|cause| {
                        let part = total.parts.get(&cause).copied();
                        match (part, self.asked(cause, name)) {
                            (None, None) => None,
                            (None, Some(Err(why))) => Some(json!({
                                "cause": cause.key(), "amount": null, "not_computable": why,
                            })),
                            (part, _) => {
                                let (amount, in_rows) = part.unwrap_or_default();
                                Some(json!({
                                    "cause": cause.key(), "amount": amount.to_string(),
                                    "in_rows": in_rows.to_string(),
                                }))
                            }
                        }
                    })
                    .collect();
                json!({
                    "measure": name, "of": apart, "theirs": total.theirs.to_string(),
                    "ours": total.ours.to_string(),
                    "gap": (total.theirs - total.ours).to_string(), "causes": causes,
                    "unexplained": total.unexplained.to_string(),
                    "unexplained_in_rows": total.unexplained_in_rows.to_string(),
                    "unexplained_percent": total.percent().to_string(),
                })
            })
            .collect();
        let known: Vec<Value> = self
            .known
            .iter()
            .map(|known| json!({"name": known.name, "value": known.value, "how": known.how.word()}))
            .collect();
        json!({
            "subject": format!("{:?}", question.subject).to_lowercase(),
            "platform": question.platform,
            "from": question.from.to_string(), "to": question.to.to_string(),
            "their_zone": question.zone, "our_zone": question.reporting_zone,
            "currency": question.currency, "they": known, "figures": figures,
            "rows": self.rows.iter().map(|(id, row)| self.json_row(id, row)).collect::<Vec<_>>(),
            "remarks": self.remarks(),
        })
    }

    fn json_row(&self, (measure, key, day): &RowId, row: &Row) -> Value {
        let mut value = json!({
            "day": date(*day).to_string(), "measure": self.question.measures[*measure],
            "theirs": row.theirs.map(|amount| amount.to_string()),
            "ours": row.ours.to_string(), "gap": row.gap().to_string(),
            "unexplained": row.unexplained().to_string(),
        });
        let mut causes = serde_json::Map::new();
        for (cause, part) in &row.parts {
            causes.insert(cause.key().to_owned(), part.to_string().into());
        }
        value["causes"] = causes.into();
        for (dimension, name) in self.question.dimensions.iter().zip(self.keys.names(*key)) {
            value[dimension.name()] = name.as_str().into();
        }
        value
    }

    /// Every row with its causes, as CSV.
    pub(super) fn write_csv(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = String::from("day");
        for dimension in &self.question.dimensions {
            text.push_str(&format!(",{}", dimension.name()));
        }
        text.push_str(",measure,theirs,ours,gap");
        for cause in Cause::ALL {
            text.push_str(&format!(",{}", cause.key()));
        }
        text.push_str(",unexplained\n");
        for ((measure, key, day), row) in self.rows {
            let mut cells = vec![date(*day).to_string()];
            cells.extend(self.keys.names(*key).iter().map(|name| quoted(name)));
            cells.push(self.question.measures[*measure].to_owned());
            cells.push(row.theirs.map(|one| one.to_string()).unwrap_or_default());
            cells.extend([row.ours.to_string(), row.gap().to_string()]);
            for cause in Cause::ALL {
                cells.push(
                    row.parts
                        .get(&cause)
                        .copied()
                        .unwrap_or_default()
                        .to_string(),
                );
            }
            cells.push(row.unexplained().to_string());
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        let mut file = std::fs::File::create(path)
            .with_context(|| format!("cannot make `{}`", path.display()))?;
        file.write_all(text.as_bytes())
            .with_context(|| format!("cannot write `{}`", path.display()))
    }
}

/// What a comparison is shown by; none for the day.
pub(super) fn dimension_of(by: ByArg) -> Option<Dimension> {
    match by {
        ByArg::Day => None,
        ByArg::Platform => Some(Dimension::Platform),
        ByArg::Account => Some(Dimension::Account),
        ByArg::Campaign => Some(Dimension::Campaign),
        ByArg::Channel => Some(Dimension::Channel),
        ByArg::Source => Some(Dimension::Source),
        ByArg::Medium => Some(Dimension::Medium),
        ByArg::Currency => Some(Dimension::Currency),
    }
}

/// A field of a CSV.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// A table's lines: the first column to the left, figures to the right.
fn aligned(table: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let count = table.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let mut text = String::new();
        for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let width = *width;
            match index {
                0 => text.push_str(&format!("{cell:<width$}")),
                _ => text.push_str(&format!("  {cell:>width$}")),
            }
        }
        text.trim_end().to_owned()
    };
    table.iter().map(line).collect()
}
