//! A small company whose files arrive in any order: what lies on disk, and what is still to come.
//!
//! Ten people on fourteen devices, some shared; a shop, a CRM, two ad platforms. All times are on
//! the edge of something: midnights, the session's timeout, the look-back.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, NaiveDateTime, TimeDelta};
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Days of the company's life.
pub(super) const DAYS: u64 = 9;

pub(super) const SETTINGS: &str = "
reporting: {zone: Europe/Berlin, currency: EUR, week_start: monday}
site: {domains: [shop.example], payment_referrals: [paypal.com]}
sources:
  web: {path: 'web/*.csv'}
  shop:
    files: {effective_at: {file: '{date}'}}
    streams: {orders: 'orders/*.csv', lines: 'lines/*.csv', refunds: 'refunds/*.csv'}
  crm:
    files: {effective_at: changed}
    streams:
      contacts: {path: 'contacts/*.csv', cleanse: {'*': trim, country: upper}}
      deals: 'deals/*.csv'
      links: 'links/*.csv'
  ads:
    files: {effective_at: {file: '{date}'}}
    streams: {report: 'ads/*.csv', campaigns: 'campaigns/*.csv'}
  office:
    files: {effective_at: {file: '{date}'}}
    streams: {products: 'products/*.csv', rates: 'rates/*.csv', mails: 'mails/*.csv'}
";

/// Cleansing of some of them: the `.yml` beside a model. What it changed is part of every history.
pub(super) const RULES: [(&str, &str); 2] = [
    (
        "stg_web__rows",
        "[{name: country, cleanse: [lower]}, {name: email, cleanse: [upper, email]}]",
    ),
    (
        "stg_shop__orders",
        "[{name: country, cleanse: [trim, upper]}]",
    ),
];

/// The silver models: name, entity, columns.
pub(super) const MODELS: [(&str, &str, &str); 12] = [
    (
        "stg_web__rows",
        "web_event",
        "id as event_id, at as event_at, name as event_name, device as anonymous_id, user_id, \
         email, session as session_id, url as page_url, referrer as referrer_url, order_id, \
         revenue as revenue_amount, currency as currency_code, country",
    ),
    (
        "stg_shop__orders",
        "order",
        "id as order_id, at as ordered_at, buyer as buyer_id, email, device as anonymous_id, \
         amount as gross_amount, tax as tax_amount, currency as currency_code, \
         cancelled as is_cancelled, country",
    ),
    (
        "stg_shop__lines",
        "order_line",
        "order_id, line as line_id, at as ordered_at, product as product_id, quantity, \
         amount as revenue_amount, currency as currency_code",
    ),
    (
        "stg_shop__refunds",
        "refund",
        "id as refund_id, order_id, at as refunded_at, amount as refund_amount, \
         currency as currency_code",
    ),
    (
        "stg_crm__contacts",
        "contact",
        "id as contact_id, created as created_at, email, device as client_id, user_id, country",
    ),
    (
        "stg_crm__deals",
        "deal",
        "id as deal_id, created as created_at, closed as closed_at, stage, amount, \
         currency as currency_code, won as is_won, won as is_closed, order_id",
    ),
    (
        "stg_crm__links",
        "identity_link",
        "a_type, a_value, b_type, b_value, changed as linked_at, 'said' as rule",
    ),
    (
        "stg_ads__report",
        "ad_performance",
        "day as report_date, platform, 'acc' as account_id, 'campaign' as level, \
         campaign as campaign_id, clicks, impressions, spend as spend_amount, \
         currency as currency_code",
    ),
    (
        "stg_ads__campaigns",
        "campaign",
        "platform, 'campaign' as level, 'acc' as account_id, id as campaign_id, \
         name as campaign_name, status",
    ),
    (
        "stg_office__products",
        "product",
        "id as product_id, name as product_name, category, price as price_amount, \
         'EUR' as currency_code",
    ),
    (
        "stg_office__rates",
        "exchange_rate",
        "day as rate_date, 'USD' as from_currency, 'EUR' as to_currency, rate",
    ),
    (
        "stg_office__mails",
        "email_event",
        "id as email_event_id, at as event_at, type as event_type, email, campaign as campaign_name",
    ),
];

