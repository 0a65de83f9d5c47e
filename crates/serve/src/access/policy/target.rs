//! What a rule of `access.yml` is about: schemas, tables, columns, tags.

use crate::access::tags::{Tag, Tags};

/// A pattern for names: `*` stands for anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Pattern(pub(crate) String);

impl Pattern {
    /// Whether a name is meant.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else {
            return self.0 == name;
        };
        let Some(mut left) = name.strip_prefix(first) else {
            return false;
        };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        for part in middle.split('*') {
            match left.find(part) {
                Some(at) => left = &left[at + part.len()..],
                None => return false,
            }
        }
        left.ends_with(last)
    }
}

/// What stands for the principal's name in a pattern for own schemas.
const USER: &str = "user.name";

/// A pattern for own schemas: `dbt_*`, `dbt_{{ user.name }}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OwnPattern(Vec<Option<String>>);

impl OwnPattern {
    /// Reads one.
    ///
    /// # Errors
    /// What stands in braces is not known.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((inside, after)) = after.split_once("}}") else {
                return Err("`{{` is not closed by `}}`".to_owned());
            };
            if inside.trim() != USER {
                let inside = inside.trim();
                return Err(format!("`{{{{ {inside} }}}}` is not known here"));
            }
            pieces.push(Some(before.to_owned()));
            pieces.push(None);
            rest = after;
        }
        pieces.push(Some(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// For a principal of this name; none where the name could be taken for a pattern.
    pub(crate) fn of(&self, user: &str) -> Option<Pattern> {
        let asks = self.0.iter().any(Option::is_none);
        if asks && (user.is_empty() || user.contains('*')) {
            return None;
        }
        let pieces = self.0.iter().map(|piece| piece.as_deref().unwrap_or(user));
        Some(Pattern(pieces.collect()))
    }
}

/// A table by its schema and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TablePattern {
    pub(crate) schema: Pattern,
    pub(crate) table: Pattern,
}

impl TablePattern {
    pub(crate) fn matches(&self, schema: &str, table: &str) -> bool {
        self.schema.matches(schema) && self.table.matches(table)
    }
}

/// A tag that a rule asks for, with any value or with one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TagMatch {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

impl TagMatch {
    pub(crate) fn matches(&self, tag: &Tag) -> bool {
        self.name == tag.name && self.value.as_ref().is_none_or(|value| *value == tag.value)
    }
}

/// What a rule is about. What is not said holds for all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Target {
    pub(crate) tables: Option<Vec<TablePattern>>,
    pub(crate) columns: Option<Vec<Pattern>>,
    pub(crate) tag: Option<TagMatch>,
}

impl Target {
    pub(crate) fn has_table(&self, schema: &str, table: &str) -> bool {
        let tables = self.tables.as_ref();
        tables.is_none_or(|all| all.iter().any(|one| one.matches(schema, table)))
    }

    pub(crate) fn has_column(&self, column: &str, tags: &Tags) -> bool {
        let columns = self.columns.as_ref();
        columns.is_none_or(|all| all.iter().any(|one| one.matches(column)))
            && self
                .tag
                .as_ref()
                .is_none_or(|asked| tags.iter().any(|tag| asked.matches(tag)))
    }

    /// It is about whole tables.
    pub(crate) fn is_whole(&self) -> bool {
        self.columns.is_none() && self.tag.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::{OwnPattern, Pattern};

    #[test]
    fn a_principals_name_is_never_a_pattern() {
        let own = OwnPattern::parse("dbt_{{ user.name }}").expect("a pattern");
        let of = |user: &str| own.of(user).map(|pattern| pattern.0);
        assert_eq!(of("ana"), Some("dbt_ana".to_owned()));
        assert_eq!(of("*"), None);
        assert_eq!(of(""), None);
        assert!(OwnPattern::parse("dbt_{{ user.country }}").is_err());
        assert!(OwnPattern::parse("dbt_{{ user.name").is_err());
    }

    #[test]
    fn a_star_stands_for_anything() {
        let cases = [
            ("*", "x", true),
            ("stg_*", "stg_a", true),
            ("stg_*", "x_stg_a", false),
            ("*_hash", "email_hash", true),
            ("*_hash", "email_hash_hash", true),
            ("*_hash", "email_hashed", false),
            ("a*b", "ab", true),
            ("a*b", "axxb", true),
            ("a*b", "axbx", false),
            ("a*b*c", "a1b2c", true),
            ("ab*b", "ab", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
        ];
        for (pattern, name, is_meant) in cases {
            let pattern = Pattern(pattern.to_owned());
            assert_eq!(pattern.matches(name), is_meant, "{pattern:?} {name}");
        }
    }
}
