//! Crashes at every named point: the next runs carry on to the tables of an undisturbed build.
//!
//! `make test` crashes at each point once, one after another in the life of one project, and
//! compares at the end. `make torture` crashes at each point the first, second, fourth … time that
//! it is passed, each on a project of its own, and compares every time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lake::crash::POINTS;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use testkit::Project;

use super::content::{differences, tables};
use super::{crashes, program, rebuilt, setting};

const SETTINGS: &str = "
sources:
  shop:
    path: orders/*.csv
";

const ORDERS: &str = "-- grain: one row per order
{{ config(entity='order') }}
select _raw_id, id as order_id, at as ordered_at, amount as gross_amount, 'EUR' as currency_code
from {{ source('shop', 'rows') }}
";

/// The row that breaks the contract has an id that is cleansed.
const RULES: &str =
    "models: [{name: stg_shop__orders, columns: [{name: order_id, cleanse: upper}]}]";

const DAYS: &str = "-- grain: one row per day
{{ config(materialized='incremental', event_time='event_date') }}
select event_date, count(*) as orders, sum(gross_amount) as amount
from {{ entity('order') }}
group by event_date
";

/// Points that only the first runs pass, and those that only every twentieth commit passes.
fn is_special(point: &str) -> bool {
    point.starts_with("init.") || is_of_checkpoint(point)
}

fn is_of_checkpoint(point: &str) -> bool {
    point.starts_with("commit.") && point.contains("checkpoint")
}

/// Points that `maintain` passes.
fn is_upkeep(point: &str) -> bool {
    let part = point.split('.').next().unwrap_or_default();
    ["compact", "checkpoint", "vacuum"].contains(&part)
}

/// A small shop that changes so that a run passes every point.
struct Shop {
    project: Project,
    changes: u32,
    files: BTreeMap<String, String>,
}

impl Shop {
    fn new() -> Self {
        let project = Project::new(&program(), SETTINGS);
        project.write("models/1_silver/stg_shop__orders.sql", ORDERS);
        project.write("models/1_silver/stg_shop__orders.yml", RULES);
        project.write("models/4_marts/mart_day.sql", DAYS);
        Self {
            project,
            changes: 0,
            files: BTreeMap::new(),
        }
    }

    fn on(&self, project: Project) -> Self {
        Self {
            project,
            changes: self.changes,
            files: self.files.clone(),
        }
    }

    fn file(&mut self, path: &str, text: String) {
        self.project.write(path, &text);
        self.files.insert(path.to_owned(), text);
    }

    /// A new day with a row that breaks the contract, the day before replaced, a seed edited and
    /// a new one: a run passes every point of loading, staging, publishing and building.
    fn change(&mut self) {
        self.changes += 1;
        let k = self.changes;
        let day = |n: u32| format!("2026-{:02}-{:02}", 1 + n / 28, 1 + n % 28);
        let rows = |n: u32, amount: u32| {
            let mut text = "id,at,amount\n".to_owned();
            for i in 0..3 {
                writeln!(text, "{n}-{i},{} 1{i}:00:00,{amount}.5{i}", day(n)).unwrap();
            }
            writeln!(text, "{n}-x,never,{amount}").unwrap();
            text
        };
        self.file(&format!("orders/{}.csv", day(k)), rows(k, 10));
        self.file(&format!("orders/{}.csv", day(k - 1)), rows(k - 1, 20 + k));
        self.file("seeds/label.csv", format!("id,label\n1,label {k}\n"));
        self.file(&format!("seeds/label_{k}.csv"), "id\n1\n".into());
    }

    /// The same files, built without a disturbance.
    fn undisturbed(&self) -> Project {
        let other = Self::new();
        let key = self.project.dir().join("throughline.key");
        std::fs::copy(key, other.project.dir().join("throughline.key")).unwrap();
        for (path, text) in &self.files {
            other.project.write(path, text);
        }
        other.project.json(&["run"], 0);
        other.project
    }

    fn crashes(&self, at: &str) -> bool {
        let arguments: &[&str] = match is_upkeep(at) {
            true => &["maintain", "--keep-days", "0", "--grace-hours", "0"],
            false => &["run"],
        };
        crashes(&mut self.project.command(arguments), at)
    }

    /// A run ends what was begun, and leaves nothing to do.
    fn settle(&self, after: &str) {
        let ran = self.project.json(&["run"], 0);
        for balance in ran["balances"].as_array().unwrap() {
            let count = |name: &str| balance[name].as_i64().unwrap();
            let found = ["silver", "quarantine", "duplicates", "superseded"].map(count);
            assert_eq!(
                count("raw"),
                found.iter().sum::<i64>(),
                "{after}: {balance}"
            );
        }
        let planned = self.project.json(&["plan"], 0);
        assert_eq!(planned["load"].as_array().unwrap().len(), 0, "{after}");
        assert_eq!(planned["build"].as_array().unwrap().len(), 0, "{after}");
    }

    /// Every raw row is there once.
    fn raw_is_whole(&self, after: &str) {
        let doubled = "select count(*) - count(distinct _raw_id) from raw.shop__rows";
        assert_eq!(self.project.value(doubled), "0", "{after}");
    }
}

#[test]
fn a_crash_at_any_point_loses_and_doubles_nothing() {
    let seed = setting("THROUGHLINE_SEED").unwrap_or(1);
    if setting("THROUGHLINE_CRASHES") == Some(1) {
        every_point_by_itself();
    } else {
        one_after_another(seed);
    }
}

/// One project in which every run crashes at the next point.
fn one_after_another(seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut shop = Shop::new();
    let mut crashed = Vec::new();
    for point in POINTS.iter().filter(|point| !is_special(point)) {
        let at = format!("{point}:{}", random.random_range(1..=3));
        shop.change();
        if !shop.crashes(&at) {
            shop.change();
            if is_upkeep(point) {
                shop.project.json(&["run"], 0);
            }
            assert!(shop.crashes(point), "seed {seed}: {point} was never passed");
        }
        crashed.push(at);
    }
    let after = format!("seed {seed}, after crashes at {}", crashed.join(", "));
    shop.settle(&after);
    shop.raw_is_whole(&after);
    let wanted = shop.undisturbed();
    let different = differences(&shop.project, &wanted, &["raw"]);
    assert!(different.is_empty(), "{after}:\n{}", different.join("\n"));
}

/// For every point a copy of one project that crashes there and goes on.
fn every_point_by_itself() {
    let mut base = Shop::new();
    base.change();
    base.project.json(&["run"], 0);
    let mut undisturbed = base.on(base.project.copy(&[]));
    undisturbed.change();
    undisturbed.project.json(&["run"], 0);
    let mut crashed = 0;
    for point in POINTS.iter().filter(|point| !is_special(point)) {
        for power in 0..10 {
            let at = format!("{point}:{}", 1 << power);
            let mut shop = base.on(base.project.copy(&[]));
            if is_upkeep(point) {
                shop = base.on(undisturbed.project.copy(&[]));
            } else {
                shop.change();
            }
            if !shop.crashes(&at) {
                assert!(power > 0, "{point} was never passed");
                break;
            }
            crashed += 1;
            shop.settle(&at);
            let different = differences(&shop.project, &undisturbed.project, &[]);
            assert!(different.is_empty(), "{at}:\n{}", different.join("\n"));
        }
    }
    eprintln!("{crashed} crashes, each carried on to the tables of an undisturbed run");
}

#[test]
fn a_file_replaced_after_a_crash_leaves_nothing_beside_its_model() {
    for point in ["quarantine.committed", "cleansing.committed"] {
        let mut shop = Shop::new();
        shop.change();
        shop.project.json(&["run"], 0);
        let path = "orders/2026-01-01.csv";
        shop.file(path, "id,at,amount\na-0,never,1\na-1,never,2\n".into());
        assert!(shop.crashes(point));
        shop.file(path, "id,at,amount\n0-0,2026-01-01 10:00:00,1\n".into());
        shop.settle("replaced after a crash");
        let left = "select count(*) as n from quality.cleansing where value_before like 'a-%'";
        assert_eq!(shop.project.value(left), "0", "{point}");
    }
}

#[test]
fn a_crash_round_a_checkpoint_of_the_log_loses_nothing() {
    // The nineteenth commit after the first writes a checkpoint: a seed is committed by every run.
    let mut shop = Shop::new();
    shop.change();
    shop.project.json(&["run"], 0);
    let label = |k: u64| format!("id,label\n1,edition {k}\n");
    let version = |shop: &Shop| tables(&shop.project)["seeds.label"].version;
    while version(&shop) < 18 {
        shop.file("seeds/label.csv", label(version(&shop)));
        shop.project
            .json(&["run", "--select", "stg_shop__orders"], 0);
    }
    for point in POINTS.iter().filter(|point| is_of_checkpoint(point)) {
        let mut copy = shop.on(shop.project.copy(&[]));
        copy.file("seeds/label.csv", label(100));
        assert!(copy.crashes(point), "{point} was never passed");
        copy.settle(point);
        let text = copy.project.value("select label from seeds.label");
        assert_eq!(text, "edition 100", "{point}");
        copy.file("seeds/label.csv", label(101));
        copy.settle(point);
        assert_eq!(version(&copy), 20, "{point}");
    }
}

#[test]
fn a_crash_of_init_leaves_a_folder_that_init_can_finish() {
    let folder = tempfile::tempdir().unwrap();
    for point in POINTS.iter().filter(|point| point.starts_with("init.")) {
        let dir = folder.path().join(point);
        let path = dir.display().to_string();
        let init = || {
            let mut command = std::process::Command::new(program());
            command.args(["init", &path, "--yes"]);
            command
        };
        assert!(crashes(&mut init(), point), "{point} was never passed");
        let key = std::fs::read_to_string(dir.join("throughline.key"));
        if !dir.join("throughline.yml").exists() {
            let out = init().output().unwrap();
            assert!(out.status.success(), "{point}: {}", testkit::text(&out));
        }
        let now = std::fs::read_to_string(dir.join("throughline.key")).unwrap();
        assert_eq!(now.trim().len(), 64, "{point}");
        assert_eq!(key.unwrap_or(now.clone()), now, "{point}: a key is kept");
        let plan = std::process::Command::new(program())
            .args(["--project", &path, "plan"])
            .output()
            .unwrap();
        assert!(plan.status.success(), "{point}: {}", testkit::text(&plan));
    }
}

#[test]
fn a_rebuild_from_raw_equals_the_tables_it_replaces() {
    let mut shop = Shop::new();
    shop.change();
    shop.project.json(&["run"], 0);
    shop.change();
    shop.project.json(&["run"], 0);
    let wanted = rebuilt(&shop.project);
    let different = differences(&shop.project, &wanted, &[]);
    assert!(different.is_empty(), "{}", different.join("\n"));
    // The comparison sees one changed cell.
    shop.file("seeds/label.csv", "id,label\n1,another\n".into());
    shop.project.json(&["run"], 0);
    let different = differences(&shop.project, &wanted, &[]);
    assert_eq!(different.len(), 1, "{different:?}");
}
