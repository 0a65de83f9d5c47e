//! Lives through the visits that a unit planned, in the order of time.
//!
//! Each visit becomes a session with its events. On the way people open accounts, log in, buy, fill
//! in forms; devices lose their cookies; the site and the network make their small mistakes.

use super::calendar::{HOUR, MINUTE, SECOND};
use super::model::{Device, Event, EventKind, Origin, Page, Session, Unit, UnitKind, Visibility};
use super::random::{Dice, Purpose};
use super::units::{Draft, Intent};
use super::world::{ARTICLES, PAYMENT_REFERRERS, World};

/// A pause that ends a session, with a margin.
const PAUSE: i64 = 31 * MINUTE;

/// Turns the drafts, which stand in the order of time, into sessions.
pub(crate) fn live(world: &World, dice: &mut Dice, unit: &mut Unit, drafts: &[Draft]) {
    // A device that loses its cookie goes on as a new one.
    let mut current: Vec<usize> = (0..unit.devices.len()).collect();
    for (ordinal, draft) in drafts.iter().enumerate() {
        let mut device = current[draft.device];
        let is_apple = unit.devices[device].browser == "Safari";
        if is_apple && unit.devices[device].session_count > 0 && dice.chance(0.07) {
            let fresh = Device {
                client: super::units::new_client(dice),
                first: None,
                session_count: 0,
                ..unit.devices[device].clone()
            };
            unit.devices.push(fresh);
            device = unit.devices.len() - 1;
            current[draft.device] = device;
        }
        let start = draft
            .start
            .max(unit.devices[device].busy_until.saturating_add(PAUSE));
        if start < world.calendar.begin() || start > world.calendar.end() - 3 * HOUR {
            continue;
        }
        let draft = Draft {
            device,
            start,
            ..*draft
        };
        let parts = [u64::from(unit.index), ordinal as u64];
        let mut dice = Dice::new(world.seed, Purpose::Session, &parts);
        visit(world, &mut dice, unit, draft);
    }
}

fn visit(world: &World, dice: &mut Dice, unit: &mut Unit, draft: Draft) {
    let Draft {
        person,
        device,
        start,
        origin,
        intent,
    } = draft;
    let visibility = match unit.people[person].refuses {
        true if dice.chance(0.25) => Visibility::Cookieless,
        true => Visibility::Hidden,
        false => Visibility::Seen,
    };
    let machine = &mut unit.devices[device];
    machine.session_count += 1;
    let number = machine.session_count;
    if machine.first.is_none() {
        machine.first = Some((start, origin));
        machine.client = format!("{}.{}", machine.client, start / SECOND);
    }
    let session = Session {
        person: person as u8,
        device: device as u8,
        origin,
        start,
        number,
        visibility,
        events: Vec::with_capacity(12),
        user_from: None,
        false_user: None,
        has_click_id: true,
        has_utm: true,
        has_macro: false,
        self_referral: None,
        late_days: 0,
        duplicate: None,
    };
    let mut walk = Walk {
        world,
        unit,
        dice,
        session,
        at: start,
        order_placed: None,
    };
    walk.choose_link();
    walk.arrive(intent);
    walk.wander(intent);
    walk.plant();
    walk.leave();
}

/// A session in the making.
struct Walk<'a> {
    world: &'a World,
    unit: &'a mut Unit,
    dice: &'a mut Dice,
    session: Session,
    at: i64,
    /// Index of the event of the purchase.
    order_placed: Option<usize>,
}

