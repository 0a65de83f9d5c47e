//! The paths that customers take, and how often.

use std::collections::{HashMap, VecDeque};

use super::Moment;

/// Between the steps of a path as text.
const ARROW: &str = " > ";
/// Stands for steps left out.
const CUT: &str = "…";
/// Bytes of a path beside its text, about.
const PATH_BYTES: usize = 96;

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathSettings {
    /// A path begins at the first row of this step; None: at the customer's first row.
    pub start: Option<String>,
    /// A path ends at the first row of this step, and has then converted. There is one path of a
    /// customer.
    pub end: Option<String>,
    /// Rows say themselves what converts; the next row begins another path.
    pub has_conversions: bool,
    /// Steps that are kept of a longer path: its first ones where `start` is given or nothing
    /// ends a path, else its last ones.
    pub max_steps: usize,
    /// The same step several times in a row is one.
    pub collapse: bool,
}

/// A row of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathStep<'a> {
    /// The step; None for a conversion that is no step of its own.
    pub step: Option<&'a str>,
    /// The path converts here.
    pub is_conversion: bool,
    /// What the conversion is worth, in units of 10^-6.
    pub value: Option<i128>,
}

/// A path of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathRow {
    /// Its steps; None for a conversion without any.
    pub path: Option<String>,
    /// Number of the steps in it.
    pub steps: u32,
    /// How often it was taken.
    pub paths: u64,
    /// How often it converted.
    pub conversions: u64,
    /// What these were worth, in units of 10^-6; None where no row says.
    pub value: Option<i128>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    steps: u32,
    paths: u64,
    conversions: u64,
    value: Option<i128>,
}

/// Counts paths.
#[derive(Debug)]
pub struct Paths {
    settings: PathSettings,
    keep_last: bool,
    counts: HashMap<String, Count>,
    bytes: usize,
    steps: VecDeque<String>,
    /// The path has begun.
    is_open: bool,
    is_cut: bool,
    /// The customer's one path has ended.
    is_over: bool,
    last: Option<String>,
    pending: Vec<(Option<String>, bool, Option<i128>)>,
    moment: Option<Moment>,
}

impl Paths {
    /// For the first customer.
    pub fn new(settings: PathSettings) -> Self {
        let keep_last =
            settings.start.is_none() && (settings.end.is_some() || settings.has_conversions);
        Self {
            settings,
            keep_last,
            counts: HashMap::new(),
            bytes: 0,
            steps: VecDeque::new(),
            is_open: false,
            is_cut: false,
            is_over: false,
            last: None,
            pending: Vec::new(),
            moment: None,
        }
    }

    /// A row of the customer, in order of its moment.
    pub fn row(&mut self, moment: Moment, row: PathStep<'_>) {
        if self.moment != Some(moment) {
            self.settle();
            self.moment = Some(moment);
        }
        let step = row.step.map(str::to_owned);
        self.pending.push((step, row.is_conversion, row.value));
    }

    /// The rows of the customer have ended.
    pub fn end_customer(&mut self) {
        self.settle();
        if self.is_open {
            self.close(false, None);
        }
        self.is_over = false;
        self.moment = None;
    }

    /// The paths, after the last customer: the most frequent first.
    pub fn finish(self) -> Vec<PathRow> {
        let mut rows: Vec<PathRow> = self
            .counts
            .into_iter()
            .map(|(path, count)| PathRow {
                path: (count.steps > 0).then_some(path),
                steps: count.steps,
                paths: count.paths,
                conversions: count.conversions,
                value: count.value,
            })
            .collect();
        rows.sort_unstable_by(|a, b| b.paths.cmp(&a.paths).then_with(|| a.path.cmp(&b.path)));
        rows
    }

    /// Bytes held, about.
    pub fn memory_bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the rows of one instant: the start first, then by name, the end and conversions last.
    fn settle(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        if pending.len() > 1 {
            let settings = &self.settings;
            let place = |step: &Option<String>| match step {
                step if *step == settings.start && step.is_some() => 0,
                step if *step == settings.end && step.is_some() => 2,
                _ => 1,
            };
            pending.sort_by(|a, b| {
                let order = (a.1, place(&a.0), &a.0, a.2);
                order.cmp(&(b.1, place(&b.0), &b.0, b.2))
            });
        }
        for (step, is_conversion, value) in pending.drain(..) {
            self.step(step, is_conversion, value);
        }
        self.pending = pending;
    }

    fn step(&mut self, step: Option<String>, is_conversion: bool, value: Option<i128>) {
        if self.is_over {
            return;
        }
        let starts = self.settings.start.is_none() || step == self.settings.start;
        if !self.is_open && !starts {
            return;
        }
        self.is_open = true;
        let ends = step.is_some() && step == self.settings.end;
        if let Some(step) = step {
            self.push(step);
        }
        if ends {
            self.close(true, value);
            self.is_over = true;
        } else if is_conversion {
            self.close(true, value);
        }
    }

    fn push(&mut self, step: String) {
        if self.settings.collapse && self.last.as_ref() == Some(&step) {
            return;
        }
        if self.steps.len() < self.settings.max_steps {
            self.steps.push_back(step.clone());
        } else {
            self.is_cut = true;
            if self.keep_last {
                self.steps.pop_front();
                self.steps.push_back(step.clone());
            }
        }
        self.last = Some(step);
    }

    /// Counts the path and clears it.
    fn close(&mut self, is_conversion: bool, value: Option<i128>) {
        let steps = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        let mut text: Vec<&str> = self.steps.iter().map(String::as_str).collect();
        match (self.is_cut, self.keep_last) {
            (true, true) => text.insert(0, CUT),
            (true, false) => text.push(CUT),
            (false, _) => {}
        }
        let text = text.join(ARROW);
        let bytes = text.len() + PATH_BYTES;
        let count = self.counts.entry(text).or_insert_with(|| {
            self.bytes += bytes;
            Count::default()
        });
        count.steps = steps;
        count.paths += 1;
        if is_conversion {
            count.conversions += 1;
            if let Some(value) = value {
                count.value = Some(count.value.unwrap_or_default() + value);
            }
        }
        self.steps.clear();
        self.is_open = false;
        self.is_cut = false;
        self.last = None;
    }
}
