//! A subject as a table: the plans of its rows and figures, and the columns that a session sees.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{JoinType, TableReference, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource, TableType};
use datafusion::optimizer::AnalyzerRule as _;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercion;
use datafusion::physical_plan::ExecutionPlan;
use domain::config::ProjectConfig;
use domain::metrics::{Aggregate, Found, Grain, Layer, Measure, Scalar, Subject, Unit};
use tonic::async_trait;

use super::labels::{KEY, Labels};
use super::sql;
use super::tables::{ADDITIVITY, IS_PARTIAL, UNIT};

/// A subject as a table.
pub(crate) struct MetricsTable {
    pub(super) layer: Arc<Layer>,
    pub(super) config: Arc<ProjectConfig>,
    pub(super) subject: Subject,
    pub(super) schema: SchemaRef,
    pub(super) state: Arc<SessionState>,
    /// The tables that it is read from, as the session shows them.
    pub(crate) sources: BTreeMap<String, Arc<dyn TableSource>>,
}

impl fmt::Debug for MetricsTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "MetricsTable({})", self.subject.name)
    }
}

#[async_trait]
impl TableProvider for MetricsTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        _: &dyn Session,
        _: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan_err!(
            "`metrics.{}` was used in a way that has no meaning",
            self.subject.name
        )
    }
}

/// What of a subject a query needs.
#[derive(Default)]
pub(super) struct Needed<'a> {
    pub(super) grains: Vec<Grain>,
    pub(super) dimensions: Vec<&'a str>,
    /// Dimensions with a value that holds where the query says nothing of them.
    pub(super) defaults: Vec<(&'a str, &'a Scalar)>,
    pub(super) measures: Vec<&'a Measure>,
    pub(super) is_partial: bool,
}

impl MetricsTable {
    /// The time buckets that it has.
    pub(super) fn grains(&self) -> Vec<Grain> {
        let Some(time) = &self.subject.time else {
            return vec![];
        };
        let all = Grain::ALL.into_iter();
        all.filter(|grain| grain.holds(time.grain)).collect()
    }

    /// The measure of this name that a query may name.
    pub(super) fn measure(&self, name: &str) -> Option<&Measure> {
        self.subject.measure(name).filter(|measure| !measure.hidden)
    }

    /// An expression over the columns of a plan.
    pub(super) fn expression(&self, text: &str, over: &LogicalPlan) -> Result<Expr> {
        self.state.create_logical_expr(text, over.schema())
    }

    fn scanned(&self, table: &str) -> Result<LogicalPlanBuilder> {
        let Some(source) = self.sources.get(table) else {
            return plan_err!("there is no table `{table}`");
        };
        let (schema, name) = table.split_once('.').unwrap_or(("star", table));
        LogicalPlanBuilder::scan(TableReference::partial(schema, name), source.clone(), None)
    }

    /// The rows of the subject with what is needed of each: time buckets and dimensions under their
    /// names, and what measures aggregate, see [`input_name`].
    pub(super) fn rows(&self, needed: &Needed<'_>) -> Result<LogicalPlan> {
        let (subject, config) = (&self.subject, &*self.config);
        let defaults = needed.defaults.iter().map(|(name, _)| *name);
        let names = needed.dimensions.iter().copied().chain(defaults);
        let labels = Labels::of(&self.layer, subject, names);
        let table = subject.table.as_deref().unwrap_or_default();
        let mut rows = self.scanned(table)?.alias("fact")?;
        if let Some(filters) = sql::conditions(&subject.filters, config) {
            let filters = self.expression(&filters, rows.plan())?;
            rows = rows.filter(filters)?;
        }
        for join in &labels.joins {
            let label = self.scanned(&join.table)?;
            let mut columns = vec![
                self.expression(&sql::quoted(&join.key), label.plan())?
                    .alias(KEY),
            ];
            for (column, shown) in &join.columns {
                let column = self.expression(&sql::quoted(column), label.plan())?;
                columns.push(column.alias(shown));
            }
            let label = label
                .project(columns)?
                .alias(join.alias.as_str())?
                .build()?;
            let own = self.expression(&join.own, rows.plan())?;
            let key = self.expression(&sql::quoted(KEY), &label)?;
            rows = rows.join_with_expr_keys(label, JoinType::Left, (vec![own], vec![key]), None)?;
        }
        for (name, value) in &needed.defaults {
            let test = format!("{} = {}", labels.value(name), sql::literal(value, config));
            let test = self.expression(&test, rows.plan())?;
            rows = rows.filter(test)?;
        }
        let mut columns = Vec::new();
        let mut push = |text: &str, name: &str| -> Result<()> {
            columns.push(self.expression(text, rows.plan())?.alias(name));
            Ok(())
        };
        let day = sql::day(subject).unwrap_or_else(|| "null".into());
        for grain in &needed.grains {
            push(&sql::bucket(&day, *grain, config), grain.name())?;
        }
        for name in &needed.dimensions {
            push(&labels.value(name), name)?;
        }
        for measure in self.aggregated(needed) {
            let input = sql::input(measure, config).unwrap_or_else(|| "1".into());
            push(&input, &input_name(&measure.name))?;
            if let Some(over) = &measure.over {
                push(&sql::quoted(over), &over_name(&measure.name))?;
            }
        }
        if needed.is_partial {
            push(
                &self.partial().unwrap_or_else(|| "false".into()),
                PARTIAL_INPUT,
            )?;
        }
        if columns.is_empty() {
            columns.push(self.expression("1", rows.plan())?.alias("one"));
        }
        rows.project(columns)?.build()
    }

