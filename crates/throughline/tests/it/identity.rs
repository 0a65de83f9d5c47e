//! Who is who can be asked, decided and undone; every table is then what a rebuild gives.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testkit::{Project, plain, text};

use crate::PROGRAM;
use crate::torture::{content, rebuilt};

const SETTINGS: &str = "
sources:
  site:
    streams: {events: 'events/*.csv'}
  crm:
    streams: {contacts: 'contacts/*.csv'}
";

const EVENTS: &str = "-- grain: one row per web event
{{ config(entity='web_event') }}
select _raw_id, id as event_id, at as event_at, kind as event_name, device as anonymous_id,
    account as user_id, mail as email
from {{ source('site', 'events') }}
";

const CONTACTS: &str = "-- grain: one row per contact
{{ config(entity='contact') }}
select _raw_id, id as contact_id, at as created_at, mail as email, account as user_id
from {{ source('crm', 'contacts') }}
";

const EVENT_COLUMNS: &str = "id,at,kind,device,account,mail";

/// Ada on two devices, Ben on one, Cleo in the CRM alone, and a tablet that Ada and Ben share.
fn project() -> Project {
    let project = Project::new(PROGRAM, SETTINGS);
    project.write("models/1_silver/stg_site__events.sql", EVENTS);
    project.write("models/1_silver/stg_crm__contacts.sql", CONTACTS);
    project.write(
        "events/1.csv",
        format!(
            "{EVENT_COLUMNS}\n\
             e1,2026-03-01T08:00:00Z,page_view,ada-phone,u-ada,\n\
             e2,2026-03-01T09:00:00Z,page_view,ada-laptop,u-ada,ada@home.example\n\
             e3,2026-03-01T10:00:00Z,page_view,ben-phone,u-ben,ben@home.example\n\
             e4,2026-03-01T07:00:00Z,page_view,tablet,,\n\
             e5,2026-03-01T12:00:00Z,page_view,tablet,u-ada,\n\
             e6,2026-03-01T15:00:00Z,page_view,tablet,,\n\
             e7,2026-03-01T18:00:00Z,page_view,tablet,u-ben,\n\
             e8,2026-03-01T21:00:00Z,page_view,tablet,,\n\
             e9,2026-03-02T08:00:00Z,page_view,tablet,u-ada,\n\
             e10,2026-03-02T11:00:00Z,page_view,tablet,,\n\
             e11,2026-03-02T12:00:00Z,page_view,stranger,,\n"
        ),
    );
    project.write(
        "contacts/1.csv",
        "id,at,mail,account\n\
         c1,2026-03-01T09:30:00Z,ada@home.example,\n\
         c2,2026-03-01T10:30:00Z,cleo@home.example,\n\
         c3,2026-03-01T10:30:00Z,ben@home.example,\n",
    );
    project.json(&["run"], 0);
    project
}

/// The customer of each identifier, as the bridge has it at the end.
fn customers(project: &Project) -> BTreeMap<String, String> {
    let rows = project.rows(
        "select n.node_type || ':' || n.node_value as name, b.customer_key \
         from identity.int_identity_node_seen n \
         inner join identity.bridge_identity b on n.node_key = b.identity_node_id \
         where b.valid_to = to_instant('9999-12-31')",
    );
    let row = |row: &Value| (plain(&row["name"]), plain(&row["customer_key"]));
    rows.iter().map(row).collect()
}

/// Which identifiers are one customer.
fn sets(customers: &BTreeMap<String, String>) -> BTreeSet<BTreeSet<String>> {
    let mut sets: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
    for (name, customer) in customers {
        sets.entry(customer).or_default().insert(name.clone());
    }
    sets.into_values().collect()
}

fn why(project: &Project, a: &str, b: &str) -> Value {
    project.json(&["identity", "why", a, b], 0)
}

fn decide(project: &Project, what: &[&str]) -> Value {
    let mut all = vec!["identity"];
    all.extend(what);
    all.extend(["--reason", "a ticket", "--by", "kim"]);
    project.json(&all, 0)
}

/// It says no, and why.
fn refused(project: &Project, what: &[&str], said: &str) {
    let mut all = vec!["identity"];
    all.extend(what);
    let out = project.run(&all);
    assert!(!out.status.success());
    assert!(text(&out).contains(said), "{}", text(&out));
}

