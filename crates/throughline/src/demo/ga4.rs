//! The website's events as Google Analytics 4 exports them to BigQuery, one file a day.
//!
//! As in the real export: whole numbers are text, nulls are left out, `event_date` is the day in
//! the property's zone while `event_timestamp` is UTC in microseconds, `traffic_source` is the
//! user's first source and not the session's. A late session stands in the file of a later day.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::calendar::SECOND;
use super::catalogue::{CATEGORIES, cents};
use super::files::{self, Defect};
use super::model::{Device, Event, EventKind, Page, Session, Unit, Visibility};
use super::origins::{Arrival, arrival, true_source};
use super::plan::Plan;
use super::random::{Purpose, mix};
use super::world::{ARTICLES, HOST, PAYMENT_REFERRERS, SITE, STREAM_ID, VENDOR, World};

/// One line in so many is followed by a malformed one.
const MALFORMED_EVERY: u64 = 3_000;

/// Index of the day in whose file an event is delivered.
pub(crate) fn delivery_day(world: &World, session: &Session, event: &Event) -> usize {
    let day = world.calendar.index(event.at) + usize::from(session.late_days);
    day.min(world.calendar.days - 1)
}

/// Path of a day's file below the output folder.
pub(crate) fn file_name(world: &World, day: usize) -> String {
    format!(
        "ga4/events_{}.ndjson.gz",
        world.calendar.day(day).format("%Y%m%d")
    )
}

/// SHA-256 of a normalised e-mail, in hexadecimal.
pub(crate) fn email_hash(email: &str) -> String {
    hex::encode(Sha256::digest(email.trim().to_lowercase().as_bytes()))
}

/// Writes the file of a day; gives its number of lines and what was planted in it.
pub(crate) fn write_day(
    world: &World,
    plan: &Plan,
    out: &Path,
    day: usize,
) -> anyhow::Result<(u64, Vec<Defect>)> {
    let name = file_name(world, day);
    let path = out.join(&name);
    let mut file = files::create_gzip(&path)?;
    let mut lines = 0u64;
    let mut defects = Vec::new();
    let mut text = String::with_capacity(1 << 16);
    let mut unit = None::<Unit>;
    for reference in &plan.session_days[day] {
        if unit
            .as_ref()
            .is_none_or(|unit| unit.index != reference.unit)
        {
            unit = Some(super::units::build(world, reference.unit));
        }
        let Some(unit) = &unit else { continue };
        text.clear();
        let writer = Writer::new(world, plan, unit, usize::from(reference.session));
        let session = &unit.sessions[usize::from(reference.session)];
        for (index, event) in session.events.iter().enumerate() {
            let wanted = if reference.is_duplicate {
                session
                    .duplicate
                    .is_some_and(|(number, _)| usize::from(number) == index)
            } else {
                delivery_day(world, session, event) == day
            };
            if !wanted {
                continue;
            }
            let begin = text.len();
            writer.event(&mut text, index);
            text.push('\n');
            lines += 1;
            let dice = mix(world.seed, &[Purpose::Defect as u64, day as u64, lines]);
            if dice.is_multiple_of(MALFORMED_EVERY) {
                let (line, defect) = malformed(&text[begin..], event, day, dice / MALFORMED_EVERY);
                text.push_str(&line);
                text.push('\n');
                lines += 1;
                defects.push(Defect {
                    kind: "malformed_line",
                    file: name.clone(),
                    place: lines.to_string(),
                    what: defect.to_owned(),
                    expected: "quarantined with a reason",
                });
            }
        }
        file.write_all(text.as_bytes())
            .with_context(|| format!("cannot write the file `{}`", path.display()))?;
    }
    file.finish()
        .and_then(|mut file| file.flush())
        .with_context(|| format!("cannot write the file `{}`", path.display()))?;
    Ok((lines, defects))
}

/// A line that no reader can take, made after the one before it.
fn malformed(line: &str, event: &Event, day: usize, dice: u64) -> (String, &'static str) {
    let client = format!("\"user_pseudo_id\":\"777{day}.{}\"", event.at / SECOND);
    match dice % 4 {
        0 => {
            let mut end = line.len() * 3 / 5;
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            (line[..end].to_owned(), "broken JSON: the line is cut off")
        }
        1 => (
            format!("{{\"event_name\":\"page_view\",\"event_params\":[],{client}}}"),
            "event_timestamp is missing",
        ),
        2 => (
            format!(
                "{{\"event_timestamp\":\"not-a-time\",\"event_name\":\"page_view\",\
                 \"event_params\":[],{client}}}"
            ),
            "event_timestamp is no number",
        ),
        _ => (
            format!(
                "{{\"event_timestamp\":\"{}\",\"event_params\":[],{client}}}",
                event.at
            ),
            "event_name is missing",
        ),
    }
}