    /// The measures that aggregate rows, of which the needed ones are made.
    pub(super) fn aggregated(&self, needed: &Needed<'_>) -> Vec<&Measure> {
        let mut found: Vec<&Measure> = Vec::new();
        for measure in &needed.measures {
            let formula = self.layer.formula(Found::Measure(&self.subject, measure));
            for name in formula.iter().flat_map(|formula| formula.names()) {
                if let Some(measure) = self.subject.measure(&name.measure)
                    && !found.iter().any(|known| known.name == measure.name)
                {
                    found.push(measure);
                }
            }
        }
        found
    }

    /// Aggregates of [`Self::rows`], named by [`figure_name`].
    pub(super) fn aggregates(&self, needed: &Needed<'_>, rows: &LogicalPlan) -> Result<Vec<Expr>> {
        let mut aggregates = Vec::new();
        for measure in self.aggregated(needed) {
            let input = sql::quoted(&input_name(&measure.name));
            let last = format!(
                "{} is not distinct from {}",
                sql::quoted(&last_name(&measure.name)),
                sql::quoted(&over_name(&measure.name))
            );
            let text = sql::aggregate(measure, Some(&input), Some(&last));
            let figure = self.expression(&text, rows)?;
            aggregates.push(figure.alias(figure_name(&measure.name)));
        }
        if needed.is_partial {
            let text = format!("bool_or({})", sql::quoted(PARTIAL_INPUT));
            aggregates.push(self.expression(&text, rows)?.alias(figure_name(IS_PARTIAL)));
        }
        Ok(aggregates)
    }

    /// A measure, out of [`Self::aggregates`].
    pub(super) fn figure(&self, name: &str, aggregated: &LogicalPlan) -> Result<Expr> {
        if name == IS_PARTIAL {
            let text = format!("coalesce({}, false)", sql::quoted(&figure_name(IS_PARTIAL)));
            return self.expression(&text, aggregated);
        }
        let Some(measure) = self.subject.measure(name) else {
            return plan_err!("`{}` has no measure `{name}`", self.subject.name);
        };
        let formula = self.layer.formula(Found::Measure(&self.subject, measure));
        let formula = formula.map_err(DataFusionError::Plan)?;
        let text = sql::formula(&formula, &self.config, &|name| {
            let figure = sql::quoted(&figure_name(&name.measure));
            let measure = self.subject.measure(&name.measure);
            match measure.is_some_and(sql::is_zero_without_rows) {
                true => format!("coalesce({figure}, 0)"),
                false => figure,
            }
        });
        self.expression(&text, aggregated)
    }

    /// What is true of rows whose money is missing.
    fn partial(&self) -> Option<String> {
        let mut tests: Vec<String> = Vec::new();
        for test in self
            .subject
            .measures
            .iter()
            .filter_map(|m| m.partial.as_ref())
        {
            let test = format!("({test})");
            if !tests.contains(&test) {
                tests.push(test);
            }
        }
        (!tests.is_empty()).then(|| tests.join(" or "))
    }

