//! Precision and recall on records of which it is known who is who. The files are not ours: tests
//! skip, and say so, where they are absent.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use domain::name::{plain_name, sound};

use super::{Layout, ProbableSettings, RecordsBuilder, Scored};

/// Records with the person that each is of.
struct Known {
    columns: Vec<&'static str>,
    rows: Vec<(String, Vec<Option<String>>)>,
}

fn csv(name: &str) -> Option<Vec<BTreeMap<String, String>>> {
    let here = std::env::var("CARGO_MANIFEST_DIR");
    let here = here.unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let path = PathBuf::from(here).join("../../../shared/data").join(name);
    if !path.exists() {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    }
    let mut reader = ::csv::ReaderBuilder::new();
    let mut reader = reader
        .trim(::csv::Trim::All)
        .from_path(path)
        .expect("a CSV file");
    let header = reader.headers().expect("a header").clone();
    let rows = reader.records().map(|row| {
        let row = row.expect("a row");
        let cells = header.iter().zip(row.iter());
        cells
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    });
    Some(rows.collect())
}

/// What each column of the file is compared as.
const FEBRL: [(&str, &str); 10] = [
    ("given_name", "name_given"),
    ("surname", "name_family"),
    ("street_number", "code_street_number"),
    ("address_1", "name_street"),
    ("address_2", "name_building"),
    ("suburb", "name_suburb"),
    ("postcode", "code_postcode"),
    ("state", "exact_state"),
    ("date_of_birth", "date_birth"),
    ("soc_sec_id", "code_person_number"),
];

const SPLINK: [(&str, &str); 5] = [
    ("first_name", "name_first"),
    ("surname", "name_last"),
    ("dob", "date_birth"),
    ("city", "exact_city"),
    ("email", "name_email"),
];

fn febrl(files: &[&str], without: &[&str]) -> Option<Known> {
    let used: Vec<_> = FEBRL
        .iter()
        .filter(|(from, _)| !without.contains(from))
        .collect();
    let mut known = Known {
        columns: vec!["record_key"],
        rows: Vec::new(),
    };
    known.columns.extend(used.iter().map(|(_, to)| *to));
    for file in files {
        for row in csv(&format!("febrl/{file}.csv"))? {
            let person = row["rec_id"]
                .split('-')
                .nth(1)
                .expect("rec-1-org")
                .to_owned();
            let values = used.iter().map(|(from, _)| Some(row[*from].clone()));
            known
                .rows
                .push((person, std::iter::once(None).chain(values).collect()));
        }
    }
    Some(known)
}

fn splink() -> Option<Known> {
    let mut known = Known {
        columns: vec!["record_key"],
        rows: Vec::new(),
    };
    known.columns.extend(SPLINK.iter().map(|(_, to)| *to));
    for row in csv("splink/data/fake_1000.csv")? {
        let values = SPLINK.iter().map(|(from, _)| Some(row[*from].clone()));
        known.rows.push((
            row["cluster"].clone(),
            std::iter::once(None).chain(values).collect(),
        ));
    }
    Some(known)
}

/// Precision and recall of the links from a probability on, over all pairs of the records.
#[derive(Debug)]
struct Figures {
    precision: f64,
    recall: f64,
}

impl Known {
    fn scored(&self) -> Scored {
        let layout = Layout::new(&self.columns).expect("known columns");
        let mut records = RecordsBuilder::new(layout);
        for (key, (_, values)) in self.rows.iter().enumerate() {
            let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
            records.push(key as i64, &values).expect("few records");
        }
        let settings = ProbableSettings::default();
        records.finish().expect("distinct keys").scored(&settings)
    }

    fn true_pairs(&self) -> HashSet<(i64, i64)> {
        let mut by_person: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for (key, (person, _)) in self.rows.iter().enumerate() {
            by_person.entry(person).or_default().push(key as i64);
        }
        let mut pairs = HashSet::new();
        for keys in by_person.values() {
            for (place, a) in keys.iter().enumerate() {
                pairs.extend(keys[place + 1..].iter().map(|b| (*a, *b)));
            }
        }
        pairs
    }

