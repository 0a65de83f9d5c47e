//! The same export in another language gives the same comparison.

use serde_json::Value;

use crate::demo_company::company;
use crate::reconcile::{against, ga4_export, platform_export, present_names};

/// An export with its headings, sums and numbers as another language writes them.
fn translated(english: &str, headings: &[(&str, &str)], total: &str, decimal: char) -> String {
    let mut translated = String::new();
    for line in english.lines() {
        let cells = line.split(',').map(|cell| {
            let named = headings.iter().find(|(english, _)| *english == cell);
            match named {
                Some((_, other)) => (*other).to_owned(),
                None if cell == "Grand total" => total.to_owned(),
                None if cell.parse::<f64>().is_ok() => cell.replace('.', &decimal.to_string()),
                None => cell.to_owned(),
            }
        });
        translated.push_str(&cells.collect::<Vec<_>>().join(";"));
        translated.push('\n');
    }
    translated
}

/// What is compared, without what names the file's own headings.
fn compared(told: &Value) -> Value {
    let parts = ["subject", "platform", "figures", "rows", "they"];
    parts.into_iter().map(|name| told[name].clone()).collect()
}

#[test]
fn a_platforms_export_in_german_french_and_spanish_is_the_english_one() {
    let names = present_names();
    let english = platform_export("google_ads", "9999", |row| {
        names[&row["campaign_id"]].clone()
    });
    let told = against(company(), "english.csv", &english, &[]);
    assert_eq!(told["platform"], "google_ads");
    assert!(told["rows"].as_array().unwrap().len() > 20);
    let languages: [(&str, &[(&str, &str)]); 3] = [
        (
            "deutsch.csv",
            &[
                ("Day", "Tag"),
                ("Campaign", "Kampagne"),
                ("Currency", "Währungscode"),
                ("Cost", "Kosten"),
                ("Clicks", "Klicks"),
            ],
        ),
        (
            "francais.csv",
            &[
                ("Day", "Jour"),
                ("Campaign", "Campagne"),
                ("Currency", "Code de la devise"),
                ("Cost", "Coût"),
                ("Clicks", "Clics"),
            ],
        ),
        (
            "espanol.csv",
            &[
                ("Day", "Día"),
                ("Campaign", "Campaña"),
                ("Currency", "Código de moneda"),
                ("Cost", "Coste"),
                ("Impr.", "Impresiones"),
                ("Clicks", "Clics"),
            ],
        ),
    ];
    for (file, headings) in languages {
        let other = translated(&english, headings, "", ',');
        let found = against(company(), file, &other, &[]);
        assert_eq!(compared(&found), compared(&told), "{file}");
        assert_eq!(found["ignored"], told["ignored"], "{file}");
    }
}

#[test]
fn ga4s_export_in_german_french_and_spanish_is_the_english_one() {
    let english = ga4_export("Europe/Berlin");
    let zone = ["--zone", "Europe/Berlin"];
    let told = against(company(), "ga4-english.csv", &english, &zone);
    assert_eq!(told["subject"], "web");
    let languages = [
        (
            "de",
            "Datum",
            "Sitzungen",
            "E-Commerce-Käufe",
            "Gesamtsumme",
        ),
        (
            "fr",
            "Date",
            "Sessions",
            "Achats d'e-commerce",
            "Total général",
        ),
        (
            "es",
            "Fecha",
            "Sesiones",
            "Compras de comercio electrónico",
            "Suma",
        ),
    ];
    for (language, day, sessions, purchases, total) in languages {
        let headings = [
            ("Date", day),
            ("Sessions", sessions),
            ("Ecommerce purchases", purchases),
        ];
        let other = translated(&english, &headings, total, ',');
        let found = against(company(), &format!("ga4-{language}.csv"), &other, &zone);
        assert_eq!(compared(&found), compared(&told), "{language}");
    }
}
