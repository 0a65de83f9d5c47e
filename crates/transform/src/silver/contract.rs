//! The contract of an entity as SQL: cast, check, hash, prefix.
//!
//! A value that was there and is null after the cast broke the contract; so did a row without a
//! required value, with a value that is not accepted, or below its least. The first rule that a
//! row breaks is named. The reason names the column and never the value, which may be personal.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use domain::config::{DayOrder, Stream};
use domain::entity::{Column, ColumnKind, EVENT_DATE, Entity, Pii, SOUND_HASH, stored_columns};

use super::changes::BEFORE;
use super::rules::Cleansed;
use crate::warehouse::cast;

/// A silver model's promise, with what its source says about how values are written.
#[derive(Debug, Clone)]
pub struct Contract {
    /// The entity.
    pub entity: &'static Entity,
    /// Name of the source.
    pub source: String,
    /// IANA zone of times without an offset.
    pub zone: Option<String>,
    /// Currency of amounts that name none.
    pub currency: Option<String>,
    /// Sign before the decimals, if the project says it.
    pub decimal: Option<char>,
    /// How a day is read whose month could be either number, if the project says it.
    pub day_order: Option<DayOrder>,
    /// Words that stand for "no value".
    pub null_words: Vec<String>,
    /// Columns of the model's output whose values are cleansed before they are cast.
    pub(super) cleansed: Vec<Cleansed>,
    /// What cleansing depends on.
    pub(super) cleansing: String,
    /// Names are stored as keyed hashes; else nothing of them is.
    pub(super) hashes_names: bool,
}

/// Column in which a model may say the decimal sign of its row, where the project does not
/// (`,`, `.`, or `?` where the file does not give it away).
const DECIMAL: &str = "_decimal";

/// Column of the typed rows that names the broken rule.
pub(super) const RULE: &str = "_rule";

impl Contract {
    /// The contract of `entity` over `stream`.
    pub fn new(entity: &'static Entity, source: &str, stream: Option<&Stream>) -> Self {
        let decimal = stream
            .and_then(|s| s.files.decimal.as_deref())
            .and_then(|d| d.chars().next());
        Self {
            entity,
            source: source.to_owned(),
            zone: stream.and_then(|s| s.zone.clone()),
            currency: stream.and_then(|s| s.currency.clone()),
            decimal,
            day_order: stream.and_then(|s| s.files.day_order),
            null_words: stream
                .and_then(|s| s.files.null_words.clone())
                .unwrap_or_default(),
            cleansed: Vec::new(),
            cleansing: String::new(),
            hashes_names: false,
        }
    }

    /// Fingerprint of the contract: rows are staged again when it changes.
    pub fn fingerprint(&self) -> String {
        let decimal = self.decimal.unwrap_or('.');
        let mut text = format!(
            "{:?}|{}|{:?}|{:?}|{decimal}|{:?}",
            self.entity, self.source, self.zone, self.currency, self.null_words
        );
        // What few projects say is named only where it is said: the rows of others stay.
        if self.decimal == Some('.') {
            text.push_str("|point");
        }
        if let Some(order) = self.day_order {
            text.push_str(&format!("|{order:?}"));
        }
        // 1: names have columns of their own.
        if self
            .entity
            .columns
            .iter()
            .any(|column| column.pii == Some(Pii::Name))
        {
            text.push_str(if self.hashes_names {
                "|names 1 hashed"
            } else {
                "|names 1"
            });
        }
        text.push_str(&self.cleansing);
        text
    }

    /// A model's SQL in place of one that cannot be planned: the contract's columns, and no row.
    pub(super) fn no_rows(&self) -> String {
        let columns = self.entity.columns.iter();
        let columns = columns.map(|column| format!(", cast(null as text) as \"{}\"", column.name));
        let columns: String = columns.collect();
        format!("select cast(null as bigint) as _raw_id{columns} where false")
    }

    /// SQL over `input` (a relation with the model's output columns, `schema`, and the raw meta
    /// columns `__effective_at` and, if `malformed`, `__malformed`): silver's columns and `_rule`.
    pub(super) fn typed_sql(&self, input: &str, schema: &DFSchema, malformed: bool) -> String {
        let has = |name: &str| schema.has_column_with_unqualified_name(name);
        let decimal = self.decimal_sign(has(DECIMAL));
        let mut typed = Vec::new();
        for column in &self.entity.columns {
            if has(&column.name) && is_kept(column) {
                let kind = kind_of(schema, &column.name);
                typed.push(format!(
                    "{} as \"t_{}\"",
                    self.value(column, &kind, &decimal),
                    column.name
                ));
            }
        }
        let effective = if has("effective_at") {
            let kind = kind_of(schema, "effective_at");
            let own = self.typed("\"effective_at\"", ColumnKind::Instant, &kind, &decimal);
            format!("coalesce({own}, \"__effective_at\") as \"t_effective_at\"")
        } else {
            "\"__effective_at\" as \"t_effective_at\"".to_owned()
        };
        typed.push(effective);
        let malformed = if malformed {
            "\"__malformed\""
        } else {
            "false"
        };
        typed.push(format!("{malformed} as \"t__malformed\""));
        let extras = self.extras(schema);
        let cleansed = self.cleansed.iter();
        let befores = cleansed.map(|column| format!(", \"{BEFORE}{}\"", column.name));
        let befores: String = befores.collect();
        format!(
            "with given as (select * from {input}), \
             typed as (select *, {} from given), \
             checked as (select *, {} as \"{RULE}\" from typed) \
             select {}{befores}, \"{RULE}\" from checked",
            typed.join(", "),
            self.rule(schema),
            self.output(schema, &extras),
        )
    }

