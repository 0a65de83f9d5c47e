//! Every shared case, and what holds of all paths.

use std::collections::BTreeMap;
use std::time::Instant;

use proptest::prelude::*;
use serde_json::Value;

use super::shapley::{game, sums_of_sets};
use super::solver::System;
use super::*;
use crate::vectors;

const SETS: [&str; 5] = [
    "S1_bryl3",
    "S2_repeats",
    "S4_order2",
    "CA_Data_10k",
    "R1_10k_5ch",
];

/// Paths of a file with the names of their channels, in alphabetical order.
struct Named {
    names: Vec<String>,
    paths: GroupedPaths,
}

impl Named {
    fn number(&self, name: &str) -> u32 {
        let found = self
            .names
            .binary_search_by(|known| known.as_str().cmp(name));
        found.expect("a channel of the set") as u32
    }

    /// What a fit or a game says, by name.
    fn by_name<T: Clone>(&self, values: &[T]) -> BTreeMap<String, T> {
        let channels = self.paths.channels().iter();
        let names = channels.map(|&channel| self.names[channel as usize].clone());
        names.zip(values.iter().cloned()).collect()
    }
}

/// The shared values have more digits than money: here they are in units of 10^-14.
const UNIT: f64 = 1e14;

/// An amount as written, without a detour by floating point.
fn units(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = &part[..part.len().min(14)];
    format!("{whole}{part:0<14}").parse().expect("an amount")
}

fn named(text: &str) -> Named {
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(';').collect())
        .collect();
    let steps = |row: &Vec<&str>| -> Vec<String> {
        row[0]
            .split(" > ")
            .map(|step| step.trim().to_owned())
            .collect()
    };
    let mut names: Vec<String> = rows.iter().flat_map(steps).collect();
    names.sort();
    names.dedup();
    let mut builder = PathsBuilder::default();
    for row in &rows {
        let channels: Vec<u32> = steps(row)
            .iter()
            .map(|name| names.binary_search(name).expect("known") as u32)
            .collect();
        let counts: Vec<u64> = row[1..3]
            .iter()
            .map(|n| n.parse().expect("a count"))
            .collect();
        let added = builder.add(&channels, counts[0], counts[1], units(row[3]));
        added.expect("a good row");
    }
    Named {
        names,
        paths: builder.finish(),
    }
}

fn set(name: &str) -> Option<Named> {
    vectors::text(&format!("attribution/{name}/journeys.csv")).map(|text| named(&text))
}

/// Compares by channel: absolute tolerance.
fn close(what: &str, ours: &BTreeMap<String, f64>, theirs: &Value, tolerance: f64) {
    let theirs = theirs.as_object().expect("channels");
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (channel, expected) in theirs {
        let expected = expected.as_f64().expect("a number");
        let got = ours[channel];
        assert!(
            (got - expected).abs() <= tolerance,
            "{what} {channel}: {got} is not {expected}"
        );
    }
}

#[test]
fn markov_chains_agree_with_the_exact_oracle() {
    for name in SETS {
        let Some(set) = set(name) else { return };
        for order in 1..=3_u8 {
            let file = format!("attribution/{name}/expected_markov_order{order}.json");
            let Some(expected) = vectors::json(&file) else {
                return;
            };
            let expected = &expected["exact"];
            let began = Instant::now();
            let fit = fit(FittedModel::Markov(order), &set.paths, false).expect("a fit");
            eprintln!("{name} order {order}: {:?}", began.elapsed());
            let what = format!("{name} {order}");
            let total = set.paths.conversions() as f64;
            let value = set.paths.value() as f64 / UNIT;
            let of = |of: fn(&ChannelCredit) -> f64| {
                set.by_name(&fit.channels.iter().map(of).collect::<Vec<_>>())
            };
            let markov = fit.markov.as_ref().expect("a chain");
            let p = expected["p_conversion"].as_f64().expect("a number");
            assert!((markov.p_conversion - p).abs() < 1e-12, "{what}");
            assert!(markov.error_bound <= 1e-12, "{what}");
            close(
                &what,
                &of(|c| c.effect.unwrap()),
                &expected["removal_effect_conversion"],
                1e-9,
            );
            close(
                &what,
                &of(|c| c.value_effect.unwrap()),
                &expected["removal_effect_value"],
                1e-9,
            );
            let credit = of(|c| c.credit as f64 / 1e12);
            close(
                &what,
                &credit,
                &expected["attributed_conversions"],
                total * 1e-9,
            );
            let credited = of(|c| c.value as f64 / UNIT);
            close(
                &what,
                &credited,
                &expected["attributed_value"],
                value * 1e-9,
            );
        }
    }
}

