//! Crash points: named places at which a test may end the process as a power cut would.
//!
//! Every path that changes something on disk has a point before and after each of its steps. Where
//! `THROUGHLINE_CRASH_AT` names one (`commit.before_log`, `commit.before_log:3` for the third time
//! it is passed, `*:40` for the fortieth point of any name), the process aborts there: no
//! destructor runs, nothing is flushed. Without the variable a point costs one load of a flag.
//! It never changes what a run does otherwise.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Environment variable that names the point.
pub const VARIABLE: &str = "THROUGHLINE_CRASH_AT";

/// All points, in about the order in which a new project's life passes them. A point that is not
/// listed here is a fault, which debug builds find.
pub const POINTS: &[&str] = &[
    // `init`: the key, then the settings, each written beside its place and moved there.
    "init.before_key",
    "init.key_written",
    "init.key_placed",
    "init.config_written",
    "init.config_placed",
    // The log of runs.
    "run_log.before_start",
    "run_log.started",
    "run_log.before_finish",
    "run_log.finished",
    // Hashes of source files: written beside their place and moved there.
    "hashes.before_write",
    "hashes.written",
    "hashes.placed",
    // A data file of any table.
    "file.opened",
    "file.before_close",
    "file.closed",
    // A commit of any table: the first makes the table.
    "commit.before_create",
    "commit.created",
    "commit.before_log",
    "commit.logged",
    "commit.before_checkpoint",
    "commit.checkpointed",
    // What commits, step by step.
    "raw.written",
    "raw.committed",
    "seed.written",
    "seed.committed",
    "quarantine.written",
    "quarantine.committed",
    "cleansing.written",
    "cleansing.committed",
    "staged.written",
    "staged.committed",
    "silver.written",
    "silver.checked",
    "silver.committed",
    "model.written",
    "model.checked",
    "model.committed",
    // Files that came out as those in the table are removed again.
    "model.before_discard",
    "model.discarded",
    // Upkeep: compaction, checkpoints on demand, vacuum.
    "compact.written",
    "compact.committed",
    "checkpoint.before",
    "checkpoint.written",
    "vacuum.before",
    "vacuum.log_file_removed",
    "vacuum.log_removed",
    "vacuum.files_removed",
];

struct Plan {
    /// `*` for any.
    name: String,
    /// Counts down to the abort.
    left: AtomicU64,
}

static PLAN: OnceLock<Option<Plan>> = OnceLock::new();

fn plan() -> Option<Plan> {
    let text = std::env::var(VARIABLE).ok()?;
    let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
    Some(Plan {
        name: name.to_owned(),
        left: AtomicU64::new(times.parse().unwrap_or(1)),
    })
}

/// The process passes the point `name`, and ends there if a test asked for it.
pub fn point(name: &str) {
    debug_assert!(POINTS.contains(&name), "`{name}` is not listed");
    let Some(plan) = PLAN.get_or_init(plan) else {
        return;
    };
    if (plan.name == "*" || plan.name == name) && plan.left.fetch_sub(1, Ordering::Relaxed) == 1 {
        std::process::abort();
    }
}
