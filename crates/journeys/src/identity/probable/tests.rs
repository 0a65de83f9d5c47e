//! What holds for any records: order, symmetry, and inputs that say nothing.

use proptest::prelude::*;

use super::text::Scratch;
use super::{
    Compare, Layout, Level, ProbableLink, ProbableSettings, Records, RecordsBuilder, Scored, check,
};
use crate::error::JourneysError;

const COLUMNS: [&str; 6] = [
    "record_key",
    "source",
    "name_first",
    "name_last",
    "code_postcode",
    "exact_town",
];

type Row = (i64, [Option<&'static str>; 5]);

fn records(rows: &[Row]) -> Records {
    let mut builder = RecordsBuilder::new(Layout::new(&COLUMNS).unwrap());
    for (key, values) in rows {
        let mut all = vec![None];
        all.extend(values);
        builder.push(*key, &all).unwrap();
    }
    builder.finish().unwrap()
}

fn scored(rows: &[Row]) -> Scored {
    records(rows).scored(&ProbableSettings::default())
}

const FIRST: [&str; 8] = [
    "Anna", "Bernd", "Clara", "David", "Eva", "Frank", "Greta", "Hugo",
];
const LAST: [&str; 12] = [
    "Albrecht", "Brandt", "Caspari", "Dietrich", "Engel", "Fischer", "Gruber", "Hartmann", "Ibsen",
    "Jansen", "Keller", "Lindner",
];
const TOWN: [&str; 5] = ["Aachen", "Bonn", "Celle", "Dessau", "Essen"];
const POSTCODE: [&str; 6] = ["52062", "53111", "29221", "06842", "45127", "45128"];

/// People that have nothing to do with each other.
fn strangers(count: usize) -> Vec<Row> {
    let rows = (0..count).map(|at| {
        let values = [
            Some("crm"),
            Some(FIRST[at % 8]),
            Some(LAST[(at / 8 + at) % 12]),
            Some(POSTCODE[(at * 7 + at / 5) % 6]),
            Some(TOWN[(at * 3 + at / 7) % 5]),
        ];
        (at as i64 + 1, values)
    });
    rows.collect()
}

/// Two of them are one person, written otherwise; the town alone agrees with many.
fn with_two_that_are_one() -> Vec<Row> {
    let mut rows = strangers(60);
    rows.push((
        500,
        [
            Some("crm"),
            Some("Katharina"),
            Some("Wolkenstein"),
            Some("99423"),
            Some("Bonn"),
        ],
    ));
    rows.push((
        501,
        [
            Some("shop"),
            Some("Katarina"),
            Some("Wolkenstien"),
            Some("99423"),
            Some("Bonn"),
        ],
    ));
    rows
}

fn keys(links: &[ProbableLink]) -> Vec<(i64, i64)> {
    links.iter().map(|link| (link.a_key, link.b_key)).collect()
}

#[test]
fn two_that_are_one_are_found_among_strangers() {
    let scored = scored(&with_two_that_are_one());
    assert_eq!(keys(&scored.links), [(500, 501)]);
    let link = &scored.links[0];
    assert!(link.match_probability > 0.9, "{link:?}");
    let odds = link.match_probability / (1.0 - link.match_probability);
    assert!((link.match_weight - odds.log2()).abs() < 1e-6);
    assert_eq!(
        scored.agreement(link.pattern),
        "first close, last close, postcode exact, town exact"
    );
    assert!(scored.weights.iter().all(|row| row.m > 0.0 && row.u > 0.0));
    for field in ["first", "last", "postcode", "town"] {
        let rows = scored.weights.iter().filter(|row| row.field == field);
        let (m, u) = rows.fold((0.0, 0.0), |(m, u), row| (m + row.m, u + row.u));
        assert!(
            (m - 1.0).abs() < 1e-9 && (u - 1.0).abs() < 1e-9,
            "{field} {m} {u}"
        );
    }
}

#[test]
fn two_of_one_source_are_left_out_where_it_is_asked_for() {
    let mut rows = with_two_that_are_one();
    let settings = ProbableSettings {
        within_source: false,
        ..ProbableSettings::default()
    };
    assert_eq!(keys(&records(&rows).scored(&settings).links), [(500, 501)]);
    rows.last_mut().unwrap().1[0] = Some("crm");
    assert!(records(&rows).scored(&settings).links.is_empty());
}

#[test]
fn inputs_that_say_nothing_give_nothing() {
    assert!(scored(&[]).links.is_empty());
    let one = (1, [Some("crm"), Some("Anna"), Some("Engel"), None, None]);
    assert!(scored(&[one]).links.is_empty());
    let null: Vec<Row> = (0..50).map(|key| (key, [None; 5])).collect();
    assert!(scored(&null).links.is_empty());
    let blank: Vec<Row> = (0..50).map(|key| (key, [Some(" "); 5])).collect();
    assert!(scored(&blank).links.is_empty());
    // All alike: that two agree says nothing.
    let equal: Vec<Row> = (0..50).map(|key| (key, one.1)).collect();
    assert!(scored(&equal).links.is_empty());
    assert!(keys(&scored(&strangers(60)).links).is_empty());
}

#[test]
fn a_common_name_is_worth_less_than_a_rare_one() {
    let mut rows = strangers(40);
    for at in 0..60 {
        rows.push((200 + at, [None, None, Some("Smith"), None, None]));
    }
    rows.push((300, [None, None, Some("Zwingli"), None, None]));
    rows.push((301, [None, None, Some("Zwingli"), None, None]));
    let settings = ProbableSettings {
        report_from: 1e-9,
        ..ProbableSettings::default()
    };
    let scored = records(&rows).scored(&settings);
    let weight = |a, b| {
        let link = scored
            .links
            .iter()
            .find(|link| (link.a_key, link.b_key) == (a, b));
        link.map_or(f64::MIN, |link| link.match_weight)
    };
    assert!(
        weight(300, 301) > weight(200, 201) + 3.0,
        "{:?}",
        weight(300, 301)
    );
}

#[test]
fn a_block_that_is_too_large_is_left_out_and_said() {
    let columns = ["record_key", "name_last", "block_town", "block_last"];
    let mut builder = RecordsBuilder::new(Layout::new(&columns).unwrap());
    for key in 0..30 {
        let last = LAST[key as usize % 12];
        let town = if key < 25 { "Bonn" } else { "Celle" };
        builder
            .push(key, &[None, Some(last), Some(town), Some(last)])
            .unwrap();
    }
    let records = builder.finish().unwrap();
    let settings = ProbableSettings::new(0.5, 20, true).unwrap();
    let rows = records.blocking(&settings);
    let town = &rows[0];
    assert_eq!(
        (town.rule.as_str(), town.block_count, town.pair_count),
        ("town", 2, 10)
    );
    assert_eq!(
        (town.left_out_block_count, town.left_out_record_count),
        (1, 25)
    );
    assert_eq!((rows[1].left_out_block_count, rows[1].pair_count), (0, 24));
}

#[test]
fn pairs_stay_in_proportion_to_the_records() {
    // Names as uneven as real ones: the first of them is a tenth of all.
    let count = 20_000_usize;
    let mut builder = RecordsBuilder::new(Layout::new(&COLUMNS).unwrap());
    for at in 0..count {
        let draw = |salt: usize| (at * 7919 + salt * 104_729) % count;
        let uneven = |draw: usize, of: usize| (of as f64).powf(draw as f64 / count as f64) as usize;
        let first = format!("first{}", uneven(draw(1), 900));
        let last = format!("last{}", uneven(draw(2), 9_000));
        let postcode = format!("{:05}", uneven(draw(3), 5_000));
        let town = format!("town{}", uneven(draw(4), 40));
        let values = [&first, &last, &postcode, &town].map(|text| Some(text.as_str()));
        let values = [None, None].into_iter().chain(values).collect::<Vec<_>>();
        builder.push(at as i64, &values).unwrap();
    }
    let rows = builder
        .finish()
        .unwrap()
        .blocking(&ProbableSettings::default());
    let pairs: u64 = rows.iter().map(|row| row.pair_count).sum();
    assert!(
        pairs >= count as u64 && pairs <= 40 * count as u64,
        "{pairs} {rows:?}"
    );
    let left_out: u64 = rows.iter().map(|row| row.left_out_block_count).sum();
    assert!(rows.len() >= 4 && left_out > 0, "{rows:?}");
    assert!(rows.iter().all(|row| row.size_max <= 200), "{rows:?}");
}

#[test]
fn columns_say_what_they_are_for() {
    let layout = Layout::new(&["record_key", "sound_a", "exact_a", "block_x", "date_b"]).unwrap();
    let fields: Vec<(&str, Compare)> = layout
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.compare))
        .collect();
    assert_eq!(fields, [("a", Compare::Exact), ("b", Compare::Date)]);
    assert_eq!(layout.blocks, ["x"]);
    for (columns, said) in [
        (
            &["record_key", "email"][..],
            "column `email` does not say how it is compared",
        ),
        (&["record_key", "name_"], "column `name_` does not say"),
        (
            &["record_key", "sound_a"],
            "column `sound_a` is the sound of a field that is not there",
        ),
        (
            &["record_key", "name_a", "exact_a"],
            "column `exact_a` compares what another",
        ),
        (&["name_a"], "column `record_key` is not there"),
        (
            &["record_key", "block_a"],
            "nor any other that can be compared",
        ),
    ] {
        let error = Layout::new(columns).expect_err("refused").to_string();
        assert!(error.contains(said) && error.contains("(hint: "), "{error}");
    }
    let mut builder = RecordsBuilder::new(Layout::new(&COLUMNS).unwrap());
    builder.push(7, &[]).unwrap();
    builder.push(7, &[]).unwrap();
    assert!(matches!(
        builder.finish(),
        Err(JourneysError::SameKey { key: 7 })
    ));
}

