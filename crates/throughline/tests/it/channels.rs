//! Channels and sessions as a project sets them: what a changed rule would move and then moves,
//! rules with days, session policies against the shared vectors.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Project, plain, shared};

use crate::PROGRAM;
use crate::utm_audit::shop;

/// The built-in rules.
const RULES: &str = include_str!("../../../../models/seeds/channel_rule.csv");

/// Sessions and last-touch revenue by channel.
fn by_channel(project: &Project) -> BTreeMap<String, (String, String)> {
    let rows = project.rows(
        "select c.channel, count(*) as sessions, (select coalesce(sum(\
         a.credited_reporting_amount), 0) from star.fct_attribution_credit a where a.model = \
         'linear' and a.channel_key = c.channel_key) as revenue from star.fct_session s \
         inner join star.dim_channel c on s.channel_key = c.channel_key group by c.channel, \
         c.channel_key",
    );
    let figures = rows.iter().map(|row| {
        let figures = (plain(&row["sessions"]), plain(&row["revenue"]));
        (plain(&row["channel"]), figures)
    });
    figures.collect()
}

/// The channels have the figures that the preview gave them.
fn assert_told(preview: &Value, after: &BTreeMap<String, (String, String)>) {
    for row in preview["channels"].as_array().unwrap() {
        let told = &row["after"];
        let told = (told["sessions"].to_string(), plain(&told["revenue"]));
        let found = after.get(row["channel"].as_str().unwrap()).cloned();
        assert_eq!(
            found.unwrap_or(("0".into(), "0.000000".into())),
            told,
            "{row}"
        );
    }
}

#[test]
fn a_preview_says_what_a_run_then_does() {
    let project = shop();
    project.json(&["run"], 0);
    let before = by_channel(&project);
    let sessions = project.value("select count(*) from star.fct_session");

    // The same rules, in other words: nothing moves.
    let nothing = project.json(&["channels", "preview"], 0);
    assert_eq!(nothing["moves"], json!([]), "{nothing}");
    assert_eq!(nothing["total"]["sessions"].to_string(), sessions);
    assert_eq!(nothing["total"]["revenue"], "280.000000");
    assert_eq!(nothing["moved"]["sessions"], 0);
    project.write("same.csv", format!("{RULES}900,Referral,,nobody,,,,\n"));
    let same = project.json(&["channels", "preview", "--rules", "same.csv"], 0);
    assert_eq!(same["moves"], json!([]), "{same}");
    assert_ne!(same["rules"]["version"], nothing["rules"]["version"]);
    let said = project.run(&["channels", "preview", "--rules", "same.csv"]);
    let said = testkit::text(&said);
    assert!(said.contains("nothing would move: 22 sessions"), "{said}");

    // The misspelt medium counts as paid, and the local paper is a channel that nobody listed.
    let rules = format!("{RULES}5,Paid Search,,google,ppcc,,,\n6,Local,,localpaper,,,,\n");
    project.write("changed.csv", &rules);
    let preview = project.json(&["channels", "preview", "--rules", "changed.csv"], 0);
    let moves = preview["moves"].as_array().unwrap();
    assert_eq!(moves.len(), 2, "{preview}");
    let paid = moves
        .iter()
        .find(|row| row["new_channel"] == "Paid Search")
        .unwrap();
    assert_eq!(paid["old_channel"], "Organic Search");
    assert_eq!(
        (&paid["sessions"], &paid["conversions"], &paid["revenue"]),
        (&json!(2), &json!("1.000000000000"), &json!("60.000000"))
    );
    assert_eq!(paid["origins"], json!({"google / ppcc": 2}));
    assert_eq!(preview["channels_not_in_seed"], json!(["Local"]));
    let one_day = [
        "channels",
        "preview",
        "--rules",
        "changed.csv",
        "--to",
        "2026-03-02",
    ];
    let one_day = project.json(&one_day, 0);
    assert_eq!(one_day["moved"]["sessions"], 1, "{one_day}");
    // Nothing was built, and nothing is to be built.
    assert_eq!(by_channel(&project), before);
    assert_eq!(project.json(&["plan"], 0)["build"], json!([]));

    // Put into the project, the rules do what the preview said.
    let seed = rules
        .lines()
        .filter(|line| !line.contains("Local"))
        .collect::<Vec<_>>();
    project.write("seeds/channel_rule.csv", seed.join("\n"));
    let preview = project.json(&["channels", "preview"], 0);
    project.json(&["run"], 0);
    assert_told(&preview, &by_channel(&project));
    let moved = project.json(&["channels", "preview"], 0);
    assert_eq!(moved["moves"], json!([]), "{moved}");
}

