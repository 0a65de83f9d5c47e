//! What rows say, as one number: so that a table, or a day of it, that was built again and came
//! out as it was is known to be unchanged, and nothing downstream is built for it.
//!
//! Each row is hashed over all its columns; a table's number is the sum of its rows' hashes, so
//! neither order nor the division into files matters. Rows that come twice count twice. The hash
//! is not a keyed one: it finds change, it does not withstand forgery.

use arrow_array::RecordBatch;
use datafusion::common::hash_utils::{QualityRandomState, create_hashes};

use crate::Result;

/// Between the columns of a row: any odd number without structure.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of each row. A column's place counts: a value that moves to the next column changes
/// the hash, and so does one that becomes null.
///
/// # Errors
/// A column's type cannot be hashed.
pub fn row_hashes(batch: &RecordBatch) -> Result<Vec<u64>> {
    let mut rows = vec![0_u64; batch.num_rows()];
    let mut hashes = vec![0_u64; batch.num_rows()];
    for (place, column) in batch.columns().iter().enumerate() {
        hashes.fill(0);
        // A seed for each column, and nulls keep the zero that they find.
        let state = QualityRandomState::with_seed(place as u64 + 1);
        create_hashes([column], &state, &mut hashes)?;
        for (row, hash) in rows.iter_mut().zip(&hashes) {
            *row = (*row ^ hash).wrapping_mul(STEP).rotate_left(29);
        }
    }
    Ok(rows)
}

/// The sum of some rows' hashes.
pub(crate) fn sum(hashes: &[u64]) -> u64 {
    hashes
        .iter()
        .fold(0, |sum: u64, hash| sum.wrapping_add(*hash))
}

/// Rows that a sample for [`diverse`] has at least, and at most.
const SAMPLE_ROWS: std::ops::RangeInclusive<usize> = 4_096..=8_192;

/// The flat columns in whose first rows hardly a value comes twice; none of few rows.
pub(crate) fn diverse(batch: &RecordBatch) -> Result<Vec<String>> {
    let rows = batch.num_rows().min(*SAMPLE_ROWS.end());
    if rows < *SAMPLE_ROWS.start() {
        return Ok(Vec::new());
    }
    let sample = batch.slice(0, rows);
    let mut names = Vec::new();
    for (column, field) in sample.columns().iter().zip(batch.schema_ref().fields()) {
        if field.data_type().is_nested() {
            continue;
        }
        let mut hashes = vec![0_u64; rows];
        create_hashes([column], &QualityRandomState::with_seed(0), &mut hashes)?;
        hashes.sort_unstable();
        hashes.dedup();
        if hashes.len() * 10 > rows * 9 {
            names.push(field.name().clone());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn batch(ids: &[Option<i64>], names: &[Option<&str>], more: &[Option<&str>]) -> RecordBatch {
        let columns: [(&str, ArrayRef); 3] = [
            ("id", Arc::new(Int64Array::from(ids.to_vec()))),
            ("name", Arc::new(StringArray::from(names.to_vec()))),
            ("more", Arc::new(StringArray::from(more.to_vec()))),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap()
    }

    fn of(batch: &RecordBatch) -> u64 {
        sum(&row_hashes(batch).unwrap())
    }

    #[test]
    fn order_does_not_count_and_every_value_does() {
        let one = batch(&[Some(1), Some(2)], &[Some("a"), None], &[None, Some("b")]);
        let turned = batch(&[Some(2), Some(1)], &[None, Some("a")], &[Some("b"), None]);
        assert_eq!(of(&one), of(&turned));
        for other in [
            // A value in the next column, another value, a value less, values of another row.
            batch(&[Some(1), Some(2)], &[None, None], &[Some("a"), Some("b")]),
            batch(&[Some(1), Some(3)], &[Some("a"), None], &[None, Some("b")]),
            batch(&[Some(1), Some(2)], &[Some("a"), None], &[None, None]),
            batch(&[Some(1), Some(2)], &[None, Some("a")], &[None, Some("b")]),
        ] {
            assert_ne!(of(&one), of(&other));
        }
    }

    #[test]
    fn a_column_is_diverse_where_hardly_a_value_comes_twice() {
        let ids: Vec<_> = (0..9_000).map(Some).collect();
        let names: Vec<_> = ids
            .iter()
            .map(|id| ["a", "b"].get(id.unwrap() as usize % 2))
            .collect();
        let names: Vec<_> = names.into_iter().map(|name| name.copied()).collect();
        let some = [&names[..100], &vec![None; 8_900]].concat();
        let many = batch(&ids, &names, &some);
        assert_eq!(diverse(&many).unwrap(), ["id"]);
        assert!(diverse(&many.slice(0, 100)).unwrap().is_empty());
    }

    #[test]
    fn rows_that_come_twice_count_twice() {
        let once = batch(&[Some(1)], &[None], &[None]);
        let twice = batch(&[Some(1), Some(1)], &[None, None], &[None, None]);
        assert_ne!(of(&once), of(&twice));
        assert_ne!(of(&twice), 0);
    }
}
