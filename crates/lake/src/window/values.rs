//! The values of window functions over whole partitions.
//!
//! `lag`, `lead`, `first_value` and `last_value` give a value of another row: where it stands is
//! found for all partitions at once, and the values are taken in one go. Other functions are asked
//! partition by partition.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array, UInt64Array};
use arrow_schema::DataType;
use datafusion::arrow::compute::{concat, interleave, take};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{
    PartitionEvaluator, WindowFrame, WindowFrameBound, WindowFrameUnits,
};
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::window::StandardWindowFunctionExpr as _;
use datafusion::physical_expr::window::{StandardWindowExpr, WindowExpr};
use datafusion::physical_plan::windows::WindowUDFExpr;

/// The values of a window expression for the rows of all partitions.
pub(super) fn of(
    expr: &Arc<dyn WindowExpr>,
    rows: &RecordBatch,
    partitions: &[Range<usize>],
) -> Result<ArrayRef> {
    if let Some(values) = of_other_rows(expr, rows, partitions)? {
        return Ok(values);
    }
    let parts = partitions
        .iter()
        .map(|range| expr.evaluate(&rows.slice(range.start, range.len())))
        .collect::<Result<Vec<_>>>()?;
    if parts.is_empty() {
        let field = expr.field()?;
        return Ok(arrow_array::new_empty_array(field.data_type()));
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    Ok(concat(&parts)?)
}

/// The values where the function gives those of other rows; none where it is another function, or
/// one with a frame that only the engine knows.
fn of_other_rows(
    expr: &Arc<dyn WindowExpr>,
    rows: &RecordBatch,
    partitions: &[Range<usize>],
) -> Result<Option<ArrayRef>> {
    let standard = expr.as_any().downcast_ref::<StandardWindowExpr>();
    let standard = standard.map(|standard| standard.get_standard_func_expr());
    let Some(function) = standard.and_then(|f| f.as_any().downcast_ref::<WindowUDFExpr>()) else {
        return Ok(None);
    };
    let name = function.fun().name();
    if name == "row_number" && expr.field()?.data_type() == &DataType::UInt64 {
        let numbers = partitions.iter().flat_map(|range| 1..=range.len() as u64);
        return Ok(Some(Arc::new(UInt64Array::from_iter_values(numbers))));
    }
    if !["lag", "lead", "first_value", "last_value"].contains(&name) {
        return Ok(None);
    }
    let [values] = &expr.evaluate_args(rows)?[..] else {
        return Ok(None);
    };
    let Some(probe) = probe(values)? else {
        return Ok(None);
    };
    let mut evaluator = function.create_evaluator()?;
    let places = if name == "lag" || name == "lead" {
        match shift(evaluator.as_mut(), probe)? {
            Some(shift) => shifted(partitions, shift),
            None => return Ok(None),
        }
    } else {
        let Some(frame) = RowFrame::new(expr.get_window_frame()) else {
            return Ok(None);
        };
        let ignores_nulls = !evaluator.evaluate(&[probe], &(0..PROBE))?.is_null();
        framed(
            values,
            partitions,
            &frame,
            name == "last_value",
            ignores_nulls,
        )
    };
    let default = function.args().get(2);
    let default = default.and_then(|default| default.downcast_ref::<Literal>());
    match default.map(Literal::value).filter(|value| !value.is_null()) {
        None => Ok(Some(take(values, &UInt32Array::from(places), None)?)),
        Some(value) => with_default(values, &places, value),
    }
}

/// The values at the places; where there is none, the default.
fn with_default(
    values: &ArrayRef,
    places: &[Option<u32>],
    default: &ScalarValue,
) -> Result<Option<ArrayRef>> {
    if default.data_type() != *values.data_type() {
        return Ok(None);
    }
    let default = default.to_array_of_size(1)?;
    let places = places.iter().map(|place| match place {
        Some(place) => (0, *place as usize),
        None => (1, 0),
    });
    let places: Vec<_> = places.collect();
    Ok(Some(interleave(
        &[values.as_ref(), default.as_ref()],
        &places,
    )?))
}

/// Rows of a probe.
const PROBE: usize = 5;

/// Five values of which only the middle one is not null: what a function makes of them shows what
/// the engine keeps to itself, whether it looks over nulls and which way it goes. None where all
/// values are null, or there are more than can be counted.
fn probe(values: &ArrayRef) -> Result<Option<ArrayRef>> {
    if u32::try_from(values.len()).is_err() {
        return Ok(None);
    }
    let Some(known) = (0..values.len()).find(|row| values.is_valid(*row)) else {
        return Ok(None);
    };
    let mut places = [None; PROBE];
    places[PROBE / 2] = Some(known as u32);
    Ok(Some(take(
        values,
        &UInt32Array::from(places.to_vec()),
        None,
    )?))
}

/// By how many rows the function looks back (`lag` 1, `lead` -1); none where it looks over nulls or
/// farther.
fn shift(evaluator: &mut dyn PartitionEvaluator, probe: ArrayRef) -> Result<Option<isize>> {
    let shown = evaluator.evaluate_all(&[probe], PROBE)?;
    let known: Vec<bool> = (0..PROBE).map(|row| shown.is_valid(row)).collect();
    // The value went on by one row and no farther; at the far end stands the default.
    Ok(match known[..] {
        [_, false, false, true, false] => Some(1),
        [false, true, false, false, _] => Some(-1),
        _ => None,
    })
}

/// For each row, the row before or after it, within the partition.
fn shifted(partitions: &[Range<usize>], shift: isize) -> Vec<Option<u32>> {
    let places = partitions.iter().flat_map(|range| {
        range.clone().map(|row| {
            let place = row.checked_add_signed(-shift)?;
            range.contains(&place).then_some(place as u32)
        })
    });
    places.collect()
}

/// A frame that counts rows: by how many it begins and ends from the current one; none is the
/// partition's edge.
struct RowFrame {
    start: Option<isize>,
    end: Option<isize>,
}

impl RowFrame {
    /// None for frames of values that equal or lie near each other.
    fn new(frame: &WindowFrame) -> Option<Self> {
        let rows = |bound: &WindowFrameBound| match bound {
            WindowFrameBound::CurrentRow => Some(Some(0)),
            WindowFrameBound::Preceding(by) | WindowFrameBound::Following(by) if by.is_null() => {
                Some(None)
            }
            WindowFrameBound::Preceding(ScalarValue::UInt64(Some(by))) => {
                Some(Some(-isize::try_from(*by).ok()?))
            }
            WindowFrameBound::Following(ScalarValue::UInt64(Some(by))) => {
                Some(Some(isize::try_from(*by).ok()?))
            }
            WindowFrameBound::Preceding(_) | WindowFrameBound::Following(_) => None,
        };
        let (start, end) = (rows(&frame.start_bound)?, rows(&frame.end_bound)?);
        let is_whole = start.is_none() && end.is_none();
        (frame.units == WindowFrameUnits::Rows || is_whole).then_some(Self { start, end })
    }

    /// The rows that a row sees.
    fn of(&self, row: usize, partition: &Range<usize>) -> Range<usize> {
        let at = |by: isize| {
            let place = row.saturating_add_signed(by);
            place.clamp(partition.start, partition.end)
        };
        let start = self.start.map_or(partition.start, at);
        let end = self
            .end
            .map_or(partition.end, |by| at(by.saturating_add(1)));
        start..end
    }
}

/// For each row, the first or last row that its frame holds; of those with a value, where the
/// function looks over nulls.
fn framed(
    values: &ArrayRef,
    partitions: &[Range<usize>],
    frame: &RowFrame,
    is_last: bool,
    ignores_nulls: bool,
) -> Vec<Option<u32>> {
    let nearest = match (ignores_nulls, is_last) {
        (false, _) => None,
        (true, true) => Some(nearest_valid(values, 0..values.len())),
        (true, false) => Some(nearest_valid(values, (0..values.len()).rev())),
    };
    let places = partitions.iter().flat_map(|partition| {
        let nearest = &nearest;
        partition.clone().map(move |row| {
            let seen = frame.of(row, partition);
            let edge = if is_last {
                seen.end.checked_sub(1)?
            } else {
                seen.start
            };
            if !seen.contains(&edge) {
                return None;
            }
            let place = match nearest {
                None => edge,
                Some(nearest) => nearest[edge]? as usize,
            };
            seen.contains(&place).then_some(place as u32)
        })
    });
    places.collect()
}

/// For each row the row with a value that was met last on the way, itself included.
fn nearest_valid(values: &ArrayRef, way: impl Iterator<Item = usize>) -> Vec<Option<u32>> {
    let mut nearest = vec![None; values.len()];
    let mut met = None;
    for row in way {
        if values.is_valid(row) {
            met = Some(row as u32);
        }
        nearest[row] = met;
    }
    nearest
}
