//! How people are reached: e-mail addresses and telephone numbers.

use super::spaces::trimmed;
use super::{Outcome, Step, changed};

/// The bare address. Its local part stays as it is, misspelt domains too: nobody can know.
pub(super) fn email(value: &str, _: &Step) -> Outcome {
    let mut text = trimmed(value);
    if text.is_empty() {
        return Outcome::Same;
    }
    if let Some(opening) = text.rfind('<')
        && let Some(closing) = text[opening..].find('>')
    {
        // `Ann Lee <ann@example.com>`
        text = trimmed(&text[opening + 1..opening + closing]);
    }
    let scheme = text.get(..7);
    if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:")) {
        text = &text[7..];
        text = trimmed(text.split('?').next().unwrap_or(text));
    }
    text = text.trim_matches(|c: char| "<>()[]\"',;".contains(c) || c.is_whitespace());
    let text = text.trim_end_matches('.');
    let Some((local, domain)) = text.split_once('@') else {
        return Outcome::Flagged;
    };
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || "@,;<>()[]\"".contains(c);
    let labels_are_there = domain.split('.').all(|label| !label.is_empty());
    let is_whole = !local.is_empty() && domain.contains('.') && labels_are_there;
    if !is_whole || local.contains(is_bad) || domain.contains(is_bad) {
        return Outcome::Flagged;
    }
    changed(value, format!("{local}@{}", domain.to_lowercase()))
}

/// How a country's telephone numbers are written.
#[derive(Debug)]
pub struct Country {
    /// ISO 3166, two letters.
    pub code: &'static str,
    /// Digits behind the plus.
    calling_code: &'static str,
    /// Digits before a national number that are left out behind the calling code.
    trunks: &'static str,
    /// Digits that stand for the plus, beside `00`.
    abroad: &'static str,
}

/// Per country: ISO 3166 code, calling code, trunk prefixes (`-` for none, `|` between several),
/// and where it is not `00` alone, what is dialled to reach another country.
const COUNTRIES: &str = "\
AT 43 0;BE 32 0;BG 359 0;CH 41 0;CY 357 -;CZ 420 -;DE 49 0;DK 45 -;EE 372 -;ES 34 -;FI 358 0;\
FR 33 0;GB 44 0;GR 30 -;HR 385 0;HU 36 06;IE 353 0;IS 354 -;IT 39 -;LI 423 -;LT 370 0|8;LU 352 -;\
LV 371 -;MC 377 -;MT 356 -;NL 31 0;NO 47 -;PL 48 -;PT 351 -;RO 40 0;SE 46 0;SI 386 0;SK 421 0;\
SM 378 -;AD 376 -;AL 355 0;BA 387 0;BY 375 8|80 810;MD 373 0;ME 382 0;MK 389 0;RS 381 0;RU 7 8 810;\
TR 90 0;UA 380 0;XK 383 0;GI 350 -;FO 298 -;GL 299 -;GG 44 0;JE 44 0;IM 44 0;\
US 1 1 011;CA 1 1 011;PR 1 1 011;DO 1 1 011;JM 1 1 011;BS 1 1 011;BB 1 1 011;TT 1 1 011;\
AR 54 0;BO 591 0;BR 55 0;CL 56 -;CO 57 -;CR 506 -;EC 593 0;GT 502 -;HN 504 -;MX 52 -;NI 505 -;\
PA 507 -;PE 51 0;PY 595 0;SV 503 -;UY 598 0;VE 58 0;CU 53 0;\
AE 971 0;AM 374 0;AZ 994 0;BH 973 -;GE 995 0;IL 972 0;IQ 964 0;IR 98 0;JO 962 0;KW 965 -;LB 961 0;\
OM 968 -;QA 974 -;SA 966 0;SY 963 0;YE 967 0;KZ 7 8 810;KG 996 0;UZ 998 -;TJ 992 -;TM 993 8 810;\
AF 93 0;BD 880 0;CN 86 0;HK 852 - 001;ID 62 0 001|007|008;IN 91 0;JP 81 0 010;KH 855 0 001;\
KR 82 0 001|002;LA 856 0;LK 94 0;MM 95 0;MN 976 0 001;MO 853 -;MY 60 0;NP 977 0;PH 63 0;PK 92 0;\
SG 65 - 000|001;TH 66 0 001;TW 886 0 002;VN 84 0;AU 61 0 0011;NZ 64 0;FJ 679 -;\
AO 244 -;CI 225 -;CM 237 -;DZ 213 0;EG 20 0;ET 251 0;GA 241 -;GH 233 0;KE 254 0 000;LY 218 0;\
MA 212 0;MG 261 0;ML 223 -;MU 230 - 020;MZ 258 -;NA 264 0;NG 234 0 009;SD 249 0;SN 221 -;TN 216 -;\
TZ 255 0 000;UG 256 0 000;ZA 27 0;ZM 260 0;ZW 263 0;RW 250 -;BW 267 -;BF 226 -;BJ 229 -;TG 228 -";

