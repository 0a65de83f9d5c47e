//! kill -9 during load and during build, at many points; then a run that equals an undisturbed one.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::LazyLock;

use testkit::{Project, plain};

use crate::PROGRAM;

/// Every so many lines of progress the program is killed; each line is a stream loaded or a table
/// published.
const KILL_EVERY_LINES: usize = 9;

/// A small company that was built undisturbed, once for all tests, none of which changes it.
pub(crate) static COMPANY: LazyLock<Project> = LazyLock::new(|| {
    let project = company();
    project.json(&["run"], 0);
    project
});

/// A project over a small generated company.
fn company() -> Project {
    let project = Project::new(PROGRAM, "");
    let sources = project.dir().join("generated");
    let sources = sources.display().to_string();
    let made = project.run(&[
        "generate", "--events", "3000", "--days", "12", "--seed", "7", "--out", &sources,
    ]);
    assert!(made.status.success(), "{}", testkit::text(&made));
    let demo = crate::demo_company::settings("generated");
    project.set(&demo);
    project
}

/// For every table of the warehouse: rows, and a checksum over them that no order changes.
pub(crate) fn contents(project: &Project) -> Vec<String> {
    let columns = project.rows(
        "select table_schema, table_name, column_name from information_schema.columns \
         where table_schema in ('silver', 'identity', 'star', 'marts', 'quarantine', 'cleansing') \
         and column_name not in ('quarantined_at', 'noticed_at', 'fitted_at') \
         order by table_schema, table_name, ordinal_position",
    );
    let mut tables: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for row in &columns {
        let name = format!(
            "{}.\"{}\"",
            plain(&row["table_schema"]),
            plain(&row["table_name"])
        );
        tables
            .entry(name)
            .or_default()
            .push(plain(&row["column_name"]));
    }
    let parts: Vec<String> = tables
        .iter()
        .map(|(table, columns)| {
            let texts: Vec<String> = columns
                .iter()
                .map(|column| format!("coalesce(arrow_cast(\"{column}\", 'Utf8'), '~')"))
                .collect();
            format!(
                "select '{}' as t, count(*) as n, bit_xor(durable_key('row', concat_ws('|', {}))) \
                 as sum from {table}",
                table.replace('"', ""),
                texts.join(", ")
            )
        })
        .collect();
    let rows = project.rows(&format!("{} order by t", parts.join(" union all ")));
    rows.iter().map(|row| row.to_string()).collect()
}

/// Runs the program and kills it after so many lines of progress. False if it ended before.
fn killed_after(project: &Project, lines: usize) -> bool {
    let mut child = project
        .command(&["run"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let mut seen = 0;
    for line in stderr.lines() {
        let line = line.unwrap();
        if line.starts_with("loaded") || line.starts_with("built") {
            seen += 1;
        }
        if seen == lines {
            child.kill().unwrap(); // SIGKILL
            child.wait().unwrap();
            return true;
        }
    }
    child.wait().unwrap();
    false
}

#[test]
fn a_killed_run_is_carried_on_to_the_same_tables() {
    let before = COMPANY.copy(&crate::lake_on_s3::STATE);
    let wanted = contents(&COMPANY);

    // Each try goes on where the last one was killed: at the first, the ninth, the next ninth …
    // line.
    let mut kills = 0;
    while killed_after(&before, if kills == 0 { 1 } else { KILL_EVERY_LINES }) {
        kills += 1;
        assert!(kills < 200, "the run never ends");
    }
    assert!(kills >= 5, "{kills} kills");
    before.json(&["run"], 0);
    let found = contents(&before);
    assert_eq!(found, wanted);
    assert_eq!(before.json(&["run"], 0)["built"], 0);
}
