//! Makes a unit of the world from the seed and its index: who is in it, and the visits they plan.
//!
//! The plan is a list of drafts; `journeys` walks through it in the order of time and turns each
//! into a session, because what happens (an order, an account, a contact) changes what follows.

use super::calendar::{DAY, HOUR, MINUTE};
use super::model::{Device, Origin, Person, Unit, UnitKind};
use super::origins::{business_origin, first_origin, later_origin, readiness};
use super::random::{Dice, Purpose};
use super::world::{COMPANY_WORDS, FIRST_NAMES, LAST_NAMES, MARKETS, World};

/// What a visit is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    Bounce,
    Browse,
    Cart,
    Checkout,
    Buy,
    SignUp,
    /// A form for companies; the person becomes a contact.
    Lead,
    /// A company's site is read.
    Business,
    /// A bot takes everything it finds.
    Crawl,
}

/// A planned visit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draft {
    pub(crate) person: usize,
    pub(crate) device: usize,
    pub(crate) start: i64,
    pub(crate) origin: Origin,
    pub(crate) intent: Intent,
}

/// Makes a unit.
pub(crate) fn build(world: &World, index: u32) -> Unit {
    let mut dice = Dice::new(world.seed, Purpose::Unit, &[u64::from(index)]);
    // The first units are of every kind, so that even the smallest world has all of them.
    let kind = match index {
        3 => UnitKind::Company,
        5 => UnitKind::Family,
        7 => UnitKind::Bot,
        _ => [
            UnitKind::Single,
            UnitKind::Family,
            UnitKind::Company,
            UnitKind::Bot,
        ][dice.weighted(&[979.0, 8.0, 10.0, 3.0])],
    };
    let mut unit = Unit {
        index,
        kind,
        people: vec![],
        devices: vec![],
        sessions: vec![],
        orders: vec![],
        contacts: vec![],
        company: None,
        deals: vec![],
    };
    let mut drafts = Vec::new();
    match kind {
        UnitKind::Single => {
            add_person(&mut dice, &mut unit, None);
            plan_shopper(world, &mut dice, &mut unit, 0, &mut drafts);
        }
        UnitKind::Family => {
            add_person(&mut dice, &mut unit, None);
            add_person(&mut dice, &mut unit, None);
            share_a_tablet(world, &mut dice, &mut unit, &mut drafts);
        }
        UnitKind::Company => plan_company(world, &mut dice, &mut unit, &mut drafts),
        UnitKind::Bot => plan_bot(world, &mut dice, &mut unit, &mut drafts),
    }
    drafts.sort_by_key(|draft| (draft.start, draft.person));
    super::journeys::live(world, &mut dice, &mut unit, &drafts);
    if unit.kind == UnitKind::Company {
        super::company::sell(world, &mut dice, &mut unit);
    }
    super::company::merge_contacts(world, &mut dice, &mut unit);
    unit
}

