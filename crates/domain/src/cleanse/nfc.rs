//! Unicode's normalisation form C: a letter and its accents as one sign where there is one.
//!
//! `nfc_compositions.txt` has what each composed sign is made of (`!` where it is never composed
//! again), `nfc_classes.txt` the combining class of each mark, both from the Unicode Character
//! Database. Compatibility ideographs of East Asia are left out: they stay as they are.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Outcome, Step, changed};

/// Signs below this one are composed already, and none of them is a mark.
const FIRST_MARK: char = '\u{300}';

struct Tables {
    /// What a sign is made of, one step.
    parts: HashMap<char, (char, Option<char>)>,
    composed: HashMap<(char, char), char>,
    /// First and last sign of a run, and its combining class.
    classes: Vec<(u32, u32, u8)>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::read);

fn sign(hex: &str) -> Option<char> {
    char::from_u32(u32::from_str_radix(hex, 16).ok()?)
}

impl Tables {
    /// From the files, which are part of the program; a test counts what is read.
    fn read() -> Self {
        let mut tables = Self {
            parts: HashMap::new(),
            composed: HashMap::new(),
            classes: Vec::new(),
        };
        for entry in include_str!("nfc_compositions.txt").split_whitespace() {
            let Some((whole, parts)) = entry.split_once('=') else {
                continue;
            };
            let (first, second) = match parts.split_once('+') {
                Some((first, second)) => (sign(first), sign(second)),
                None => (sign(parts), None),
            };
            let (Some(composed), Some(first)) = (sign(whole.trim_start_matches('!')), first) else {
                continue;
            };
            tables.parts.insert(composed, (first, second));
            if let Some(second) = second
                && !whole.starts_with('!')
            {
                tables.composed.insert((first, second), composed);
            }
        }
        for entry in include_str!("nfc_classes.txt").split_whitespace() {
            let Some((signs, class)) = entry.split_once('=') else {
                continue;
            };
            let (first, last) = signs.split_once('-').unwrap_or((signs, signs));
            if let (Some(first), Some(last), Ok(class)) = (sign(first), sign(last), class.parse()) {
                tables.classes.push((first.into(), last.into(), class));
            }
        }
        tables
    }

    fn class(&self, character: char) -> u8 {
        let code = u32::from(character);
        let at = self.classes.partition_point(|(_, last, _)| *last < code);
        match self.classes.get(at) {
            Some((first, _, class)) if *first <= code => *class,
            _ => 0,
        }
    }

    fn take_apart(&self, character: char, out: &mut Vec<char>) {
        match self.parts.get(&character) {
            Some((first, second)) => {
                self.take_apart(*first, out);
                out.extend(second);
            }
            None => out.push(character),
        }
    }

    fn compose(&self, first: char, second: char) -> Option<char> {
        hangul(first, second).or_else(|| self.composed.get(&(first, second)).copied())
    }
}

/// Korean syllables are composed by arithmetic. They are not taken apart here: whole ones are in
/// form C.
fn hangul(first: char, second: char) -> Option<char> {
    const SYLLABLES: u32 = 0xac00;
    let (first, second) = (u32::from(first), u32::from(second));
    match (first, second) {
        (0x1100..=0x1112, 0x1161..=0x1175) => {
            char::from_u32(SYLLABLES + ((first - 0x1100) * 21 + second - 0x1161) * 28)
        }
        (SYLLABLES..=0xd7a3, 0x11a8..=0x11c2) if (first - SYLLABLES).is_multiple_of(28) => {
            char::from_u32(first + second - 0x11a7)
        }
        _ => None,
    }
}

pub(super) fn nfc(value: &str, _: &Step) -> Outcome {
    if value.chars().all(|c| c < FIRST_MARK) {
        return Outcome::Same;
    }
    let tables = &*TABLES;
    let mut signs = Vec::with_capacity(value.len());
    for character in value.chars() {
        tables.take_apart(character, &mut signs);
    }
    // Marks of one letter stand in the order of their classes.
    for run in signs.chunk_by_mut(|_, next| tables.class(*next) != 0) {
        let marks = usize::from(run.first().is_some_and(|first| tables.class(*first) == 0));
        run[marks..].sort_by_key(|mark| tables.class(*mark));
    }
    changed(value, composed(tables, &signs))
}

fn composed(tables: &Tables, signs: &[char]) -> String {
    let mut out: Vec<char> = Vec::with_capacity(signs.len());
    let mut starter: Option<usize> = None;
    let mut last_class = 0;
    for &character in signs {
        let class = tables.class(character);
        // A mark reaches its letter unless one of its class or a higher one stands between.
        let place = starter.filter(|at| *at + 1 == out.len() || (last_class < class));
        let base = place.and_then(|at| Some((at, *out.get(at)?)));
        let whole = base.and_then(|(at, base)| Some((at, tables.compose(base, character)?)));
        if let Some((at, whole)) = whole {
            out[at] = whole;
            continue;
        }
        if class == 0 {
            starter = Some(out.len());
        }
        last_class = class;
        out.push(character);
    }
    out.into_iter().collect()
}
