//! Expressions are evaluated.

use std::cmp::Ordering;

use super::super::oids;
use super::exec::{Frame, Run, compares};
use super::node::{Comparison, Node, Pattern, QueryPlan};
use super::types;
use super::value::{Failure, Result, Value, array_of_text};
use super::world::World;

/// The values of several expressions.
pub(super) fn all(run: &Run<'_>, nodes: &[Node], frame: &Frame<'_>) -> Result<Vec<Value>> {
    nodes.iter().map(|node| eval(run, node, frame)).collect()
}

/// Whether all conditions are true.
pub(super) fn hold(run: &Run<'_>, nodes: &[Node], frame: &Frame<'_>) -> Result<bool> {
    for node in nodes {
        if eval(run, node, frame)?.truth() != Some(true) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The value of an expression.
pub(super) fn eval(run: &Run<'_>, node: &Node, frame: &Frame<'_>) -> Result<Value> {
    run.step()?;
    let of = |node: &Node| eval(run, node, frame);
    Ok(match node {
        Node::Value(value) => value.clone(),
        Node::Column(up, place) => column(frame, *up, *place),
        Node::Parameter(place) => run.parameters.get(*place).cloned().unwrap_or(Value::Null),
        Node::Call(function, is_strict, arguments) => {
            let arguments = all(run, arguments, frame)?;
            match *is_strict && arguments.iter().any(Value::is_null) {
                true => Value::Null,
                false => function(run, &arguments)?,
            }
        }
        Node::And(left, right) => match of(left)?.truth() {
            Some(false) => false.into(),
            left => match (left, of(right)?.truth()) {
                (_, Some(false)) => false.into(),
                (Some(true), Some(true)) => true.into(),
                _ => Value::Null,
            },
        },
        Node::Or(left, right) => match of(left)?.truth() {
            Some(true) => true.into(),
            left => match (left, of(right)?.truth()) {
                (_, Some(true)) => true.into(),
                (Some(false), Some(false)) => false.into(),
                _ => Value::Null,
            },
        },
        Node::Not(inner) => of(inner)?.truth().map(|truth| !truth).into(),
        Node::Compare(how, left, right) => compares(*how, &of(left)?, &of(right)?)?.into(),
        Node::Calculate(sign, left, right) => calculate(*sign, &of(left)?, &of(right)?)?,
        Node::Concat(left, right) => concat(&of(left)?, &of(right)?)?,
        Node::Matches(text, pattern, is_negated) => {
            matches(run, &of(text)?, pattern, *is_negated, frame)?
        }
        Node::IsNull(inner) => of(inner)?.is_null().into(),
        Node::Is(inner, truth) => (of(inner)?.truth() == Some(*truth)).into(),
        Node::Distinct(left, right) => {
            let (left, right) = (of(left)?, of(right)?);
            let is_same = match (left.is_null(), right.is_null()) {
                (true, true) => true,
                (false, false) => left.compare(&right) == Some(Ordering::Equal),
                _ => false,
            };
            (!is_same).into()
        }
        _ => choosing(run, node, frame)?,
    })
}

/// An expression that chooses among others, or is made of several.
fn choosing(run: &Run<'_>, node: &Node, frame: &Frame<'_>) -> Result<Value> {
    let of = |node: &Node| eval(run, node, frame);
    Ok(match node {
        Node::In(value, list) => {
            let values = all(run, list, frame)?;
            some(Comparison::Equal, &of(value)?, values.iter(), false)?
        }
        Node::Case(operand, branches, otherwise) => {
            let operand = operand.as_ref().map(|operand| of(operand)).transpose()?;
            for (condition, result) in branches {
                let condition = of(condition)?;
                let is_met = match &operand {
                    Some(operand) => operand.compare(&condition) == Some(Ordering::Equal),
                    None => condition.truth() == Some(true),
                };
                if is_met {
                    return of(result);
                }
            }
            match otherwise {
                Some(otherwise) => of(otherwise)?,
                None => Value::Null,
            }
        }
        Node::Coalesce(nodes) => {
            for node in nodes {
                let value = of(node)?;
                if !value.is_null() {
                    return Ok(value);
                }
            }
            Value::Null
        }
        Node::Cast(inner, from, to) => cast(run, of(inner)?, *from, *to)?,
        Node::Array(nodes) => all(run, nodes, frame)?.into(),
        Node::Row(nodes) => {
            let values = all(run, nodes, frame)?.into_iter().map(|value| ("", value));
            Value::Record(std::sync::Arc::new(values.collect()))
        }
        _ => taking(run, node, frame)?,
    })
}

/// An expression that takes something out of what is there.
fn taking(run: &Run<'_>, node: &Node, frame: &Frame<'_>) -> Result<Value> {
    let of = |node: &Node| eval(run, node, frame);
    Ok(match node {
        Node::Set(place) => frame.sets.get(*place).cloned().unwrap_or(Value::Null),
        Node::Aggregate(place) => frame.aggregates.get(*place).cloned().unwrap_or(Value::Null),
        Node::Window(place) => frame.windows.get(*place).cloned().unwrap_or(Value::Null),
        Node::Index(array, place, from) => index(&of(array)?, &of(place)?, *from),
        Node::Slice(array, from, to) => {
            let bound = |node: &Option<Box<Node>>| -> Result<Option<i64>> {
                Ok(node
                    .as_ref()
                    .map(|node| of(node))
                    .transpose()?
                    .and_then(|value| value.int()))
            };
            slice(&of(array)?, bound(from)?, bound(to)?)
        }
        Node::Field(record, name) => match of(record)? {
            Value::Record(fields) => {
                let found = fields.iter().find(|(own, _)| own == name);
                found.map_or(Value::Null, |(_, value)| value.clone())
            }
            _ => Value::Null,
        },
        Node::Any(how, value, array, is_all) => match of(array)? {
            Value::Array(values) => some(*how, &of(value)?, values.iter(), *is_all)?,
            _ => Value::Null,
        },
        _ => subquery(run, node, frame)?,
    })
}

/// An expression with a query in it.
fn subquery(run: &Run<'_>, node: &Node, frame: &Frame<'_>) -> Result<Value> {
    let rows = |plan: &QueryPlan| run.query(plan, Some(frame));
    Ok(match node {
        Node::ArrayOf(plan) => {
            let rows = rows(plan)?;
            let values = rows.iter().filter_map(|row| row.first().cloned());
            values.collect::<Vec<_>>().into()
        }
        Node::Scalar(plan) => {
            let rows = rows(plan)?;
            if rows.len() > 1 {
                let message = "more than one row returned by a subquery used as an expression";
                return Err(Failure::new("21000", message));
            }
            rows.first()
                .and_then(|row| row.first().cloned())
                .unwrap_or(Value::Null)
        }
        Node::Exists(plan) => (!rows(plan)?.is_empty()).into(),
        Node::InQuery(value, plan) => {
            let value = eval(run, value, frame)?;
            let rows = rows(plan)?;
            match &value {
                Value::Record(_) => {
                    let record = |row: &Vec<Value>| {
                        let fields = row.iter().map(|value| ("", value.clone()));
                        Value::Record(std::sync::Arc::new(fields.collect()))
                    };
                    let records: Vec<Value> = rows.iter().map(record).collect();
                    some(Comparison::Equal, &value, records.iter(), false)?
                }
                _ => {
                    let values = rows.iter().filter_map(|row| row.first());
                    some(Comparison::Equal, &value, values, false)?
                }
            }
        }
        Node::AnyQuery(how, value, plan, is_all) => {
            let value = eval(run, value, frame)?;
            let rows = rows(plan)?;
            some(
                *how,
                &value,
                rows.iter().filter_map(|row| row.first()),
                *is_all,
            )?
        }
        _ => Value::Null,
    })
}

fn column(frame: &Frame<'_>, up: usize, place: usize) -> Value {
    let mut frame = frame;
    for _ in 0..up {
        match frame.outer {
            Some(outer) => frame = outer,
            None => return Value::Null,
        }
    }
    let place = place.checked_sub(frame.start);
    place
        .and_then(|place| frame.row.get(place))
        .cloned()
        .unwrap_or(Value::Null)
}

/// Whether a value compares so with some of others, or with all.
fn some<'v>(
    how: Comparison,
    value: &Value,
    others: impl Iterator<Item = &'v Value>,
    is_all: bool,
) -> Result<Value> {
    let mut is_unknown = false;
    for other in others {
        match compares(how, value, other)? {
            Some(truth) if truth != is_all => return Ok((!is_all).into()),
            Some(_) => {}
            None => is_unknown = true,
        }
    }
    Ok(if is_unknown {
        Value::Null
    } else {
        is_all.into()
    })
}

fn matches(
    run: &Run<'_>,
    text: &Value,
    pattern: &Pattern,
    is_negated: bool,
    frame: &Frame<'_>,
) -> Result<Value> {
    let Some(text) = text.text() else {
        return Ok(Value::Null);
    };
    let is_match = match pattern {
        Pattern::Known(regex) => regex.is_match(&text),
        Pattern::Made(node, is_like, any_case) => {
            let Some(pattern) = eval(run, node, frame)?.text() else {
                return Ok(Value::Null);
            };
            super::sets::pattern(&pattern, *is_like, *any_case)?.is_match(&text)
        }
    };
    Ok((is_match != is_negated).into())
}

fn index(array: &Value, place: &Value, from: i64) -> Value {
    let (Some(values), Some(place)) = (array.array(), place.int()) else {
        return Value::Null;
    };
    let place = place
        .checked_sub(from)
        .and_then(|place| usize::try_from(place).ok());
    place
        .and_then(|place| values.get(place))
        .cloned()
        .unwrap_or(Value::Null)
}

fn slice(array: &Value, from: Option<i64>, to: Option<i64>) -> Value {
    let Some(values) = array.array() else {
        return Value::Null;
    };
    let from = usize::try_from(from.unwrap_or(1) - 1).unwrap_or(0);
    let to = to
        .map_or(values.len(), |to| usize::try_from(to).unwrap_or(0))
        .min(values.len());
    values
        .get(from..to)
        .map(<[Value]>::to_vec)
        .unwrap_or_default()
        .into()
}

fn concat(left: &Value, right: &Value) -> Result<Value> {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => Ok(left
            .iter()
            .chain(right.iter())
            .cloned()
            .collect::<Vec<_>>()
            .into()),
        (Value::Array(values), Value::Null) | (Value::Null, Value::Array(values)) => {
            Ok(Value::Array(values.clone()))
        }
        (Value::Array(values), other) => Ok(values
            .iter()
            .chain([other])
            .cloned()
            .collect::<Vec<_>>()
            .into()),
        (other, Value::Array(values)) => Ok([other]
            .into_iter()
            .chain(values.iter())
            .cloned()
            .collect::<Vec<_>>()
            .into()),
        _ => match (left.text(), right.text()) {
            (Some(left), Some(right)) if left.len() + right.len() > 1 << 20 => {
                Err(Failure::new("54000", "a text of the query is too long"))
            }
            (Some(left), Some(right)) => Ok(format!("{left}{right}").into()),
            _ => Ok(Value::Null),
        },
    }
}

