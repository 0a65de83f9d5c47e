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
    use super::Pattern;

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
