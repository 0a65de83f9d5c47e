//! Where a visit comes from: what it truly is, and what its link and its referrer show of it.
//!
//! `truth` names the true source, medium, campaign and channel (GA4's names of channels); the link
//! may show less: a click id without utm, utm without a click id, or a placeholder left unfilled.

use super::campaigns::{Aim, NEWSLETTERS, PARTNERS, Platform, REFERRERS, slug};
use super::model::{Origin, Session, Unit};
use super::random::{Dice, HEX, Purpose, URL_SAFE, mix};
use super::world::World;

const ENGINES: [(&str, &str); 4] = [
    ("google", "https://www.google.com/"),
    ("bing", "https://www.bing.com/"),
    ("duckduckgo", "https://duckduckgo.com/"),
    ("ecosia.org", "https://www.ecosia.org/"),
];
const NETWORKS: [(&str, &str); 4] = [
    ("l.instagram.com", "https://l.instagram.com/"),
    ("m.facebook.com", "https://m.facebook.com/"),
    ("reddit.com", "https://www.reddit.com/"),
    ("linkedin.com", "https://www.linkedin.com/"),
];
const ASSISTANTS: [(&str, &str); 2] = [
    ("chatgpt.com", "https://chatgpt.com/"),
    ("perplexity.ai", "https://www.perplexity.ai/"),
];

/// The true source of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrueSource {
    pub(crate) source: String,
    pub(crate) medium: &'static str,
    pub(crate) campaign: Option<String>,
    pub(crate) channel: &'static str,
}

/// Source, medium, campaign and channel of an origin at an instant.
pub(crate) fn true_source(world: &World, origin: Origin, at: i64) -> TrueSource {
    let plain = |source: &str, medium, campaign, channel| TrueSource {
        source: source.to_owned(),
        medium,
        campaign,
        channel,
    };
    let host = |address: &str| {
        let rest = address
            .trim_start_matches("https://")
            .trim_start_matches("www.");
        rest.split('/').next().unwrap_or_default().to_owned()
    };
    match origin {
        Origin::Direct => plain("(direct)", "(none)", None, "Direct"),
        Origin::Search(index) => plain(
            ENGINES[usize::from(index)].0,
            "organic",
            None,
            "Organic Search",
        ),
        Origin::Social(index) => plain(
            NETWORKS[usize::from(index)].0,
            "referral",
            None,
            "Organic Social",
        ),
        Origin::Newsletter(index) => {
            let name = NEWSLETTERS[usize::from(index)].to_owned();
            plain("newsletter", "email", Some(name), "Email")
        }
        Origin::Referral(index) => plain(
            &host(REFERRERS[usize::from(index)]),
            "referral",
            None,
            "Referral",
        ),
        Origin::Partner(index) => {
            let campaign = Some("partner_programme".to_owned());
            plain(
                PARTNERS[usize::from(index)],
                "affiliate",
                campaign,
                "Affiliates",
            )
        }
        Origin::Assistant(index) => plain(
            ASSISTANTS[usize::from(index)].0,
            "referral",
            None,
            "AI Assistant",
        ),
        Origin::Ad(index) => ad_source(world, index, at),
    }
}

fn ad_source(world: &World, index: u16, at: i64) -> TrueSource {
    let ad = &world.ads.ads[usize::from(index)];
    let campaign = world.ads.campaign_of(ad);
    let name = campaign.name_at(at);
    let (source, medium, shown, channel) = match campaign.platform {
        Platform::Google if campaign.aim == Aim::Shopping => {
            ("google", "cpc", name.to_owned(), "Cross-network")
        }
        Platform::Google => ("google", "cpc", name.to_owned(), "Paid Search"),
        Platform::Meta if index.is_multiple_of(2) => {
            ("facebook", "paid_social", slug(name), "Paid Social")
        }
        Platform::Meta => ("instagram", "paid_social", slug(name), "Paid Social"),
        // Its links are tagged by hand: the old name stays in them.
        Platform::LinkedIn => (
            "linkedin",
            "paid_social",
            slug(campaign.name),
            "Paid Social",
        ),
    };
    TrueSource {
        source: source.to_owned(),
        medium,
        campaign: Some(shown),
        channel,
    }
}

/// What a visit shows of its source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrival {
    /// Referrer of the landing page; empty where there is none.
    pub(crate) referrer: &'static str,
    /// Query of the landing page's address, without `?`.
    pub(crate) query: String,
    /// utm parameters as sent: source, medium, campaign, content, id. Empty where not sent.
    pub(crate) utm: [String; 5],
    /// Kind and value of the click id.
    pub(crate) click_id: Option<(&'static str, String)>,
}

