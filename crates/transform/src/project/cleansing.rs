//! Cleansing as files declare it: read, or refused at its place.

use domain::cleanse::{Defaults, Recipe};
use domain::config::ProjectConfig;
use serde_json::Value;

use super::problem::{Place, Problem, suggestion};

/// Checks rules that a file declares from a line on.
///
/// # Errors
/// A rule is unknown, or is told what it does not take.
pub(super) fn check(declared: &Value, path: &str, text: &str, line: usize) -> Result<(), Problem> {
    let Err(mistake) = Recipe::new(declared, &Defaults::default()) else {
        return Ok(());
    };
    let place = Place::of_word_from(path, text, &mistake.word, line);
    let names = domain::cleanse::RULES.iter().map(|rule| rule.name);
    let near = suggestion(&mistake.word, names.clone(), "rule");
    // A rule that is known was told something wrong; of one that is not, a near name helps most.
    let hint = match near.starts_with("did you mean") && !names.clone().any(|n| n == mistake.word) {
        true => format!("{near} {}", mistake.hint),
        false => mistake.hint,
    };
    Err(Problem::new(mistake.what).at(place).hint(hint))
}

/// Checks the rules that `throughline.yml` declares for the columns of streams.
pub(super) fn check_streams(
    config: &ProjectConfig,
    path: &str,
    text: &str,
    problems: &mut Vec<Problem>,
) {
    for (name, source) in &config.sources {
        let from = Place::of_word(path, text, name).line;
        for stream in source.streams(name) {
            for (column, declared) in stream.files.cleanse.iter().flatten() {
                let line = Place::of_word_from(path, text, column, from).line;
                let problem = check(declared, path, text, line.max(1)).err();
                // The settings of a source are those of each of its streams.
                problems.extend(problem.filter(|problem| !problems.contains(problem)));
            }
        }
    }
}
