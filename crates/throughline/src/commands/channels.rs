//! `channels preview`: what a changed table of channel rules would move, before anything is built.
//!
//! What was built is compared with what the rules of a file (or of the project, where they were
//! edited since) say of the same source, medium, campaign and day. Nothing is written.

mod figures;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::NaiveDate;
use journeys::channels::{ChannelRules, SourceLists};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use self::figures::{Figures, Moves};
use super::{Exit, report};
use crate::cli::{ChannelsCommand, ChannelsPreviewArgs};
use crate::project::{Opened, Place};
use crate::say::Voice;

/// The command.
pub(crate) async fn channels(
    place: Place,
    command: &ChannelsCommand,
    voice: Voice,
) -> anyhow::Result<Exit> {
    match command {
        ChannelsCommand::Preview(args) => preview(place, args, voice).await,
    }
}

async fn preview(place: Place, args: &ChannelsPreviewArgs, voice: Voice) -> anyhow::Result<Exit> {
    if args.from.zip(args.to).is_some_and(|(from, to)| from > to) {
        bail!("`--from` is after `--to`");
    }
    let opened = report::open(place, "mart_channel_daily").await?;
    let model = model(&opened, args.model.as_deref()).await?;
    let judge = Judge::new(&opened, args)?;
    let mut moves = Moves::default();
    let questions = Questions {
        args,
        model: &model,
        is_dated: judge.rules.is_dated(),
    };
    for sql in questions.all() {
        for row in report::rows(&opened, &sql).await? {
            add(&mut moves, &judge, &row)?;
        }
    }
    let unlisted = unlisted(&opened, &moves);
    let currency = &opened.manifest.project.config.reporting.currency;
    let mut result = moves.json();
    result["model"] = json!(model);
    result["currency"] = json!(currency);
    result["from"] = json!(args.from);
    result["to"] = json!(args.to);
    result["rules"] = json!({"file": args.rules, "version": judge.version});
    result["channels_not_in_seed"] = json!(unlisted);
    voice.result(&result);
    for line in moves.lines(&model, currency) {
        voice.line(&line);
    }
    voice.line(&format!("version of these rules: {}", judge.version));
    for channel in &unlisted {
        voice.line(&format!(
            "the channel `{channel}` is not in the seed `channel`: without a row there, reports \
             leave its visits out"
        ));
    }
    Ok(Exit::Done)
}

/// The new rules.
struct Judge {
    rules: ChannelRules,
    /// Of the rules and of the lists: two sets of one version judge alike.
    version: String,
}

impl Judge {
    /// The rules and lists of the command line; those of the project where it names none.
    fn new(opened: &Opened, args: &ChannelsPreviewArgs) -> anyhow::Result<Self> {
        let text = |file: Option<&Path>, seed: &str| match file {
            Some(path) => std::fs::read_to_string(path)
                .with_context(|| format!("`{}` cannot be read", path.display())),
            None => match opened.manifest.project.seeds.get(seed) {
                Some(seed) => Ok(seed.text.clone()),
                None => bail!("the seed `{seed}` is missing from the models"),
            },
        };
        let rules = text(args.rules.as_deref(), "channel_rule")?;
        let sources = text(args.sources.as_deref(), "channel_source")?;
        let mut digest = Sha256::new();
        digest.update(&rules);
        digest.update([0]);
        digest.update(&sources);
        let version = hex::encode(&digest.finalize()[..6]);
        let lists = SourceLists::from_csv(&sources)?;
        let rules = ChannelRules::from_csv(&rules, lists)?;
        Ok(Self { rules, version })
    }

    /// The channel of a row. What came without any source is no matter of rules.
    fn channel<'a>(&'a self, row: &'a Value) -> anyhow::Result<&'a str> {
        if row["is_judged"] != true {
            return Ok(report::text(row, "channel"));
        }
        let day = match row["day"].as_str() {
            Some(day) => Some(day.parse::<NaiveDate>().context("a day of no calendar")?),
            None => None,
        };
        Ok(self.rules.channel_group(
            row["source"].as_str(),
            row["medium"].as_str(),
            row["campaign_name"].as_str(),
            day,
        ))
    }
}

/// Adds a row of a query to what stays or moves.
fn add(moves: &mut Moves, judge: &Judge, row: &Value) -> anyhow::Result<()> {
    let came = |name: &str| row[name].as_str().unwrap_or("(not set)");
    let origin = format!("{} / {}", came("source"), came("medium"));
    let figures = Figures::of_row(row)?;
    let old = report::text(row, "channel");
    moves.add(old, judge.channel(row)?, &origin, &figures);
    Ok(())
}