#[test]
fn transitions_agree() {
    for name in SETS {
        let Some(set) = set(name) else { return };
        for order in 1..=3 {
            let file = format!("attribution/{name}/expected_transitions_order{order}.csv");
            let Some(expected) = vectors::text(&file) else {
                return;
            };
            let chain = Chain::new(&set.paths, order);
            let node = |node: Node| match node {
                Node::Start => "(start)".to_owned(),
                Node::Conversion => "(conversion)".to_owned(),
                Node::Null => "(null)".to_owned(),
                Node::State(state) => {
                    let run = chain.states()[state as usize].iter();
                    let names = run.map(|channel| set.names[*channel as usize].as_str());
                    names.collect::<Vec<_>>().join(" | ")
                }
            };
            let ours: BTreeMap<(String, String), (u64, f64)> = chain
                .transitions()
                .iter()
                .map(|t| ((node(t.from), node(t.to)), (t.count, t.probability)))
                .collect();
            let mut rows = 0;
            for line in expected.lines().skip(1) {
                let cells: Vec<&str> = line.split(';').collect();
                let (count, p) = ours[&(cells[0].to_owned(), cells[1].to_owned())];
                assert_eq!(count, cells[2].parse::<u64>().expect("a count"), "{line}");
                let expected: f64 = cells[3].parse().expect("a probability");
                assert!((p - expected).abs() < 1e-12, "{line}");
                rows += 1;
            }
            assert_eq!(rows, ours.len(), "{name} {order}");
        }
    }
}

#[test]
fn shapley_values_agree() {
    for name in SETS {
        let Some(set) = set(name) else { return };
        let file = format!("attribution/{name}/expected_shapley.json");
        let Some(expected) = vectors::json(&file) else {
            return;
        };
        let expected = &expected["exact"];
        let sums = shapley(&set.paths);
        let total = set.paths.conversions() as f64;
        let ours = set.by_name(&sums.conversions);
        let value: Vec<f64> = sums.value.iter().map(|value| value / UNIT).collect();
        let value = set.by_name(&value);
        let all = set.paths.value() as f64 / UNIT;
        for form in ["subset_sum", "zhao_simplified"] {
            close(
                name,
                &ours,
                &expected[format!("{form}_conversions")],
                total * 1e-9,
            );
            close(name, &value, &expected[format!("{form}_value")], all * 1e-9);
        }
        let rates = shapley_rate(&set.paths).expect("few channels");
        close(
            name,
            &set.by_name(&rates.conversions),
            &expected["subset_rate"],
            1e-9,
        );
        let fit = fit(FittedModel::Shapley, &set.paths, false).expect("a fit");
        let credit: Vec<f64> = fit
            .channels
            .iter()
            .map(|c| c.credit as f64 / 1e12)
            .collect();
        close(
            name,
            &set.by_name(&credit),
            &expected["subset_sum_conversions"],
            total * 1e-9,
        );
        let ordered = shapley_ordered(&set.paths);
        for (channel, places) in expected["zhao_ordered_by_position"]
            .as_object()
            .expect("some")
        {
            for (position, expected) in places.as_object().expect("places") {
                let place = (set.number(channel), position.parse().expect("a place"));
                let got = ordered.get(&place).copied().unwrap_or_default();
                let expected = expected.as_f64().expect("a number");
                assert!(
                    (got - expected).abs() <= total * 1e-9,
                    "{name} {channel} {position}"
                );
            }
        }
    }
}

