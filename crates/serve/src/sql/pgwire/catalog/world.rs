//! What the catalogue describes: schemas, tables and columns as one principal sees them.

use std::collections::BTreeMap;

use super::super::oids;
use super::types;
use super::value::Value;

/// The one database.
pub(super) const DATABASE: &str = "throughline";
/// Number of the owner of everything.
pub(super) const OWNER: u32 = 10;
/// Name of the owner of everything.
pub(super) const OWNER_NAME: &str = "throughline";
/// Number of the principal that asks.
pub(super) const USER: u32 = 16_384;
/// Number of the database.
pub(super) const DATABASE_OID: u32 = 16_385;
/// Schemas that describe the others.
pub(in crate::sql::pgwire) const SYSTEM: [&str; 2] = ["pg_catalog", "information_schema"];

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql::pgwire) struct Attribute {
    pub(in crate::sql::pgwire) name: String,
    pub(in crate::sql::pgwire) kind: u32,
    pub(in crate::sql::pgwire) modifier: i32,
    pub(in crate::sql::pgwire) is_nullable: bool,
    pub(in crate::sql::pgwire) comment: Option<String>,
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql::pgwire) struct Relation {
    pub(in crate::sql::pgwire) oid: u32,
    pub(in crate::sql::pgwire) schema: String,
    pub(in crate::sql::pgwire) name: String,
    pub(in crate::sql::pgwire) is_view: bool,
    pub(in crate::sql::pgwire) comment: Option<String>,
    pub(in crate::sql::pgwire) columns: Vec<Attribute>,
}

/// All that a principal sees, and who it is.
#[derive(Debug, Default)]
pub(in crate::sql::pgwire) struct World {
    pub(in crate::sql::pgwire) user: String,
    pub(in crate::sql::pgwire) version: String,
    /// The schema in which names without one are looked up.
    pub(in crate::sql::pgwire) schema: String,
    pub(in crate::sql::pgwire) pid: i32,
    pub(in crate::sql::pgwire) settings: BTreeMap<String, String>,
    /// Schemas with their numbers.
    pub(in crate::sql::pgwire) schemas: Vec<(String, u32)>,
    pub(in crate::sql::pgwire) relations: Vec<Relation>,
    /// Names of setting and schema that may be written to.
    pub(in crate::sql::pgwire) own: Vec<String>,
}

impl World {
    /// Adds schemas and tables; their numbers come from their names.
    pub(in crate::sql::pgwire) fn describe(
        &mut self,
        schemas: Vec<String>,
        relations: Vec<Relation>,
    ) {
        let mut taken = std::collections::BTreeSet::new();
        let mut number = |name: &str| {
            let mut oid = number_of(name);
            while !taken.insert(oid) {
                oid += 1;
            }
            oid
        };
        self.schemas = vec![
            ("pg_catalog".into(), 11),
            ("information_schema".into(), 13_000),
        ];
        for schema in schemas {
            if !SYSTEM.contains(&schema.as_str()) {
                let oid = if schema == "public" {
                    2_200
                } else {
                    number(&schema)
                };
                self.schemas.push((schema, oid));
            }
        }
        self.relations = relations;
        for relation in &mut self.relations {
            relation.oid = number(&format!("{}.{}", relation.schema, relation.name));
        }
        self.relations.extend(super::tables::described());
    }

    pub(super) fn schema_oid(&self, name: &str) -> Option<u32> {
        self.schemas
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, oid)| *oid)
    }

    pub(super) fn schema_name(&self, oid: i64) -> Option<&str> {
        let found = self.schemas.iter().find(|(_, own)| i64::from(*own) == oid);
        found.map(|(name, _)| name.as_str())
    }

    pub(super) fn relation(&self, oid: i64) -> Option<&Relation> {
        self.relations
            .iter()
            .find(|relation| i64::from(relation.oid) == oid)
    }

    /// Whether its tables are found without the schema's name.
    pub(super) fn is_visible(&self, schema: &str) -> bool {
        schema == "pg_catalog" || schema == self.schema
    }

    /// A table by its name, with or without a schema, as SQL writes it.
    pub(super) fn relation_named(&self, name: &str) -> Option<&Relation> {
        let parts = identifiers(name);
        let (schema, name) = match parts.as_slice() {
            [name] => (None, name),
            [schema, name] => (Some(schema), name),
            [database, schema, name] if database == DATABASE => (Some(schema), name),
            _ => return None,
        };
        let mut found = self
            .relations
            .iter()
            .filter(|relation| relation.name == *name);
        match schema {
            Some(schema) => found.find(|relation| relation.schema == *schema),
            None => found.find(|relation| self.is_visible(&relation.schema)),
        }
    }

    /// The name of a table as `regclass` shows it.
    pub(super) fn relation_text(&self, oid: i64) -> String {
        match self.relation(oid) {
            None => oid.to_string(),
            Some(relation) if self.is_visible(&relation.schema) => quoted(&relation.name),
            Some(relation) => format!("{}.{}", quoted(&relation.schema), quoted(&relation.name)),
        }
    }

    /// The name of a role.
    pub(super) fn role_name(&self, oid: i64) -> Option<&str> {
        match oid {
            _ if oid == i64::from(OWNER) => Some(OWNER_NAME),
            _ if oid == i64::from(USER) => Some(&self.user),
            _ => None,
        }
    }

    pub(super) fn role_oid(&self, name: &str) -> Option<u32> {
        match name {
            _ if name == self.user => Some(USER),
            OWNER_NAME => Some(OWNER),
            _ => None,
        }
    }

    /// A value of an alias type of numbers as it is shown.
    pub(in crate::sql::pgwire) fn shown(&self, value: &Value, kind: u32) -> Value {
        let Value::Int(oid) = value else {
            return value.clone();
        };
        match kind {
            oids::REGCLASS if *oid != 0 => self.relation_text(*oid).into(),
            oids::REGTYPE if *oid != 0 => types::format(*oid, None).into(),
            oids::REGPROC if *oid != 0 => super::procs::name(*oid).into(),
            oids::REGNAMESPACE if *oid != 0 => self
                .schema_name(*oid)
                .map_or_else(|| oid.to_string(), quoted)
                .into(),
            oids::REGROLE if *oid != 0 => self
                .role_name(*oid)
                .map_or_else(|| oid.to_string(), quoted)
                .into(),
            oids::REGCLASS | oids::REGTYPE | oids::REGPROC | oids::REGNAMESPACE | oids::REGROLE => {
                "-".into()
            }
            _ => value.clone(),
        }
    }
}

/// A number above those of the system, made from a name.
pub(super) fn number_of(name: &str) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let folded = u32::try_from(hash >> 33).unwrap_or(0);
    20_000 + folded % 2_000_000_000
}

/// A name as SQL writes it, in quotes where it needs them.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    match is_plain {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// The parts of a name with dots and quotes.
pub(super) fn identifiers(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    for one in name.trim().chars() {
        let Some(part) = parts.last_mut() else {
            break;
        };
        match one {
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(String::new()),
            c if is_quoted => part.push(c),
            c => part.extend(c.to_lowercase()),
        }
    }
    parts
}