impl Walk<'_> {
    fn person(&self) -> usize {
        usize::from(self.session.person)
    }

    fn event(&mut self, kind: EventKind, page: Page, engagement: u32) {
        self.session.events.push(Event {
            at: self.at,
            kind,
            page,
            engagement,
        });
    }

    fn pause(&mut self, low_seconds: i64, high_seconds: i64) -> u32 {
        let pause = self
            .dice
            .between(low_seconds * SECOND, high_seconds * SECOND);
        self.at += pause;
        (pause / 1000) as u32
    }

    /// What the link shows: a click id, utm parameters, both.
    fn choose_link(&mut self) {
        use super::campaigns::Platform;
        let session = &mut self.session;
        match session.origin {
            Origin::Ad(index) => {
                let ad = &self.world.ads.ads[usize::from(index)];
                let campaign = self.world.ads.campaign_of(ad);
                let (click, utm) = match campaign.platform {
                    Platform::Google => (0.97, 0.25),
                    Platform::Meta => (0.88, 1.0),
                    Platform::LinkedIn => (0.8, 1.0),
                };
                session.has_click_id = self.dice.chance(click);
                session.has_utm = self.dice.chance(utm) || !session.has_click_id;
                session.has_macro = session.has_utm && self.dice.chance(0.02);
            }
            Origin::Newsletter(_) | Origin::Partner(_) => session.has_click_id = false,
            Origin::Assistant(_) => {
                session.has_click_id = false;
                session.has_utm = self.dice.chance(0.6);
            }
            _ => {
                session.has_click_id = false;
                session.has_utm = false;
            }
        }
    }

    fn landing(&mut self, intent: Intent) -> Page {
        use super::campaigns::Landing;
        let at_random = Page::Product(self.dice.below(self.world.products.len()) as u16);
        match self.session.origin {
            Origin::Ad(index) => match self.world.ads.ads[usize::from(index)].landing {
                Landing::Home if self.dice.chance(0.5) => at_random,
                Landing::Home => Page::Home,
                Landing::Category(category) => Page::Collection(category),
                Landing::Business => Page::Business,
            },
            _ if matches!(intent, Intent::Lead | Intent::Business) => Page::Business,
            Origin::Search(_) | Origin::Referral(_) | Origin::Assistant(_) => {
                match self.dice.below(4) {
                    0 => Page::Article(self.dice.below(ARTICLES.len()) as u8),
                    1 => Page::Collection(self.dice.below(6) as u8),
                    _ => at_random,
                }
            }
            Origin::Newsletter(_) | Origin::Social(_) => at_random,
            Origin::Direct | Origin::Partner(_) => Page::Home,
        }
    }

    fn arrive(&mut self, intent: Intent) {
        let page = self.landing(intent);
        if self.session.number == 1 {
            self.event(EventKind::FirstVisit, page, 0);
        }
        self.event(EventKind::SessionStart, page, 0);
        self.event(EventKind::PageView, page, 0);
        self.detail(page);
        let person = &self.unit.people[self.person()];
        let is_registered = person
            .registered_at
            .is_some_and(|at| at < self.session.start);
        let must = self.unit.devices[usize::from(self.session.device)].is_shared;
        if is_registered && (must || self.dice.chance(0.55)) {
            // Remembered from the last time, or logged in now.
            let from = if self.dice.chance(0.6) {
                0
            } else {
                self.pause(4, 20);
                self.event(EventKind::PageView, Page::Account, 1200);
                self.event(EventKind::Login, Page::Account, 0);
                self.session.events.len() - 1
            };
            self.session.user_from = Some(from as u16);
        }
    }

    /// What a page reports beside its view.
    fn detail(&mut self, page: Page) {
        match page {
            Page::Product(product) => self.event(EventKind::ViewItem(product), page, 0),
            Page::Collection(category) => self.event(EventKind::ViewItemList(category), page, 0),
            _ => {}
        }
    }

    fn read(&mut self, page: Page) {
        if self.dice.chance(0.45) {
            let msec = self.pause(5, 40);
            self.event(EventKind::Scroll, page, msec);
        }
        let msec = self.pause(6, 80);
        if self.dice.chance(0.5) {
            self.event(EventKind::UserEngagement, page, msec);
        }
    }

    fn go(&mut self, page: Page) {
        self.event(EventKind::PageView, page, 0);
        self.detail(page);
        self.read(page);
    }

    fn current(&self) -> Page {
        self.session
            .events
            .last()
            .map_or(Page::Home, |event| event.page)
    }

    fn product(&mut self) -> u16 {
        self.dice.below(self.world.products.len()) as u16
    }

    fn wander(&mut self, intent: Intent) {
        let landed = self.current();
        match intent {
            Intent::Bounce => {
                if self.dice.chance(0.35) {
                    self.pause(8, 30);
                    self.event(EventKind::UserEngagement, landed, 2400);
                }
                return;
            }
            Intent::Crawl => {
                for _ in 0..25 + self.dice.below(50) {
                    self.at += self.dice.between(SECOND / 4, 2 * SECOND);
                    let page = Page::Product(self.product());
                    self.event(EventKind::PageView, page, 0);
                }
                return;
            }
            _ => self.read(landed),
        }
        match intent {
            Intent::Lead | Intent::Business => self.look_for_the_company(intent),
            Intent::SignUp => {
                self.browse(1);
                self.sign_up();
            }
            Intent::Cart | Intent::Checkout | Intent::Buy => {
                self.browse(2);
                self.shop(intent);
            }
            _ => {
                let pages = 1 + self.dice.below(5);
                self.browse(pages);
            }
        }
    }

    fn browse(&mut self, pages: usize) {
        for _ in 0..pages {
            let page = match self.dice.below(8) {
                0 => Page::Home,
                1 | 2 => Page::Collection(self.dice.below(6) as u8),
                3 => Page::Article(self.dice.below(ARTICLES.len()) as u8),
                _ => Page::Product(self.product()),
            };
            self.go(page);
        }
    }

    fn look_for_the_company(&mut self, intent: Intent) {
        self.go(Page::Business);
        for _ in 0..self.dice.below(3) {
            let page = if self.dice.chance(0.4) {
                Page::Article(if self.dice.chance(0.5) { 3 } else { 7 })
            } else {
                Page::Product(19 + self.dice.below(12) as u16)
            };
            self.go(page);
        }
        if intent == Intent::Lead {
            self.event(EventKind::PageView, Page::Quote, 0);
            self.event(EventKind::FormStart, Page::Quote, 0);
            let msec = self.pause(30, 200);
            let person = self.person();
            let contact = super::company::ask_for_a_quote(
                self.dice,
                self.unit,
                person,
                &self.session,
                self.at,
            );
            self.event(EventKind::PageView, Page::QuoteThanks, msec);
            if let Some(contact) = contact {
                self.event(EventKind::GenerateLead(contact), Page::QuoteThanks, 0);
            }
            self.pause(5, 20);
        }
    }

    fn sign_up(&mut self) {
        let person = self.person();
        if self.unit.people[person].registered_at.is_some() {
            return;
        }
        self.event(EventKind::PageView, Page::Account, 0);
        let msec = self.pause(20, 90);
        self.unit.people[person].registered_at = Some(self.at);
        self.event(EventKind::SignUp, Page::Account, msec);
        self.session.user_from = Some((self.session.events.len() - 1) as u16);
        super::company::subscribe(self.dice, self.unit, person, &self.session, self.at);
        self.pause(2, 10);
    }

    fn shop(&mut self, intent: Intent) {
        let lines = 1 + self.dice.weighted(&[70.0, 22.0, 8.0]);
        let mut basket = Vec::with_capacity(lines);
        for _ in 0..lines {
            let product = self.product();
            if basket.contains(&product) {
                continue;
            }
            basket.push(product);
            self.go(Page::Product(product));
            self.event(EventKind::AddToCart(product), Page::Product(product), 0);
            self.pause(3, 20);
        }
        self.event(EventKind::PageView, Page::Cart, 0);
        self.event(EventKind::ViewCart, Page::Cart, 0);
        self.pause(5, 60);
        if intent == Intent::Cart {
            return;
        }
        if intent == Intent::Buy && self.dice.chance(0.35) {
            self.sign_up();
        }
        self.event(EventKind::PageView, Page::Checkout, 0);
        self.event(EventKind::BeginCheckout, Page::Checkout, 0);
        self.pause(30, 150);
        if intent == Intent::Checkout {
            return;
        }
        self.event(EventKind::AddPaymentInfo, Page::Checkout, 900);
        self.pause(20, 120);
        let person = self.person();
        let order = super::commerce::place(
            self.world,
            self.dice,
            self.unit,
            person,
            &self.session,
            &basket,
            self.at,
        );
        // The shop's own clock is a moment ahead of the page that thanks.
        self.at += self.dice.between(SECOND, 3 * SECOND);
        self.order_placed = Some(self.session.events.len());
        self.event(EventKind::PageView, Page::Thanks(order), 0);
        self.event(EventKind::Purchase(order, false), Page::Thanks(order), 0);
        self.pause(4, 25);
        if self.dice.chance(0.04) {
            // The page of thanks is loaded again and reports the purchase again.
            self.pause(20, 500);
            self.event(EventKind::PageView, Page::Thanks(order), 0);
            self.event(EventKind::Purchase(order, true), Page::Thanks(order), 0);
        }
        super::company::note_customer(
            self.world,
            self.dice,
            self.unit,
            person,
            &self.session,
            self.at,
        );
    }

    /// Small mistakes of the site and of the network.
    fn plant(&mut self) {
        if self.unit.kind == UnitKind::Bot || self.session.visibility != Visibility::Seen {
            return;
        }
        let day = self.world.calendar.index(self.session.start);
        let left = self.world.calendar.days - 1 - day;
        if self.dice.chance(0.006) && left > 0 {
            self.session.late_days = (1 + self.dice.below(2)).min(left) as u8;
        }
        if self.dice.chance(0.008) && left > 2 {
            let event = self.dice.below(self.session.events.len()) as u16;
            self.session.duplicate = Some((event, self.dice.below(2) as u8));
        }
        let wrong = if self.session.user_from.is_some() {
            0.015
        } else {
            0.004
        };
        if self.dice.chance(wrong) {
            self.session.false_user = Some(["0", "null", "undefined"][self.dice.below(3)]);
            self.session.user_from = Some(0);
        }
        if self.session.origin == Origin::Direct && self.dice.chance(0.01) {
            self.session.self_referral = Some(SITE_AS_REFERRER);
        }
    }

    fn leave(mut self) {
        let device = usize::from(self.session.device);
        let split = self.order_placed.filter(|_| {
            self.session.visibility == Visibility::Seen
                && self.session.duplicate.is_none()
                && self.session.late_days == 0
                && self.dice.chance(0.05)
        });
        let second = split.map(|from| self.split_at_payment(from));
        self.unit.devices[device].busy_until = self.at;
        let index = self.unit.sessions.len() as u16;
        let order_session = if second.is_some() { index + 1 } else { index };
        if self.order_placed.is_some()
            && let Some(order) = self.unit.orders.last_mut()
        {
            order.session = Some(order_session);
        }
        self.unit.sessions.push(self.session);
        self.unit.sessions.extend(second);
    }

    /// The payment provider's page took so long that its return opens a session of its own.
    fn split_at_payment(&mut self, from: usize) -> Session {
        let mut events: Vec<Event> = self.session.events.drain(from..).collect();
        let wait = 35 * MINUTE;
        for event in &mut events {
            event.at += wait;
        }
        self.at += wait;
        let start = events.first().map_or(self.at, |event| event.at);
        if let Some(order) = self.unit.orders.last_mut() {
            order.placed_at += wait;
        }
        let page = events.first().map_or(Page::Home, |event| event.page);
        events.insert(
            0,
            Event {
                at: start,
                kind: EventKind::SessionStart,
                page,
                engagement: 0,
            },
        );
        let machine = &mut self.unit.devices[usize::from(self.session.device)];
        machine.session_count += 1;
        let number = machine.session_count;
        let logged_in = self.session.user_from;
        Session {
            origin: Origin::Direct,
            start,
            number,
            events,
            user_from: logged_in.map(|_| 0),
            has_click_id: false,
            has_utm: false,
            has_macro: false,
            self_referral: Some(PAYMENT_REFERRERS[self.dice.below(2)]),
            late_days: 0,
            duplicate: None,
            ..self.session
        }
    }
}

/// The own site as a referrer of a landing.
const SITE_AS_REFERRER: &str = "https://www.larkfield.example/checkout";
