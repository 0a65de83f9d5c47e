//! Random histories: after every run every table equals a rebuild from raw.
//!
//! A history is a seed. `THROUGHLINE_SEED=17 cargo test -p throughline --test it history` runs
//! number 17 alone; `THROUGHLINE_HISTORIES=200` runs that many from there (from 1 where no seed is
//! named).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::NaiveDate;
use lake::Table;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::content::{differences, tables};
use super::steps::Company;
use super::{crashes, program, rebuilt, setting};

/// Runs of a history, the first included.
const RUNS: usize = 5;

#[test]
fn every_history_equals_its_rebuild() {
    let first = setting("THROUGHLINE_SEED").unwrap_or(1);
    let count = setting("THROUGHLINE_HISTORIES").unwrap_or(1);
    let jobs = setting("THROUGHLINE_JOBS").unwrap_or(1);
    let (next, failed) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    let tally = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    let told = std::panic::catch_unwind(|| history(seed));
                    match told {
                        Ok(counts) => add(&mut tally.lock().unwrap(), &counts),
                        Err(_) => failed.lock().unwrap().push(seed),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    println!(
        "{count} histories from seed {first}: {:?}",
        tally.into_inner().unwrap()
    );
    assert!(
        failed.is_empty(),
        "{} of {count} histories failed: seeds {failed:?}\n\
         replay one: THROUGHLINE_SEED={} cargo test -p throughline --test it history -- --nocapture",
        failed.len(),
        failed[0]
    );
}

type Counts = BTreeMap<&'static str, u64>;

fn add(all: &mut Counts, more: &Counts) {
    for (name, count) in more {
        *all.entry(name).or_insert(0) += count;
    }
}

/// One history. Panics where a table differs, with the story so far.
fn history(seed: u64) -> Counts {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut company = Company::new(
        &program(),
        seed,
        ChaCha8Rng::seed_from_u64(seed + 1_000_000),
    );
    let mut counts = Counts::new();
    company.begin();
    for number in 0..RUNS {
        if number > 0 {
            for _ in 0..random.random_range(1..=4) {
                company.step();
                *counts.entry("steps").or_insert(0) += 1;
            }
        }
        disturb(&mut company, &mut random, number, &mut counts);
        run_and_compare(&mut company, seed, &mut counts);
        *counts.entry("runs compared").or_insert(0) += 1;
    }
    counts
}

/// Before the run that counts: a crash, or a run of a part.
fn disturb(company: &mut Company, random: &mut ChaCha8Rng, number: usize, counts: &mut Counts) {
    let crash = random.random_range(1..400);
    let (name, arguments): (&'static str, Vec<&str>) = match random.random_range(0..10) {
        0..3 => {
            let at = format!("*:{crash}");
            let fell = crashes(&mut company.project.command(&["run"]), &at);
            let said = if fell { "crashes" } else { "runs undisturbed" };
            company.story.push(format!("a run {said} at point {at}"));
            *counts.entry("crashes").or_insert(0) += u64::from(fell);
            return;
        }
        3 => ("selected runs", vec!["--select", "fct_journey_event"]),
        4 => ("selected runs", vec!["--select", "+fct_conversion"]),
        5 if number > 0 => (
            "runs of days",
            vec!["--from", "2026-03-27", "--to", "2026-03-28"],
        ),
        7 if number > 0 => (
            "upkeep",
            vec!["maintain", "--keep-days", "0", "--grace-hours", "0"],
        ),
        6 if number > 0 => (
            "full refreshes of a part",
            vec!["--full-refresh", "--select", "int_session_base+"],
        ),
        _ => return,
    };
    *counts.entry(name).or_insert(0) += 1;
    let mut all = arguments;
    if all[0].starts_with('-') {
        all.insert(0, "run");
    }
    company.story.push(all.join(" "));
    done(company, &all);
}

/// Runs the program; tells the story where it fails.
fn done(company: &Company, arguments: &[&str]) -> Value {
    let story = company.story.join("\n  ");
    super::done(&company.project, arguments).unwrap_or_else(|why| panic!("{why}\n  {story}"))
}

fn names(list: &Value) -> BTreeSet<String> {
    let models = list.as_array().unwrap().iter();
    models
        .map(|m| m["model"].as_str().unwrap().to_owned())
        .collect()
}

/// Plans, runs, and compares with a rebuild.
fn run_and_compare(company: &mut Company, seed: u64, counts: &mut Counts) {
    let before = tables(&company.project);
    let planned = done(company, &["plan"]);
    let ran = done(company, &["run"]);
    company.story.push("run".into());
    let story = format!("seed {seed}\n  {}", company.story.join("\n  "));
    let after = tables(&company.project);

    let built: Vec<&Value> = ran["models"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|m| m["outcome"] == "built")
        .collect();
    let built: BTreeSet<String> = built
        .iter()
        .map(|m| m["model"].as_str().unwrap().to_owned())
        .collect();
    let surely = planned["build"].as_array().unwrap().iter();
    let surely = surely.filter(|build| build["sure"] == true);
    let surely: BTreeSet<String> = surely
        .map(|build| build["model"].as_str().unwrap().to_owned())
        .collect();
    let planned = names(&planned["build"]);
    let unplanned: Vec<&String> = built.difference(&planned).collect();
    assert!(
        unplanned.is_empty(),
        "built without a plan: {unplanned:?}\n{story}"
    );
    *counts.entry("tables built").or_insert(0) += built.len() as u64;
    let spared = planned.difference(&built).count() as u64;
    *counts.entry("tables planned and found clean").or_insert(0) += spared;
    let missed: Vec<&String> = surely.difference(&built).collect();
    assert!(
        missed.is_empty(),
        "planned for sure and not built: {missed:?}\n{story}"
    );

    for balance in ran["balances"].as_array().unwrap() {
        let count = |name: &str| balance[name].as_i64().unwrap();
        let found = ["silver", "quarantine", "duplicates", "superseded"].map(count);
        assert_eq!(
            count("raw"),
            found.iter().sum::<i64>(),
            "{balance}\n{story}"
        );
    }
    untouched(&before, &after, &built, &story);

    let again = done(company, &["run"]);
    assert_eq!(
        again["built"], 0,
        "a second run builds {}\n{story}",
        again["models"]
    );
    let wanted = rebuilt(&company.project);
    let different = differences(&company.project, &wanted, &[]);
    assert!(
        different.is_empty(),
        "{} tables differ from a rebuild:\n{}\n{story}",
        different.len(),
        different.join("\n")
    );
}

/// What was not built is the same table; what was built keeps the files of its clean days.
fn untouched(
    before: &BTreeMap<String, Table>,
    after: &BTreeMap<String, Table>,
    built: &BTreeSet<String>,
    story: &str,
) {
    for (name, old) in before {
        let new = &after[name];
        let zone = name.split('.').next().unwrap_or_default();
        if name == "identity.customer_alias" {
            let (was, is) = (old.rows(), new.rows());
            assert!(was <= is, "the log of aliases lost rows\n{story}");
        }
        if !["raw", "seeds"].contains(&zone) && !built.contains(&old.name.name) {
            let rows = |table: &Table| table.ledger.data_batch;
            assert_eq!(rows(old), rows(new), "{name} was not built\n{story}");
        }
        if new.ledger.batch != new.ledger.data_batch {
            continue; // its small files were merged
        }
        let kept: BTreeSet<&str> = new.files.iter().map(|file| &*file.add.path).collect();
        let days = new.days();
        let noted = new.ledger.notes.get("built_days").cloned();
        if noted.as_ref().is_some_and(Value::is_null) {
            continue; // all of it was built again
        }
        let rebuilt: BTreeSet<NaiveDate> = noted
            .and_then(|days| serde_json::from_value(days).ok())
            .unwrap_or_default();
        for file in old
            .files
            .iter()
            .filter(|file| !kept.contains(&*file.add.path))
        {
            let mut its_days = file.tag.days.keys();
            let is_dirty = file.tag.days.is_empty()
                || its_days.any(|day| {
                    // A day that was built again may have come out as it was.
                    rebuilt.contains(day) || days.get(day).is_none_or(|at| *at > old.ledger.batch)
                });
            assert!(
                is_dirty,
                "{name}: {} left without a dirty day\n{story}",
                file.add.path
            );
        }
    }
}