static LIST: std::sync::LazyLock<Vec<Country>> = std::sync::LazyLock::new(|| {
    let countries = COUNTRIES.split(';').filter_map(|line| {
        let mut words = line.split(' ');
        Some(Country {
            code: words.next()?,
            calling_code: words.next()?,
            trunks: words.next().filter(|trunks| *trunks != "-").unwrap_or(""),
            abroad: words.next().unwrap_or(""),
        })
    });
    countries.collect()
});

/// The country with these two letters of ISO 3166, in any case. None: it is not known how its
/// telephone numbers are written.
pub fn country(code: &str) -> Option<&'static Country> {
    LIST.iter()
        .find(|country| country.code.eq_ignore_ascii_case(code.trim()))
}

/// Digits of a number with its calling code, by E.164 at most fifteen.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// Where an extension begins; it is no part of E.164.
const EXTENSIONS: [&str; 8] = [
    ";ext=",
    "ext.",
    "ext",
    "#",
    "extension",
    "durchwahl",
    "dw.",
    "x",
];

pub(super) fn phone(value: &str, step: &Step) -> Outcome {
    let text = trimmed(value);
    if text.is_empty() {
        return Outcome::Same;
    }
    match e164(text, step.country) {
        Some(number) => changed(value, number),
        None => Outcome::Flagged,
    }
}

fn e164(text: &str, country: Option<&Country>) -> Option<String> {
    let mut text = text.to_lowercase();
    for prefix in [
        "tel.:", "tel:", "tel.", "phone:", "mobil:", "mobile:", "t:", "m:",
    ] {
        if let Some(rest) = text.strip_prefix(prefix) {
            text = rest.trim().to_owned();
            break;
        }
    }
    if let Some(at) = EXTENSIONS.iter().filter_map(|word| text.find(word)).min() {
        text.truncate(at);
    }
    // What is dialled only within the country, as in `+49 (0) 30`.
    let is_abroad = text.trim_start_matches('(').starts_with(['+', '\u{ff0b}']);
    if is_abroad {
        text = text.replace("(0)", "").replace("[0]", "");
    }
    let mut digits = String::new();
    for character in text.trim_start_matches(['(', '+', '\u{ff0b}']).chars() {
        match character {
            c if c.is_ascii_digit() => digits.push(c),
            c if c.is_whitespace()
                || "-./()\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}".contains(c) => {}
            _ => return None,
        }
    }
    let whole = match is_abroad {
        true => digits,
        false => international(&digits, country)?,
    };
    (DIGITS.contains(&whole.len()) && !whole.starts_with('0')).then(|| format!("+{whole}"))
}

/// A number as it is dialled at home, with its calling code.
fn international(digits: &str, country: Option<&Country>) -> Option<String> {
    let prefixes = country.map_or("", |country| country.abroad).split('|');
    let own = prefixes.filter(|prefix| !prefix.is_empty());
    for prefix in own.chain(["00"]) {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return Some(rest.to_owned());
        }
    }
    let country = country?;
    let code = country.calling_code;
    if code == "1" {
        // North America: ten digits, with or without the 1.
        let national = digits.strip_prefix('1').unwrap_or(digits);
        return (national.len() == 10).then(|| format!("1{national}"));
    }
    if country.trunks.is_empty() {
        // Without a trunk prefix, 34 may begin a national number as well as an international one.
        let is_either = digits.starts_with(code) && digits.len() > 9;
        return (!is_either).then(|| format!("{code}{digits}"));
    }
    let mut trunks: Vec<&str> = country.trunks.split('|').collect();
    trunks.sort_by_key(|trunk| std::cmp::Reverse(trunk.len()));
    let national = trunks
        .into_iter()
        .find_map(|trunk| digits.strip_prefix(trunk))?;
    Some(format!("{code}{national}"))
}
