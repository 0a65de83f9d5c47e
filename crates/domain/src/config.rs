//! `throughline.yml` as typed: what a project says of itself and of its sources.
//!
//! This is the file as written (paths relative to the project, secrets by name only). Reading the
//! file and resolving paths is the binary's; what a setting means is said at its field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A whole `throughline.yml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectConfig {
    /// Name of the project, shown in reports.
    pub name: String,
    /// Version of this file's format; 1 today.
    #[serde(default = "format_version")]
    pub version: u32,
    /// Where the tables lie.
    #[serde(default)]
    pub lake: LakeConfig,
    /// In which zone and money figures are reported.
    #[serde(default)]
    pub reporting: Reporting,
    /// What belongs to the company on the web.
    #[serde(default)]
    pub site: Site,
    /// How a session is cut.
    #[serde(default)]
    pub sessions: Sessions,
    /// How conversions are credited.
    #[serde(default)]
    pub attribution: Attribution,
    /// Which identifiers are evidence and which are not.
    #[serde(default)]
    pub identity: Identity,
    /// What "net revenue" means.
    #[serde(default)]
    pub revenue: Revenue,
    /// Variables for `var('…')` in models.
    #[serde(default)]
    pub vars: BTreeMap<String, serde_json::Value>,
    /// Where data comes from, by source name.
    #[serde(default)]
    pub sources: BTreeMap<String, SourceConfig>,
}

fn format_version() -> u32 {
    1
}

/// Where the tables lie. There is no setting for credentials: they come from the environment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LakeConfig {
    /// `s3://bucket/prefix`, or a folder relative to the project; `.throughline/lake` without it.
    pub location: Option<String>,
    /// Address of an S3 service that is not Amazon's, for example `https://minio.example.com`;
    /// `AWS_ENDPOINT_URL` without it.
    pub endpoint: Option<String>,
    /// Region of the bucket; `AWS_REGION` without it.
    pub region: Option<String>,
    /// The endpoint may be plain HTTP.
    pub allow_http: bool,
}

/// In which zone and money figures are reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reporting {
    /// IANA zone of `reporting_date`.
    pub zone: String,
    /// ISO 4217 code of every `_reporting_amount`.
    pub currency: String,
    /// First day of a week: `monday` or `sunday`.
    pub week_start: WeekStart,
    /// ISO 3166 code of the home country.
    pub home_country: Option<String>,
}

impl Default for Reporting {
    fn default() -> Self {
        Self {
            zone: "UTC".into(),
            currency: "USD".into(),
            week_start: WeekStart::Monday,
            home_country: None,
        }
    }
}

/// First day of a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeekStart {
    /// ISO 8601.
    Monday,
    /// As in the United States.
    Sunday,
}

/// What belongs to the company on the web.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Site {
    /// Own domains; a referrer on one of them or below is no source.
    pub domains: Vec<String>,
    /// Payment providers and log-in pages; a visit that returns from one is no new source.
    pub payment_referrals: Vec<String>,
}

/// How a session is cut, and when it counts as engaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sessions {
    /// What cuts a session beside a pause.
    pub policy: SessionPolicy,
    /// A longer pause than this opens a new session; 1 to 1440.
    pub timeout_minutes: u32,
    /// No session lasts longer than this; 1 to 48.
    pub hours_max: u32,
    /// A session id that the tracker gave is the session, and the settings above cut only the rest.
    /// Without it: with the policy `ga4` it is, with `ua` it is not.
    pub tracker_ids: Option<bool>,
    /// A session that lasts longer than this many seconds is engaged.
    pub engaged_seconds: u32,
    /// A session with this many page or screen views is engaged.
    pub engaged_page_views: u32,
    /// A direct session takes the last other source of the device from this many days back.
    pub last_non_direct_days: u32,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            policy: SessionPolicy::Ga4,
            timeout_minutes: 30,
            hours_max: 24,
            tracker_ids: None,
            engaged_seconds: 10,
            engaged_page_views: 2,
            last_non_direct_days: 30,
        }
    }
}

