//! Figures by old and new channel, summed exactly.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::{Value, json};

/// Places after the point of a credit, and of money.
const CREDIT_SCALE: usize = 12;
const MONEY_SCALE: usize = 6;
/// Origins that are named of a move.
const ORIGINS_MAX: usize = 3;

/// What is counted of visits, activities and credit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) sessions: i64,
    pub(super) activities: i64,
    /// Credited conversions, in steps of 10^-12.
    pub(super) conversions: i128,
    /// Credited revenue in the reporting currency, in millionths.
    pub(super) revenue: i128,
}

impl Figures {
    /// Of a row of a query; what it does not have is 0.
    pub(super) fn of_row(row: &Value) -> anyhow::Result<Self> {
        let fixed = |name: &str| match row.get(name).and_then(Value::as_str) {
            // The scale is fixed: without its point the text is the number of steps.
            Some(text) => text
                .replace('.', "")
                .parse()
                .with_context(|| format!("`{name}` is `{text}`, no amount")),
            None => Ok(0),
        };
        Ok(Self {
            sessions: row["sessions"].as_i64().unwrap_or_default(),
            activities: row["activities"].as_i64().unwrap_or_default(),
            conversions: fixed("conversions")?,
            revenue: fixed("revenue")?,
        })
    }

    fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.activities += other.activities;
        self.conversions += other.conversions;
        self.revenue += other.revenue;
    }

    fn json(&self) -> Value {
        json!({
            "sessions": self.sessions,
            "activities": self.activities,
            "conversions": fixed(self.conversions, CREDIT_SCALE, CREDIT_SCALE),
            "revenue": fixed(self.revenue, MONEY_SCALE, MONEY_SCALE),
        })
    }

    /// Sessions, activities, conversions and revenue, for people.
    fn cells(&self) -> [String; 4] {
        [
            self.sessions.to_string(),
            self.activities.to_string(),
            fixed(self.conversions, CREDIT_SCALE, 2),
            fixed(self.revenue, MONEY_SCALE, 2),
        ]
    }
}

/// A number of steps of 10^-scale, with that many places, halves away from zero.
fn fixed(steps: i128, scale: usize, places: usize) -> String {
    let power = |exponent: usize| (0..exponent).fold(1_i128, |power, _| power * 10);
    let cut = power(scale - places);
    let rounded = (steps.abs() + cut / 2) / cut;
    let (whole, rest) = (rounded / power(places), rounded % power(places));
    let sign = if steps < 0 && rounded != 0 { "-" } else { "" };
    format!("{sign}{whole}.{rest:0places$}")
}

/// What stays and what moves.
#[derive(Debug, Default)]
pub(super) struct Moves {
    by_pair: BTreeMap<(String, String), Pair>,
}

#[derive(Debug, Default)]
struct Pair {
    figures: Figures,
    /// Sessions and activities by source and medium.
    origins: BTreeMap<String, i64>,
}

impl Moves {
    /// Adds figures that have the old channel now and would have the new one.
    pub(super) fn add(&mut self, old: &str, new: &str, origin: &str, figures: &Figures) {
        let pair = self
            .by_pair
            .entry((old.to_owned(), new.to_owned()))
            .or_default();
        pair.figures.add(figures);
        if old != new {
            *pair.origins.entry(origin.to_owned()).or_default() +=
                figures.sessions + figures.activities;
        }
    }

    /// The channels that something would have.
    pub(super) fn targets(&self) -> BTreeSet<&str> {
        self.by_pair.keys().map(|(_, new)| new.as_str()).collect()
    }

    fn moved(&self) -> impl Iterator<Item = (&(String, String), &Pair)> {
        self.by_pair.iter().filter(|((old, new), _)| old != new)
    }

