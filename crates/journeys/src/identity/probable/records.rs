//! The records that are compared, as numbers: equal values have equal numbers.

use std::collections::HashMap;

use super::field::{Compare, Layout, Level, Role};
use super::text::Scratch;
use crate::error::{JourneysError, Result};

/// A value that is not there.
pub(super) const NONE: u32 = 0;

/// Memory of one distinct text beside its letters, and of one record beside its columns: its place
/// in blocks of up to [`super::blocking::RULES_MAX`] rules, and links that come out.
const TEXT_BYTES: usize = 72;
const RECORD_BYTES: usize = 320;

/// Texts that are there, each with its number, the first one 1.
#[derive(Debug, Default)]
struct Texts {
    numbers: HashMap<String, u32>,
    letters: usize,
}

impl Texts {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        // Rows end before: there are at most 2^32 of them, which `push` sees to.
        let number = u32::try_from(self.numbers.len() + 1).unwrap_or(u32::MAX);
        self.letters += text.len();
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// By number; the first is nothing.
    fn listed(self) -> Vec<String> {
        let mut list = vec![String::new(); self.numbers.len() + 1];
        for (text, number) in self.numbers {
            list[number as usize] = text;
        }
        list
    }
}

/// Values of one column while they come in.
#[derive(Debug, Default)]
struct Given {
    texts: Texts,
    numbers: Vec<u32>,
}

/// Takes records in any order.
#[derive(Debug)]
pub struct RecordsBuilder {
    layout: Layout,
    keys: Vec<i64>,
    given: Vec<Given>,
}

impl RecordsBuilder {
    /// No record yet.
    pub fn new(layout: Layout) -> Self {
        let given = layout.roles.iter().map(|_| Given::default()).collect();
        Self {
            layout,
            keys: Vec::new(),
            given,
        }
    }

    /// Adds a record: its key, and the values of the columns in the order of the layout (what
    /// stands in the place of `record_key` is not looked at).
    ///
    /// # Errors
    /// More records than 32 bits can number.
    pub fn push(&mut self, key: i64, values: &[Option<&str>]) -> Result<()> {
        if self.keys.len() >= u32::MAX as usize - 1 {
            return Err(JourneysError::TooManyNodes {
                limit: u64::from(u32::MAX) - 1,
            });
        }
        self.keys.push(key);
        for (place, given) in self.given.iter_mut().enumerate() {
            let value = values.get(place).copied().flatten();
            let number = value.and_then(|value| match self.layout.roles[place] {
                Role::Key => None,
                Role::Value(field) => {
                    let normal = self.layout.fields[field].compare.normalised(value)?;
                    Some(given.texts.number(&normal))
                }
                Role::Source | Role::Sound(_) | Role::Block(_) => {
                    let value = value.trim();
                    (!value.is_empty()).then(|| given.texts.number(value))
                }
            });
            given.numbers.push(number.unwrap_or(NONE));
        }
        Ok(())
    }

    /// Memory that it holds, and will need while the records are compared, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let texts = self.given.iter().map(|given| {
            // Sounds are made of texts, and each distinct one is counted.
            2 * given.texts.letters + given.texts.numbers.len() * (TEXT_BYTES + 8)
        });
        let record = RECORD_BYTES + 12 * self.given.len();
        texts.sum::<usize>() + self.keys.len() * record
    }

    /// The records in the order of their keys.
    ///
    /// # Errors
    /// Two records of one key.
    pub fn finish(self) -> Result<Records> {
        let mut order: Vec<usize> = (0..self.keys.len()).collect();
        order.sort_unstable_by_key(|at| self.keys[*at]);
        let keys: Vec<i64> = order.iter().map(|at| self.keys[*at]).collect();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(JourneysError::SameKey { key: pair[0] });
        }
        let mut records = Records {
            columns: Vec::new(),
            blocks: Vec::new(),
            sources: None,
            keys,
            layout: self.layout,
        };
        let mut sounds = Vec::new();
        for (role, given) in records.layout.roles.clone().into_iter().zip(self.given) {
            let numbers: Vec<u32> = order.iter().map(|at| given.numbers[*at]).collect();
            match role {
                Role::Key => {}
                Role::Source => records.sources = Some(numbers),
                Role::Block(_) => records.blocks.push(numbers),
                Role::Sound(field) => sounds.push((field, numbers)),
                Role::Value(field) => {
                    let compare = records.layout.fields[field].compare;
                    records
                        .columns
                        .push(Column::new(compare, numbers, given.texts.listed()));
                }
            }
        }
        for (field, numbers) in sounds {
            records.columns[field].sounds = Some(numbers);
        }
        Ok(records)
    }
}