fn add_person(dice: &mut Dice, unit: &mut Unit, company: Option<(usize, &str)>) {
    let number = unit.people.len();
    let weights: Vec<f64> = MARKETS.iter().map(|market| market.weight).collect();
    let market = match (company, unit.people.first()) {
        (Some((market, _)), _) => market,
        (None, Some(other)) => other.market,
        (None, None) => dice.weighted(&weights),
    };
    let first = FIRST_NAMES[dice.below(FIRST_NAMES.len())];
    let last = match unit.people.first() {
        Some(other) if unit.kind == UnitKind::Family => other.last,
        _ => LAST_NAMES[dice.below(LAST_NAMES.len())],
    };
    let provider = [
        "mail.example",
        "inbox.example",
        "post.example",
        "webmail.example",
    ];
    let serial = u64::from(unit.index) * 4 + number as u64;
    let private = format!(
        "{}.{}{}@{}",
        first.to_lowercase(),
        last.to_lowercase(),
        serial,
        provider[dice.below(provider.len())]
    );
    let email = match company {
        Some((_, domain)) => format!(
            "{}.{}{number}@{domain}",
            first.to_lowercase(),
            last.to_lowercase()
        ),
        None => private.clone(),
    };
    let second_email = match company {
        Some(_) => dice.chance(0.3).then_some(private),
        None => dice
            .chance(0.06)
            .then(|| format!("{}{serial}@work.example", last.to_lowercase())),
    };
    let cities = MARKETS[market].cities;
    unit.people.push(Person {
        first,
        last,
        email,
        second_email,
        // A step that shares no factor with ten makes every number another one.
        phone: format!(
            "{} {}{:08}",
            MARKETS[market].dial,
            15 + dice.below(3),
            (serial * 73_939_133 + 12_345_678) % 100_000_000
        ),
        market,
        city: dice.below(cities.len()),
        registered_at: None,
        is_subscriber: dice.chance(0.22),
        refuses: company.is_none() && dice.chance(0.11),
    });
}

/// Category, brand, model, system, its version, browser, its version.
const MACHINES: [[&str; 7]; 9] = [
    ["mobile", "Apple", "iPhone", "iOS", "18.4", "Safari", "18.4"],
    [
        "mobile",
        "Samsung",
        "Galaxy S24",
        "Android",
        "15",
        "Chrome",
        "136.0",
    ],
    [
        "mobile", "Google", "Pixel 9", "Android", "15", "Chrome", "136.0",
    ],
    [
        "desktop",
        "Microsoft",
        "",
        "Windows",
        "11",
        "Chrome",
        "136.0",
    ],
    [
        "desktop",
        "Apple",
        "",
        "Macintosh",
        "15.4",
        "Safari",
        "18.4",
    ],
    ["desktop", "Microsoft", "", "Windows", "10", "Edge", "135.0"],
    ["desktop", "", "", "Linux", "6.8", "Firefox", "138.0"],
    ["tablet", "Apple", "iPad", "iOS", "18.4", "Safari", "18.4"],
    ["desktop", "", "", "Linux", "x86_64", "Chrome", "119.0"],
];
const TABLET: usize = 7;
const SERVER: usize = 8;

fn add_device(dice: &mut Dice, unit: &mut Unit, machine: usize) -> usize {
    let [
        category,
        brand,
        model,
        system,
        system_version,
        browser,
        browser_version,
    ] = MACHINES[machine];
    // One clock in 150 is wrong: ahead by an hour or by a day.
    let skew = if dice.chance(1.0 / 150.0) {
        if dice.chance(0.5) { HOUR } else { DAY }
    } else {
        0
    };
    unit.devices.push(Device {
        client: new_client(dice),
        category,
        brand,
        model,
        system,
        system_version,
        browser,
        browser_version,
        skew,
        is_shared: false,
        first: None,
        session_count: 0,
        busy_until: i64::MIN,
        user_agent: "",
    });
    unit.devices.len() - 1
}

/// The random half of a cookie; the second of its first visit follows when it is known.
pub(crate) fn new_client(dice: &mut Dice) -> String {
    format!("{}", 100_000_000 + dice.below(2_000_000_000))
}

/// A moment of a day when people visit: evenings for themselves, working hours for their company.
fn visit_time(world: &World, dice: &mut Dice, day: usize, is_business: bool) -> i64 {
    const PRIVATE: [f64; 24] = [
        3.0, 1.0, 0.6, 0.4, 0.4, 0.8, 2.0, 4.0, 5.0, 5.0, 5.0, 5.5, 6.5, 6.0, 5.0, 5.0, 5.5, 6.5,
        7.5, 9.0, 10.0, 9.5, 7.5, 5.0,
    ];
    let hour = if is_business {
        8 + dice.below(10)
    } else {
        dice.weighted(&PRIVATE)
    } as i64;
    let within = (dice.share() * HOUR as f64) as i64;
    world.calendar.start(day) + hour * HOUR + within
}

