//! Whether definitions hold on the tables as they are: every column is there, and every key that
//! labels are joined by is unique.

use datafusion::prelude::SessionContext;
use domain::config::ProjectConfig;
use domain::metrics::{Found, Grain, Layer, Subject};

use super::compile::compile;
use super::request::Request;
use super::resolve::Refused;
use super::sql;
use super::tables::values;

/// Plans every measure and every dimension in the session, and counts keys that stand twice.
///
/// # Errors
/// A query that could be planned failed.
pub async fn check(
    session: &SessionContext,
    layer: &Layer,
    config: &ProjectConfig,
) -> datafusion::error::Result<Vec<Refused>> {
    let mut problems = Vec::new();
    for subject in layer.subjects.values() {
        let pinning = pinning(layer, subject);
        for measure in subject.measures.iter().filter(|measure| !measure.hidden) {
            let found = Found::Measure(subject, measure);
            let request = Request {
                metrics: vec![found.full_name()],
                dimensions: pinning.clone(),
                grain: subject.time.as_ref().map(|time| time.grain),
                ..Request::default()
            };
            problems.extend(planned(session, layer, config, &request, &found.full_name()).await);
        }
        let Some(measure) = subject.measures.iter().find(|measure| !measure.hidden) else {
            continue;
        };
        for own in &subject.dimensions {
            let mut dimensions = pinning.clone();
            if !dimensions.contains(&own.name) {
                dimensions.push(own.name.clone());
            }
            let request = Request {
                metrics: vec![Found::Measure(subject, measure).full_name()],
                dimensions,
                ..Request::default()
            };
            let name = format!("{} by {}", subject.name, own.name);
            problems.extend(planned(session, layer, config, &request, &name).await);
        }
    }
    for metric in layer.metrics.values() {
        let request = Request {
            metrics: vec![metric.name.clone()],
            grain: Some(Grain::Year),
            ..Request::default()
        };
        problems.extend(planned(session, layer, config, &request, &metric.name).await);
    }
    for dimension in layer.dimensions.values() {
        let (Some(table), Some(key)) = (&dimension.table, &dimension.key) else {
            continue;
        };
        let text = format!(
            "select {key} from {table} group by {key} having count(*) > 1 limit 1",
            key = sql::quoted(key),
            table = sql::table(table)
        );
        // A table that is not there was told of above.
        let Ok(frame) = session.sql(&text).await else {
            continue;
        };
        if frame.count().await? > 0 {
            let what = format!(
                "the dimension `{}` would count rows twice: `{key}` is not unique in `{table}`",
                dimension.name
            );
            problems.push(Refused::new(what));
        }
    }
    Ok(problems)
}

/// Dimensions by which everything of a subject means something.
fn pinning(layer: &Layer, subject: &Subject) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let rules = subject.measures.iter().flat_map(|measure| {
        let own = subject.never_across(measure).into_iter();
        let own = own.map(|rule| rule.dimension.clone());
        let currency = measure
            .currency
            .clone()
            .filter(|currency| currency != "reporting");
        own.chain(currency).collect::<Vec<_>>()
    });
    for name in rules {
        if layer.dimensions.contains_key(&name) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

async fn planned(
    session: &SessionContext,
    layer: &Layer,
    config: &ProjectConfig,
    request: &Request,
    name: &str,
) -> Option<Refused> {
    let compiled = match compile(layer, config, request) {
        Ok(compiled) => compiled,
        Err(refused) => return Some(refused),
    };
    let planned = match session.sql(&compiled.sql).await {
        Ok(frame) => match frame.with_param_values(values(&compiled)) {
            Ok(frame) => frame.create_physical_plan().await.map(|_| ()),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    let error = planned.err()?;
    Some(Refused::new(format!("`{name}` cannot be computed")).why(error.strip_backtrace()))
}
