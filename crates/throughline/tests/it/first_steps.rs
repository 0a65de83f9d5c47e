//! What somebody meets who adds a source: how a file was read, addresses instead of paths, a model
//! that was copied to change it, output that somebody stops reading.

use std::process::{Command, Stdio};

use testkit::{Project, text};

use crate::PROGRAM;
use crate::downloads::{holds, reports_of, sample};

#[test]
fn sources_test_says_how_each_file_is_read_and_what_its_columns_are_called() {
    let project = reports_of("google_ads", "");
    project.write("in/bericht.csv", sample("google_campaigns_de.csv"));
    let termes = sample("google_search_terms_fr.csv");
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(termes.replace(';', "\t").encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    project.write("in/termes.csv", utf16);
    let out = project.run(&["sources", "test"]);
    let said = text(&out);
    assert!(out.status.success(), "{said}");
    for part in [
        "ok       in/bericht.csv: 7 rows",
        "csv, UTF-8, delimiter `,`, header on line 3, 2 lines before it, decimal sign `,`",
        "csv, UTF-16LE, delimiter tab, header on line 3, 2 lines before it, decimal sign `,`",
        "columns  raw.google_ads__report: \"Tag\", \"Kampagne\", \"Kampagnenstatus\", \
         \"Währungscode\", \"Kosten\", \"Impr.\", \"Klicks\", \"CTR\"",
        "\"Terme_de_recherche\"",
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    let told = project.json(&["sources", "test"], 0);
    assert_eq!(told["files"][0]["header_line"], 3);
    assert_eq!(told["files"][0]["decimal"], ",");
    assert_eq!(told["files"][0]["columns"][0], "Tag");

    // What is loaded already is named too.
    let ran = project.run(&["run", "--select", "stg_google_ads__report"]);
    assert!(ran.status.success(), "{}", text(&ran));
    let again = project.json(&["sources", "test"], 0);
    assert_eq!(again["files"].as_array().unwrap().len(), 0);
    let columns = again["streams"][0]["columns"].as_array().unwrap();
    assert!(columns.iter().any(|name| name == "Kosten"), "{columns:?}");
    assert!(columns.iter().all(|name| name != "_file"), "{columns:?}");
}

#[test]
fn an_address_is_told_apart_from_a_path() {
    let settings = "sources:\n  shop:\n    path: s3://bucket/orders/*.csv\n  web:\n    path: \
                    https://example.com/export.csv\n";
    let project = Project::new(PROGRAM, settings);
    for command in [&["sources", "test"][..], &["run"][..]] {
        let out = project.run(command);
        let said = text(&out);
        assert!(!out.status.success(), "{said}");
        assert!(
            said.contains("`s3://bucket/orders/*.csv` is an address: files are read from folders"),
            "{said}"
        );
        assert!(said.contains("aws s3 sync"), "{said}");
        assert!(said.contains("curl"), "{said}");
    }
}

#[test]
fn a_copy_of_a_built_in_model_reads_its_source_from_any_folder() {
    let built_in = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../models/1_silver/google_ads/stg_google_ads__report.sql"
    );
    let copy = std::fs::read_to_string(built_in).unwrap();
    let copy = copy.replace(
        "from counted",
        "from counted where campaign_name <> 'Old promo'",
    );
    let project = reports_of("google_ads", "");
    project.write("in/report.csv", sample("google_campaigns_en.csv"));
    project.write("models/stg_google_ads__report.sql", &copy);
    let out = project.run(&["run", "--select", "stg_google_ads__report"]);
    assert!(out.status.success(), "{}", text(&out));
    holds(
        &project,
        &[("count(*) from silver.stg_google_ads__report", "3")],
    );

    // Under a name that is no source's, it is said what it lacks.
    let project = reports_of("google_ads", "");
    project.write("in/report.csv", sample("google_campaigns_en.csv"));
    project.write("models/my_report.sql", &copy);
    let said = text(&project.run(&["plan"]));
    assert!(said.contains("stg_<source>__<what>.sql"), "{said}");
}

#[test]
fn output_that_nobody_reads_to_its_end_is_no_error() {
    let project = reports_of("google_ads", "");
    project.write("in/report.csv", sample("google_campaigns_en.csv"));
    let many = "select * from generate_series(1, 200000)";
    let commands: [&[&str]; 3] = [
        &["query", "--format", "csv", many],
        &["query", many],
        &["sources", "test"],
    ];
    for command in commands {
        let mut child = Command::new(PROGRAM)
            .arg("--project")
            .arg(project.dir())
            .args(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The reader goes before the first line comes.
        drop(child.stdout.take());
        let out = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{command:?}: {} {said}", out.status);
        assert!(!said.contains("panicked"), "{said}");
    }
}
