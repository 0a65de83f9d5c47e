//! The tables of `pg_catalog` and `information_schema`, and their rows for one principal.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::super::oids;
use super::procs;
use super::types::{self, TYPES};
use super::value::{Row, Value};
use super::world::{Attribute, DATABASE, DATABASE_OID, OWNER, OWNER_NAME, Relation, USER, World};

/// One table: its columns with their types.
pub(super) struct Table {
    pub(super) schema: &'static str,
    pub(super) name: &'static str,
    oid: u32,
    is_view: bool,
    pub(super) columns: Vec<Column>,
}

/// A column. `is_open`: null where nothing is known.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: u32,
    is_open: bool,
}

static TABLES: LazyLock<BTreeMap<(&'static str, &'static str), Table>> = LazyLock::new(|| {
    let lines = include_str!("definitions.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    let tables = lines.filter_map(table);
    tables
        .map(|table| ((table.schema, table.name), table))
        .collect()
});

fn table(line: &'static str) -> Option<Table> {
    let (head, columns) = line.split_once(": ")?;
    let (name, number) = head.split_once(' ')?;
    let (schema, name) = name.split_once('.').unwrap_or(("pg_catalog", name));
    let columns = columns.split(", ").filter_map(|column| {
        let (name, kind) = column.split_once(' ')?;
        let bare = kind.trim_end_matches('?');
        // The type of one character, which SQL writes in quotes.
        let bare = if bare == "char" { "chr" } else { bare };
        let kind_of = match bare {
            "char[]" => Some(1002),
            bare => types::by_name(bare),
        };
        Some(Column {
            name,
            kind: kind_of?,
            is_open: kind.ends_with('?'),
        })
    });
    let oid = number
        .trim_end_matches('v')
        .parse()
        .ok()
        .filter(|oid| *oid != 0);
    Some(Table {
        schema,
        name,
        oid: oid.unwrap_or_else(|| 10_000 + super::world::number_of(line) % 2_900),
        is_view: number.ends_with('v'),
        columns: columns.collect(),
    })
}

/// A table by its name; one without a schema is of `pg_catalog`.
pub(super) fn known(schema: Option<&str>, name: &str) -> Option<&'static Table> {
    let schema = schema.unwrap_or("pg_catalog");
    TABLES
        .iter()
        .find(|((own, own_name), _)| *own == schema && *own_name == name)
        .map(|(_, one)| one)
}

/// The tables as they describe themselves.
pub(super) fn described() -> Vec<Relation> {
    let mut taken = std::collections::BTreeSet::new();
    let tables = TABLES.values().map(|table| {
        let mut oid = table.oid;
        while !taken.insert(oid) {
            oid += 1;
        }
        let columns = table.columns.iter().map(|column| Attribute {
            name: column.name.to_owned(),
            kind: column.kind,
            modifier: -1,
            is_nullable: column.is_open,
            comment: None,
        });
        Relation {
            oid,
            schema: table.schema.to_owned(),
            name: table.name.to_owned(),
            is_view: table.is_view,
            comment: None,
            columns: columns.collect(),
        }
    });
    tables.collect()
}

impl Table {
    /// A row with these values; the others are what stands for nothing.
    fn row(&self, values: &[(&str, Value)]) -> Row {
        let columns = self.columns.iter().map(|column| {
            let given = values.iter().find(|(name, _)| *name == column.name);
            match given {
                Some((_, value)) => value.clone(),
                None if column.is_open => Value::Null,
                None => nothing(column.kind),
            }
        });
        columns.collect()
    }

    /// Its rows for a principal.
    pub(super) fn rows(&self, world: &World) -> Vec<Row> {
        match (self.schema, self.name) {
            ("information_schema", name) => self.information(name, world),
            (_, "pg_class") => world
                .relations
                .iter()
                .map(|one| self.class(one, world))
                .collect(),
            (_, "pg_attribute") => self.attributes(world),
            (_, "pg_type") => self.types(),
            (_, "pg_namespace") => self.namespaces(world),
            (_, "pg_proc") => self.procs(),
            (_, "pg_description") => self.descriptions(world),
            (_, "pg_range") => self.ranges(),
            (_, "pg_roles" | "pg_user") => self.roles(world),
            (_, "pg_settings") => self.settings(world),
            (_, "pg_tables" | "pg_views") => self.listed(world),
            (_, name) => self.single(name),
        }
    }