fn calculate(sign: char, left: &Value, right: &Value) -> Result<Value> {
    if left.is_null() || right.is_null() {
        return Ok(Value::Null);
    }
    let by_zero = || Failure::new("22012", "division by zero");
    let wrong = || Failure::new("22003", "a number is out of range");
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        let result = match sign {
            '+' => left.checked_add(*right),
            '-' => left.checked_sub(*right),
            '*' => left.checked_mul(*right),
            '/' | '%' if *right == 0 => return Err(by_zero()),
            '/' => left.checked_div(*right),
            '%' => left.checked_rem(*right),
            '&' => Some(left & right),
            '|' => Some(left | right),
            '#' => Some(left ^ right),
            '<' => u32::try_from(*right)
                .ok()
                .and_then(|by| left.checked_shl(by)),
            '>' => u32::try_from(*right)
                .ok()
                .and_then(|by| left.checked_shr(by)),
            _ => None,
        };
        return result.map(Value::Int).ok_or_else(wrong);
    }
    let (Some(left), Some(right)) = (left.float(), right.float()) else {
        return Err(Failure::new(
            "42883",
            "operator does not exist for these types",
        ));
    };
    Ok(Value::Float(match sign {
        '+' => left + right,
        '-' => left - right,
        '*' => left * right,
        '/' if right == 0.0 => return Err(by_zero()),
        '/' => left / right,
        '%' => left % right,
        _ => return Err(wrong()),
    }))
}

