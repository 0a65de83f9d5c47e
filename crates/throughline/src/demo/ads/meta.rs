//! Meta Ads: accounts, campaigns, ad sets, ads, daily figures by ad and the actions it claims.
//!
//! Figures come by ad only; a campaign is what its ads add up to. The first delivery of the
//! account lacks its currency, the second one brings it.

use std::path::Path;

use super::{Figures, figures, report_days, row_id, synced_at};
use crate::demo::calendar::{DAY, plain};
use crate::demo::campaigns::{Ad, Campaign, Platform, slug};
use crate::demo::catalogue::cents;
use crate::demo::files::{Csv, Defect, fields};
use crate::demo::plan::Plan;
use crate::demo::world::World;

const PLATFORM: Platform = Platform::Meta;

/// Writes one delivery.
pub(crate) fn write(
    world: &World,
    plan: &Plan,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    accounts(world, out, delivery, defects)?;
    campaigns(world, out, delivery, defects)?;
    if delivery == 0 {
        members(world, out, defects)?;
    }
    basic_ad(world, plan, out, delivery, defects)?;
    actions(world, plan, out, delivery, defects)
}

fn own(world: &World) -> impl Iterator<Item = (usize, &Ad)> {
    let ads = world.ads.ads.iter().enumerate();
    ads.filter(|(_, ad)| world.ads.campaign_of(ad).platform == PLATFORM)
}

fn group_of<'a>(world: &'a World, ad: &Ad) -> (&'a str, &'a str) {
    match ad.group {
        Some(group) => (&world.ads.groups[group].id, &world.ads.groups[group].name),
        None => ("", ""),
    }
}

fn ratio(above: i64, below: i64, digits: usize) -> String {
    if below == 0 {
        String::new()
    } else {
        format!("{:.digits$}", above as f64 / below as f64)
    }
}

fn basic_ad(
    world: &World,
    plan: &Plan,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let mut csv = Csv::new(
        "ad_id,date,account_id,_fivetran_id,_fivetran_synced,ad_name,adset_name,campaign_name,\
         impressions,reach,frequency,inline_link_clicks,spend,cpc,cpm,ctr",
    );
    let at = synced_at(world, delivery);
    let synced = plain(at);
    for (index, ad) in own(world) {
        let campaign = world.ads.campaign_of(ad);
        for (day, age) in report_days(world, delivery, campaign.account) {
            let date = world.calendar.day(day).to_string();
            let f: Figures = figures(world, plan, index, day, age);
            let reach = (f.impressions * 7 / 10).max(1);
            csv.row(fields! {
                ad.id, date, world.ads.accounts[campaign.account].id, row_id(&[&ad.id, &date]),
                synced, ad.name, group_of(world, ad).1, campaign.name_at(at), f.impressions, reach,
                ratio(f.impressions, reach, 4), f.clicks, cents(f.spend),
                ratio(f.spend, f.clicks * 100, 4), ratio(f.spend * 10, f.impressions, 4),
                ratio(f.clicks * 100, f.impressions, 4),
            });
        }
    }
    if super::has_broken_row(world, 3, delivery)
        && let Some((_, ad)) = own(world).next()
    {
        let account = &world.ads.accounts[world.ads.campaign_of(ad).account].id;
        let line = csv.row(fields! {
            "120212999999999999", world.calendar.day(delivery), account,
            row_id(&["broken", &synced]), synced, "Draft", "", "", "many", 0, "", 0, "12,40 EUR",
            "", "", "",
        });
        defects.push(Defect {
            kind: "text_in_number",
            file: super::file_name(world, PLATFORM, "basic_ad", delivery),
            place: line.to_string(),
            what: "impressions is `many`, spend is `12,40 EUR`".to_owned(),
            expected: "quarantined with a reason",
        });
    }
    super::deliver(world, out, (PLATFORM, "basic_ad"), delivery, &csv, defects)
}

fn actions(
    world: &World,
    plan: &Plan,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let mut counts = Csv::new(
        "_fivetran_id,ad_id,date,index,_1_d_view,_7_d_click,_fivetran_synced,action_type,\
         inline,value",
    );
    let mut values =
        Csv::new("ad_id,date,_fivetran_id,index,action_type,value,_fivetran_synced,_7_d_click");
    let synced = plain(synced_at(world, delivery));
    for (index, ad) in own(world) {
        for (day, age) in report_days(world, delivery, world.ads.campaign_of(ad).account) {
            let f = figures(world, plan, index, day, age);
            let bought = (f.conversions + 5) / 10;
            let date = world.calendar.day(day).to_string();
            let id = row_id(&[&ad.id, &date]);
            let viewed = bought / 4;
            counts.row(fields! {
                id, ad.id, date, 0, "", f.clicks, synced, "link_click", "", f.clicks
            });
            if bought > 0 {
                counts.row(fields! {
                    id, ad.id, date, 1, viewed, bought - viewed, synced,
                    "offsite_conversion.fb_pixel_purchase", "", bought,
                });
                values.row(fields! {
                    ad.id, date, id, 1, "offsite_conversion.fb_pixel_purchase", cents(f.value),
                    synced, cents(f.value),
                });
            }
        }
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "basic_ad_actions"),
        delivery,
        &counts,
        defects,
    )?;
    super::deliver(
        world,
        out,
        (PLATFORM, "basic_ad_action_values"),
        delivery,
        &values,
        defects,
    )
}

