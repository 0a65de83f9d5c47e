//! A whole number split by weights of either sign: the parts sum to it, to the last unit.

/// Weights are turned into whole numbers of about this size, so that the split is exact from there.
const RESOLUTION: f64 = (1_u64 << 50) as f64;

/// Splits `total` by the weights, by largest remainder (the earlier of equals first). A weight may
/// be negative, as the worth of a channel in a game may be; its part then is too. None where the
/// weights sum to 0, or one of them is not a number, or the total is beyond 10^22.
pub(super) fn split(total: i128, weights: &[f64]) -> Option<Vec<i128>> {
    let largest = weights.iter().fold(0.0_f64, |max, weight| {
        if weight.is_nan() {
            f64::NAN
        } else {
            max.max(weight.abs())
        }
    });
    if !(largest > 0.0 && largest.is_finite()) || total.unsigned_abs() > 10_u128.pow(22) {
        return None;
    }
    let whole = |weight: &f64| (weight / largest * RESOLUTION).round() as i128;
    let mut whole: Vec<i128> = weights.iter().map(whole).collect();
    let mut sum: i128 = whole.iter().sum();
    // A sum that is nothing but rounding has no meaning as a divisor.
    if sum.unsigned_abs() <= 4 * whole.len() as u128 {
        return None;
    }
    if sum < 0 {
        whole.iter_mut().for_each(|weight| *weight = -*weight);
        sum = -sum;
    }
    let mut parts = Vec::with_capacity(whole.len());
    let mut remainders = Vec::with_capacity(whole.len());
    for (place, weight) in whole.iter().enumerate() {
        let product = total.checked_mul(*weight)?;
        parts.push(product.div_euclid(sum));
        remainders.push((product.rem_euclid(sum), place));
    }
    let left = total - parts.iter().sum::<i128>();
    remainders.sort_unstable_by_key(|&(remainder, place)| (std::cmp::Reverse(remainder), place));
    for (_, place) in remainders.into_iter().take(usize::try_from(left).ok()?) {
        parts[place] += 1;
    }
    Some(parts)
}

/// Splits an amount in units of 10^-6 into whole cents; what it has below a cent goes to the
/// largest weight. None as [`split`].
pub(super) fn split_cents(amount: i128, weights: &[f64]) -> Option<Vec<i128>> {
    let cent = super::super::AMOUNT_UNITS_PER_CENT;
    let mut parts = split(amount / cent, weights)?;
    parts.iter_mut().for_each(|part| *part *= cent);
    let mut most = 0;
    for (place, weight) in weights.iter().enumerate() {
        if weight.abs() > weights[most].abs() {
            most = place;
        }
    }
    parts[most] += amount % cent;
    Some(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_remainder_gets_what_is_left() {
        assert_eq!(split(10, &[1.0, 1.0, 1.0]), Some(vec![4, 3, 3]));
        assert_eq!(split(-10, &[1.0, 1.0, 1.0]), Some(vec![-3, -3, -4]));
        assert_eq!(split(10, &[3.0, -1.0]), Some(vec![15, -5]));
        assert_eq!(split(10, &[-3.0, 1.0]), Some(vec![15, -5]));
        assert_eq!(split(10, &[0.0, 0.0]), None);
        assert_eq!(split(10, &[1.0, -1.0]), None);
        assert_eq!(split(10, &[1.0, f64::NAN]), None);
        assert_eq!(split(10, &[]), None);
        assert_eq!(split(0, &[1.0, 2.0]), Some(vec![0, 0]));
        let cents = split_cents(1_005_000, &[1.0, 2.0]);
        assert_eq!(cents, Some(vec![330_000, 675_000]));
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(
            total in -10_i128.pow(21)..10_i128.pow(21),
            weights in proptest::collection::vec(0.0..1e9_f64, 1..40),
        ) {
            let sum: f64 = weights.iter().sum();
            for parts in [split(total, &weights), split_cents(total, &weights)] {
                let parts = parts.expect("positive weights");
                prop_assert_eq!(parts.iter().sum::<i128>(), total);
                for (part, weight) in parts.iter().zip(&weights) {
                    let share = total as f64 * weight / sum;
                    prop_assert!((*part as f64 - share).abs() <= 20_000.0 + share.abs() * 1e-12);
                }
            }
        }
    }
}