/// The number of a thing that a text names; none for other types.
fn named(world: &World, text: &str, to: u32) -> Result<Option<Value>> {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    let name = |text: &str| super::world::identifiers(text).join(".");
    Ok(Some(match to {
        oids::REGCLASS => {
            let found =
                number(text).or_else(|| world.relation_named(text).map(|one| one.oid.into()));
            found.map(Value::Int).ok_or_else(|| {
                Failure::new("42P01", format!("relation \"{text}\" does not exist"))
            })?
        }
        oids::REGTYPE => {
            let found = number(text).or_else(|| types::by_name(text).map(i64::from));
            found
                .map(Value::Int)
                .ok_or_else(|| Failure::new("42704", format!("type \"{text}\" does not exist")))?
        }
        oids::REGPROC | 2202 => {
            let bare = text.split('(').next().unwrap_or_default();
            number(text).map_or_else(|| super::procs::oid(bare).into(), Value::Int)
        }
        oids::REGNAMESPACE => {
            let found = number(text).or_else(|| world.schema_oid(&name(text)).map(i64::from));
            found
                .map(Value::Int)
                .ok_or_else(|| Failure::new("3F000", format!("schema \"{text}\" does not exist")))?
        }
        oids::REGROLE => {
            let found = number(text).or_else(|| world.role_oid(&name(text)).map(i64::from));
            found
                .map(Value::Int)
                .ok_or_else(|| Failure::new("42704", format!("role \"{text}\" does not exist")))?
        }
        _ => return Ok(None),
    }))
}