#[test]
fn why_shows_the_chain_of_evidence() {
    let project = project();
    let answer = why(&project, "ada-phone", "crm:c1");
    assert_eq!(answer["is_one_customer"], true, "{answer}");
    let chain = answer["chain"].as_array().unwrap();
    let types: Vec<&str> = chain
        .iter()
        .map(|link| link["to"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["user", "email", "contact"]);
    let first = &chain[0]["evidence"][0];
    assert_eq!(first["rule"], "web_event");
    assert_eq!(first["source"], "site");
    assert_eq!(first["first_at"], "2026-03-01T08:00:00Z");
    assert_eq!((&first["count"], &first["row"]), (&1.into(), &1.into()));
    assert_eq!(first["file"], "events/1.csv");
    assert_eq!(chain[2]["evidence"][0]["file"], "contacts/1.csv");
    // The e-mail is found by its text, its hash is all that is shown of one that was not typed.
    assert_eq!(
        why(&project, " Ada@Home.example", "u-ada")["chain"][0]["counts"],
        true
    );
    let shown = project.run(&["identity", "why", "ada-phone", "crm:c1"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("events/1.csv row 1") && !shown.contains('@'),
        "{shown}"
    );

    let apart = why(&project, "tablet", "u-ben");
    assert_eq!(apart["is_one_customer"], false);
    assert_eq!(apart["reason"], "degree");
    assert_eq!(apart["a"]["guard"], "degree");
    assert_eq!(apart["owners"].as_array().unwrap().len(), 3);
    assert_eq!(why(&project, "u-ada", "crm:c2")["reason"], "no_evidence");
    // A customer's key stands for the customer.
    let key = answer["a"]["customer_key"].as_str().unwrap();
    assert_eq!(why(&project, key, "ada-laptop")["is_one_customer"], true);
    refused(
        &project,
        &["why", "nobody", "u-ada"],
        "nothing is known of `nobody`",
    );
    project.write(
        "events/2.csv",
        format!("{EVENT_COLUMNS}\ne20,2026-03-03T08:00:00Z,page_view,u-ada,,\n"),
    );
    project.json(&["run"], 0);
    refused(
        &project,
        &["why", "u-ada", "u-ben"],
        "`device:u-ada` or `user:u-ada`",
    );
    assert_eq!(
        why(&project, "user:u-ada", "ada-phone")["is_one_customer"],
        true
    );
}

#[test]
fn a_shared_device_is_theirs_who_logged_in_last() {
    let project = project();
    let owner = "select u.node_value as owner \
        from star.journey_event e left join identity.int_identity_node_seen u \
        on e.customer_key = u.node_key \
        where e.anonymous_node_id = durable_key('node', 'device', 'tablet') order by e.event_at";
    let owners = || -> Vec<String> {
        let rows = project.rows(owner);
        rows.iter().map(|row| plain(&row["owner"])).collect()
    };
    let (ada, ben) = ("u-ada", "u-ben");
    assert_eq!(owners(), [ada, ada, ada, ben, ben, ada, ada]);
    // A log-in that is learnt late divides anew what lies between.
    project.write(
        "events/2.csv",
        format!("{EVENT_COLUMNS}\ne12,2026-03-01T13:00:00Z,page_view,tablet,u-ben,\n"),
    );
    project.json(&["run"], 0);
    assert_eq!(owners(), [ada, ada, ben, ben, ben, ben, ada, ada]);
    same_as_rebuilt(&project);
    project.set(&format!("identity: {{shared_devices: nobody}}\n{SETTINGS}"));
    project.json(&["run"], 0);
    assert_eq!(
        owners(),
        ["tablet", ada, ben, "tablet", ben, "tablet", ada, "tablet"]
    );
    same_as_rebuilt(&project);
}

fn same_as_rebuilt(project: &Project) {
    let different = content::differences(project, &rebuilt(project), &[]);
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn a_merge_touches_two_customers_and_nobody_else() {
    let project = project();
    let before = customers(&project);
    refused(
        &project,
        &[
            "merge",
            "ada-phone",
            "ada-laptop",
            "--reason",
            "x",
            "--by",
            "kim",
        ],
        "one customer already",
    );
    refused(
        &project,
        &[
            "merge",
            "u-ada",
            "u-ben",
            "--reason",
            "kim@home.example",
            "--by",
            "kim",
        ],
        "e-mail address",
    );
    let said = decide(&project, &["merge", "u-ada", "cleo@home.example"]);
    assert_eq!(said["decisions"][0]["decided_by"], "kim");
    let file = std::fs::read_to_string(project.dir().join("seeds/identity_decision.csv"));
    assert!(!file.unwrap().contains('@'));
    // It is told at once, and true in the tables after the next run.
    let answer = why(&project, "ada-laptop", "crm:c2");
    assert_eq!(answer["is_one_customer"], true, "{answer}");
    let ran = project.json(&["run"], 0);
    assert!(ran["built"].as_u64().unwrap() > 0);
    let merged = customers(&project);
    assert_eq!(merged["contact:crm:c2"], merged["user:u-ada"]);
    // Nobody else is touched.
    for (name, customer) in &before {
        let is_theirs = *customer == before["user:u-ada"] || *customer == before["contact:crm:c2"];
        assert!(is_theirs || merged[name] == *customer, "{name}");
    }
    let rule =
        "select rule from identity.int_identity_edge where source_name = 'identity_decision'";
    assert_eq!(project.value(rule), "decision");
    // A key that was written down resolves.
    let resolved = format!(
        "select distinct customer_key from identity.customer_alias where old_customer_key = {}",
        before["contact:crm:c2"]
    );
    assert_eq!(project.value(&resolved), merged["user:u-ada"]);
    same_as_rebuilt(&project);
    assert_eq!(project.json(&["run"], 0)["built"], 0);
}

#[test]
fn an_unmerge_restores_what_was() {
    let project = project();
    let before = customers(&project);
    let tables = content::contents(&project);
    decide(&project, &["merge", "u-ada", "cleo@home.example"]);
    project.json(&["run"], 0);
    assert_ne!(customers(&project), before);
    // By any two of its identifiers.
    decide(&project, &["unmerge", "crm:c2", "ada-phone"]);
    project.json(&["run"], 0);
    assert_eq!(customers(&project), before);
    let log = project.json(&["identity", "log"], 0);
    let stand: Vec<bool> = log["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["is_in_force"].as_bool().unwrap())
        .collect();
    assert_eq!(stand, [false, true]);
    let now = content::contents(&project);
    for (name, was) in &tables {
        // These two keep what was decided, in force or not.
        if !name.contains("identity_decision") && name != "identity.int_identity_link" {
            assert_eq!(Some(was), now.get(name), "{name}");
        }
    }
    same_as_rebuilt(&project);
    // All merges of a customer at once.
    decide(&project, &["merge", "u-ada", "crm:c2"]);
    decide(&project, &["merge", "u-ben", "stranger"]);
    decide(&project, &["merge", "crm:c2", "u-ben"]);
    project.json(&["run"], 0);
    // The tablet, too: it is no longer shared.
    assert_eq!(sets(&customers(&project)).len(), 1);
    decide(&project, &["unmerge", "u-ada"]);
    project.json(&["run"], 0);
    assert_eq!(customers(&project), before);
    refused(
        &project,
        &["unmerge", "u-ada", "--reason", "x", "--by", "kim"],
        "nobody merged",
    );
}

#[test]
fn evidence_can_be_cut_and_blocked() {
    let project = project();
    let before = customers(&project);
    // What came last goes: that the contact has the e-mail.
    decide(&project, &["unmerge", "ada-phone", "crm:c1"]);
    project.json(&["run"], 0);
    let apart = customers(&project);
    assert_ne!(apart["device:ada-phone"], apart["contact:crm:c1"]);
    let answer = why(&project, "ada-phone", "crm:c1");
    assert_eq!(answer["reason"], "unmerged", "{answer}");
    same_as_rebuilt(&project);
    // Whole customers are merged, whichever of their identifiers are named.
    decide(&project, &["merge", "u-ada", "crm:c1"]);
    project.json(&["run"], 0);
    assert_eq!(customers(&project), before);

    decide(&project, &["block", "ben@home.example"]);
    refused(
        &project,
        &["block", "ben@home.example", "--reason", "x", "--by", "kim"],
        "is blocked already",
    );
    refused(
        &project,
        &[
            "merge",
            "ben@home.example",
            "crm:c2",
            "--reason",
            "x",
            "--by",
            "kim",
        ],
        "would still be two customers",
    );
    project.json(&["run"], 0);
    let blocked = customers(&project);
    assert_ne!(blocked["contact:crm:c3"], blocked["user:u-ben"]);
    let guard = "select guard_reason from identity.bridge_identity where identity_node_id = \
                 durable_key('node', 'email', pii_hash('email', 'ben@home.example'))";
    assert_eq!(project.value(guard), "blocked");
    assert_eq!(why(&project, "u-ben", "crm:c3")["reason"], "blocked");
    same_as_rebuilt(&project);
    decide(&project, &["unblock", "ben@home.example"]);
    // What nobody has seen yet is blocked beforehand.
    decide(&project, &["block", "device:kiosk"]);
    project.json(&["run"], 0);
    assert_eq!(customers(&project), before);
}

/// Erasing is a row of the decisions: what is older never joins again, what is newer begins anew.
#[test]
fn erased_identifiers_do_not_revive() {
    let project = project();
    let keys = ["u-ben", "ben-phone", "ben@home.example", "crm:c3"].map(|name| {
        let answer = why(&project, name, "u-ben");
        let node = &answer["a"];
        (
            node["type"].as_str().unwrap().to_owned(),
            node["key"].as_str().unwrap().to_owned(),
        )
    });
    let mut file =
        "decision_id,decided_at,decided_by,action,a_type,a_key,b_type,b_key,reason\n".to_owned();
    for (place, (kind, key)) in keys.iter().enumerate() {
        let line = format!("{place},2026-03-10T00:00:00Z,kim,erase,{kind},{key},,,asked for it\n");
        file.push_str(&line);
    }
    project.write("seeds/identity_decision.csv", file);
    project.json(&["run"], 0);
    let after = customers(&project);
    for name in ["user:u-ben", "device:ben-phone", "contact:crm:c3"] {
        assert_eq!(after[name], "0", "{name}");
    }
    let of = |at: &str| {
        project.value(&format!(
            "select customer_key from star.journey_event where event_at = to_instant('{at}')"
        ))
    };
    assert_eq!(of("2026-03-01T10:00:00Z"), "0");
    // Old events come once more, and new ones of his old phone.
    project.write(
        "events/2.csv",
        format!(
            "{EVENT_COLUMNS}\n\
             e30,2026-03-03T08:00:00Z,page_view,ben-phone,u-ben,ben@home.example\n\
             e31,2026-03-20T08:00:00Z,page_view,ben-phone,u-new,\n"
        ),
    );
    project.json(&["run"], 0);
    let after = customers(&project);
    assert_eq!(after["user:u-ben"], "0");
    assert_eq!(after["device:ben-phone"], after["user:u-new"]);
    assert_eq!(of("2026-03-01T10:00:00Z"), "0");
    assert_eq!(of("2026-03-03T08:00:00Z"), "0");
    assert_eq!(of("2026-03-20T08:00:00Z"), after["user:u-new"]);
    same_as_rebuilt(&project);
}

/// What a tool wrote or a person mistyped is told, and what is wrong is passed over.
#[test]
fn decisions_that_cannot_be_read_are_told() {
    let project = project();
    let before = customers(&project);
    project.write(
        "seeds/identity_decision.csv",
        "decision_id,decided_at,decided_by,action,a_type,a_key,b_type,b_key,reason\n\
         1,2026-03-10T00:00:00Z,kim,marry,user,1,user,2,x\n\
         2,2026-03-10T00:00:00Z,kim,merge,user,one,user,2,x\n",
    );
    let ran = project.json(&["run"], 0);
    let checks = ran["checks"].as_array().unwrap();
    let told = checks
        .iter()
        .find(|check| plain(&check["check"]).contains("identity_decisions_are_understood"));
    assert_eq!(told.unwrap()["failures"], 2, "{checks:?}");
    assert_eq!(customers(&project), before);
    refused(&project, &["log"], "line 2");
}

#[test]
fn a_customer_of_too_many_identifiers_raises_an_alarm() {
    let project = project();
    project.set(&format!("identity: {{cluster_max: 4}}\n{SETTINGS}"));
    let more = format!("{EVENT_COLUMNS}\ne40,2026-03-03T08:00:00Z,page_view,somebody,,\n");
    project.write("events/2.csv", more);
    let ran = project.json(&["run"], 0);
    let checks = ran["checks"].as_array().unwrap();
    let alarm = checks
        .iter()
        .find(|check| plain(&check["check"]).contains("too_many_identifiers"));
    // Ada: a user id, two devices, an e-mail, a contact.
    assert_eq!(
        alarm.map(|check| &check["failures"]),
        Some(&1.into()),
        "{checks:?}"
    );
}
