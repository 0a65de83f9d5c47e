//! What changes a fingerprint, and what does not.

use std::collections::BTreeMap;

use crate::compile::Manifest;
use crate::project::testing::fixture;

fn manifest(files: &[(&str, &str)]) -> Manifest {
    match Manifest::build(fixture(files).project(), &BTreeMap::new()) {
        Ok(manifest) => manifest,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn formatting_does_not_change_the_fingerprint() {
    let fingerprint = |sql: &str| {
        let manifest = manifest(&[
            ("throughline.yml", "name: shop"),
            ("models/fct_order.sql", "select 1 as a"),
            ("models/mart_a.sql", sql),
        ]);
        manifest.models["mart_a"].fingerprint.clone()
    };
    let base = fingerprint(
        "{{ config(materialized='table') }} select a, 'X  y' from {{ ref('fct_order') }}",
    );
    let same = "-- why\n{{ config(tags=['t'], materialized='table') }}\n\
        SELECT a,\n    'X  y' -- note\n\
        FROM /* a /* nested */ note */ {{ ref('fct_order') }} ;";
    assert_eq!(base, fingerprint(same));
    let different = [
        "{{ config(materialized='view') }} select a, 'X  y' from {{ ref('fct_order') }}",
        "{{ config(materialized='table') }} select a, 'X y' from {{ ref('fct_order') }}",
        "{{ config(materialized='table') }} select a, 'x  y' from {{ ref('fct_order') }}",
        "{{ config(materialized='table') }} select a, 'X  y' from {{ ref('fct_order').render() }}",
        "{{ config(materialized='table') }} select a, 'X  y' from {{ ref('fct_order') }} \
         {% if is_incremental() %} where true {% endif %}",
    ];
    for sql in different {
        assert_ne!(base, fingerprint(sql), "{sql}");
    }
}

#[test]
fn what_functions_know_is_in_the_fingerprint_of_those_who_call_them() {
    let fingerprints = |settings: &str, rules: &str| {
        let manifest = manifest(&[
            ("throughline.yml", &format!("name: x\n{settings}")),
            ("seeds/channel_rule.csv", rules),
            (
                "models/mart_s.sql",
                "select * from SESSIONIZE((select 1 as device_key))",
            ),
            (
                "models/mart_c.sql",
                "select channel_group('a', 'b', 'c') as channel",
            ),
            ("models/mart_n.sql", "select 1 as one"),
        ]);
        ["mart_s", "mart_c", "mart_n"].map(|name| manifest.models[name].fingerprint.clone())
    };
    let base = fingerprints("", "channel\nDirect\n");
    let shorter = fingerprints("sessions: {timeout_minutes: 15}", "channel\nDirect\n");
    assert_eq!((shorter[0] == base[0], &shorter[1..]), (false, &base[1..]));
    // What cuts otherwise is another table; the zone matters only where its midnight cuts.
    let ua = fingerprints("sessions: {policy: ua}", "channel\nDirect\n");
    assert_eq!((ua[0] == base[0], &ua[1..]), (false, &base[1..]));
    let zone = "reporting: {zone: Europe/Berlin}";
    let in_zone = fingerprints(zone, "channel\nDirect\n");
    assert_eq!(in_zone, base);
    let ua_in_zone = fingerprints(
        &format!("sessions: {{policy: ua}}\n{zone}"),
        "channel\nDirect\n",
    );
    assert_ne!(ua_in_zone[0], ua[0]);
    let default = fingerprints(
        "sessions: {policy: ga4, tracker_ids: true}",
        "channel\nDirect\n",
    );
    assert_eq!(default, base);
    let other = fingerprints("", "channel\nOther\n");
    assert_eq!(
        (&other[0], other[1] == base[1], &other[2]),
        (&base[0], false, &base[2])
    );
}