impl Sessions {
    /// Whether a session id of the tracker is the session.
    pub fn keeps_tracker_ids(&self) -> bool {
        self.tracker_ids
            .unwrap_or(self.policy == SessionPolicy::Ga4)
    }
}

/// What cuts a session beside a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionPolicy {
    /// Nothing, as in Google Analytics 4.
    Ga4,
    /// Midnight in the reporting zone and a change of campaign, as in Universal Analytics.
    Ua,
}

/// How conversions are credited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attribution {
    /// The model that reports show first.
    pub default_model: String,
    /// How far before a conversion a touch may lie, by conversion type; `default` for the rest.
    pub lookback_days: BTreeMap<String, u32>,
    /// Half-life of time decay.
    pub half_life_days: f64,
    /// Event names (GA4's key events) that are conversions of their own beside sales, e.g.
    /// `generate_lead`.
    pub conversion_events: Vec<String>,
    /// Conversion types that are credited; all where none is named.
    pub conversion_types: Vec<String>,
    /// Models computed beside the six that reports show (first, last, last_non_direct, linear,
    /// position, time_decay), which always are.
    pub models: Vec<String>,
    /// Models of the project's own, by name.
    pub custom: BTreeMap<String, CustomWeights>,
    /// What is taken out of a path before it is weighed, in this order.
    pub path_transforms: Vec<PathTransform>,
    /// What a touch of the web is.
    pub touches: TouchLevel,
    /// Whether a path begins anew after a conversion.
    pub path_restart: PathRestart,
    /// Conversion types that make a `lead` or an `opportunity`, beside the stages of the CRM.
    pub milestones: Milestones,
    /// Models that are fitted on all paths of a period.
    pub fitted: FittedAttribution,
}

/// Models that are fitted on all paths of a period: Markov chains, Shapley values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FittedAttribution {
    /// Which: `markov_1`, `markov_2`, `markov_3`, `shapley`, `shapley_rate`; none switches
    /// fitting off.
    pub models: Vec<String>,
    /// Types of conversions that they are fitted for, each by itself.
    pub conversion_types: Vec<String>,
    /// What one fit is of.
    pub period: FitPeriod,
    /// A period is closed, and its fit frozen, once data of this many days after it are there.
    pub close_after_days: u32,
    /// Repeats of a channel are one touch before the states of a chain are made of touches.
    pub collapse_channels_first: bool,
    /// Counted up to have closed periods fitted anew; the older fits are kept.
    pub edition: u32,
}

impl Default for FittedAttribution {
    fn default() -> Self {
        Self {
            models: vec!["markov_1".into(), "shapley".into()],
            conversion_types: vec!["purchase".into(), "deal_won".into()],
            period: FitPeriod::Month,
            close_after_days: 3,
            collapse_channels_first: false,
            edition: 1,
        }
    }
}

/// What one fit is of, on the calendar of the reporting zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FitPeriod {
    /// ISO weeks.
    Week,
    /// Calendar months.
    Month,
    /// Calendar quarters.
    Quarter,
    /// Calendar years.
    Year,
}

impl Default for Attribution {
    fn default() -> Self {
        Self {
            default_model: "position".into(),
            lookback_days: BTreeMap::from([("default".into(), 90)]),
            half_life_days: 7.0,
            conversion_events: vec!["generate_lead".into(), "sign_up".into()],
            conversion_types: vec![],
            models: vec!["first_paid".into(), "last_paid".into()],
            custom: BTreeMap::new(),
            path_transforms: vec![],
            touches: TouchLevel::Session,
            path_restart: PathRestart::Never,
            milestones: Milestones::default(),
            fitted: FittedAttribution::default(),
        }
    }
}

/// Weights of a model of the project's own; they are scaled to sum to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CustomWeights {
    /// Of the first touch, the second and so on; touches after the last weight get nothing.
    Places(Vec<f64>),
    /// By the part that a touch plays.
    Roles(RoleWeights),
}

