//! Aggregates.

use std::collections::HashSet;

use super::eval;
use super::exec::{Frame, Run, by_places};
use super::node::AggregateCall;
use super::value::{Result, Row, Value};

/// The value of an aggregate over the rows of a group.
pub(super) fn value(
    run: &Run<'_>,
    call: &AggregateCall,
    rows: &[Row],
    outer: Option<&Frame<'_>>,
) -> Result<Value> {
    let mut inputs: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    for row in rows {
        let frame = Frame::new(row, outer);
        if let Some(filter) = &call.filter
            && eval::eval(run, filter, &frame)?.truth() != Some(true)
        {
            continue;
        }
        let order = call
            .order
            .iter()
            .map(|(node, _, _)| eval::eval(run, node, &frame));
        inputs.push((
            eval::all(run, &call.arguments, &frame)?,
            order.collect::<Result<Vec<_>>>()?,
        ));
    }
    let order = call.order.iter().enumerate();
    let order: Vec<_> = order
        .map(|(place, (_, is_down, nulls_first))| (place, *is_down, *nulls_first))
        .collect();
    inputs.sort_by(|left, right| by_places(&left.1, &right.1, &order));
    let mut inputs: Vec<Vec<Value>> = inputs.into_iter().map(|(values, _)| values).collect();
    if call.is_distinct {
        let mut seen = HashSet::new();
        inputs.retain(|values| {
            let mut key = String::new();
            values.iter().for_each(|value| value.key(&mut key));
            seen.insert(key)
        });
    }
    Ok(of(call.name, &inputs))
}

fn of(name: &str, inputs: &[Vec<Value>]) -> Value {
    let first = |values: &Vec<Value>| values.first().cloned().unwrap_or(Value::Bool(true));
    let all = || inputs.iter().map(first);
    let known = || all().filter(|value| !value.is_null());
    match name {
        "count" => i64::try_from(known().count()).unwrap_or(i64::MAX).into(),
        "sum" | "avg" => {
            let values: Vec<Value> = known().collect();
            if values.is_empty() {
                return Value::Null;
            }
            let is_whole = values.iter().all(|value| matches!(value, Value::Int(_)));
            let total: f64 = values.iter().filter_map(Value::float).sum();
            match (name, is_whole) {
                ("sum", true) => {
                    let whole = values.iter().filter_map(Value::int);
                    Value::Int(whole.fold(0, i64::saturating_add))
                }
                ("sum", false) => Value::Float(total),
                _ => Value::Float(total / values.len() as f64),
            }
        }
        "min" => known().min_by(Value::order).unwrap_or(Value::Null),
        "max" => known().max_by(Value::order).unwrap_or(Value::Null),
        "bool_or" | "bool_and" | "every" => {
            let mut truths = known().filter_map(|value| value.truth()).peekable();
            match (truths.peek().is_some(), name) {
                (false, _) => Value::Null,
                (true, "bool_or") => truths.any(|truth| truth).into(),
                (true, _) => truths.all(|truth| truth).into(),
            }
        }
        "string_agg" | "json_agg" | "jsonb_agg" | "json_object_agg" | "jsonb_object_agg" => {
            text(name, inputs)
        }
        _ if inputs.is_empty() => Value::Null,
        // `array_agg`.
        _ => all().collect::<Vec<_>>().into(),
    }
}

/// An aggregate that makes one text of many values.
fn text(name: &str, inputs: &[Vec<Value>]) -> Value {
    let first = |values: &Vec<Value>| values.first().cloned().unwrap_or(Value::Null);
    let all = || inputs.iter().map(first);
    match name {
        "string_agg" => {
            let mut text: Option<String> = None;
            for values in inputs {
                let Some(value) = values.first().and_then(Value::text) else {
                    continue;
                };
                let between = values.get(1).and_then(Value::text).unwrap_or_default();
                match &mut text {
                    Some(text) => {
                        text.push_str(&between);
                        text.push_str(&value);
                    }
                    None => text = Some(value.to_string()),
                }
            }
            text.into()
        }
        "json_agg" | "jsonb_agg" => {
            let values: Vec<String> = all().map(|value| super::functions::json(&value)).collect();
            match values.is_empty() {
                true => Value::Null,
                false => format!("[{}]", values.join(", ")).into(),
            }
        }
        "json_object_agg" | "jsonb_object_agg" => {
            let pairs: Vec<String> = inputs
                .iter()
                .map(|values| {
                    let name = values.first().and_then(Value::text).unwrap_or_default();
                    let value = values.get(1).cloned().unwrap_or(Value::Null);
                    let value = super::functions::json(&value);
                    format!("{} : {value}", super::functions::json(&Value::Text(name)))
                })
                .collect();
            format!("{{ {} }}", pairs.join(", ")).into()
        }
        _ => Value::Null,
    }
}
