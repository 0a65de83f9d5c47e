//! How many customers pass the steps of a funnel, and how long it takes them.

use super::Moment;

/// What may lie between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOrder {
    /// The steps in their order, with anything in between.
    Ordered,
    /// The steps in their order, with nothing in between.
    Strict,
    /// The steps in any order.
    Any,
}

/// What a funnel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunnelSettings {
    /// Number of its steps, at most 64.
    pub steps: usize,
    /// In how many microseconds after the first step the others count, inclusive; None: ever.
    pub within_us: Option<i64>,
    /// What may lie between two steps.
    pub order: StepOrder,
}

/// One step of the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FunnelRow {
    /// Customers who came this far.
    pub customers: u64,
    /// Mean time since the step before, in microseconds; None at the first step and without anyone.
    pub average_us: Option<f64>,
    /// Median time since the step before, in microseconds.
    pub median_us: Option<f64>,
}

/// Counts the customers of a funnel.
#[derive(Debug)]
pub struct Funnel {
    settings: FunnelSettings,
    customers: Vec<u64>,
    /// Of each step the times since the step before, in microseconds.
    waits: Vec<Vec<u64>>,
    /// By step: times of the steps of the latest way that came so far.
    ways: Vec<Vec<i64>>,
    /// Times of the way that came furthest, the first of such.
    best: Vec<i64>,
    /// Rows of one instant, each with the steps that it is.
    pending: Vec<u64>,
    moment: Option<Moment>,
}

impl Funnel {
    /// For the first customer.
    pub fn new(settings: FunnelSettings) -> Self {
        Self {
            settings,
            customers: vec![0; settings.steps],
            waits: vec![Vec::new(); settings.steps],
            ways: vec![Vec::new(); settings.steps],
            best: Vec::new(),
            pending: Vec::new(),
            moment: None,
        }
    }

    /// A row of the customer. `steps` has a bit for each step that the row is; none for others,
    /// which count where nothing may lie between. Rows come in order of their moment.
    pub fn row(&mut self, moment: Moment, steps: u64) {
        if self.moment != Some(moment) {
            self.settle();
            self.moment = Some(moment);
        }
        self.pending.push(steps);
    }

    /// The rows of the customer have ended.
    pub fn end_customer(&mut self) {
        self.settle();
        for (step, &at_us) in self.best.iter().enumerate() {
            self.customers[step] += 1;
            if let Some(before) = step.checked_sub(1) {
                self.waits[step].push(at_us.abs_diff(self.best[before]));
            }
        }
        self.best.clear();
        self.ways.iter_mut().for_each(Vec::clear);
        self.moment = None;
    }

    /// The steps, after the last customer.
    pub fn finish(mut self) -> Vec<FunnelRow> {
        let customers = self.customers.iter();
        let steps = customers.zip(self.waits.iter_mut());
        steps
            .map(|(&customers, waits)| FunnelRow {
                customers,
                average_us: average(waits),
                median_us: median(waits),
            })
            .collect()
    }

    /// Bytes held, about.
    pub fn memory_bytes(&self) -> usize {
        let waits: usize = self.waits.iter().map(Vec::capacity).sum();
        let ways: usize = self.ways.iter().map(Vec::capacity).sum();
        (waits + ways + self.pending.capacity()) * size_of::<u64>()
    }

    /// Takes the rows of one instant, earlier steps first, others last.
    fn settle(&mut self) {
        let Some((at_us, _)) = self.moment else {
            return;
        };
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_unstable_by_key(|steps| (steps.trailing_zeros(), *steps));
        for steps in pending.drain(..) {
            self.step(at_us, steps);
        }
        self.pending = pending;
    }

    fn step(&mut self, at_us: i64, steps: u64) {
        match self.settings.order {
            StepOrder::Any => self.any(at_us, steps),
            StepOrder::Ordered => self.ordered(at_us, steps),
            StepOrder::Strict => {
                self.ordered(at_us, steps);
                for (step, way) in self.ways.iter_mut().enumerate() {
                    if steps & (1 << step) == 0 {
                        way.clear();
                    }
                }
            }
        }
    }

    /// Takes the ways that came to the step before one further. Later steps first, so that a row
    /// that is two steps takes none two further.
    fn ordered(&mut self, at_us: i64, steps: u64) {
        for step in (0..self.settings.steps).rev() {
            if steps & (1 << step) == 0 {
                continue;
            }
            let mut way = std::mem::take(&mut self.ways[step]);
            way.clear();
            if let Some(before) = step.checked_sub(1) {
                way.extend(&self.ways[before]);
                // The latest way began last: if it is too old, all are.
                let is_open = way
                    .first()
                    .is_some_and(|&first_us| self.is_within(first_us, at_us));
                if !is_open {
                    way.clear();
                    self.ways[step] = way;
                    continue;
                }
            }
            way.push(at_us);
            if way.len() > self.best.len() {
                self.best.clone_from(&way);
            }
            self.ways[step] = way;
        }
    }

    /// Counts the steps of which the latest row lies within the window that ends here.
    fn any(&mut self, at_us: i64, steps: u64) {
        for (step, way) in self.ways.iter_mut().enumerate() {
            if steps & (1 << step) != 0 {
                way.clear();
                way.push(at_us);
            }
        }
        let latest = self.ways.iter().filter_map(|way| way.first().copied());
        let mut times: Vec<i64> = latest.filter(|&time| self.is_within(time, at_us)).collect();
        if times.len() > self.best.len() {
            times.sort_unstable();
            self.best = times;
        }
    }

    fn is_within(&self, first_us: i64, at_us: i64) -> bool {
        let within_us = self.settings.within_us;
        within_us.is_none_or(|within_us| at_us.saturating_sub(first_us) <= within_us)
    }
}

fn average(waits: &[u64]) -> Option<f64> {
    let total: u128 = waits.iter().map(|&wait| u128::from(wait)).sum();
    (!waits.is_empty()).then(|| total as f64 / waits.len() as f64)
}

fn median(waits: &mut [u64]) -> Option<f64> {
    waits.sort_unstable();
    let middle = waits.len() / 2;
    let upper = *waits.get(middle)?;
    let lower = if waits.len().is_multiple_of(2) {
        waits[middle - 1]
    } else {
        upper
    };
    Some((lower as f64 + upper as f64) / 2.0)
}
