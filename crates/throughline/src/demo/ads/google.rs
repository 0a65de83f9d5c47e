//! Google Ads: accounts, campaigns, ad groups, ads, daily figures and the click report.
//!
//! Money is in micros of the account's currency, days are the account's. Performance Max reports
//! nothing below the campaign, so the ads of an account do not add up to its campaigns.

use std::path::Path;

use super::{
    Figures, by_machine, campaign_figures, figures, report_days, row_id, synced_at, tenths,
};
use crate::demo::calendar::{DAY, plain};
use crate::demo::campaigns::{Aim, Campaign, Platform};
use crate::demo::catalogue::cents;
use crate::demo::files::{Csv, Defect, fields};
use crate::demo::model::Origin;
use crate::demo::plan::Plan;
use crate::demo::world::World;

const PLATFORM: Platform = Platform::Google;

const CAMPAIGN_STATS: &str = "_fivetran_id,customer_id,date,_fivetran_synced,\
     active_view_impressions,active_view_measurability,active_view_measurable_cost_micros,\
     active_view_measurable_impressions,active_view_viewability,ad_network_type,base_campaign,\
     clicks,conversions,conversions_value,cost_micros,device,id,impressions,\
     interaction_event_types,interactions,view_through_conversions";

/// Column that appears in the campaign figures when two fifths of the window are over.
const LATE_COLUMN: &str = "search_absolute_top_impression_share";

/// Writes one delivery.
pub(crate) fn write(
    world: &World,
    plan: &Plan,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    structure(world, out, delivery, defects)?;
    campaign_stats(world, plan, out, delivery, defects)?;
    ad_stats(world, plan, out, delivery, defects)?;
    click_view(world, plan, out, delivery, defects)
}

fn own(world: &World) -> impl Iterator<Item = (usize, &Campaign)> {
    world
        .ads
        .campaigns
        .iter()
        .enumerate()
        .filter(|(_, campaign)| campaign.platform == PLATFORM)
}

fn micros(cents: i64) -> String {
    (cents * 10_000).to_string()
}

fn network(campaign: &Campaign) -> &'static str {
    if campaign.aim == Aim::Shopping {
        "MIXED"
    } else {
        "SEARCH"
    }
}

fn campaign_stats(
    world: &World,
    plan: &Plan,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let late = world.calendar.days * 2 / 5;
    let has_late_column = delivery >= late;
    let name = super::file_name(world, PLATFORM, "campaign_stats", delivery);
    let header = if has_late_column {
        format!("{CAMPAIGN_STATS},{LATE_COLUMN}")
    } else {
        CAMPAIGN_STATS.to_owned()
    };
    if delivery == late {
        defects.push(Defect {
            kind: "new_column",
            file: name.clone(),
            place: LATE_COLUMN.to_owned(),
            what: "the column is in this file and in all later ones".to_owned(),
            expected: "loading goes on; older rows have no value",
        });
    }
    let late_value = has_late_column.then_some("0.41");
    let mut csv = Csv::new(&header);
    let synced = plain(synced_at(world, delivery));
    for (index, campaign) in own(world) {
        for (day, age) in report_days(world, delivery, campaign.account) {
            let date = world.calendar.day(day).to_string();
            let sum = campaign_figures(world, plan, index, day, age);
            for (machine, part) in by_machine(sum) {
                let cost = micros(part.spend);
                let row = campaign_row(world, (campaign, &date, machine), part, &cost, &synced);
                csv.row(row.iter().map(String::as_str).chain(late_value));
            }
        }
    }
    if super::has_broken_row(world, 0, delivery)
        && let Some((_, campaign)) = own(world).next()
    {
        let date = world.calendar.day(delivery).to_string();
        let key = (campaign, date.as_str(), "CONNECTED_TV");
        let row = campaign_row(world, key, Figures::default(), "n/a", &synced);
        let line = csv.row(row.iter().map(String::as_str).chain(late_value));
        defects.push(Defect {
            kind: "text_in_number",
            file: name,
            place: line.to_string(),
            what: "cost_micros is `n/a`".to_owned(),
            expected: "quarantined with a reason",
        });
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "campaign_stats"),
        delivery,
        &csv,
        defects,
    )
}