/// A day for a first visit: people come at week-ends, companies do not, and the shop grows.
fn first_day(world: &World, dice: &mut Dice, is_business: bool) -> usize {
    let days = world.calendar.days;
    for _ in 0..8 {
        let day = dice.below(days);
        let growth = 0.8 + 0.2 * day as f64 / days as f64;
        let week = match (world.calendar.is_weekend(day), is_business) {
            (true, true) => 0.12,
            (false, false) => 0.8,
            _ => 1.0,
        };
        if dice.chance(growth * week) {
            return day;
        }
    }
    dice.below(days)
}

fn personal_devices(dice: &mut Dice, unit: &mut Unit, visits: usize) -> Vec<usize> {
    let wanted = [1, 2, 3][dice.weighted(&[58.0, 33.0, 9.0])].min(visits.max(1));
    (0..wanted)
        .map(|number| {
            let machine = if number == 0 {
                dice.weighted(&[30.0, 16.0, 8.0, 22.0, 10.0, 8.0, 3.0, 5.0])
            } else {
                dice.weighted(&[20.0, 12.0, 6.0, 30.0, 16.0, 10.0, 3.0, 8.0])
            };
            add_device(dice, unit, machine)
        })
        .collect()
}

fn plan_shopper(
    world: &World,
    dice: &mut Dice,
    unit: &mut Unit,
    person: usize,
    drafts: &mut Vec<Draft>,
) {
    let region = unit.people[person].market().region;
    let origin = first_origin(world, dice, region);
    let ready = readiness(world, origin);
    let is_family = unit.kind == UnitKind::Family;
    let buyer = if is_family { 0.15 } else { 0.029 * ready };
    let (visits, buys) = if dice.chance(buyer) {
        let visits = 2 + dice.below(6);
        (visits, Some(1 + dice.below(visits - 1)))
    } else if dice.chance(if is_family { 1.0 } else { 0.3 }) {
        (2 + dice.below(3), None)
    } else {
        (1, None)
    };
    // Some buy on their first visit.
    let buys = buys.map(|visit| if dice.chance(0.18) { 0 } else { visit });
    let devices = personal_devices(dice, unit, visits);
    let day = first_day(world, dice, false);
    let mut start = visit_time(world, dice, day, false);
    let mut bought = false;
    for visit in 0..visits {
        if visit > 0 {
            let gap = if bought { 16.0 } else { 5.5 };
            let days = dice.waiting(gap);
            start += HOUR + (days * DAY as f64) as i64;
        }
        let origin = if visit == 0 {
            origin
        } else {
            later_origin(world, dice, region, unit.people[person].is_subscriber)
        };
        let intent = if buys == Some(visit) || (bought && dice.chance(0.3)) {
            bought = true;
            Intent::Buy
        } else {
            shopper_intent(dice, visits, visit, buys.is_some())
        };
        let device = devices[if visit == 0 {
            0
        } else {
            dice.below(devices.len())
        }];
        drafts.push(Draft {
            person,
            device,
            start,
            origin,
            intent,
        });
    }
}

fn shopper_intent(dice: &mut Dice, visits: usize, visit: usize, buyer: bool) -> Intent {
    let weights = if buyer {
        [4.0, 60.0, 20.0, 8.0, 8.0]
    } else if visits == 1 {
        [48.0, 44.0, 5.5, 1.5, 1.0]
    } else {
        [24.0, 58.0, 9.0, 4.0, 5.0 + visit as f64]
    };
    [
        Intent::Bounce,
        Intent::Browse,
        Intent::Cart,
        Intent::Checkout,
        Intent::SignUp,
    ][dice.weighted(&weights)]
}

