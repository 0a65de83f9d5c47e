//! A hash of what a model does, that formatting does not change.

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

use crate::functions;
use crate::project::{ModelConfig, Project};

/// Hash of the settings that matter to the result, of the SQL, and of what the functions that it
/// calls know of the project.
pub(super) fn fingerprint(project: &Project, config: &ModelConfig, sqls: &[&str]) -> String {
    // What selects, reports or places a model changes nothing of its rows.
    let meaningful = ModelConfig {
        tags: vec![],
        severity: crate::project::Severity::default(),
        enabled: true,
        schema: None,
        ..config.clone()
    };
    let mut hasher = Sha256::new();
    hasher.update(serde_json::to_vec(&meaningful).unwrap_or_default());
    for sql in sqls {
        let sql = normalised_sql(sql);
        hasher.update([0]);
        hasher.update(sql.as_bytes());
        hasher.update(functions::meaning(project, &sql).as_bytes());
    }
    hex::encode(&hasher.finalize()[..16])
}

/// SQL without comments, in lower case and with single blanks only where words would run
/// together; what stands in quotes is left as it is.
pub fn normalised_sql(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    let mut is_apart = false;
    while let Some(first) = rest.chars().next() {
        let skipped = blank_length(rest, first);
        if skipped > 0 {
            is_apart = true;
            rest = &rest[skipped..];
            continue;
        }
        let length = quoted_length(rest, first);
        let is_joined = out.chars().next_back().is_some_and(is_word) && is_word(first);
        if is_apart && is_joined {
            out.push(' ');
        }
        is_apart = false;
        if length > 0 {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        } else {
            out.extend(first.to_lowercase());
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// SQL without a last `;` and without blanks at its ends, ending in a line break: it can stand in
/// parentheses even if its last line is a comment.
pub(super) fn without_semicolon(sql: &str) -> String {
    let mut at = 0;
    // Positions of the `;` after which nothing but blanks and comments has come yet.
    let mut last = Vec::new();
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let blank = blank_length(rest, first);
        if blank > 0 {
            at += blank;
            continue;
        }
        match first {
            ';' => last.push(at),
            _ => last.clear(),
        }
        at += quoted_length(rest, first).max(first.len_utf8());
    }
    let mut kept = String::with_capacity(sql.len());
    let mut from = 0;
    for at in last {
        kept.push_str(&sql[from..at]);
        from = at + 1;
    }
    kept.push_str(&sql[from..]);
    format!("{}\n", kept.trim())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Bytes of white space or comment at the beginning of `rest`.
fn blank_length(rest: &str, first: char) -> usize {
    if first.is_whitespace() {
        return first.len_utf8();
    }
    if rest.starts_with("--") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if !rest.starts_with("/*") {
        return 0;
    }
    // Comments nest in this dialect.
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Bytes of a quoted text at the beginning of `rest`; 0 if there is none.
fn quoted_length(rest: &str, first: char) -> usize {
    match first {
        '\'' | '"' => {
            let mut from = 1;
            loop {
                let Some(found) = rest[from..].find(first) else {
                    return rest.len();
                };
                let after = from + found + 1;
                if !rest[after..].starts_with(first) {
                    break after;
                }
                // A doubled quote stands for itself.
                from = after + 1;
            }
        }
        '$' => {
            let Some(tag) = rest[1..].find('$').map(|end| &rest[..end + 2]) else {
                return 0;
            };
            if !tag[1..tag.len() - 1]
                .chars()
                .all(|c| c.is_alphanumeric() || c == '_')
            {
                return 0;
            }
            let Some(end) = rest[tag.len()..].find(tag) else {
                return 0;
            };
            end + 2 * tag.len()
        }
        _ => 0,
    }
}