#[test]
fn a_preview_without_a_build_or_with_broken_rules_says_what_to_do() {
    let project = shop();
    let out = project.run(&["channels", "preview"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(testkit::text(&out).contains("hint: throughline run"));
    project.json(&["run"], 0);
    project.write("broken.csv", "priority,channel\n1,A\n");
    for (arguments, said) in [
        (
            vec!["--rules", "broken.csv"],
            "column `source_category` is missing",
        ),
        (vec!["--rules", "absent.csv"], "`absent.csv` cannot be read"),
        (vec!["--model", "lst"], "no attribution model `lst`"),
        (
            vec!["--from", "2026-03-02", "--to", "2026-03-01"],
            "`--from` is after `--to`",
        ),
    ] {
        let out = project.run(&[vec!["channels", "preview"], arguments].concat());
        let text = testkit::text(&out);
        assert_eq!(out.status.code(), Some(1), "{text}");
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn a_rule_with_days_judges_the_visits_of_its_days() {
    let settings = "sources:\n  site: {path: events.csv}\n";
    let project = Project::new(PROGRAM, settings);
    project.write("models/1_silver/stg_site__events.sql", EVENTS);
    project.write(
        "events.csv",
        "id,at,who,page,referrer\n\
         1,2026-05-12T10:00:00Z,a,https://shop.example/,https://chatgpt.com/\n\
         2,2026-05-13T10:00:00Z,b,https://shop.example/,https://chatgpt.com/\n\
         3,2026-05-13T11:00:00Z,c,https://shop.example/?wbraid=Cl1,\n\
         4,2026-05-13T12:00:00Z,d,https://shop.example/?ScCid=1,\n\
         5,2026-05-13T13:00:00Z,e,https://shop.example/?rdt_cid=1,\n",
    );
    project.json(&["run"], 0);
    let channels = "select c.channel from star.fct_session s inner join star.dim_channel c on \
         s.channel_key = c.channel_key order by s.session_started_at";
    let found = |project: &Project| -> Vec<String> {
        project
            .rows(channels)
            .iter()
            .map(|row| plain(&row["channel"]))
            .collect()
    };
    let ads = ["Paid Search", "Paid Social", "Paid Social"];
    assert_eq!(found(&project), [&["AI Assistant"; 2][..], &ads].concat());
    let dated = RULES.replace(
        "130,AI Assistant,,,ai-assistant,,,",
        "130,AI Assistant,,,ai-assistant,,2026-05-13,",
    );
    project.write("seeds/channel_rule.csv", dated);
    let preview = project.json(&["channels", "preview"], 0);
    assert_eq!(preview["moved"]["sessions"], 1, "{preview}");
    project.json(&["run"], 0);
    assert_eq!(
        found(&project),
        [&["Referral", "AI Assistant"][..], &ads].concat()
    );
}

const EVENTS: &str = "-- grain: one row per event
{{ config(entity='web_event') }}
select _raw_id, id as event_id, at as event_at, 'page_view' as event_name, who as anonymous_id,
    page as page_url, referrer as referrer_url
from {{ source('site', 'rows') }}
";

/// Events of a case of the shared vectors, with their own source, medium and campaign as tags.
const VECTOR_EVENTS: &str = "-- grain: one row per event
{{ config(entity='web_event') }}
select _raw_id, id as event_id, at as event_at, 'page_view' as event_name, who as anonymous_id,
    sequence as event_sequence, source as utm_source, medium as utm_medium,
    campaign as utm_campaign, native as session_id
from {{ source('site', 'rows') }}
";

/// A project with a case: its events lie in `events/0.csv` and, for later, in `late.csv`, every
/// other one, in the order of the case, which is none of time.
fn of_case(case: &Value, policy: &str) -> Project {
    let minutes = case["timeout_seconds"].as_i64().unwrap() / 60;
    let project = Project::new(
        PROGRAM,
        &format!(
            "reporting: {{zone: {}, currency: EUR}}\n\
             sessions: {{policy: {policy}, timeout_minutes: {minutes}, tracker_ids: false}}\n\
             sources:\n  site: {{path: 'events/*.csv'}}\n",
            plain(&case["timezone"])
        ),
    );
    project.write("models/1_silver/stg_site__events.sql", VECTOR_EVENTS);
    let mut files = ["id,at,who,sequence,source,medium,campaign,native\n"; 2].map(str::to_owned);
    for (number, event) in case["events"].as_array().unwrap().iter().enumerate() {
        let part = |name: &str| plain(&event[name]);
        let is_direct = ["", "(direct)"].contains(&part("source").as_str());
        let tags = ["source", "medium", "campaign"];
        let tags = tags.map(|name| if is_direct { String::new() } else { part(name) });
        let (id, at, who, sequence) = (part("id"), part("time"), part("user"), part("seq"));
        // One id of the tracker for all: neither policy may look at it here.
        let row = format!("{id},{at},{who},{sequence},{},one\n", tags.join(","));
        files[number % 2].push_str(&row);
    }
    let [in_time, late] = files;
    project.write("events/0.csv", in_time);
    project.write("late.csv", late);
    project
}

/// Ordinal of the session of each event among its user's, and where the session came from, by user
/// and ordinal. Sessions that begin at the same instant stand in the order of their events.
fn sessions_of(project: &Project) -> (BTreeMap<String, u64>, BTreeMap<String, [String; 3]>) {
    let rows = project.rows(
        "select w.event_id as id, w.anonymous_id as who, cast(e.session_id as text) as session, \
         s.source, s.medium, s.campaign_name from star.fct_journey_event e \
         inner join star.fct_session s on e.session_id = s.session_id \
         inner join silver.web_event w \
         on e.event_id = durable_key('event', w.source_name, w.event_id) \
         order by w.event_at, w.event_sequence, w.event_id",
    );
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut numbers, mut origins) = (BTreeMap::new(), BTreeMap::new());
    for row in &rows {
        let (who, session) = (plain(&row["who"]), plain(&row["session"]));
        let sessions = seen.entry(who.clone()).or_default();
        if !sessions.contains(&session) {
            sessions.push(session.clone());
        }
        let number = sessions.iter().position(|known| *known == session).unwrap() as u64 + 1;
        let origin = ["source", "medium", "campaign_name"].map(|part| plain(&row[part]));
        origins.insert(format!("{who}#{number}"), origin);
        numbers.insert(plain(&row["id"]), number);
    }
    (numbers, origins)
}

#[test]
fn sessions_of_the_vectors_by_both_policies() {
    for (file, policies) in [
        ("sessions_random_Berlin.json", ["ua", "ga4"]),
        ("sessions_random_UTC.json", ["ga4", "ua"]),
    ] {
        let Some(path) = shared(&format!("vectors/session/{file}")) else {
            return;
        };
        let text = std::fs::read_to_string(path).unwrap();
        let case: Value = serde_json::from_str(&text).unwrap();
        let project = of_case(&case, policies[0]);
        // Half of the events come late, between and before those that are there.
        project.json(&["run"], 0);
        let late = std::fs::read(project.dir().join("late.csv")).unwrap();
        project.write("events/1.csv", late);
        for (number, policy) in policies.into_iter().enumerate() {
            if number > 0 {
                // The other policy: what depends on it is built anew, as in a project of its own.
                let zone = plain(&case["timezone"]);
                let minutes = case["timeout_seconds"].as_i64().unwrap() / 60;
                project.set(&format!(
                    "reporting: {{zone: {zone}, currency: EUR}}\nsessions: {{policy: {policy}, \
                     timeout_minutes: {minutes}, tracker_ids: false}}\n"
                ));
            }
            let ran = project.json(&["run"], 0);
            assert!(ran["built"].as_u64().unwrap() > 0, "{ran}");
            let (numbers, origins) = sessions_of(&project);
            let expected = &case["expected"][policy];
            let sessions = expected["sessions"].as_object().unwrap();
            assert_eq!(numbers.len(), sessions.len());
            for (id, session) in sessions {
                assert_eq!(Some(numbers[id]), session.as_u64(), "{file} {policy} {id}");
            }
            for (session, origin) in expected["session_source"].as_object().unwrap() {
                let mut origin = ["source", "medium", "campaign"].map(|part| plain(&origin[part]));
                if origin[0] == "(direct)" {
                    origin[2] = "(not set)".to_owned();
                }
                assert_eq!(origins[session], origin, "{file} {policy} {session}");
            }
        }
        project.json(&["run"], 0);
        assert_eq!(project.json(&["run"], 0)["built"], 0);
    }
}

#[test]
fn sessions_beyond_sense_are_refused_and_engagement_is_a_setting() {
    let project = shop();
    project.set("sessions: {timeout_minutes: 5000}\n");
    let out = project.run(&["run"]);
    assert_eq!(out.status.code(), Some(1));
    let said = testkit::text(&out);
    assert!(
        said.contains("`sessions.timeout_minutes` is `5000`"),
        "{said}"
    );
    project.set("sessions: {timeout_minutes: 30}\n");
    project.json(&["run"], 0);
    let engaged = "select count(*) from star.fct_session where is_engaged";
    // The four that bought.
    assert_eq!(project.value(engaged), "4");
    project.set("sessions: {engaged_page_views: 1}\n");
    project.json(&["run"], 0);
    assert_eq!(project.value(engaged), "22");
}
