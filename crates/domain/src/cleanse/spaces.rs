//! White space and signs that nobody sees.

use super::{Outcome, Step, changed};

/// Signs without a width or a shape, and those that turn the direction of writing.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
    ) || (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// White space of any kind (non-breaking too), or invisible.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// The text without blanks at its ends.
pub(super) fn trimmed(value: &str) -> &str {
    value.trim_matches(is_blank)
}

pub(super) fn trim(value: &str, _: &Step) -> Outcome {
    changed(value, trimmed(value))
}

pub(super) fn collapse(value: &str, _: &Step) -> Outcome {
    let mut collapsed = String::with_capacity(value.len());
    for word in trimmed(value).split(char::is_whitespace) {
        if !word.is_empty() {
            if !collapsed.is_empty() {
                collapsed.push(' ');
            }
            collapsed.push_str(word);
        }
    }
    changed(value, collapsed)
}

pub(super) fn invisible(value: &str, _: &Step) -> Outcome {
    if !value.contains(is_invisible) {
        return Outcome::Same;
    }
    // Joiners shape the letters of some scripts and the pictures of some signs: they stay there.
    let needs_joiners = value
        .chars()
        .any(|c| matches!(c, '\u{590}'..='\u{1fff}' | '\u{1f000}'..));
    let kept = |c: &char| match c {
        '\u{200c}' | '\u{200d}' => needs_joiners,
        c => !is_invisible(*c),
    };
    changed(value, value.chars().filter(kept).collect::<String>())
}
