//! The command line as typed.

mod access;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use access::{
    AuditCommand, AuditLogArgs, PolicyCommand, RoleCommand, ServeArgs, TokenCommand,
    TokenCreateArgs, UserAddArgs, UserCommand, UserRolesArgs,
};

/// Customer journeys from the exports a company already has.
#[derive(Debug, Parser)]
#[command(name = "throughline", version, about, propagate_version = true)]
pub(crate) struct Cli {
    /// The project's folder.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub(crate) project: PathBuf,
    /// Print the result as JSON on standard output; all else goes to standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print only the result and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Print more; twice for each step and the engine's own log.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a project: throughline.yml, its key, and folders for models, seeds and tests.
    Init(InitArgs),
    /// The demo company: make its sources, load, build and check them, and print what a marketer
    /// asks first.
    Demo(DemoArgs),
    /// Make only the demo company's source files, at any size, with the truth beside them.
    Generate(GenerateArgs),
    /// The project's sources and the files they lead to.
    #[command(subcommand)]
    Sources(SourcesCommand),
    /// Say what `run` would load and build, and why.
    Plan(RunArgs),
    /// Load new files and build what is dirty.
    Run(RunArgs),
    /// Run the checks on the tables as they are.
    Check(CheckArgs),
    /// Run a query.
    Query(QueryArgs),
    /// Which key ties which records to which side: how many carry it, how many are found there,
    /// what revenue that links, and what to mend.
    Linkability,
    /// Which records of sales were brought together, by which key, and what was not.
    Sales,
    /// What was spent and what it brought: return and costs per channel, and what customers have
    /// been worth since, by the month in which they were won.
    Worth(WorthArgs),
    /// Figures by their names: what there is, what it means, and the figures themselves.
    #[command(subcommand)]
    Metrics(MetricsCommand),
    /// The rules that give visits their channel.
    #[command(subcommand)]
    Channels(ChannelsCommand),
    /// Compare the warehouse with a platform's, GA4's or a shop's own export, and say why they
    /// differ.
    Reconcile(ReconcileArgs),
    /// Why two identifiers are one customer or two, and what people decide about it.
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Merge small files, write checkpoints, and remove files that nobody can read any more.
    Maintain(MaintainArgs),
    /// Copy the project to a folder or a file: settings, models, key, runs, and all tables as they
    /// are at one state. A run may be at work meanwhile.
    Backup(BackupArgs),
    /// Make a project out of a backup, in an empty folder.
    Restore(RestoreArgs),
    /// Open the doors: REST, the Postgres wire and Arrow Flight SQL, for people and programs.
    Serve(ServeArgs),
    /// People who may log in: make, list, change and remove them.
    #[command(subcommand)]
    User(UserCommand),
    /// Service tokens, by which programs log in: make, list and revoke them.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Roles: which there are, who holds them, and what they see.
    #[command(subcommand)]
    Role(RoleCommand),
    /// Who sees what: check `access.yml`, and show what it means for somebody.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// The audit log: who did what, and whether it is as it was written.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Look for what could go wrong: disk, clock, project, sources.
    Doctor,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The new project's folder.
    pub(crate) dir: PathBuf,
    /// A folder with exports: sources are written for the files that are recognised.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) from: Option<PathBuf>,
    /// Ask nothing; take the flags and the defaults.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Name of the project; the folder's without it.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// IANA zone in which days are reported, for example Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// ISO 4217 code of the currency in which money is reported.
    #[arg(long, value_name = "CODE")]
    pub(crate) currency: Option<String>,
    /// First day of a week.
    #[arg(long, value_enum)]
    pub(crate) week_start: Option<WeekStartArg>,
    /// ISO 3166 code of the home country.
    #[arg(long, value_name = "CODE")]
    pub(crate) home_country: Option<String>,
    /// Own domains, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "DOMAIN")]
    pub(crate) domains: Option<Vec<String>>,
    /// Domains of payment providers and log-in pages, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "DOMAIN")]
    pub(crate) payment_referrals: Option<Vec<String>>,
    /// Attribution model that reports show first.
    #[arg(long, value_name = "MODEL")]
    pub(crate) default_model: Option<String>,
    /// How many days before a conversion a touch may lie.
    #[arg(long, value_name = "DAYS")]
    pub(crate) lookback: Option<u32>,
    /// What net revenue leaves out, of: tax, shipping, refunds; `none` for nothing.
    #[arg(long, value_delimiter = ',', value_name = "WHAT")]
    pub(crate) net_without: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WeekStartArg {
    Monday,
    Sunday,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The demo's folder.
    #[arg(long, value_name = "DIR", default_value = "throughline-demo")]
    pub(crate) dir: PathBuf,
    /// About how many website events.
    #[arg(long, default_value_t = 250_000)]
    pub(crate) events: u64,
    /// Over how many days.
    #[arg(long, default_value_t = 90)]
    pub(crate) days: u32,
    /// Where all chance comes from.
    #[arg(long, default_value_t = 42)]
    pub(crate) seed: u64,
    /// End by printing, without opening the doors.
    #[arg(long)]
    pub(crate) no_serve: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// About how many website events.
    #[arg(long)]
    pub(crate) events: u64,
    /// Over how many days; the last is 2026-06-30.
    #[arg(long, default_value_t = 90)]
    pub(crate) days: u32,
    /// Where all chance comes from.
    #[arg(long, default_value_t = 42)]
    pub(crate) seed: u64,
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Threads to use; all without it.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SourcesCommand {
    /// Each stream, the files it leads to, and what is loaded of it.
    List,
    /// Read every new file without loading it, and say what would go wrong.
    Test {
        /// Only this source.
        source: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsCommand {
    /// All metrics, with what may be done with each.
    List,
    /// What one metric means, and what it can be had by.
    Show {
        /// Its name: `revenue`, or `worth.sales`.
        name: String,
    },
    /// Compute metrics.
    Query(MetricsQueryArgs),
    /// Whether all definitions can be computed on the tables as they are.
    Check,
    /// Write the definitions for another tool, over the schema `metrics`.
    Export(MetricsExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MetricsQueryArgs {
    /// Their names.
    pub(crate) metrics: Vec<String>,
    /// Dimensions to group by, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "DIMENSION")]
    pub(crate) by: Vec<String>,
    /// Width of time buckets; one figure for all days without it.
    #[arg(long, value_enum)]
    pub(crate) grain: Option<GrainArg>,
    /// First day, in the reporting zone.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<String>,
    /// Last day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: Option<String>,
    /// A condition on a dimension: `channel=Email`, `channel!=Email`, `campaign~sale` (has it in
    /// it), `campaign^=2026` (begins with it), `month_of_life<=3`, `campaign=` (has none). Several
    /// conditions must all hold; several values of `=` on one dimension are alternatives.
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) conditions: Vec<String>,
    /// Order of the rows, by names separated by commas; `-name` puts the greatest first.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "NAME",
        allow_hyphen_values = true
    )]
    pub(crate) order: Vec<String>,
    /// At most so many rows.
    #[arg(long)]
    pub(crate) limit: Option<u64>,
    /// So many rows are left out first.
    #[arg(long)]
    pub(crate) offset: Option<u64>,
    /// Add a row over everything, computed anew.
    #[arg(long)]
    pub(crate) totals: bool,
    /// Take the request from this JSON file instead; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "metrics")]
    pub(crate) request: Option<String>,
    /// Print the SQL and its values, and compute nothing.
    #[arg(long)]
    pub(crate) sql: bool,
    /// Form of the result.
    #[arg(long, short, value_enum)]
    pub(crate) format: Option<FormatArg>,
    /// Read all tables as they were after the last run that had ended at this time (RFC 3339, or a
    /// day).
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    /// Write to this file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GrainArg {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Args)]
pub(crate) struct MetricsExportArgs {
    /// For which tool.
    #[arg(value_enum)]
    pub(crate) tool: ToolArg,
    /// Folder for the files; it is made.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Host of the Postgres wire, as the tool reaches it.
    #[arg(long, default_value = "localhost")]
    pub(crate) host: String,
    /// Its port.
    #[arg(long, default_value_t = 5432)]
    pub(crate) port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ToolArg {
    /// `sources.yml` of star, marts and metrics.
    Dbt,
    /// A view for each subject, and a model with an explore for each.
    Lookml,
    /// A data source (.tds) for each subject.
    Tableau,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChannelsCommand {
    /// What changed rules would move: sessions, conversions and credited revenue from channel to
    /// channel. Builds nothing.
    Preview(ChannelsPreviewArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ChannelsPreviewArgs {
    /// The changed rules, in the form of the seed `channel_rule`; the project's own, as they stand
    /// now, without it.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// Changed lists of sources, in the form of the seed `channel_source`; the project's own
    /// without it.
    #[arg(long, value_name = "FILE")]
    pub(crate) sources: Option<PathBuf>,
    /// First day of the visits, in the project's zone.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<NaiveDate>,
    /// Last day of the visits.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: Option<NaiveDate>,
    /// Attribution model whose credit is shown; the project's default without it.
    #[arg(long)]
    pub(crate) model: Option<String>,
}

/// An identifier is an e-mail, a telephone, a user id, a device, an order number, `source:id` of a
/// contact, lead or buyer, or a customer's key; `type:value` where it could be several.
#[derive(Debug, Subcommand)]
pub(crate) enum IdentityCommand {
    /// The chain of evidence between two identifiers, or why they are not one customer.
    #[command(allow_negative_numbers = true)]
    Why {
        /// An identifier.
        a: String,
        /// Another one.
        b: String,
    },
    /// Two identifiers are one customer, whatever the evidence says.
    #[command(allow_negative_numbers = true)]
    Merge {
        /// An identifier.
        a: String,
        /// Another one.
        b: String,
        #[command(flatten)]
        decide: DecideArgs,
    },
    /// Two identifiers are two customers, whatever the evidence says.
    #[command(allow_negative_numbers = true)]
    Unmerge {
        /// An identifier; alone, a customer whose merges are all taken back.
        a: String,
        /// Another one.
        b: Option<String>,
        #[command(flatten)]
        decide: DecideArgs,
    },
    /// An identifier is no evidence: what it is linked to is not joined by it.
    #[command(allow_negative_numbers = true)]
    Block {
        /// An identifier.
        value: String,
        #[command(flatten)]
        decide: DecideArgs,
    },
    /// A blocked identifier is evidence again.
    #[command(allow_negative_numbers = true)]
    Unblock {
        /// An identifier.
        value: String,
        #[command(flatten)]
        decide: DecideArgs,
    },
    /// Who decided what, when and why.
    Log,
}

#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// Why; kept for ever.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Who decides; the user of this machine without it.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

#[derive(Debug, Args, Clone, Default)]
pub(crate) struct RunArgs {
    /// Only these models, as in dbt: `name`, `+name`, `name+`, `tag:x`, `path:…`, `source:…`,
    /// `entity:…`, `layer:…`.
    #[arg(long, short, num_args = 1.., value_name = "SELECTOR")]
    pub(crate) select: Vec<String>,
    /// All but these.
    #[arg(long, num_args = 1.., value_name = "SELECTOR")]
    pub(crate) exclude: Vec<String>,
    /// Build from the beginning, whatever is there.
    #[arg(long)]
    pub(crate) full_refresh: bool,
    /// Build from this day on, dirty or not.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "to")]
    pub(crate) from: Option<NaiveDate>,
    /// Build up to this day, dirty or not.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "from")]
    pub(crate) to: Option<NaiveDate>,
    /// A variable of the models: name=value. May be given several times.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,
    /// Which engine does the work. Only `local` exists today.
    #[arg(long, value_enum, default_value_t = Engine::Local)]
    pub(crate) engine: Engine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Engine {
    #[default]
    Local,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Only checks of these models.
    #[arg(long, short, num_args = 1.., value_name = "SELECTOR")]
    pub(crate) select: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct MaintainArgs {
    /// What was the newest state within so many days can still be read, with `--as-of` too.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) keep_days: u32,
    /// Files that no log names stay so long: a writer may be about to commit them.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    pub(crate) grace_hours: u32,
    /// Only say what would be removed. Nothing is merged or written.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// The query. `-` reads it from standard input.
    pub(crate) sql: String,
    /// Form of the result.
    #[arg(long, short, value_enum)]
    pub(crate) format: Option<FormatArg>,
    /// Read all tables as they were after the last run that had ended at this time (RFC 3339, or a
    /// day).
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    /// Write to this file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    Table,
    Json,
    Csv,
    Parquet,
}

/// Which day credit stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Basis {
    /// The day of the sale; refunds on the day they were paid.
    Conversion,
    /// The day of the touch that is credited.
    Touch,
}

#[derive(Debug, Args)]
pub(crate) struct WorthArgs {
    /// The attribution model; the project's default one without it. (Cohorts are by the default
    /// one.)
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// The day that sales stand on.
    #[arg(long, value_enum, default_value_t = Basis::Conversion)]
    pub(crate) by: Basis,
}

#[derive(Debug, Args)]
pub(crate) struct ReconcileArgs {
    /// The export, as CSV with a row for each day (and campaign, or channel).
    #[arg(long, value_name = "FILE")]
    pub(crate) against: PathBuf,
    /// Whose export it is: ga4, shopify, or an ad platform such as google_ads. Recognised without
    /// it.
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Compare only these figures, for example spend,clicks; all that both have without it.
    #[arg(long, value_name = "FIGURE", value_delimiter = ',')]
    pub(crate) measure: Vec<String>,
    /// First day; the export's without it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<NaiveDate>,
    /// Last day; the export's without it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: Option<NaiveDate>,
    /// IANA zone of the export's days; the ad account's, else the project's without it.
    #[arg(long)]
    pub(crate) zone: Option<String>,
    /// ISO 4217 code of the export's money; the ad account's, else the project's without it.
    #[arg(long, value_name = "CODE")]
    pub(crate) currency: Option<String>,
    /// Our attribution model to compare a platform's conversions with; the project's default
    /// without it.
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Days after a click in which the platform counts a conversion; what is usual there without
    /// it.
    #[arg(long, value_name = "DAYS")]
    pub(crate) window: Option<u32>,
    /// Conversions that the platform counts, by type; all sales without it.
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub(crate) conversion_type: Vec<String>,
    /// The platform's name of the action that its conversions are, where it has several, for
    /// example omni_purchase; its usual name of a sale without it.
    #[arg(long)]
    pub(crate) action: Option<String>,
    /// When the export was made (RFC 3339, or a day). An ad platform's is recognised by what had
    /// been reported then.
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    /// How the other side counts, for example bots=counted or refunds=order-date; recognised
    /// without it. May be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) their: Vec<String>,
    /// A row that the export does not have counts as withheld up to so many users.
    #[arg(long, value_name = "USERS", default_value_t = 50)]
    pub(crate) threshold: u32,
    /// Form of the export's days, as for strftime, for example %d/%m/%Y.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) date_format: Option<String>,
    /// Show the causes for each of these instead of in all.
    #[arg(long, value_enum)]
    pub(crate) by: Option<ByArg>,
    /// Write every row with its causes to this CSV file.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// End with exit status 3 if more than so many percent of a figure remain unexplained.
    #[arg(long, value_name = "PERCENT")]
    pub(crate) fail_above: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ByArg {
    Day,
    Platform,
    Account,
    Campaign,
    Channel,
    Source,
    Medium,
    Currency,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// A new or empty folder, or a new file whose name ends with `.tar.zst`.
    pub(crate) target: PathBuf,
    /// Leave the project's key out. Without it no person is found again: keep it elsewhere.
    #[arg(long)]
    pub(crate) without_key: bool,
    /// Copy the source files inside the project's folder too.
    #[arg(long)]
    pub(crate) with_sources: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup.
    pub(crate) backup: PathBuf,
    /// The project's folder: new, or empty.
    pub(crate) dir: PathBuf,
    /// Use this file as `throughline.yml`, for example to put the lake elsewhere.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