#[test]
fn texts_are_as_alike_as_published() {
    let mut scratch = Scratch::default();
    // Winkler's own examples.
    for (a, b, alike) in [
        ("martha", "marhta", 0.961),
        ("dwayne", "duane", 0.840),
        ("dixon", "dicksonx", 0.813),
        ("jones", "johnson", 0.832),
        ("abc", "xyz", 0.0),
        ("", "", 1.0),
    ] {
        assert!(
            (scratch.jaro_winkler(a, b) - alike).abs() < 0.001,
            "{a} {b}"
        );
        let exactly = scratch.jaro_winkler(a, b);
        assert_eq!(exactly, scratch.jaro_winkler(b, a));
        if !a.is_empty() {
            assert_eq!(
                scratch.alike(a, b, 0.8),
                Some(exactly).filter(|alike| *alike >= 0.8)
            );
        }
    }
    for (a, b, edits) in [
        ("4223", "4223", Some(0)),
        ("4223", "4232", Some(1)),
        ("4223", "423", Some(1)),
        ("kitten", "sitting", None),
        ("abcdef", "abdcfe", Some(2)),
        ("", "ab", Some(2)),
    ] {
        assert_eq!(scratch.edits(a, b, 2), edits, "{a} {b}");
        assert_eq!(scratch.edits(b, a, 2), edits, "{b} {a}");
    }
}

