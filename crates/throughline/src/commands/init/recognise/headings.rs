//! Files that somebody downloaded from a tool's page, by their headings in whatever language, also
//! below other lines.
//!
//! Pages of different platforms head their columns alike. A file is of the kind that knows clearly
//! more of its headings than any other; where none does, it is left to the person, because spend
//! under the wrong platform's name is worse than spend that is not read.

use domain::config::FileConfig;
use domain::heading::Heading;
use sources::FoundFile;
use transform::project::{KindColumn, Project, StreamKind};

use super::{Fit, text_columns_of};

/// A stream whose telling columns a file has.
#[derive(Debug)]
struct Candidate<'a> {
    kind: &'a str,
    stream: &'a str,
    /// The file's columns that it knows, by their places.
    known: Vec<usize>,
}

/// The kind and stream of a file.
pub(super) fn fit(known: &Project, file: &FoundFile) -> Fit {
    let kinds = known.source_kinds.values();
    let streams = kinds.flat_map(|kind| {
        let streams = kind.streams.iter();
        streams.map(|(stream, about)| (kind.kind.as_str(), stream.as_str(), about))
    });
    let headed: Vec<_> = streams
        .filter(|(_, _, about)| !telling(about).is_empty())
        .collect();
    let all = headed.iter().flat_map(|(_, _, about)| about.headings());
    let files = FileConfig {
        headings: Some(all.collect()),
        ..FileConfig::default()
    };
    let columns = text_columns_of(file, files);
    let candidates = headed
        .into_iter()
        .filter_map(|(kind, stream, about)| candidate(kind, stream, about, &columns));
    choose(candidates.collect(), &file.relative)
}

/// What a stream knows of these columns; none if one of its telling ones is not there.
fn candidate<'a>(
    kind: &'a str,
    stream: &'a str,
    about: &'a StreamKind,
    columns: &[String],
) -> Option<Candidate<'a>> {
    let mut known = Vec::new();
    let mut found = Vec::new();
    for column in &about.columns {
        let places = places_of(column, columns);
        if !places.is_empty() {
            found.push(column.name.as_str());
        }
        known.extend(places);
    }
    known.sort_unstable();
    known.dedup();
    let has = |names: &Vec<&str>| names.iter().any(|name| found.contains(name));
    telling(about).iter().all(has).then_some(Candidate {
        kind,
        stream,
        known,
    })
}

/// The candidate that the file's path names, or that knows clearly more than each other one: more
/// than twice as many columns of its own.
fn choose(mut candidates: Vec<Candidate<'_>>, path: &str) -> Fit {
    if candidates.iter().any(|one| names(path, one.kind)) {
        candidates.retain(|one| names(path, one.kind));
    }
    let beats = |one: &Candidate<'_>, other: &Candidate<'_>| {
        let own = beyond(&one.known, &other.known);
        own > 2 * beyond(&other.known, &one.known)
    };
    let is_best = |place: usize| {
        let others = candidates.iter().enumerate();
        let mut others = others.filter(|(other, _)| *other != place);
        others.all(|(_, other)| beats(&candidates[place], other))
    };
    match (0..candidates.len()).find(|place| is_best(*place)) {
        Some(best) => {
            let best = &candidates[best];
            Fit::One(best.kind.to_owned(), best.stream.to_owned())
        }
        None if candidates.is_empty() => Fit::None,
        None => {
            let mut kinds: Vec<String> = candidates.iter().map(|one| one.kind.to_owned()).collect();
            kinds.dedup();
            Fit::Several(kinds)
        }
    }
}

/// Whether a path has the kind's name as words of its own: `in/x-ads/a.csv`, not `in/max_ads.csv`.
fn names(path: &str, kind: &str) -> bool {
    let path = path.to_lowercase().replace(['-', ' '], "_");
    let starts = path.match_indices(kind).map(|(start, _)| start);
    let is_whole = |start: usize| {
        let before = path[..start].chars().next_back();
        let behind = path[start + kind.len()..].chars().next();
        let is_within = |c: char| c.is_alphanumeric();
        !before.is_some_and(is_within) && !behind.is_some_and(is_within)
    };
    starts.filter(|start| is_whole(*start)).count() > 0
}

/// How many of these places the others lack.
fn beyond(these: &[usize], others: &[usize]) -> usize {
    let lacked = these.iter().filter(|place| !others.contains(place));
    lacked.count()
}

/// The declared columns of a stream that tell that a file is one of it: of each entry one at least.
fn telling(about: &StreamKind) -> Vec<Vec<&str>> {
    let entries = about
        .recognise
        .as_ref()
        .and_then(|rule| rule["headings"].as_array());
    let names = entries.into_iter().flatten().map(|entry| match entry {
        serde_json::Value::Array(any) => any.iter().filter_map(|name| name.as_str()).collect(),
        one => one.as_str().into_iter().collect(),
    });
    names.collect()
}

/// The places of the columns that have a heading which is stated of this one.
fn places_of(column: &KindColumn, columns: &[String]) -> Vec<usize> {
    let headings: Vec<Heading> = column
        .headings
        .iter()
        .map(|text| Heading::new(text))
        .collect();
    let places = columns.iter().enumerate();
    places
        .filter(|(_, name)| headings.iter().any(|heading| heading.matches(name)))
        .map(|(place, _)| place)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(kind: &'static str, known: &[usize]) -> Candidate<'static> {
        Candidate {
            kind,
            stream: "report",
            known: known.to_vec(),
        }
    }

    fn one(kind: &str) -> Fit {
        Fit::One(kind.to_owned(), "report".to_owned())
    }

    #[test]
    fn the_kind_that_knows_clearly_more_is_taken_and_no_other() {
        let both = |a: &[usize], b: &[usize], path: &str| {
            choose(vec![candidate("a_ads", a), candidate("b_ads", b)], path)
        };
        assert_eq!(both(&[1, 2, 3], &[1, 2], "x.csv"), one("a_ads"));
        assert_eq!(both(&[1, 2, 3, 4, 5], &[1, 2, 6], "x.csv"), one("a_ads"));
        let unclear = Fit::Several(vec!["a_ads".to_owned(), "b_ads".to_owned()]);
        assert_eq!(both(&[1, 2], &[1, 2], "x.csv"), unclear);
        assert_eq!(both(&[1, 2, 3, 4], &[1, 2, 6], "x.csv"), unclear);
        assert_eq!(both(&[1, 2], &[1, 2], "in/B-Ads/x.csv"), one("b_ads"));
        assert_eq!(both(&[1, 2], &[1, 2], "in/ab_ads/x.csv"), unclear);
        assert_eq!(choose(vec![], "x.csv"), Fit::None);
    }
}
