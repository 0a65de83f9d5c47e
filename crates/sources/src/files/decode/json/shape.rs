//! Whether a file has one record on each line, or documents that go over lines.

use super::record;

/// How the records stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One on each line.
    Lines,
    /// Documents, one after the other: each a record, or a list of them.
    Documents,
}

/// Most lines that are looked at.
const LINES: usize = 50;

/// The shape of a file that begins with this text. `is_lines_likely` is what its name says.
pub(super) fn recognise(beginning: &str, is_whole: bool, is_lines_likely: bool) -> Shape {
    let mut lines: Vec<&str> = beginning.lines().collect();
    if !is_whole && !beginning.ends_with('\n') {
        lines.pop();
    }
    let lines: Vec<&str> = lines
        .into_iter()
        .filter(|line| !line.trim().is_empty())
        .take(LINES)
        .collect();
    let Some(first) = lines.first() else {
        return if is_lines_likely {
            Shape::Lines
        } else {
            Shape::Documents
        };
    };
    if first.starts_with('[') {
        // A list on its one line is a document, unless more such lines follow.
        let lists = lines
            .iter()
            .filter(|line| line.starts_with('[') && is_complete(line))
            .count();
        return if lists > 1 {
            Shape::Lines
        } else {
            Shape::Documents
        };
    }
    if is_complete(first) {
        return Shape::Lines;
    }
    // Lines of a document that is laid out are indented; a broken first line is followed by whole
    // ones that are not.
    let begin = |line: &&&str| line.starts_with('{') && is_complete(line);
    let whole = lines.iter().filter(begin).count();
    if whole > 1 || (whole == 1 && is_lines_likely) {
        return Shape::Lines;
    }
    // A first line with nothing but the beginning of a document can be no record.
    let is_layout = lines.len() > 1 && opens(first);
    if is_lines_likely && !is_layout {
        Shape::Lines
    } else {
        Shape::Documents
    }
}

/// Whether a line is one or several whole values.
fn is_complete(line: &str) -> bool {
    record::is_valid(line) || super::lines::split(line).is_some()
}

/// Whether a line ends where a document would go on.
fn opens(line: &str) -> bool {
    line.trim_end().ends_with(['{', '[', ','])
}
