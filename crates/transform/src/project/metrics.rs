//! `metrics/*.yml`: read by `domain`, told as the problems of all other files are.

use domain::metrics::{Layer, Source, Wrong};

use super::problem::{Place, Problem};

/// All definitions; what is wrong in them goes to `problems`.
pub(super) fn layer(mut sources: Vec<Source>, problems: &mut Vec<Problem>) -> Layer {
    // Built-in files first, so that the project's win.
    sources.sort_by_key(|source| source.is_project);
    let texts = sources.clone();
    Layer::read(sources).unwrap_or_else(|wrongs| {
        problems.extend(wrongs.into_iter().map(|wrong| problem(wrong, &texts)));
        Layer::default()
    })
}

fn problem(wrong: Wrong, sources: &[Source]) -> Problem {
    let source = sources.iter().rfind(|source| source.path == wrong.path);
    let text = source.map_or("", |source| source.text.as_str());
    let mut problem = Problem::new(wrong.what).at(Place::of_line(&wrong.path, text, wrong.line));
    problem.why = wrong.why;
    problem.hint = wrong.hint;
    problem
}