fn grouped(rows: &[(&[u32], u64, u64, i128)]) -> GroupedPaths {
    let mut builder = PathsBuilder::default();
    for (channels, conversions, nulls, value) in rows {
        builder
            .add(channels, *conversions, *nulls, *value)
            .expect("a good row");
    }
    builder.finish()
}

#[test]
fn the_published_example_by_hand() {
    // C1 > C2 > C3 converts; C1 and C2 > C3 do not: P = 1/3, effects 1/2, 1, 1.
    let paths = grouped(&[
        (&[1, 2, 3], 1, 0, 100_000_000),
        (&[1], 0, 1, 0),
        (&[2, 3], 0, 1, 0),
    ]);
    let fit = fit(FittedModel::Markov(1), &paths, false).expect("a fit");
    let effects: Vec<_> = fit.channels.iter().map(|c| c.effect.unwrap()).collect();
    for (effect, expected) in effects.iter().zip([0.5, 1.0, 1.0]) {
        assert!((effect - expected).abs() < 1e-15);
    }
    let credit: Vec<i128> = fit.channels.iter().map(|c| c.credit).collect();
    assert_eq!(credit, [200_000_000_000, 400_000_000_000, 400_000_000_000]);
    let value: Vec<i128> = fit.channels.iter().map(|c| c.value).collect();
    assert_eq!(value, [20_000_000, 40_000_000, 40_000_000]);
}

#[test]
fn a_channel_that_never_converts_gets_credit_by_a_short_memory() {
    // C3 only ever stands on paths that are lost, but paths through A and C share A's chances.
    let paths = grouped(&[(&[1, 2], 10, 10, 0), (&[3, 1], 0, 10, 0)]);
    let by_order = |order| {
        Markov::fit(&paths, order)
            .removal_effects
            .expect("conversions")
    };
    assert!((by_order(1)[2] - 1.0 / 3.0).abs() < 1e-15);
    assert_eq!(by_order(2)[2], 0.0);
}

#[test]
fn edges_are_decided() {
    let mut builder = PathsBuilder::default();
    assert_eq!(builder.add(&[], 1, 0, 5), Err(PathError::Empty));
    assert_eq!(
        builder.add(&[1], 0, 3, 5),
        Err(PathError::ValueWithoutConversion)
    );
    assert_eq!(builder.add(&[1], u64::MAX, 1, 5), Err(PathError::TooLarge));
    assert_eq!(builder.add(&[1], 0, 0, 0), Ok(()));
    assert_eq!(builder.finish().paths(), []);
    // Nothing converts: no effect, no credit, nothing unattributed.
    let none = grouped(&[(&[1, 2], 0, 5, 0)]);
    for model in FittedModel::ALL {
        let fit = fit(model, &none, false).expect("a fit");
        assert!(
            fit.channels
                .iter()
                .all(|c| c.effect.is_none() && c.credit == 0)
        );
        assert_eq!((fit.unattributed_credit, fit.unattributed_value), (0, 0));
    }
    // No nulls: everything converts, an effect is the share of paths that hold the channel.
    let all = grouped(&[(&[1, 2], 3, 0, 0), (&[2], 1, 0, 0)]);
    let effects = Markov::fit(&all, 1).removal_effects.expect("conversions");
    assert!((effects[0] - 0.75).abs() < 1e-15 && (effects[1] - 1.0).abs() < 1e-15);
    // Conversions of no value count, and money is not made up.
    let free = fit(FittedModel::Markov(1), &all, false).expect("a fit");
    assert!(
        free.channels
            .iter()
            .all(|c| c.value_effect.is_none() && c.value == 0)
    );
    assert_eq!(
        free.channels.iter().map(|c| c.credit).sum::<i128>(),
        4_000_000_000_000
    );
    // Refunds leave nothing, or less than nothing: the sum still holds.
    let refunded = grouped(&[(&[1], 2, 1, -5_000_000), (&[2], 1, 1, 7_000_000)]);
    let fit = fit(FittedModel::Markov(1), &refunded, false).expect("a fit");
    assert!(fit.markov.as_ref().expect("a chain").has_negative_mean);
    let given: i128 = fit.channels.iter().map(|c| c.value).sum();
    assert_eq!(given + fit.unattributed_value, 2_000_000);
}

