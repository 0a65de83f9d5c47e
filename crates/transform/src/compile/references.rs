//! Names that models use of each other and of sources, checked when all are known.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::{LeftOut, ParsedModel, Target};
use crate::project::problem::suggestion;
use crate::project::{KeyRule, Place, Problem, Project};

/// Parts that are read and that their model does not have.
pub(super) fn check_parts(models: &IndexMap<String, ParsedModel>, problems: &mut Vec<Problem>) {
    for parsed in models.values() {
        for dependency in &parsed.dependencies {
            let (Target::Model(name), Some(part)) = (&dependency.target, &dependency.part) else {
                continue;
            };
            let Some(read) = models.get(name) else {
                continue;
            };
            if read.parts.contains_key(part) {
                continue;
            }
            let model = &parsed.model;
            let known = read.parts.keys().map(String::as_str);
            problems.push(
                Problem::new(format!("`{name}` has no part `{part}`"))
                    .at(Place::of_word(&model.path, &model.raw_sql, part))
                    .why(format!("`config(parts=[…])` of `{name}` does not name it"))
                    .hint(suggestion(part, known, "part")),
            );
        }
    }
}

/// Models that keys are looked up in and that the model does not read: it would not be built again
/// when they change.
pub(super) fn check_keys(models: &IndexMap<String, ParsedModel>, problems: &mut Vec<Problem>) {
    for parsed in models.values() {
        let through = parsed
            .config
            .keys_of
            .values()
            .filter_map(|rule| match rule {
                KeyRule::Through { model, .. } => Some(model),
                KeyRule::Column(_) => None,
            });
        for name in through.chain(parsed.config.key_groups.keys()) {
            let target = Target::Model(name.clone());
            if parsed.dependencies.iter().any(|read| read.target == target) {
                continue;
            }
            let model = &parsed.model;
            let what = format!(
                "`{}` finds its keys in `{name}`, which it does not read",
                model.name
            );
            problems.push(
                Problem::new(what)
                    .at(Place::of_word(&model.path, &model.raw_sql, name))
                    .hint(format!(
                        "read it by `{{{{ ref('{name}') }}}}`, or name another model"
                    )),
            );
        }
    }
}

/// Streams of a kind that neither the kind knows nor any model reads are most likely misspelt.
pub(super) fn check_streams(
    project: &Project,
    read: &BTreeSet<(String, String)>,
    problems: &mut Vec<Problem>,
) {
    let path = "throughline.yml";
    let text = std::fs::read_to_string(project.dir.join(path)).unwrap_or_default();
    for stream in project.streams() {
        let kind = stream
            .kind
            .as_ref()
            .and_then(|kind| project.source_kinds.get(kind));
        let Some(kind) = kind else { continue };
        let is_read = read.contains(&(stream.source.clone(), stream.name.clone()));
        if is_read || kind.streams.contains_key(&stream.name) {
            continue;
        }
        let what = format!(
            "source `{}` has the stream `{}`, which the kind `{}` does not have and no model reads",
            stream.source, stream.name, kind.kind
        );
        let known = kind.streams.keys().map(String::as_str);
        let hint = suggestion(&stream.name, known, &format!("stream of `{}`", kind.kind));
        problems.push(
            Problem::new(what)
                .at(Place::of_word(path, &text, &stream.name))
                .hint(hint),
        );
    }
}

/// Models that read a model which is left out.
pub(super) fn check_references(
    models: &IndexMap<String, ParsedModel>,
    left_out: &[LeftOut],
    problems: &mut Vec<Problem>,
) {
    for parsed in models.values() {
        for dependency in &parsed.dependencies {
            let (Target::Model(name) | Target::Previous(name)) = &dependency.target else {
                continue;
            };
            let Some(out) = left_out.iter().find(|out| out.model == *name) else {
                continue;
            };
            let why = out.why();
            let model = &parsed.model;
            let place = Place::of_word(&model.path, &model.raw_sql, name);
            let what = format!("model `{}` reads `{name}`, which is not built", model.name);
            problems.push(Problem::new(what).at(place).why(why));
        }
    }
}
