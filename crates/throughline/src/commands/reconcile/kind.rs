//! What is compared: the platform, its zone and currency, and what the export has of it.

use std::collections::BTreeMap;

use anyhow::bail;
use chrono::NaiveDate;

use super::file::Export;
use super::ours::{Question, plain_name, texts};
use super::words::{Dimension, Subject};
use crate::cli::ReconcileArgs;
use crate::project::Opened;

/// An ad account as the warehouse knows it.
struct Account {
    platform: String,
    zone: String,
    currency: String,
}

/// What is to be asked of the warehouse.
///
/// # Errors
/// It is not clear which platform this is, or what was said does not fit.
pub(super) async fn question(
    opened: &Opened,
    args: &ReconcileArgs,
    export: &mut Export,
) -> anyhow::Result<Question> {
    let config = &opened.manifest.project.config;
    let subject = match &args.kind {
        Some(kind) => Subject::of_kind(&platform_name(kind)),
        None => Subject::of_measures(&export.measures).unwrap_or(Subject::Ads),
    };
    let (from, to) = super::range(args, export)?;
    shown_by(args, export)?;
    let mut question = Question {
        subject,
        platform: String::new(),
        dimensions: Vec::new(),
        by_campaign_id: export.by_campaign_id && subject == Subject::Ads,
        measures: measures(subject, export),
        from,
        to,
        zone: config.reporting.zone.clone(),
        reporting_zone: config.reporting.zone.clone(),
        zone_is_accounts: true,
        account_zones: Vec::new(),
        currency: config.reporting.currency.clone(),
        reporting_currency: config.reporting.currency.clone(),
        model: match &args.model {
            Some(model) => known_model(opened, model).await?,
            None => config.attribution.default_model.clone(),
        },
        window_days: 30,
        types: args.conversion_type.join(","),
        action: args.action.clone().unwrap_or_default(),
    };
    if question.measures.is_empty() {
        bail!(
            "`{}` has no figure of the kind `{}`\n  found: {}\n  expected: {}\nhint: name another \
             kind with `--kind`",
            args.against.display(),
            args.kind.as_deref().unwrap_or_default(),
            export.headings.join(", "),
            subject.measures().join(", ").replace('_', " ")
        );
    }
    // A currency that is the same in every row is that of the whole export.
    if let Some(code) = only_currency(export) {
        export.dimensions.retain(|one| *one != Dimension::Currency);
        export.currency = Some(code);
    }
    only_measures(args, &mut question.measures)?;
    for dimension in export.dimensions.clone() {
        if subject.dimensions().contains(&dimension) {
            question.dimensions.push(dimension);
        } else {
            export.ignored.push(dimension.name().to_owned());
        }
    }
    if subject == Subject::Ads {
        ads(opened, args, export, &mut question).await?;
    }
    question.window_days = args
        .window
        .unwrap_or_else(|| usual_window(&question.platform));
    zone(args, &mut question)?;
    currency(args, export, &mut question)?;
    Ok(question)
}

/// What rows are to be shown by must be in the export.
fn shown_by(args: &ReconcileArgs, export: &Export) -> anyhow::Result<()> {
    if let Some(by) = args.by.and_then(super::report::dimension_of)
        && !export.dimensions.contains(&by)
    {
        bail!(
            "`--by {0}`: the export has no {0}\nhint: its columns are {1}",
            by.name(),
            export.headings.join(", ")
        );
    }
    Ok(())
}

/// Leaves the measures that are asked for.
fn only_measures(args: &ReconcileArgs, measures: &mut Vec<&'static str>) -> anyhow::Result<()> {
    if !args.measure.is_empty() {
        let wanted: Vec<String> = args.measure.iter().map(|one| plain_name(one)).collect();
        let both = measures.join(", ");
        measures.retain(|name| wanted.iter().any(|one| one.replace(' ', "_") == *name));
        if measures.len() < wanted.len() {
            bail!(
                "`--measure {}`: not all of these are in the export\nhint: it has {both}",
                args.measure.join(",")
            );
        }
    }
    Ok(())
}

/// The zone of their days, where it is said.
fn zone(args: &ReconcileArgs, question: &mut Question) -> anyhow::Result<()> {
    if let Some(zone) = &args.zone {
        if zone.parse::<chrono_tz::Tz>().is_err() {
            bail!("`--zone {zone}` is no IANA zone\nhint: for example America/Los_Angeles");
        }
        question.zone_is_accounts = question.zone == *zone && question.account_zones.is_empty();
        question.account_zones = Vec::new();
        question.zone.clone_from(zone);
    }
    Ok(())
}