#[test]
fn too_many_channels_for_subsets_say_so() {
    let many: Vec<u32> = (0..21).collect();
    let paths = grouped(&[(&many, 1, 1, 0)]);
    let error = fit(FittedModel::ShapleyRate, &paths, false).expect_err("too many");
    assert!(
        error.to_string().contains("21 channels are too many"),
        "{error}"
    );
    assert!(fit(FittedModel::Shapley, &paths, false).is_ok());
    let twenty = grouped(&[(&many[..20], 1, 1, 3), (&many[..1], 2, 5, 9)]);
    let rates = shapley_rate(&twenty).expect("twenty");
    let sum: f64 = rates.conversions.iter().sum();
    assert!((sum - 3.0 / 9.0).abs() < 1e-12);
}

#[test]
fn names_of_models() {
    for model in FittedModel::ALL {
        assert_eq!(FittedModel::by_name(model.name()), Some(model));
    }
    assert_eq!(FittedModel::by_name("markov_4"), None);
}

#[test]
fn the_order_with_the_lowest_bic() {
    // Whether A > B or B > A converts is seen by order 2 alone.
    let paths = grouped(&[
        (&[1, 2], 900, 100, 0),
        (&[2, 1], 100, 900, 0),
        (&[1, 2, 1], 100, 900, 0),
        (&[2, 1, 2], 900, 100, 0),
        (&[1, 1], 500, 500, 0),
    ]);
    let fits: Vec<Markov> = (1..=3).map(|order| Markov::fit(&paths, order)).collect();
    assert_ne!(best_order(&fits), None);
    assert!(fits[1].log_likelihood > fits[0].log_likelihood);
    assert!(fits[0].parameters < fits[1].parameters);
    assert_eq!(best_order(&[]), None);
}

#[test]
fn slow_chains_are_solved_too() {
    // Two channels that alternate thousands of times: sweeps alone would take very long.
    let long: Vec<u32> = (0..6_000).map(|step| 1 + step % 2).collect();
    let paths = grouped(&[(&long, 1, 1, 0), (&[3, 1], 1, 3, 0), (&[2, 3], 1, 0, 0)]);
    for order in 1..=3 {
        let fit = Markov::fit(&paths, order);
        assert!((fit.p_conversion - 3.0 / 7.0).abs() < 1e-12, "{order}");
    }
}

/// Few channels and short paths, so that they repeat and loop.
fn rows() -> impl Strategy<Value = Vec<(Vec<u32>, u64, u64, i128)>> {
    let path = proptest::collection::vec(0_u32..5, 1..7);
    let row = (path, 0_u64..20, 0_u64..20, 0_i128..1_000_000_000).prop_map(
        |(path, conversions, nulls, value)| {
            let value = if conversions == 0 { 0 } else { value };
            (path, conversions, nulls, value)
        },
    );
    proptest::collection::vec(row, 1..40)
}

fn of_rows(rows: &[(Vec<u32>, u64, u64, i128)]) -> GroupedPaths {
    let mut builder = PathsBuilder::default();
    for (path, conversions, nulls, value) in rows {
        builder
            .add(path, *conversions, *nulls, *value)
            .expect("a good row");
    }
    builder.finish()
}