    /// A contract column of the model's output, in the contract's type.
    fn value(&self, column: &Column, kind: &DataType, decimal: &str) -> String {
        let name = format!("\"{}\"", column.name);
        self.typed(&name, column.kind, kind, decimal)
    }

    /// What says the decimal sign: the project, else the model for each row, else it is the point.
    fn decimal_sign(&self, model_says_it: bool) -> String {
        match self.decimal {
            None if model_says_it => format!("\"{DECIMAL}\""),
            said => format!("'{}'", said.unwrap_or('.')),
        }
    }

    fn typed(&self, name: &str, wanted: ColumnKind, kind: &DataType, decimal: &str) -> String {
        let text = matches!(
            kind,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        );
        if !text {
            if matches!(kind, DataType::Null) {
                return cast("null", wanted);
            }
            return match wanted {
                ColumnKind::Amount => format!("try_cast({name} as decimal(18, 6))"),
                ColumnKind::Rate => format!("try_cast({name} as decimal(18, 8))"),
                ColumnKind::Integer => format!("try_cast({name} as bigint)"),
                ColumnKind::Number => format!("try_cast({name} as double)"),
                ColumnKind::Day => format!("try_cast({name} as date)"),
                ColumnKind::Boolean => format!("try_cast({name} as boolean)"),
                ColumnKind::Text | ColumnKind::Json | ColumnKind::Instant => cast(name, wanted),
            };
        }
        match wanted {
            ColumnKind::Text => format!("clean_text({name})"),
            ColumnKind::Json => format!("nullif({name}, '')"),
            ColumnKind::Instant => match &self.zone {
                Some(zone) => format!(
                    "to_instant({}, '{}')",
                    self.day_text(name),
                    zone.replace('\'', "''")
                ),
                None => format!("to_instant({})", self.day_text(name)),
            },
            ColumnKind::Day => format!("to_day({})", self.day_text(name)),
            ColumnKind::Amount => format!("to_amount({name}, {decimal})"),
            ColumnKind::Rate => {
                let text = if self.decimal == Some(',') {
                    format!("replace({name}, ',', '.')")
                } else {
                    name.to_owned()
                };
                format!("try_cast(trim({text}) as decimal(18, 8))")
            }
            ColumnKind::Number => format!("to_number({name}, {decimal})"),
            ColumnKind::Integer => format!("to_integer({name}, {decimal})"),
            ColumnKind::Boolean => format!("to_boolean({name})"),
        }
    }

    /// A day, or what begins with one, in the order that the project says.
    fn day_text(&self, name: &str) -> String {
        match self.day_order {
            Some(DayOrder::Dmy) => format!("iso_day({name}, 'dmy')"),
            Some(DayOrder::Mdy) => format!("iso_day({name}, 'mdy')"),
            None => name.to_owned(),
        }
    }

    /// The first rule that a row breaks, or null.
    fn rule(&self, schema: &DFSchema) -> String {
        let mut cases = vec!["when \"t__malformed\" then 'malformed'".to_owned()];
        for column in &self.entity.columns {
            let given = schema.has_column_with_unqualified_name(&column.name);
            let (name, typed) = (&column.name, format!("\"t_{}\"", column.name));
            if !given {
                if column.required {
                    cases.push(format!("when true then 'required:{name}'"));
                }
                continue;
            }
            if !is_kept(column) {
                continue;
            }
            let text = matches!(
                kind_of(schema, name),
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            );
            let was_there = if text {
                format!("has_text(\"{name}\")")
            } else {
                format!("\"{name}\" is not null")
            };
            if !matches!(column.kind, ColumnKind::Text | ColumnKind::Json) {
                cases.push(format!(
                    "when {was_there} and {typed} is null then 'type:{name}'"
                ));
            }
            if column.required {
                cases.push(format!("when {typed} is null then 'required:{name}'"));
            }
            if let Some(accepted) = &column.accepted {
                let list: Vec<String> = accepted
                    .iter()
                    .map(|value| format!("'{}'", value.replace('\'', "''")))
                    .collect();
                cases.push(format!(
                    "when {typed} is not null and {typed} not in ({}) then 'accepted:{name}'",
                    list.join(", ")
                ));
            }
            if let Some(min) = column.min {
                cases.push(format!("when {typed} < {min} then 'min:{name}'"));
            }
        }
        format!("case {} end", cases.join(" "))
    }

    /// Columns of the model's output that the contract does not have.
    fn extras(&self, schema: &DFSchema) -> Vec<String> {
        let known = |name: &str| {
            self.entity.column(name).is_some()
                || name.starts_with("__")
                || ["_raw_id", "effective_at", "properties"].contains(&name)
        };
        let names = schema.fields().iter().map(|field| field.name().clone());
        names
            .filter(|name| !known(name) && !name.starts_with('_'))
            .collect()
    }

