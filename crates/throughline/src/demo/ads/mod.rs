//! What the ad platforms report: figures by ad and day, delivered daily, restated for three days.
//!
//! A delivery brings the last three report days anew: the youngest is provisional, the oldest
//! final. Once, two thirds through, Google credits invalid clicks of the account in the United
//! States for three days a month back. The file formats are those of the Fivetran connectors.

pub(crate) mod google;
pub(crate) mod linkedin;
pub(crate) mod meta;

use std::path::Path;

use super::calendar::{HOUR, MINUTE};
use super::campaigns::{Ad, Platform};
use super::files::{self, Csv, Defect};
use super::origins::readiness;
use super::plan::Plan;
use super::random::{Purpose, share};
use super::world::World;

/// How many days a report day is delivered.
pub(crate) const RESTATED_DAYS: usize = 3;

/// How old a report day is when it is delivered, in days; the last one is the credit note.
pub(crate) const CREDIT_NOTE: usize = 4;

/// What an ad did on a day, as believed at some age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) impressions: i64,
    pub(crate) clicks: i64,
    /// In cents of the account's currency.
    pub(crate) spend: i64,
    /// Conversions that the platform claims, in tenths.
    pub(crate) conversions: i64,
    /// Their value, in cents of the account's currency.
    pub(crate) value: i64,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.impressions += other.impressions;
        self.clicks += other.clicks;
        self.spend += other.spend;
        self.conversions += other.conversions;
        self.value += other.value;
    }
}

/// The figures of an ad for a report day at an age from 1.
pub(crate) fn figures(world: &World, plan: &Plan, index: usize, day: usize, age: usize) -> Figures {
    let ad: &Ad = &world.ads.ads[index];
    let account = world.ads.account_of(ad);
    let draw = |number: u64| {
        share(
            world.seed,
            &[Purpose::Figures as u64, index as u64, day as u64, number],
        )
    };
    // Some clicks never arrive on the site.
    let arrived = f64::from(plan.clicks_on(world, index, day));
    let clicks = (arrived * (1.0 + 0.1 * draw(1)) + 0.6 * draw(2)).round();
    let impressions = clicks / ad.click_rate * (0.8 + 0.4 * draw(3)) + 20.0 * draw(4) + 1.0;
    let price = ad.click_price_euro * account.factor * (0.85 + 0.3 * draw(5));
    let spend = (clicks * price * 100.0).round();
    let conversions = clicks
        * 0.028
        * readiness(world, super::model::Origin::Ad(index as u16))
        * (0.6 + 0.8 * draw(6));
    let final_figures = Figures {
        impressions: impressions as i64,
        clicks: clicks as i64,
        spend: spend as i64,
        conversions: (conversions * 10.0).round() as i64,
        value: (conversions * 15_500.0 * account.factor).round() as i64,
    };
    let (all, claims) = match age {
        1 => (0.93 + 0.06 * draw(7), 0.55),
        2 => (0.985 + 0.02 * draw(8), 0.85),
        CREDIT_NOTE => (0.9, 1.0),
        _ => return final_figures,
    };
    let scaled = |value: i64, factor: f64| (value as f64 * factor).round() as i64;
    Figures {
        impressions: scaled(final_figures.impressions, all).max(1),
        clicks: scaled(final_figures.clicks, all),
        spend: scaled(final_figures.spend, all),
        conversions: scaled(final_figures.conversions, claims),
        value: scaled(final_figures.value, claims),
    }
}

/// The figures of a campaign for a report day at an age from 1.
pub(crate) fn campaign_figures(
    world: &World,
    plan: &Plan,
    campaign: usize,
    day: usize,
    age: usize,
) -> Figures {
    let mut sum = Figures::default();
    for (index, ad) in world.ads.ads.iter().enumerate() {
        if ad.campaign == campaign {
            sum += figures(world, plan, index, day, age);
        }
    }
    sum
}