/// A row of the campaign figures, without the late column.
fn campaign_row(
    world: &World,
    (campaign, day, machine): (&Campaign, &str, &str),
    f: Figures,
    cost: &str,
    synced: &str,
) -> [String; 21] {
    let account = &world.ads.accounts[campaign.account].id;
    fields! {
        row_id(&[account, &campaign.id, day, machine]), account, day, synced, 0, 0, 0, 0, 0,
        network(campaign), format!("customers/{account}/campaigns/{}", campaign.id), f.clicks,
        tenths(f.conversions), cents(f.value), cost, machine, campaign.id, f.impressions,
        "[CLICK]", f.clicks, 0,
    }
}

fn ad_stats(
    world: &World,
    plan: &Plan,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let mut csv = Csv::new(
        "_fivetran_id,customer_id,date,_fivetran_synced,ad_group_id,ad_group,\
         keyword_ad_group_criterion,ad_network_type,device,ad_id,campaign_id,clicks,\
         cost_micros,impressions,conversions,conversions_value,view_through_conversions",
    );
    let synced = plain(synced_at(world, delivery));
    for (index, ad) in world.ads.ads.iter().enumerate() {
        let campaign = world.ads.campaign_of(ad);
        let Some(group) = ad.group.filter(|_| campaign.platform == PLATFORM) else {
            continue;
        };
        let group = &world.ads.groups[group];
        let account = world.ads.account_of(ad);
        for (day, age) in report_days(world, delivery, campaign.account) {
            let date = world.calendar.day(day).to_string();
            for (machine, part) in by_machine(figures(world, plan, index, day, age)) {
                csv.row(fields! {
                    row_id(&[&account.id, &ad.id, &date, machine]), account.id, date, synced,
                    group.id, format!("customers/{}/adGroups/{}", account.id, group.id),
                    format!("customers/{}/adGroupCriteria/{}~{}", account.id, group.id, 71_669),
                    network(campaign), machine, ad.id, campaign.id, part.clicks,
                    micros(part.spend), part.impressions, tenths(part.conversions),
                    cents(part.value), 0,
                });
            }
        }
    }
    if super::has_broken_row(world, 1, delivery) {
        let mut row = vec![String::new(); 17];
        row[1].clone_from(&world.ads.accounts[0].id);
        row[3].clone_from(&synced);
        row[8] = "MOBILE".to_owned();
        row[12] = "120000".to_owned();
        let line = csv.row(row);
        defects.push(Defect {
            kind: "missing_id",
            file: super::file_name(world, PLATFORM, "ad_stats", delivery),
            place: line.to_string(),
            what: "date, ad_id and campaign_id are empty".to_owned(),
            expected: "quarantined with a reason",
        });
    }
    super::deliver(world, out, (PLATFORM, "ad_stats"), delivery, &csv, defects)
}

fn click_view(
    world: &World,
    plan: &Plan,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let mut csv = Csv::new(
        "gclid,date,customer_id,campaign_id,ad_group_id,ad_id,keyword_text,_fivetran_synced",
    );
    let synced = plain(synced_at(world, delivery));
    for (unit, session) in &plan.click_days[delivery] {
        let unit = crate::demo::units::build(world, *unit);
        let index = usize::from(*session);
        let Origin::Ad(ad) = unit.sessions[index].origin else {
            continue;
        };
        let Some((_, click)) = crate::demo::origins::click_id(world, &unit, index) else {
            continue;
        };
        let ad = &world.ads.ads[usize::from(ad)];
        let campaign = world.ads.campaign_of(ad);
        let group = ad.group.map(|group| &world.ads.groups[group]);
        csv.row(fields! {
            click,
            world.calendar.day(delivery),
            world.ads.account_of(ad).id,
            campaign.id,
            group.map_or("", |group| &group.id),
            ad.id,
            group.map_or(String::new(), |group| group.name.to_lowercase()),
            synced,
        });
    }
    if super::has_broken_row(world, 2, delivery) {
        let account = &world.ads.accounts[0];
        let campaign = &world.ads.campaigns[0];
        let day = world.calendar.day(delivery);
        let line = csv.row(fields! { "", day, account.id, campaign.id, "", "", "", synced });
        defects.push(Defect {
            kind: "missing_id",
            file: super::file_name(world, PLATFORM, "click_view", delivery),
            place: line.to_string(),
            what: "gclid is empty".to_owned(),
            expected: "quarantined with a reason",
        });
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "click_view"),
        delivery,
        &csv,
        defects,
    )
}

