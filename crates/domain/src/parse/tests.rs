//! What the readings give, spelling by spelling, and what holds for all of them.

use chrono::{DateTime, NaiveDate, SecondsFormat};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::{amount, amount_either, boolean, day, decimal_sign, instant_us};

/// 2022-02-01T02:20:51Z.
const SAMPLE_US: i64 = 1_643_682_051_000_000;

fn utc(text: &str) -> Option<i64> {
    instant_us(text, None)
}

#[test]
fn instants_in_their_spellings() {
    for text in [
        "2022-02-01T02:20:51Z",
        "2022-02-01T02:20:51",
        "2022-02-01 02:20:51",
        "2022-02-01 2:20:51",
        " 2022-02-01 2:20:51 UTC ",
        "2022-02-01 02:20:51.000000 UTC",
        "2022-02-01T02:20:51.000+0000",
        "2022-02-01T04:20:51+02:00",
        "2022-02-01T04:20:51+02",
        "2022-01-31 21:20:51 -0500",
        "2022-02-01 03:20:51 Europe/Berlin",
        "2022-02-01T03:20:51+01:00[Europe/Berlin]",
        "2022/02/01 02:20:51",
        "2022/2/1 2:20:51 AM",
        "01.02.2022 02:20:51",
        "1 Feb 2022 02:20:51",
        "01/Feb/2022:02:20:51 +0000",
        "Tue, 01 Feb 2022 02:20:51 GMT",
        "Tue Feb 01 2022 03:20:51 GMT+0100 (CET)",
        "February 1, 2022, 2:20:51 AM",
        "20220201022051",
        "20220201T022051Z",
        "1643682051",
        "1643682051000",
        "1643682051000000",
        "1643682051000000000",
        "1643682051.0",
    ] {
        assert_eq!(utc(text), Some(SAMPLE_US), "{text}");
    }
    assert_eq!(
        utc("2022-02-01 2:20:51 PM"),
        Some(SAMPLE_US + 12 * 3_600_000_000)
    );
    assert_eq!(
        utc("2022-02-01 12:20:51 AM"),
        Some(SAMPLE_US - 2 * 3_600_000_000)
    );
    assert_eq!(utc("2022-02-01 02:20"), Some(SAMPLE_US - 51_000_000));
    assert_eq!(
        utc("2022-02-01T02"),
        Some(SAMPLE_US - 51_000_000 - 20 * 60_000_000)
    );
    assert_eq!(utc("2022-02-01"), Some(1_643_673_600_000_000));
    assert_eq!(
        utc("2022-02-01T02:20:51.1234567"),
        Some(SAMPLE_US + 123_456)
    );
    assert_eq!(utc("1643682051.123456"), Some(SAMPLE_US + 123_456));
    assert_eq!(utc("2022-01-31 24:00:00"), Some(1_643_673_600_000_000));
    assert_eq!(utc("-1643682051"), Some(-SAMPLE_US));
}

#[test]
fn what_is_no_instant_is_none() {
    for text in [
        "",
        " ",
        "NULL",
        "0",
        "12",
        "2022",
        "2022-02",
        "2022-02-30",
        "2022-13-01",
        "0000-00-00 00:00:00",
        "01/02/2022",
        "1/31/2022 14:00",
        "2022-02-01 25:00:00",
        "2022-02-01 02:61:00",
        "2022-02-01 13:00 PM",
        "2022-02-01 02:20:51 CST",
        "2022-02-01 02:20:51 nonsense",
        "2022-02-01T02:20:51+2",
        "2022-02-01T02:20:51+99:00",
        "2022-02-0102:20:51",
        "12345678901",
        "20221301",
        "-",
        "-abc",
        "€€€€",
        "2022-02-01é",
        "١٦٤٣٦٨٢٠٥١",
    ] {
        assert_eq!(utc(text), None, "{text}");
        if text != "2022-02-01 13:00 PM" {
            assert_eq!(day(text), None, "{text}");
        }
    }
}

#[test]
fn local_times_follow_the_zone() {
    let berlin = Some(Tz::Europe__Berlin);
    assert_eq!(instant_us("2022-02-01 03:20:51", berlin), Some(SAMPLE_US));
    assert_eq!(
        instant_us("2022-02-01 02:20:51Z", berlin),
        Some(SAMPLE_US),
        "its own zone wins"
    );
    let of = |text: &str| instant_us(text, berlin);
    assert_eq!(
        of("2022-03-27 02:30:00"),
        utc("2022-03-27T01:30:00Z"),
        "skipped: moved on"
    );
    assert_eq!(
        of("2022-10-30 02:30:00"),
        utc("2022-10-30T00:30:00Z"),
        "twice: the first"
    );
    assert_eq!(
        instant_us("2011-12-30 10:00", Some(Tz::Pacific__Apia)),
        utc("2011-12-30T20:00:00Z"),
        "a day that never was"
    );
}

