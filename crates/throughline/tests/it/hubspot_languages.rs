//! Exports of HubSpot's pages with headings and labels in German.

use std::path::Path;

use testkit::{Project, text};

use crate::PROGRAM;
use crate::downloads::holds;
use crate::real_exports::balanced;

fn samples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/exports/hubspot_de")
}

#[test]
fn german_headings_and_labels_mean_what_the_english_ones_do() {
    let project = Project::new(
        PROGRAM,
        "sources:\n  hubspot:\n    kind: hubspot\n    layout: export\n    zone: Europe/Berlin\n    \
         streams:\n      contact_export: in/kontakte.csv\n      company_export: \
         in/unternehmen.csv\n      deal_export: in/deals.csv\n",
    );
    for file in ["kontakte.csv", "unternehmen.csv", "deals.csv"] {
        let bytes = std::fs::read(samples().join(file)).unwrap();
        project.write(&format!("in/{file}"), bytes);
    }
    balanced(&project);
    holds(
        &project,
        &[
            (
                "string_agg(lifecycle_stage, ',' order by contact_id) from silver.contact",
                "customer,lead",
            ),
            (
                "concat(account_id, ' ', created_at) from silver.contact \
                 where contact_id = 'hubspot:201'",
                "hubspot:601 2026-01-05T09:00:00Z",
            ),
            (
                "concat(subject, ' ', contact_id, ' ', activity_at) from silver.activity",
                "lead hubspot:201 2026-01-05T09:00:00Z",
            ),
            (
                "b_value from silver.identity_link where rule = 'crm_merge'",
                "hubspot:205",
            ),
            (
                "concat(domain, ' ', annual_revenue_amount) from silver.account \
                 where account_id = 'hubspot:601'",
                "ode.example 1000000.000000",
            ),
            (
                "string_agg(concat(stage, ' ', is_closed, ' ', is_won, ' ', amount), ', ' \
                 order by deal_id) from silver.deal",
                "Abgeschlossen und gewonnen true true 2400.000000, \
                 Abgeschlossen und verloren true false 100.000000",
            ),
            // The file says how new its rows are, also in German.
            (
                "max(_effective_at) from raw.hubspot__deal_export",
                "2026-02-21T10:00:00Z",
            ),
            ("count(*) from silver.deal_contact", "3"),
            (
                "sum(revenue_amount) from star.fct_conversion where conversion_type = 'deal_won'",
                "2400.000000",
            ),
        ],
    );
}

#[test]
fn init_recognises_them_by_their_headings() {
    let folder = tempfile::tempdir().unwrap();
    let exports = folder.path().join("exports");
    testkit::copy_folder(&samples(), &exports);
    let project = folder.path().join("p").display().to_string();
    let from = exports.display().to_string();
    let out = std::process::Command::new(PROGRAM)
        .args(["init", &project, "--yes", "--from", &from])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", text(&out));
    let config = std::fs::read_to_string(folder.path().join("p/throughline.yml")).unwrap();
    let config: serde_yaml_ng::Value = serde_yaml_ng::from_str(&config).unwrap();
    for (stream, file) in [
        ("contact_export", "kontakte"),
        ("company_export", "unternehmen"),
        ("deal_export", "deals"),
    ] {
        let path = config["sources"]["hubspot"]["streams"][stream].as_str();
        let path = path.unwrap_or_else(|| panic!("no {stream}: {}", text(&out)));
        assert!(path.contains(file), "{stream}: {path}");
    }
}