/// Accounts, campaigns, ad groups and ads: all with the first delivery, then what changed.
fn structure(
    world: &World,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let synced = plain(synced_at(world, delivery));
    let begin = world.calendar.begin();
    let renamed = |campaign: &Campaign| {
        campaign
            .renamed
            .filter(|(at, _)| world.calendar.index(*at) == delivery)
    };
    let is_first = delivery == 0;
    if !is_first && !own(world).any(|(_, campaign)| renamed(campaign).is_some()) {
        return Ok(());
    }
    let mut campaigns = Csv::new(
        "id,updated_at,name,customer_id,advertising_channel_type,advertising_channel_subtype,\
         start_date,end_date,serving_status,status,tracking_url_template,_fivetran_synced",
    );
    for (_, campaign) in own(world) {
        let (at, name) = match renamed(campaign) {
            Some(change) => change,
            None if is_first => (begin - 40 * DAY, campaign.name),
            None => continue,
        };
        campaigns.row(fields! {
            campaign.id, plain(at), name, world.ads.accounts[campaign.account].id,
            campaign.google_type(), "UNSPECIFIED", "2025-09-01", "2037-12-30", "SERVING",
            "ENABLED", "", synced,
        });
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "campaign_history"),
        delivery,
        &campaigns,
        defects,
    )?;
    if is_first {
        members(world, out, delivery, defects)?;
    }
    Ok(())
}

fn members(
    world: &World,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let synced = plain(synced_at(world, delivery));
    let updated = plain(world.calendar.begin() - 40 * DAY);
    let mut accounts = Csv::new(
        "id,updated_at,_fivetran_synced,auto_tagging_enabled,currency_code,descriptive_name,\
         final_url_suffix,hidden,manager,manager_customer_id,optimization_score,\
         pay_per_conversion_eligibility_failure_reasons,test_account,time_zone,\
         tracking_url_template",
    );
    for account in world
        .ads
        .accounts
        .iter()
        .filter(|account| account.platform == PLATFORM)
    {
        accounts.row(fields! {
            account.id, updated, synced, "true", account.currency, account.name, "", "false",
            "false", "", "0.71", "[]", "false", crate::demo::calendar::ZONES[account.zone].name(),
            "",
        });
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "account_history"),
        delivery,
        &accounts,
        defects,
    )?;
    let mut groups =
        Csv::new("id,updated_at,type,campaign_id,campaign_name,name,status,_fivetran_synced");
    for group in &world.ads.groups {
        let campaign = &world.ads.campaigns[group.campaign];
        if campaign.platform == PLATFORM {
            groups.row(fields! {
                group.id, updated, "SEARCH_STANDARD", campaign.id, campaign.name, group.name,
                "ENABLED", synced,
            });
        }
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "ad_group_history"),
        delivery,
        &groups,
        defects,
    )?;
    ads(world, out, delivery, defects)
}

fn ads(
    world: &World,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let synced = plain(synced_at(world, delivery));
    let updated = plain(world.calendar.begin() - 40 * DAY);
    let mut ads = Csv::new(
        "ad_group_id,id,name,updated_at,type,status,display_url,final_urls,_fivetran_synced",
    );
    for ad in &world.ads.ads {
        let Some(group) = ad
            .group
            .filter(|_| world.ads.campaign_of(ad).platform == PLATFORM)
        else {
            continue;
        };
        ads.row(fields! {
            world.ads.groups[group].id, ad.id, ad.name, updated, "RESPONSIVE_SEARCH_AD", "ENABLED",
            "", format!("[{}]", ad.landing.url()), synced,
        });
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "ad_history"),
        delivery,
        &ads,
        defects,
    )
}