/// Weights by the part that a touch plays; parts that meet on one touch add up.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleWeights {
    /// Of the first touch.
    pub first: f64,
    /// Of the last touch before the customer became a lead.
    pub lead: f64,
    /// Of the last touch before there was an opportunity.
    pub opportunity: f64,
    /// Of the last touch.
    pub last: f64,
    /// Of all other touches together.
    pub middle: f64,
}

/// What is taken out of a path before it is weighed. Names as Snowplow's attribution package has
/// them, `direct` standing for the channel to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathTransform {
    /// Nothing: each touch counts by itself.
    Unique,
    /// Touches of one channel in a row become the first of them.
    Exposure,
    /// Of each channel only its first touch stays.
    First,
    /// Direct touches go, unless all are direct.
    RemoveDirectIfNotAll,
    /// Direct touches at the end go, unless all are direct.
    RemoveDirectIfLastAndNotAll,
}

/// What a touch of the web is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TouchLevel {
    /// A visit, by its first source, however many it saw.
    #[default]
    Session,
    /// Each event that brings a source; a visit without one is a direct touch.
    Event,
}

/// Whether a path begins anew after a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathRestart {
    /// All touches within the look-back count, whatever was before.
    #[default]
    Never,
    /// After a conversion of the same type.
    SameType,
    /// After any conversion.
    Any,
}

/// Conversion types that are milestones on the way to a sale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Milestones {
    /// The customer became a lead.
    pub lead: Vec<String>,
    /// An opportunity was made.
    pub opportunity: Vec<String>,
}

impl Default for Milestones {
    fn default() -> Self {
        Self {
            lead: ["crm_contact", "crm_lead", "generate_lead"]
                .map(Into::into)
                .into(),
            opportunity: vec![],
        }
    }
}

/// Which identifiers are evidence and which are not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// Values that identify nobody, beside the built-in ones; `/…/` is a pattern.
    pub blocked_values: Vec<String>,
    /// A device, cookie or telephone linked to more user ids (or contacts, or buyers) than this is
    /// no evidence.
    pub degree_max: u32,
    /// A device, cookie or telephone linked to more e-mails than this is no evidence.
    pub emails_max: u32,
    /// Most identifiers of a type that one customer may have; contacts, leads and buyers source by
    /// source. What is given here replaces the default.
    pub limits: BTreeMap<String, u32>,
    /// Which link loses where a limit would be passed.
    pub limits_by: LimitsBy,
    /// Whose a device is on which several people log in.
    pub shared_devices: SharedDevices,
    /// A device on which more people than this log in is nobody's.
    pub owners_max: u32,
    /// A customer of more identifiers than this (orders not counted) raises an alarm.
    pub cluster_max: u32,
    /// Contacts and leads that are probably one person.
    pub probable_links: ProbableLinks,
}

/// Contacts and leads that are probably one person, by names and places: a guess with a number on
/// it, beside what is evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProbableLinks {
    /// They are looked for. Then silver holds names of contacts and leads as keyed hashes, which it
    /// does not otherwise.
    pub enabled: bool,
    /// Pairs at least this probable are reported.
    pub report_from: f64,
    /// Pairs at least this probable are evidence, as an e-mail that two records share is; none
    /// where it is not said.
    pub as_evidence_from: Option<f64>,
    /// Records that share a blocking key with more records than this are not compared by it.
    pub block_max: u32,
}

impl Default for ProbableLinks {
    fn default() -> Self {
        Self {
            enabled: false,
            report_from: 0.9,
            as_evidence_from: None,
            block_max: 200,
        }
    }
}

/// Which link loses where a customer would have too many identifiers of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitsBy {
    /// The oldest: who was seen last keeps the identifier.
    #[default]
    Newest,
    /// The newest: who came first keeps the identifier.
    First,
}

/// Whose a device is on which several people log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharedDevices {
    /// Theirs who logged in last.
    #[default]
    ByTime,
    /// Nobody's.
    Nobody,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            blocked_values: vec![],
            degree_max: 1,
            emails_max: 2,
            limits: BTreeMap::from([("user".into(), 1), ("contact".into(), 1)]),
            limits_by: LimitsBy::default(),
            shared_devices: SharedDevices::default(),
            owners_max: 5,
            cluster_max: 100,
            probable_links: ProbableLinks::default(),
        }
    }
}

