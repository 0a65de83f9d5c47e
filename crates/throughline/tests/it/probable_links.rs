//! Two CRMs hold one person under two spellings: that is reported as probable, is evidence only if
//! the project says so, and never against what somebody decided.

use serde_json::Value;
use testkit::{Project, plain, text};

use crate::PROGRAM;
use crate::torture::{content, rebuilt};

const SOURCES: &str = "
sources:
  crm:
    streams: {contacts: 'crm/*.csv'}
  helpdesk:
    streams: {contacts: 'helpdesk/*.csv'}
";

/// Contacts of a source as its silver model; `{}` is the source.
const CONTACTS: &str = "-- grain: one row per contact
{{ config(entity='contact') }}
select _raw_id, id as contact_id, at as created_at, mail as email, first as first_name,
    last as last_name, company as company_name, town as city
from {{ source('SOURCE', 'contacts') }}
";

const COLUMNS: &str = "id,at,first,last,mail,company,town";

const FIRST: [&str; 20] = [
    "Anna", "Bernd", "Clara", "David", "Elke", "Frank", "Greta", "Hugo", "Ines", "Jonas", "Lena",
    "Markus", "Nora", "Oskar", "Paula", "Rolf", "Sabine", "Tobias", "Ute", "Viktor",
];
const BEGIN: [&str; 12] = [
    "Al", "Bran", "Diet", "Eber", "Fried", "Gol", "Hart", "Kram", "Lind", "Mor", "Rosen", "Stein",
];
const END: [&str; 11] = [
    "bach", "dorf", "eck", "feld", "hausen", "kamp", "mann", "ner", "schmidt", "thal", "weiler",
];
const TOWN: [&str; 7] = [
    "Aachen", "Bonn", "Celle", "Dessau", "Essen", "Fulda", "Gera",
];

/// People who have nothing to do with each other.
fn strangers(source: &str, from: usize, count: usize) -> String {
    let rows = (from..from + count).map(|at| {
        let first = FIRST[(at * 7 + at / 20) % 20];
        let last = format!("{}{}", BEGIN[at % 12], END[at % 11]);
        let firm = at * 37 % 53;
        let firm = format!("{}{}", END[firm % 11].to_uppercase(), BEGIN[firm % 12]);
        let town = TOWN[(at * 3 + at / 7) % 7];
        format!(
            "{source}{at},2026-03-01T09:00:00Z,{first},{last},{at}@{source}.example,{firm},{town}\n"
        )
    });
    rows.collect()
}

/// The person of both CRMs is `crm:c1` and `helpdesk:h1`.
fn project(identity: &str) -> Project {
    let project = Project::new(PROGRAM, &format!("{identity}\n{SOURCES}"));
    for source in ["crm", "helpdesk"] {
        let model = CONTACTS.replace("SOURCE", source);
        project.write(
            &format!("models/1_silver/stg_{source}__contacts.sql"),
            model,
        );
    }
    project.write(
        "crm/1.csv",
        format!(
            "{COLUMNS}\n\
             c1,2026-03-01T09:00:00Z,Katharina,Wolkenstein,k.wolkenstein@nordwind.example,\
             Nordwind GmbH,Weimar\n{}",
            strangers("crm", 0, 60)
        ),
    );
    project.write(
        "helpdesk/1.csv",
        format!(
            "{COLUMNS}\n\
             h1,2026-03-05T09:00:00Z,Katarina,Wolkenstien,katha@home.example,Nordwind,Weimar\n{}",
            strangers("helpdesk", 60, 60)
        ),
    );
    project.json(&["run"], 0);
    project
}

const ENABLED: &str = "identity: {probable_links: {enabled: true}}";
const AS_EVIDENCE: &str = "identity: {probable_links: {enabled: true, as_evidence_from: 0.9}}";

fn links(project: &Project) -> Vec<Value> {
    project.rows("select * from marts.mart_probable_link order by a_id, b_id")
}

/// The customers of the two contacts.
fn customers(project: &Project) -> [String; 2] {
    ["crm:c1", "helpdesk:h1"].map(|id| {
        project.value(&format!(
            "select customer_key from identity.bridge_identity \
             where identity_node_id = durable_key('node', 'contact', '{id}')"
        ))
    })
}

fn same_as_rebuilt(project: &Project) {
    let different = content::differences(project, &rebuilt(project), &[]);
    assert!(different.is_empty(), "{}", different.join("\n"));
}

const NAMES: &str = "select count(last_name_hash) + count(last_name_sound_hash) \
                     + count(first_name_hash) + count(first_name_sound_hash) from silver.contact";

#[test]
fn nothing_of_names_is_stored_or_compared_unless_it_is_asked_for() {
    let project = project("identity: {}");
    assert!(links(&project).is_empty());
    assert_eq!(project.value(NAMES), "0");
    assert_eq!(project.json(&["run"], 0)["built"], 0);
    project.set(ENABLED);
    project.json(&["run"], 0);
    assert_eq!(project.value(NAMES), (4 * 122).to_string());
    assert_eq!(links(&project).len(), 1);
    project.set("identity: {}");
    project.json(&["run"], 0);
    assert_eq!(
        (links(&project).len(), project.value(NAMES).as_str()),
        (0, "0")
    );
}