/// Appends a JSON string.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn text_param(out: &mut String, key: &str, value: &str) {
    separate(out);
    out.push_str("{\"key\":\"");
    out.push_str(key);
    out.push_str("\",\"value\":{\"string_value\":");
    quote(out, value);
    out.push_str("}}");
}

fn number_param(out: &mut String, key: &str, value: i64) {
    separate(out);
    out.push_str(&format!(
        "{{\"key\":\"{key}\",\"value\":{{\"int_value\":\"{value}\"}}}}"
    ));
}

fn double_param(out: &mut String, key: &str, value: &str) {
    separate(out);
    out.push_str(&format!(
        "{{\"key\":\"{key}\",\"value\":{{\"double_value\":{value}}}}}"
    ));
}

fn separate(out: &mut String) {
    if !out.ends_with('[') {
        out.push(',');
    }
}

/// Address and title of a page.
pub(crate) fn page(world: &World, plan: &Plan, unit: u32, page: Page) -> (String, String) {
    match page {
        Page::Home => (
            format!("{SITE}/"),
            "Larkfield: gear for outside and inside".to_owned(),
        ),
        Page::Collection(index) => {
            let (name, path) = CATEGORIES[usize::from(index)];
            (
                format!("{SITE}/collections/{path}"),
                format!("{name} | Larkfield"),
            )
        }
        Page::Product(index) => {
            let product = &world.products[usize::from(index)];
            let address = format!("{SITE}/products/{}", product.handle);
            (address, format!("{} | Larkfield", product.title))
        }
        Page::Cart => (format!("{SITE}/cart"), "Your basket | Larkfield".to_owned()),
        Page::Checkout => (
            format!("{SITE}/checkout"),
            "Checkout | Larkfield".to_owned(),
        ),
        Page::Thanks(order) => {
            let number = plan.order_number(unit, usize::from(order));
            (
                format!("{SITE}/checkout/thank-you?order={number}"),
                "Thank you | Larkfield".to_owned(),
            )
        }
        Page::Business => (
            format!("{SITE}/business"),
            "Larkfield for business".to_owned(),
        ),
        Page::Quote => (
            format!("{SITE}/business/quote"),
            "Ask for a quote | Larkfield".to_owned(),
        ),
        Page::QuoteThanks => (
            format!("{SITE}/business/quote/thank-you"),
            "We will call you | Larkfield".to_owned(),
        ),
        Page::Article(index) => {
            let (path, title) = ARTICLES[usize::from(index)];
            (
                format!("{SITE}/journal/{path}"),
                format!("{title} | Larkfield"),
            )
        }
        Page::Account => (
            format!("{SITE}/account"),
            "Your account | Larkfield".to_owned(),
        ),
    }
}

/// Writes the events of one session.
struct Writer<'a> {
    world: &'a World,
    plan: &'a Plan,
    unit: &'a Unit,
    session: &'a Session,
    device: &'a Device,
    arrival: Arrival,
    /// Events from the first to the landing's page view.
    landing_events: usize,
    is_engaged: bool,
}

impl<'a> Writer<'a> {
    fn new(world: &'a World, plan: &'a Plan, unit: &'a Unit, index: usize) -> Self {
        let session = &unit.sessions[index];
        let views = session
            .events
            .iter()
            .filter(|event| event.kind == EventKind::PageView)
            .count();
        let last = session
            .events
            .last()
            .map_or(session.start, |event| event.at);
        let landing = session
            .events
            .iter()
            .position(|event| event.kind == EventKind::PageView);
        Self {
            world,
            plan,
            unit,
            session,
            device: &unit.devices[usize::from(session.device)],
            arrival: arrival(world, unit, index),
            landing_events: landing.map_or(0, |index| index + 1),
            is_engaged: views > 1 || last - session.start > 10 * SECOND,
        }
    }

    fn address(&self, page: Page) -> String {
        self::page(self.world, self.plan, self.unit.index, page).0
    }

