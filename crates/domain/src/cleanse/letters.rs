//! Letters: their case, letters that only look like others, letters of the wrong encoding.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::{Outcome, Step, changed};

pub(super) fn lower(value: &str, _: &Step) -> Outcome {
    changed(value, value.to_lowercase())
}

pub(super) fn upper(value: &str, _: &Step) -> Outcome {
    changed(value, value.to_uppercase())
}

/// A word begins after white space, a hyphen or a stroke; not after an apostrophe.
pub(super) fn title(value: &str, _: &Step) -> Outcome {
    let mut titled = String::with_capacity(value.len());
    let mut begins = true;
    for character in value.chars() {
        match begins {
            true => titled.extend(character.to_uppercase()),
            false => titled.extend(character.to_lowercase()),
        }
        begins = character.is_whitespace() || matches!(character, '-' | '/' | '(');
    }
    changed(value, titled)
}

/// Cyrillic and Greek letters with the shape of a Latin one, and signs with that of an ASCII one.
const LOOK_ALIKES: &str = "АAВBЕEЅSІIЈJКKМMНHОOРPСCТTХXУYҮYԚQԜWҺhаaеeоoрpсcуyхxѕsіiјjһhԁdԛqԝw\
ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνvϳjϲc‐-‑-‒-–-—-―-−-⁃-﹣-∕/⁄/’'‘'ʼ'";

/// The Latin letter that a sign looks like.
fn look_alike(character: char) -> Option<char> {
    if let '\u{ff01}'..='\u{ff5e}' = character {
        // Full-width forms stand in the order of ASCII.
        return char::from_u32(u32::from(character) - 0xfee0);
    }
    let mut signs = LOOK_ALIKES.chars();
    while let (Some(sign), Some(latin)) = (signs.next(), signs.next()) {
        if sign == character {
            return Some(latin);
        }
    }
    None
}

/// Only what is otherwise Latin is mended: a word that is Cyrillic as a whole is a word.
pub(super) fn homoglyphs(value: &str, _: &Step) -> Outcome {
    if value.is_ascii() {
        return Outcome::Same;
    }
    let mended: String = value.chars().map(|c| look_alike(c).unwrap_or(c)).collect();
    // Greek and Cyrillic stand side by side; Greek with accents apart.
    let is_foreign = |c: char| matches!(c, '\u{370}'..='\u{52f}' | '\u{1f00}'..='\u{1fff}');
    let has_foreign = value.contains(is_foreign);
    let has_latin = value.chars().any(|c| {
        c.is_ascii_alphanumeric() || (c.is_alphabetic() && matches!(c, '\u{c0}'..='\u{24f}'))
    });
    match (has_foreign, has_latin, mended.contains(is_foreign)) {
        (false, ..) | (true, true, false) => changed(value, mended),
        // Letters of two scripts, of which some have no look-alike.
        (true, true, true) if value.chars().any(|c| c.is_ascii_alphabetic()) => Outcome::Flagged,
        _ => Outcome::Same,
    }
}

/// What Windows-1252 reads in the bytes 0x80 to 0x9f; a space where it has no sign.
const WINDOWS_1252: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/// The byte that Windows-1252 writes for a sign.
fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    if code < 0x80 || (0x80..=0xff).contains(&code) {
        return u8::try_from(code).ok();
    }
    let at = WINDOWS_1252.chars().position(|known| known == character)?;
    u8::try_from(0x80 + at).ok()
}

/// UTF-8 is recognised by its shape: no other text in Windows-1252 has it by chance.
pub(super) fn mojibake(value: &str, _: &Step) -> Outcome {
    let leads = |c: char| matches!(c, '\u{c2}'..='\u{f4}');
    if !value.contains(leads) {
        return Outcome::Same;
    }
    let bytes: Option<Vec<u8>> = value.chars().map(byte_of).collect();
    match bytes.map(String::from_utf8) {
        Some(Ok(text)) => changed(value, text),
        _ => Outcome::Same,
    }
}

/// Unicode's normalisation form C: a letter and its accents as one sign where there is one.
pub(super) fn nfc(value: &str, _: &Step) -> Outcome {
    const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();
    changed(value, NFC.normalize(value).into_owned())
}
