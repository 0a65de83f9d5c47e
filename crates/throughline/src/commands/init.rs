//! `init`: a project folder with everything that a first run needs.

mod recognise;

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use lake::crash;
use serde_json::json;

use super::Exit;
use crate::cli::{InitArgs, WeekStartArg};
use crate::project::{CONFIG, KEY_FILE};
use crate::say::Voice;
use recognise::Found;

/// What a project is asked.
#[derive(Debug, Clone)]
struct Answers {
    name: String,
    zone: String,
    currency: String,
    week_start: &'static str,
    home_country: Option<String>,
    domains: Vec<String>,
    payment_referrals: Vec<String>,
    default_model: String,
    lookback: u32,
    net_without: Vec<String>,
}

/// Attribution models that reports can show first.
const MODELS: [&str; 6] = [
    "first",
    "last",
    "last_non_direct",
    "linear",
    "position",
    "time_decay",
];

/// The command.
pub(crate) fn init(args: &InitArgs, voice: Voice) -> anyhow::Result<Exit> {
    if args.dir.join(CONFIG).exists() {
        bail!(
            "`{}` is a project already\nhint: change its `{CONFIG}`, or choose another folder",
            args.dir.display()
        );
    }
    let answers = ask(args, voice)?;
    let found = match &args.from {
        Some(folder) => recognise::recognise(folder, &args.dir, voice)?,
        None => Found::default(),
    };
    create(&args.dir, &config_text(&answers, &found))?;
    voice.result(&json!({
        "project": args.dir,
        "name": answers.name,
        "sources": found.streams.keys().collect::<Vec<_>>(),
    }));
    voice.line(&format!(
        "made the project `{}` in {}",
        answers.name,
        args.dir.display()
    ));
    voice.line(&format!(
        "its key is in {KEY_FILE}: keep it, and keep it out of version control"
    ));
    let kinds: Vec<&str> = found.streams.keys().map(String::as_str).collect();
    let run = format!("`throughline --project {} run`", args.dir.display());
    voice.line(&match kinds.as_slice() {
        [] => format!("next: say in {CONFIG} where your exports are, then {run}"),
        kinds => format!(
            "recognised: {}\nnext: look over `sources:` in {CONFIG}, then {run}",
            kinds.join(", ")
        ),
    });
    Ok(Exit::Done)
}

/// Makes the folder with its files. Also used by the demo.
pub(super) fn create(dir: &Path, config: &str) -> anyhow::Result<()> {
    for folder in ["models", "macros", "seeds", "tests", "metrics", "sources"] {
        let path = dir.join(folder);
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make `{}`", path.display()))?;
    }
    std::fs::write(
        dir.join(".gitignore"),
        format!(".throughline/\ntarget/\n{KEY_FILE}*\n"),
    )?;
    let key = dir.join(KEY_FILE);
    if !key.exists() {
        crash::point("init.before_key");
        let temporary = beside(&key, &format!("{}\n", new_key()), 0o600)?;
        crash::point("init.key_written");
        std::fs::rename(temporary, &key)?;
        crash::point("init.key_placed");
    }
    // The settings come last: where they are, the project is whole.
    let path = dir.join(CONFIG);
    let temporary = beside(&path, config, 0o644)?;
    crash::point("init.config_written");
    std::fs::rename(temporary, &path)?;
    crash::point("init.config_placed");
    Ok(())
}

/// A new key of 32 random bytes, as hexadecimal digits.
fn new_key() -> String {
    use rand::RngCore as _;
    let mut key = [0u8; 32];
    rand::rng().fill_bytes(&mut key);
    hex::encode(key)
}