/// A value as one of another type.
pub(super) fn cast(run: &Run<'_>, value: Value, from: u32, to: u32) -> Result<Value> {
    let world = run.world;
    if value.is_null() || from == to {
        return Ok(value);
    }
    let wrong = || {
        let name = types::format(to.into(), None);
        Failure::new("22P02", format!("invalid input syntax for type {name}"))
    };
    if let Some(element) = types::element(to) {
        let values = match &value {
            Value::Array(values) => values.to_vec(),
            other => array_of_text(&other.text().unwrap_or_default()),
        };
        let own = types::element(from).unwrap_or(oids::UNKNOWN);
        let values = values
            .into_iter()
            .map(|value| cast(run, value, own, element));
        return Ok(values.collect::<Result<Vec<_>>>()?.into());
    }
    if let Value::Text(text) = &value
        && let Some(found) = named(world, text, to)?
    {
        return Ok(found);
    }
    Ok(match (to, &value) {
        (oids::BOOL, Value::Text(text)) => match text.trim().to_lowercase().as_str() {
            "t" | "true" | "yes" | "on" | "1" | "y" => true.into(),
            "f" | "false" | "no" | "off" | "0" | "n" => false.into(),
            _ => return Err(wrong()),
        },
        (oids::BOOL, other) => other.truth().into(),
        (oids::FLOAT4 | oids::FLOAT8, other) => Value::Float(other.float().ok_or_else(wrong)?),
        (oids::NUMERIC, Value::Int(_) | Value::Float(_)) => value,
        (oids::NUMERIC, other) => match other.int() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(other.float().ok_or_else(wrong)?),
        },
        (to, Value::Int(_)) if types::is_number(to) => value,
        (to, other) if types::is_number(to) || to == oids::XID => {
            Value::Int(other.int().ok_or_else(wrong)?)
        }
        (oids::NAME, other) => {
            let text = other.text().unwrap_or_default();
            text.chars().take(63).collect::<String>().into()
        }
        (oids::CHAR, other) => {
            let shown = other.text().unwrap_or_default();
            shown.chars().take(1).collect::<String>().into()
        }
        (_, Value::Bool(truth)) => if *truth { "true" } else { "false" }.into(),
        (to, Value::Int(_)) if types::is_text(to) || to == oids::UNKNOWN => {
            world.shown(&value, from).text().into_value()
        }
        (to, Value::Array(values)) if matches!(from, oids::INT2VECTOR | oids::OIDVECTOR) => {
            let _ = to;
            let texts: Vec<_> = values.iter().filter_map(Value::text).collect();
            texts.join(" ").into()
        }
        (_, Value::Record(_) | Value::Array(_) | Value::Float(_) | Value::Int(_)) => {
            value.text().into_value()
        }
        _ => value,
    })
}

trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for Option<std::sync::Arc<str>> {
    fn into_value(self) -> Value {
        self.map_or(Value::Null, Value::Text)
    }
}