    /// Address and referrer of the page that an event is on.
    fn place(&self, index: usize) -> (String, String) {
        let is_view = |event: &&Event| event.kind == EventKind::PageView;
        let seen = &self.session.events[..=index];
        let views: Vec<&Event> = seen.iter().filter(is_view).collect();
        let event = &self.session.events[index];
        let mut address = self.address(event.page);
        if views.len() <= 1 {
            if !self.arrival.query.is_empty() {
                address.push(if address.contains('?') { '&' } else { '?' });
                address.push_str(&self.arrival.query);
            }
            return (address, self.arrival.referrer.to_owned());
        }
        if let Page::Thanks(order) = event.page
            && (self.session.start + i64::from(order)) % 3 == 0
        {
            return (address, PAYMENT_REFERRERS[order as usize % 2].to_owned());
        }
        let referrer = self.address(views[views.len() - 2].page);
        (address, referrer)
    }

    fn name(kind: EventKind) -> &'static str {
        match kind {
            EventKind::SessionStart => "session_start",
            EventKind::FirstVisit => "first_visit",
            EventKind::PageView => "page_view",
            EventKind::Scroll => "scroll",
            EventKind::UserEngagement => "user_engagement",
            EventKind::ViewItemList(_) => "view_item_list",
            EventKind::ViewItem(_) => "view_item",
            EventKind::AddToCart(_) => "add_to_cart",
            EventKind::ViewCart => "view_cart",
            EventKind::BeginCheckout => "begin_checkout",
            EventKind::AddPaymentInfo => "add_payment_info",
            EventKind::Purchase(..) => "purchase",
            EventKind::FormStart => "form_start",
            EventKind::GenerateLead(_) => "generate_lead",
            EventKind::SignUp => "sign_up",
            EventKind::Login => "login",
        }
    }

    fn event(&self, out: &mut String, index: usize) {
        let event = &self.session.events[index];
        let day = self
            .world
            .calendar
            .day(self.world.calendar.index(event.at))
            .format("%Y%m%d");
        out.push_str(&format!(
            "{{\"event_date\":\"{day}\",\"event_timestamp\":\"{}\",\"event_name\":\"{}\",\
             \"event_params\":[",
            event.at + self.device.skew,
            Self::name(event.kind)
        ));
        self.params(out, index);
        out.push_str("],");
        self.envelope(out, index);
        let is_lead = matches!(event.kind, EventKind::GenerateLead(_));
        out.push_str("\"user_properties\":[");
        if is_lead && self.session.start % 10 >= 7 {
            text_param(out, "user_data_email_sha256", &self.lead_hash(event));
        }
        out.push_str("],");
        self.surroundings(out);
        self.sources(out, index);
        self.money(out, event);
        out.push('}');
    }

    fn lead_hash(&self, event: &Event) -> String {
        match event.kind {
            EventKind::GenerateLead(contact) => {
                email_hash(&self.unit.contacts[usize::from(contact)].email)
            }
            _ => email_hash(&self.unit.people[usize::from(self.session.person)].email),
        }
    }

    fn params(&self, out: &mut String, index: usize) {
        let event = &self.session.events[index];
        if self.session.visibility == Visibility::Seen {
            number_param(out, "ga_session_id", self.session.id());
            number_param(out, "ga_session_number", i64::from(self.session.number));
        }
        let (address, referrer) = self.place(index);
        text_param(out, "page_location", &address);
        let title = self::page(self.world, self.plan, self.unit.index, event.page).1;
        text_param(out, "page_title", &title);
        if !referrer.is_empty() {
            text_param(out, "page_referrer", &referrer);
        }
        text_param(
            out,
            "session_engaged",
            if self.is_engaged { "1" } else { "0" },
        );
        if event.engagement > 0 {
            number_param(out, "engagement_time_msec", i64::from(event.engagement));
        }
        if event.kind == EventKind::PageView && index + 1 == self.landing_events {
            number_param(out, "entrances", 1);
            self.campaign_params(out);
        }
        if PAYMENT_REFERRERS.contains(&referrer.as_str())
            && event.kind == EventKind::PageView
            && index >= self.landing_events
        {
            text_param(out, "ignore_referrer", "true");
        }
        self.special_params(out, event);
        let user_agent = self.device.user_agent;
        if !user_agent.is_empty() {
            text_param(out, "user_agent", user_agent);
        } else if event.kind == EventKind::SessionStart {
            text_param(out, "user_agent", &user_agent_of(self.device));
        }
    }

    fn campaign_params(&self, out: &mut String) {
        for (name, value) in ["source", "medium", "campaign", "content", "campaign_id"]
            .iter()
            .zip(&self.arrival.utm)
        {
            if !value.is_empty() {
                text_param(out, name, value);
            }
        }
        if let Some(("gclid", value)) = &self.arrival.click_id {
            text_param(out, "gclid", value);
        }
    }

    fn special_params(&self, out: &mut String, event: &Event) {
        let currency = self.unit.people[usize::from(self.session.person)]
            .market()
            .currency;
        match event.kind {
            EventKind::Scroll => number_param(out, "percent_scrolled", 90),
            EventKind::ViewItem(product) | EventKind::AddToCart(product) => {
                text_param(out, "currency", currency);
                double_param(out, "value", &self.price(product));
            }
            EventKind::Purchase(order, _) => {
                text_param(out, "currency", currency);
                let gross = self.unit.orders[usize::from(order)].gross;
                double_param(out, "value", &cents(gross));
                let number = self.plan.order_number(self.unit.index, usize::from(order));
                text_param(out, "transaction_id", &number.to_string());
                if let Some(coupon) = self.unit.orders[usize::from(order)].coupon {
                    text_param(out, "coupon", coupon);
                }
            }
            EventKind::GenerateLead(_) => {
                text_param(out, "form_id", "quote");
                if self.session.start % 10 < 6 {
                    text_param(out, "user_data_email_sha256", &self.lead_hash(event));
                }
            }
            EventKind::SignUp => {
                text_param(out, "method", "email");
                if self.session.start % 10 < 4 {
                    text_param(out, "user_data_email_sha256", &self.lead_hash(event));
                }
            }
            EventKind::Login => text_param(out, "method", "email"),
            EventKind::FormStart => text_param(out, "form_id", "quote"),
            _ => {}
        }
    }

    fn price(&self, product: u16) -> String {
        let market = self.unit.people[usize::from(self.session.person)].market();
        cents(self.world.products[usize::from(product)].price(market))
    }

    /// Who and from which batch.
    fn envelope(&self, out: &mut String, index: usize) {
        let event = &self.session.events[index];
        let parts = [
            u64::from(self.unit.index),
            self.session.start as u64,
            event.at as u64,
        ];
        let bundle = mix(self.world.seed, &parts) >> 34;
        out.push_str(&format!(
            "\"event_bundle_sequence_id\":\"{bundle}\",\"batch_page_id\":\"{}\",\
             \"batch_ordering_id\":\"{}\",\"batch_event_index\":\"{}\",",
            event.at / 1000,
            1 + index / 4,
            1 + index
        ));
        if let Some(false_user) = self.session.false_user {
            out.push_str(&format!("\"user_id\":\"{false_user}\","));
        } else if self
            .session
            .user_from
            .is_some_and(|from| index >= usize::from(from))
        {
            let user = self.unit.user_id(usize::from(self.session.person));
            out.push_str(&format!("\"user_id\":\"{user}\","));
        }
        if self.session.visibility == Visibility::Seen {
            let first = self.device.first.map_or(self.session.start, |(at, _)| at);
            out.push_str(&format!(
                "\"user_pseudo_id\":\"{}\",\"user_first_touch_timestamp\":\"{first}\",\
                 \"privacy_info\":{{\"analytics_storage\":\"Yes\",\"ads_storage\":\"Yes\",\
                 \"uses_transient_token\":\"No\"}},",
                self.device.client
            ));
        } else {
            out.push_str(
                "\"privacy_info\":{\"analytics_storage\":\"No\",\"ads_storage\":\"No\",\
                 \"uses_transient_token\":\"Yes\"},",
            );
        }
    }

    /// Device and place.
    fn surroundings(&self, out: &mut String) {
        let person = &self.unit.people[usize::from(self.session.person)];
        let market = person.market();
        let (city, region, _, _) = person.city();
        let device = self.device;
        out.push_str(&format!(
            "\"device\":{{\"category\":\"{}\"",
            device.category
        ));
        if !device.brand.is_empty() {
            out.push_str(&format!(",\"mobile_brand_name\":\"{}\"", device.brand));
        }
        if !device.model.is_empty() {
            out.push_str(&format!(",\"mobile_model_name\":\"{}\"", device.model));
        }
        out.push_str(&format!(
            ",\"operating_system\":\"{}\",\"operating_system_version\":\"{}\",\"language\":\"{}\",\
             \"is_limited_ad_tracking\":\"No\",\"web_info\":{{\"browser\":\"{}\",\
             \"browser_version\":\"{}\",\"hostname\":\"{HOST}\"}}}},",
            device.system,
            device.system_version,
            market.language,
            device.browser,
            device.browser_version
        ));
        out.push_str(&format!(
            "\"geo\":{{\"continent\":\"{}\",\"sub_continent\":\"{}\",\"country\":\"{}\",\
             \"region\":\"{region}\",\"city\":\"{city}\",\"metro\":\"(not set)\"}},",
            market.continent, market.sub_continent, market.country
        ));
    }

    /// The user's first source, and what was collected on this event.
    fn sources(&self, out: &mut String, index: usize) {
        if self.session.visibility == Visibility::Seen
            && let Some((at, origin)) = self.device.first
        {
            let first = true_source(self.world, origin, at);
            let name = first.campaign.unwrap_or_else(|| format!("({})", "not set"));
            out.push_str("\"traffic_source\":{\"name\":");
            quote(out, &name);
            out.push_str(&format!(",\"medium\":\"{}\",\"source\":", first.medium));
            quote(out, &first.source);
            out.push_str("},");
        }
        let is_tagged = !self.arrival.query.is_empty();
        if index < self.landing_events && is_tagged {
            out.push_str("\"collected_traffic_source\":{");
            let names = [
                "manual_source",
                "manual_medium",
                "manual_campaign_name",
                "manual_content",
                "manual_campaign_id",
            ];
            let mut pairs: Vec<(&str, &str)> = Vec::new();
            for (name, value) in names.iter().zip(&self.arrival.utm) {
                if !value.is_empty() {
                    pairs.push((name, value));
                }
            }
            if let Some(("gclid", value)) = &self.arrival.click_id {
                pairs.push(("gclid", value));
            }
            for (position, (name, value)) in pairs.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                out.push_str(&format!("\"{name}\":"));
                quote(out, value);
            }
            out.push_str("},");
        }
        out.push_str(&format!(
            "\"stream_id\":\"{STREAM_ID}\",\"platform\":\"WEB\",\"is_active_user\":{}",
            self.is_engaged
        ));
    }

    /// The purchase and the items.
    fn money(&self, out: &mut String, event: &Event) {
        match event.kind {
            EventKind::Purchase(index, _) => {
                let order = &self.unit.orders[usize::from(index)];
                let number = self.plan.order_number(self.unit.index, usize::from(index));
                let quantity: i64 = order.lines.iter().map(|line| line.quantity).sum();
                out.push_str(&format!(
                    ",\"ecommerce\":{{\"total_item_quantity\":\"{quantity}\",\
                     \"purchase_revenue\":{},\"shipping_value\":{},\"tax_value\":{},\
                     \"unique_items\":\"{}\",\"transaction_id\":\"{number}\"}},\"items\":[",
                    cents(order.gross),
                    cents(order.shipping),
                    cents(order.tax),
                    order.lines.len()
                ));
                for line in &order.lines {
                    let variant = line.variant;
                    self.item(
                        out,
                        line.product,
                        variant,
                        line.quantity,
                        &cents(line.price),
                    );
                }
                out.push(']');
            }
            EventKind::ViewItem(product) | EventKind::AddToCart(product) => {
                out.push_str(",\"items\":[");
                self.item(out, usize::from(product), 0, 1, &self.price(product));
                out.push(']');
            }
            _ => {}
        }
    }

    fn item(&self, out: &mut String, product: usize, variant: usize, quantity: i64, price: &str) {
        separate(out);
        let product = &self.world.products[product];
        let variant = &product.variants[variant];
        out.push_str(&format!(
            "{{\"item_id\":\"{}\",\"item_name\":\"{}\",\"item_brand\":\"{VENDOR}\",\
             \"item_variant\":\"{}\",\"item_category\":\"{}\",\"price\":{price},\
             \"quantity\":\"{quantity}\"}}",
            variant.sku, product.title, variant.title, product.category
        ));
    }
}

fn user_agent_of(device: &Device) -> String {
    let machine = match device.system {
        "iOS" => format!("{}; CPU OS 18_4 like Mac OS X", device.model),
        "Android" => format!("Linux; Android {}; K", device.system_version),
        "Windows" => "Windows NT 10.0; Win64; x64".to_owned(),
        "Macintosh" => "Macintosh; Intel Mac OS X 10_15_7".to_owned(),
        _ => "X11; Linux x86_64".to_owned(),
    };
    let version = device.browser_version;
    let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
    match device.browser {
        "Safari" => format!(
            "Mozilla/5.0 ({machine}) AppleWebKit/605.1.15 (KHTML, like Gecko) \
             Version/{version} Safari/605.1.15"
        ),
        "Firefox" => {
            format!("Mozilla/5.0 ({machine}; rv:{version}) Gecko/20100101 Firefox/{version}")
        }
        "Edge" => format!(
            "Mozilla/5.0 ({machine}) {webkit} Chrome/{version}.0.0 Safari/537.36 \
             Edg/{version}.0.0"
        ),
        _ => format!("Mozilla/5.0 ({machine}) {webkit} Chrome/{version}.0.0 Safari/537.36"),
    }
}