proptest! {
    #[test]
    fn a_long_memory_gives_the_share_of_conversions_that_hold_the_channel(rows in rows()) {
        let paths = of_rows(&rows);
        let fit = Markov::fit(&paths, 7);
        let Some(effects) = fit.removal_effects else {
            prop_assert_eq!(paths.conversions(), 0);
            return Ok(());
        };
        for (channel, effect) in paths.channels().iter().zip(effects) {
            let holding = paths.paths().iter().filter(|path| path.channels.contains(channel));
            let share = holding.map(|path| path.conversions).sum::<u64>() as f64
                / paths.conversions() as f64;
            prop_assert!((effect - share).abs() < 1e-12);
        }
    }

    #[test]
    fn sweeps_and_elimination_agree(rows in rows(), order in 1_usize..4) {
        let paths = of_rows(&rows);
        prop_assume!(paths.conversions() > 0);
        let chain = Chain::new(&paths, order);
        let system = System::new(&chain, paths.channels());
        let exact = system.eliminate();
        let (swept, is_done) = system.sweep(100_000);
        prop_assert!(is_done);
        let all = |solution: &super::solver::Solution| {
            let mut all = vec![solution.whole];
            all.extend(&solution.without);
            all
        };
        let walks = (paths.conversions() + paths.nulls()) as f64;
        let p = paths.conversions() as f64 / walks;
        prop_assert!((exact.whole.conversion - p).abs() < 1e-13);
        let value = paths.value() as f64 / walks;
        prop_assert!((exact.whole.value - value).abs() <= value * 1e-12);
        for (a, b) in all(&exact).iter().zip(all(&swept)) {
            prop_assert!((a.conversion - b.conversion).abs() < 1e-12);
            prop_assert!((a.value - b.value).abs() <= value.max(1.0) * 1e-11);
        }
    }

    #[test]
    fn credits_sum_and_the_order_of_rows_does_not_matter(
        rows in rows(),
        seed in 0_u64..1000,
    ) {
        let paths = of_rows(&rows);
        let mut turned = rows.clone();
        turned.sort_by_key(|row| (row.1.wrapping_mul(seed + 7) % 11, row.0.len()));
        let turned = of_rows(&turned);
        prop_assert_eq!(&paths, &turned);
        for model in FittedModel::ALL {
            let one = fit(model, &paths, false).expect("few channels");
            prop_assert_eq!(&one, &fit(model, &turned, false).expect("few channels"));
            for fitted in [one, fit(model, &paths, true).expect("few channels")] {
                let credit: i128 = fitted.channels.iter().map(|c| c.credit).sum();
                let owed = i128::from(paths.conversions()) * i128::from(CREDIT_UNITS);
                prop_assert_eq!(credit + fitted.unattributed_credit, owed);
                let value: i128 = fitted.channels.iter().map(|c| c.value).sum();
                prop_assert_eq!(value + fitted.unattributed_value, paths.value());
            }
        }
    }

    #[test]
    fn the_additive_form_is_the_game_of_sums(rows in rows()) {
        let paths = of_rows(&rows);
        let exact = game(&sums_of_sets(&paths), paths.channels().len());
        for (a, b) in shapley(&paths).conversions.iter().zip(exact) {
            prop_assert!((a - b).abs() < 1e-9);
        }
    }
}

#[test]
fn collapsing_channels_first_is_another_model_from_order_two() {
    let paths = grouped(&[
        (&[1, 1, 2], 3, 1, 0),
        (&[1, 2], 1, 5, 0),
        (&[2, 1], 2, 2, 0),
    ]);
    let effects = |model, first| {
        let fit = fit(model, &paths, first).expect("a fit");
        fit.channels
            .iter()
            .map(|c| c.effect.unwrap())
            .collect::<Vec<_>>()
    };
    let one = FittedModel::Markov(1);
    for (a, b) in effects(one, false).iter().zip(effects(one, true)) {
        assert!((a - b).abs() < 1e-15);
    }
    assert_eq!(paths.collapsed().paths().len(), 2);
}
