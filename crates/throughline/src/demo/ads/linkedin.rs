//! LinkedIn Ads: accounts, campaign groups, campaigns, creatives and daily figures of both.
//!
//! LinkedIn's campaign group is the campaign of other platforms, its campaign their ad group, its
//! creative their ad. Days are UTC. A column is renamed when three fifths of the window are over.

use std::path::Path;

use super::{Figures, figures, report_days, synced_at};
use crate::demo::calendar::{DAY, plain};
use crate::demo::campaigns::{Ad, Platform};
use crate::demo::catalogue::cents;
use crate::demo::files::{Csv, Defect, fields};
use crate::demo::plan::Plan;
use crate::demo::world::World;

const PLATFORM: Platform = Platform::LinkedIn;
const OLD_COLUMN: &str = "approximate_unique_impressions";
const NEW_COLUMN: &str = "approximate_member_reach";

/// Writes one delivery.
pub(crate) fn write(
    world: &World,
    plan: &Plan,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    groups(world, out, delivery, defects)?;
    if delivery == 0 {
        members(world, out, defects)?;
    }
    analytics(world, plan, out, delivery, defects)
}

fn own(world: &World) -> impl Iterator<Item = (usize, &Ad)> {
    let ads = world.ads.ads.iter().enumerate();
    ads.filter(|(_, ad)| world.ads.campaign_of(ad).platform == PLATFORM)
}

fn row(id: &str, date: &str, synced: &str, f: Figures, factor: f64) -> Vec<String> {
    let dollars = (f.spend as f64 / factor * 1.1).round() as i64;
    let leads = (f.conversions + 5) / 10;
    fields! {
        id, format!("{date} 00:00:00"), synced, 0, f.clicks, f.clicks, f.impressions * 6 / 10,
        f.impressions, cents(f.spend), cents(dollars), cents(0), leads, leads, 0,
        leads / 2, leads / 2, f.clicks + leads,
    }
    .to_vec()
}

fn header(id: &str, reach: &str) -> Csv {
    Csv::new(&format!(
        "{id},day,_fivetran_synced,action_clicks,clicks,landing_page_clicks,{reach},impressions,\
         cost_in_local_currency,cost_in_usd,conversion_value_in_local_currency,\
         external_website_conversions,external_website_post_click_conversions,\
         external_website_post_view_conversions,one_click_lead_form_opens,one_click_leads,\
         total_engagements"
    ))
}

fn analytics(
    world: &World,
    plan: &Plan,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let change = world.calendar.days * 3 / 5;
    let reach = if delivery >= change {
        NEW_COLUMN
    } else {
        OLD_COLUMN
    };
    let mut creatives = header("creative_id", reach);
    let mut campaigns = header("campaign_id", reach);
    let synced = plain(synced_at(world, delivery));
    for (index, ad) in own(world) {
        let account = world.ads.account_of(ad);
        let is_last = world
            .ads
            .ads
            .get(index + 1)
            .is_none_or(|next| next.group != ad.group);
        let campaign = world.ads.campaign_of(ad).account;
        for (day, age) in report_days(world, delivery, campaign) {
            let date = world.calendar.day(day).to_string();
            let f = figures(world, plan, index, day, age);
            creatives.row(row(&ad.id, &date, &synced, f, account.factor));
            if let Some(group) = ad.group.filter(|_| is_last) {
                let mut sum = Figures::default();
                for (other, _) in own(world).filter(|(_, other)| other.group == ad.group) {
                    sum += figures(world, plan, other, day, age);
                }
                let id = &world.ads.groups[group].id;
                campaigns.row(row(id, &date, &synced, sum, account.factor));
            }
        }
    }
    if delivery == change {
        for table in ["ad_analytics_by_creative", "ad_analytics_by_campaign"] {
            defects.push(Defect {
                kind: "renamed_column",
                file: super::file_name(world, PLATFORM, table, delivery),
                place: NEW_COLUMN.to_owned(),
                what: format!("`{OLD_COLUMN}` is called `{NEW_COLUMN}` from this file on"),
                expected: "loading goes on; the old column has no value from then on",
            });
        }
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "ad_analytics_by_creative"),
        delivery,
        &creatives,
        defects,
    )?;
    super::deliver(
        world,
        out,
        (PLATFORM, "ad_analytics_by_campaign"),
        delivery,
        &campaigns,
        defects,
    )
}

fn groups(
    world: &World,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let mut csv =
        Csv::new("id,last_modified_time,account_id,created_time,name,status,_fivetran_synced");
    let begin = world.calendar.begin() - 40 * DAY;
    for campaign in world
        .ads
        .campaigns
        .iter()
        .filter(|campaign| campaign.platform == PLATFORM)
    {
        let change = campaign
            .renamed
            .filter(|(at, _)| world.calendar.index(*at) == delivery);
        let (at, name) = match change {
            Some(change) => change,
            None if delivery == 0 => (begin, campaign.name),
            None => continue,
        };
        let account = &world.ads.accounts[campaign.account].id;
        csv.row(fields! {
            campaign.id, plain(at), account, "2025-10-06 09:30:00", name, "ACTIVE",
            plain(synced_at(world, delivery)),
        });
    }
    if csv.lines() == 1 {
        return Ok(());
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "ad_campaign_group_history"),
        delivery,
        &csv,
        defects,
    )
}

fn members(world: &World, out: &Path, defects: &mut Vec<Defect>) -> anyhow::Result<()> {
    let synced = plain(synced_at(world, 0));
    let updated = plain(world.calendar.begin() - 40 * DAY);
    let created = "2025-10-06 09:30:00";
    let mut accounts =
        Csv::new("id,last_modified_time,created_time,name,currency,version_tag,_fivetran_synced");
    for account in world
        .ads
        .accounts
        .iter()
        .filter(|account| account.platform == PLATFORM)
    {
        accounts.row(fields! {
            account.id, updated, created, account.name, account.currency, 4, synced
        });
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "ad_account_history"),
        0,
        &accounts,
        defects,
    )?;
    let mut campaigns = Csv::new(
        "id,last_modified_time,account_id,campaign_group_id,created_time,name,version_tag,\
         status,type,objective_type,_fivetran_synced",
    );
    for group in &world.ads.groups {
        let parent = &world.ads.campaigns[group.campaign];
        if parent.platform == PLATFORM {
            campaigns.row(fields! {
                group.id, updated, world.ads.accounts[parent.account].id, parent.id, created,
                group.name, 2, "ACTIVE", "SPONSORED_UPDATES", "WEBSITE_CONVERSION", synced,
            });
        }
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "ad_campaign_history"),
        0,
        &campaigns,
        defects,
    )?;
    let mut creatives = Csv::new(
        "id,campaign_id,intended_status,click_uri,last_modified_at,created_time,name,\
         text_ad_landing_page,spotlight_landing_page,_fivetran_synced",
    );
    for (_, ad) in own(world) {
        let Some(group) = ad.group else { continue };
        creatives.row(fields! {
            ad.id, world.ads.groups[group].id, "ACTIVE", ad.landing.url(), updated, created,
            ad.name, "", "", synced,
        });
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "ad_creative_history"),
        0,
        &creatives,
        defects,
    )
}