#[test]
fn values_agree_as_far_as_their_kind_says() {
    let mut scratch = Scratch::default();
    let mut level = |compare: Compare, a: &str, b: &str| {
        let (a, b) = (
            compare.normalised(a).unwrap(),
            compare.normalised(b).unwrap(),
        );
        match a == b {
            true => Level::Exact,
            false => compare.level(&a, &b, &mut scratch),
        }
    };
    assert_eq!(level(Compare::Name, "Müller ", "MULLER"), Level::Exact);
    assert_eq!(level(Compare::Name, "Petersen", "Peterson"), Level::Close);
    assert_eq!(level(Compare::Name, "Meyer", "Maier"), Level::Different);
    assert_eq!(level(Compare::Code, "D-42 23", "d4223"), Level::Exact);
    assert_eq!(level(Compare::Code, "4223", "4263"), Level::Close);
    assert_eq!(level(Compare::Code, "4223", "4169"), Level::Different);
    assert_eq!(level(Compare::Code, "7535316", "7535361"), Level::Close);
    assert_eq!(level(Compare::Code, "7535316", "7515346"), Level::Similar);
    assert_eq!(level(Compare::Date, "1971-06-24", "19710624"), Level::Exact);
    assert_eq!(
        level(Compare::Date, "1971-06-04", "1971-04-06"),
        Level::Close
    );
    assert_eq!(
        level(Compare::Date, "1971-06-24", "1954-11-30"),
        Level::Different
    );
    assert_eq!(level(Compare::Exact, " Acme", "ACME"), Level::Exact);
    assert_eq!(level(Compare::Exact, "Acme", "Acne"), Level::Different);
}