/// Writes a text to a file beside `path`, down to the disk: moved to its place it is there whole
/// or not at all.
#[cfg_attr(not(unix), expect(unused_variables, reason = "only unix has modes"))]
fn beside(path: &Path, text: &str, mode: u32) -> anyhow::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(mode);
    }
    let mut file = options
        .open(&temporary)
        .with_context(|| format!("cannot make `{}`", temporary.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(temporary)
}

fn ask(args: &InitArgs, voice: Voice) -> anyhow::Result<Answers> {
    let folder = std::path::absolute(&args.dir)?;
    let folder = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let prompt = Prompt {
        on: !args.yes && !voice.json && std::io::stdin().is_terminal(),
    };
    let name = prompt.one(
        "name of the project",
        args.name.clone(),
        &folder.unwrap_or_default(),
    )?;
    let (zone, currency, week_start) = ask_reporting(args, &prompt)?;
    let home = prompt.one("home country (ISO 3166)", args.home_country.clone(), "")?;
    let domains = prompt.many(
        "own domains, separated by commas",
        args.domains.clone(),
        &[],
    )?;
    let payment_referrals = prompt.many(
        "payment providers whose returning visitors are no new source",
        args.payment_referrals.clone(),
        &["paypal.com", "checkout.stripe.com"],
    )?;
    let (default_model, lookback, net_without) = ask_attribution(args, &prompt)?;
    Ok(Answers {
        name,
        zone,
        currency,
        week_start,
        home_country: Some(home.to_uppercase()).filter(|code| !code.is_empty()),
        domains,
        payment_referrals,
        default_model,
        lookback,
        net_without,
    })
}

/// In which zone, currency and weeks figures are reported.
fn ask_reporting(
    args: &InitArgs,
    prompt: &Prompt,
) -> anyhow::Result<(String, String, &'static str)> {
    let zone = prompt.one(
        "zone in which days are reported (IANA)",
        args.zone.clone(),
        "UTC",
    )?;
    if zone.parse::<chrono_tz::Tz>().is_err() {
        bail!("`{zone}` is no IANA zone\nhint: for example Europe/Berlin or America/New_York");
    }
    let currency = prompt
        .one(
            "currency in which money is reported (ISO 4217)",
            args.currency.clone(),
            "USD",
        )?
        .to_uppercase();
    if currency.len() != 3 || !currency.chars().all(|c| c.is_ascii_uppercase()) {
        bail!("`{currency}` is no currency code\nhint: three letters, for example EUR");
    }
    let week = args.week_start.map(|week| match week {
        WeekStartArg::Monday => "monday".to_owned(),
        WeekStartArg::Sunday => "sunday".to_owned(),
    });
    let week_start = match prompt.one("first day of a week", week, "monday")?.as_str() {
        "monday" => "monday",
        "sunday" => "sunday",
        other => bail!("a week cannot begin on `{other}`\nhint: monday or sunday"),
    };
    Ok((zone, currency, week_start))
}

/// How conversions are credited, and what net revenue means.
fn ask_attribution(args: &InitArgs, prompt: &Prompt) -> anyhow::Result<(String, u32, Vec<String>)> {
    let default_model = prompt.one(
        "attribution model shown first",
        args.default_model.clone(),
        "position",
    )?;
    if !MODELS.contains(&default_model.as_str()) {
        bail!(
            "there is no attribution model `{default_model}`\nhint: one of {}",
            MODELS.join(", ")
        );
    }
    let lookback = prompt.one(
        "days before a conversion in which a touch counts",
        args.lookback.map(|days| days.to_string()),
        "90",
    )?;
    let lookback = lookback
        .parse()
        .with_context(|| format!("`{lookback}` is no number of days"))?;
    let net_without = prompt.many(
        "net revenue is without (tax, shipping, refunds; none)",
        args.net_without.clone(),
        &["tax", "shipping", "refunds"],
    )?;
    for what in &net_without {
        if !["tax", "shipping", "refunds", "none"].contains(&what.as_str()) {
            bail!("net revenue cannot be without `{what}`\nhint: tax, shipping, refunds or none");
        }
    }
    Ok((default_model, lookback, net_without))
}

struct Prompt {
    on: bool,
}

impl Prompt {
    fn one(&self, what: &str, given: Option<String>, default: &str) -> anyhow::Result<String> {
        if let Some(given) = given {
            return Ok(given);
        }
        if !self.on {
            return Ok(default.to_owned());
        }
        let mut error = std::io::stderr();
        if default.is_empty() {
            write!(error, "{what}: ")?;
        } else {
            write!(error, "{what} [{default}]: ")?;
        }
        error.flush()?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        let line = line.trim();
        Ok(if line.is_empty() {
            default.to_owned()
        } else {
            line.to_owned()
        })
    }

    fn many(
        &self,
        what: &str,
        given: Option<Vec<String>>,
        default: &[&str],
    ) -> anyhow::Result<Vec<String>> {
        let text = self.one(what, given.map(|list| list.join(",")), &default.join(","))?;
        Ok(text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect())
    }
}

/// A YAML text in quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn list(values: &[String]) -> String {
    format!(
        "[{}]",
        values
            .iter()
            .map(|value| quoted(value))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// The text of a new `throughline.yml`.
fn config_text(answers: &Answers, found: &Found) -> String {
    let without = |what: &str| answers.net_without.iter().any(|known| known == what);
    let home = answers.home_country.as_deref().map_or_else(
        || "  # home_country: DE".to_owned(),
        |code| format!("  home_country: {}", quoted(code)),
    );
    let mut text = format!(
        "# A Throughline project. Every setting: docs/guides/start.md\n\
         name: {}\nversion: 1\n\n\
         reporting:\n  zone: {}\n  currency: {}\n  week_start: {}\n{home}\n\n\
         site:\n  # own domains: a visit from one of them is no new source\n  domains: {}\n\
         \x20 # payment providers and log-in pages: nor is a return from one of these\n\
         \x20 payment_referrals: {}\n\n\
         attribution:\n  default_model: {}\n  lookback_days: {{default: {}}}\n\
         \x20 half_life_days: 7\n  # key events that are conversions of their own, beside sales\n\
         \x20 conversion_events: [generate_lead, sign_up]\n\n\
         revenue:\n  exclude_tax: {}\n  exclude_shipping: {}\n  subtract_refunds: {}\n\n",
        quoted(&answers.name),
        quoted(&answers.zone),
        quoted(&answers.currency),
        answers.week_start,
        list(&answers.domains),
        list(&answers.payment_referrals),
        answers.default_model,
        answers.lookback,
        without("tax"),
        without("shipping"),
        without("refunds"),
    );
    text.push_str(&sources_text(found));
    text
}

/// The text of `sources:`, with what fits no kind as comments: it needs a model of one's own.
fn sources_text(found: &Found) -> String {
    let mut text = String::new();
    if found.streams.is_empty() {
        text.push_str("# Where your data is, for example:\n# sources:\n");
        text.push_str("#   web:\n#     kind: ga4\n#     streams:\n");
        text.push_str("#       events: 'sources/ga4/events_*.ndjson.gz'\n");
        if found.tables.is_empty() {
            text.push_str(
                "#   webinars:                # a file that fits nothing: add one SQL model\n",
            );
            text.push_str("#     path: 'sources/webinars/*.csv'\n");
        }
    } else {
        text.push_str("sources:\n");
    }
    for (kind, streams) in &found.streams {
        text.push_str(&format!("  {kind}:\n    kind: {kind}\n    streams:\n"));
        for (name, stream) in streams {
            let paths = match stream.paths.as_slice() {
                [one] => quoted(one),
                many => list(many),
            };
            let stream = match &stream.records {
                Some(records) => format!("{{path: {paths}, records: {}}}", quoted(records)),
                None => paths,
            };
            text.push_str(&format!("      {name}: {stream}\n"));
        }
    }
    if !found.tables.is_empty() {
        text.push_str(
            "# These fit no built-in kind. Each takes one SQL model: docs/guides/add-a-source.md\n",
        );
    }
    for (path, columns) in &found.tables {
        let name = source_name(path);
        text.push_str(&format!("#   {name}:  # {}\n", shortened(columns)));
        text.push_str(&format!("#     path: {}\n", quoted(path)));
    }
    if found.streams.is_empty() {
        text.push_str("sources: {}\n");
    }
    text
}

/// A name for the source of such a file: its own, as far as names of sources go.
fn source_name(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split('.').next().unwrap_or(file).to_lowercase();
    let plain = stem.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    match plain.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => plain,
        false => format!("source_{plain}"),
    }
}

/// The first columns, on one line.
fn shortened(columns: &[String]) -> String {
    const SHOWN: usize = 8;
    let names = columns.iter().filter(|name| !name.starts_with('_'));
    let names: Vec<String> = names
        .map(|name| name.replace(char::is_control, " "))
        .collect();
    match names.len() > SHOWN {
        true => format!("{}, …", names[..SHOWN].join(", ")),
        false => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::recognise::FoundStream;
    use super::*;

    #[test]
    fn what_init_writes_can_be_read() {
        let answers = Answers {
            name: "it's ours".into(),
            zone: "Europe/Berlin".into(),
            currency: "EUR".into(),
            week_start: "sunday",
            home_country: Some("DE".into()),
            domains: vec!["a.example".into(), "b.example".into()],
            payment_referrals: vec![],
            default_model: "linear".into(),
            lookback: 30,
            net_without: vec!["tax".into()],
        };
        let events = FoundStream {
            paths: vec!["../x/*.json".to_owned()],
            records: Some("results".to_owned()),
        };
        let stream = BTreeMap::from([("events".to_owned(), events)]);
        let table = |name: &str| {
            (
                format!("../x/{name}"),
                vec!["Deal №".to_owned(), "Wert\n€".into()],
            )
        };
        let found = Found {
            streams: BTreeMap::from([("ga4".to_owned(), stream)]),
            tables: vec![table("2026 Deals (neu).csv"), table("it's.csv")],
        };
        let text = config_text(&answers, &found);
        assert!(
            text.contains("#   source_2026_deals__neu_:  # Deal №, Wert €\n"),
            "{text}"
        );
        let config: domain::config::ProjectConfig =
            serde_yaml_ng::from_str(&text).expect("a project file");
        assert_eq!(config.name, "it's ours");
        assert_eq!(config.site.domains, ["a.example", "b.example"]);
        assert_eq!(config.attribution.lookback_days["default"], 30);
        assert!(config.revenue.exclude_tax && !config.revenue.exclude_shipping);
        assert_eq!(
            config.sources["ga4"].streams("ga4")[0].paths,
            ["../x/*.json"]
        );
        let uncommented = text.replace("#   ", "  ");
        let config: domain::config::ProjectConfig =
            serde_yaml_ng::from_str(&uncommented).expect("a project file");
        assert_eq!(config.sources.len(), 3);
        let none = config_text(&answers, &Found::default());
        let config: domain::config::ProjectConfig =
            serde_yaml_ng::from_str(&none).expect("a project file");
        assert!(config.sources.is_empty());
    }
}