#[test]
fn days_are_not_shifted() {
    let expected = Some(19_024); // 2022-02-01
    for text in [
        "2022-02-01",
        "20220201",
        "2022/2/1",
        "01.02.2022",
        "Feb 1, 2022",
        "2022-02-01T23:59:59-11:00",
        "2022-02-01 00:00:00 Europe/Berlin",
        "1643673600000",
    ] {
        assert_eq!(day(text), expected, "{text}");
    }
    assert_eq!(day("1969-12-31"), Some(-1));
    assert_eq!(day("2000-02-29"), Some(11_016));
    assert_eq!(day("1900-02-29"), None);
}

#[test]
fn amounts_in_their_spellings() {
    for (text, expected) in [
        ("0", 0),
        ("-0", 0),
        ("12", 12_000_000),
        ("1.5", 1_500_000),
        ("-1.5", -1_500_000),
        (".5", 500_000),
        ("5.", 5_000_000),
        ("+3", 3_000_000),
        (" 1,234.56 ", 1_234_560_000),
        ("1,234,567", 1_234_567_000_000),
        ("1'234.5", 1_234_500_000),
        ("1 234.5", 1_234_500_000),
        ("1\u{a0}234\u{a0}567.25", 1_234_567_250_000),
        ("$1,234.56", 1_234_560_000),
        ("-$5", -5_000_000),
        ("$-5", -5_000_000),
        ("5.00 €", 5_000_000),
        ("EUR 5", 5_000_000),
        ("5USD", 5_000_000),
        ("(5.25)", -5_250_000),
        ("($5)", -5_000_000),
        ("$(5)", -5_000_000),
        ("5-", -5_000_000),
        ("\u{2212}5", -5_000_000),
        ("1e-05", 10),
        ("1.5E3", 1_500_000_000),
        ("0.0000005", 0),
        ("0.0000015", 2),
        ("0.0000025", 2),
        ("0.00000250000000000000000000000000000000000001", 3),
        ("-0.0000015", -2),
        ("999999999999.999999", 999_999_999_999_999_999),
        (
            "000000000000000000000000000000000000000000000000007",
            7_000_000,
        ),
    ] {
        assert_eq!(amount(text, '.'), Some(expected), "{text}");
    }
    for (text, expected) in [
        ("1.234,56", 1_234_560_000),
        ("1234,5", 1_234_500_000),
        ("1.234", 1_234_000_000),
        ("-1.234.567,89 EUR", -1_234_567_890_000),
        ("1 234,5 ₽", 1_234_500_000),
    ] {
        assert_eq!(amount(text, ','), Some(expected), "{text}");
    }
}

#[test]
fn dashes_in_the_place_of_cents_are_no_sign() {
    for (text, expected) in [
        ("2.400,-", 2400),
        ("2.400,- €", 2400),
        ("€ 2.400,--", 2400),
        ("2.400,\u{2013} EUR", 2400),
        ("-2.400,-", -2400),
        ("2.400-", -2400),
        ("2.400,00-", -2400),
    ] {
        assert_eq!(amount(text, ','), Some(expected * 1_000_000), "{text}");
    }
    assert_eq!(amount("1'200.-", '.'), Some(1_200_000_000));
    assert_eq!(amount("CHF 1'200.\u{2014}", '.'), Some(1_200_000_000));
    for text in ["2.400,-", ",-", "-", "--"] {
        assert_eq!(amount(text, '.'), None, "{text}");
    }
}

#[test]
fn what_is_no_amount_is_none() {
    for text in [
        "",
        " ",
        "-",
        ".",
        "$",
        "USD",
        "abc",
        "12abc",
        "12 abc",
        "12ABC",
        "1,234,56",
        "1,23",
        "12,34,567",
        "1234,567",
        "1,234'567",
        "1.2.3",
        "5%",
        "--5",
        "-5-",
        "(-5)",
        "(5",
        "5)",
        "$5 USD",
        "NaN",
        "inf",
        "1e",
        "1e5000",
        "1,000e3",
        "1000000000000",
        "999999999999.9999999",
        "0x10",
        "1_000",
        "1;2",
        "١٢",
    ] {
        assert_eq!(amount(text, '.'), None, "{text}");
    }
    assert_eq!(amount("1234.56", ','), None);
    assert_eq!(amount("1,234.56", ','), None);
}

#[test]
fn booleans() {
    for text in ["true", "TRUE", " 1", "Yes", "y", "t", "on", "1.0"] {
        assert_eq!(boolean(text), Some(true), "{text}");
    }
    for text in ["false", "False", "0", "NO", "n", "f", "off", "0.0"] {
        assert_eq!(boolean(text), Some(false), "{text}");
    }
    for text in ["", "2", "maybe", "truee", "null"] {
        assert_eq!(boolean(text), None, "{text}");
    }
}

/// The amount written with a decimal sign and, if asked, a thousands separator.
fn written(units: i128, decimal: char, separator: Option<char>) -> String {
    let whole = (units.abs() / 1_000_000).to_string();
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if let Some(separator) = separator
            && index > 0
            && (whole.len() - index).is_multiple_of(3)
        {
            grouped.push(separator);
        }
        grouped.push(digit);
    }
    let sign = if units < 0 { "-" } else { "" };
    format!("{sign}{grouped}{decimal}{:06}", units.abs() % 1_000_000)
}