    /// Silver's columns from the typed ones.
    fn output(&self, schema: &DFSchema, extras: &[String]) -> String {
        let has = |name: &str| schema.has_column_with_unqualified_name(name);
        let mut list = Vec::new();
        for stored in stored_columns(self.entity) {
            let name = &stored.name;
            let value = match (stored.origin.as_deref(), name.as_str()) {
                (_, "properties") => self.properties(schema, extras),
                (None, "source_name") => format!("'{}'", self.source.replace('\'', "''")),
                (None, "effective_at") => "\"t_effective_at\"".to_owned(),
                (None, "_raw_id") => "\"_raw_id\"".to_owned(),
                (None, EVENT_DATE) => {
                    let time = self.entity.event_time.as_deref().unwrap_or_default();
                    format!("local_date(\"t_{time}\", 'UTC')")
                }
                (Some(origin), _) if self.domain_of(origin).is_some_and(&has) => {
                    self.mail_domain(origin, has(origin))
                }
                (Some(origin), _) if stored.hash_of == Some(Pii::Name) => {
                    match has(origin) && self.hashes_names {
                        true => name_hash(origin, name.ends_with(SOUND_HASH)),
                        false => cast("null", stored.kind),
                    }
                }
                (Some(origin), _) if has(origin) => self.stored(origin),
                (Some("currency_code"), _) => match &self.currency {
                    Some(code) => format!("'{}'", code.replace('\'', "''")),
                    None => cast("null", stored.kind),
                },
                _ => cast("null", stored.kind),
            };
            list.push(format!("{value} as \"{name}\""));
        }
        list.join(", ")
    }

    fn stored(&self, name: &str) -> String {
        let typed = format!("\"t_{name}\"");
        let Some(column) = self.entity.column(name) else {
            return typed;
        };
        match column.pii {
            // A value that identifies nobody is known only before it is hashed.
            Some(Pii::Email) => return hashed("email", &typed),
            Some(Pii::Phone) => return hashed("phone", &typed),
            _ => {}
        }
        if column.reference.is_some() {
            let source = self.source.replace('\'', "''");
            return format!("'{source}:' || {typed}");
        }
        if name == "currency_code" {
            let upper = format!("upper({typed})");
            return match &self.currency {
                Some(code) => format!("coalesce({upper}, '{}')", code.replace('\'', "''")),
                None => upper,
            };
        }
        typed
    }

    /// The e-mail column that `name` is the domain of.
    fn domain_of(&self, name: &str) -> Option<&str> {
        self.entity.column(name)?.domain_of.as_deref()
    }

    /// The domain that the model gives, else what stands behind the @ of the e-mail, which is only
    /// here still to be read. An address that is a hash has none.
    fn mail_domain(&self, name: &str, given: bool) -> String {
        let email = self.domain_of(name).unwrap_or_default();
        let own = if given {
            format!("\"t_{name}\", ")
        } else {
            String::new()
        };
        format!(
            "clean_text(lower(coalesce({own}\
             regexp_match(\"t_{email}\", '^[^@]+@([^@]+)$')[1], '')))"
        )
    }

    fn properties(&self, schema: &DFSchema, extras: &[String]) -> String {
        let own = schema.has_column_with_unqualified_name("properties");
        let own_text = if self.entity.column("properties").is_some() {
            "\"t_properties\"".to_owned()
        } else {
            cast("\"properties\"", ColumnKind::Text)
        };
        if extras.is_empty() {
            return if own {
                own_text
            } else {
                cast("null", ColumnKind::Json)
            };
        }
        let mut fields: Vec<String> = extras
            .iter()
            .map(|name| format!("'{}', \"{name}\"", name.replace('\'', "''")))
            .collect();
        if own {
            fields.push(format!("'properties', {own_text}"));
        }
        format!("to_json(named_struct({}))", fields.join(", "))
    }
}

fn hashed(kind: &str, value: &str) -> String {
    unless_blocked(kind, kind, value)
}

/// The hash of a value, but of one that identifies nobody.
fn unless_blocked(blocked_as: &str, kind: &str, value: &str) -> String {
    format!(
        "case when not is_blocked_identifier('{blocked_as}', {value}) \
         then pii_hash('{kind}', {value}) end"
    )
}

/// A name as what may be told of it: that it is the same, or sounds the same.
fn name_hash(column: &str, is_sound: bool) -> String {
    let kind = if is_sound { "sound" } else { "name" };
    // What stands in a field that nobody filled in (`unknown`, `n/a`) is no name.
    unless_blocked("contact", kind, &format!("\"t_{column}\""))
}

/// Personal data of which nothing stands in silver.
fn is_kept(column: &Column) -> bool {
    !column.pii.is_some_and(Pii::is_dropped)
}

fn kind_of(schema: &DFSchema, name: &str) -> DataType {
    schema
        .field_with_unqualified_name(name)
        .map_or(DataType::Null, |field| field.data_type().clone())
}
