//! What tests share: temporary projects, the program run as a user runs it, and its answers.
//!
//! A development dependency only: everything here may panic, because a test is its caller.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail by panicking"
)]

pub mod doors;
mod guide;
mod servers;
mod truth;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub use guide::write_guide;
pub use servers::{Server, dbt, flight_sql_jdbc, linters, python, schemathesis, skip, spark};
pub use truth::csv_rows;

/// A project in a folder that goes with it.
pub struct Project {
    program: PathBuf,
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Project {
    /// A new project, made by `init`, with this in its `throughline.yml` over what `init` wrote.
    pub fn new(program: &str, settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let project = Self {
            program: program.into(),
            folder,
            environment: Vec::new(),
        };
        let out = project.run(&["init", &project.path("p").display().to_string(), "--yes"]);
        assert!(out.status.success(), "init: {}", text(&out));
        project.set(settings);
        project
    }

    /// Another project with this one's files, but for these paths (relative to the project).
    #[must_use]
    pub fn copy(&self, without: &[&str]) -> Self {
        let copy = Self {
            program: self.program.clone(),
            folder: tempfile::tempdir().expect("a temporary folder"),
            environment: self.environment.clone(),
        };
        let leave: Vec<PathBuf> = without.iter().map(|path| self.dir().join(path)).collect();
        copy_folder_but(&self.dir(), &copy.dir(), &leave);
        copy
    }

    /// The same project, where the program finds this in its environment.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder that holds the project (`p`) and whatever a test puts beside it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in that folder.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// The project's own folder.
    pub fn dir(&self) -> PathBuf {
        self.path("p")
    }

    /// Puts settings over those of `throughline.yml`.
    pub fn set(&self, settings: &str) {
        let path = self.dir().join("throughline.yml");
        let read = |text: &str| -> serde_yaml_ng::Mapping {
            if text.trim().is_empty() {
                return serde_yaml_ng::Mapping::new();
            }
            serde_yaml_ng::from_str(text).expect("yaml")
        };
        let mut config = read(&std::fs::read_to_string(&path).expect("throughline.yml"));
        for (name, value) in read(settings) {
            config.insert(name, value);
        }
        std::fs::write(&path, serde_yaml_ng::to_string(&config).expect("yaml")).expect("write");
    }

    /// Writes a file of the project.
    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.dir().join(relative);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folder");
        std::fs::write(path, content).expect("write");
    }

    /// The program with these arguments, not yet started; its folder is the project's.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command.envs(self.environment.iter().cloned());
        if self.dir().is_dir() {
            command.current_dir(self.dir());
        }
        command
    }

    /// Runs the program.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments)
            .output()
            .expect("the program starts")
    }

    /// Runs the program with `--json` and reads its answer; its exit status must be `status`.
    pub fn json(&self, arguments: &[&str], status: i32) -> Value {
        let mut all = vec!["--json", "--quiet"];
        all.extend(arguments);
        let out = self.run(&all);
        assert_eq!(
            out.status.code(),
            Some(status),
            "{arguments:?}\n{}",
            text(&out)
        );
        serde_json::from_slice(&out.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", text(&out)))
    }

    /// The rows of a query, each an object.
    pub fn rows(&self, sql: &str) -> Vec<Value> {
        // By standard input: a query may be longer than an argument may be.
        let mut child = self
            .command(&["query", "-", "--format", "json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("standard input");
        stdin.write_all(sql.as_bytes()).expect("the query is taken");
        drop(stdin);
        let out = child.wait_with_output().expect("the program ends");
        assert!(out.status.success(), "{sql}\n{}", text(&out));
        let rows: Value = serde_json::from_slice(&out.stdout).expect("JSON");
        rows.as_array().expect("a list").clone()
    }

    /// The one value of a query, as text; empty if it is null.
    pub fn value(&self, sql: &str) -> String {
        let rows = self.rows(sql);
        assert_eq!(rows.len(), 1, "{sql} gives {} rows", rows.len());
        let row = rows[0].as_object().expect("an object");
        assert_eq!(row.len(), 1, "{sql} gives {} columns", row.len());
        row.values().map(plain).next().expect("a value")
    }
}

/// A value as text, without quotes; a null is empty.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What the program printed.
pub fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The repository that is tested. Asked when the test runs: cargo takes a build for fresh that was
/// made of another clone into the same target folder.
pub fn repository() -> PathBuf {
    let crate_folder = std::env::var_os("CARGO_MANIFEST_DIR");
    let crate_folder =
        crate_folder.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    crate_folder.join("../..")
}

/// The folder of shared real data, if it is there. Where it is not, the caller's test is skipped,
/// and this says so.
pub fn shared(relative: &str) -> Option<PathBuf> {
    let path = repository().join("../shared").join(relative);
    if path.exists() {
        return path.canonicalize().ok();
    }
    // Past the test runner's capture: what was skipped is to be seen.
    let _ = writeln!(
        std::io::stderr(),
        "skipped: ../shared/{relative} is not here"
    );
    None
}

/// Copies a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) {
    copy_folder_but(from, to, &[]);
}

fn copy_folder_but(from: &Path, to: &Path, leave: &[PathBuf]) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if leave.contains(&entry.path()) {
            continue;
        }
        if entry.path().is_dir() {
            copy_folder_but(&entry.path(), &target, leave);
        } else {
            // A database that somebody has just closed takes the files beside it along.
            match std::fs::copy(entry.path(), target) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                copied => drop(copied.expect("copy")),
            }
        }
    }
}
