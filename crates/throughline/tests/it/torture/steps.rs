//! What can happen to the company between two runs.
//!
//! A step is something that happens to the files, the models or the settings. Each says in words
//! what it did, so that a failing history reads as a story.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeDelta};
use rand::Rng as _;
use rand::seq::{IndexedRandom as _, IteratorRandom as _};
use rand_chacha::ChaCha8Rng;
use testkit::Project;

use super::company::{self, MODELS, RULES, Table, day, email};

/// Built-in models that a project may edit, with the folder of their layer.
const EDITED: [(&str, &str); 10] = [
    ("3_star", "fct_order"),
    ("3_star", "fct_session"),
    ("3_star", "int_geo_day"),
    ("3_star", "dim_page"),
    ("3_star", "fct_refund"),
    ("3_star", "int_session_base"),
    ("3_star", "fct_conversion"),
    ("2_identity", "int_record_identity"),
    ("4_marts", "mart_top_paths"),
    ("4_marts", "mart_customer_360"),
];

/// The company as it is now, and what is still to come.
pub(super) struct Company {
    pub(super) project: Project,
    /// Files that have not arrived yet, in the order in which they should.
    coming: Vec<(String, Table)>,
    /// Files on disk.
    there: BTreeMap<String, Table>,
    /// What a replaced file was at first.
    first: BTreeMap<String, Table>,
    random: ChaCha8Rng,
    number: u32,
    /// What was done, in words.
    pub(super) story: Vec<String>,
}

impl Company {
    pub(super) fn new(program: &str, seed: u64, random: ChaCha8Rng) -> Self {
        let project = Project::new(program, company::SETTINGS);
        // Keys decide which of two equals comes first: a failing history needs the same ones.
        project.write("throughline.key", format!("{seed:064x}\n"));
        for (name, entity, columns) in MODELS {
            project.write(&silver_path(name), silver(name, entity, columns));
        }
        for (name, columns) in RULES {
            let yml = format!("models: [{{name: {name}, columns: {columns}}}]\n");
            project.write(&silver_path(name).replace(".sql", ".yml"), yml);
        }
        Self {
            project,
            coming: company::life(seed),
            there: BTreeMap::new(),
            first: BTreeMap::new(),
            random,
            number: 0,
            story: Vec::new(),
        }
    }

    /// The first days arrive, so that there is something to happen to.
    pub(super) fn begin(&mut self) {
        for (path, table) in company::headers() {
            self.put(&path, table);
        }
        let share = self.coming.len() / 3;
        for _ in 0..share {
            let (path, table) = self.coming.remove(0);
            self.put(&path, table);
        }
        self.story.push(format!("the first {share} files arrive"));
    }

    /// Something happens.
    pub(super) fn step(&mut self) {
        let said = match self.random.random_range(0..100) {
            0..30 => self.arrives(),
            30..42 => self.restated(),
            42..48 => self.returns(),
            48..54 => self.split(),
            54..60 => self.delivered_again(),
            60..65 => self.linked(),
            65..70 => self.shared(),
            70..76 => self.bridged(),
            76..81 => self.renamed(),
            81..88 => self.model_edited(),
            88..91 => self.silver_edited(),
            91..96 => self.setting_changed(),
            96 => self.seed_edited(),
            _ => self.vanishes(),
        };
        self.story.push(said);
    }

    fn put(&mut self, path: &str, table: Table) {
        self.project.write(path, table.text());
        self.there.insert(path.to_owned(), table);
    }

    fn any_file(&mut self) -> (String, Table) {
        let chosen = self.there.iter().choose(&mut self.random).unwrap();
        (chosen.0.clone(), chosen.1.clone())
    }

    /// Files arrive: mostly the next, now and then a later one first.
    fn arrives(&mut self) -> String {
        let mut names = Vec::new();
        for _ in 0..self.random.random_range(1..=5) {
            if self.coming.is_empty() {
                break;
            }
            let index = match self.random.random_bool(0.6) {
                true => 0,
                false => self.random.random_range(0..self.coming.len()),
            };
            let (path, table) = self.coming.remove(index);
            self.put(&path, table);
            names.push(path);
        }
        format!("{} arrive", names.join(" and "))
    }

