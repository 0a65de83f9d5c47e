//! Sessions against the shared vectors, native ids, and properties.

use std::collections::BTreeMap;

use domain::config::{SessionPolicy as Policy, Sessions};
use proptest::prelude::*;
use serde_json::Value;

use super::{SessionEvent, SessionPolicy, SessionSettings, SessionStep, Sessionizer, Traffic};
use crate::vectors;

const MINUTE_US: i64 = 60_000_000;

/// Sessions as long as they go on.
fn settings() -> SessionSettings {
    SessionSettings {
        one_midnight: false,
        ..default_settings()
    }
}

/// What a project has that says nothing of sessions.
fn default_settings() -> SessionSettings {
    SessionSettings::new(&Sessions::default(), "UTC").expect("valid settings")
}

fn steps(settings: SessionSettings, events: &[(i64, Option<&str>)]) -> Vec<SessionStep> {
    let mut sessionizer = Sessionizer::new(settings);
    events
        .iter()
        .map(|&(minutes, native_session_id)| {
            sessionizer.next(&SessionEvent {
                at_us: minutes * MINUTE_US,
                native_session_id,
                traffic: None,
            })
        })
        .collect()
}

fn numbers(steps: &[SessionStep]) -> Vec<usize> {
    steps.iter().map(|step| step.session).collect()
}

#[test]
fn cuts_at_pauses_and_at_the_longest_length() {
    let found = steps(settings(), &[(0, None), (30, None), (61, None)]);
    assert_eq!(numbers(&found), [0, 0, 1]);
    assert_eq!(
        found[1],
        SessionStep {
            session: 0,
            is_start: false,
            started_at_us: 0,
            event_index: 2
        }
    );
    assert_eq!(found[2].started_at_us, 61 * MINUTE_US);
    // An event every 20 minutes for 25 hours: cut after 24.
    let long: Vec<(i64, Option<&str>)> = (0..75).map(|n| (n * 20, None)).collect();
    let found = steps(settings(), &long);
    assert_eq!(found[72].session, 0, "24 hours exactly");
    assert_eq!(found[73].session, 1, "and 20 minutes");
}

#[test]
fn native_ids_make_the_session() {
    // A long pause does not cut it, and another tab's session may run between.
    let events = [
        (0, Some("a")),
        (10, Some("b")),
        (300, Some("a")),
        (301, Some("b")),
        (302, None),
    ];
    let found = steps(settings(), &events);
    assert_eq!(numbers(&found), [0, 1, 0, 1, 1]);
    assert_eq!(found[2].started_at_us, 0);
    assert_eq!(found[4].event_index, 3);
    // Without an id and after a pause: a session of its own; an empty id is none.
    let found = steps(
        settings(),
        &[(0, Some("a")), (40, None), (41, Some("")), (42, Some("a"))],
    );
    assert_eq!(numbers(&found), [0, 1, 1, 0]);
    assert!(found[1].is_start);
}

#[test]
fn devices_do_not_mix() {
    let mut sessionizer = Sessionizer::new(settings());
    let event = SessionEvent {
        at_us: 0,
        native_session_id: Some("1"),
        traffic: None,
    };
    assert!(sessionizer.next(&event).is_start);
    sessionizer.begin_device();
    let step = sessionizer.next(&event);
    assert!(step.is_start && step.session == 0 && step.event_index == 1);
}

#[test]
fn a_session_goes_over_one_midnight() {
    let settings = default_settings();
    let hour = 60;
    // Without a pause from 20:00 on: over the first midnight, and not over the second.
    let rest_less: Vec<(i64, Option<&str>)> = (0..90).map(|n| (20 * hour + n * 20, None)).collect();
    let found = steps(settings, &rest_less);
    assert_eq!(found[71].session, 0, "until 19:40 of the next day");
    assert_eq!(
        (found[73].session, found[83].session),
        (1, 1),
        "the longest length"
    );
    assert_eq!(found[84].session, 2, "the second midnight");
    assert_eq!(found[84].started_at_us, 48 * hour * MINUTE_US);
    // A tracker that keeps its id: two days are one session, then each day is one.
    let days: Vec<(i64, Option<&str>)> = (0..5).map(|n| (n * 24 * hour, Some("a"))).collect();
    assert_eq!(numbers(&steps(settings, &days)), [0, 0, 1, 2, 3]);
    // An id that comes back after a day without it is another session.
    let back = [
        (0, Some("a")),
        (48 * hour, Some("a")),
        (72 * hour, Some("a")),
    ];
    assert_eq!(numbers(&steps(settings, &back)), [0, 1, 1]);
}

fn policy(name: &str, zone: &str) -> SessionPolicy {
    match name {
        "ga4" => SessionPolicy::Ga4,
        _ => SessionPolicy::UniversalAnalytics {
            zone: zone.parse().expect("an IANA zone"),
        },
    }
}