    /// Tables that have a row or two, the same for everybody.
    fn single(&self, name: &str) -> Vec<Row> {
        let one = |values: &[(&str, Value)]| vec![self.row(values)];
        match name {
            "pg_am" => one(&[
                ("oid", 2_i64.into()),
                ("amname", "heap".into()),
                ("amtype", "t".into()),
            ]),
            "pg_collation" => {
                let named = |oid: i64, name: &str| {
                    self.row(&[
                        ("oid", oid.into()),
                        ("collname", name.into()),
                        ("collnamespace", 11_i64.into()),
                        ("collowner", OWNER.into()),
                        ("collprovider", "c".into()),
                        ("collisdeterministic", true.into()),
                        ("collencoding", (-1_i64).into()),
                        ("collcollate", "C".into()),
                        ("collctype", "C".into()),
                    ])
                };
                vec![named(100, "default"), named(950, "C")]
            }
            "pg_database" => one(&[
                ("oid", DATABASE_OID.into()),
                ("datname", DATABASE.into()),
                ("datdba", OWNER.into()),
                ("encoding", 6_i64.into()),
                ("datlocprovider", "c".into()),
                ("datallowconn", true.into()),
                ("datconnlimit", (-1_i64).into()),
                ("dattablespace", 1_663_i64.into()),
                ("datcollate", "C.UTF-8".into()),
                ("datctype", "C.UTF-8".into()),
            ]),
            "pg_language" => one(&[
                ("oid", 12_i64.into()),
                ("lanname", "internal".into()),
                ("lanowner", OWNER.into()),
            ]),
            "pg_tablespace" => one(&[
                ("oid", 1_663_i64.into()),
                ("spcname", "pg_default".into()),
                ("spcowner", OWNER.into()),
            ]),
            // Nothing is kept here that these tables would list, or it is nobody's business.
            _ => Vec::new(),
        }
    }

    fn class(&self, relation: &Relation, world: &World) -> Row {
        let columns = i64::try_from(relation.columns.len()).unwrap_or(0);
        self.row(&[
            ("oid", relation.oid.into()),
            ("relname", relation.name.as_str().into()),
            ("relnamespace", world.schema_oid(&relation.schema).into()),
            ("relowner", OWNER.into()),
            ("relam", if relation.is_view { 0_i64 } else { 2 }.into()),
            ("relfilenode", relation.oid.into()),
            ("reltuples", Value::Float(-1.0)),
            ("relpersistence", "p".into()),
            ("relkind", if relation.is_view { "v" } else { "r" }.into()),
            ("relnatts", columns.into()),
            ("relispopulated", true.into()),
            ("relreplident", "d".into()),
        ])
    }

    fn attributes(&self, world: &World) -> Vec<Row> {
        let mut rows = Vec::new();
        for relation in &world.relations {
            for (number, column) in (1_i64..).zip(&relation.columns) {
                let known = types::by_oid(column.kind.into());
                let is_text = types::is_text(column.kind);
                rows.push(
                    self.row(&[
                        ("attrelid", relation.oid.into()),
                        ("attname", column.name.as_str().into()),
                        ("atttypid", column.kind.into()),
                        ("attstattarget", (-1_i64).into()),
                        ("attlen", known.map_or(-1, |kind| kind.length).into()),
                        ("attnum", number.into()),
                        (
                            "attndims",
                            i64::from(types::by_array(column.kind.into()).is_some()).into(),
                        ),
                        ("attcacheoff", (-1_i64).into()),
                        ("atttypmod", i64::from(column.modifier).into()),
                        (
                            "attbyval",
                            known
                                .is_some_and(|kind| (1..=8).contains(&kind.length))
                                .into(),
                        ),
                        ("attalign", "i".into()),
                        ("attstorage", if is_text { "x" } else { "p" }.into()),
                        ("attnotnull", (!column.is_nullable).into()),
                        ("attislocal", true.into()),
                        ("attcollation", if is_text { 100_i64 } else { 0 }.into()),
                    ]),
                );
            }
        }
        rows
    }