fn share_a_tablet(world: &World, dice: &mut Dice, unit: &mut Unit, drafts: &mut Vec<Draft>) {
    for person in 0..unit.people.len() {
        unit.people[person].refuses = false;
        plan_shopper(world, dice, unit, person, drafts);
    }
    let tablet = add_device(dice, unit, TABLET);
    unit.devices[tablet].is_shared = true;
    for person in 0..unit.people.len() {
        let last = drafts
            .iter()
            .filter(|draft| draft.person == person)
            .map(|draft| draft.start);
        let mut start = last.min().unwrap_or_else(|| world.calendar.begin());
        for visit in 0..2 + dice.below(2) {
            start += HOUR + (dice.waiting(4.0) * DAY as f64) as i64;
            let region = unit.people[person].market().region;
            let origin = later_origin(world, dice, region, unit.people[person].is_subscriber);
            let intent = if visit == 0 {
                Intent::SignUp
            } else {
                Intent::Browse
            };
            drafts.push(Draft {
                person,
                device: tablet,
                start,
                origin,
                intent,
            });
        }
    }
}

fn plan_company(world: &World, dice: &mut Dice, unit: &mut Unit, drafts: &mut Vec<Draft>) {
    let weights: Vec<f64> = MARKETS.iter().map(|market| market.weight).collect();
    let market = dice.weighted(&weights);
    let word = COMPANY_WORDS[dice.below(COMPANY_WORDS.len())];
    let kind = dice.below(super::world::COMPANY_KINDS.len());
    let domain = format!(
        "{}-{}{}.example",
        word.to_lowercase(),
        super::world::COMPANY_KINDS[kind].0.to_lowercase(),
        unit.index
    );
    // Companies come early enough for their deals to end within the window, if they can.
    let day = first_day(world, dice, true).min(first_day(world, dice, true));
    let people = 2 + dice.below(3);
    super::company::found(unit, dice, word, kind, &domain);
    let region = MARKETS[market].region;
    let mut begin = visit_time(world, dice, day, true);
    for person in 0..people {
        add_person(dice, unit, Some((market, &domain)));
        let visits = 2 + dice.below(4);
        let devices = personal_devices(dice, unit, visits);
        if person > 0 {
            begin += HOUR + (dice.waiting(4.0) * DAY as f64) as i64;
        }
        let mut start = begin;
        let asks = if person == 0 || dice.chance(0.55) {
            Some(1.min(visits - 1))
        } else {
            None
        };
        for visit in 0..visits {
            let origin = business_origin(world, dice, region, visit == 0);
            let intent = if asks == Some(visit) {
                Intent::Lead
            } else {
                Intent::Business
            };
            let device = devices[dice.below(devices.len())];
            drafts.push(Draft {
                person,
                device,
                start,
                origin,
                intent,
            });
            start += 2 * HOUR + (dice.waiting(6.0) * DAY as f64) as i64;
        }
    }
}

/// User agents of machines.
const ROBOTS: [&str; 5] = [
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; \
     +https://openai.com/gptbot)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
     HeadlessChrome/119.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like \
     Gecko) Chrome/136.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; \
     +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
];

fn plan_bot(world: &World, dice: &mut Dice, unit: &mut Unit, drafts: &mut Vec<Draft>) {
    add_person(dice, unit, None);
    unit.people[0].refuses = false;
    unit.people[0].is_subscriber = false;
    let device = add_device(dice, unit, SERVER);
    unit.devices[device].user_agent = ROBOTS[dice.below(ROBOTS.len())];
    unit.devices[device].skew = 0;
    let mut start = world.calendar.begin()
        + (dice.share() * (world.calendar.end() - world.calendar.begin()) as f64) as i64;
    for _ in 0..1 + dice.below(3) {
        let draft = Draft {
            person: 0,
            device,
            start,
            origin: Origin::Direct,
            intent: Intent::Crawl,
        };
        drafts.push(draft);
        start += 40 * MINUTE + (dice.waiting(2.0) * DAY as f64) as i64;
    }
}