/// What is taken off gross revenue to give net revenue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Revenue {
    /// Tax is no revenue.
    pub exclude_tax: bool,
    /// Shipping is no revenue.
    pub exclude_shipping: bool,
    /// Refunds lower revenue, on their own date.
    pub subtract_refunds: bool,
}

impl Default for Revenue {
    fn default() -> Self {
        Self {
            exclude_tax: true,
            exclude_shipping: true,
            subtract_refunds: true,
        }
    }
}

/// One source: a system that data comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Which built-in silver models read it (`ga4`, `hubspot` …); without it the project brings its
    /// own.
    #[serde(default)]
    pub kind: Option<String>,
    /// Which shape the kind comes in, where there are several (`fivetran`, `export`, `api`).
    #[serde(default)]
    pub layout: Option<String>,
    /// IANA zone of times without an offset; UTC without it.
    #[serde(default)]
    pub zone: Option<String>,
    /// Currency of amounts that name none.
    #[serde(default)]
    pub currency: Option<String>,
    /// A source with one stream may state it here; the stream is then called `rows`.
    #[serde(default)]
    pub path: Option<StreamPath>,
    /// File settings for all its streams.
    #[serde(default)]
    pub files: FileConfig,
    /// Its streams (tables, exports), by name: a path alone, or a path with settings of its own.
    #[serde(default)]
    pub streams: BTreeMap<String, StreamConfig>,
}

/// One stream: files of one shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StreamConfig {
    /// Only where it lies.
    Path(StreamPath),
    /// Where it lies, and how it is written.
    Full {
        /// Where it lies.
        path: StreamPath,
        /// How it is written, over the source's `files`.
        #[serde(flatten)]
        files: Box<FileConfig>,
    },
}

impl StreamConfig {
    /// The paths or globs, relative to the project.
    pub fn paths(&self) -> Vec<&str> {
        match self {
            Self::Path(path) | Self::Full { path, .. } => path.all(),
        }
    }
}

/// A path or glob, or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StreamPath {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl StreamPath {
    /// All of them.
    pub fn all(&self) -> Vec<&str> {
        match self {
            Self::One(path) => vec![path],
            Self::Many(paths) => paths.iter().map(String::as_str).collect(),
        }
    }
}

/// How files are written. Every setting may be left out: it is then recognised.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FileConfig {
    /// `csv`, `tsv`, `json`, `ndjson`, `parquet`; by the file's ending without it.
    pub format: Option<FileFormat>,
    /// `gz`, `zst` or `none`; by the file's first bytes without it.
    pub compression: Option<Compression>,
    /// One character between the fields; recognised in the header without it.
    pub delimiter: Option<String>,
    /// WHATWG name of the encoding; UTF-8 (or by byte order mark) without it.
    pub encoding: Option<String>,
    /// Words that stand for "no value", beside the empty field.
    pub null_words: Option<Vec<String>>,
    /// `,` where amounts are written 1.234,56.
    pub decimal: Option<String>,
    /// `dmy` or `mdy`: how a day is read whose month could be either number (`01/02/2026`). Such a
    /// day is in quarantine without it, unless the file gives its order away.
    pub day_order: Option<DayOrder>,
    /// Lines before the header.
    pub skip_lines: Option<usize>,
    /// Headings by which the header is found, where other lines stand before it: the first line
    /// that has several of them. Kinds of source state those of the files that they know.
    pub headings: Option<Vec<String>>,
    /// Longest row or record that is read, in MiB of its text; 16 without it.
    pub record_max_mib: Option<usize>,
    /// Where in a JSON document the records lie (`data.items`); the document, or its list, without
    /// it.
    pub records: Option<String>,
    /// What says how new a row is: a column's name, or `file: <pattern>` with the
    /// pattern's named parts `year`, `month`, `day` (`hour`, `minute`, `second`) in the file's
    /// name.
    /// Without it, the file's version decides.
    pub effective_at: Option<EffectiveAt>,
    /// Cleansing rules by column, as the files name it, before a model reads it; `*` for every
    /// column.
    pub cleanse: Option<BTreeMap<String, serde_json::Value>>,
}

