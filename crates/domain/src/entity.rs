//! The canonical entities, typed: what `entities.yml` promises.
//!
//! The file is part of the program and parsed once; what it says is the contract that the runner
//! casts and checks by, that `silver.<entity>` is generated from and that the reference is written
//! from. Nothing here knows how a contract is carried out.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Type of a column, as the contract names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// UTF-8 text.
    Text,
    /// 64 bits, signed.
    Integer,
    /// Decimal(18, 6).
    Amount,
    /// Decimal(18, 8).
    Rate,
    /// Double.
    Number,
    /// True or false.
    Boolean,
    /// Timestamp in UTC, microseconds.
    Instant,
    /// Calendar day.
    Day,
    /// JSON in text.
    Json,
}

/// Kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pii {
    /// Stored as a keyed hash.
    Email,
    /// Stored as a keyed hash.
    Phone,
    /// Stored as keyed hashes of the name and of its sound where the project looks for probable
    /// links, else not stored in silver.
    Name,
    /// Not stored in silver.
    Address,
    /// Not stored in silver.
    Ip,
}

impl Pii {
    /// Always stored, as `<name>_hash`.
    pub fn is_hashed(self) -> bool {
        matches!(self, Self::Email | Self::Phone)
    }

    /// Nothing that is made of it stands in silver.
    pub fn is_dropped(self) -> bool {
        matches!(self, Self::Address | Self::Ip)
    }
}

/// A column of an entity, as a silver model promises it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ColumnKind,
    /// A row without it goes to quarantine.
    #[serde(default)]
    pub required: bool,
    /// What personal data it holds.
    #[serde(default)]
    pub pii: Option<Pii>,
    /// Its unit: `count`, `milliseconds`, or the column that names the currency.
    #[serde(default)]
    pub unit: Option<String>,
    /// What it means.
    pub doc: String,
    /// The entity whose natural id it is; the runner prefixes it with the source's name.
    #[serde(default, rename = "ref")]
    pub reference: Option<String>,
    /// The column whose e-mail domain it is, where the model does not give it.
    #[serde(default)]
    pub domain_of: Option<String>,
    /// The only values it may have.
    #[serde(default)]
    pub accepted: Option<Vec<String>>,
    /// The least value it may have.
    #[serde(default)]
    pub min: Option<i64>,
}

/// A canonical entity.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// Its name, as in `entity('…')`.
    #[serde(rename = "entity")]
    pub name: String,
    /// What one row is.
    pub doc: String,
    /// Columns of the natural key.
    pub key: Vec<String>,
    /// The column whose UTC day is the row's interval; without it the entity is kept whole.
    #[serde(default)]
    pub event_time: Option<String>,
    /// Every version is kept, not only the latest.
    #[serde(default)]
    pub versioned: bool,
    /// An event of it never changes its time, so that all rows of one key lie on one day.
    #[serde(default)]
    pub immutable: bool,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

impl Entity {
    /// The column with this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column whose UTC day is the row's interval.
    pub fn event_time_column(&self) -> Option<&Column> {
        self.event_time
            .as_deref()
            .and_then(|name| self.column(name))
    }

    /// The DATE column of silver that names a row's interval: `event_date` for an instant, the
    /// column itself for a day.
    pub fn interval_column(&self) -> Option<&str> {
        let column = self.event_time_column()?;
        match column.kind {
            ColumnKind::Instant => Some(EVENT_DATE),
            _ => Some(&column.name),
        }
    }

    /// The key as silver stores it: a hashed column by its stored name.
    pub fn stored_key(&self) -> Vec<String> {
        let stored = |name: &String| match self.column(name).and_then(|column| column.pii) {
            Some(pii) if pii.is_hashed() => format!("{name}_hash"),
            _ => name.clone(),
        };
        self.key.iter().map(stored).collect()
    }
}

/// Name of the column that silver adds where `event_time` is an instant.
pub const EVENT_DATE: &str = "event_date";

/// A column as silver holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredColumn {
    /// Its name in silver.
    pub name: String,
    /// Its type in silver.
    pub kind: ColumnKind,
    /// It is never null.
    pub required: bool,
    /// Personal data that it is a keyed hash of.
    pub hash_of: Option<Pii>,
    /// The contract's column it comes from; none for those that the runner adds.
    pub origin: Option<String>,
    /// What it means.
    pub doc: String,
}

/// What silver holds of an entity, in order: the contract's columns after the rules for personal
/// data, then `properties` (unless the contract has it), `source_name`, `effective_at`, `_raw_id`
/// and, where `event_time` is an instant, `event_date`.
pub fn stored_columns(entity: &Entity) -> Vec<StoredColumn> {
    let mut stored: Vec<StoredColumn> = entity.columns.iter().flat_map(stored_of).collect();
    let mut add = |name: &str, kind: ColumnKind, required: bool, doc: &str| {
        stored.push(StoredColumn {
            name: name.to_owned(),
            kind,
            required,
            hash_of: None,
            origin: None,
            doc: doc.to_owned(),
        });
    };
    if entity.column("properties").is_none() {
        add(
            "properties",
            ColumnKind::Json,
            false,
            "What else the source gives, as JSON.",
        );
    }
    add(
        "source_name",
        ColumnKind::Text,
        true,
        "Name of the source in throughline.yml.",
    );
    add(
        "effective_at",
        ColumnKind::Instant,
        false,
        "How new the row is; of one key the latest wins.",
    );
    add(
        "_raw_id",
        ColumnKind::Integer,
        true,
        "The raw row it comes from.",
    );
    let is_instant = |column: &Column| column.kind == ColumnKind::Instant;
    if let Some(column) = entity
        .event_time_column()
        .filter(|column| is_instant(column))
    {
        let doc = format!("UTC day of {}: the row's interval.", column.name);
        add(EVENT_DATE, ColumnKind::Day, column.required, &doc);
    }
    stored
}

