//! Hand-computed funnels, paths and cohorts; what must agree between them.

use proptest::prelude::*;

use super::{
    Funnel, FunnelRow, FunnelSettings, PathRow, PathSettings, PathStep, Paths, Period, Retention,
    RetentionSettings, StepOrder,
};

const VIEW: u64 = 1;
const CART: u64 = 2;
const BUY: u64 = 4;
const OTHER: u64 = 0;

fn funnel(order: StepOrder, within_us: Option<i64>, customers: &[&[(i64, u64)]]) -> Vec<FunnelRow> {
    let mut funnel = Funnel::new(FunnelSettings {
        steps: 3,
        within_us,
        order,
    });
    for rows in customers {
        for &(at_us, steps) in *rows {
            funnel.row((at_us, None), steps);
        }
        funnel.end_customer();
    }
    funnel.finish()
}

fn counts(rows: &[FunnelRow]) -> Vec<u64> {
    rows.iter().map(|row| row.customers).collect()
}

const CUSTOMERS: [&[(i64, u64)]; 5] = [
    // Through, in 30.
    &[(0, VIEW), (10, CART), (30, BUY)],
    // Through, with something between.
    &[(0, VIEW), (10, CART), (20, OTHER), (40, BUY)],
    // The wrong way round.
    &[(0, BUY), (10, CART), (20, VIEW)],
    // Too slow at first; the second time round is quick.
    &[(0, VIEW), (10, CART), (200, VIEW), (210, CART), (215, BUY)],
    // All at one instant, in whatever order they come.
    &[(5, BUY), (5, VIEW), (5, CART)],
];

#[test]
fn steps_in_order_with_anything_between() {
    let rows = funnel(StepOrder::Ordered, None, &CUSTOMERS);
    assert_eq!(counts(&rows), [5, 4, 4]);
    // Waits before the cart: 10, 10, 10, 0; before buying: 20, 30, 5, 0.
    assert_eq!(rows[0].average_us, None);
    assert_eq!(rows[1].average_us, Some(7.5));
    assert_eq!(rows[1].median_us, Some(10.0));
    assert_eq!(rows[2].average_us, Some(13.75));
    assert_eq!(rows[2].median_us, Some(12.5));
    let rows = funnel(StepOrder::Ordered, Some(30), &CUSTOMERS);
    assert_eq!(counts(&rows), [5, 4, 3]);
}

#[test]
fn steps_with_nothing_between_and_in_any_order() {
    let rows = funnel(StepOrder::Strict, None, &CUSTOMERS);
    assert_eq!(counts(&rows), [5, 4, 3]);
    let rows = funnel(StepOrder::Any, None, &CUSTOMERS);
    assert_eq!(counts(&rows), [5, 5, 5]);
    let rows = funnel(StepOrder::Any, Some(20), &CUSTOMERS);
    assert_eq!(counts(&rows), [5, 5, 3]);
}

#[test]
fn one_row_is_one_step_even_where_it_could_be_two() {
    let mut funnel = Funnel::new(FunnelSettings {
        steps: 2,
        within_us: None,
        order: StepOrder::Ordered,
    });
    // The same step twice: one visit is no return.
    funnel.row((0, None), 0b11);
    funnel.end_customer();
    funnel.row((0, None), 0b11);
    funnel.row((1, None), 0b11);
    funnel.end_customer();
    assert_eq!(counts(&funnel.finish()), [2, 1]);
}

fn settings() -> PathSettings {
    PathSettings {
        start: None,
        end: None,
        has_conversions: false,
        max_steps: 20,
        collapse: false,
    }
}

fn paths(settings: PathSettings, customers: &[&[(i64, &str)]]) -> Vec<PathRow> {
    let mut paths = Paths::new(settings);
    for rows in customers {
        for &(at_us, step) in *rows {
            let is_conversion = step == "!";
            let row = PathStep {
                step: (!is_conversion).then_some(step),
                is_conversion,
                value: is_conversion.then_some(5_000_000),
            };
            paths.row((at_us, None), row);
        }
        paths.end_customer();
    }
    paths.finish()
}

fn told(rows: &[PathRow]) -> Vec<String> {
    let tell = |row: &PathRow| {
        let path = row.path.as_deref().unwrap_or("-");
        format!("{path}: {} {} {}", row.steps, row.paths, row.conversions)
    };
    rows.iter().map(tell).collect()
}

const STEPS: [&[(i64, &str)]; 3] = [
    &[(0, "a"), (1, "b"), (2, "b"), (3, "c"), (4, "d")],
    &[(0, "b"), (1, "a"), (2, "c")],
    &[(0, "a"), (1, "b")],
];

#[test]
fn a_path_begins_and_ends_where_it_is_told_to() {
    assert_eq!(
        told(&paths(settings(), &STEPS)),
        [
            "a > b: 2 1 0",
            "a > b > b > c > d: 5 1 0",
            "b > a > c: 3 1 0"
        ]
    );
    let from_a = PathSettings {
        start: Some("a".into()),
        end: Some("c".into()),
        collapse: true,
        ..settings()
    };
    assert_eq!(
        told(&paths(from_a.clone(), &STEPS)),
        ["a > b: 2 1 0", "a > b > c: 3 1 1", "a > c: 2 1 1"]
    );
    let cut = PathSettings {
        max_steps: 2,
        ..from_a
    };
    assert_eq!(
        told(&paths(cut.clone(), &STEPS)),
        ["a > b: 2 1 0", "a > b > …: 2 1 1", "a > c: 2 1 1"]
    );
    let to_c = PathSettings { start: None, ..cut };
    assert_eq!(
        told(&paths(to_c, &STEPS)),
        ["a > b: 2 1 0", "… > a > c: 2 1 1", "… > b > c: 2 1 1"]
    );
}

