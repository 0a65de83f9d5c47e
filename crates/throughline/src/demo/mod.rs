//! The demo company: every source file of a made-up company, at any size, with the truth beside.
//!
//! Same arguments, same bytes, whatever the number of threads. The world is a pure function of the
//! seed: a first pass counts what there is (`plan`), later ones make it again and write. Nothing
//! here knows of the models that read the files.

mod ads;
mod calendar;
mod campaigns;
mod catalogue;
mod commerce;
mod company;
mod files;
mod ga4;
mod hubspot;
mod journeys;
mod model;
mod origins;
mod plan;
pub(crate) mod project;
mod random;
mod rates;
mod shopify;
mod truth;
mod units;
mod world;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use anyhow::{Context, bail};
use rayon::prelude::*;

use files::Defect;
use plan::Plan;
use world::World;

/// What to generate.
#[derive(Debug, Clone)]
pub(crate) struct GenerateOptions {
    /// About how many website events, counted in lines.
    pub(crate) events: u64,
    /// Over how many days; the last one is 2026-06-30.
    pub(crate) days: u32,
    /// Where all chance comes from.
    pub(crate) seed: u64,
    /// The folder to write into: new, empty, or of an earlier run.
    pub(crate) out: PathBuf,
    /// Threads to use; as many as there are cores without it.
    pub(crate) threads: Option<usize>,
}

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// What is being done.
    pub(crate) step: &'static str,
    /// How much of it is done.
    pub(crate) done: u64,
    /// How much of it there is.
    pub(crate) total: u64,
}

/// What was generated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct GenerateReport {
    /// Lines in the event files.
    pub(crate) events: u64,
    pub(crate) sessions: u64,
    pub(crate) people: u64,
    /// Sales, cancelled ones and tests among them.
    pub(crate) sales: u64,
    /// Orders of the shop.
    pub(crate) orders: u64,
    /// Lines in the order files: an order has one for each of its versions.
    pub(crate) order_lines: u64,
    pub(crate) refunds: u64,
    /// Planted defects.
    pub(crate) defects: u64,
}

/// Folders that belong to a generated company.
const FOLDERS: [&str; 8] = [
    "ga4",
    "google_ads",
    "meta_ads",
    "linkedin_ads",
    "hubspot",
    "shopify",
    "exchange_rates",
    "truth",
];

/// Writes all source files and the truth.
///
/// # Errors
/// If the arguments are out of range, the folder holds something else, or a file cannot be written.
pub(crate) fn generate(
    options: &GenerateOptions,
    progress: &dyn Fn(Progress),
) -> anyhow::Result<GenerateReport> {
    if !(2..=3650).contains(&options.days) {
        bail!("`--days` is {}, it must be from 2 to 3650", options.days);
    }
    if !(100..=10_000_000_000).contains(&options.events) {
        bail!(
            "`--events` is {}, it must be from 100 to 10000000000",
            options.events
        );
    }
    prepare(&options.out)?;
    let threads = options.threads.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .context("cannot start the threads")?;
    // The work runs on the pool and tells how far it is; the caller hears it on its own thread.
    let (sender, receiver) = mpsc::channel::<Progress>();
    std::thread::scope(|scope| {
        let work = scope.spawn(|| pool.install(|| write_all(options, &Teller(sender))));
        for news in receiver {
            progress(news);
        }
        work.join()
            .unwrap_or_else(|_| bail!("the generator stopped unexpectedly"))
    })
}

/// Empties the folder of what an earlier run wrote; leaves any other folder alone.
fn prepare(out: &Path) -> anyhow::Result<()> {
    let is_ours = out.join("truth/summary.json").exists();
    if let Ok(mut entries) = std::fs::read_dir(out)
        && entries.next().is_some()
        && !is_ours
    {
        bail!(
            "the folder `{}` is not empty and was not generated\nhint: name a new folder",
            out.display()
        );
    }
    for folder in FOLDERS {
        let path = out.join(folder);
        if path.exists() {
            std::fs::remove_dir_all(&path)
                .with_context(|| format!("cannot empty the folder `{}`", path.display()))?;
        }
    }
    std::fs::create_dir_all(out)
        .with_context(|| format!("cannot make the folder `{}`", out.display()))
}

/// Passes on how far the work is.
struct Teller(mpsc::Sender<Progress>);

impl Teller {
    fn tell(&self, step: &'static str, done: u64, total: u64) {
        // Nobody listening is no reason to stop.
        let _ = self.0.send(Progress {
            step,
            done: done.min(total),
            total,
        });
    }
}

fn write_all(options: &GenerateOptions, teller: &Teller) -> anyhow::Result<GenerateReport> {
    let world = World::new(options.seed, options.days as usize);
    let out = options.out.as_path();
    let target = options.events;
    // Nothing marks the folder as whole until the summary is written, at the very end.
    let plan = Plan::new(&world, target, &|done| {
        teller.tell("planning", done, target)
    });
    let mut report = GenerateReport {
        sessions: plan.sessions,
        orders: plan.orders() as u64,
        ..GenerateReport::default()
    };
    let mut defects: Vec<Defect> = Vec::new();
    let days = world.calendar.days;
    let done = each(days, "website events", teller, |day| {
        ga4::write_day(&world, &plan, out, day)
    })?;
    for (lines, planted) in done {
        report.events += lines;
        defects.extend(planted);
    }
    let done = each(days, "orders", teller, |day| {
        shopify::write_day(&world, &plan, out, day)
    })?;
    for (lines, planted) in done {
        report.order_lines += lines;
        defects.extend(planted);
    }
    shopify::write_products(&world, out)?;
    let done = each(days, "ad platforms", teller, |day| {
        ads::write_delivery(&world, &plan, out, day)
    })?;
    defects.extend(done.into_iter().flatten());
    let weeks = plan.crm_weeks.len();
    let done = each(weeks, "CRM", teller, |week| {
        hubspot::write_week(&world, &plan, out, week)
    })?;
    defects.extend(done.into_iter().flatten());
    rates::write(&world, out)?;
    truth::write_spend(&world, &plan, out)?;
    truth::write_campaigns(&world, out)?;
    let units = u64::from(plan.units);
    let counts = truth::write_units(&world, &plan, out, defects, &|done| {
        teller.tell("truth", done, units);
    })?;
    report.people = counts.people;
    report.sales = counts.sales;
    report.refunds = counts.refunds;
    report.defects = counts.defects;
    truth::write_summary(&world, &report, out)?;
    Ok(report)
}

/// Does a piece of work for each index, in parallel, and gives the results in their order.
fn each<T: Send>(
    count: usize,
    step: &'static str,
    teller: &Teller,
    work: impl Fn(usize) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let done = std::sync::atomic::AtomicU64::new(0);
    (0..count)
        .into_par_iter()
        .with_max_len(1)
        .map(|index| {
            let result = work(index);
            let done = 1 + done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            teller.tell(step, done, count as u64);
            result
        })
        .collect()
}
