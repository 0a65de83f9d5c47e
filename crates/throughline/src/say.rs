//! What is said to the person at the keyboard: on standard error, and only results on standard
//! output. This is the one place that prints.
//!
//! Whoever reads the output may have enough of it (`throughline query … | head`). That is no error:
//! what is left is not written, and the program ends as it would have.

use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use transform::run::{ModelResult, Observer, Outcome};

/// How much is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    /// Only the result and errors.
    pub(crate) quiet: bool,
    /// The result is JSON on standard output.
    pub(crate) json: bool,
}

impl Voice {
    /// A line about what is being done.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }

    /// A line that must be seen.
    pub(crate) fn warn(self, text: &str) {
        say(text);
    }

    /// A line of the result, for people.
    pub(crate) fn line(self, text: &str) {
        if !self.json {
            result(text);
        }
    }

    /// The result for programs.
    pub(crate) fn result(self, value: &serde_json::Value) {
        if self.json {
            result(&value.to_string());
        }
    }
}

/// A line on standard error; if nobody hears it, it is lost.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Part of the result could not be written.
static IS_LOST: AtomicBool = AtomicBool::new(false);

/// A line on standard output.
fn result(text: &str) {
    if let Err(error) = writeln!(stdout(), "{text}") {
        // Once is enough.
        if !IS_LOST.swap(true, Ordering::Relaxed) {
            say(&format!("error: the result cannot be written: {error}"));
        }
    }
}

/// Whether a part of the result was lost, so that the program has failed.
pub(crate) fn is_lost() -> bool {
    IS_LOST.load(Ordering::Relaxed)
}

/// Standard output. What is written after its reader has gone goes nowhere.
pub(crate) fn stdout() -> impl Write {
    Piped { out: io::stdout() }
}

struct Piped {
    out: io::Stdout,
}

/// A result without the error that the reader has gone.
fn unless_gone<T>(result: io::Result<T>, instead: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(instead),
        other => other,
    }
}

impl Write for Piped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unless_gone(self.out.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        unless_gone(self.out.flush(), ())
    }
}

/// An error with its causes, each on a line.
pub(crate) fn error(error: &anyhow::Error) {
    say(&format!("error: {error}"));
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        if !said.contains(&text) {
            say(&format!("  because: {text}"));
            said.push_str(&text);
        }
    }
}

/// Something that was kept in an older form is in the newest now.
pub(crate) fn upgrade(text: &str) {
    say(&format!("note: {text}"));
}

/// The log, on standard error: warnings of our own crates; where it is asked for, each of their
/// steps and what the engine says.
pub(crate) fn start_logging(verbose: u8) {
    let level = match verbose {
        0 | 1 => log::LevelFilter::Warn,
        _ => log::LevelFilter::Debug,
    };
    let _ = log::set_logger(&STDERR).map(|()| log::set_max_level(level));
}

struct Stderr;
static STDERR: Stderr = Stderr;

/// Our own crates that log.
const OURS: [&str; 6] = [
    "throughline",
    "transform",
    "lake",
    "sources",
    "journeys",
    "orchestrate",
];

impl log::Log for Stderr {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        let name = metadata.target().split("::").next().unwrap_or_default();
        match log::max_level() {
            log::LevelFilter::Warn => OURS.contains(&name),
            _ => OURS.contains(&name) || metadata.level() <= log::Level::Info,
        }
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            say(&format!("{}: {}", record.target(), record.args()));
        }
    }

    fn flush(&self) {}
}

/// Progress: a bar on a terminal, plain lines elsewhere.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    last: Mutex<String>,
}

impl Progress {
    pub(crate) fn new(voice: Voice) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (terminal && !voice.quiet).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            bar,
            lines: !terminal && !voice.quiet,
            last: Mutex::default(),
        }
    }

    /// What is being done; elsewhere than on a terminal, once for each `step`.
    pub(crate) fn say(&self, step: &str, detail: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{step} {detail}"));
        } else if self.lines
            && let Ok(mut last) = self.last.lock()
            && *last != step
        {
            step.clone_into(&mut last);
            say(step);
        }
    }

    /// A line that stays.
    pub(crate) fn keep(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None if self.lines => say(text),
            None => {}
        }
    }

    /// A line that stays, also where progress is not asked for: something went wrong.
    fn warn(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => say(text),
        }
    }

    /// The bar goes.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn starts(&self, model: &str, index: usize, total: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("[{index}/{total}] {model}"));
        }
    }

    fn ends(&self, result: &ModelResult) {
        let text = match result.outcome {
            Outcome::Built => format!(
                "built    {:<40} {:>10} rows  {:>6.2} s  {}",
                result.table, result.rows, result.seconds, result.reason
            ),
            Outcome::Failed => {
                format!(
                    "FAILED   {}\n{}",
                    result.table,
                    result.error.as_deref().unwrap_or("")
                )
            }
            Outcome::Blocked => {
                format!(
                    "BLOCKED  {}\n{}",
                    result.table,
                    result.error.as_deref().unwrap_or("")
                )
            }
            Outcome::Skipped => {
                format!(
                    "skipped  {}: {}",
                    result.table,
                    result.error.as_deref().unwrap_or("")
                )
            }
            Outcome::UpToDate | Outcome::View => return,
        };
        match result.outcome {
            Outcome::Failed | Outcome::Blocked => self.warn(&text),
            _ => self.keep(&text),
        }
    }
}
