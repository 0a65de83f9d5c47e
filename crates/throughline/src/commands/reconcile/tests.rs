//! The waterfall by itself: whatever the figures and definitions are, the parts sum to the gap.

use std::collections::BTreeMap;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::amount::Amount;
use super::waterfall::{Atom, Cause, Definition, RowId, Side, waterfall};

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap_or_else(|| panic!("`{text}`"))
}

fn random_atom(random: &mut ChaCha8Rng) -> Atom {
    let mut day = || {
        random
            .random_bool(0.9)
            .then(|| random.random_range(95..125))
    };
    let days = [day(), day(), day()];
    let known = random.random_bool(0.5).then(|| {
        let from = random.random_range(0..50);
        let to = random
            .random_bool(0.5)
            .then(|| from + random.random_range(1..50));
        (from, to)
    });
    let mut sides = Vec::new();
    for cause in &Cause::ALL[..8] {
        if random.random_bool(0.15) {
            let side = if random.random_bool(0.5) {
                Side::Ours
            } else {
                Side::Theirs
            };
            sides.push((*cause, side));
        }
    }
    Atom {
        measure: random.random_range(0..2),
        key: random.random_range(0..3),
        days,
        known,
        sides,
        amount: Amount::of_millionths(random.random_range(-5_000_000..50_000_000)),
    }
}

#[test]
fn parts_and_rest_sum_to_the_gap_of_every_row() {
    for seed in 0..300 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let atoms: Vec<Atom> = (0..60).map(|_| random_atom(&mut random)).collect();
        let theirs: BTreeMap<RowId, Amount> = (0..20)
            .map(|_| {
                let id = (
                    random.random_range(0..2),
                    random.random_range(0..4),
                    random.random_range(100..120),
                );
                (
                    id,
                    Amount::of_millionths(random.random_range(0..99_000_000)),
                )
            })
            .collect();
        let definition = Definition {
            switched: Cause::ALL
                .into_iter()
                .filter(|_| random.random_bool(0.6))
                .collect(),
            as_of: random.random_bool(0.7).then(|| random.random_range(0..100)),
        };
        let rows = waterfall(&atoms, &theirs, &definition, (100, 119));
        for (id, row) in &rows {
            assert!((100..=119).contains(&id.2), "seed {seed}: {id:?}");
            let parts: Amount = row.parts.values().copied().sum();
            assert_eq!(parts + row.unexplained(), row.gap(), "seed {seed}: {id:?}");
        }
        // Nothing of either side is lost.
        let told: Amount = rows.values().filter_map(|row| row.theirs).sum();
        assert_eq!(told, theirs.values().copied().sum(), "seed {seed}");
        // A definition that is ours leaves no part to any cause.
        let same = waterfall(&atoms, &theirs, &Definition::default(), (100, 119));
        assert!(same.values().all(|row| row.parts.is_empty()), "seed {seed}");
    }
}

#[test]
fn an_export_by_their_definition_is_explained_whole() {
    for seed in 0..100 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let atoms: Vec<Atom> = (0..60).map(|_| random_atom(&mut random)).collect();
        let definition = Definition {
            switched: Cause::ALL.to_vec(),
            as_of: Some(30),
        };
        let none = BTreeMap::new();
        let worked_out = waterfall(&atoms, &none, &definition, (100, 119));
        let theirs: BTreeMap<RowId, Amount> = worked_out
            .iter()
            .map(|(id, row)| (*id, row.recomputed()))
            .collect();
        let rows = waterfall(&atoms, &theirs, &definition, (100, 119));
        for (id, row) in rows {
            assert_eq!(row.unexplained(), Amount::default(), "seed {seed}: {id:?}");
        }
    }
}

#[test]
fn amounts_are_exact_and_read_as_the_engine_writes_them() {
    for (text, told) in [
        ("12.340000", "12.34"),
        ("-0.5", "-0.50"),
        ("7", "7"),
        ("0.0000004", "0"),
        ("0.0000005", "0.000001"),
        (".25", "0.25"),
    ] {
        assert_eq!(amount(text).to_string(), told, "{text}");
    }
    for text in [
        "",
        ".",
        "-",
        "1e5",
        "1,5",
        "NaN",
        "1.2.3",
        "123456789012345678901",
    ] {
        assert!(Amount::parse(text).is_none(), "{text}");
    }
    let percent = |part: &str, whole: &str| amount(part).percent_of(amount(whole));
    assert_eq!(percent("1", "3"), Some(amount("33.34")));
    assert_eq!(percent("0", "3"), Some(amount("0")));
    assert_eq!(percent("1", "0"), None);
}
