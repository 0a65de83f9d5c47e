//! What is wrong in somebody's file, told so that they can repair it.
//!
//! A [`Problem`] says what, where (file, line, the line itself with a caret), why and what to do.
//! All problems of a project are gathered and shown together. Nothing here reads files.

use std::fmt;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Path as the user knows it, relative to the project (or to the built-in models).
    pub path: String,
    /// Line, 1-based.
    pub line: usize,
    /// Column in characters, 1-based; 0 where only the line is known.
    pub column: usize,
    /// How many characters of the line are meant.
    pub width: usize,
    /// The line itself.
    pub source_line: String,
}

impl Place {
    /// The place of a byte range of `text`, the content of the file at `path`.
    pub fn of_range(path: &str, text: &str, range: std::ops::Range<usize>) -> Self {
        let start = floor_char_boundary(text, range.start);
        let end = floor_char_boundary(text, range.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |position| position + 1);
        let line_end = text[start..]
            .find('\n')
            .map_or(text.len(), |position| start + position);
        let source_line = text[line_start..line_end].trim_end_matches('\r');
        Self {
            path: path.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width: text[start..end.min(line_end)].chars().count().max(1),
            source_line: source_line.to_owned(),
        }
    }

    /// A line of `text`, 1-based, without a column.
    pub fn of_line(path: &str, text: &str, line: usize) -> Self {
        let source_line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        Self {
            path: path.to_owned(),
            line,
            column: 0,
            width: 0,
            source_line: source_line.to_owned(),
        }
    }

    /// The first place where `word` stands in `text` as a whole word; the first line without it.
    pub fn of_word(path: &str, text: &str, word: &str) -> Self {
        Self::of_word_from(path, text, word, 1)
    }

    /// The first place from `line` on where `word` stands as a whole word; that line without it.
    pub fn of_word_from(path: &str, text: &str, word: &str, line: usize) -> Self {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let skipped = line.saturating_sub(1);
        let from: usize = text.split_inclusive('\n').take(skipped).map(str::len).sum();
        let found = text[from..]
            .match_indices(word)
            .map(|(at, _)| from + at)
            .find(|at| {
                !text[..*at].chars().next_back().is_some_and(is_word)
                    && !text[at + word.len()..].chars().next().is_some_and(is_word)
            });
        match found {
            Some(at) if !word.is_empty() => Self::of_range(path, text, at..at + word.len()),
            _ => Self::of_line(path, text, line),
        }
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Something wrong in a project's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, with the things named in backticks.
    pub what: String,
    /// Where, if a file says it.
    pub place: Option<Place>,
    /// Why, if that is not plain.
    pub why: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a place.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            place: None,
            why: None,
            hint: None,
        }
    }

    /// The same, at `place`.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same, with the reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// The same, with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.what)?;
        if let Some(place) = &self.place {
            let gutter = " ".repeat(place.line.to_string().len());
            write!(out, "\n{gutter}--> {}:{}", place.path, place.line)?;
            if place.column > 0 {
                write!(out, ":{}", place.column)?;
            }
            write!(out, "\n{gutter} |\n{} | {}", place.line, place.source_line)?;
            if place.column > 0 {
                // Tabs stay tabs, so that the caret stands under its place in any terminal.
                let before = place.source_line.chars().take(place.column - 1);
                let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
                write!(
                    out,
                    "\n{gutter} | {indent}{}",
                    "^".repeat(place.width.max(1))
                )?;
            }
        }
        if let Some(why) = &self.why {
            write!(out, "\n  why: {why}")?;
        }
        if let Some(hint) = &self.hint {
            write!(out, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// Why a project cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// Which.
        path: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{path}`")]
    Write {
        /// Which.
        path: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The files say something that cannot be; every problem found is in the list.
    #[error("{}", show_all(.0))]
    Invalid(Vec<Problem>),
}

impl ProjectError {
    /// The problems in the files; none where a file could not be read at all.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            Self::Read { .. } | Self::Write { .. } => &[],
        }
    }
}

impl From<Problem> for ProjectError {
    fn from(problem: Problem) -> Self {
        Self::Invalid(vec![problem])
    }
}

fn show_all(problems: &[Problem]) -> String {
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    shown.join("\n\n")
}

/// Gives `Ok(value)` if there are no problems.
///
/// # Errors
/// The problems, if there are any.
pub fn unless(problems: Vec<Problem>) -> Result<(), ProjectError> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ProjectError::Invalid(problems))
    }
}

/// The one of `known` that `word` was most likely meant to be, if any is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).max(1) + 1;
    known
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            *distance <= limit && *distance < candidate.chars().count().max(2)
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?`, or else the list of what there is, for a hint.
pub fn suggestion<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
    what: &str,
) -> String {
    const SHOWN_MAX: usize = 30;
    if let Some(near) = nearest(word, known.clone()) {
        return format!("did you mean `{near}`?");
    }
    let mut all: Vec<&str> = known.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return format!("there is no {what} yet");
    }
    let rest = all.len().saturating_sub(SHOWN_MAX);
    all.truncate(SHOWN_MAX);
    let listed = all
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    format!("there is: {listed}{more}")
}

/// Edits (insert, delete, replace, swap of neighbours) between two words.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().take(100).collect();
    let right: Vec<char> = right.chars().take(100).collect();
    let mut rows = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=left.len() {
        for j in 1..=right.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            let is_swapped =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if is_swapped {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[left.len()][right.len()]
}
