//! `metrics`: the semantic layer at the keyboard.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use domain::metrics::{Grain, Name};
use serde_json::json;
use serve::metrics::describe::{self, MetricInfo};
use serve::metrics::{Comparison, Compiled, Filter, Order, Parameter, Request, export};
use transform::project::Project;

use super::{Exit, query};
use crate::cli::{GrainArg, MetricsCommand, MetricsExportArgs, MetricsQueryArgs, ToolArg};
use crate::project::{Opened, Place, now};
use crate::say::Voice;

/// The command.
pub(crate) async fn metrics(
    place: Place,
    command: &MetricsCommand,
    voice: Voice,
) -> anyhow::Result<Exit> {
    match command {
        MetricsCommand::List => list(&project(&place)?, voice),
        MetricsCommand::Show { name } => show(&project(&place)?, name, voice),
        MetricsCommand::Query(args) if args.sql => print(&project(&place)?, args, voice),
        MetricsCommand::Query(args) => compute(place, args, voice).await,
        MetricsCommand::Check => check(place, voice).await,
        MetricsCommand::Export(args) => write_export(&project(&place)?, args, voice),
    }
}

fn project(place: &Place) -> anyhow::Result<Project> {
    let builtin = transform::builtin::models();
    Ok(Project::load(
        &place.dir,
        place.config()?,
        builtin.as_ref(),
    )?)
}

fn list(project: &Project, voice: Voice) -> anyhow::Result<Exit> {
    let all = describe::metrics(&project.metrics, &project.config);
    let dimensions = describe::dimensions(&project.metrics);
    voice.result(&json!({"metrics": all, "dimensions": dimensions}));
    if voice.json {
        return Ok(Exit::Done);
    }
    let width = all
        .iter()
        .map(|metric| metric.name.len())
        .max()
        .unwrap_or_default();
    let mut subject = "";
    for metric in &all {
        let home = match metric.subjects.as_slice() {
            [one] => one.as_str(),
            _ => "of several subjects",
        };
        if home != subject {
            subject = home;
            voice.line(&format!("\n{subject}"));
        }
        let (name, unit) = (&metric.name, unit(metric));
        voice.line(&format!(
            "  {name:width$}  {unit:12}  {}",
            metric.description
        ));
    }
    voice.line("\nWhat one can be had by: throughline metrics show NAME");
    Ok(Exit::Done)
}

fn unit(metric: &MetricInfo) -> String {
    let unit = serde_json::to_value(metric.unit).unwrap_or_default();
    let unit = unit.as_str().unwrap_or_default().to_owned();
    metric.currency.clone().unwrap_or(unit)
}

fn show(project: &Project, name: &str, voice: Voice) -> anyhow::Result<Exit> {
    let found = project
        .metrics
        .find(&Name::parse(name))
        .map_err(|why| anyhow!("{why}\nhint: `throughline metrics list` names them all"))?;
    let metric = describe::metric(&project.metrics, &project.config, found);
    voice.result(&json!(metric));
    if voice.json {
        return Ok(Exit::Done);
    }
    voice.line(&format!("{} ({})", metric.label, metric.full_name));
    voice.line(&format!("  {}", metric.description));
    voice.line(&format!("  counted in: {}", unit(&metric)));
    if let Some(formula) = &metric.formula {
        voice.line(&format!("  formula: {formula}"));
    }
    voice.line(&format!("  additivity: {}", metric.additivity_note));
    for rule in &metric.never_across {
        voice.line(&format!(
            "  never added across {}: {}",
            rule.dimension, rule.why
        ));
    }
    for default in &metric.defaults {
        let value = serde_json::to_string(&default.value)?;
        voice.line(&format!(
            "  {} is {value} where nothing is said",
            default.dimension
        ));
    }
    let grains: Vec<&str> = metric.grains.iter().map(|grain| grain.name()).collect();
    voice.line(&format!("  grains: {}", grains.join(", ")));
    voice.line(&format!("  dimensions: {}", metric.dimensions.join(", ")));
    voice.line(&format!("  subjects: {}", metric.subjects.join(", ")));
    Ok(Exit::Done)
}

fn print(project: &Project, args: &MetricsQueryArgs, voice: Voice) -> anyhow::Result<Exit> {
    let compiled = compiled(project, args)?;
    voice.result(&json!(compiled));
    if voice.json {
        return Ok(Exit::Done);
    }
    voice.line(&compiled.sql);
    for (at, value) in compiled.parameters.iter().enumerate() {
        voice.line(&format!("-- ${} = {}", at + 1, shown(value)));
    }
    Ok(Exit::Done)
}

fn shown(value: &Parameter) -> String {
    match value {
        Parameter::Text(text) => format!("'{text}'"),
        Parameter::Integer(value) => value.to_string(),
        Parameter::Boolean(value) => value.to_string(),
        Parameter::Day(days) => format!("day {days} since 1970-01-01"),
    }
}

async fn compute(place: Place, args: &MetricsQueryArgs, voice: Voice) -> anyhow::Result<Exit> {
    let mut opened = Opened::open(place, &BTreeMap::new()).await?;
    let compiled = compiled(&opened.manifest.project, args)?;
    if let Some(time) = &request(args)?.as_of {
        query::as_of(&mut opened, query::instant(time)?).await?;
    }
    {
        let context = opened.context("metrics", now());
        transform::run::register_views(&context).await?;
    }
    let frame = opened
        .warehouse
        .query(&compiled.sql)
        .await
        .map_err(|error| {
            anyhow!(
                "{error}\nhint: is everything built? throughline run; throughline metrics check"
            )
        })?;
    let frame = frame.with_param_values(serve::metrics::values(&compiled))?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let rows = frame.collect().await.map_err(lake::LakeError::of_reading)?;
    query::written(&schema, &rows, args.format, args.output.as_deref(), voice)
}