/// A CSV file, as rows of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    fn new(columns: &'static str) -> Self {
        Self {
            columns: columns.split(',').collect(),
            rows: Vec::new(),
        }
    }

    fn row<const N: usize>(&mut self, cells: [&str; N]) {
        assert_eq!(N, self.columns.len(), "{:?}", self.columns);
        self.rows.push(cells.map(str::to_owned).to_vec());
    }

    /// Where a column stands.
    pub(super) fn index(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| *name == column)
    }

    /// As a file.
    pub(super) fn text(&self) -> String {
        let mut text = self.columns.join(",") + "\n";
        for row in &self.rows {
            text.push_str(&row.join(","));
            text.push('\n');
        }
        text
    }
}

/// The kinds of files with their columns.
const KINDS: [(&str, &str); 12] = [
    (
        "web",
        "id,at,name,device,user_id,email,session,url,referrer,order_id,revenue,currency,country",
    ),
    (
        "orders",
        "id,at,buyer,email,device,amount,tax,currency,cancelled,country",
    ),
    ("lines", "order_id,line,at,product,quantity,amount,currency"),
    ("refunds", "id,order_id,at,amount,currency"),
    (
        "contacts",
        "id,created,email,device,user_id,country,changed",
    ),
    (
        "deals",
        "id,created,closed,stage,amount,currency,won,order_id,changed",
    ),
    ("links", "a_type,a_value,b_type,b_value,changed"),
    (
        "ads",
        "day,platform,campaign,clicks,impressions,spend,currency",
    ),
    ("campaigns", "platform,id,name,status"),
    ("products", "id,name,category,price"),
    ("rates", "day,rate"),
    ("mails", "id,at,type,email,campaign"),
];

/// A file of a kind without rows.
pub(super) fn empty(kind: &str) -> Table {
    let known = KINDS.iter().find(|(name, _)| *name == kind);
    Table::new(known.unwrap().1)
}

/// The first file of every kind, from before the company's life: a header alone.
pub(super) fn headers() -> impl Iterator<Item = (String, Table)> {
    KINDS
        .iter()
        .map(|(kind, columns)| (format!("{kind}/2026-03-01.csv"), Table::new(columns)))
}

/// Day number `n` of the company's life.
pub(super) fn day(n: u64) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2026, 3, 26).unwrap();
    first.checked_add_days(Days::new(n)).unwrap()
}

/// The company's random life: every file by its path, in the order of its days.
pub(super) fn life(seed: u64) -> Vec<(String, Table)> {
    let mut world = World {
        random: ChaCha8Rng::seed_from_u64(seed),
        files: BTreeMap::new(),
        orders: Vec::new(),
        number: 0,
    };
    world.reference();
    for n in 0..DAYS {
        world.web(n);
        world.crm(n);
        world.ads(n, n.saturating_sub(2));
    }
    let mut files: Vec<(String, Table)> = world.files.into_iter().collect();
    // By the day in the name, then by kind: the order in which they would arrive.
    files.sort_by_key(|(path, _)| {
        path.split_once('/')
            .map(|(kind, day)| (day.to_owned(), kind.to_owned()))
    });
    files
}

struct World {
    random: ChaCha8Rng,
    files: BTreeMap<String, Table>,
    orders: Vec<(String, NaiveDateTime, String)>,
    number: u32,
}

/// How a device's user writes e-mails: the shop and the tracker differ in case.
pub(super) fn email(person: usize) -> String {
    format!("p{person}@example.com")
}

impl World {
    fn id(&mut self, prefix: &str) -> String {
        self.number += 1;
        format!("{prefix}{}", self.number)
    }

