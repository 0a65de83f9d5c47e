//! Which of the built-in kinds the files of a folder are: by their names and their columns.

mod headings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::config::{FileConfig, ProjectConfig, Stream};
use sources::FoundFile;
use transform::project::Project;

use crate::say::Voice;

/// What lies in a folder.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By kind and stream.
    pub(super) streams: BTreeMap<String, BTreeMap<String, FoundStream>>,
    /// Tables that fit no kind, each with its columns: a source of one's own, perhaps.
    pub(super) tables: Vec<(String, Vec<String>)>,
}

/// The files of a stream.
#[derive(Debug, Default)]
pub(super) struct FoundStream {
    /// Paths and globs.
    pub(super) paths: Vec<String>,
    /// The member of each document in which its records lie.
    pub(super) records: Option<String>,
}

/// Where the rows of a file belong.
struct Place {
    score: usize,
    kind: String,
    stream: String,
    records: Option<String>,
}

impl Place {
    fn plain(kind: String, stream: String) -> Self {
        Self {
            score: 0,
            kind,
            stream,
            records: None,
        }
    }
}

/// What the records of a file look like.
struct Shape {
    /// Names of the columns or members, in lower case.
    columns: Vec<String>,
    /// The member of each document in which they lie, if they do not lie plainly.
    records: Option<String>,
}

/// What a file was found to be.
#[derive(Debug, PartialEq, Eq)]
enum Fit {
    /// Of this kind and stream.
    One(String, String),
    /// Of any of these kinds: nothing tells which.
    Several(Vec<String>),
    None,
}

/// Looks through a folder. A file is taken where its name fits a stream's and it has the stream's
/// telling columns.
pub(super) fn recognise(folder: &Path, project: &Path, voice: Voice) -> anyhow::Result<Found> {
    let empty: ProjectConfig = serde_yaml_ng::from_str("name: recognise")?;
    let known = Project::built_in(empty, transform::builtin::models().as_ref())?;
    let everything = Stream {
        paths: vec![std::path::absolute(folder)?.display().to_string()],
        ..any_stream(FileConfig::default())
    };
    let base = std::path::absolute(project)?;
    let mut found = Found::default();
    let mut enveloped = vec![];
    for file in sources::find(&base, &everything).files {
        let shapes = shapes_of(&file);
        if let Some(place) = fit(&known, &file, &shapes) {
            match place.records {
                Some(_) => enveloped.push((place, file.relative, shapes)),
                None => found.take(place, file.relative),
            }
            continue;
        }
        match headings::fit(&known, &file) {
            Fit::One(kind, stream) => found.take(Place::plain(kind, stream), file.relative),
            Fit::Several(kinds) => voice.note(&format!(
                "note: `{}` was not recognised: its headings fit {}\n  hint: put it into a folder \
                 of that name, or name it under `sources`",
                file.relative,
                kinds.join(", ")
            )),
            Fit::None => found.leave(file.relative, shapes, voice),
        }
    }
    // All files of a stream have their records in one place; plain ones come first.
    for (place, path, shapes) in enveloped {
        match found.takes(&place) {
            true => found.take(place, path),
            false => found.leave(path, shapes, voice),
        }
    }
    for streams in found.streams.values_mut() {
        for stream in streams.values_mut() {
            stream.paths = together(&stream.paths);
        }
    }
    Ok(found)
}

impl Found {
    /// Whether a file can join its stream: all files of one have their records in one place.
    fn takes(&self, place: &Place) -> bool {
        let streams = self.streams.get(&place.kind);
        let stream = streams.and_then(|streams| streams.get(&place.stream));
        stream.is_none_or(|stream| stream.records == place.records)
    }

    /// Names a file that fits nothing, so that nobody believes it was read.
    fn leave(&mut self, path: String, shapes: Vec<Shape>, voice: Voice) {
        voice.note(&format!("note: `{path}` was not recognised"));
        let plain = shapes.into_iter().next();
        let columns = plain.map_or(vec![], |shape| shape.columns);
        if is_table(&path) && columns.len() > 1 {
            self.tables.push((path, columns));
        }
    }

    fn take(&mut self, place: Place, path: String) {
        let streams = self.streams.entry(place.kind).or_default();
        let stream = streams.entry(place.stream).or_default();
        stream.paths.push(path);
        stream.records = place.records;
    }
}

/// Whether a file is called like a table, and not like a licence or a note.
fn is_table(path: &str) -> bool {
    const ENDINGS: [&str; 6] = ["csv", "tsv", "json", "ndjson", "jsonl", "parquet"];
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let mut endings = name.rsplit('.').take(2);
    endings.any(|ending| ENDINGS.contains(&ending))
}

/// The kind and stream that a file fits best: the one with most of its columns.
fn fit(known: &Project, file: &FoundFile, shapes: &[Shape]) -> Option<Place> {
    let name = Path::new(&file.relative)
        .file_name()?
        .to_string_lossy()
        .to_lowercase();
    let parent = Path::new(&file.relative)
        .parent()
        .map(|parent| {
            parent
                .to_string_lossy()
                .to_lowercase()
                .replace(['-', ' '], "_")
        })
        .unwrap_or_default();
    let mut best: Option<Place> = None;
    for kind in known.source_kinds.values() {
        for (stream, about) in &kind.streams {
            let Some(rule) = &about.recognise else {
                continue;
            };
            let list = |key: &str| -> Vec<String> {
                let values = rule[key].as_array().into_iter().flatten();
                values
                    .filter_map(|value| value.as_str())
                    .map(str::to_lowercase)
                    .collect()
            };
            let fits = list("files")
                .iter()
                .any(|text| glob::Pattern::new(text).is_ok_and(|glob| glob.matches(&name)));
            if !fits {
                continue;
            }
            let wanted = list("columns");
            let has_all = |shape: &&Shape| wanted.iter().all(|name| shape.columns.contains(name));
            let Some(shape) = shapes.iter().find(has_all) else {
                continue;
            };
            // The folder's name decides between kinds whose tables are called alike.
            let in_folder = usize::from(parent.contains(&kind.kind)) * 1000;
            let in_name = usize::from(name.contains(&kind.kind)) * 1000;
            let score = in_folder + in_name + wanted.len();
            if best.as_ref().is_none_or(|known| score > known.score) {
                best = Some(Place {
                    score,
                    kind: kind.kind.clone(),
                    stream: stream.clone(),
                    records: shape.records.clone(),
                });
            }
        }
    }
    best
}