fn accounts(
    world: &World,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    if delivery > 1 {
        return Ok(());
    }
    let mut csv =
        Csv::new("id,name,_fivetran_synced,account_status,currency,timezone_name,created_time");
    for account in world
        .ads
        .accounts
        .iter()
        .filter(|account| account.platform == PLATFORM)
    {
        let is_missing = delivery == 0 && account.currency == "EUR";
        let currency = if is_missing { "" } else { account.currency };
        let line = csv.row(fields! {
            account.id, account.name, plain(synced_at(world, delivery)), "ACTIVE", currency,
            crate::demo::calendar::ZONES[account.zone].name(), "2023-02-01 09:00:00",
        });
        if is_missing {
            defects.push(Defect {
                kind: "missing_currency",
                file: super::file_name(world, PLATFORM, "account_history", delivery),
                place: line.to_string(),
                what: "the account's currency is empty".to_owned(),
                expected: "the next delivery's currency counts; no rate is ever invented",
            });
        }
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "account_history"),
        delivery,
        &csv,
        defects,
    )
}

fn campaigns(
    world: &World,
    out: &Path,
    delivery: usize,
    defects: &mut Vec<Defect>,
) -> anyhow::Result<()> {
    let mut csv = Csv::new(
        "id,account_id,name,_fivetran_synced,updated_time,objective,status,start_time,stop_time",
    );
    let begin = world.calendar.begin() - 40 * DAY;
    let own = world
        .ads
        .campaigns
        .iter()
        .filter(|campaign| campaign.platform == PLATFORM);
    for campaign in own {
        let change = campaign
            .renamed
            .filter(|(at, _)| world.calendar.index(*at) == delivery);
        let (at, name) = match change {
            Some(change) => change,
            None if delivery == 0 => (begin, campaign.name),
            None => continue,
        };
        csv.row(campaign_row(world, campaign, name, at, delivery));
    }
    if csv.lines() == 1 {
        return Ok(());
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "campaign_history"),
        delivery,
        &csv,
        defects,
    )
}

fn campaign_row(
    world: &World,
    campaign: &Campaign,
    name: &str,
    at: i64,
    delivery: usize,
) -> [String; 9] {
    fields! {
        campaign.id,
        world.ads.accounts[campaign.account].id,
        name,
        plain(synced_at(world, delivery)),
        plain(at),
        "OUTCOME_SALES",
        "ACTIVE",
        "2025-11-03 08:00:00",
        "",
    }
}

fn members(world: &World, out: &Path, defects: &mut Vec<Defect>) -> anyhow::Result<()> {
    let synced = plain(synced_at(world, 0));
    let updated = plain(world.calendar.begin() - 40 * DAY);
    let mut sets = Csv::new("id,account_id,campaign_id,name,_fivetran_synced,updated_time,status");
    for group in &world.ads.groups {
        let campaign = &world.ads.campaigns[group.campaign];
        if campaign.platform == PLATFORM {
            let account = &world.ads.accounts[campaign.account].id;
            sets.row(fields! {
                group.id, account, campaign.id, group.name, synced, updated, "ACTIVE"
            });
        }
    }
    super::deliver(world, out, (PLATFORM, "ad_set_history"), 0, &sets, defects)?;
    let mut ads = Csv::new(
        "id,account_id,ad_set_id,campaign_id,creative_id,name,_fivetran_synced,updated_time,\
         status",
    );
    let mut creatives =
        Csv::new("_fivetran_id,_fivetran_synced,id,account_id,name,page_link,url_tags");
    for (_, ad) in own(world) {
        let campaign = world.ads.campaign_of(ad);
        let account = &world.ads.accounts[campaign.account].id;
        let creative = format!("9{}", &ad.id[1..]);
        ads.row(fields! {
            ad.id, account, group_of(world, ad).0, campaign.id, creative, ad.name, synced, updated,
            "ACTIVE",
        });
        let tags = format!(
            "[{{\"key\":\"utm_campaign\",\"value\":\"{{{{campaign.name}}}}\",\"type\":\"AD\"}},\
             {{\"key\":\"utm_content\",\"value\":\"{}\",\"type\":\"AD\"}}]",
            slug(&ad.name)
        );
        creatives.row(fields! {
            row_id(&[&creative]), synced, creative, account, ad.name, ad.landing.url(), tags
        });
    }
    super::deliver(
        world,
        out,
        (PLATFORM, "creative_history"),
        0,
        &creatives,
        defects,
    )?;
    super::deliver(world, out, (PLATFORM, "ad_history"), 0, &ads, defects)
}