    /// A file is replaced: rows leave, amounts and times change, an identifier is another.
    fn restated(&mut self) -> String {
        let (path, mut table) = self.any_file();
        self.first
            .entry(path.clone())
            .or_insert_with(|| table.clone());
        let before = table.rows.len();
        let random = &mut self.random;
        table.rows.retain(|_| random.random_bool(0.85));
        let mut changes = 0;
        for row in 0..table.rows.len() {
            if self.random.random_bool(0.3) {
                self.change_row(&mut table, row);
                changes += 1;
            }
        }
        let left = table.rows.len();
        self.put(&path, table);
        format!("{path} is replaced: {left} of {before} rows, {changes} of them changed")
    }

    fn change_row(&mut self, table: &mut Table, row: usize) {
        self.number += 1;
        let cells = &table.columns.clone();
        let is_event = table.index("name").is_some() && table.index("session").is_some();
        let random = &mut self.random;
        for column in cells {
            let Some(index) = table.index(column) else {
                continue;
            };
            let cell = &mut table.rows[row][index];
            match *column {
                "amount" | "spend" | "price" if !cell.is_empty() => {
                    *cell = format!("{}.75", random.random_range(1..99));
                }
                "rate" => *cell = format!("0.{}", random.random_range(70..99)),
                "email" if random.random_bool(0.5) => {
                    *cell = [String::new(), email(random.random_range(0..10))]
                        .choose(random)
                        .unwrap()
                        .clone();
                }
                "device" if random.random_bool(0.3) => {
                    *cell = format!("d{}", random.random_range(0..14));
                }
                // An event never changes its time; another event may stand in its place.
                "at" | "changed" => {
                    let hours = *[-25, -3, 0, 2, 26].choose(random).unwrap();
                    let at: NaiveDateTime = cell
                        .parse()
                        .or_else(|_| NaiveDateTime::parse_from_str(cell, "%Y-%m-%d %H:%M:%S"))
                        .unwrap();
                    *cell = (at + TimeDelta::hours(hours)).to_string();
                }
                "id" if is_event => *cell = format!("{cell}x{}", self.number),
                _ => {}
            }
        }
    }

    /// A replaced file is as it was at first.
    fn returns(&mut self) -> String {
        let Some((path, table)) = self.first.iter().choose(&mut self.random) else {
            return self.restated();
        };
        let (path, table) = (path.clone(), table.clone());
        self.put(&path, table);
        format!("{path} is as it was at first")
    }

    /// A file comes in two parts: the first in its place, the second beside it.
    fn split(&mut self) -> String {
        let (path, mut table) = self.any_file();
        self.first
            .entry(path.clone())
            .or_insert_with(|| table.clone());
        let mut second = table.clone();
        second.rows = table.rows.split_off(table.rows.len() / 2);
        let other = self.beside(&path);
        self.put(&path, table);
        self.put(&other, second);
        format!("{path} is split, its second half is {other}")
    }

    /// Some rows of a file come again under another name.
    fn delivered_again(&mut self) -> String {
        let (path, mut table) = self.any_file();
        let random = &mut self.random;
        if random.random_bool(0.5) {
            table.rows.retain(|_| random.random_bool(0.5));
        }
        let other = self.beside(&path);
        self.put(&other, table);
        format!("{path} is delivered again as {other}")
    }

    fn beside(&mut self, path: &str) -> String {
        self.number += 1;
        path.replace(".csv", &format!("_{}.csv", self.number))
    }

    /// A file of a kind arrives with these rows; gives its path.
    fn extra(&mut self, kind: &str, n: u64, rows: &[&[&str]]) -> String {
        let path = format!("{kind}/{}_{}.csv", day(n), self.number);
        let mut table = company::empty(kind);
        let texts = |row: &&[&str]| row.iter().map(|cell| (*cell).to_owned()).collect();
        table.rows = rows.iter().map(texts).collect();
        self.put(&path, table);
        path
    }