/// The values of one field.
#[derive(Debug)]
pub(super) struct Column {
    compare: Compare,
    /// By record; [`NONE`] where there is none.
    pub(super) numbers: Vec<u32>,
    /// How it sounds, by record; None where it is not compared by sound.
    pub(super) sounds: Option<Vec<u32>>,
    /// By number.
    texts: Vec<String>,
    /// How many records have a value, by number.
    pub(super) counts: Vec<u32>,
}

impl Column {
    fn new(compare: Compare, numbers: Vec<u32>, texts: Vec<String>) -> Self {
        let mut counts = vec![0; texts.len()];
        for number in &numbers {
            counts[*number as usize] += 1;
        }
        let mut sounds = Texts::default();
        let sound_of: Vec<u32> = texts
            .iter()
            .map(|text| {
                let sound = compare.sound(text);
                sound.map_or(NONE, |sound| sounds.number(&sound))
            })
            .collect();
        let by_record = || numbers.iter().map(|number| sound_of[*number as usize]);
        Self {
            sounds: (compare == Compare::Name).then(|| by_record().collect()),
            compare,
            numbers,
            texts,
            counts,
        }
    }

    pub(super) fn compare(&self) -> Compare {
        self.compare
    }

    /// Records that have a value.
    pub(super) fn present(&self) -> u64 {
        self.numbers.len() as u64 - u64::from(self.counts[NONE as usize])
    }

    /// By which records of this field are brought together: the sound, else the value.
    pub(super) fn blocking_key(&self) -> &[u32] {
        self.sounds.as_deref().unwrap_or(&self.numbers)
    }

    /// How far two records agree; None where one of them does not say.
    pub(super) fn level(&self, a: usize, b: usize, scratch: &mut Scratch) -> Option<Level> {
        let (one, other) = (self.numbers[a], self.numbers[b]);
        if one == NONE || other == NONE {
            return None;
        }
        if one == other {
            return Some(Level::Exact);
        }
        let texts = (&self.texts[one as usize], &self.texts[other as usize]);
        let level = self.compare.level(texts.0, texts.1, scratch);
        let sounds_alike = |sounds: &Vec<u32>| sounds[a] != NONE && sounds[a] == sounds[b];
        Some(match &self.sounds {
            Some(sounds) if level == Level::Different && sounds_alike(sounds) => Level::Similar,
            _ => level,
        })
    }
}

/// Records, in the order of their keys.
#[derive(Debug)]
pub struct Records {
    pub(super) layout: Layout,
    pub(super) keys: Vec<i64>,
    pub(super) columns: Vec<Column>,
    /// The blocking keys that are given, by their place in the layout and by record.
    pub(super) blocks: Vec<Vec<u32>>,
    pub(super) sources: Option<Vec<u32>>,
}

/// How far two records agree in every field, three bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(u64);

const PATTERN_BITS: usize = 3;
const PATTERN_NONE: u64 = 7;

impl Pattern {
    /// The level of a field; None where one of the two does not say.
    pub fn level(self, field: usize) -> Option<Level> {
        let bits = self.0 >> (PATTERN_BITS * field) & PATTERN_NONE;
        Level::ALL.get(bits as usize).copied()
    }
}

impl Records {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How far two records agree.
    pub(super) fn pattern(&self, a: usize, b: usize, scratch: &mut Scratch) -> Pattern {
        let mut bits = 0;
        for (field, column) in self.columns.iter().enumerate() {
            let level = column.level(a, b, scratch);
            let level = level.map_or(PATTERN_NONE, |level| level as u64);
            bits |= level << (PATTERN_BITS * field);
        }
        Pattern(bits)
    }

    /// Number of pairs that could be one, if pairs of one source are left out unless `within`.
    pub(super) fn pairs(&self, within: bool) -> f64 {
        let all = pairs_of(self.len() as u64);
        let Some(sources) = self.sources.as_ref().filter(|_| !within) else {
            return all;
        };
        let mut counts: HashMap<u32, u64> = HashMap::new();
        for source in sources {
            *counts.entry(*source).or_default() += 1;
        }
        let mut counts: Vec<u64> = counts.into_values().collect();
        counts.sort_unstable();
        all - counts.into_iter().map(pairs_of).sum::<f64>()
    }

    /// The two may be one: they are of two sources, or `within` one counts.
    pub(super) fn may_be_one(&self, a: usize, b: usize, within: bool) -> bool {
        within
            || self
                .sources
                .as_ref()
                .is_none_or(|sources| sources[a] != sources[b])
    }
}

/// Number of pairs among so many.
pub(super) fn pairs_of(count: u64) -> f64 {
    count as f64 * count.saturating_sub(1) as f64 / 2.0
}
