//! What a path is made of: transforms, new beginnings, milestones; against the plain definition.

use domain::config::{Attribution, CustomWeights, PathRestart, PathTransform};
use proptest::prelude::*;

use super::{
    AttributionPass, AttributionSettings, CREDIT_UNITS, Conversion, Milestone, Touch, by_name,
    transform,
};

const DAY_US: i64 = 86_400_000_000;

fn touch(channel: i64) -> Touch {
    Touch {
        channel,
        is_direct: channel == 0,
        ..Touch::default()
    }
}

/// The channels that are left of these.
fn left(transforms: &[PathTransform], channels: &[i64]) -> Vec<i64> {
    let touches: Vec<Touch> = channels.iter().map(|channel| touch(*channel)).collect();
    let mut kept: Vec<usize> = (0..touches.len()).collect();
    transform::apply(transforms, &touches, &mut kept);
    kept.into_iter().map(|place| channels[place]).collect()
}

#[test]
fn transforms_drop_what_they_say() {
    // 1 and 2 are channels, 0 is direct.
    let path = [1, 1, 2, 1, 0];
    for (transform, expected) in [
        (PathTransform::Unique, vec![1, 1, 2, 1, 0]),
        (PathTransform::Exposure, vec![1, 2, 1, 0]),
        (PathTransform::First, vec![1, 2, 0]),
        (PathTransform::RemoveDirectIfNotAll, vec![1, 1, 2, 1]),
        (PathTransform::RemoveDirectIfLastAndNotAll, vec![1, 1, 2, 1]),
    ] {
        assert_eq!(left(&[transform], &path), expected, "{transform:?}");
    }
    let inner = [0, 1, 0, 2, 0, 0];
    let last = PathTransform::RemoveDirectIfLastAndNotAll;
    assert_eq!(left(&[last], &inner), [0, 1, 0, 2]);
    assert_eq!(left(&[PathTransform::RemoveDirectIfNotAll], &inner), [1, 2]);
    for transform in [last, PathTransform::RemoveDirectIfNotAll] {
        assert_eq!(left(&[transform], &[0, 0]), [0, 0]);
    }
    // One after the other: without direct between them, the ones are in a row.
    let both = [PathTransform::RemoveDirectIfNotAll, PathTransform::Exposure];
    assert_eq!(left(&both, &[1, 0, 1, 2]), [1, 2]);
}

/// Places of the touches that a linear model credits, of a conversion of a kind.
fn credited(pass: &mut AttributionPass<usize>, at_us: i64, kind: u64) -> Vec<usize> {
    let conversion = Conversion {
        at_us,
        lookback_us: 100 * DAY_US,
        kind,
        ..Conversion::default()
    };
    let mut touches = Vec::new();
    pass.conversion(&conversion, |row| {
        touches.extend(row.touch.map(|touch| *touch.payload));
    })
    .expect("in order");
    touches
}

fn pass(project: &Attribution, model: &str) -> AttributionPass<usize> {
    let settings = AttributionSettings::new(project).expect("valid settings");
    AttributionPass::new(&settings, vec![by_name(model).expect("a model")])
}

#[test]
fn a_path_begins_anew_where_the_project_says() {
    for (restart, expected) in [
        (
            PathRestart::Never,
            [vec![0, 1], vec![0, 1], vec![0, 1, 2], vec![0, 1, 2]],
        ),
        (
            PathRestart::SameType,
            [vec![0, 1], vec![0, 1], vec![2], vec![0, 1, 2]],
        ),
        (PathRestart::Any, [vec![0, 1], vec![0, 1], vec![2], vec![]]),
    ] {
        let project = Attribution {
            path_restart: restart,
            ..Attribution::default()
        };
        let mut pass = pass(&project, "linear");
        for _ in 0..2 {
            pass.begin_customer();
            let mut found = Vec::new();
            for place in 0..2 {
                let at_us = place as i64;
                pass.touch(Touch { at_us, ..touch(1) }, place)
                    .expect("in order");
            }
            // Two orders at one instant have the same path.
            found.push(credited(&mut pass, 5, 1));
            found.push(credited(&mut pass, 5, 1));
            pass.touch(
                Touch {
                    at_us: 6,
                    ..touch(1)
                },
                2,
            )
            .expect("in order");
            found.push(credited(&mut pass, 7, 1));
            found.push(credited(&mut pass, 8, 2));
            assert_eq!(found, expected, "{restart:?}");
        }
    }
}