    /// A contact ties a device to somebody's e-mail, or a source says that two people are one.
    fn linked(&mut self) -> String {
        self.number += 1;
        let (a, b) = (
            self.random.random_range(0..10),
            self.random.random_range(0..10),
        );
        let n = self.random.random_range(0..company::DAYS);
        let (at, mail, device) = (format!("{} 10:00:00", day(n)), email(a), format!("d{b}"));
        let (one, other) = (format!("u{a}"), format!("u{b}"));
        if self.random.random_bool(0.5) {
            let row = ["user", &one, "user", &other, &at];
            let path = self.extra("links", n, &[&row]);
            return format!("{path} says that user {one} is user {other}");
        }
        let contact = format!("c{}", 90 + self.number);
        let created = "2026-03-02 00:00:00";
        let row = [&*contact, created, &mail, &device, &other, "France", &at];
        let path = self.extra("contacts", n, &[&row]);
        format!("{path} ties {mail} to {other} on {device}")
    }

    /// Several people log in on one device: it is evidence for none of them any more.
    fn shared(&mut self) -> String {
        self.number += 1;
        let device = self.random.random_range(0..10);
        let n = self.random.random_range(0..company::DAYS);
        let mut rows = Vec::new();
        for person in 0..3 {
            let user = format!("u{}", (device + person) % 10);
            rows.push(self.web_row(n, 600 + person, device, &user, ""));
        }
        let path = self.late(n, rows);
        format!("{path}: three people log in on d{device}")
    }

    /// Late events join what were two sessions, over midnight too.
    fn bridged(&mut self) -> String {
        self.number += 1;
        let device = self.random.random_range(0..12);
        let n = self.random.random_range(0..company::DAYS);
        let start = *[0, 700, 1300].choose(&mut self.random).unwrap();
        let native = *["", "", "long1"].choose(&mut self.random).unwrap();
        let mut rows = Vec::new();
        for index in 0..12 {
            rows.push(self.web_row(n, start + index * 25, device, "", native));
        }
        let path = self.late(n, rows);
        format!("{path}: twelve late events of d{device} from minute {start}, session `{native}`")
    }

    fn late(&mut self, n: u64, rows: Vec<Vec<String>>) -> String {
        let path = format!("web/{}_{}.csv", day(n), self.number);
        let columns = company::empty("web").columns;
        self.put(&path, Table { columns, rows });
        path
    }

    fn web_row(&self, n: u64, minute: i64, device: i64, user: &str, native: &str) -> Vec<String> {
        let at = day(n).and_hms_opt(0, 0, 0).unwrap() + TimeDelta::minutes(minute);
        let id = format!("late{}_{minute}", self.number);
        let cells = [
            &id,
            &at.to_string(),
            "page_view",
            &format!("d{device}"),
            user,
            "",
            native,
            "https://shop.example/late",
            "",
            "",
            "",
            "",
            "Germany",
        ];
        cells.map(str::to_owned).to_vec()
    }

    /// A campaign has another name, a product another price.
    fn renamed(&mut self) -> String {
        self.number += 1;
        let (n, k) = (self.random.random_range(0..company::DAYS), self.number);
        if self.random.random_bool(0.5) {
            let row = ["google_ads", "11", &format!("Brand {k}"), "on"];
            let path = self.extra("campaigns", n, &[&row]);
            return format!("{path}: campaign 11 is called Brand {k}");
        }
        let row = ["1", "Lamp", "home", &format!("{k}.00")];
        let path = self.extra("products", n, &[&row]);
        format!("{path}: the lamp costs {k}.00")
    }

