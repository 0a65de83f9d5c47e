//! Every rule on what exports really contain, and on what it must leave alone.

use serde_json::json;

use super::*;

fn recipe(declared: &serde_json::Value) -> Recipe {
    Recipe::new(declared, &Defaults::default()).expect("a recipe")
}

/// The value after one rule; `~` stands for null, `!` before a value for flagged.
fn after(declared: &serde_json::Value, defaults: &Defaults, value: &str) -> String {
    let recipe = Recipe::new(declared, defaults).expect("a recipe");
    let mut flag = "";
    let cleaned = recipe.trace(value, |_, _, _, effect| {
        if effect == Effect::Flagged {
            flag = "!";
        }
    });
    cleaned.map_or("~".to_owned(), |value| format!("{flag}{value}"))
}

fn check(declared: serde_json::Value, cases: &[(&str, &str)]) {
    check_with(declared, &Defaults::default(), cases);
}

fn check_with(declared: serde_json::Value, defaults: &Defaults, cases: &[(&str, &str)]) {
    for (value, wanted) in cases {
        assert_eq!(
            &after(&declared, defaults, value),
            wanted,
            "{declared} of {value:?}"
        );
        // What is clean stays as it is: a rule run twice does what it does once.
        if !wanted.starts_with(['~', '!']) {
            assert_eq!(
                &after(&declared, defaults, wanted),
                wanted,
                "{declared} again"
            );
        }
    }
}

#[test]
fn names_are_unique_and_said_in_words() {
    let mut names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RULES.len());
    assert!(RULES.iter().all(|rule| rule.doc.ends_with('.')));
}

