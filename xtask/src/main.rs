//! Work on the repository itself: `cargo run -p xtask -- tidy|gen`.
//!
//! `tidy` checks the style and the structure that the compiler cannot see; it also runs as a test.
//! `gen` writes the part of `docs/reference` that is made from code. Neither knows the engine.

mod generate;
mod generate_metrics;
mod tidy;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};

/// The folder of the workspace.
fn root() -> PathBuf {
    // Asked when it runs: a build may be of another clone into the same target folder.
    let here = std::env::var_os("CARGO_MANIFEST_DIR");
    let here = here.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().unwrap_or(&here).to_path_buf()
}

fn main() -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let verb = std::env::args().nth(1).unwrap_or_default();
    match verb.as_str() {
        "tidy" => {
            let violations = tidy::check(&root())?;
            for violation in &violations {
                writeln!(stdout, "{violation}")?;
            }
            if !violations.is_empty() {
                bail!("{} places are not tidy", violations.len());
            }
            writeln!(stdout, "tidy")?;
        }
        "gen" => {
            for (path, text) in generate::pages(&root())? {
                let full = root().join(path);
                if let Some(folder) = full.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                std::fs::write(&full, text).with_context(|| format!("write {path}"))?;
                writeln!(stdout, "wrote {path}")?;
            }
        }
        other => bail!("no such verb `{other}`\nusage: cargo run -p xtask -- tidy|gen"),
    }
    stdout.flush().context("write to stdout")
}
