//! What tools wrap round a value: quotes, Excel's marks of text, HTML's entities.

use super::spaces::trimmed;
use super::{Outcome, Step, changed};

/// Opening and closing quotes that belong together.
const QUOTES: [(char, char); 9] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('“', '”'),
    ('„', '“'),
    ('„', '”'),
    ('‘', '’'),
    ('«', '»'),
    ('»', '«'),
];

pub(super) fn unquote(value: &str, _: &Step) -> Outcome {
    let mut inner = trimmed(value);
    let mut found = false;
    while let Some(bare) = without_quotes(inner) {
        inner = trimmed(bare);
        found = true;
    }
    if !found {
        return Outcome::Same;
    }
    // A quote inside quotes was written twice.
    changed(value, inner.replace("\"\"", "\""))
}

fn without_quotes(value: &str) -> Option<&str> {
    let pairs = QUOTES.iter();
    let mut bare = pairs.filter_map(|(open, close)| {
        let inner = value.strip_prefix(*open)?.strip_suffix(*close)?;
        // `"a" and "b"` is not wrapped as a whole.
        (!inner.replace("\"\"", "").contains([*open, *close])).then_some(inner)
    });
    bare.next()
}

/// `="00123"` and `'00123`. The apostrophe of a name (`'s-Hertogenbosch`) is none of Excel's.
pub(super) fn excel_text(value: &str, _: &Step) -> Outcome {
    let bare = trimmed(value);
    if let Some(inner) = bare
        .strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'))
    {
        return changed(value, inner.replace("\"\"", "\""));
    }
    match bare.strip_prefix('\'') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit() || "+-=@".contains(c)) => {
            changed(value, rest)
        }
        _ => Outcome::Same,
    }
}

/// Entities by name; the sign after each.
const NAMED: &str = "amp&lt<gt>quot\"apos'nbsp\u{a0}iexcl¡cent¢pound£yen¥sect§copy©reg®trade™deg°\
plusmn±sup2²sup3³micro µpara¶middot·frac12½frac14¼frac34¾iquest¿laquo«raquo»lsquo‘rsquo’sbquo‚\
ldquo“rdquo”bdquo„ndash–mdash—hellip…bull•euro€times×divide÷ordm ºordf ªacute´shy\u{ad}\
Agrave ÀAacute ÁAcirc ÂAtilde ÃAuml ÄAring ÅAElig ÆCcedil ÇEgrave ÈEacute ÉEcirc ÊEuml ËIgrave Ì\
Iacute ÍIcirc ÎIuml ÏETH ÐNtilde ÑOgrave ÒOacute ÓOcirc ÔOtilde ÕOuml ÖOslash ØUgrave ÙUacute Ú\
Ucirc ÛUuml ÜYacute ÝTHORN Þszlig ßagrave àaacute áacirc âatilde ãauml äaring åaelig æccedil ç\
egrave èeacute éecirc êeuml ëigrave ìiacute íicirc îiuml ïeth ðntilde ñograve òoacute óocirc ô\
otilde õouml öoslash øugrave ùuacute úucirc ûuuml üyacute ýthorn þyuml ÿOElig Œoelig œScaron Š\
scaron šYuml ŸZcaron Žzcaron ž";

/// Entities within entities are undone at most so often.
const DEPTH_MAX: usize = 3;

pub(super) fn html_entities(value: &str, _: &Step) -> Outcome {
    let mut text = value.to_owned();
    for _ in 0..DEPTH_MAX {
        if !text.contains('&') {
            break;
        }
        let decoded = decoded(&text);
        if decoded == text {
            break;
        }
        text = decoded;
    }
    changed(value, text)
}

fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.find(';').filter(|end| *end <= 10);
        match end.and_then(|end| Some((end, sign_of(&rest[..end])?))) {
            Some((end, sign)) => {
                out.push(sign);
                rest = &rest[end + 1..];
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    out
}

fn sign_of(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|sign| *sign != '\0');
    }
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let mut known = NAMED;
    while !known.is_empty() {
        let end = known.find(|c: char| !c.is_ascii_alphanumeric())?;
        let (this, rest) = known.split_at(end);
        let mut signs = rest.chars();
        let mut sign = signs.next()?;
        if sign == ' ' {
            sign = signs.next()?;
        }
        if this == name {
            return Some(sign);
        }
        known = signs.as_str();
    }
    None
}