#[test]
fn white_space_and_invisible_signs() {
    check(
        json!("trim"),
        &[
            ("\u{feff} \u{a0}a  b\u{200b}\t", "a  b"),
            ("a", "a"),
            ("", ""),
            ("\u{2003}", ""),
        ],
    );
    check(
        json!("collapse"),
        &[(" a \u{a0}\n b ", "a b"), ("a b", "a b")],
    );
    check(
        json!("invisible"),
        &[
            ("SK\u{200b}U\u{ad}-1\u{0}", "SKU-1"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("a\u{200d}b", "ab"),
        ],
    );
}

#[test]
fn letters_and_their_case() {
    check(json!("lower"), &[("ÄB", "äb")]);
    check(json!("upper"), &[("straße", "STRASSE")]);
    check(
        json!("title"),
        &[("JEAN-LUC o'neil", "Jean-Luc O'neil"), ("éva", "Éva")],
    );
    check(
        json!("nfc"),
        &[
            ("Mu\u{308}nchen", "München"),
            ("e\u{323}\u{302}", "ệ"),
            ("e\u{302}\u{323}", "ệ"),
            ("\u{212b}", "Å"),
            ("\u{1100}\u{1161}\u{11a8}", "각"),
            ("각", "각"),
            ("a\u{5ae}\u{300}", "à\u{5ae}"),
            ("plain", "plain"),
            ("\u{958}", "\u{915}\u{93c}"),
        ],
    );
    check(
        json!("mojibake"),
        &[
            ("MÃ¼nchen", "München"),
            ("â‚¬ 5", "€ 5"),
            ("München", "München"),
            ("Ãœber", "Über"),
        ],
    );
}

#[test]
fn look_alikes_are_mended_only_in_latin() {
    check(
        json!("homoglyphs"),
        &[
            ("АВС-123", "ABC-123"),
            ("SКU‐７", "SKU-7"),
            ("Москва", "Москва"),
            ("оса", "оса"),
            ("ЩX-1", "!ЩX-1"),
            ("Café", "Café"),
        ],
    );
}

#[test]
fn words_for_no_value() {
    check(
        json!("null_words"),
        &[
            ("N/A", "~"),
            (" - ", "~"),
            ("", "~"),
            ("#NV", "~"),
            ("(not set)", "~"),
            ("NA", "NA"),
            ("(none)", "(none)"),
            ("none of them", "none of them"),
        ],
    );
    check(
        json!([{"null_words": ["Offen", "NA"]}]),
        &[("offen", "~"), ("na", "~"), ("n/a", "~"), ("x", "x")],
    );
}

#[test]
fn what_tools_wrap_round_values() {
    check(
        json!("unquote"),
        &[
            ("\"a \"\"b\"\"\"", "a \"b\""),
            ("„Titel“", "Titel"),
            ("\"a\" and \"b\"", "\"a\" and \"b\""),
            ("5\"", "5\""),
            ("''", ""),
        ],
    );
    check(
        json!("excel_text"),
        &[
            ("=\"00123\"", "00123"),
            ("'00123", "00123"),
            ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ],
    );
    check(
        json!("html_entities"),
        &[
            ("Caf&eacute; &amp;amp; Bar", "Café & Bar"),
            ("&#8364;5 &#x20AC;", "€5 €"),
            ("A&B; C &nosuch;", "A&B; C &nosuch;"),
            ("Stra&szlig;e", "Straße"),
            ("R&D", "R&D"),
        ],
    );
}

#[test]
fn addresses_of_mail() {
    check(
        json!("email"),
        &[
            (" <mailto:Ann.Lee@Example.COM> ", "Ann.Lee@example.com"),
            ("Ann Lee <ann@Example.com>;", "ann@example.com"),
            ("mailto:ann@example.com?subject=x", "ann@example.com"),
            ("ann@gmial.com", "ann@gmial.com"),
            ("ann(at)example.com", "!ann(at)example.com"),
            ("a@x.de; b@y.de", "!a@x.de; b@y.de"),
            ("ann@localhost", "!ann@localhost"),
            ("", ""),
        ],
    );
}

#[test]
fn telephone_numbers() {
    let german = Defaults {
        country: Some("de".into()),
        decimal: None,
    };
    check_with(
        json!("phone"),
        &german,
        &[
            ("030 / 123 45-67", "+49301234567"),
            ("+49 (0) 30 1234567", "+49301234567"),
            ("0049 30 1234567", "+49301234567"),
            ("Tel.: (030) 1234567 ext. 12", "+49301234567"),
            ("+1 (212) 555-0100", "+12125550100"),
            ("1234567", "!1234567"),
            ("call me", "!call me"),
            ("", ""),
        ],
    );
    check(
        json!([{"phone": "US"}]),
        &[
            ("(212) 555-0100", "+12125550100"),
            ("1-212-555-0100", "+12125550100"),
            ("011 49 30 1234567", "+49301234567"),
            ("555-0100", "!555-0100"),
        ],
    );
    check(
        json!([{"phone": "IT"}]),
        &[("06 1234 5678", "+390612345678")],
    );
    check(
        json!([{"phone": "HU"}]),
        &[("06 1 234 5678", "+3612345678")],
    );
    check(
        json!([{"phone": "RU"}]),
        &[("8 (495) 123-45-67", "+74951234567")],
    );
    // Without a country only numbers with their calling code can be written.
    check(
        json!("phone"),
        &[
            ("030 1234567", "!030 1234567"),
            ("00493012345", "+493012345"),
        ],
    );
    assert!(country("XX").is_none());
    assert!(country("gb").is_some());
}

#[test]
fn addresses_on_the_web() {
    check(
        json!("url"),
        &[
            (
                " HTTPS://Shop.Example.COM:443/A/b?utm_source=X&gclid=Y#top",
                "https://shop.example.com/A/b?utm_source=X&gclid=Y",
            ),
            ("http://x.de:8080", "http://x.de:8080"),
            ("https://x.de/#/cart", "https://x.de/#/cart"),
            ("https://x.de/#utm_source=a", "https://x.de/#utm_source=a"),
            ("/local#a", "/local#a"),
            ("www.x.de", "!www.x.de"),
            ("https://[::1]:443/", "https://[::1]/"),
        ],
    );
    check(
        json!("host"),
        &[
            ("https://WWW.Example.com/a?b", "example.com"),
            ("Example.com/", "example.com"),
            ("ann@example.com", "!ann@example.com"),
            ("Acme Ltd", "!Acme Ltd"),
        ],
    );
    check(
        json!("utm"),
        &[
            ("Spring%20Sale", "Spring Sale"),
            ("Black+Friday", "Black Friday"),
            ("Caf%25C3%25A9", "Café"),
            ("100%", "100%"),
            ("%FF", "%FF"),
            ("{{campaign.name}}", "!{{campaign.name}}"),
        ],
    );
    // A plus that was written out as one is one.
    assert_eq!(after(&json!("utm"), &Defaults::default(), "C%2B%2B"), "C++");
}

#[test]
fn amounts_of_many_countries() {
    let cases = [
        ("1.234,56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1\u{202f}234,56 €", "1234.56"),
        ("1'234.56", "1234.56"),
        ("(1,234.56)", "-1234.56"),
        ("12,50 €", "12.50"),
        ("EUR 12,5", "12.50"),
        ("1.234.567", "1234567"),
        ("12,-", "12"),
        ("0,123", "0.123"),
        ("1234,567", "1234.567"),
        ("1 234,567", "1234.567"),
        ("99 kr.", "99"),
        ("1 299,00 zł", "1299"),
        ("−5,5", "-5.50"),
        ("1.234", "!1.234"),
        ("1,234,56", "!1,234,56"),
        ("free", "!free"),
        ("", ""),
    ];
    check(json!("money"), &cases);
    check(
        json!([{"money": ","}]),
        &[("1.234", "1234"), ("12,5", "12.50")],
    );
    check(json!([{"money": "."}]), &[("1,234", "1234")]);
    let comma = Defaults {
        country: None,
        decimal: Some(','),
    };
    check_with(
        json!("money"),
        &comma,
        &[
            ("1.234", "1234"),
            ("12.50", "12,50"),
            ("12,50", "12,50"),
            ("1,5 €", "1,50"),
        ],
    );
    check(json!("digits"), &[("DE 123-456", "123456"), ("x", "!x")]);
    check(
        json!("long_id"),
        &[
            ("1.23457E+17", "!1.23457E+17"),
            ("123456789012345000", "!123456789012345000"),
            ("123456789012345678", "123456789012345678"),
            ("12E4", "12E4"),
            ("A1E10", "A1E10"),
        ],
    );
}

#[test]
fn days_in_declared_formats() {
    check(
        json!([{"date": "dd.mm.yyyy"}]),
        &[
            ("31.12.2024", "2024-12-31"),
            ("1.2.2024 14:05", "2024-02-01 14:05"),
            ("2024-02-01T10:00:00Z", "2024-02-01T10:00:00Z"),
            ("31.02.2024", "!31.02.2024"),
            ("01/02/2024", "!01/02/2024"),
            ("", ""),
        ],
    );
    check(
        json!([{"date": ["mm/dd/yyyy", "dd.mm.yy"]}]),
        &[
            ("02/01/2024", "2024-02-01"),
            ("01.02.24", "2024-02-01"),
            ("01.02.70", "1970-02-01"),
            ("31/12/2024", "!31/12/2024"),
        ],
    );
    check(
        json!([{"date": ["dd/mm/yyyy", "mm/dd/yyyy"]}]),
        &[
            ("31/12/2024", "2024-12-31"),
            ("01/02/2024", "!01/02/2024"),
            ("02/02/2024", "2024-02-02"),
        ],
    );
    check(
        json!([{"date": ["d. mon yyyy", "ddmmyy", "excel"]}]),
        &[
            ("5. März 2024", "2024-03-05"),
            ("5. déc. 2024", "2024-12-05"),
            ("050324", "2024-03-05"),
            ("45292", "2024-01-01"),
            ("45292.5", "2024-01-01 12:00:00"),
        ],
    );
    for bad in ["dd.mm", "yyyy-mm-dd hh", "dd.dd.yyyy", ""] {
        assert!(Format::new(bad).is_none(), "{bad}");
    }
}

#[test]
fn currencies_and_booleans() {
    check(
        json!("currency"),
        &[("€", "EUR"), ("eur", "EUR"), ("US$", "USD"), ("$", "!$")],
    );
    check(
        json!("boolean"),
        &[
            ("Ja", "true"),
            ("NEIN", "false"),
            ("vielleicht", "!vielleicht"),
        ],
    );
}

#[test]
fn rules_run_in_their_order_and_each_is_told_of() {
    let recipe = recipe(&json!(["trim", "homoglyphs", "upper", "null_words"]));
    let mut told = Vec::new();
    let cleaned = recipe.trace(" аb-1", |step, before, after, effect| {
        let after = after.map(str::to_owned);
        told.push((step.rule.name, before.to_owned(), after, effect));
    });
    assert_eq!(cleaned.as_deref(), Some("AB-1"));
    let names: Vec<&str> = told.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, ["trim", "homoglyphs", "upper"]);
    assert_eq!(told[0].1, " аb-1");
    assert_eq!(told[2].2.as_deref(), Some("AB-1"));
    let again = Recipe::from_spec(recipe.spec()).expect("its own text");
    assert_eq!(again.spec(), recipe.spec());
    let names = Recipe::from_spec("trim, lower").expect("names");
    assert_eq!(names.clean(" A ").as_deref(), Some("a"));
}

#[test]
fn a_wrong_rule_is_refused_with_advice() {
    let refused = |declared| Recipe::new(&declared, &Defaults::default()).expect_err("refused");
    let unknown = refused(json!(["trimm"]));
    assert_eq!(unknown.word, "trimm");
    assert!(unknown.hint.contains("trim, collapse"), "{}", unknown.hint);
    for wrong in [
        json!([{"trim": "x"}]),
        json!(["date"]),
        json!([{"date": "dd-mm"}]),
        json!([{"phone": "XX"}]),
        json!([{"money": ";"}]),
        json!([7]),
    ] {
        let mistake = refused(wrong.clone());
        assert!(
            !mistake.what.is_empty() && !mistake.hint.is_empty(),
            "{wrong}"
        );
    }
}

#[test]
fn a_mask_shows_the_shape_and_no_letter() {
    assert_eq!(
        mask("\u{a0}Ann Lee <ann@X.de>, +49 30"),
        "<a0>Aa Aa <a@A.a>, +0 0"
    );
}
