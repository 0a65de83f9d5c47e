//! What the world is made of: units, people, devices, sessions, orders, contacts, deals.
//!
//! A unit is the smallest closed piece of the world (one person, a family, a company, a bot). It is
//! a pure function of the seed and its index, so it is made again wherever it is needed.

use super::world::{MARKETS, Market};

/// What a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnitKind {
    Single,
    /// Two people who share a tablet.
    Family,
    /// People of one company.
    Company,
    /// A crawler or a headless browser.
    Bot,
}

/// A closed piece of the world.
pub(crate) struct Unit {
    pub(crate) index: u32,
    pub(crate) kind: UnitKind,
    pub(crate) people: Vec<Person>,
    pub(crate) devices: Vec<Device>,
    /// In the order they were lived.
    pub(crate) sessions: Vec<Session>,
    pub(crate) orders: Vec<Order>,
    pub(crate) contacts: Vec<Contact>,
    pub(crate) company: Option<Company>,
    pub(crate) deals: Vec<Deal>,
}

/// A person.
pub(crate) struct Person {
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
    pub(crate) email: String,
    /// A second address, private or at work.
    pub(crate) second_email: Option<String>,
    pub(crate) phone: String,
    pub(crate) market: usize,
    pub(crate) city: usize,
    /// When the person opened an account on the site.
    pub(crate) registered_at: Option<i64>,
    /// Gets the newsletter.
    pub(crate) is_subscriber: bool,
    /// Refuses consent: GA4 sees nothing or a ping without a cookie.
    pub(crate) refuses: bool,
}

impl Person {
    /// The market the person lives in.
    pub(crate) fn market(&self) -> &'static Market {
        &MARKETS[self.market]
    }

    /// City, region, code of the region, postal code.
    pub(crate) fn city(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        let cities = self.market().cities;
        cities[self.city.min(cities.len() - 1)]
    }
}

/// A browser on a machine, as a cookie knows it: a new cookie is a new device.
#[derive(Clone)]
pub(crate) struct Device {
    /// The cookie: GA4's user_pseudo_id.
    pub(crate) client: String,
    pub(crate) category: &'static str,
    pub(crate) brand: &'static str,
    pub(crate) model: &'static str,
    pub(crate) system: &'static str,
    pub(crate) system_version: &'static str,
    pub(crate) browser: &'static str,
    pub(crate) browser_version: &'static str,
    /// How far its clock is ahead, in microseconds.
    pub(crate) skew: i64,
    pub(crate) is_shared: bool,
    /// Start of its first session, and where that came from.
    pub(crate) first: Option<(i64, Origin)>,
    pub(crate) session_count: u32,
    /// When its last session ended.
    pub(crate) busy_until: i64,
    /// User agent of a bot.
    pub(crate) user_agent: &'static str,
}

/// Where a session came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An ad, by its index.
    Ad(u16),
    /// A search engine.
    Search(u8),
    /// A social network, unpaid.
    Social(u8),
    Newsletter(u8),
    Referral(u8),
    Partner(u8),
    Assistant(u8),
    Direct,
}

/// Whether GA4 saw a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// With its cookie.
    Seen,
    /// Without cookie and session id, for lack of consent.
    Cookieless,
    /// Not at all.
    Hidden,
}

/// A visit.
pub(crate) struct Session {
    pub(crate) person: u8,
    pub(crate) device: u8,
    pub(crate) origin: Origin,
    pub(crate) start: i64,
    /// Count of sessions of the device.
    pub(crate) number: u32,
    pub(crate) visibility: Visibility,
    pub(crate) events: Vec<Event>,
    /// From this event on the person is logged in.
    pub(crate) user_from: Option<u16>,
    /// Value that the site wrongly sends as user id.
    pub(crate) false_user: Option<&'static str>,
    /// Its link carries a click id.
    pub(crate) has_click_id: bool,
    /// Its link carries utm parameters.
    pub(crate) has_utm: bool,
    /// The ad platform left its placeholders in the link.
    pub(crate) has_macro: bool,
    /// A payment provider or the own site stands as referrer of the landing.
    pub(crate) self_referral: Option<&'static str>,
    /// Delivered so many days late.
    pub(crate) late_days: u8,
    /// This event is delivered again: so many days after the session.
    pub(crate) duplicate: Option<(u16, u8)>,
}

impl Session {
    /// GA4's session id: the second of the start.
    pub(crate) fn id(&self) -> i64 {
        self.start / super::calendar::SECOND
    }
}

/// Something that happened in a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) at: i64,
    pub(crate) kind: EventKind,
    pub(crate) page: Page,
    /// Time of engagement it reports, in milliseconds; 0 where it reports none.
    pub(crate) engagement: u32,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    SessionStart,
    FirstVisit,
    PageView,
    Scroll,
    UserEngagement,
    ViewItemList(u8),
    ViewItem(u16),
    AddToCart(u16),
    ViewCart,
    BeginCheckout,
    AddPaymentInfo,
    /// By the index of the order in its unit; true where it is fired a second time.
    Purchase(u8, bool),
    FormStart,
    /// By the index of the contact in its unit.
    GenerateLead(u8),
    SignUp,
    Login,
}

