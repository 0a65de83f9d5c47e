//! The parts of a query that are the same wherever a figure is computed.

use domain::config::{ProjectConfig, WeekStart};
use domain::metrics::{
    Aggregate, Condition, Formula, Grain, Measure, Name, Operator, Scalar, Subject,
    SubjectDimension,
};

/// A name as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `schema.table` as SQL writes it.
pub(super) fn table(name: &str) -> String {
    name.split('.').map(quoted).collect::<Vec<_>>().join(".")
}

/// A value of a definition as SQL writes it.
pub(super) fn literal(value: &Scalar, config: &ProjectConfig) -> String {
    match value.resolved(config) {
        Scalar::Boolean(value) => value.to_string(),
        Scalar::Integer(value) => value.to_string(),
        Scalar::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Scalar::Setting { .. } => "null".into(),
    }
}

/// A condition of a definition.
pub(super) fn condition(condition: &Condition, config: &ProjectConfig) -> String {
    let column = quoted(&condition.column);
    let value = |value: &Scalar| literal(value, config);
    let list = |values: &[Scalar]| values.iter().map(value).collect::<Vec<_>>().join(", ");
    if let Some(is) = &condition.is {
        return format!("{column} = {}", value(is));
    }
    if let Some(is_not) = &condition.is_not {
        return format!("{column} is distinct from {}", value(is_not));
    }
    match (&condition.one_of, &condition.none_of, condition.is_null) {
        (Some(values), _, _) if values.is_empty() => "false".into(),
        (Some(values), _, _) => format!("{column} in ({})", list(values)),
        (_, Some(values), _) if values.is_empty() => "true".into(),
        (_, Some(values), _) => {
            format!("({column} is null or {column} not in ({}))", list(values))
        }
        (_, _, Some(true)) => format!("{column} is null"),
        _ => format!("{column} is not null"),
    }
}

/// All conditions, or none.
pub(super) fn conditions(list: &[Condition], config: &ProjectConfig) -> Option<String> {
    let all: Vec<String> = list.iter().map(|one| condition(one, config)).collect();
    (!all.is_empty()).then(|| all.join(" and "))
}

/// A subject's day: its time column as a calendar day.
pub(super) fn day(subject: &Subject) -> Option<String> {
    let time = subject.time.as_ref()?;
    Some(format!("cast({} as date)", quoted(&time.column)))
}

/// First day of the bucket that a day is in.
pub(super) fn bucket(day: &str, grain: Grain, config: &ProjectConfig) -> String {
    match (grain, config.reporting.week_start) {
        (Grain::Day, _) => day.to_owned(),
        (Grain::Week, WeekStart::Sunday) => {
            format!("cast(date_trunc('week', {day} + interval '1 day') - interval '1 day' as date)")
        }
        (grain, _) => format!("cast(date_trunc('{}', {day}) as date)", grain.name()),
    }
}

/// What a subject has of a dimension: the value, or the key of the dimension's table.
pub(super) fn own_column(own: &SubjectDimension) -> String {
    match &own.sql {
        Some(sql) => format!("({sql})"),
        None => quoted(own.column.as_deref().unwrap_or(&own.name)),
    }
}

/// What is aggregated: the column or expression where the measure's filters hold, else null.
pub(super) fn input(measure: &Measure, config: &ProjectConfig) -> Option<String> {
    let value = match (&measure.column, &measure.sql) {
        (Some(column), _) => Some(quoted(column)),
        (None, Some(sql)) => Some(format!("({sql})")),
        (None, None) => None,
    };
    match conditions(&measure.filters, config) {
        Some(filters) => Some(format!(
            "case when {filters} then {} end",
            value.unwrap_or_else(|| "1".into())
        )),
        None => value,
    }
}

/// How rows become the measure's figure. `last` is, for a measure of the last value, the column
/// that says whether a row has it.
pub(super) fn aggregate(measure: &Measure, input: Option<&str>, last: Option<&str>) -> String {
    let of = input.unwrap_or("*");
    match measure.aggregate {
        Some(Aggregate::Sum) | None => format!("sum({of})"),
        Some(Aggregate::Count) => format!("count({of})"),
        Some(Aggregate::CountDistinct) => format!("count(distinct {of})"),
        Some(Aggregate::Min) => format!("min({of})"),
        Some(Aggregate::Max) => format!("max({of})"),
        Some(Aggregate::Average) => format!("avg({of})"),
        Some(Aggregate::Last) => {
            format!("sum(case when {} then {of} end)", last.unwrap_or("true"))
        }
    }
}

/// Whether no rows give 0 and not null.
pub(super) fn is_zero_without_rows(measure: &Measure) -> bool {
    let aggregates = [
        Aggregate::Sum,
        Aggregate::Count,
        Aggregate::CountDistinct,
        Aggregate::Last,
    ];
    measure
        .aggregate
        .is_some_and(|how| aggregates.contains(&how))
}

/// A formula, with `column` for each measure. Settings are put in; what is multiplied by 0 goes.
pub(super) fn formula(
    formula: &Formula,
    config: &ProjectConfig,
    column: &dyn Fn(&Name) -> String,
) -> String {
    print(&folded(formula, config), column)
}

fn folded(formula: &Formula, config: &ProjectConfig) -> Formula {
    let is = |part: &Formula, number: &str| *part == Formula::Number(number.into());
    match formula {
        Formula::Setting(name) => Formula::Number(match Scalar::setting(config, name) {
            Some(Scalar::Boolean(true)) => "1".into(),
            Some(Scalar::Integer(value)) => value.to_string(),
            _ => "0".into(),
        }),
        Formula::NullIfZero(part) => Formula::NullIfZero(Box::new(folded(part, config))),
        Formula::Of(left, operator, right) => {
            let (left, right) = (folded(left, config), folded(right, config));
            match operator {
                Operator::Times if is(&left, "0") || is(&right, "0") => Formula::Number("0".into()),
                Operator::Times if is(&left, "1") => right,
                Operator::Times if is(&right, "1") => left,
                Operator::Plus if is(&left, "0") => right,
                Operator::Plus | Operator::Minus if is(&right, "0") => left,
                _ => Formula::Of(Box::new(left), *operator, Box::new(right)),
            }
        }
        other => other.clone(),
    }
}

fn print(formula: &Formula, column: &dyn Fn(&Name) -> String) -> String {
    match formula {
        Formula::Measure(name) => column(name),
        Formula::Number(number) => number.clone(),
        Formula::Setting(_) => "0".into(),
        Formula::NullIfZero(part) => format!("nullif({}, 0)", print(part, column)),
        Formula::Of(left, operator, right) => {
            let (left, right) = (print(left, column), print(right, column));
            match operator {
                Operator::Plus => format!("({left} + {right})"),
                Operator::Minus => format!("({left} - {right})"),
                Operator::Times => format!("({left} * {right})"),
                Operator::Per => format!(
                    "case when {right} <> 0 then cast({left} as double) / cast({right} as double) \
                     end"
                ),
            }
        }
    }
}
