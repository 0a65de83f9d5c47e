//! How long fitted models take on generated paths: `cargo run --release --package journeys
//! --example fit_paths [PATHS]`, a million without a number. `make bench` runs it.

use std::time::Instant;

use journeys::attribution::fitted::{FittedModel, GroupedPaths, PathsBuilder, fit};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 1_000_000,
    };
    let began = Instant::now();
    let paths = generated(count)?;
    say(&format!(
        "{count} paths, {} of them distinct",
        paths.paths().len()
    ));
    say(&format!("generated and grouped: {:.3?}", began.elapsed()));
    for model in FittedModel::ALL {
        let began = Instant::now();
        let fit = fit(model, &paths, false)?;
        let took = began.elapsed();
        say(&format!(
            "{} of {} channels: {took:.3?}",
            model.name(),
            fit.channels.len()
        ));
    }
    Ok(())
}

/// Paths of 1 to 12 touches on 16 channels, a tenth of which convert; the same at every call.
fn generated(count: u64) -> Result<GroupedPaths, Box<dyn std::error::Error>> {
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut builder = PathsBuilder::default();
    for _ in 0..count {
        let length = 1 + random(4) + random(9);
        let path: Vec<u32> = (0..length)
            .map(|_| (random(4) + random(4) * random(5)) as u32)
            .collect();
        let converts = random(10) == 0;
        let value = match converts {
            true => 1_000_000 * i128::from(random(100)),
            false => 0,
        };
        builder.add(&path, u64::from(converts), u64::from(!converts), value)?;
    }
    Ok(builder.finish())
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn say(line: &str) {
    println!("{line}");
}