/// Ends of the columns that silver holds of a name: its keyed hash, and that of its sound.
pub const NAME_HASH: &str = "_hash";
/// See [`NAME_HASH`].
pub const SOUND_HASH: &str = "_sound_hash";

/// What silver holds of a column of the contract; nothing of personal data that is dropped.
fn stored_of(column: &Column) -> Vec<StoredColumn> {
    let plain = StoredColumn {
        name: column.name.clone(),
        kind: column.kind,
        required: column.required,
        hash_of: None,
        origin: Some(column.name.clone()),
        doc: column.doc.clone(),
    };
    match column.pii {
        None => vec![plain],
        Some(pii @ (Pii::Email | Pii::Phone)) => vec![StoredColumn {
            name: format!("{}_hash", column.name),
            hash_of: Some(pii),
            doc: format!("Keyed hash of: {}", column.doc),
            ..plain
        }],
        Some(Pii::Name) => {
            let hash = |end: &str, of: &str| StoredColumn {
                name: format!("{}{end}", column.name),
                required: false,
                hash_of: Some(Pii::Name),
                doc: format!(
                    "Keyed hash of{of}: {} Null unless `identity.probable_links` are enabled.",
                    column.doc
                ),
                ..plain.clone()
            };
            vec![hash(NAME_HASH, ""), hash(SOUND_HASH, " the sound of")]
        }
        Some(Pii::Address | Pii::Ip) => vec![],
    }
}

static ENTITIES: LazyLock<Vec<Entity>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it: an error here cannot reach a user.
    serde_yaml_ng::from_str(include_str!("entities.yml")).unwrap_or_default()
});

/// All entities, in the order of the file.
pub fn entities() -> &'static [Entity] {
    &ENTITIES
}

/// The entity with this name.
pub fn entity(name: &str) -> Option<&'static Entity> {
    ENTITIES.iter().find(|entity| entity.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_parses_whole() {
        let parsed: Result<Vec<Entity>, _> = serde_yaml_ng::from_str(include_str!("entities.yml"));
        assert_eq!(parsed.expect("entities.yml"), entities());
        assert_eq!(entities().len(), 22);
    }

    #[test]
    fn every_contract_is_consistent() {
        for entity in entities() {
            let mut names: Vec<&str> = entity.columns.iter().map(|c| c.name.as_str()).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{}: a column stands twice", entity.name);
            for key in &entity.key {
                assert!(entity.column(key).is_some(), "{}: key {key}", entity.name);
            }
            if entity.event_time.is_some() {
                let column = entity.event_time_column().expect("event_time is a column");
                assert!(matches!(column.kind, ColumnKind::Instant | ColumnKind::Day));
                assert!(
                    column.required,
                    "{}: event_time must be required",
                    entity.name
                );
            }
            for column in &entity.columns {
                if column.kind == ColumnKind::Amount {
                    assert_eq!(
                        column.unit.as_deref(),
                        Some("currency_code"),
                        "{}",
                        column.name
                    );
                    assert!(entity.column("currency_code").is_some(), "{}", entity.name);
                }
                if column.pii.is_some() {
                    assert_eq!(column.kind, ColumnKind::Text);
                }
                if let Some(of) = &column.domain_of {
                    let of = entity.column(of).expect("domain_of is a column");
                    assert_eq!(of.pii, Some(Pii::Email), "{}", column.name);
                }
            }
        }
    }

    #[test]
    fn personal_data_is_hashed_or_dropped() {
        let contact = entity("contact").expect("contact");
        let stored: Vec<String> = stored_columns(contact)
            .into_iter()
            .map(|c| c.name)
            .collect();
        assert!(stored.contains(&"email_hash".to_owned()));
        assert!(stored.contains(&"phone_hash".to_owned()));
        for dropped in ["email", "phone", "first_name", "last_name"] {
            assert!(!stored.contains(&dropped.to_owned()), "{dropped}");
        }
        for hashed in ["last_name_hash", "last_name_sound_hash"] {
            assert!(stored.contains(&hashed.to_owned()), "{hashed}");
        }
        let tail = ["properties", "source_name", "effective_at", "_raw_id"];
        assert_eq!(stored[stored.len() - 4..], tail);
    }

    #[test]
    fn intervals_are_days_of_an_instant_or_the_day_itself() {
        let event = entity("web_event").expect("web_event");
        assert_eq!(event.interval_column(), Some("event_date"));
        let stored = stored_columns(event);
        assert_eq!(stored.iter().filter(|c| c.name == "properties").count(), 1);
        assert_eq!(stored.last().map(|c| c.name.as_str()), Some("event_date"));
        let ads = entity("ad_performance").expect("ad_performance");
        assert_eq!(ads.interval_column(), Some("report_date"));
        assert!(stored_columns(ads).iter().all(|c| c.name != "event_date"));
        assert_eq!(entity("product").expect("product").interval_column(), None);
    }
}