    fn types(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for one in &TYPES {
            let function = |end: &str| Value::from(procs::oid(&format!("{}{end}", one.name)));
            let is_text = types::is_text(one.oid);
            let mut of = |oid: u32, name: String, class: char, category: char, element: u32| {
                let is_array = category == 'A' && element == one.oid;
                let function = |end: &str, of_array: &str| match is_array {
                    true => procs::oid(of_array).into(),
                    false => function(end),
                };
                let element_of = match one.oid {
                    oids::INT2VECTOR if !is_array => oids::INT2,
                    oids::OIDVECTOR if !is_array => oids::OID,
                    _ => element,
                };
                rows.push(self.row(&[
                    ("oid", oid.into()),
                    ("typname", name.into()),
                    ("typnamespace", 11_i64.into()),
                    ("typowner", OWNER.into()),
                    ("typlen", if is_array { -1 } else { one.length }.into()),
                    (
                        "typbyval",
                        (!is_array && (1..=8).contains(&one.length)).into(),
                    ),
                    ("typtype", class.to_string().into()),
                    ("typcategory", category.to_string().into()),
                    (
                        "typispreferred",
                        [16, 25, 26, 701, 1184].contains(&oid).into(),
                    ),
                    ("typisdefined", true.into()),
                    ("typdelim", ",".into()),
                    ("typelem", element_of.into()),
                    ("typarray", if is_array { 0 } else { one.array }.into()),
                    ("typinput", function("in", "array_in")),
                    ("typoutput", function("out", "array_out")),
                    ("typreceive", function("recv", "array_recv")),
                    ("typsend", function("send", "array_send")),
                    ("typalign", "i".into()),
                    (
                        "typstorage",
                        if is_text || is_array { "x" } else { "p" }.into(),
                    ),
                    ("typtypmod", (-1_i64).into()),
                    ("typcollation", if is_text { 100_i64 } else { 0 }.into()),
                ]));
            };
            of(one.oid, one.name.to_owned(), one.class, one.category, 0);
            if one.array != 0 {
                let class = if one.class == 'p' { 'p' } else { 'b' };
                of(one.array, format!("_{}", one.name), class, 'A', one.oid);
            }
        }
        rows
    }

    fn namespaces(&self, world: &World) -> Vec<Row> {
        let rows = world.schemas.iter().map(|(name, oid)| {
            self.row(&[
                ("oid", (*oid).into()),
                ("nspname", name.as_str().into()),
                ("nspowner", OWNER.into()),
            ])
        });
        rows.collect()
    }

    fn procs(&self) -> Vec<Row> {
        let rows = procs::all().map(|(oid, name)| {
            self.row(&[
                ("oid", oid.into()),
                ("proname", name.as_str().into()),
                ("pronamespace", 11_i64.into()),
                ("proowner", OWNER.into()),
                ("prolang", 12_i64.into()),
                ("prokind", "f".into()),
                ("provolatile", "s".into()),
                ("prosrc", name.as_str().into()),
                ("proargtypes", Vec::new().into()),
            ])
        });
        rows.collect()
    }