fn compiled(project: &Project, args: &MetricsQueryArgs) -> anyhow::Result<Compiled> {
    let request = request(args)?;
    Ok(serve::metrics::compile(
        &project.metrics,
        &project.config,
        &request,
    )?)
}

/// What the command line asks for.
fn request(args: &MetricsQueryArgs) -> anyhow::Result<Request> {
    if let Some(path) = &args.request {
        let mut text = String::new();
        match path.as_str() {
            "-" => std::io::stdin().read_to_string(&mut text).map(|_| ()),
            path => std::fs::read_to_string(path).map(|read| text = read),
        }
        .with_context(|| format!("cannot read `{path}`"))?;
        return serde_json::from_str(&text)
            .with_context(|| format!("`{path}` is no request for metrics"));
    }
    let order = args.order.iter().map(|name| match name.strip_prefix('-') {
        Some(name) => Order {
            by: name.to_owned(),
            descending: true,
        },
        None => Order {
            by: name.clone(),
            descending: false,
        },
    });
    Ok(Request {
        metrics: args.metrics.clone(),
        dimensions: args.by.clone(),
        grain: args.grain.map(grain),
        from: args.from.clone(),
        to: args.to.clone(),
        filters: filters(&args.conditions)?,
        order: order.collect(),
        limit: args.limit,
        offset: args.offset,
        totals: args.totals,
        as_of: args.as_of.clone(),
    })
}

fn grain(grain: GrainArg) -> Grain {
    match grain {
        GrainArg::Day => Grain::Day,
        GrainArg::Week => Grain::Week,
        GrainArg::Month => Grain::Month,
        GrainArg::Quarter => Grain::Quarter,
        GrainArg::Year => Grain::Year,
    }
}

/// Signs of comparisons; longer ones first, so that they are not taken for shorter ones.
const SIGNS: [(&str, Comparison); 8] = [
    ("!=", Comparison::IsNot),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("^=", Comparison::StartsWith),
    ("=", Comparison::In),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("~", Comparison::Contains),
];

/// `channel=Email` and so on, as filters.
fn filters(conditions: &[String]) -> anyhow::Result<Vec<Filter>> {
    let mut filters: Vec<Filter> = Vec::new();
    for text in conditions {
        // The sign nearest to the name is the comparison; values may have others in them.
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        let found = SIGNS
            .iter()
            .find_map(|(sign, op)| Some((*op, rest.strip_prefix(sign)?)));
        let Some((op, value)) = found else {
            bail!("`--where {text}` is no condition\nhint: for example channel=Email");
        };
        let (op, values) = match (op, value) {
            (Comparison::In, "") => (Comparison::IsNull, vec![]),
            (Comparison::IsNot, "") => (Comparison::IsNotNull, vec![]),
            (op, value) => (op, vec![json!(value)]),
        };
        let same = filters
            .iter_mut()
            .find(|known| op == Comparison::In && known.op == op && known.dimension == name);
        match same {
            Some(known) => known.values.extend(values),
            None => filters.push(Filter {
                dimension: name.to_owned(),
                op,
                values,
            }),
        }
    }
    Ok(filters)
}

/// Plans every metric, and looks whether the keys of dimensions are unique.
async fn check(place: Place, voice: Voice) -> anyhow::Result<Exit> {
    let opened = Opened::open(place, &BTreeMap::new()).await?;
    {
        let context = opened.context("metrics", now());
        transform::run::register_views(&context).await?;
    }
    let (layer, config) = (
        &opened.manifest.project.metrics,
        &opened.manifest.project.config,
    );
    let found = serve::metrics::check(&opened.warehouse.session, layer, config).await?;
    voice.result(&json!({
        "metrics": layer.all().len(),
        "problems": found.iter().map(ToString::to_string).collect::<Vec<_>>(),
    }));
    if voice.json {
        return Ok(if found.is_empty() {
            Exit::Done
        } else {
            Exit::FailedChecks
        });
    }
    for problem in &found {
        voice.line(&format!("{problem}\n"));
    }
    let mut text = format!("{} metrics", layer.all().len());
    match found.len() {
        0 => text.push_str(": all can be computed"),
        problems => write!(text, ", {problems} problems")?,
    }
    voice.line(&text);
    Ok(if found.is_empty() {
        Exit::Done
    } else {
        Exit::FailedChecks
    })
}

fn write_export(project: &Project, args: &MetricsExportArgs, voice: Voice) -> anyhow::Result<Exit> {
    let door = export::Door {
        host: args.host.clone(),
        port: args.port,
    };
    let files = match args.tool {
        ToolArg::Dbt => export::dbt(project),
        ToolArg::Lookml => export::lookml(&project.metrics, &project.config),
        ToolArg::Tableau => export::tableau(&project.metrics, &project.config, &door),
    };
    for file in &files {
        let path = args.out.join(&file.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        std::fs::write(&path, &file.text)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    voice.result(&json!({"out": args.out, "files": paths}));
    if !voice.json {
        voice.line(&format!("{} files in {}", files.len(), args.out.display()));
    }
    Ok(Exit::Done)
}
