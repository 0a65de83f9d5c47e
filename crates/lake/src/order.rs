//! In what order rows lie: seen while a file is written, proved from statistics when it is read.
//!
//! A wrong claim of order gives wrong rows without an error, so nothing here is taken on trust. A
//! writer notes the columns by which it saw the rows of a file ascend; a scan puts files one after
//! the other only if their ranges of the leading column do not touch. What is not known (no
//! statistics, a file of another writer) proves nothing. Order is always ascending, nulls last.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array, RecordBatch};
use arrow_schema::DataType;
use datafusion::arrow::compute;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;

use crate::file::ColumnRange;
use crate::layout::{Layout, is_typed, unsigned};

/// Watches the rows of one file go by: by which leading columns do they ascend?
pub(crate) struct Seen {
    columns: Vec<String>,
    last: Option<Vec<Key>>,
}

/// A value as it is ordered: nulls last.
type Key = (bool, i64);

impl Seen {
    pub(crate) fn new(layout: &Layout) -> Self {
        let typed = layout.order().into_iter().take_while(|name| {
            let field = layout.schema.field_with_name(name);
            field.is_ok_and(|field| {
                is_typed(field.data_type()) || field.data_type() == &DataType::Boolean
            })
        });
        Self {
            columns: typed.map(str::to_owned).collect(),
            last: None,
        }
    }

    /// The columns by which all rows so far ascend.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Takes the next rows.
    pub(crate) fn take(&mut self, batch: &RecordBatch) -> Result<(), DataFusionError> {
        if self.columns.is_empty() || batch.num_rows() == 0 {
            return Ok(());
        }
        let mut keys: Vec<Int64Array> = Vec::with_capacity(self.columns.len());
        for name in &self.columns {
            let Some(column) = batch.column_by_name(name) else {
                self.columns.clear();
                return Ok(());
            };
            // A day becomes 32 bits before it becomes 64: there is no cast in one step.
            let column = match column.data_type() {
                DataType::Date32 => compute::cast(column, &DataType::Int32)?,
                _ => column.clone(),
            };
            let column = compute::cast(&column, &DataType::Int64)?;
            keys.push(column.as_primitive::<Int64Type>().clone());
        }
        let key = |column: usize, row: usize| -> Key {
            match keys[column].is_valid(row) {
                true => (false, keys[column].value(row)),
                false => (true, 0),
            }
        };
        let mut proved = keys.len();
        for row in 0..batch.num_rows() {
            for column in 0..proved {
                let before = match (row, &self.last) {
                    (0, None) => break,
                    (0, Some(last)) => last[column],
                    _ => key(column, row - 1),
                };
                match before.cmp(&key(column, row)) {
                    Ordering::Less => break,
                    Ordering::Equal => {}
                    Ordering::Greater => {
                        proved = column;
                        break;
                    }
                }
            }
        }
        self.columns.truncate(proved);
        let end = batch.num_rows() - 1;
        self.last = Some((0..proved).map(|column| key(column, end)).collect());
        Ok(())
    }
}

/// First and last value of the leading column in a file; a null is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Extent {
    first: Key,
    last: Key,
}

impl Extent {
    /// What the log's statistics say; none where they do not say enough.
    pub(crate) fn of(range: Option<&ColumnRange>) -> Option<Self> {
        const NULL: Key = (true, 0);
        let range = range?;
        let nulls = range.nulls?;
        let ends = range
            .min
            .as_ref()
            .and_then(number)
            .zip(range.max.as_ref().and_then(number));
        // Statistics without values are those of a file with nothing but nulls, or unread.
        ends.map(|(min, max)| Self {
            first: (false, min),
            last: if nulls > 0 { NULL } else { (false, max) },
        })
    }

    fn is_before(self, other: Self) -> bool {
        self.last < other.first
    }

    #[cfg(test)]
    pub(crate) fn new(first: i64, last: Option<i64>) -> Self {
        Self {
            first: (false, first),
            last: last.map_or((true, 0), |last| (false, last)),
        }
    }
}

fn number(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int64(value) | ScalarValue::TimestampMicrosecond(value, _) => *value,
        ScalarValue::Date32(days) => days.map(i64::from),
        _ => None,
    }
}

/// A sorted file of a scan: its extent in the leading column and its size, any unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) extent: Extent,
    pub(crate) size: u64,
}

/// Files one after the other, as places in the list of pieces: together they are sorted.
pub(crate) type Run = Vec<usize>;

/// Puts files into as few runs as their overlaps allow: each run is sorted as a whole.
pub(crate) fn runs(pieces: &[Piece], among: impl IntoIterator<Item = usize>) -> Vec<Run> {
    let mut order: Vec<usize> = among.into_iter().collect();
    order.sort_by_key(|&index| (pieces[index].extent, index));
    let mut runs: Vec<Run> = Vec::new();
    for index in order {
        let extent = pieces[index].extent;
        let open = runs.iter_mut().find(|run| {
            let last = run.last().map(|&last| pieces[last].extent);
            last.is_some_and(|last| last.is_before(extent))
        });
        match open {
            Some(run) => run.push(index),
            None => runs.push(vec![index]),
        }
    }
    runs
}

/// Cuts runs until there are `wanted` of them, the heaviest first, each at the middle of its size.
pub(crate) fn cut(pieces: &[Piece], mut runs: Vec<Run>, wanted: usize) -> Vec<Run> {
    let weight = |run: &Run| run.iter().map(|&index| pieces[index].size).sum::<u64>();
    while runs.len() < wanted {
        let heaviest = (0..runs.len())
            .filter(|&index| runs[index].len() > 1)
            .max_by_key(|&index| weight(&runs[index]));
        let Some(heaviest) = heaviest else {
            break;
        };
        let half = weight(&runs[heaviest]) / 2;
        let mut sum = 0;
        let place = runs[heaviest].iter().position(|&index| {
            sum += pieces[index].size;
            sum >= half
        });
        let last = runs[heaviest].len() - 1;
        let tail = runs[heaviest].split_off((place.unwrap_or(0) + 1).min(last));
        runs.push(tail);
    }
    runs
}