    fn file(&mut self, kind: &str, n: u64) -> &mut Table {
        let path = format!("{kind}/{}.csv", day(n));
        self.files.entry(path).or_insert_with(|| empty(kind))
    }

    fn reference(&mut self) {
        let products = self.file("products", 0);
        products.row(["1", "Lamp", "home", "10.00"]);
        products.row(["2", "Desk", "office", "99.50"]);
        let campaigns = self.file("campaigns", 0);
        campaigns.row(["google_ads", "11", "Brand EU", "on"]);
        campaigns.row(["meta_ads", "22", "Spring", "on"]);
        let links = self.file("links", 3);
        links.row(["user", "u1", "user", "u2", "2026-03-29 12:00:00"]);
    }

    /// Visits of a day with what they lead to.
    fn web(&mut self, n: u64) {
        for device in 0..14_usize {
            for _ in 0..self.random.random_range(0..=2) {
                self.visit(n, device);
            }
        }
        if self.random.random_bool(0.4) {
            self.marathon(n);
        }
        let (at, person) = (day(n), self.random.random_range(0..10));
        let id = self.id("m");
        let mails = self.file("mails", n);
        mails.row([
            &id,
            &format!("{at} 07:00:00"),
            "click",
            &email(person),
            "News",
        ]);
    }

    /// One visit: some events, some of them late in the evening.
    fn visit(&mut self, n: u64, device: usize) {
        let minute = match self.random.random_range(0..5) {
            0 => self.random.random_range(1400..1440),
            1 => self.random.random_range(0..20),
            _ => self.random.random_range(0..1440),
        };
        let mut at = day(n).and_hms_opt(0, 0, 0).unwrap() + TimeDelta::minutes(minute);
        let native = match device % 3 {
            0 => String::new(),
            1 => format!("s{}", at.and_utc().timestamp()),
            // A tracker that keeps its session for as long as the browser is open.
            _ => format!("long{}", n / 4),
        };
        let events = self.random.random_range(1..=4);
        for index in 0..events {
            self.event(n, device, at, &native, index);
            at += TimeDelta::minutes(*[1, 5, 29, 30, 31].choose(&mut self.random).unwrap());
            if at.date() > day(n) && self.random.random_bool(0.5) {
                break;
            }
        }
    }

    /// A device that never rests, for more than a day.
    fn marathon(&mut self, n: u64) {
        let start = self.random.random_range(0..1440);
        let mut at = day(n).and_hms_opt(0, 0, 0).unwrap() + TimeDelta::minutes(start);
        let native = if self.random.random_bool(0.5) {
            ""
        } else {
            "marathon"
        };
        for _ in 0..self.random.random_range(60..150) {
            self.event(n, 20, at, native, 1);
            at += TimeDelta::minutes(self.random.random_range(10..=30));
        }
    }

    fn event(&mut self, n: u64, device: usize, at: NaiveDateTime, native: &str, index: i32) {
        // Devices 10 to 13 are second devices; now and then somebody else logs in.
        let mut person = device % 10;
        if self.random.random_bool(0.03) {
            person = self.random.random_range(0..10);
        }
        let url = match (index, self.random.random_range(0..6)) {
            (0, 0) => {
                "https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=Brand+EU"
            }
            (0, 1) => {
                "https://shop.example/l?utm_source=facebook&utm_medium=paid&utm_campaign=Spring"
            }
            (0, 2) => "https://shop.example/?gclid=Cj0KCQ",
            _ => "https://shop.example/p",
        };
        let referrer = match self.random.random_range(0..4) {
            0 if index == 0 => "https://www.google.com/",
            _ => "",
        };
        let (id, at_text) = (self.id("e"), at.to_string());
        let knows = self.random.random_range(0..8);
        let user = if knows == 0 {
            format!("u{person}")
        } else {
            String::new()
        };
        let mail = if knows == 1 {
            email(person)
        } else {
            String::new()
        };
        let (mut name, mut order, mut revenue) = ("page_view", String::new(), String::new());
        match self.random.random_range(0..12) {
            0 => {
                name = "purchase";
                order = self.id("o");
                revenue = format!("{}.00", self.random.random_range(5..200));
                self.order(n, at, &order, &revenue, person, device);
            }
            1 => name = "generate_lead",
            2 => name = "add_to_cart",
            _ => {}
        }
        let currency = if person < 3 { "USD" } else { "EUR" };
        let country = ["Germany", "France", ""][person % 3];
        let device = format!("d{device}");
        self.file("web", n).row([
            &id, &at_text, name, &device, &user, &mail, native, url, referrer, &order, &revenue,
            currency, country,
        ]);
    }

