//! What the columns of records are for, and how two values agree.

use domain::name::{plain_name, sound};

use super::text::Scratch;
use crate::error::{JourneysError, Result};

/// Longer texts are compared by their beginning.
const LETTERS_MAX: usize = 80;
/// Names this alike are the same but for a slip of the pen.
const CLOSE: f64 = 0.92;
/// Names this alike may be the same.
const SIMILAR: f64 = 0.80;
/// Two edits in a shorter code make another one of it.
const TWO_EDITS_FROM: usize = 6;

/// How the values of a field are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// By Jaro–Winkler and by sound: names of people, streets, towns.
    Name,
    /// By edits: numbers, postcodes, ids that people type.
    Code,
    /// By edits, and a day swapped with its month.
    Date,
    /// Equal or not: hashes, and what is chosen from a list.
    Exact,
}

/// How far two values agree, from not at all to exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// They do not.
    Different = 0,
    /// Names that are alike or sound alike; codes of two edits.
    Similar = 1,
    /// Names with a slip of the pen; codes of one edit; a day swapped with its month.
    Close = 2,
    /// They are the same.
    Exact = 3,
}

/// Number of levels.
pub(super) const LEVELS: usize = 4;

impl Level {
    /// All of them, from the lowest.
    pub const ALL: [Self; LEVELS] = [Self::Different, Self::Similar, Self::Close, Self::Exact];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Different => "different",
            Self::Similar => "similar",
            Self::Close => "close",
            Self::Exact => "exact",
        }
    }
}

impl Compare {
    /// The one form in which values are compared; None where nothing is left.
    pub(super) fn normalised(self, value: &str) -> Option<String> {
        let normal = match self {
            Self::Name => plain_name(value)?,
            Self::Exact => value.trim().to_lowercase(),
            Self::Code => {
                let kept = value.chars().filter(|sign| sign.is_alphanumeric());
                kept.flat_map(char::to_lowercase).collect()
            }
            Self::Date => {
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                // A time behind the day says nothing of the person.
                match digits.char_indices().nth(8) {
                    Some((end, _)) => digits[..end].to_owned(),
                    None => digits,
                }
            }
        };
        let normal = match normal.char_indices().nth(LETTERS_MAX) {
            Some((end, _)) if self != Self::Exact => normal[..end].to_owned(),
            _ => normal,
        };
        (!normal.is_empty()).then_some(normal)
    }

    /// How far two different normalised values agree, where their sound does not say it.
    pub(super) fn level(self, a: &str, b: &str, scratch: &mut Scratch) -> Level {
        let by_edits = |edits: Option<u8>| match edits {
            Some(0 | 1) => Level::Close,
            Some(_) if a.len().min(b.len()) >= TWO_EDITS_FROM => Level::Similar,
            _ => Level::Different,
        };
        match self {
            Self::Exact => Level::Different,
            Self::Name => match scratch.alike(a, b, SIMILAR) {
                Some(alike) if alike >= CLOSE => Level::Close,
                Some(_) => Level::Similar,
                None => Level::Different,
            },
            Self::Code => by_edits(scratch.edits(a, b, 2)),
            Self::Date if is_swapped(a, b) => Level::Close,
            Self::Date => by_edits(scratch.edits(a, b, 2)),
        }
    }

    /// The sound of a normalised value, where values are compared by it.
    pub(super) fn sound(self, value: &str) -> Option<String> {
        (self == Self::Name).then(|| sound(value)).flatten()
    }
}

/// `yyyymmdd` with day and month swapped.
fn is_swapped(a: &str, b: &str) -> bool {
    let parts = |text: &str| {
        let is_day = text.len() == 8 && text.is_ascii();
        is_day.then(|| [&text[..4], &text[4..6], &text[6..]].map(str::to_owned))
    };
    match (parts(a), parts(b)) {
        (Some([year, month, day]), Some([other_year, other_month, other_day])) => {
            year == other_year && month == other_day && day == other_month
        }
        _ => false,
    }
}

/// What records are compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The column's name without its prefix.
    pub name: String,
    /// How its values are compared.
    pub compare: Compare,
}