/// The header of a text file that is read so.
fn text_columns_of(file: &FoundFile, files: FileConfig) -> Vec<String> {
    let stream = any_stream(files);
    let mut rows = First::default();
    let read = sources::read(&stream, file, "unread", &mut rows);
    let is_text = rows
        .schema
        .as_ref()
        .is_some_and(|schema| schema.column_with_name(sources::SURPLUS).is_some());
    if !is_text || (read.is_err() && rows.schema.is_none()) {
        return vec![];
    }
    let fields = rows.schema.iter().flat_map(|schema| schema.fields());
    fields.map(|field| field.name().clone()).collect()
}

/// A stream without paths.
fn any_stream(files: FileConfig) -> Stream {
    Stream {
        source: "any".into(),
        name: "any".into(),
        kind: None,
        paths: vec![],
        files,
        zone: None,
        currency: None,
    }
}

/// What a file's records can be: of text files the header; of documents the first one, then the
/// lists of records in it, as the pages of an API have them, and the records in an envelope.
fn shapes_of(file: &FoundFile) -> Vec<Shape> {
    let stream = any_stream(FileConfig::default());
    // The first rows tell; the rest of the file is not read.
    let mut rows = First::default();
    if sources::read(&stream, file, "unread", &mut rows).is_err() && rows.schema.is_none() {
        return vec![];
    }
    let payload = rows.batch.as_ref().and_then(|batch| {
        let column = batch.column_by_name(sources::PAYLOAD)?;
        let texts = column.as_any().downcast_ref::<arrow_array::StringArray>()?;
        texts.iter().next()?.map(str::to_owned)
    });
    let Some(text) = payload else {
        let fields = rows.schema.iter().flat_map(|schema| schema.fields());
        let columns = fields.map(|field| field.name().to_lowercase()).collect();
        return vec![Shape {
            columns,
            records: None,
        }];
    };
    let document: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let members = |record: &serde_json::Value| -> Vec<String> {
        let names = record
            .as_object()
            .into_iter()
            .flat_map(|object| object.keys());
        names.map(|name| name.to_lowercase()).collect()
    };
    let mut shapes = vec![Shape {
        columns: members(&document),
        records: None,
    }];
    for (name, value) in document.as_object().into_iter().flatten() {
        let record = value
            .as_array()
            .and_then(|list| list.first())
            .unwrap_or(value);
        if record.is_object() && !name.contains('.') {
            shapes.push(Shape {
                columns: members(record),
                records: Some(name.clone()),
            });
        }
    }
    shapes
}

/// Takes the columns and the first rows of a file, and then no more.
#[derive(Default)]
struct First {
    schema: Option<arrow_schema::SchemaRef>,
    batch: Option<arrow_array::RecordBatch>,
}

impl sources::RowSink for First {
    fn open(&mut self, schema: &arrow_schema::SchemaRef) -> Result<(), sources::SinkError> {
        self.schema = Some(schema.clone());
        Ok(())
    }

    fn write(&mut self, batch: arrow_array::RecordBatch) -> Result<(), sources::SinkError> {
        self.batch = Some(batch);
        Err(sources::SinkError::closed())
    }
}

/// Files of one folder whose names differ only in digits, as one glob.
fn together(paths: &[String]) -> Vec<String> {
    let mut globs: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for path in paths {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut glob = String::new();
        let mut in_digits = false;
        for character in name.chars() {
            let digit = character.is_ascii_digit() || (in_digits && character == '-');
            if !digit {
                glob.push(character);
            } else if !in_digits {
                glob.push('*');
            }
            in_digits = digit;
        }
        let folder = PathBuf::from(folder);
        globs
            .entry(folder.join(glob).display().to_string())
            .or_default()
            .push(path);
    }
    globs
        .into_iter()
        .flat_map(|(glob, files)| match files.as_slice() {
            // A single file that names a day will have brothers.
            [one] if !names_a_day(one) => vec![(*one).clone()],
            _ => vec![glob],
        })
        .collect()
}

/// The file's name holds a date, as 20260131 or 2026-01-31.
fn names_a_day(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let digits = name.chars().filter(char::is_ascii_digit).count();
    digits >= 8
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn files_that_differ_in_digits_are_one_glob() {
        let paths = [
            "x/events_20260101.json",
            "x/events_20260102.json",
            "x/other.json",
        ];
        let paths: Vec<String> = paths.into_iter().map(str::to_owned).collect();
        assert_eq!(together(&paths), ["x/events_*.json", "x/other.json"]);
        let days = [
            "a/s_2026-01-01.csv".to_owned(),
            "a/s_2026-01-02.csv".to_owned(),
        ];
        assert_eq!(together(&days), ["a/s_*.csv"]);
        assert_eq!(together(&days[..1]), ["a/s_*.csv"]);
    }
}