/// Platform, and the zone and currency of its accounts.
async fn ads(
    opened: &Opened,
    args: &ReconcileArgs,
    export: &Export,
    question: &mut Question,
) -> anyhow::Result<()> {
    let accounts = accounts(opened).await?;
    let mut platforms: Vec<&str> = accounts.iter().map(|one| one.platform.as_str()).collect();
    platforms.sort_unstable();
    platforms.dedup();
    if platforms.is_empty() {
        bail!("the warehouse has no figures of an ad platform\nhint: add one to `sources:`");
    }
    if let Some(kind) = &args.kind {
        let name = platform_name(kind);
        match platforms.iter().find(|known| **known == name) {
            Some(known) => (*known).clone_into(&mut question.platform),
            None => bail!(
                "`--kind {kind}`: the warehouse has no such platform\nhint: ga4, shopify, or one \
                 of {}",
                platforms.join(", ")
            ),
        }
    } else if !question.dimensions.contains(&Dimension::Platform) {
        question.platform = recognised(opened, export, &platforms).await?;
    }
    let ours = || {
        accounts
            .iter()
            .filter(|one| question.platform.is_empty() || one.platform == question.platform)
    };
    let one = |mut all: Vec<&str>| {
        all.sort_unstable();
        all.dedup();
        match all.as_slice() {
            [only] if !only.is_empty() => Some((*only).to_owned()),
            _ => None,
        }
    };
    let zone = one(ours().map(|account| account.zone.as_str()).collect());
    if zone.is_none() {
        // An account whose zone is not known, or is none of ours, has the project's days.
        let is_zone = |zone: &&str| zone.parse::<chrono_tz::Tz>().is_ok();
        let mut zones: Vec<String> = ours()
            .map(|account| account.zone.as_str())
            .filter(is_zone)
            .map(str::to_owned)
            .collect();
        zones.sort_unstable();
        zones.dedup();
        question.account_zones = zones;
    }
    let currency = one(ours().map(|account| account.currency.as_str()).collect());
    question.zone = zone.unwrap_or_else(|| question.reporting_zone.clone());
    question.currency = currency.unwrap_or_else(|| question.reporting_currency.clone());
    Ok(())
}

async fn accounts(opened: &Opened) -> anyhow::Result<Vec<Account>> {
    let rows = texts(
        opened,
        "select distinct platform, coalesce(account_zone, '') as account_zone, \
         coalesce(currency_code, '') as currency_code from star.fct_ad_performance",
    )
    .await?;
    let account = |row: Vec<String>| {
        let mut cells = row.into_iter();
        let mut next = || cells.next().unwrap_or_default();
        Account {
            platform: next(),
            zone: next(),
            currency: next(),
        }
    };
    Ok(rows.into_iter().map(account).collect())
}

/// The platform whose campaigns the export names; the only one there is; or that of the headings.
async fn recognised(
    opened: &Opened,
    export: &Export,
    platforms: &[&str],
) -> anyhow::Result<String> {
    if let [only] = platforms {
        return Ok((*only).to_owned());
    }
    let mut named: Vec<String> = export
        .rows
        .iter()
        .filter_map(|row| row.about.get(&Dimension::Campaign))
        .map(|name| plain_name(name))
        .collect();
    named.sort_unstable();
    named.dedup();
    let column = if export.by_campaign_id {
        "campaign_id"
    } else {
        "campaign_name"
    };
    let known = texts(
        opened,
        &format!(
            "select distinct platform, {column} from star.dim_campaign where {column} is not null"
        ),
    )
    .await?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &known {
        if let [platform, name] = row.as_slice()
            && platforms.contains(&platform.as_str())
            && named.binary_search(&plain_name(name)).is_ok()
        {
            *counts.entry(platform).or_default() += 1;
        }
    }
    let best = counts.values().max().copied().unwrap_or_default();
    let winners: Vec<&&str> = counts
        .iter()
        .filter(|(_, count)| **count == best && best > 0)
        .map(|(platform, _)| platform)
        .collect();
    if let [only] = winners.as_slice() {
        return Ok((**only).to_owned());
    }
    // Headings that one vendor alone writes so.
    let headings: Vec<String> = export
        .headings
        .iter()
        .map(|one| one.to_lowercase())
        .collect();
    let has = |word: &str| headings.iter().any(|one| one.starts_with(word));
    let by_heading = [
        ("meta_ads", has("amount spent")),
        ("google_ads", has("impr.") || has("avg. cpc")),
        ("linkedin_ads", has("total spent")),
    ];
    for (platform, is_there) in by_heading {
        if is_there && platforms.contains(&platform) {
            return Ok(platform.to_owned());
        }
    }
    bail!(
        "it is not clear whose export `{}` is\nhint: say it with `--kind`: {}",
        export.headings.join(", "),
        platforms.join(", ")
    )
}

/// What the campaigns were ever called, with what they are called now.
pub(super) async fn campaign_names(
    opened: &Opened,
    question: &Question,
) -> anyhow::Result<BTreeMap<String, String>> {
    if question.subject != Subject::Ads
        || question.by_campaign_id
        || !question.dimensions.contains(&Dimension::Campaign)
    {
        return Ok(BTreeMap::new());
    }
    let platform = question.platform.replace('\'', "''");
    let rows = texts(
        opened,
        &format!(
            "select old.campaign_name, new.campaign_name as now_called \
             from star.dim_campaign as old inner join star.dim_campaign as new \
             on old.campaign_key = new.campaign_key and new.is_current \
             where old.campaign_name is not null and new.campaign_name is not null \
             and ('{platform}' = '' or old.platform = '{platform}') \
             group by old.campaign_name, new.campaign_name order by 1, 2"
        ),
    )
    .await?;
    let mut names = BTreeMap::new();
    for row in rows {
        if let [old, new] = row.as_slice() {
            // A name in use now means the campaign that has it now.
            if plain_name(old) == plain_name(new) {
                names.insert(plain_name(old), new.clone());
            } else {
                names.entry(plain_name(old)).or_insert_with(|| new.clone());
            }
        }
    }
    Ok(names)
}