/// What one column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Key,
    Source,
    Value(usize),
    Sound(usize),
    Block(usize),
}

/// The columns of the records, by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// What is compared, in the order of the columns.
    pub fields: Vec<Field>,
    /// Names of the blocking keys that are given, without their prefix.
    pub blocks: Vec<String>,
    pub(super) roles: Vec<Role>,
}

/// Most fields: the levels of all of them stand in one word.
const FIELDS_MAX: usize = 20;

impl Layout {
    /// `record_key`; `source`; fields by their prefix: `name_…`, `code_…`, `date_…`, `exact_…`;
    /// `sound_x`, the sound of the field `x`; `block_…`, a blocking key.
    ///
    /// # Errors
    /// A column of which the name does not say what it is for; no `record_key`; nothing to compare.
    pub fn new(columns: &[&str]) -> Result<Self> {
        let mut layout = Self {
            fields: Vec::new(),
            blocks: Vec::new(),
            roles: Vec::new(),
        };
        for column in columns {
            layout.add_field(column)?;
        }
        for column in columns {
            let role = layout.role(column)?;
            if let Role::Block(_) = role {
                layout.blocks.push(column["block_".len()..].to_owned());
            }
            layout.roles.push(role);
        }
        if !layout.roles.contains(&Role::Key) {
            return Err(refused(
                "record_key",
                "is not there",
                "the record's own key",
            ));
        }
        if layout.fields.is_empty() {
            return Err(refused(
                "name_…",
                "is not there, nor any other that can be compared",
                "at least one of `name_…`, `code_…`, `date_…`, `exact_…`",
            ));
        }
        if layout.fields.len() > FIELDS_MAX {
            let last = &columns[columns.len() - 1];
            return Err(refused(last, "is one too many", "at most 20 are compared"));
        }
        Ok(layout)
    }

    fn add_field(&mut self, column: &str) -> Result<()> {
        let kinds = [
            ("name_", Compare::Name),
            ("code_", Compare::Code),
            ("date_", Compare::Date),
            ("exact_", Compare::Exact),
        ];
        let mut kinds = kinds.into_iter();
        let found =
            kinds.find_map(|(prefix, compare)| Some((column.strip_prefix(prefix)?, compare)));
        let Some((name, compare)) = found.filter(|(name, _)| !name.is_empty()) else {
            return Ok(());
        };
        if self.fields.iter().any(|field| field.name == name) {
            return Err(refused(
                column,
                "compares what another column compares",
                "one of `name_`, `code_`, `date_`, `exact_` for each field",
            ));
        }
        self.fields.push(Field {
            name: name.to_owned(),
            compare,
        });
        Ok(())
    }

    fn role(&self, column: &str) -> Result<Role> {
        let field = |name: &str| self.fields.iter().position(|field| field.name == name);
        match column {
            "record_key" => return Ok(Role::Key),
            "source" => return Ok(Role::Source),
            _ => {}
        }
        match column.split_once('_') {
            Some(("sound", name)) => field(name).map(Role::Sound).ok_or_else(|| {
                refused(
                    column,
                    "is the sound of a field that is not there",
                    &format!("give `exact_{name}` or `name_{name}` too"),
                )
            }),
            Some(("block", name)) if !name.is_empty() => Ok(Role::Block(self.blocks.len())),
            Some(("name" | "code" | "date" | "exact", name)) if !name.is_empty() => {
                field(name).map(Role::Value).ok_or_else(|| unknown(column))
            }
            _ => Err(unknown(column)),
        }
    }
}

fn unknown(column: &str) -> JourneysError {
    refused(
        column,
        "does not say how it is compared",
        "begin its name with `name_` (alike), `code_` or `date_` (edits), `exact_`, `sound_` \
         (of another) or `block_` (a blocking key); the record is `record_key` and `source`",
    )
}

fn refused(column: &str, reason: &'static str, hint: &str) -> JourneysError {
    JourneysError::Column {
        column: column.to_owned(),
        reason,
        hint: hint.to_owned(),
    }
}