    /// The columns that the session may read.
    pub(super) fn visible(&self) -> SchemaRef {
        let mut fields: Vec<Field> = Vec::new();
        let grains = self.grains();
        if let Ok(found) = self.typed(&Needed {
            grains,
            ..Needed::default()
        }) {
            fields.extend(found);
        }
        for own in &self.subject.dimensions {
            let dimensions = vec![own.name.as_str()];
            if let Ok(found) = self.typed(&Needed {
                dimensions,
                ..Needed::default()
            }) {
                fields.extend(found);
            }
        }
        let shown = self
            .subject
            .measures
            .iter()
            .filter(|measure| !measure.hidden);
        let all = Needed {
            measures: shown.clone().collect(),
            is_partial: self.partial().is_some(),
            ..Needed::default()
        };
        match self.typed(&all) {
            Ok(found) => fields.extend(found),
            Err(_) => {
                let one = |measures, is_partial| {
                    let needed = Needed {
                        measures,
                        is_partial,
                        ..Needed::default()
                    };
                    self.typed(&needed).unwrap_or_default()
                };
                for measure in shown {
                    fields.extend(one(vec![measure], false));
                }
                if all.is_partial {
                    fields.extend(one(vec![], true));
                }
            }
        }
        Arc::new(Schema::new(fields))
    }

    /// The fields of what is needed, if it can be read.
    fn typed(&self, needed: &Needed<'_>) -> Result<Vec<Field>> {
        let rows = self.rows(needed)?;
        let mut groups = Vec::new();
        let grains = needed.grains.iter().map(|grain| grain.name());
        let names: Vec<&str> = grains.chain(needed.dimensions.iter().copied()).collect();
        for name in &names {
            groups.push(self.expression(&sql::quoted(name), &rows)?);
        }
        let rows = self.with_last(rows, needed, None)?;
        let aggregates = self.aggregates(needed, &rows)?;
        let aggregated = LogicalPlanBuilder::from(rows)
            .aggregate(groups, aggregates)?
            .build()?;
        let mut columns = Vec::new();
        for name in &names {
            columns.push(
                self.expression(&sql::quoted(name), &aggregated)?
                    .alias(*name),
            );
        }
        let partial = needed.is_partial.then_some(IS_PARTIAL);
        let measures = needed.measures.iter().map(|measure| measure.name.as_str());
        for name in measures.chain(partial) {
            columns.push(self.figure(name, &aggregated)?.alias(name));
        }
        let plan = LogicalPlanBuilder::from(aggregated)
            .project(columns)?
            .build()?;
        let plan = TypeCoercion::new().analyze(plan, self.state.config_options())?;
        let fields = plan.schema().fields().iter();
        Ok(fields
            .map(|field| {
                let plain = Field::new(field.name(), field.data_type().clone(), true);
                plain.with_metadata(self.meaning(field.name()).into_iter().collect())
            })
            .collect())
    }

    /// The last value of columns beside each row, for measures that ask for it: within a bucket.
    pub(super) fn with_last(
        &self,
        rows: LogicalPlan,
        needed: &Needed<'_>,
        bucket: Option<Grain>,
    ) -> Result<LogicalPlan> {
        let within = match bucket {
            Some(grain) => format!("partition by {}", sql::quoted(grain.name())),
            None => String::new(),
        };
        let mut windows = Vec::new();
        for measure in self.aggregated(needed) {
            if measure.aggregate == Some(Aggregate::Last) {
                let over = sql::quoted(&over_name(&measure.name));
                let last = self.expression(&format!("max({over}) over ({within})"), &rows)?;
                windows.push(last.alias(last_name(&measure.name)));
            }
        }
        match windows.is_empty() {
            true => Ok(rows),
            false => LogicalPlanBuilder::from(rows).window(windows)?.build(),
        }
    }

    /// What is said of a column beside its type.
    pub(super) fn meaning(&self, name: &str) -> Vec<(String, String)> {
        let Some(measure) = self.subject.measure(name) else {
            return vec![];
        };
        let found = Found::Measure(&self.subject, measure);
        let mut meaning = vec![(ADDITIVITY.to_owned(), word(&self.layer.additivity(found)))];
        let unit = match (found.unit(), found.currency()) {
            (Unit::Money, Some("reporting")) => self.config.reporting.currency.clone(),
            (unit, _) => word(&unit),
        };
        meaning.push((UNIT.to_owned(), unit));
        meaning
    }
}

/// The word that stands for it in requests and answers.
fn word(of: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(of).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

const PARTIAL_INPUT: &str = "in is_partial";

/// What a measure aggregates.
fn input_name(measure: &str) -> String {
    format!("in {measure}")
}

/// The column whose last value counts.
fn over_name(measure: &str) -> String {
    format!("over {measure}")
}

/// Its last value.
fn last_name(measure: &str) -> String {
    format!("last {measure}")
}

/// What a measure aggregates to.
pub(super) fn figure_name(measure: &str) -> String {
    format!("of {measure}")
}