#[test]
fn milestones_name_the_touch_before_them_and_are_let_go() {
    let mut pass = pass(&Attribution::default(), "w_shaped");
    // Long before, and out of reach.
    pass.milestone(Milestone::Lead, 0).expect("in order");
    for day in 1..1_000 {
        pass.touch(
            Touch {
                at_us: day * DAY_US,
                ..touch(1)
            },
            day as usize,
        )
        .expect("in order");
    }
    pass.milestone(Milestone::Lead, 999 * DAY_US)
        .expect("in order");
    let conversion = Conversion {
        at_us: 1_000 * DAY_US,
        lookback_us: 10 * DAY_US,
        milestone: Some(Milestone::Opportunity),
        ..Conversion::default()
    };
    let mut credit = Vec::new();
    pass.conversion(&conversion, |row| {
        credit.push((*row.touch.expect("a touch").payload, row.credit));
    })
    .expect("in order");
    // Ten touches: the first, the last which is lead and opportunity, eight others.
    assert_eq!(credit.len(), 10);
    assert_eq!(credit[0], (990, CREDIT_UNITS * 3 / 10));
    assert_eq!(credit[9], (999, CREDIT_UNITS * 6 / 10));
    assert_eq!(credit[4].1, CREDIT_UNITS / 80);
}

#[test]
fn weights_that_are_none_are_refused() {
    let refused = |name: &str, weights: CustomWeights| {
        let project = Attribution {
            custom: [(name.to_owned(), weights)].into(),
            ..Attribution::default()
        };
        AttributionSettings::new(&project)
            .expect_err("refused")
            .to_string()
    };
    for (name, places, said) in [
        ("first", vec![1.0], "a model of this name already"),
        ("My model", vec![1.0], "small letters"),
        ("mine", vec![], "no weight is above 0"),
        ("mine", vec![0.0], "no weight is above 0"),
        ("mine", vec![-1.0, 2.0], "at least 0"),
        ("mine", vec![f64::NAN], "at least 0"),
    ] {
        let error = refused(name, CustomWeights::Places(places));
        assert!(error.contains(said), "{error}");
    }
    let project = Attribution {
        models: vec!["markow".into()],
        ..Attribution::default()
    };
    let error = AttributionSettings::new(&project)
        .expect_err("refused")
        .to_string();
    assert!(
        error.contains("`markow`") && error.contains("full_path"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn transforms_are_idempotent_and_leave_something(
        channels in proptest::collection::vec(0_i64..4, 1..30),
    ) {
        for transform in [
            PathTransform::Unique,
            PathTransform::Exposure,
            PathTransform::First,
            PathTransform::RemoveDirectIfNotAll,
            PathTransform::RemoveDirectIfLastAndNotAll,
        ] {
            let once = left(&[transform], &channels);
            prop_assert!(!once.is_empty());
            prop_assert_eq!(&left(&[transform, transform], &channels), &once);
        }
    }

    #[test]
    fn paths_anew_use_each_touch_once(
        steps in proptest::collection::vec((0_i64..3, any::<bool>()), 1..60),
    ) {
        let project = Attribution { path_restart: PathRestart::Any, ..Attribution::default() };
        let mut pass = pass(&project, "linear");
        let (mut at_us, mut touches, mut fresh) = (0, 0, Vec::new());
        for (gap, is_conversion) in steps {
            at_us += gap + 1;
            if is_conversion {
                prop_assert_eq!(credited(&mut pass, at_us, 0), std::mem::take(&mut fresh));
            } else {
                pass.touch(Touch { at_us, ..touch(1) }, touches).expect("in order");
                fresh.push(touches);
                touches += 1;
            }
        }
    }
}
