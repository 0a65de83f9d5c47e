//! Weights into whole units: the parts always sum to the whole, to the last unit.
//!
//! Both splits are by largest remainder: every touch gets its share rounded down, then the units
//! left over go one each to the largest remainders; the earlier touch wins a tie.

/// One conversion in units of credit: 10^12, the scale of DECIMAL(18,12).
pub const CREDIT_UNITS: i64 = 1_000_000_000_000;

/// One cent in units of an amount: amounts are in 10^-6 (DECIMAL(18,6)), split in 10^-2.
pub const AMOUNT_UNITS_PER_CENT: i128 = 10_000;

/// Splits one conversion by the weights; `units` then sums to exactly [`CREDIT_UNITS`].
///
/// Weights that are negative or not a number count as 0. Where no weight is above 0 the last touch
/// gets all. An empty slice stays empty. `weights` is used as scratch space.
pub fn split_credit(weights: &mut [f64], units: &mut [i64]) {
    debug_assert_eq!(weights.len(), units.len(), "one unit count for each weight");
    let total: f64 = weights.iter().copied().filter(|weight| *weight > 0.0).sum();
    if !(total > 0.0 && total.is_finite()) {
        units.fill(0);
        if let Some(last) = units.last_mut() {
            *last = CREDIT_UNITS;
        }
        return;
    }
    let mut given = 0_i64;
    for (weight, unit) in weights.iter_mut().zip(units.iter_mut()) {
        let share = if *weight > 0.0 {
            *weight / total * CREDIT_UNITS as f64
        } else {
            0.0
        };
        let whole = share.floor();
        *unit = whole as i64;
        *weight = share - whole;
        given += *unit;
    }
    // Rounding of the shares themselves can be some units out in either direction.
    for _ in given..CREDIT_UNITS {
        if let Some(touch) = largest(weights) {
            units[touch] += 1;
            weights[touch] = -1.0;
        }
    }
    for _ in CREDIT_UNITS..given {
        if let Some(touch) = (0..units.len()).max_by_key(|&touch| (units[touch], touch)) {
            units[touch] -= 1;
        }
    }
}

/// Place of the largest value, the first of equals.
fn largest(values: &[f64]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (place, value) in values.iter().enumerate() {
        if best.is_none_or(|best| *value > values[best]) {
            best = Some(place);
        }
    }
    best
}

/// Splits an amount in units of 10^-6 by credit; `shares` then sums to exactly `amount`.
///
/// Shares are whole cents; what the amount has below a cent goes to the touch with the most credit
/// (the earlier one of equals). A negative amount gives the negated shares of the positive one. A
/// touch without credit gets nothing. `credit` must sum to [`CREDIT_UNITS`].
pub fn split_amount(amount: i128, credit: &[i64], shares: &mut [i128]) {
    debug_assert_eq!(credit.len(), shares.len(), "one share for each credit");
    let units = i128::from(CREDIT_UNITS);
    let (sign, amount) = if amount < 0 {
        (-1, -amount)
    } else {
        (1, amount)
    };
    let (cents, below) = (
        amount / AMOUNT_UNITS_PER_CENT,
        amount % AMOUNT_UNITS_PER_CENT,
    );
    let mut left = cents;
    let mut most: Option<usize> = None;
    for (touch, (share, &credit_of)) in shares.iter_mut().zip(credit).enumerate() {
        *share = cents * i128::from(credit_of) / units;
        left -= *share;
        if most.is_none_or(|most| credit_of > credit[most]) {
            most = Some(touch);
        }
    }
    give_left_over(cents, left, credit, shares);
    for share in shares.iter_mut() {
        *share *= AMOUNT_UNITS_PER_CENT * sign;
    }
    if let Some(most) = most {
        shares[most] += below * sign;
    }
}

/// Gives the cents left over to the largest remainders.
fn give_left_over(cents: i128, left: i128, credit: &[i64], shares: &mut [i128]) {
    if left <= 0 {
        return;
    }
    let units = i128::from(CREDIT_UNITS);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|&touch| std::cmp::Reverse(cents * i128::from(credit[touch]) % units));
    let left = usize::try_from(left).unwrap_or(usize::MAX);
    for touch in order.into_iter().take(left) {
        shares[touch] += 1;
    }
}