    fn descriptions(&self, world: &World) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut add = |oid: u32, place: i64, text: &str| {
            rows.push(self.row(&[
                ("objoid", oid.into()),
                ("classoid", 1_259_i64.into()),
                ("objsubid", place.into()),
                ("description", text.into()),
            ]));
        };
        for relation in &world.relations {
            if let Some(text) = &relation.comment {
                add(relation.oid, 0, text);
            }
            for (place, column) in (1_i64..).zip(&relation.columns) {
                if let Some(text) = &column.comment {
                    add(relation.oid, place, text);
                }
            }
        }
        rows
    }

    fn ranges(&self) -> Vec<Row> {
        let ranges = [
            (3904_i64, 23_i64),
            (3906, 1700),
            (3908, 1114),
            (3910, 1184),
            (3912, 1082),
            (3926, 20),
        ];
        let rows = ranges
            .map(|(range, of)| self.row(&[("rngtypid", range.into()), ("rngsubtype", of.into())]));
        rows.into()
    }

    fn roles(&self, world: &World) -> Vec<Row> {
        let rows = [(OWNER, OWNER_NAME), (USER, world.user.as_str())].map(|(oid, name)| {
            self.row(&[
                ("oid", oid.into()),
                ("rolname", name.into()),
                ("rolinherit", true.into()),
                ("rolcanlogin", (oid == USER).into()),
                ("rolconnlimit", (-1_i64).into()),
                ("usename", name.into()),
                ("usesysid", oid.into()),
            ])
        });
        rows.into()
    }

    fn settings(&self, world: &World) -> Vec<Row> {
        let rows = world.settings.iter().map(|(name, value)| {
            self.row(&[
                ("name", name.as_str().into()),
                ("setting", value.as_str().into()),
                ("category", "Client Connection Defaults".into()),
                ("context", "user".into()),
                ("vartype", "string".into()),
                ("source", "default".into()),
                ("boot_val", value.as_str().into()),
                ("reset_val", value.as_str().into()),
            ])
        });
        rows.collect()
    }

    /// The tables, or the views.
    fn listed(&self, world: &World) -> Vec<Row> {
        let is_of_views = self.name == "pg_views";
        let relations = world.relations.iter();
        let rows = relations
            .filter(|relation| relation.is_view == is_of_views)
            .map(|relation| {
                self.row(&[
                    ("schemaname", relation.schema.as_str().into()),
                    ("tablename", relation.name.as_str().into()),
                    ("tableowner", OWNER_NAME.into()),
                    ("viewname", relation.name.as_str().into()),
                    ("viewowner", OWNER_NAME.into()),
                ])
            });
        rows.collect()
    }

    fn information(&self, name: &str, world: &World) -> Vec<Row> {
        let database = || Value::from(DATABASE);
        match name {
            "schemata" => {
                let rows = world.schemas.iter().map(|(schema, _)| {
                    self.row(&[
                        ("catalog_name", database()),
                        ("schema_name", schema.as_str().into()),
                        ("schema_owner", OWNER_NAME.into()),
                    ])
                });
                rows.collect()
            }
            "information_schema_catalog_name" => {
                vec![self.row(&[("catalog_name", database())])]
            }
            "enabled_roles" => vec![self.row(&[("role_name", world.user.as_str().into())])],
            "character_sets" => vec![self.row(&[
                ("character_set_name", "UTF8".into()),
                ("character_repertoire", "UCS".into()),
                ("form_of_use", "UTF8".into()),
                ("default_collate_catalog", database()),
                ("default_collate_schema", "pg_catalog".into()),
                ("default_collate_name", "C.UTF-8".into()),
            ])],
            "tables" | "views" | "table_privileges" | "role_table_grants" => {
                let relations = world.relations.iter();
                let relations = relations.filter(|one| name != "views" || one.is_view);
                relations
                    .map(|relation| self.information_table(relation, world))
                    .collect()
            }
            "columns" | "column_privileges" | "role_column_grants" => {
                let mut rows = Vec::new();
                for relation in &world.relations {
                    for (place, column) in (1_i64..).zip(&relation.columns) {
                        rows.push(self.information_column(relation, place, column, world));
                    }
                }
                rows
            }
            _ => Vec::new(),
        }
    }

    fn information_table(&self, relation: &Relation, world: &World) -> Row {
        self.row(&[
            ("table_catalog", DATABASE.into()),
            ("table_schema", relation.schema.as_str().into()),
            ("table_name", relation.name.as_str().into()),
            (
                "table_type",
                if relation.is_view {
                    "VIEW"
                } else {
                    "BASE TABLE"
                }
                .into(),
            ),
            ("is_insertable_into", "NO".into()),
            ("is_typed", "NO".into()),
            ("check_option", "NONE".into()),
            ("is_updatable", "NO".into()),
            ("is_trigger_updatable", "NO".into()),
            ("is_trigger_deletable", "NO".into()),
            ("is_trigger_insertable_into", "NO".into()),
            ("grantor", OWNER_NAME.into()),
            ("grantee", world.user.as_str().into()),
            ("privilege_type", "SELECT".into()),
            ("is_grantable", "NO".into()),
            ("with_hierarchy", "YES".into()),
        ])
    }

    fn information_column(
        &self,
        relation: &Relation,
        place: i64,
        column: &Attribute,
        world: &World,
    ) -> Row {
        let kind = types::by_oid(column.kind.into());
        let is_array = types::by_array(column.kind.into()).is_some();
        let element = types::by_array(column.kind.into()).map(|one| format!("_{}", one.name));
        let name = element
            .or_else(|| kind.map(|one| one.name.to_owned()))
            .unwrap_or_default();
        let both = i64::from(column.modifier) - 4;
        let (precision, radix, scale) = match column.kind {
            oids::INT2 => (Some(16_i64), Some(2_i64), Some(0_i64)),
            oids::INT4 => (Some(32), Some(2), Some(0)),
            oids::INT8 => (Some(64), Some(2), Some(0)),
            oids::FLOAT4 => (Some(24), Some(2), None),
            oids::FLOAT8 => (Some(53), Some(2), None),
            oids::NUMERIC if column.modifier >= 0 => {
                (Some(both >> 16 & 0xffff), Some(10), Some(both & 0xffff))
            }
            oids::NUMERIC => (None, Some(10), None),
            _ => (None, None, None),
        };
        let is_time = [1083, 1114, 1184, 1186].contains(&column.kind);
        let digits = is_time
            .then_some(6_i64)
            .or((column.kind == oids::DATE).then_some(0));
        let data_type = match is_array {
            true => "ARRAY".to_owned(),
            false => types::format(column.kind.into(), None),
        };
        self.row(&[
            ("table_catalog", DATABASE.into()),
            ("table_schema", relation.schema.as_str().into()),
            ("table_name", relation.name.as_str().into()),
            ("column_name", column.name.as_str().into()),
            ("ordinal_position", place.into()),
            (
                "is_nullable",
                if column.is_nullable { "YES" } else { "NO" }.into(),
            ),
            ("data_type", data_type.into()),
            (
                "character_octet_length",
                types::is_text(column.kind)
                    .then_some(1_073_741_824_i64)
                    .into(),
            ),
            ("numeric_precision", precision.into()),
            ("numeric_precision_radix", radix.into()),
            ("numeric_scale", scale.into()),
            ("datetime_precision", digits.into()),
            ("udt_catalog", DATABASE.into()),
            ("udt_schema", "pg_catalog".into()),
            ("udt_name", name.into()),
            ("dtd_identifier", place.to_string().into()),
            ("is_self_referencing", "NO".into()),
            ("is_identity", "NO".into()),
            ("identity_cycle", "NO".into()),
            ("is_generated", "NEVER".into()),
            ("is_updatable", "NO".into()),
            ("grantor", OWNER_NAME.into()),
            ("grantee", world.user.as_str().into()),
            ("privilege_type", "SELECT".into()),
            ("is_grantable", "NO".into()),
        ])
    }
}

/// What stands for nothing in a column that is never null.
fn nothing(kind: u32) -> Value {
    match kind {
        oids::BOOL => Value::Bool(false),
        oids::FLOAT4 | oids::FLOAT8 => Value::Float(0.0),
        oids::INT2VECTOR | oids::OIDVECTOR => Vec::new().into(),
        kind if types::is_number(kind) || kind == oids::XID => Value::Int(0),
        kind if types::by_array(kind.into()).is_some() => Vec::new().into(),
        _ => "".into(),
    }
}