#[test]
fn each_conversion_ends_a_path_and_another_begins() {
    let settings = PathSettings {
        has_conversions: true,
        ..settings()
    };
    let rows = paths(
        settings,
        &[
            &[(0, "a"), (1, "b"), (2, "!"), (3, "a"), (4, "!"), (5, "b")],
            &[(0, "!")],
            // A step of the same instant comes before the conversion.
            &[(0, "!"), (0, "a")],
        ],
    );
    assert_eq!(
        told(&rows),
        ["a: 1 2 2", "-: 0 1 1", "a > b: 2 1 1", "b: 1 1 0"]
    );
    assert_eq!(rows[0].value, Some(10_000_000));
    assert_eq!(rows[3].value, None);
}

fn retention(settings: RetentionSettings, customers: &[&[i32]]) -> Vec<String> {
    let mut retention = Retention::new(settings);
    for days in customers {
        for &day in *days {
            retention.row(day, true, true);
        }
        retention.end_customer();
    }
    let tell = |row: super::RetentionRow| {
        let size = row.cohort_customers;
        let immature = if row.is_immature { " immature" } else { "" };
        let (cohort, period) = (row.cohort_day, row.period_day);
        format!(
            "{cohort} {} {period} {} of {size}{immature}",
            row.period_number, row.customers
        )
    };
    retention.finish().into_iter().map(tell).collect()
}

#[test]
fn customers_come_back_in_weeks() {
    let settings = RetentionSettings {
        period: Period::WeekFromMonday,
        periods: None,
        unbounded: false,
    };
    // Day 4 is Monday, 1970-01-05.
    let customers: [&[i32]; 3] = [&[4, 5, 11, 25], &[10, 18], &[12]];
    assert_eq!(
        retention(settings, &customers),
        [
            "4 0 4 2 of 2",
            "4 1 11 1 of 2",
            "4 2 18 1 of 2",
            "4 3 25 1 of 2 immature",
            "11 0 11 1 of 1",
            "11 1 18 0 of 1",
            "11 2 25 0 of 1 immature",
        ]
    );
    let unbounded = RetentionSettings {
        unbounded: true,
        periods: Some(2),
        ..settings
    };
    assert_eq!(
        retention(unbounded, &customers)[..3],
        ["4 0 4 2 of 2", "4 1 11 2 of 2", "4 2 18 2 of 2"]
    );
}

#[test]
fn months_and_weeks_begin_where_the_calendar_says() {
    for (period, day, first) in [
        (Period::Day, 20_000, 20_000),
        (Period::WeekFromSunday, 3, 3),
        (Period::WeekFromSunday, 2, -4),
        (Period::WeekFromMonday, 3, -3),
        // 2024-02-29 and its month; the last day of 1969.
        (Period::Month, 19_782, 19_754),
        (Period::Month, -1, -31),
    ] {
        assert_eq!(period.first_day(period.of(day)), first, "{period:?} {day}");
    }
}

proptest! {
    #[test]
    fn paths_and_funnel_agree_and_order_of_arrival_does_not_matter(
        customers in proptest::collection::vec(
            proptest::collection::vec((0_i64..20, 0_usize..5), 0..12), 1..12,
        ),
        seed in any::<u64>(),
    ) {
        let names = ["start", "a", "b", "c", "end"];
        let count = |shuffle: bool| {
            let mut funnel = Funnel::new(FunnelSettings {
                steps: 2,
                within_us: None,
                order: StepOrder::Ordered,
            });
            let mut paths = Paths::new(PathSettings {
                start: Some("start".into()),
                end: Some("end".into()),
                ..settings()
            });
            for rows in &customers {
                let mut rows = rows.clone();
                if shuffle && !rows.is_empty() {
                    let places = rows.len();
                    rows.rotate_left(usize::try_from(seed % 7).unwrap_or(0) % places);
                    rows.reverse();
                }
                rows.sort_by_key(|(at_us, _)| *at_us);
                for &(at_us, step) in &rows {
                    let steps = match step { 0 => 1, 4 => 2, _ => 0 };
                    funnel.row((at_us, None), steps);
                    let step = Some(names[step]);
                    paths.row((at_us, None), PathStep { step, is_conversion: false, value: None });
                }
                funnel.end_customer();
                paths.end_customer();
            }
            (counts(&funnel.finish()), paths.finish())
        };
        let (steps, paths) = count(false);
        prop_assert_eq!(steps[0], paths.iter().map(|row| row.paths).sum::<u64>());
        prop_assert_eq!(steps[1], paths.iter().map(|row| row.conversions).sum::<u64>());
        prop_assert_eq!((steps, paths), count(true));
    }
}