/// A page of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Home,
    Collection(u8),
    Product(u16),
    Cart,
    Checkout,
    Thanks(u8),
    Business,
    Quote,
    QuoteThanks,
    Article(u8),
    Account,
}

/// An order of the shop.
pub(crate) struct Order {
    pub(crate) person: u8,
    /// The session it was placed in; none for one that sales entered.
    pub(crate) session: Option<u16>,
    pub(crate) placed_at: i64,
    pub(crate) lines: Vec<Line>,
    pub(crate) discount: i64,
    pub(crate) coupon: Option<&'static str>,
    pub(crate) shipping: i64,
    pub(crate) tax: i64,
    /// What the customer pays.
    pub(crate) gross: i64,
    /// The e-mail as the customer typed it.
    pub(crate) email: String,
    /// The cookie and the session are kept on the order.
    pub(crate) keeps_client: bool,
    pub(crate) is_test: bool,
    pub(crate) fulfilled_at: Option<i64>,
    pub(crate) cancelled_at: Option<i64>,
    pub(crate) refund: Option<Refund>,
    /// The currency its first version is delivered with by mistake.
    pub(crate) slipped_currency: Option<&'static str>,
    /// The deal that records the same sale.
    pub(crate) deal: Option<u8>,
}

/// A line of an order.
pub(crate) struct Line {
    pub(crate) product: usize,
    pub(crate) variant: usize,
    pub(crate) quantity: i64,
    /// Price of one, in cents.
    pub(crate) price: i64,
    /// Part of the order's discount.
    pub(crate) discount: i64,
    /// Part of the order's tax.
    pub(crate) tax: i64,
}

/// Money given back.
pub(crate) struct Refund {
    pub(crate) at: i64,
    /// Index of the line, and how many of it.
    pub(crate) line: usize,
    pub(crate) quantity: i64,
    /// Amount with tax, in cents.
    pub(crate) amount: i64,
    /// Tax within it.
    pub(crate) tax: i64,
    pub(crate) reason: &'static str,
}

/// A contact of the CRM.
pub(crate) struct Contact {
    pub(crate) person: u8,
    pub(crate) id: u64,
    pub(crate) created_at: i64,
    /// The e-mail as the CRM has it.
    pub(crate) email: String,
    pub(crate) origin: Origin,
    pub(crate) client: Option<String>,
    pub(crate) cookie: Option<String>,
    pub(crate) gclid: Option<String>,
    pub(crate) user_id: Option<String>,
    /// Lifecycle stages, from when.
    pub(crate) stages: Vec<(i64, &'static str)>,
    /// When it was merged into another contact.
    pub(crate) merged: Option<(i64, u64)>,
    /// The contacts merged into it.
    pub(crate) absorbed: Option<(i64, u64)>,
}

/// A company of the CRM.
pub(crate) struct Company {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) industry: &'static str,
    pub(crate) employees: i64,
    pub(crate) owner: usize,
    pub(crate) created_at: i64,
}

/// A deal of the CRM.
pub(crate) struct Deal {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// Contacts by their index in the unit; the first is the primary one.
    pub(crate) contacts: Vec<u8>,
    /// Amount in cents of the market's currency.
    pub(crate) amount: i64,
    pub(crate) created_at: i64,
    /// Index of the stage in [`super::company::STAGES`], and when it was entered.
    pub(crate) stages: Vec<(i64, usize)>,
    /// The order of the shop that records the same sale.
    pub(crate) order: Option<u8>,
}

impl Unit {
    /// Name of a person in `truth/`.
    pub(crate) fn person_id(&self, person: usize) -> String {
        let kind = match self.kind {
            UnitKind::Company => 'b',
            UnitKind::Bot => 'x',
            UnitKind::Single | UnitKind::Family => 'c',
        };
        format!("{kind}{:07}-{person}", self.index)
    }

    /// User id of a person on the site.
    pub(crate) fn user_id(&self, person: usize) -> String {
        format!("U{}", 1_000_000 + u64::from(self.index) * 4 + person as u64)
    }

    /// Id of a person as a customer of the shop.
    pub(crate) fn customer_id(&self, person: usize) -> u64 {
        7_120_000_000_000 + u64::from(self.index) * 32_768 + person as u64
    }

    /// Name of a sale in `truth/` that an order records.
    pub(crate) fn order_sale_id(&self, order: usize) -> String {
        format!("s{:07}-o{order}", self.index)
    }

    /// Name of a sale in `truth/` that only a deal records.
    pub(crate) fn deal_sale_id(&self, deal: usize) -> String {
        format!("s{:07}-d{deal}", self.index)
    }
}

impl Order {
    /// When the shop changed the order, the placing first.
    pub(crate) fn versions(&self) -> Vec<i64> {
        let mut all = vec![self.placed_at];
        all.extend(self.fulfilled_at);
        all.extend(self.cancelled_at);
        all.extend(self.refund.as_ref().map(|refund| refund.at));
        all.sort_unstable();
        all
    }
}

impl Deal {
    /// When it was won.
    pub(crate) fn won_at(&self) -> Option<i64> {
        self.stages
            .last()
            .filter(|(_, stage)| *stage == super::company::WON)
            .map(|(at, _)| *at)
    }
}