proptest! {
    #[test]
    fn every_amount_is_read_back(units in -999_999_999_999_999_999_i64..=999_999_999_999_999_999) {
        let units = i128::from(units);
        prop_assert_eq!(amount(&written(units, '.', None), '.'), Some(units));
        for separator in [',', '\'', ' ', '\u{a0}'] {
            prop_assert_eq!(amount(&written(units, '.', Some(separator)), '.'), Some(units));
        }
        prop_assert_eq!(amount(&written(units, ',', Some('.')), ','), Some(units));
    }

    #[test]
    fn a_short_way_and_the_long_way_agree(text in "-?[0-9]{1,8}(\\.[0-9]{0,7})?") {
        // A plus sign in front keeps the text from the short way.
        let long = match text.strip_prefix('-') {
            Some(digits) => amount(&format!("\u{2212}{digits}"), '.'),
            None => amount(&format!("+{text}"), '.'),
        };
        prop_assert_eq!(amount(&text, '.'), long);
    }

    #[test]
    fn every_instant_is_read_back(us in -62_000_000_000_000_000_i64..=250_000_000_000_000_000) {
        let Some(at) = DateTime::from_timestamp_micros(us) else { return Ok(()) };
        let iso = at.to_rfc3339_opts(SecondsFormat::Micros, true);
        prop_assert_eq!(instant_us(&iso, None), Some(us));
        let spaced = at.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
        prop_assert_eq!(instant_us(&spaced, None), Some(us));
        let epoch = NaiveDate::default();
        let days = (at.date_naive() - epoch).num_days();
        prop_assert_eq!(day(&spaced).map(i64::from), Some(days));
    }

    #[test]
    fn local_times_are_read_back(seconds in 0_i64..=4_000_000_000) {
        for zone in [Tz::Europe__Berlin, Tz::America__New_York, Tz::Asia__Kolkata] {
            let Some(at) = DateTime::from_timestamp(seconds, 0) else { continue };
            let local = at.with_timezone(&zone);
            let read = instant_us(&local.format("%Y-%m-%d %H:%M:%S").to_string(), Some(zone));
            // The second of two equal hours is read as the first.
            let is_same = read == Some(seconds * 1_000_000);
            let is_hour_before = read == Some((seconds - 3600) * 1_000_000);
            prop_assert!(is_same || is_hour_before);
            let offset = local.to_rfc3339();
            prop_assert_eq!(instant_us(&offset, None), Some(seconds * 1_000_000));
        }
    }

    #[test]
    fn nothing_makes_it_panic(text in "\\PC{0,30}", digits in "[-+0-9:.,/ TZ()$€e]{0,30}") {
        for text in [text, digits] {
            let _ = (instant_us(&text, Some(Tz::Europe__London)), day(&text), boolean(&text));
            let _ = (amount(&text, '.'), amount(&text, ','));
        }
    }
}

#[test]
fn a_number_gives_its_decimal_sign_away_or_not() {
    for (text, sign) in [
        ("1.234,56", Some(',')),
        ("1,234.56", Some('.')),
        ("12,5", Some(',')),
        ("12.50 €", Some('.')),
        ("5,23 %", Some(',')),
        ("$1,234.00", Some('.')),
        ("1.234.567", Some(',')),
        ("1 020,50", Some(',')),
        ("1\u{202f}020,50", Some(',')),
        ("1234.567", Some('.')),
        ("0,125", Some(',')),
        (".5", Some('.')),
        ("1.234", None),
        ("1,234", None),
        ("12", None),
        ("1 234", None),
        ("--", None),
        ("05.01.2026", None),
        ("1,2,3", None),
        ("Brand 1.5", None),
    ] {
        assert_eq!(decimal_sign(text, false), sign, "{text}");
    }
    assert_eq!(decimal_sign("1.234", true), Some(','));
    assert_eq!(decimal_sign("1,234", true), Some('.'));
    assert_eq!(decimal_sign("12,00", true), Some(','));
    assert_eq!(decimal_sign("900", true), None);
}

#[test]
fn dollars_of_a_country_are_money() {
    assert_eq!(amount("CA$1,234.50", '.'), Some(1_234_500_000));
    assert_eq!(amount("-A$5", '.'), Some(-5_000_000));
    assert_eq!(amount("R$ 1.234,50", ','), Some(1_234_500_000));
    for text in ["CAN$5", "ca$5", "$CA5", "C$A$5"] {
        assert_eq!(amount(text, '.'), None, "{text}");
    }
}

#[test]
fn an_amount_of_an_unknown_sign_is_never_guessed() {
    for (text, millionths) in [
        ("12", Some(12_000_000)),
        ("12.50", Some(12_500_000)),
        ("12,50", Some(12_500_000)),
        ("1.234,5", Some(1_234_500_000)),
        ("1.234", None),
        ("1,234", None),
        ("0,000", Some(0)),
        ("x", None),
    ] {
        assert_eq!(amount_either(text), millionths, "{text}");
    }
}