    fn order(
        &mut self,
        n: u64,
        at: NaiveDateTime,
        id: &str,
        amount: &str,
        person: usize,
        device: usize,
    ) {
        let currency = if person < 3 { "USD" } else { "EUR" };
        let at_text = at.to_string();
        let mail = if self.random.random_bool(0.7) {
            email(person)
        } else {
            String::new()
        };
        let buyer = if self.random.random_bool(0.5) {
            format!("b{person}")
        } else {
            String::new()
        };
        let device = if self.random.random_bool(0.3) {
            format!("d{device}")
        } else {
            String::new()
        };
        let cancelled = if self.random.random_bool(0.1) {
            "true"
        } else {
            "false"
        };
        self.file("orders", n).row([
            id, &at_text, &buyer, &mail, &device, amount, "0.50", currency, cancelled, "Germany",
        ]);
        let product = self.random.random_range(1..=3).to_string();
        self.file("lines", n)
            .row([id, "1", &at_text, &product, "1", amount, currency]);
        self.orders.push((id.to_owned(), at, currency.to_owned()));
        if self.random.random_bool(0.3) {
            let (order, sold, currency) = self.orders.choose(&mut self.random).unwrap().clone();
            let refunded = sold + TimeDelta::hours(self.random.random_range(1..72));
            let id = self.id("r");
            self.file("refunds", n)
                .row([&id, &order, &refunded.to_string(), "1.00", &currency]);
        }
    }

    fn crm(&mut self, n: u64) {
        for _ in 0..self.random.random_range(0..=2) {
            let person = self.random.random_range(0..10_usize);
            let changed = format!("{} 0{}:15:00", day(n), self.random.random_range(0..9));
            let device = match self.random.random_range(0..3) {
                0 => format!("d{person}"),
                1 => format!("d{}", self.random.random_range(0..14)),
                _ => String::new(),
            };
            let contact = format!("c{}", person % 7);
            self.file("contacts", n).row([
                &contact,
                "2026-03-01 00:00:00",
                &email(person),
                &device,
                "",
                "Germany",
                &changed,
            ]);
            let deal = format!("deal{}", self.random.random_range(0..4));
            let won = if self.random.random_bool(0.5) {
                "true"
            } else {
                "false"
            };
            let closed = if won == "true" { changed.as_str() } else { "" };
            let order = match self.orders.choose(&mut self.random) {
                Some((id, _, _)) if person < 4 => id.clone(),
                _ => String::new(),
            };
            self.file("deals", n).row([
                &deal,
                "2026-03-20 10:00:00",
                closed,
                "s",
                "500",
                "EUR",
                won,
                &order,
                &changed,
            ]);
        }
    }

    /// The report of day `n`, which states the days since `from` again.
    fn ads(&mut self, n: u64, from: u64) {
        for stated in from..=n {
            for (platform, campaign) in [("google_ads", "11"), ("meta_ads", "22")] {
                let clicks = self.random.random_range(1..50).to_string();
                let spend = format!("{}.250000", self.random.random_range(1..90));
                let date = day(stated).to_string();
                self.file("ads", n)
                    .row([&date, platform, campaign, &clicks, "1000", &spend, "USD"]);
            }
        }
        let rate = format!("0.{}", self.random.random_range(80..99));
        let date = day(n).to_string();
        self.file("rates", n).row([&date, &rate]);
    }
}