#[test]
fn settings_out_of_range_are_refused() {
    for wrong in [0.0, -0.1, 1.01, f64::NAN] {
        let error = ProbableSettings::new(wrong, 200, true)
            .expect_err("refused")
            .to_string();
        assert!(error.contains("it is a probability"), "{error}");
    }
    assert!(ProbableSettings::new(0.5, 1, true).is_err());
    let mut config = domain::config::ProbableLinks::default();
    check(&config).unwrap();
    let mut refused = |change: &dyn Fn(&mut domain::config::ProbableLinks), said: &str| {
        change(&mut config);
        let error = check(&config).expect_err("refused").to_string();
        assert!(error.contains(said), "{error}");
        config = domain::config::ProbableLinks::default();
    };
    refused(
        &|links| links.report_from = 1.5,
        "`identity.probable_links.report_from` is `1.5`",
    );
    refused(&|links| links.block_max = 0, "block_max");
    refused(
        &|links| links.as_evidence_from = Some(0.95),
        "enabled: true",
    );
    refused(
        &|links| (links.enabled, links.as_evidence_from) = (true, Some(0.5)),
        "only links that are reported",
    );
    refused(
        &|links| (links.enabled, links.as_evidence_from) = (true, Some(2.0)),
        "it is a probability",
    );
}

/// A few people, some of them several times, with gaps.
fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    let maybe = |of: &'static [&'static str]| {
        prop_oneof![
            1 => Just(None),
            6 => proptest::sample::select(of).prop_map(Some),
        ]
    };
    let values = (
        maybe(&["crm", "shop"]),
        maybe(&FIRST),
        maybe(&[
            "Albrecht", "Albrech", "Brandt", "Brant", "Caspari", "Dietrich", "Smith",
        ]),
        maybe(&POSTCODE),
        maybe(&TOWN),
    );
    let values = values.prop_map(|(a, b, c, d, e)| [a, b, c, d, e]);
    proptest::collection::vec(values, 0..40).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(key, values)| (key as i64 * 31 + 5, values))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_order_of_the_records_does_not_matter(rows in any_rows(), seed in any::<u64>()) {
        let mut other = rows.clone();
        other.sort_by_key(|(key, _)| (*key as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (one, other) = (scored(&rows), scored(&other));
        prop_assert_eq!(one.links, other.links);
        prop_assert_eq!(one.weights, other.weights);
        prop_assert_eq!(one.prior, other.prior);
    }

    #[test]
    fn probabilities_are_probabilities(rows in any_rows()) {
        let settings = ProbableSettings { report_from: 1e-12, ..ProbableSettings::default() };
        let scored = records(&rows).scored(&settings);
        let mut last = (i64::MIN, i64::MIN);
        for link in &scored.links {
            prop_assert!((0.0..=1.0).contains(&link.match_probability));
            prop_assert!(link.match_weight.is_finite());
            prop_assert!(link.a_key < link.b_key && last < (link.a_key, link.b_key));
            last = (link.a_key, link.b_key);
        }
        prop_assert!((0.0..=0.5).contains(&scored.prior));
    }

    #[test]
    fn a_pair_is_one_pair_whichever_comes_first(rows in any_rows()) {
        // Keys turned round: every pair is seen from its other end.
        let turned: Vec<Row> = rows.iter().map(|(key, values)| (-key, *values)).collect();
        let (one, other) = (scored(&rows), scored(&turned));
        let mut back: Vec<(i64, i64)> =
            keys(&other.links).into_iter().map(|(a, b)| (-b, -a)).collect();
        back.sort_unstable();
        prop_assert_eq!(keys(&one.links), back);
    }
}
