//! Models against the shared vectors and published examples; splits and passes by property.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::{
    AttributionModel, AttributionPass, AttributionSettings, CREDIT_UNITS, Conversion, Milestone,
    Path, Position, Touch, built_in, by_name, split_amount, split_credit,
};
use crate::error::JourneysError;
use crate::vectors;

const DAY_US: i64 = 86_400_000_000;
const WEEK_US: f64 = 7.0 * DAY_US as f64;

/// Normalised weights of touches that lie so many days before the conversion.
fn weights(
    model: &dyn AttributionModel,
    touches: &[Touch],
    at_us: i64,
    half_life_us: f64,
) -> Vec<f64> {
    let mut weights = vec![f64::NAN; touches.len()];
    model.weights(
        &Path {
            touches,
            conversion_at_us: at_us,
            half_life_us,
            ..Path::default()
        },
        &mut weights,
    );
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

fn days_before(days: &[f64]) -> Vec<Touch> {
    let touch = |days: &f64| Touch {
        at_us: -(days * DAY_US as f64) as i64,
        ..Touch::default()
    };
    days.iter().map(touch).collect()
}

/// Money of each touch in cents, by a model over touches so many days before.
fn cents(model: &dyn AttributionModel, touches: &[Touch], amount: i128) -> Vec<i128> {
    let mut weights = weights(model, touches, 0, WEEK_US);
    let mut credit = vec![0; touches.len()];
    let mut shares = vec![0; touches.len()];
    split_credit(&mut weights, &mut credit);
    split_amount(amount * 10_000, &credit, &mut shares);
    shares.iter().map(|share| share / 10_000).collect()
}

fn model(name: &str) -> Arc<dyn AttributionModel> {
    by_name(name).expect("a known model")
}

#[test]
fn names_are_distinct() {
    let models = built_in();
    let names: Vec<&str> = models.iter().map(|model| model.name()).collect();
    assert_eq!(
        names,
        [
            "first",
            "last",
            "last_non_direct",
            "linear",
            "position",
            "time_decay",
            "first_paid",
            "last_paid",
            "j_shaped",
            "inverse_j",
            "w_shaped",
            "full_path",
            "participation"
        ]
    );
    assert!(by_name("markov").is_none());
}

#[test]
fn golden_a_decay_linear_and_j() {
    let touches = days_before(&[9.0, 6.0, 0.0, 0.0]);
    assert_eq!(
        cents(&*model("time_decay"), &touches, 5000),
        [692, 932, 1688, 1688]
    );
    assert_eq!(cents(&*model("linear"), &touches, 5000), [1250; 4]);
    let j = Position::J_SHAPED;
    assert_eq!(cents(&j, &touches, 5000), [1000, 500, 500, 3000]);
    assert_eq!(cents(&j, &touches[..2], 10_000), [2500, 7500]);
    assert_eq!(cents(&j, &touches[..1], 10_000), [10_000]);
}

#[test]
fn golden_b_decay_position_and_last_non_direct() {
    let mut touches = days_before(&[38.0, 33.0, 26.0, 8.0, 0.0]);
    let decay = cents(&*model("time_decay"), &touches, 1_200_000);
    // The example rounds its weights, and its parts sum to two cents too many. Ours do not.
    let published = [17_520, 28_744, 57_488, 341_705, 754_545];
    assert!(
        decay
            .iter()
            .zip(published)
            .all(|(ours, theirs)| (ours - theirs).abs() <= 1),
        "{decay:?}"
    );
    assert_eq!(decay.iter().sum::<i128>(), 1_200_000);
    let position = cents(&*model("position"), &touches, 1_200_000);
    assert_eq!(position, [480_000, 80_000, 80_000, 80_000, 480_000]);
    touches[4].is_direct = true;
    assert_eq!(
        cents(&*model("last_non_direct"), &touches, 1_200_000),
        [0, 0, 0, 1_200_000, 0]
    );
}

#[test]
fn golden_c_position_of_six() {
    let touches = days_before(&[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
    assert_eq!(
        cents(&*model("position"), &touches, 100),
        [40, 5, 5, 5, 5, 40]
    );
    assert_eq!(
        cents(&Position::J_SHAPED, &touches, 100),
        [20, 5, 5, 5, 5, 60]
    );
    assert_eq!(
        cents(&Position::INVERSE_J, &touches, 100),
        [60, 5, 5, 5, 5, 20]
    );
}

#[test]
fn decay_does_not_vanish() {
    // Half-lives so many that 2^-n is no number any more.
    let touches = days_before(&[90.0, 80.0]);
    let weights = weights(&*model("time_decay"), &touches, 0, 1_000_000.0);
    assert_eq!(weights, [0.0, 1.0]);
}

#[test]
fn ties_go_to_the_earlier_touch() {
    let mut credit = [0; 3];
    split_credit(&mut [1.0, 1.0, 1.0], &mut credit);
    assert_eq!(credit, [333_333_333_334, 333_333_333_333, 333_333_333_333]);
    let mut shares = [0; 3];
    split_amount(1_000_000, &credit, &mut shares);
    assert_eq!(shares, [340_000, 330_000, 330_000]);
    split_amount(-1_000_000, &credit, &mut shares);
    assert_eq!(shares, [-340_000, -330_000, -330_000]);
    // Two cents and a rest below a cent for three touches.
    let mut credit = [0; 3];
    split_credit(&mut [1.0, 2.0, 2.0], &mut credit);
    split_amount(20_001, &credit, &mut shares);
    assert_eq!(shares, [0, 10_001, 10_000]);
}

#[test]
fn weights_of_the_timed_vectors() {
    for file in [
        "attribution/timed_small.json",
        "attribution/timed_random_500.json",
    ] {
        let Some(json) = vectors::json(file) else {
            return;
        };
        let configs = json["configs"].as_object().expect("an object");
        for journey in json["journeys"].as_array().expect("a list") {
            for (name, config) in configs {
                let model_name = config["model"].as_str().expect("text");
                let (Some(model), Some(expected)) = (
                    by_name(model_name),
                    journey["expected_weights"][name].as_array(),
                ) else {
                    continue;
                };
                let expected: Vec<f64> = expected
                    .iter()
                    .map(|weight| weight.as_f64().expect("a number"))
                    .collect();
                let found = timed(journey, config, Arc::clone(&model));
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(&expected) {
                    let id = &journey["id"];
                    assert!(
                        (found - expected).abs() < 1e-9,
                        "{file} {id} {name}: {found} {expected}"
                    );
                }
            }
        }
    }
}

/// Credit of each touch of a timed journey, by the pass itself.
fn timed(journey: &Value, config: &Value, model: Arc<dyn AttributionModel>) -> Vec<f64> {
    let days = config["lookback_days"].as_u64().unwrap_or(36_500);
    let project = domain::config::Attribution {
        half_life_days: config["half_life_h"].as_f64().unwrap_or(168.0) / 24.0,
        lookback_days: BTreeMap::from([("default".into(), days as u32)]),
        ..Default::default()
    };
    let settings = AttributionSettings::new(&project).expect("valid settings");
    let at_us = vectors::micros(journey["conversion_time"].as_str().expect("text"));
    let touches = journey["touches"].as_array().expect("a list");
    let mut pass = AttributionPass::new(&settings, vec![model]);
    let mut order: Vec<(i64, usize)> = touches
        .iter()
        .enumerate()
        .map(|(place, touch)| {
            (
                vectors::micros(touch["time"].as_str().expect("text")),
                place,
            )
        })
        .collect();
    order.sort_unstable();
    for &(touch_us, place) in order.iter().filter(|(touch_us, _)| *touch_us <= at_us) {
        let is_direct = touches[place]["channel"] == "Direct";
        pass.touch(
            Touch {
                at_us: touch_us,
                is_direct,
                ..Touch::default()
            },
            place,
        )
        .expect("in order");
        for stage in touches[place]["stage"].as_array().into_iter().flatten() {
            let milestone = match stage.as_str() {
                Some("lead") => Milestone::Lead,
                _ => Milestone::Opportunity,
            };
            pass.milestone(milestone, touch_us).expect("in order");
        }
    }
    let mut weights = vec![0.0; touches.len()];
    let conversion = Conversion {
        at_us,
        lookback_us: settings.lookback_us("order"),
        ..Conversion::default()
    };
    pass.conversion(&conversion, |row| {
        if let Some(touch) = row.touch {
            weights[*touch.payload] = row.credit as f64 / CREDIT_UNITS as f64;
        }
    })
    .expect("in order");
    weights
}

#[test]
fn totals_of_the_path_vectors() {
    for set in [
        "S1_bryl3",
        "S2_repeats",
        "S4_order2",
        "R1_10k_5ch",
        "CA_Data_10k",
    ] {
        let Some(journeys) = vectors::text(&format!("attribution/{set}/journeys.csv")) else {
            return;
        };
        let expected = vectors::json(&format!("attribution/{set}/expected_heuristics.json"));
        let expected = expected.expect("beside the journeys");
        for name in ["first", "last", "linear", "position", "last_non_direct"] {
            for (column, key) in [(1, "conversions"), (3, "value")] {
                let Some(expected) = expected[key][name].as_object() else {
                    continue;
                };
                let mut found: BTreeMap<&str, f64> = BTreeMap::new();
                let mut total = 0.0;
                for line in journeys.lines().skip(1) {
                    let fields: Vec<&str> = line.split(';').collect();
                    let amount: f64 = fields[column].parse().expect("a number");
                    let channels: Vec<&str> = fields[0].split(" > ").map(str::trim).collect();
                    let touches: Vec<Touch> = (0..)
                        .zip(&channels)
                        .map(|(at_us, channel)| Touch {
                            at_us,
                            is_direct: channel.eq_ignore_ascii_case("direct"),
                            ..Touch::default()
                        })
                        .collect();
                    total += amount;
                    let weights = weights(&*model(name), &touches, 100, WEEK_US);
                    for (channel, weight) in channels.iter().zip(weights) {
                        *found.entry(channel).or_default() += weight * amount;
                    }
                }
                for (channel, amount) in expected {
                    let found = found.get(channel.as_str()).copied().unwrap_or_default();
                    let amount = amount.as_f64().expect("a number");
                    let difference = (found - amount).abs();
                    assert!(
                        difference <= 1e-9 * total,
                        "{set} {name} {key} {channel}: {found} {amount}"
                    );
                }
            }
        }
    }
}

#[test]
fn refuses_rows_out_of_order() {
    let settings =
        AttributionSettings::new(&domain::config::Attribution::default()).expect("valid");
    let mut pass = AttributionPass::new(&settings, built_in());
    let touch = |at_us| Touch {
        at_us,
        ..Touch::default()
    };
    let conversion = Conversion {
        at_us: 10,
        lookback_us: DAY_US,
        ..Conversion::default()
    };
    pass.touch(touch(10), ()).expect("the first row");
    pass.conversion(&conversion, |_| {})
        .expect("a touch of the same instant came before");
    let refused = pass.touch(touch(10), ());
    assert!(matches!(
        refused,
        Err(JourneysError::OutOfOrder { what: "touch", .. })
    ));
    let refused = pass.conversion(
        &Conversion {
            at_us: 9,
            ..conversion
        },
        |_| {},
    );
    assert!(matches!(
        refused,
        Err(JourneysError::OutOfOrder {
            what: "conversion",
            ..
        })
    ));
    pass.begin_customer();
    pass.touch(touch(1), ())
        .expect("another customer begins anew");
}

#[test]
fn half_life_must_be_a_number_above_zero() {
    for days in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let project = domain::config::Attribution {
            half_life_days: days,
            ..Default::default()
        };
        assert!(AttributionSettings::new(&project).is_err(), "{days}");
    }
}

/// What the pass says, in plain values: (model, touch, position, path length, credit, amount).
type Row = (String, Option<usize>, u32, u32, i64, Option<i128>);

fn rows(pass: &mut AttributionPass<usize>, conversion: &Conversion) -> Vec<Row> {
    let mut rows = Vec::new();
    pass.conversion(conversion, |row| {
        let touch = row.touch.map(|touch| *touch.payload);
        let position = row.touch.map_or(0, |touch| touch.position);
        rows.push((
            row.model.to_owned(),
            touch,
            position,
            row.path_length,
            row.credit,
            row.credited_amount,
        ));
    })
    .expect("in order");
    rows
}

#[test]
fn unattributed_is_a_row() {
    let settings =
        AttributionSettings::new(&domain::config::Attribution::default()).expect("valid");
    let mut pass = AttributionPass::new(&settings, vec![model("first"), model("linear")]);
    let conversion = Conversion {
        at_us: 0,
        lookback_us: DAY_US,
        amount: Some(-5),
        ..Conversion::default()
    };
    assert_eq!(
        rows(&mut pass, &conversion),
        [
            ("first".into(), None, 0, 0, CREDIT_UNITS, Some(-5)),
            ("linear".into(), None, 0, 0, CREDIT_UNITS, Some(-5)),
        ]
    );
}

#[test]
fn windows_differ_by_conversion_and_old_touches_are_let_go() {
    let project = domain::config::Attribution {
        lookback_days: BTreeMap::from([("default".into(), 2), ("order".into(), 5)]),
        ..Default::default()
    };
    let settings = AttributionSettings::new(&project).expect("valid settings");
    assert_eq!(settings.lookback_us("lead"), 2 * DAY_US);
    assert_eq!(settings.lookback_max_us(), 5 * DAY_US);
    let mut pass = AttributionPass::new(&settings, vec![model("first")]);
    for day in 0..10_000 {
        pass.touch(
            Touch {
                at_us: day * DAY_US,
                ..Touch::default()
            },
            day as usize,
        )
        .expect("in order");
        assert!(pass.touches_held() < 200, "bounded memory");
    }
    assert_eq!(pass.oldest(), Some(&9_994));
    let conversion = |conversion_type| Conversion {
        at_us: 9_999 * DAY_US,
        lookback_us: settings.lookback_us(conversion_type),
        ..Conversion::default()
    };
    assert_eq!(
        rows(&mut pass, &conversion("order")),
        [("first".into(), Some(9_994), 1, 6, CREDIT_UNITS, None)]
    );
    assert_eq!(
        rows(&mut pass, &conversion("lead")),
        [("first".into(), Some(9_997), 1, 3, CREDIT_UNITS, None)]
    );
}

proptest! {
    #[test]
    fn credit_sums_to_one_and_follows_the_weights(
        weights in proptest::collection::vec(
            prop_oneof![Just(0.0), 0.0..1.0_f64, 1e-300..1e300_f64],
            1..60,
        ),
    ) {
        let mut scratch = weights.clone();
        let mut credit = vec![0; weights.len()];
        split_credit(&mut scratch, &mut credit);
        prop_assert_eq!(credit.iter().sum::<i64>(), CREDIT_UNITS);
        prop_assert!(credit.iter().all(|units| *units >= 0));
        let total: f64 = weights.iter().sum();
        if total > 0.0 && total.is_finite() {
            for (units, weight) in credit.iter().zip(&weights) {
                let exact = weight / total * CREDIT_UNITS as f64;
                prop_assert!((*units as f64 - exact).abs() <= 1.01, "{units} {exact}");
                prop_assert!(*weight > 0.0 || *units == 0);
            }
        }
    }

    #[test]
    fn money_is_exact(
        amount in prop_oneof![
            -2_000_000..2_000_000_i128,
            -999_999_999_999_999_999..999_999_999_999_999_999_i128,
        ],
        weights in proptest::collection::vec(0.0..1.0_f64, 1..40),
    ) {
        let mut scratch = weights.clone();
        let mut credit = vec![0; weights.len()];
        split_credit(&mut scratch, &mut credit);
        let mut shares = vec![0; weights.len()];
        split_amount(amount, &credit, &mut shares);
        prop_assert_eq!(shares.iter().sum::<i128>(), amount);
        let mut negated = vec![0; weights.len()];
        split_amount(-amount, &credit, &mut negated);
        prop_assert!(shares.iter().zip(&negated).all(|(a, b)| *a == -*b));
        // All but one share are whole cents, none has the wrong sign or more than its due.
        prop_assert!(shares.iter().filter(|share| *share % 10_000 != 0).count() <= 1);
        for (share, units) in shares.iter().zip(&credit) {
            prop_assert!(*share == 0 || (*share < 0) == (amount < 0));
            let due = amount as f64 * *units as f64 / CREDIT_UNITS as f64;
            prop_assert!((*share as f64 - due).abs() <= 20_000.0 + due.abs() * 1e-9);
            prop_assert!(*units > 0 || *share == 0);
        }
    }

    #[test]
    fn the_pass_is_the_definition(
        gaps in proptest::collection::vec((0_i64..30, any::<bool>(), any::<bool>()), 1..60),
        lookback_days in 0_i64..60,
        amount in -1_000_000_000..1_000_000_000_i128,
    ) {
        let project = domain::config::Attribution {
            lookback_days: BTreeMap::from([("default".into(), 60)]),
            ..Default::default()
        };
        let settings = AttributionSettings::new(&project).expect("valid settings");
        let mut pass = AttributionPass::new(&settings, built_in());
        let mut seen: Vec<Touch> = Vec::new();
        let mut at_us = 0;
        for (gap, is_conversion, is_direct) in gaps {
            // A gap of 0 keeps the instant only where the order allows it.
            at_us += gap * DAY_US + 1;
            if !is_conversion {
                let touch = Touch { at_us, is_direct, ..Touch::default() };
                pass.touch(touch, seen.len()).expect("in order");
                seen.push(touch);
                continue;
            }
            let conversion =
                Conversion {
                    at_us,
                    lookback_us: lookback_days * DAY_US,
                    amount: Some(amount),
                    ..Conversion::default()
                };
            let found = rows(&mut pass, &conversion);
            let window: Vec<usize> = (0..seen.len())
                .filter(|&touch| at_us - seen[touch].at_us <= lookback_days * DAY_US)
                .collect();
            for model in built_in() {
                let of_model: Vec<&Row> =
                    found.iter().filter(|row| row.0 == model.name()).collect();
                let parts = if model.is_additive() { 1 } else { window.len().max(1) };
                prop_assert_eq!(
                    of_model.iter().map(|row| row.4).sum::<i64>(), parts as i64 * CREDIT_UNITS
                );
                prop_assert_eq!(
                    of_model.iter().filter_map(|row| row.5).sum::<i128>(), parts as i128 * amount
                );
                for (_, touch, position, length, ..) in &of_model {
                    prop_assert_eq!(*length as usize, window.len());
                    match touch {
                        Some(touch) => prop_assert_eq!(window[*position as usize - 1], *touch),
                        None => prop_assert!(window.is_empty()),
                    }
                }
            }
        }
    }
}