    fn sum<'a>(pairs: impl Iterator<Item = &'a Pair>) -> Figures {
        pairs.fold(Figures::default(), |mut sum, pair| {
            sum.add(&pair.figures);
            sum
        })
    }

    /// Each channel's figures now and then.
    fn channels(&self) -> BTreeMap<&str, (Figures, Figures)> {
        let mut channels: BTreeMap<&str, (Figures, Figures)> = BTreeMap::new();
        for ((old, new), pair) in &self.by_pair {
            channels.entry(old).or_default().0.add(&pair.figures);
            channels.entry(new).or_default().1.add(&pair.figures);
        }
        channels
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let moves = self.moved().map(|((old, new), pair)| {
            let mut row = pair.figures.json();
            row["old_channel"] = json!(old);
            row["new_channel"] = json!(new);
            row["origins"] = json!(pair.origins);
            row
        });
        let channels = self.channels().into_iter().map(|(channel, (before, after))| {
            json!({"channel": channel, "before": before.json(), "after": after.json()})
        });
        json!({
            "moves": moves.collect::<Vec<_>>(),
            "channels": channels.collect::<Vec<_>>(),
            "moved": Self::sum(self.moved().map(|(_, pair)| pair)).json(),
            "total": Self::sum(self.by_pair.values()).json(),
        })
    }

    /// For people.
    pub(super) fn lines(&self, model: &str, currency: &str) -> Vec<String> {
        let [sessions, activities, conversions, revenue] = Self::sum(self.by_pair.values()).cells();
        let all = format!(
            "{sessions} sessions, {activities} activities of the CRM, {conversions} conversions \
             and {revenue} {currency} credited to them (model {model})"
        );
        if self.moved().next().is_none() {
            return vec![format!("nothing would move: {all}")];
        }
        let heading = |name: &str| name.to_owned();
        let mut rows = vec![[
            heading("from"),
            heading("to"),
            heading("sessions"),
            heading("activities"),
            heading("conversions"),
            heading(currency),
            heading("because of"),
        ]];
        for ((old, new), pair) in self.moved() {
            let [sessions, activities, conversions, revenue] = pair.figures.cells();
            let from = (old.clone(), new.clone());
            let why = pair.why();
            rows.push([
                from.0,
                from.1,
                sessions,
                activities,
                conversions,
                revenue,
                why,
            ]);
        }
        let mut lines = aligned(&rows);
        let [sessions, activities, conversions, revenue] =
            Self::sum(self.moved().map(|(_, pair)| pair)).cells();
        lines.push(String::new());
        lines.push(format!(
            "would move: {sessions} sessions, {activities} activities, {conversions} conversions, \
             {revenue} {currency}"
        ));
        lines.push(format!("of: {all}"));
        lines
    }
}

impl Pair {
    /// The origins with most visits.
    fn why(&self) -> String {
        let mut origins: Vec<(&String, &i64)> = self.origins.iter().collect();
        origins.sort_by_key(|(origin, count)| (-**count, *origin));
        let named: Vec<&str> = origins
            .iter()
            .take(ORIGINS_MAX)
            .map(|(origin, _)| origin.as_str())
            .collect();
        let more = origins.len().saturating_sub(ORIGINS_MAX);
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        format!("{}{more}", named.join(", "))
    }
}

/// Rows as columns: numbers to the right, texts to the left.
fn aligned(rows: &[[String; 7]]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: [usize; 7] = std::array::from_fn(width);
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| match column {
            2..=5 => format!("{cell:>width$}"),
            _ => format!("{cell:<width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_written_with_their_places() {
        assert_eq!(fixed(1_234_567, 6, 2), "1.23");
        assert_eq!(fixed(1_235_000, 6, 2), "1.24");
        assert_eq!(fixed(-1_235_000, 6, 2), "-1.24");
        assert_eq!(fixed(-1, 6, 2), "0.00");
        assert_eq!(fixed(-1, 6, 6), "-0.000001");
        assert_eq!(fixed(0, 12, 12), "0.000000000000");
    }

    #[test]
    fn a_row_is_read_exactly_and_sums_stay() {
        let row = json!({"sessions": 3, "conversions": "0.333333333333", "revenue": "-10.500000"});
        let figures = Figures::of_row(&row).expect("figures");
        assert_eq!(
            (figures.sessions, figures.conversions, figures.revenue),
            (3, 333_333_333_333, -10_500_000)
        );
        let mut moves = Moves::default();
        moves.add("A", "A", "x / y", &figures);
        assert!(moves.lines("linear", "EUR")[0].starts_with("nothing would move: 3 sessions"));
        moves.add("A", "B", "x / z", &figures);
        let told = moves.json();
        assert_eq!(told["moved"]["sessions"], 3);
        assert_eq!(told["total"]["revenue"], "-21.000000");
        assert_eq!(told["channels"][0]["after"]["sessions"], 3);
        assert_eq!(told["moves"][0]["origins"], json!({"x / z": 3}));
        assert!(Figures::of_row(&json!({"revenue": "1,5"})).is_err());
    }
}