/// (session ordinal, start) of each event of a case.
fn run(case: &Value, name: &str) -> BTreeMap<String, (u64, i64)> {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let mut by_user: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for event in case["events"].as_array().expect("a list") {
        by_user.entry(text(event, "user")).or_default().push(event);
    }
    let timeout = case["timeout_seconds"].as_i64().expect("a number");
    let mut sessionizer = Sessionizer::new(SessionSettings {
        timeout_us: timeout * 1_000_000,
        length_max_us: i64::MAX,
        policy: policy(name, case["timezone"].as_str().expect("text")),
        one_midnight: false,
        tracker_ids: false,
    });
    let mut found = BTreeMap::new();
    for events in by_user.values_mut() {
        let at = |event: &Value| vectors::micros(event["time"].as_str().expect("text"));
        events.sort_by_key(|event| (at(event), event["seq"].as_i64(), text(event, "id")));
        sessionizer.begin_device();
        for event in events {
            let (source, medium) = (text(event, "source"), text(event, "medium"));
            let campaign = text(event, "campaign");
            let is_traffic = !source.is_empty() && source != "(direct)";
            let step = sessionizer.next(&SessionEvent {
                at_us: at(event),
                native_session_id: None,
                traffic: is_traffic.then_some(Traffic {
                    source: &source,
                    medium: &medium,
                    campaign: &campaign,
                }),
            });
            found.insert(
                text(event, "id"),
                (step.session as u64 + 1, step.started_at_us),
            );
        }
    }
    found
}

#[test]
fn settings_beyond_sense_are_refused() {
    let refused = |change: fn(&mut Sessions)| {
        let mut config = Sessions::default();
        change(&mut config);
        let settings = SessionSettings::new(&config, "Europe/Berlin");
        settings.expect_err("a refusal").to_string()
    };
    let said = refused(|config| config.timeout_minutes = 0);
    assert!(said.contains("`sessions.timeout_minutes` is `0`"), "{said}");
    let said = refused(|config| config.timeout_minutes = 1_441);
    assert!(said.contains("475"), "{said}");
    let said = refused(|config| config.hours_max = 49);
    assert!(said.contains("`sessions.hours_max` is `49`"), "{said}");
    let said = refused(|config| {
        config.policy = Policy::Ua;
        config.tracker_ids = Some(true);
    });
    assert!(said.contains("`sessions.tracker_ids` is `true`"), "{said}");
    let ua = Sessions {
        policy: Policy::Ua,
        ..Sessions::default()
    };
    assert!(SessionSettings::new(&ua, "Berlin").is_err());
    let settings = SessionSettings::new(&ua, "Europe/Berlin").expect("valid settings");
    assert!(!settings.one_midnight && !settings.tracker_ids);
    assert_eq!(settings.policy, policy("ua", "Europe/Berlin"));
}

#[test]
fn tracker_ids_can_be_left_out_of_account() {
    let settings = SessionSettings {
        tracker_ids: false,
        ..settings()
    };
    let events = [(0, Some("a")), (10, Some("b")), (300, Some("a"))];
    assert_eq!(numbers(&steps(settings, &events)), [0, 0, 1]);
}

#[test]
fn sessions_of_the_small_vectors() {
    let Some(json) = vectors::json("session/sessions_small.json") else {
        return;
    };
    for case in json["cases"].as_array().expect("a list") {
        for name in ["ga4", "ua"] {
            let found = run(case, name);
            let expected = case["expected"][name]["sessions"]
                .as_object()
                .expect("an object");
            assert_eq!(found.len(), expected.len());
            for (id, session) in expected {
                let start = vectors::micros(session["session_start"].as_str().expect("text"));
                let number = session["session"].as_u64().expect("a number");
                assert_eq!(found[id], (number, start), "{} {name} {id}", case["name"]);
            }
        }
    }
}

#[test]
fn sessions_of_the_random_vectors() {
    for file in [
        "session/sessions_random_UTC.json",
        "session/sessions_random_Berlin.json",
    ] {
        let Some(case) = vectors::json(file) else {
            return;
        };
        for name in ["ga4", "ua"] {
            let found = run(&case, name);
            let expected = case["expected"][name]["sessions"]
                .as_object()
                .expect("an object");
            assert_eq!(found.len(), expected.len());
            for (id, number) in expected {
                assert_eq!(Some(found[id].0), number.as_u64(), "{file} {name} {id}");
            }
        }
    }
}

