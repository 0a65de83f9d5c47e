//! `fit_attribution` in SQL: the published example, sums, threads that do not matter.

use super::{failure, rows, session};

/// C1 > C2 > C3 converts, C1 and C2 > C3 do not.
const PATHS: &str = "select string_to_array(path, ' > ') as path, conversions, nulls,
        to_amount(value) as value, 'all' as fit_group
    from (values ('C1 > C2 > C3', 1, 0, '100.00'), ('C1', 0, 1, null), ('C2 > C3', 0, 1, '0'))
    as t (path, conversions, nulls, value)";

#[tokio::test]
async fn the_published_example() {
    let sql = format!(
        "select fit_group, model, channel, round(effect, 9), credit, credited_value, path_count,
            conversion_count, null_count, has_nulls, state_count
        from fit_attribution(({PATHS})) order by model, channel"
    );
    let expected = [
        "all|markov_1|C1|0.5|0.200000000000|20.000000|3|1|2|true|3",
        "all|markov_1|C2|1.0|0.400000000000|40.000000|3|1|2|true|3",
        "all|markov_1|C3|1.0|0.400000000000|40.000000|3|1|2|true|3",
        "all|shapley|C1|0.333333333|0.333333333334|33.340000|3|1|2|true|-",
        "all|shapley|C2|0.333333333|0.333333333333|33.330000|3|1|2|true|-",
        "all|shapley|C3|0.333333333|0.333333333333|33.330000|3|1|2|true|-",
    ];
    for threads in [1, 3] {
        assert_eq!(rows(&session(threads), &sql).await, expected);
    }
    let asked = format!(
        "select distinct model, parameters, input_digest from fit_attribution((
            select *, 'markov_3, markov_2,shapley_rate' as models from ({PATHS})))
        order by model"
    );
    let asked = rows(&session(2), &asked).await;
    assert!(asked[0].starts_with("markov_2|order=2 collapse_channels_first=false|"));
    assert!(asked[1].starts_with("markov_3|order=3") && asked[2].starts_with("shapley_rate||"));
    assert_eq!(asked.len(), 3);
}

#[tokio::test]
async fn sums_hold_and_neither_threads_nor_order_matter() {
    let input = |order: &str| {
        format!(
            "select make_array(value % 7, value * value % 5, value % 3) as path,
                case when value % 4 = 0 then 1 else 0 end as conversions,
                case when value % 4 = 0 then 0 else 1 end as nulls,
                case when value % 4 = 0 then cast(value as decimal(18, 6)) / 7 end as value,
                'group ' || (value % 2) as fit_group,
                'markov_1,markov_2,markov_3,shapley,shapley_rate' as models
            from generate_series(1, 3000) order by {order}"
        )
    };
    let all = |order: &str| {
        let input = input(order);
        format!("select * from fit_attribution(({input})) order by fit_group, model, channel")
    };
    let alone = rows(&session(1), &all("value")).await;
    // Only even numbers convert here: the other group gives no credit at all.
    assert_eq!(alone.len(), 2 * 5 * 7);
    assert_eq!(alone, rows(&session(2), &all("value desc")).await);
    assert_eq!(alone, rows(&session(5), &all("value % 11, value")).await);
    let wrong = format!(
        "select fit_group, model, sum(credit), sum(credited_value), max(conversion_count),
            max(total_value)
        from fit_attribution(({})) group by fit_group, model
        having sum(credit) <> max(conversion_count) or sum(credited_value) <> max(total_value)",
        input("value")
    );
    assert_eq!(rows(&session(2), &wrong).await, [""; 0]);
}

#[tokio::test]
async fn what_means_nothing_is_refused() {
    let call = |columns: &str| format!("select * from fit_attribution((select {columns}))");
    let path = "make_array('a') as path";
    for (columns, message) in [
        (
            "cast(null as text[]) as path, 1 as conversions",
            "a path has no touch",
        ),
        (
            "make_array('a', null) as path, 1 as conversions",
            "a step without a channel",
        ),
        (
            &format!("{path}, -1 as conversions"),
            "`conversions` is negative",
        ),
        (
            &format!("{path}, 0 as conversions, 2 as value"),
            "a value but no conversion",
        ),
        (
            &format!("{path}, 1 as conversions, 'markov_7' as models"),
            "`markov_7`",
        ),
        ("1 as conversions", "has no column `path`"),
    ] {
        let error = failure(&call(columns)).await;
        assert!(error.contains(message), "{columns}: {error}");
    }
    let many = "select array_agg(cast(value as text)) as path, 1 as conversions,
            'shapley_rate' as models from generate_series(1, 25)";
    let error = failure(&format!("select * from fit_attribution(({many}))")).await;
    assert!(error.contains("25 channels are too many"), "{error}");
    // Nothing can be credited where removal changes nothing: the money stays visible.
    let none = "select make_array('a') as path, 0 as conversions, 4 as nulls";
    let sql = format!("select model, channel, effect, credit from fit_attribution(({none}))");
    assert_eq!(
        rows(&session(1), &sql).await,
        ["markov_1|a|-|0.000000000000", "shapley|a|-|0.000000000000"]
    );
}