/// What says how new a row is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EffectiveAt {
    /// A column (CSV) or a dotted path (JSON).
    Column(String),
    /// Columns of which a file has one, as pages write them in several languages: the first that is
    /// there counts.
    Columns(Vec<String>),
    /// A regular expression over the file's name with named parts, or with `{date}` for YYYY-MM-DD
    /// or YYYYMMDD.
    File {
        /// The expression.
        file: String,
    },
}

/// Which number of a day comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DayOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

/// Format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum FileFormat {
    Csv,
    Tsv,
    Json,
    Ndjson,
    Parquet,
}

impl FileFormat {
    /// Rows arrive as text columns (true) or as one JSON payload (false).
    pub fn is_columnar_text(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv)
    }
}

/// Compression of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Compression {
    None,
    Gz,
    Zst,
}

impl FileConfig {
    /// These settings, and those of `base` where these are silent.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        Self {
            format: self.format.or(base.format),
            compression: self.compression.or(base.compression),
            delimiter: self.delimiter.clone().or_else(|| base.delimiter.clone()),
            encoding: self.encoding.clone().or_else(|| base.encoding.clone()),
            null_words: self.null_words.clone().or_else(|| base.null_words.clone()),
            decimal: self.decimal.clone().or_else(|| base.decimal.clone()),
            day_order: self.day_order.or(base.day_order),
            skip_lines: self.skip_lines.or(base.skip_lines),
            headings: self.headings.clone().or_else(|| base.headings.clone()),
            record_max_mib: self.record_max_mib.or(base.record_max_mib),
            records: self.records.clone().or_else(|| base.records.clone()),
            effective_at: self
                .effective_at
                .clone()
                .or_else(|| base.effective_at.clone()),
            cleanse: merged(self.cleanse.as_ref(), base.cleanse.as_ref()),
        }
    }
}

/// The rules of both, those of a column in `own` over those in `base`.
fn merged<T: Clone>(
    own: Option<&BTreeMap<String, T>>,
    base: Option<&BTreeMap<String, T>>,
) -> Option<BTreeMap<String, T>> {
    let (Some(own), Some(base)) = (own, base) else {
        return own.or(base).cloned();
    };
    let mut all = base.clone();
    all.extend(own.clone());
    Some(all)
}

/// A stream of a source with its settings merged: what loading and silver work from.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// Name of the source.
    pub source: String,
    /// Name of the stream.
    pub name: String,
    /// Kind of the source.
    pub kind: Option<String>,
    /// Paths or globs, relative to the project.
    pub paths: Vec<String>,
    /// Settings of the stream over those of its source.
    pub files: FileConfig,
    /// Zone of times without an offset.
    pub zone: Option<String>,
    /// Currency of amounts that name none.
    pub currency: Option<String>,
}

impl SourceConfig {
    /// Its streams with the settings merged, in the order of their names.
    pub fn streams(&self, source: &str) -> Vec<Stream> {
        let stream = |name: &str, paths: Vec<&str>, files: FileConfig| Stream {
            source: source.to_owned(),
            name: name.to_owned(),
            kind: self.kind.clone(),
            paths: paths.into_iter().map(str::to_owned).collect(),
            files,
            zone: self.zone.clone(),
            currency: self.currency.clone(),
        };
        let mut all = Vec::new();
        if let Some(path) = &self.path {
            all.push(stream("rows", path.all(), self.files.clone()));
        }
        for (name, config) in &self.streams {
            let files = match config {
                StreamConfig::Path(_) => self.files.clone(),
                StreamConfig::Full { files, .. } => files.over(&self.files),
            };
            all.push(stream(name, config.paths(), files));
        }
        all
    }
}