    fn figures(&self, scored: &Scored, from: f64) -> Figures {
        let truth = self.true_pairs();
        let links = scored.links.iter();
        let links = links.filter(|link| link.match_probability >= from);
        let (mut right, mut all) = (0, 0);
        for link in links {
            all += 1;
            right += usize::from(truth.contains(&(link.a_key, link.b_key)));
        }
        Figures {
            precision: right as f64 / (all as f64).max(1.0),
            recall: right as f64 / truth.len() as f64,
        }
    }
}

/// Asserts precision and recall from probabilities of 0.5, 0.9 and 0.99 on, and prints them as rows
/// of docs/evidence/probable-links.md.
fn check(name: &str, known: Option<Known>, least: [(f64, f64); 3]) {
    let Some(known) = known else { return };
    let scored = known.scored();
    let truth = known.true_pairs();
    let blocked: u64 = scored.blocking.iter().map(|row| row.pair_count).sum();
    let (records, pairs) = (known.rows.len(), truth.len());
    for (from, (precision, recall)) in [0.5, 0.9, 0.99].into_iter().zip(least) {
        let figures = known.figures(&scored, from);
        println!(
            "| {name} | {records} | {pairs} | {blocked} | {from} | {:.4} | {:.4} |",
            figures.precision, figures.recall
        );
        assert!(
            figures.precision >= precision,
            "{name} from {from}: {figures:?}"
        );
        assert!(figures.recall >= recall, "{name} from {from}: {figures:?}");
    }
}

#[test]
fn probable_links_of_febrl_1() {
    check(
        "febrl 1",
        febrl(&["dataset1"], &[]),
        [(0.99, 0.99), (0.995, 0.985), (0.999, 0.97)],
    );
}

#[test]
fn probable_links_of_febrl_2() {
    check(
        "febrl 2",
        febrl(&["dataset2"], &[]),
        [(0.99, 0.99), (0.995, 0.985), (0.999, 0.97)],
    );
}

#[test]
fn probable_links_of_febrl_3() {
    check(
        "febrl 3",
        febrl(&["dataset3"], &[]),
        [(0.99, 0.99), (0.995, 0.985), (0.999, 0.97)],
    );
}

#[test]
fn probable_links_of_febrl_4() {
    let files = ["dataset4a", "dataset4b"];
    check(
        "febrl 4",
        febrl(&files, &[]),
        [(0.99, 0.99), (0.995, 0.985), (0.999, 0.97)],
    );
}

/// Without what names a person by itself: the number and the day of birth.
#[test]
fn probable_links_of_febrl_4_by_names_and_places() {
    let known = febrl(
        &["dataset4a", "dataset4b"],
        &["soc_sec_id", "date_of_birth"],
    );
    check(
        "febrl 4, names and places",
        known,
        [(0.99, 0.985), (0.995, 0.98), (0.998, 0.975)],
    );
}

/// As a project has contacts: names as hashes of them and of their sounds, and a town.
#[test]
fn probable_links_of_febrl_4_by_hashed_names_and_a_town() {
    let Some(plain) = febrl(&["dataset4a", "dataset4b"], &[]) else {
        return;
    };
    let place = |name: &str| plain.columns.iter().position(|column| *column == name);
    let [given, family, suburb] =
        ["name_given", "name_family", "name_suburb"].map(|name| place(name).expect("a column"));
    let rows = plain.rows.iter().map(|(person, values)| {
        let text = |at: usize| values[at].clone();
        // Any text that is equal where the hashes would be.
        let hash = |at: usize| text(at).as_deref().and_then(plain_name);
        let sounds = |at: usize| text(at).as_deref().and_then(sound);
        let values = [
            hash(given),
            sounds(given),
            hash(family),
            sounds(family),
            text(suburb),
        ];
        (
            person.clone(),
            std::iter::once(None).chain(values).collect(),
        )
    });
    let known = Known {
        rows: rows.collect(),
        columns: vec![
            "record_key",
            "exact_given",
            "sound_given",
            "exact_family",
            "sound_family",
            "name_suburb",
        ],
    };
    let least = [(0.94, 0.74), (0.985, 0.64), (0.99, 0.52)];
    check("febrl 4, names as hashes, suburb", Some(known), least);
}

#[test]
fn probable_links_of_splink_fake_1000() {
    check(
        "splink fake_1000",
        splink(),
        [(0.94, 0.74), (0.97, 0.65), (0.99, 0.52)],
    );
}
