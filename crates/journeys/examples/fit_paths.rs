//! Fits every fitted model on a file of paths, and says what each took and gave, as JSON:
//!
//! ```text
//! cargo run --release --package journeys --example fit_paths -- generate 1000000 paths.csv
//! cargo run --release --package journeys --example fit_paths -- fit paths.csv
//! ```
//!
//! The file has a header and lines of `path;conversions;nulls;value`, channels parted by ` > `.
//! `make bench` runs it beside other libraries.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufWriter, Write};
use std::time::Instant;

use journeys::attribution::fitted::{FittedModel, GroupedPaths, PathsBuilder, fit};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Value of one unit, in the whole units that fits are made of.
const VALUE_UNITS: f64 = 1e12;

/// Credit of one conversion in its whole units.
const CREDIT_UNITS: f64 = 1e12;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["generate", count, file] => generate(count.parse()?, file),
        ["fit", file] => fit_all(file),
        _ => Err("usage: fit_paths generate COUNT FILE | fit_paths fit FILE".into()),
    }
}

/// Paths as companies have them: 16 channels of which few are frequent, four touches in the mean,
/// and one in ten converts; the same at every call.
fn generate(count: u64, file: &str) -> Outcome<()> {
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    writeln!(out, "path;conversions;nulls;value")?;
    for _ in 0..count {
        let mut touches = 1;
        while touches < 30 && random(4) > 0 {
            touches += 1;
        }
        for place in 0..touches {
            let parted = if place == 0 { "" } else { " > " };
            write!(out, "{parted}channel_{}", random(4) + random(4) * random(5))?;
        }
        let value = random(100);
        match random(10) {
            0 => writeln!(out, ";1;0;{value}")?,
            _ => writeln!(out, ";0;1;0")?,
        }
    }
    out.flush()?;
    Ok(())
}

fn fit_all(file: &str) -> Outcome<()> {
    let text = std::fs::read_to_string(file)?;
    let began = Instant::now();
    let (paths, names) = read(&text)?;
    let grouped = began.elapsed().as_secs_f64();
    let mut models = BTreeMap::new();
    for model in FittedModel::ALL {
        let began = Instant::now();
        let fit = match fit(model, &paths, false) {
            Ok(fit) => fit,
            Err(error) => {
                models.insert(model.name(), json!({"error": error.to_string()}));
                continue;
            }
        };
        let seconds = began.elapsed().as_secs_f64();
        let credits: BTreeMap<&str, f64> = fit
            .channels
            .iter()
            .map(|credit| {
                let name = names[credit.channel as usize];
                (name, credit.credit as f64 / CREDIT_UNITS)
            })
            .collect();
        models.insert(
            model.name(),
            json!({"seconds": seconds, "credits": credits}),
        );
    }
    say(&json!({
        "paths": text.lines().count() - 1,
        "distinct": paths.paths().len(),
        "grouped_seconds": grouped,
        "models": models,
    })
    .to_string());
    Ok(())
}

/// The paths of a file, and the channels' names by number.
fn read(text: &str) -> Outcome<(GroupedPaths, Vec<&str>)> {
    let mut builder = PathsBuilder::default();
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut names = Vec::new();
    let mut path = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(';').collect();
        let [channels, conversions, nulls, value] = fields.as_slice() else {
            return Err(format!("not four fields: `{line}`").into());
        };
        path.clear();
        for channel in channels.split(" > ") {
            path.push(*numbers.entry(channel).or_insert_with(|| {
                names.push(channel);
                names.len() as u32 - 1
            }));
        }
        let value = (value.parse::<f64>()? * VALUE_UNITS).round() as i128;
        builder.add(&path, conversions.parse()?, nulls.parse()?, value)?;
    }
    Ok((builder.finish(), names))
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn say(line: &str) {
    println!("{line}");
}
