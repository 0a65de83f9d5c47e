//! Funnels, paths and retention as SQL calls them.

use super::{failure, rows, session};

const EVENTS: &str = "(values
        (1, '2026-03-02T08:00:00Z', 'view'), (1, '2026-03-02T08:10:00Z', 'cart'),
        (1, '2026-03-02T08:30:00Z', 'buy'), (1, '2026-03-10T08:00:00Z', 'view'),
        (2, '2026-03-03T08:00:00Z', 'view'), (2, '2026-03-03T08:00:00Z', 'view'),
        (2, '2026-03-20T08:00:00Z', 'cart'),
        (3, '2026-03-09T08:00:00Z', 'cart'), (3, '2026-03-09T09:00:00Z', 'view'),
        (null, '2026-03-09T09:00:00Z', 'view'))
    as t (customer_key, event_at, step)";

fn events(call: &str, columns: &str, rest: &str) -> String {
    format!(
        "select {columns} from {call}((
            select customer_key, to_instant(event_at) as event_at, step from {EVENTS}){rest})"
    )
}

#[tokio::test]
async fn a_funnel_counts_customers_step_by_step() {
    let sql = events("funnel", "*", ", 'view', 'cart', 'buy'");
    for threads in [1, 4] {
        assert_eq!(
            rows(&session(threads), &sql).await,
            [
                "1|view|3|1.0|1.0|-|-",
                "2|cart|2|0.6666666666666666|0.6666666666666666|734700.0|734700.0",
                "3|buy|1|0.5|0.3333333333333333|1200.0|1200.0",
            ]
        );
    }
    let context = session(2);
    let sql = events(
        "funnel",
        "customer_count",
        ", 'view', 'cart', within => '1 day', step_order => 'any'",
    );
    assert_eq!(rows(&context, &sql).await, ["3", "2"]);
    let none = "select customer_count, step_rate from funnel((select 1 as customer_key,
        to_instant('2026') as event_at, 'x' as step where 1 = 0), 'view')";
    assert_eq!(rows(&context, none).await, ["0|-"]);
    for (rest, expected) in [
        ("", "1 to 64 steps"),
        (", 'a', within => 'soon'", "within => '7 days'"),
        (", 'a', window => '1 day'", "knows no `window`"),
        (", 'a', step_order => 'some'", "ordered, strict, any"),
        (", step", "a text, a number"),
    ] {
        let error = failure(&events("funnel", "*", rest)).await;
        assert!(error.contains(expected), "{error}");
    }
    let error = failure("select * from attribute((select 1), 2)").await;
    assert!(error.contains("nothing else"), "{error}");
}

#[tokio::test]
async fn two_calls_that_differ_in_their_arguments_are_two() {
    let (a, b) = (
        events("funnel", "customer_count", ", 'view'"),
        events("funnel", "customer_count", ", 'buy'"),
    );
    let both = format!("select customer_count from ({a} union all {b}) order by 1");
    assert_eq!(rows(&session(2), &both).await, ["1", "3"]);
}

#[tokio::test]
async fn paths_agree_with_the_funnel() {
    let context = session(3);
    let columns = "path, step_count, path_count, conversion_count, unconverted_count, value";
    let sql = events(
        "paths",
        columns,
        ", start => 'view', end => 'buy', collapse => true",
    );
    assert_eq!(
        rows(&context, &sql).await,
        [
            "view|1|1|0|1|-",
            "view > cart|2|1|0|1|-",
            "view > cart > buy|3|1|1|0|-"
        ]
    );
    let sql = "select path, path_count, conversion_count, value from paths((
            select customer_key, to_instant(event_at) as event_at,
                case when step <> 'buy' then step end as step, step = 'buy' as is_conversion,
                case when step = 'buy' then 7 end as value
            from EVENTS), max_steps => 2)"
        .replace("EVENTS", EVENTS);
    assert_eq!(
        rows(&context, &sql).await,
        [
            "cart > view|1|0|-",
            "view|1|0|-",
            "view > cart|1|1|7.000000",
            "… > view > cart|1|0|-"
        ]
    );
    let error = failure(&events("paths", "*", ", start => 'a', end => 'a'")).await;
    assert!(error.contains("the same step"), "{error}");
    let error = failure(&events("paths", "*", ", 'a'")).await;
    assert!(error.contains("cannot tell what `a` is"), "{error}");
}

#[tokio::test]
async fn cohorts_come_back() {
    let context = session(2);
    let sql = events("retention", "*", ", period => 'week', periods => 2");
    assert_eq!(
        rows(&context, &sql).await,
        [
            "2026-03-02|2|0|2026-03-02|2|1.0|false",
            "2026-03-02|2|1|2026-03-09|1|0.5|false",
            "2026-03-02|2|2|2026-03-16|1|0.5|true",
            "2026-03-09|1|0|2026-03-09|1|1.0|false",
            "2026-03-09|1|1|2026-03-16|0|0.0|true",
        ]
    );
    let sql = events("retention", "customer_count", ", unbounded => true")
        + " where cohort_date = date '2026-03-02' order by period_number";
    assert_eq!(rows(&context, &sql).await, ["2", "2", "1"]);
    let error = failure(&events("retention", "*", ", zone => 'Berlin'")).await;
    assert!(error.contains("no zone `Berlin`"), "{error}");
}

#[tokio::test]
async fn a_path_stands_as_it_was_on_the_day_of_a_mark() {
    let sql = "select customer_key, mark_name, array_to_string(path, ' > ') from path_at((
            select customer_key, cast(on_date as date) as on_date, is_touch,
                to_instant(on_date) as event_at, touch_key, step,
                cast(from_date as date) as from_date, mark_name
            from (values
                (1, '2026-03-05', true, 2, 'b', null, null),
                (1, '2026-03-01', true, 1, 'a', null, null),
                (1, '2026-03-05', true, 3, 'c', null, null),
                (1, '2026-03-05', false, null, null, null, 'before'),
                (1, '2026-03-06', false, null, null, null, 'all'),
                (1, '2026-03-06', false, null, null, '2026-03-05', 'late'),
                (1, '2026-04-01', false, null, null, '2026-03-06', 'none'),
                (2, '2026-03-02', true, 4, 'a', null, null),
                (2, '2026-03-03', false, null, null, null, 'all'))
            as t (customer_key, on_date, is_touch, touch_key, step, from_date, mark_name)
        )) order by 1, 2";
    let expected = [
        "1|all|a > b > c",
        "1|before|a",
        "1|late|b > c",
        "1|none|-",
        "2|all|a",
    ];
    for threads in [1, 3] {
        assert_eq!(rows(&session(threads), sql).await, expected);
    }
}