/// The attribution model whose credit is shown.
async fn model(opened: &Opened, asked: Option<&str>) -> anyhow::Result<String> {
    let default = &opened.manifest.project.config.attribution.default_model;
    let model = asked.unwrap_or(default);
    let sql = "select model from star.dim_attribution_model order by model";
    let known = report::rows(opened, sql).await?;
    let known: Vec<&str> = known.iter().map(|row| report::text(row, "model")).collect();
    if !known.contains(&model) {
        bail!(
            "there is no attribution model `{model}`\nhint: one of {}",
            known.join(", ")
        );
    }
    Ok(model.to_owned())
}

/// Channels that something would move to and that have no row in the seed `channel`.
fn unlisted<'a>(opened: &Opened, moves: &'a Moves) -> BTreeSet<&'a str> {
    let seed = opened.manifest.project.seeds.get("channel");
    let listed: BTreeSet<&str> = seed
        .iter()
        .flat_map(|seed| seed.text.lines())
        .filter_map(|line| line.split(',').next())
        .map(|name| name.trim().trim_matches('"'))
        .collect();
    let mut targets = moves.targets();
    targets.retain(|channel| !listed.contains(channel));
    targets
}

/// The queries: figures by channel as built, and by what the rules look at.
struct Questions<'a> {
    args: &'a ChannelsPreviewArgs,
    model: &'a str,
    /// Only rules with days need the day of each visit.
    is_dated: bool,
}

const CREDIT: &str = "cast(sum(a.credit) as decimal(28, 12)) as conversions, \
     cast(coalesce(sum(a.credited_reporting_amount), 0) as decimal(28, 6)) as revenue";

impl Questions<'_> {
    fn all(&self) -> [String; 4] {
        let credit = |touch_types: &str| {
            let model = self.model;
            format!("a.model = '{model}' and a.touch_type in ({touch_types})")
        };
        [
            self.sessions("count(*) as sessions", "star.fct_session s", "not s.is_bot"),
            self.activities(
                "count(*) as activities",
                "star.fct_journey_event e",
                "e.is_touchpoint and e.event_group = 'crm'",
            ),
            self.sessions(
                CREDIT,
                "star.fct_attribution_credit a \
                 inner join star.fct_session s on a.touch_id = s.session_id",
                &credit("'session'"),
            ),
            self.activities(
                CREDIT,
                "star.fct_attribution_credit a \
                 inner join star.fct_journey_event e on a.touch_id = e.event_id",
                &credit("'activity', 'event'"),
            ),
        ]
    }

    /// Of sessions; the day that the rules go by is the one on which it began.
    fn sessions(&self, figures: &str, from: &str, condition: &str) -> String {
        let day = self.day("s.session_started_at");
        let days = self.days("s.reporting_date");
        format!(
            "select coalesce(c.channel, '(not in the seed)') as channel, s.source, s.medium, \
             s.campaign_name, {day} as day, not s.is_direct as is_judged, {figures} from {from} \
             left join star.dim_channel c on s.channel_key = c.channel_key \
             where {condition}{days} {GROUPS}"
        )
    }

    /// Of marked activities of the CRM, and of web events where those are touches; one that names
    /// no source is no matter of rules.
    fn activities(&self, figures: &str, from: &str, condition: &str) -> String {
        let day = self.day("e.event_at");
        let days = self.days("e.reporting_date");
        format!(
            "select case when e.channel_key = -1 then 'Unassigned' \
             else coalesce(c.channel, '(not in the seed)') end as channel, e.source, e.medium, \
             e.campaign_name, {day} as day, coalesce(e.source, e.medium) is not null as is_judged, \
             {figures} from {from} \
             left join star.dim_channel c on e.channel_key = c.channel_key \
             where {condition}{days} {GROUPS}"
        )
    }

    fn day(&self, instant: &str) -> String {
        if self.is_dated {
            format!("cast(cast({instant} as date) as text)")
        } else {
            "cast(null as text)".to_owned()
        }
    }

    /// The days of the command line, as conditions.
    fn days(&self, column: &str) -> String {
        let bounds = [(">=", self.args.from), ("<=", self.args.to)];
        let conditions = bounds.iter().filter_map(|(operator, day)| {
            day.map(|day| format!(" and {column} {operator} date '{day}'"))
        });
        conditions.collect()
    }
}

const GROUPS: &str = "group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6";