proptest! {
    /// What a build of one day sees, from the two days before on, gives that day the sessions of a
    /// build of everything.
    #[test]
    fn a_day_follows_from_itself_and_two_days_before(
        gaps in proptest::collection::vec(
            prop_oneof![8 => 0_i64..32, 1 => 32_i64..2_000, 1 => 1_400_i64..3_000], 1..400,
        ),
        native in proptest::collection::vec(proptest::option::weighted(0.2, 0_u8..3), 400),
        timeout in prop_oneof![Just(30), Just(5), Just(600), Just(1_440)],
    ) {
        let settings = SessionSettings {
            timeout_us: timeout * MINUTE_US,
            ..default_settings()
        };
        let text = |id: &Option<u8>| id.map(|id| id.to_string());
        let ids: Vec<Option<String>> = native.iter().map(text).collect();
        let mut at = 0;
        let events: Vec<(i64, Option<&str>)> = gaps
            .iter()
            .zip(&ids)
            .map(|(gap, id)| { at += gap; (at, id.as_deref()) })
            .collect();
        let whole = steps(settings, &events);
        let day = |minutes: i64| minutes.div_euclid(24 * 60);
        for today in 0..=day(at) {
            let first = events.partition_point(|event| day(event.0) < today - 2);
            let end = events.partition_point(|event| day(event.0) <= today);
            let part = steps(settings, &events[first..end]);
            for index in first..end {
                let (found, wanted) = (part[index - first], whole[index]);
                if day(events[index].0) == today {
                    prop_assert_eq!(found.started_at_us, wanted.started_at_us);
                    prop_assert_eq!(found.event_index, wanted.event_index);
                    let opening = |steps: &[SessionStep], session: usize| {
                        steps.iter().position(|step| step.session == session && step.is_start)
                    };
                    prop_assert_eq!(
                        opening(&part, found.session).map(|place| place + first),
                        opening(&whole, wanted.session),
                        "the same event opens it"
                    );
                    prop_assert!(day(wanted.started_at_us / MINUTE_US) >= today - 1);
                }
            }
        }
    }

    /// The same of the policy that cuts at midnight of a zone and when the campaign changes.
    #[test]
    fn a_day_with_midnights_follows_from_itself_and_two_days_before(
        gaps in proptest::collection::vec(
            prop_oneof![8 => 0_i64..32, 1 => 32_i64..2_000, 1 => 1_400_i64..3_000], 1..400,
        ),
        campaigns in proptest::collection::vec(proptest::option::weighted(0.1, 0_u8..3), 400),
        zone in prop_oneof![Just("Europe/Berlin"), Just("America/Lima"), Just("Asia/Kolkata")],
    ) {
        let ua = Sessions { policy: Policy::Ua, timeout_minutes: 300, ..Sessions::default() };
        let settings = SessionSettings::new(&ua, zone).expect("valid settings");
        let names = ["a", "b", "c"];
        let run = |from: usize, to: usize, times: &[i64]| -> Vec<SessionStep> {
            let mut sessionizer = Sessionizer::new(settings);
            (from..to)
                .map(|index| {
                    let source = campaigns[index].map(|number| names[usize::from(number)]);
                    sessionizer.next(&SessionEvent {
                        at_us: times[index] * MINUTE_US,
                        native_session_id: Some("one for ever"),
                        traffic: source.map(|source| Traffic { source, medium: "", campaign: "" }),
                    })
                })
                .collect()
        };
        // From the day before summer time begins in Berlin.
        let mut at = vectors::micros("2026-03-28T00:00:00Z") / MINUTE_US;
        let times: Vec<i64> = gaps.iter().map(|gap| { at += gap; at }).collect();
        let whole = run(0, times.len(), &times);
        let day = |minutes: i64| minutes.div_euclid(24 * 60);
        for today in day(times[0])..=day(at) {
            let first = times.partition_point(|time| day(*time) < today - 2);
            let end = times.partition_point(|time| day(*time) <= today);
            let part = run(first, end, &times);
            for index in (first..end).filter(|index| day(times[*index]) == today) {
                prop_assert_eq!(part[index - first].started_at_us, whole[index].started_at_us);
                prop_assert_eq!(part[index - first].event_index, whole[index].event_index);
            }
        }
    }

    #[test]
    fn sessions_hold_their_promises(
        gaps in proptest::collection::vec(0_i64..50, 1..200),
        native in proptest::collection::vec(proptest::option::weighted(0.3, 0_u8..4), 200),
    ) {
        let settings = settings();
        let mut sessionizer = Sessionizer::new(settings);
        let mut at_us = 0;
        let mut starts: Vec<i64> = Vec::new();
        let mut counts: Vec<u32> = Vec::new();
        let mut native_of: BTreeMap<String, usize> = BTreeMap::new();
        for (gap, native) in gaps.iter().zip(&native) {
            at_us += gap * MINUTE_US;
            let id = native.map(|id| id.to_string());
            let step = sessionizer.next(&SessionEvent {
                at_us,
                native_session_id: id.as_deref(),
                traffic: None,
            });
            prop_assert_eq!(step.is_start, step.session == starts.len());
            if step.is_start {
                starts.push(at_us);
                counts.push(0);
            }
            counts[step.session] += 1;
            prop_assert_eq!(step.event_index, counts[step.session]);
            prop_assert_eq!(step.started_at_us, starts[step.session]);
            match id {
                Some(id) => {
                    let known = *native_of.entry(id).or_insert(step.session);
                    prop_assert_eq!(known, step.session);
                }
                None => prop_assert!(at_us - step.started_at_us <= settings.length_max_us),
            }
        }
    }
}