/// The click id of a session: the parameter's name and its value.
pub(crate) fn click_id(
    world: &World,
    unit: &Unit,
    session: usize,
) -> Option<(&'static str, String)> {
    let visit = &unit.sessions[session];
    let Origin::Ad(index) = visit.origin else {
        return None;
    };
    if !visit.has_click_id {
        return None;
    }
    let parts = [
        u64::from(unit.index),
        visit.start as u64,
        u64::from(visit.device),
    ];
    let mut dice = Dice::new(world.seed, Purpose::Click, &parts);
    let ad = &world.ads.ads[usize::from(index)];
    Some(match world.ads.campaign_of(ad).platform {
        Platform::Google => ("gclid", format!("Cj0KCQjw{}_BwE", dice.text(URL_SAFE, 60))),
        Platform::Meta => (
            "fbclid",
            format!("IwZXh0bgNhZW0{}", dice.text(URL_SAFE, 54)),
        ),
        Platform::LinkedIn => {
            let part = |dice: &mut Dice, length| dice.text(HEX, length);
            let id = format!(
                "{}-{}-4{}-a{}-{}",
                part(&mut dice, 8),
                part(&mut dice, 4),
                part(&mut dice, 3),
                part(&mut dice, 3),
                part(&mut dice, 12)
            );
            ("li_fat_id", id)
        }
    })
}

/// What a session shows of where it came from.
pub(crate) fn arrival(world: &World, unit: &Unit, session: usize) -> Arrival {
    let visit = &unit.sessions[session];
    let mut arrival = Arrival::default();
    if let Some(referrer) = visit.self_referral {
        arrival.referrer = referrer;
        return arrival;
    }
    let shown = true_source(world, visit.origin, visit.start);
    arrival.referrer = referrer(world, visit.origin);
    if visit.has_utm {
        arrival.utm[0] = shown.source;
        arrival.utm[1] = shown.medium.to_owned();
        arrival.utm[2] = shown.campaign.unwrap_or_default();
        add_ad_parameters(world, visit, &mut arrival.utm);
        if let Origin::Assistant(_) = visit.origin {
            // Assistants tag their links with a source alone.
            arrival.utm[1].clear();
            arrival.utm[2].clear();
        }
    }
    arrival.click_id = click_id(world, unit, session);
    let names = [
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_content",
        "utm_id",
    ];
    let mut query = Vec::new();
    if let Some((name, value)) = &arrival.click_id {
        if *name == "gclid" {
            query.push("gad_source=1".to_owned());
        }
        query.push(format!("{name}={value}"));
    }
    for (name, value) in names.iter().zip(&arrival.utm) {
        if !value.is_empty() {
            // Half of the placeholders stand in the address as typed, half percent-encoded.
            let raw = visit.has_macro && visit.start % 2 == 0;
            query.push(format!(
                "{name}={}",
                if raw { value.clone() } else { encoded(value) }
            ));
        }
    }
    arrival.query = query.join("&");
    arrival
}

fn add_ad_parameters(world: &World, visit: &Session, utm: &mut [String; 5]) {
    let Origin::Ad(index) = visit.origin else {
        return;
    };
    let ad = &world.ads.ads[usize::from(index)];
    let campaign = world.ads.campaign_of(ad);
    match campaign.platform {
        Platform::Google => {
            if visit.has_macro {
                utm[2] = "{campaignid}".to_owned();
            } else {
                utm[2] = slug(&utm[2]);
            }
        }
        Platform::Meta => {
            utm[3] = slug(&ad.name);
            utm[4].clone_from(&campaign.id);
            if visit.has_macro {
                utm[2] = "{{campaign.name}}".to_owned();
                utm[4] = "{{campaign.id}}".to_owned();
            }
        }
        Platform::LinkedIn => {
            utm[3] = slug(&ad.name);
            if visit.has_macro {
                utm[2] = "{{CAMPAIGN_NAME}}".to_owned();
            }
        }
    }
}

fn referrer(world: &World, origin: Origin) -> &'static str {
    match origin {
        Origin::Direct | Origin::Newsletter(_) => "",
        Origin::Search(index) => ENGINES[usize::from(index)].1,
        Origin::Social(index) => NETWORKS[usize::from(index)].1,
        Origin::Referral(index) => REFERRERS[usize::from(index)],
        Origin::Partner(_) => "https://go.partner-clicks.example/",
        Origin::Assistant(index) => ASSISTANTS[usize::from(index)].1,
        Origin::Ad(index) => {
            let ad = &world.ads.ads[usize::from(index)];
            match world.ads.campaign_of(ad).platform {
                Platform::Google => "https://www.google.com/",
                Platform::Meta if index % 2 == 0 => "https://m.facebook.com/",
                Platform::Meta => "https://l.instagram.com/",
                Platform::LinkedIn => "https://www.linkedin.com/",
            }
        }
    }
}

