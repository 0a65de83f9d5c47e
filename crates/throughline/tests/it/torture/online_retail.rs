//! A year of a real shop's order lines, loaded day file by day file in a shuffled order, with one
//! day replaced: raw has every row once, and what is built equals a rebuild.
//!
//! `make test` loads many days before each run, `make torture` one
//! (`THROUGHLINE_DAYS_PER_RUN=1`).

use std::path::PathBuf;

use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use testkit::{Project, shared};

use super::content::differences;
use super::{program, rebuilt, setting};

/// Lines of all 305 days, as the data set's authors count them.
const ROWS: i64 = 541_909;
/// Lines that stand twice, in all their columns.
const DUPLICATES: i64 = 5_268;
/// Lines without a customer.
const ANONYMOUS: &str = "135080";
/// Lines of cancellations.
const CANCELLED: i64 = 9_288;

const SETTINGS: &str = "
reporting: {zone: Europe/London, currency: GBP}
sources:
  retail:
    path: 'days/*.csv'
    zone: Europe/London
    currency: GBP
    files: {effective_at: {file: '{date}'}}
";

/// An invoice's lines are one order: its first line stands for it.
const ORDERS: &str = "-- grain: one row per invoice that is no cancellation
{{ config(entity='order', rows='some') }}
with line as (
    select
        *,
        row_number() over (partition by _file_id, \"InvoiceNo\" order by _row) as place,
        sum(cast(\"Quantity\" as decimal(12, 0)) * cast(\"UnitPrice\" as decimal(12, 3)))
            over (partition by _file_id, \"InvoiceNo\") as total
    from {{ source('retail', 'rows') }}
),
final as (
    select
        _raw_id,
        \"InvoiceNo\" as order_id,
        \"InvoiceDate\" as ordered_at,
        split_part(\"CustomerID\", '.', 1) as buyer_id,
        cast(total as decimal(18, 6)) as gross_amount,
        \"Country\" as country
    from line
    where place = 1 and \"InvoiceNo\" not like 'C%'
)
select * from final
";

/// Lines that agree in everything are one line that was exported twice.
const LINES: &str = "-- grain: one row per line of an invoice
{{ config(entity='order_line') }}
select
    _raw_id,
    \"InvoiceNo\" as order_id,
    concat_ws('|', \"StockCode\", \"Description\", \"Quantity\", \"InvoiceDate\", \"UnitPrice\") as line_id,
    \"InvoiceDate\" as ordered_at,
    \"StockCode\" as product_id,
    \"StockCode\" as sku,
    \"Description\" as product_name,
    \"Quantity\" as quantity,
    \"UnitPrice\" as unit_price_amount
from {{ source('retail', 'rows') }}
";

const REFUNDS: &str = "-- grain: one row per line of a cancellation
{{ config(entity='refund', rows='some') }}
select
    _raw_id,
    concat_ws('|', \"InvoiceNo\", \"StockCode\", \"Description\", \"Quantity\", \"UnitPrice\")
        as refund_id,
    \"InvoiceDate\" as refunded_at,
    cast(
        -cast(\"Quantity\" as decimal(12, 0)) * cast(\"UnitPrice\" as decimal(12, 3))
        as decimal(18, 6)
    ) as refund_amount
from {{ source('retail', 'rows') }}
where \"InvoiceNo\" like 'C%'
";

fn shop() -> Project {
    let project = Project::new(&program(), SETTINGS);
    project.write("throughline.key", format!("{:064x}\n", 5));
    project.write("models/1_silver/stg_retail__orders.sql", ORDERS);
    project.write("models/1_silver/stg_retail__lines.sql", LINES);
    project.write("models/1_silver/stg_retail__refunds.sql", REFUNDS);
    project
}

fn balance<'a>(ran: &'a Value, model: &str) -> &'a Value {
    let balances = ran["balances"].as_array().unwrap();
    balances.iter().find(|b| b["model"] == model).unwrap()
}

fn equals_a_rebuild(project: &Project, when: &str) {
    assert_eq!(project.json(&["run"], 0)["built"], 0, "{when}");
    let wanted = rebuilt(project);
    let different = differences(project, &wanted, &[]);
    assert!(different.is_empty(), "{when}:\n{}", different.join("\n"));
}

#[test]
fn a_year_of_shuffled_days_equals_its_rebuild() {
    let Some(data) = shared("data/online_retail/data/retail-data/by-day") else {
        return;
    };
    let seed = setting("THROUGHLINE_SEED").unwrap_or(1);
    let days_per_run = setting("THROUGHLINE_DAYS_PER_RUN").unwrap_or(153) as usize;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut days: Vec<PathBuf> = std::fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "csv"))
        .collect();
    days.sort();
    assert_eq!(days.len(), 305);
    days.shuffle(&mut random);

    let project = shop();
    let put = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        project.write(&format!("days/{name}"), std::fs::read(path).unwrap());
    };
    let mut ran = Value::Null;
    for some in days.chunks(days_per_run) {
        some.iter().for_each(put);
        ran = project.json(&["run"], 0);
        assert_eq!(ran["loaded_files"], some.len(), "seed {seed}");
    }
    let count = |sql: &str| project.value(sql);
    assert_eq!(
        count("select count(*) from raw.retail__rows"),
        ROWS.to_string()
    );
    assert_eq!(
        count("select count(distinct _raw_id) from raw.retail__rows"),
        ROWS.to_string()
    );
    let anonymous = "select count(*) from raw.retail__rows where \"CustomerID\" = ''";
    assert_eq!(count(anonymous), ANONYMOUS);
    let lines = balance(&ran, "stg_retail__lines");
    assert_eq!(lines["duplicates"], DUPLICATES);
    assert_eq!(lines["silver"], ROWS - DUPLICATES);
    let refunds = balance(&ran, "stg_retail__refunds");
    let found = ["silver", "duplicates"].map(|name| refunds[name].as_i64().unwrap());
    assert_eq!(found.iter().sum::<i64>(), CANCELLED);
    if days_per_run == 1 {
        equals_a_rebuild(&project, &format!("seed {seed}, day by day"));
    }

    // One day is replaced: some lines are gone, some quantities are others.
    let day = &days[random.random_range(0..days.len())];
    let text = std::fs::read_to_string(day).unwrap();
    let before = text.lines().count() as i64 - 1;
    let mut kept = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if number == 0 || !random.random_bool(0.2) {
            kept.push(line.replace(",2,20", ",3,20"));
        }
    }
    let name = day.file_name().unwrap().to_string_lossy().into_owned();
    project.write(&format!("days/{name}"), kept.join("\n") + "\n");
    let ran = project.json(&["run"], 0);
    let lines = balance(&ran, "stg_retail__lines");
    assert_eq!(lines["superseded"], before, "{name}");
    assert_eq!(lines["raw"], ROWS + kept.len() as i64 - 1, "{name}");
    equals_a_rebuild(&project, &format!("seed {seed}, {name} replaced"));
}