/// Files that overlap directly or through others.
struct Island {
    files: Vec<usize>,
    extent: Extent,
    weight: u64,
}

/// The files of each island, in the order of their first values.
pub(crate) fn islands(pieces: &[Piece]) -> Vec<Vec<usize>> {
    let found = found_islands(pieces).into_iter();
    found.map(|island| island.files).collect()
}

fn found_islands(pieces: &[Piece]) -> Vec<Island> {
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by_key(|&index| (pieces[index].extent, index));
    let mut islands: Vec<Island> = Vec::new();
    for index in order {
        let Piece { extent, size } = pieces[index];
        match islands.last_mut() {
            Some(island) if !island.extent.is_before(extent) => {
                island.files.push(index);
                island.extent.last = island.extent.last.max(extent.last);
                island.weight += size;
            }
            _ => islands.push(Island {
                files: vec![index],
                extent,
                weight: size,
            }),
        }
    }
    islands
}

/// Files grouped by ranges of the leading column, no value in two groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ranges {
    /// The files of each group, in the order of their first values.
    pub(crate) groups: Vec<Vec<usize>>,
    /// The first value that a group may hold, of all groups but the first.
    pub(crate) splits: Vec<i64>,
}

/// Spreads files over at most `wanted` groups of adjacent ranges, of about equal size. Files that
/// overlap come into one group.
pub(crate) fn ranges(pieces: &[Piece], wanted: usize) -> Ranges {
    let islands = found_islands(pieces);
    let total: u64 = islands.iter().map(|island| island.weight).sum();
    let wanted = wanted.clamp(1, islands.len().max(1));
    let mut found = Ranges {
        groups: Vec::new(),
        splits: Vec::new(),
    };
    let (mut next, mut done) = (0, 0);
    for group in 0..wanted {
        let from = next;
        let others = wanted - group - 1;
        let share = (u128::from(total) * (group as u128 + 1) / wanted as u128) as u64;
        while next < islands.len() - others {
            let weight = islands[next].weight;
            // An island goes where its larger part lies; each group has at least one.
            if others > 0 && next > from && done + weight / 2 > share {
                break;
            }
            done += weight;
            next += 1;
        }
        if from > 0 {
            let (before, after) = (islands[from - 1].extent, islands[from].extent);
            found.splits.push(roundest(before.last.1, after.first.1));
        }
        let files = islands[from..next].iter().flat_map(|island| &island.files);
        found.groups.push(files.copied().collect());
    }
    found
}

/// The number above `below` and up to `upto` that ends in the most zero bits: the same for any
/// table that is split at the same prefixes.
fn roundest(below: i64, upto: i64) -> i64 {
    let (below, upto) = (unsigned(below), unsigned(upto));
    let differ = u64::BITS - 1 - (below ^ upto).leading_zeros().min(u64::BITS - 1);
    unsigned(((upto >> differ) << differ) as i64) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(extents: &[(i64, i64)]) -> Vec<Piece> {
        let piece = |&(first, last): &(i64, i64)| Piece {
            extent: Extent::new(first, Some(last)),
            size: 1,
        };
        extents.iter().map(piece).collect()
    }

    #[test]
    fn files_that_touch_are_not_one_run() {
        let files = pieces(&[(1, 5), (5, 9), (10, 20), (21, 22)]);
        assert_eq!(runs(&files, 0..4), [vec![0, 2, 3], vec![1]]);
    }

    #[test]
    fn nothing_comes_after_a_null() {
        let mut files = pieces(&[(1, 5), (6, 9)]);
        files[0].extent = Extent::new(1, None);
        assert_eq!(runs(&files, 0..2), [vec![0], vec![1]]);
        assert_eq!(ranges(&files, 2).groups, [vec![0, 1]]);
        files.swap(0, 1);
        files[0].extent = Extent::new(1, Some(5));
        files[1].extent = Extent::new(6, None);
        assert_eq!(runs(&files, 0..2), [vec![0, 1]]);
        assert_eq!(ranges(&files, 2).groups, [vec![0], vec![1]]);
    }

    #[test]
    fn overlapping_files_share_a_group_and_splits_are_round() {
        let files = pieces(&[(100, 200), (-7, -3), (150, 300), (301, 400), (-2, 60)]);
        let found = ranges(&files, 3);
        assert_eq!(found.groups, [vec![1, 4], vec![0, 2], vec![3]]);
        assert_eq!(found.splits, [64, 301]);
        let whole = ranges(&files, 1);
        assert_eq!((whole.groups.len(), whole.splits.len()), (1, 0));
        assert_eq!(ranges(&files, 99).groups.len(), 4);
    }

    #[test]
    fn split_points_are_prefixes() {
        assert_eq!(roundest(-5, 1 << 60), 0);
        assert_eq!(roundest(i64::MIN, -1), i64::MIN / 2);
        assert_eq!(roundest(1, 1 << 61), 1 << 61);
        assert_eq!(roundest(6, 7), 7);
        assert_eq!(roundest(i64::MIN, i64::MAX), 0);
    }

    #[test]
    fn a_long_run_is_cut_in_the_middle() {
        let files = pieces(&[(1, 2), (3, 4), (5, 6), (7, 8)]);
        let whole = runs(&files, 0..4);
        assert_eq!(cut(&files, whole.clone(), 2), [vec![0, 1], vec![2, 3]]);
        assert_eq!(cut(&files, whole, 9).len(), 4);
    }
}