/// Percent-encoded as a browser sends it in a query.
fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Where new visitors of the shop come from.
pub(crate) fn first_origin(world: &World, dice: &mut Dice, region: super::world::Region) -> Origin {
    let weights = [
        24.0, 13.0, 10.0, 3.0, 16.0, 5.0, 12.0, 1.0, 5.0, 3.0, 3.0, 3.5,
    ];
    match dice.weighted(&weights) {
        0 => Origin::Search([0, 0, 0, 0, 0, 0, 1, 2, 3, 1][dice.below(10)]),
        1 => ad(world, dice, Platform::Google, Aim::Search, region),
        2 => ad(world, dice, Platform::Google, Aim::Shopping, region),
        3 => ad(world, dice, Platform::Google, Aim::Brand, region),
        4 => ad(world, dice, Platform::Meta, Aim::Prospecting, region),
        5 => Origin::Social(dice.below(3) as u8),
        6 => Origin::Direct,
        7 => Origin::Newsletter(dice.below(NEWSLETTERS.len()) as u8),
        8 => Origin::Referral(dice.below(REFERRERS.len()) as u8),
        9 => Origin::Partner(dice.below(PARTNERS.len()) as u8),
        10 => Origin::Assistant(dice.below(ASSISTANTS.len()) as u8),
        _ => ad(world, dice, Platform::LinkedIn, Aim::Business, region),
    }
}

/// Where people who know the shop come from when they return.
pub(crate) fn later_origin(
    world: &World,
    dice: &mut Dice,
    region: super::world::Region,
    is_subscriber: bool,
) -> Origin {
    let email = if is_subscriber { 22.0 } else { 2.0 };
    match dice.weighted(&[34.0, 12.0, 18.0, 14.0, email, 4.0, 4.0]) {
        0 => Origin::Direct,
        1 => ad(world, dice, Platform::Google, Aim::Brand, region),
        2 => Origin::Search(dice.below(3) as u8),
        3 => ad(world, dice, Platform::Meta, Aim::Retargeting, region),
        4 => Origin::Newsletter(dice.below(NEWSLETTERS.len()) as u8),
        5 => Origin::Partner(dice.below(PARTNERS.len()) as u8),
        _ => Origin::Referral(dice.below(REFERRERS.len()) as u8),
    }
}

/// Where people who buy for a company come from.
pub(crate) fn business_origin(
    world: &World,
    dice: &mut Dice,
    region: super::world::Region,
    is_first: bool,
) -> Origin {
    let weights = if is_first {
        [34.0, 24.0, 20.0, 8.0, 2.0, 8.0, 4.0]
    } else {
        [14.0, 8.0, 18.0, 36.0, 16.0, 4.0, 4.0]
    };
    match dice.weighted(&weights) {
        0 => ad(world, dice, Platform::LinkedIn, Aim::Business, region),
        1 => ad(world, dice, Platform::Google, Aim::Business, region),
        2 => Origin::Search(0),
        3 => Origin::Direct,
        4 => Origin::Newsletter(dice.below(NEWSLETTERS.len()) as u8),
        5 => Origin::Referral(if dice.chance(0.5) { 1 } else { 4 }),
        _ => Origin::Social(3),
    }
}

fn ad(
    world: &World,
    dice: &mut Dice,
    platform: Platform,
    aim: Aim,
    region: super::world::Region,
) -> Origin {
    let choices = world.ads.choices(platform, aim, region);
    if choices.is_empty() {
        return Origin::Direct;
    }
    Origin::Ad(choices[dice.below(choices.len())] as u16)
}

/// How ready to buy visitors of an origin are, against the average of 1.
pub(crate) fn readiness(world: &World, origin: Origin) -> f64 {
    match origin {
        Origin::Ad(index) => {
            let ad = &world.ads.ads[usize::from(index)];
            // Ads differ, and the difference is theirs for good.
            let own = 0.7 + 0.6 * (mix(world.seed, &[77, u64::from(index)]) % 100) as f64 / 100.0;
            own * match world.ads.campaign_of(ad).aim {
                Aim::Brand => 2.6,
                Aim::Search => 1.1,
                Aim::Shopping => 1.4,
                Aim::Prospecting => 0.45,
                Aim::Retargeting => 1.5,
                Aim::Business => 0.15,
            }
        }
        Origin::Search(_) | Origin::Referral(_) => 1.1,
        Origin::Social(_) => 0.5,
        Origin::Newsletter(_) => 2.2,
        Origin::Partner(_) => 1.8,
        Origin::Assistant(_) => 1.5,
        Origin::Direct => 1.2,
    }
}