/// The last day that is loaded; none where that cannot be told from the days there are.
pub(super) async fn last_day(
    opened: &Opened,
    question: &Question,
) -> anyhow::Result<Option<NaiveDate>> {
    let platform = question.platform.replace('\'', "''");
    let sql = match question.subject {
        Subject::Ads => format!(
            "select cast(max(report_date) as text) as day from star.fct_ad_performance \
             where '{platform}' = '' or platform = '{platform}'"
        ),
        Subject::Web => {
            "select cast(max(reporting_date) as text) as day from star.fct_session".to_owned()
        }
        // A shop without an order has sold nothing that day, or was not loaded.
        Subject::Shop => return Ok(None),
    };
    let rows = texts(opened, &sql).await?;
    Ok(rows.first().and_then(|row| row.first()?.parse().ok()))
}

/// The currency that is compared. Where rows have their own, there is not one.
fn currency(args: &ReconcileArgs, export: &Export, question: &mut Question) -> anyhow::Result<()> {
    if question.dimensions.contains(&Dimension::Currency) {
        question.currency.clear();
        return Ok(());
    }
    if let Some(code) = args.currency.as_ref().or(export.currency.as_ref()) {
        if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            bail!("`--currency {code}` is no ISO 4217 code\nhint: for example EUR");
        }
        question.currency = code.to_ascii_uppercase();
    }
    Ok(())
}

/// The currency of all rows, where they have one column for it and one value in that.
fn only_currency(export: &Export) -> Option<String> {
    let mut codes = export
        .rows
        .iter()
        .filter_map(|row| row.about.get(&Dimension::Currency));
    let first = codes.next()?;
    let is_one = !first.is_empty() && codes.all(|code| code == first);
    is_one.then(|| first.clone())
}

/// Measures that both sides have. What an ad platform claims is compared twice: with what we hold
/// of its claims, and with what we credit to it.
fn measures(subject: Subject, export: &Export) -> Vec<&'static str> {
    let mut measures: Vec<&'static str> = Vec::new();
    for name in subject.measures() {
        if !export.measures.contains(name) {
            continue;
        }
        let all: &[&'static str] = match (subject, *name) {
            (Subject::Ads, "conversions" | "purchases") => &["conversions", "platform_conversions"],
            (Subject::Ads, "conversion_value" | "revenue") => {
                &["conversion_value", "platform_conversion_value"]
            }
            _ => std::slice::from_ref(name),
        };
        for one in all {
            if !measures.contains(one) {
                measures.push(one);
            }
        }
    }
    measures
}

/// The column of the export that a measure is compared with.
pub(super) fn column_of(subject: Subject, measure: &'static str, export: &Export) -> &'static str {
    let first = |names: [&'static str; 2]| {
        let there = names
            .into_iter()
            .find(|name| export.measures.contains(name));
        there.unwrap_or(measure)
    };
    match (subject, measure) {
        (Subject::Ads, "conversions" | "platform_conversions") => {
            first(["conversions", "purchases"])
        }
        (Subject::Ads, "conversion_value" | "platform_conversion_value") => {
            first(["conversion_value", "revenue"])
        }
        _ => measure,
    }
}

/// `Google Ads`, `google-ads` and `google` as the warehouse writes it.
pub(super) fn platform_name(said: &str) -> String {
    let name = said.trim().to_lowercase().replace([' ', '-'], "_");
    match name.as_str() {
        "google" | "meta" | "linkedin" | "tiktok" | "microsoft" | "pinterest" | "reddit"
        | "snapchat" | "x" | "amazon" | "apple" => format!("{name}_ads"),
        "facebook" | "facebook_ads" | "instagram" => "meta_ads".to_owned(),
        "bing" | "bing_ads" => "microsoft_ads".to_owned(),
        "google_analytics" | "google_analytics_4" => "ga4".to_owned(),
        _ => name,
    }
}

/// Days after a click in which a platform counts a conversion, if nothing else is set there.
fn usual_window(platform: &str) -> u32 {
    match platform {
        "meta_ads" | "tiktok_ads" => 7,
        "amazon_ads" => 14,
        "snapchat_ads" | "reddit_ads" => 28,
        _ => 30,
    }
}

async fn known_model(opened: &Opened, model: &str) -> anyhow::Result<String> {
    let rows = texts(
        opened,
        "select model from star.dim_attribution_model where model_kind = 'rule' order by model",
    )
    .await?;
    let models: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.first())
        .map(String::as_str)
        .collect();
    if !models.contains(&model) {
        bail!(
            "`--model {model}` is none of the attribution models\nhint: {}",
            models.join(", ")
        );
    }
    Ok(model.to_owned())
}