/// The report days that a delivery brings, with their age; the credit note among them.
pub(crate) fn report_days(world: &World, delivery: usize, account: usize) -> Vec<(usize, usize)> {
    let mut days: Vec<(usize, usize)> = (1..=RESTATED_DAYS)
        .filter_map(|age| Some((delivery.checked_sub(age - 1)?, age)))
        .collect();
    if account == 1 && credit_delivery(world) == Some(delivery) {
        let first = delivery - 30;
        days.extend((first..first + 3).map(|day| (day, CREDIT_NOTE)));
    }
    days.sort_unstable();
    days
}

/// The delivery that brings the credit note, where the window is long enough.
fn credit_delivery(world: &World) -> Option<usize> {
    let delivery = world.calendar.days * 2 / 3;
    (delivery >= 34).then_some(delivery)
}

/// When a delivery was made.
pub(crate) fn synced_at(world: &World, delivery: usize) -> i64 {
    world.calendar.start(delivery + 1) + 11 * HOUR + 12 * MINUTE
}

/// Day in the name of a delivery's files.
pub(crate) fn delivery_date(world: &World, delivery: usize) -> String {
    world.calendar.day(delivery + 1).to_string()
}

/// Path of a table's file below the output folder.
pub(crate) fn file_name(world: &World, platform: Platform, table: &str, delivery: usize) -> String {
    format!(
        "{}/{table}/{table}_{}.csv",
        platform.name(),
        delivery_date(world, delivery)
    )
}

/// Writes a table's file, and once in the window a second time under another name.
pub(crate) fn deliver(
    world: &World,
    out: &Path,
    (platform, table): (Platform, &str),
    delivery: usize,
    csv: &Csv,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let name = file_name(world, platform, table, delivery);
    files::write(&out.join(&name), csv.text())?;
    let twice = match (platform, table) {
        (Platform::Google, "campaign_stats") => world.calendar.days / 2,
        (Platform::Meta, "basic_ad") => world.calendar.days / 4,
        _ => usize::MAX,
    };
    if delivery == twice {
        let again = name.replace(".csv", " (1).csv");
        files::write(&out.join(&again), csv.text())?;
        defects.push(Defect {
            kind: "duplicate_file",
            file: again,
            place: "whole file".to_owned(),
            what: format!("the same rows as `{name}`"),
            expected: "each row counts once",
        });
    }
    Ok(())
}

/// Writes everything of one delivery of all platforms; gives what was planted.
pub(crate) fn write_delivery(
    world: &World,
    plan: &Plan,
    out: &Path,
    delivery: usize,
) -> anyhow::Result<Vec<Defect>> {
    let mut defects = Vec::new();
    google::write(world, plan, out, delivery, &mut defects)?;
    meta::write(world, plan, out, delivery, &mut defects)?;
    linkedin::write(world, plan, out, delivery, &mut defects)?;
    Ok(defects)
}

/// Splits a figure between phones (62 %) and desktops without losing any.
pub(crate) fn by_machine(sum: Figures) -> [(&'static str, Figures); 2] {
    let part = |value: i64| value * 62 / 100;
    let mobile = Figures {
        impressions: part(sum.impressions),
        clicks: part(sum.clicks),
        spend: part(sum.spend),
        conversions: part(sum.conversions),
        value: part(sum.value),
    };
    let desktop = Figures {
        impressions: sum.impressions - mobile.impressions,
        clicks: sum.clicks - mobile.clicks,
        spend: sum.spend - mobile.spend,
        conversions: sum.conversions - mobile.conversions,
        value: sum.value - mobile.value,
    };
    [("MOBILE", mobile), ("DESKTOP", desktop)]
}

/// Tenths as a decimal number.
pub(crate) fn tenths(value: i64) -> String {
    if value % 10 == 0 {
        (value / 10).to_string()
    } else {
        format!("{}.{}", value / 10, value % 10)
    }
}

/// An id of a row as the connector makes it: a hash of its key.
pub(crate) fn row_id(parts: &[&str]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(&Sha256::digest(parts.join("|").as_bytes())[..14])
}

/// One day in so many brings a broken row.
pub(crate) fn has_broken_row(world: &World, table: u64, delivery: usize) -> bool {
    let draw = share(
        world.seed,
        &[Purpose::Defect as u64, 900 + table, delivery as u64],
    );
    draw < 0.06 || delivery == 2 + table as usize
}