    /// A built-in model is overridden, or the override goes.
    fn model_edited(&mut self) -> String {
        self.number += 1;
        let (layer, name) = *EDITED.choose(&mut self.random).unwrap();
        let path = format!("models/{layer}/{name}.sql");
        if self.project.dir().join(&path).exists() && self.random.random_bool(0.5) {
            std::fs::remove_file(self.project.dir().join(&path)).unwrap();
            return format!("{name} is the built-in one again");
        }
        let root = testkit::repository();
        let text = std::fs::read_to_string(root.join(&path)).unwrap();
        let edit = format!("select *, 'edition {}' as edition from final", self.number);
        let edited = text.replace("select * from final", &edit);
        assert_ne!(text, edited, "{name} ends in another way than it did");
        self.project.write(&path, edited);
        format!("{name} gets a column")
    }

    /// A silver model takes another view of its rows.
    fn silver_edited(&mut self) -> String {
        self.number += 1;
        let (name, entity, columns) = *MODELS.choose(&mut self.random).unwrap();
        let columns = columns.replace(
            "country",
            &format!("concat(country, '{}') as country", self.number),
        );
        let columns = columns.replace(
            "email,",
            "case when email like 'p1@%' then null else email end as email,",
        );
        self.project
            .write(&silver_path(name), silver(name, entity, &columns));
        format!("{name} reads {columns}")
    }

    /// The project's own list of channel rules or sources.
    fn seed_edited(&mut self) -> String {
        self.number += 1;
        let (name, row) = *[
            ("channel_source", "google,social"),
            ("bot_pattern", "p,any_case"),
            ("click_id", "late,nobody,cpc,,true,over_utm"),
        ]
        .choose(&mut self.random)
        .unwrap();
        let root = testkit::repository();
        let text = std::fs::read_to_string(root.join(format!("models/seeds/{name}.csv"))).unwrap();
        self.project
            .write(&format!("seeds/{name}.csv"), format!("{text}{row}\n"));
        format!("the seed {name} has another row: {row}")
    }

    fn setting_changed(&mut self) -> String {
        let settings = [
            "attribution: {lookback_days: {default: 3}}",
            "attribution: {lookback_days: {default: 90}, half_life_days: 2.0}",
            "attribution: {default_model: linear}",
            "sessions: {timeout_minutes: 15}",
            "sessions: {timeout_minutes: 30, last_non_direct_days: 2}",
            "sessions: {hours_max: 6}",
            "sessions: {policy: ua}",
            "sessions: {tracker_ids: false, engaged_seconds: 60}",
            "identity: {degree_max: 2}",
            "identity: {degree_max: 1, emails_max: 1}",
            "revenue: {exclude_tax: false}",
            "reporting: {zone: America/New_York, currency: EUR, week_start: sunday}",
        ];
        let setting = *settings.choose(&mut self.random).unwrap();
        if self.random.random_bool(0.15) {
            let words = "web: {path: 'web/*.csv', files: {null_words: [u1, u2]}}";
            let text = company::SETTINGS.replace("web: {path: 'web/*.csv'}", words);
            assert_ne!(text, company::SETTINGS);
            self.project.set(&text);
            return format!("the settings say {words}");
        }
        self.project.set(setting);
        format!("the settings say {setting}")
    }

    /// A file is no longer on disk: what was loaded stays.
    fn vanishes(&mut self) -> String {
        let (path, _) = self.any_file();
        if self.there.len() > 5 {
            std::fs::remove_file(self.project.dir().join(&path)).unwrap();
            self.there.remove(&path);
            self.first.remove(&path);
        }
        format!("{path} is taken away")
    }
}

fn silver_path(name: &str) -> String {
    format!("models/1_silver/{name}.sql")
}

fn silver(name: &str, entity: &str, columns: &str) -> String {
    let (source, stream) = name.trim_start_matches("stg_").split_once("__").unwrap();
    format!(
        "-- grain: one row per row of the export\n{{{{ config(entity='{entity}') }}}}\n\
         select _raw_id, {columns} from {{{{ source('{source}', '{stream}') }}}}\n"
    )
}