#[test]
fn one_person_in_two_crms_is_reported_and_stays_two_customers() {
    let project = project(ENABLED);
    let links = links(&project);
    assert_eq!(links.len(), 1, "{links:?}");
    let link = &links[0];
    let mut ids = [plain(&link["a_id"]), plain(&link["b_id"])];
    ids.sort_unstable();
    assert_eq!(ids, ["crm:c1", "helpdesk:h1"]);
    assert!(link["match_probability"].as_f64().unwrap() >= 0.9, "{link}");
    assert_eq!(
        link["agreement"],
        "first_name similar, last_name similar, email different, company close, city exact"
    );
    assert_eq!(
        (&link["is_one_customer"], &link["is_within_source"]),
        (&false.into(), &false.into())
    );
    let [crm, helpdesk] = customers(&project);
    assert_ne!(crm, helpdesk);
    assert_eq!(
        project.value("select count(*) from identity.int_identity_edge where rule = 'probable'"),
        "0"
    );
    let apart = project.json(&["identity", "why", "crm:c1", "helpdesk:h1"], 0);
    assert_eq!(apart["reason"], "no_evidence");
    // No name can be read anywhere in silver.
    for name in ["Wolkenstein", "Katarina"] {
        let sql = format!(
            "select count(*) from silver.contact where strpos(concat(\
             coalesce(properties, ''), last_name_hash, first_name_hash), '{name}') > 0"
        );
        assert_eq!(project.value(&sql), "0");
    }
    // What was learnt and what was left out can be asked for.
    let learnt = project.rows(
        "select * from probable_links((select * from identity.int_probable_record), \
         show => 'weights') where field = 'last_name'",
    );
    assert_eq!(learnt.len(), 3, "{learnt:?}");
    let left_out = "select sum(left_out_block_count) from probable_links(\
                    (select * from identity.int_probable_record), show => 'blocks')";
    assert_eq!(project.value(left_out), "0");
    same_as_rebuilt(&project);
}

#[test]
fn a_probable_link_is_evidence_if_the_project_says_so_and_gives_way_to_an_unmerge() {
    let project = project(ENABLED);
    let before = customers(&project);
    project.set(AS_EVIDENCE);
    project.json(&["run"], 0);
    let [crm, helpdesk] = customers(&project);
    assert_eq!(crm, helpdesk);
    assert_eq!(links(&project)[0]["is_one_customer"], true);
    let why = project.json(&["identity", "why", "crm:c1", "helpdesk:h1"], 0);
    assert_eq!(why["is_one_customer"], true);
    let evidence = &why["chain"][0]["evidence"][0];
    assert_eq!(evidence["rule"], "probable");
    assert!(evidence["match_probability"].as_f64().unwrap() >= 0.9);
    let shown = project.run(&["identity", "why", "crm:c1", "helpdesk:h1"]);
    assert!(text(&shown).contains("probable, 0.9"), "{}", text(&shown));
    same_as_rebuilt(&project);

    let unmerge = ["identity", "unmerge", "crm:c1", "helpdesk:h1"];
    project.json(
        &[&unmerge[..], &["--reason", "two sisters", "--by", "kim"]].concat(),
        0,
    );
    project.json(&["run"], 0);
    assert_eq!(customers(&project), before);
    let why = project.json(&["identity", "why", "crm:c1", "helpdesk:h1"], 0);
    assert_eq!(
        (&why["is_one_customer"], &why["reason"]),
        (&false.into(), &"unmerged".into())
    );
    // It is still probable, and still two customers.
    assert_eq!(links(&project)[0]["is_one_customer"], false);
    same_as_rebuilt(&project);

    project.set(ENABLED);
    project.json(&["run"], 0);
    assert_eq!(customers(&project), before);
}

#[test]
fn an_e_mail_that_two_share_goes_before_what_is_probable() {
    // Each CRM's contact of the other's mail: one contact of a CRM is one person, so the probable
    // link has to give way.
    let project = project(AS_EVIDENCE);
    project.write(
        "helpdesk/2.csv",
        format!(
            "{COLUMNS}\nh2,2026-02-01T09:00:00Z,K.,Wolkenstein,k.wolkenstein@nordwind.example,,\n"
        ),
    );
    project.json(&["run"], 0);
    let [crm, helpdesk] = customers(&project);
    let by_mail = project.value(
        "select customer_key from identity.bridge_identity \
         where identity_node_id = durable_key('node', 'contact', 'helpdesk:h2')",
    );
    assert_eq!(crm, by_mail);
    assert_ne!(crm, helpdesk);
    same_as_rebuilt(&project);
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let project = Project::new(PROGRAM, SOURCES);
    for (settings, said) in [
        (
            "{enabled: true, report_from: 1.5}",
            "identity.probable_links.report_from",
        ),
        (
            "{enabled: true, as_evidence_from: 0.5}",
            "only links that are reported can be evidence",
        ),
        (
            "{as_evidence_from: 0.99}",
            "identity.probable_links.enabled: true",
        ),
        (
            "{enabled: true, block_max: 1}",
            "identity.probable_links.block_max",
        ),
        ("{enable: true}", "enable"),
    ] {
        project.set(&format!("identity: {{probable_links: {settings}}}"));
        let out = project.run(&["run"]);
        assert!(!out.status.success(), "{settings}");
        assert!(text(&out).contains(said), "{settings}: {}", text(&out));
    }
    project.set("identity: {}");
    for (columns, said) in [
        (
            "1 as record_key, 'a' as email",
            "column `email` does not say how it is compared",
        ),
        ("1 as record_key", "nor any other that can be compared"),
    ] {
        let sql = format!("select * from probable_links((select {columns}))");
        let out = project.run(&["query", &sql]);
        assert!(
            !out.status.success() && text(&out).contains(said),
            "{}",
            text(&out)
        );
    }
}
