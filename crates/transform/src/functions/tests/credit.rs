//! What the project's settings make of `attribute`.

use domain::config::{CustomWeights, PathRestart, PathTransform, RoleWeights};

use super::{rows, session_with};

/// Three touches, a lead, an opportunity, a sale; then another touch and sale.
const ROWS: &str = "(values
        (1, '2022-01-01', false, 11, false, true, 1, null, null, null),
        (1, '2022-01-02', false, 12, false, false, 2, null, null, null),
        (1, '2022-01-02', false, null, null, null, null, 'lead', null, null),
        (1, '2022-01-03', false, 13, false, false, 2, null, null, null),
        (1, '2022-01-04', false, 14, true, false, 3, null, null, null),
        (1, '2022-01-04', false, null, null, null, null, 'opportunity', null, null),
        (1, '2022-01-05', true, null, null, null, null, null, 100, '10.00'),
        (1, '2022-01-06', false, 15, false, true, 4, null, null, null),
        (1, '2022-01-07', true, null, null, null, null, null, 200, '1.00'))
    as t (customer_key, event_at, is_conversion, touch_key, is_direct, is_paid, channel_key,
        milestone, conversion_key, amount)";

fn credits(model: &str, conversion: i64) -> String {
    format!(
        "select touch_key, cast(credit as double), credited_amount from attribute((
            select customer_key, to_instant(event_at) as event_at, is_conversion, touch_key,
                is_direct, is_paid, channel_key, milestone, conversion_key,
                case when is_conversion then 'sale' end as conversion_type,
                to_amount(amount) as amount
            from {ROWS}))
        where model = '{model}' and conversion_key = {conversion} order by touch_position"
    )
}

#[tokio::test]
async fn models_are_those_that_the_project_asks_for() {
    let context = session_with(2, |attribution| {
        let models = [
            "last_paid",
            "first_paid",
            "w_shaped",
            "full_path",
            "participation",
        ];
        attribution.models = models.map(Into::into).into();
        attribution.custom = [
            ("mine".to_owned(), CustomWeights::Places(vec![3.0, 1.0])),
            (
                "opener".to_owned(),
                CustomWeights::Roles(RoleWeights {
                    first: 0.5,
                    last: 0.3,
                    middle: 0.2,
                    ..RoleWeights::default()
                }),
            ),
        ]
        .into();
    });
    for (model, expected) in [
        ("first_paid", vec!["11|1.0|10.000000"]),
        ("last_paid", vec!["11|1.0|10.000000"]),
        (
            "w_shaped",
            vec![
                "11|0.3|3.000000",
                "12|0.3|3.000000",
                "13|0.1|1.000000",
                "14|0.3|3.000000",
            ],
        ),
        // The opportunity's touch is the last one too.
        (
            "full_path",
            vec![
                "11|0.225|2.250000",
                "12|0.225|2.250000",
                "13|0.1|1.000000",
                "14|0.45|4.500000",
            ],
        ),
        ("mine", vec!["11|0.75|7.500000", "12|0.25|2.500000"]),
        (
            "opener",
            vec![
                "11|0.5|5.000000",
                "12|0.1|1.000000",
                "13|0.1|1.000000",
                "14|0.3|3.000000",
            ],
        ),
        (
            "participation",
            vec![
                "11|1.0|10.000000",
                "12|1.0|10.000000",
                "13|1.0|10.000000",
                "14|1.0|10.000000",
            ],
        ),
    ] {
        assert_eq!(
            rows(&context, &credits(model, 100)).await,
            expected,
            "{model}"
        );
    }
}

#[tokio::test]
async fn a_path_is_what_the_project_says() {
    for (transforms, restart, conversion, expected) in [
        (
            vec![],
            PathRestart::Never,
            200,
            vec!["11", "12", "13", "14", "15"],
        ),
        (vec![], PathRestart::Any, 200, vec!["15"]),
        (vec![], PathRestart::SameType, 200, vec!["15"]),
        (
            vec![PathTransform::Exposure],
            PathRestart::Never,
            200,
            vec!["11", "12", "14", "15"],
        ),
        (
            vec![PathTransform::RemoveDirectIfNotAll],
            PathRestart::Any,
            100,
            vec!["11", "12", "13"],
        ),
        (
            vec![
                PathTransform::RemoveDirectIfLastAndNotAll,
                PathTransform::First,
            ],
            PathRestart::Never,
            100,
            vec!["11", "12"],
        ),
    ] {
        let context = session_with(2, |attribution| {
            attribution.path_transforms.clone_from(&transforms);
            attribution.path_restart = restart;
        });
        let sql = credits("linear", conversion).replace(
            "touch_key, cast(credit as double), credited_amount from",
            "touch_key from",
        );
        let what = format!("{transforms:?} {restart:?}");
        assert_eq!(rows(&context, &sql).await, expected, "{what}");
    }
    let context = session_with(1, |attribution| {
        attribution.path_transforms = vec![PathTransform::Exposure];
    });
    let sql = credits("linear", 100).replacen("is_paid, channel_key,", "", 1);
    let error = context.sql(&sql).await.unwrap_err().to_string();
    assert!(error.contains("no column `channel_key`"), "{error}");
}

#[tokio::test]
async fn threads_and_order_of_arrival_decide_nothing() {
    let input = |order: &str| {
        format!(
            "select value % 53 as customer_key,
                arrow_cast(1640995200000000 + (value * 104729 % 1555) * 1000000000,
                    'Timestamp(Microsecond, Some(\"UTC\"))') as event_at,
                value % 5 = 0 as is_conversion,
                case when value % 5 > 1 then value end as touch_key,
                value % 4 = 1 as is_direct, value % 3 = 1 as is_paid,
                value % 7 as channel_key,
                case when value % 5 = 1 then case value % 2 when 0 then 'lead'
                    else 'opportunity' end end as milestone,
                case when value % 5 = 0 then value end as conversion_key,
                case value % 2 when 0 then 'sale' else 'lead' end as conversion_type,
                cast(cast(value as decimal(18, 6)) / 7 as decimal(18, 6)) as amount
            from generate_series(1, 3000) {order}"
        )
    };
    let all = |order: &str| {
        format!(
            "select model, conversion_key, touch_key, touch_position, path_length, credit,
                credited_amount
             from attribute(({})) order by model, conversion_key, touch_position",
            input(order)
        )
    };
    let context = |threads| {
        session_with(threads, |attribution| {
            let models = [
                "first_paid",
                "last_paid",
                "j_shaped",
                "inverse_j",
                "w_shaped",
                "full_path",
            ];
            attribution.models = models.map(Into::into).into();
            attribution.path_transforms = vec![PathTransform::Exposure];
            attribution.path_restart = PathRestart::SameType;
            attribution
                .custom
                .insert("mine".into(), CustomWeights::Places(vec![3.0, 1.0, 1.0]));
        })
    };
    let alone = rows(&context(1), &all("")).await;
    assert!(alone.len() > 8_000, "{}", alone.len());
    assert_eq!(alone, rows(&context(4), &all("")).await);
    let shuffled = all("order by value * 7919 % 3001 limit 3000");
    assert_eq!(alone, rows(&context(3), &shuffled).await);
    let sums = format!(
        "select count(distinct model), min(credit), max(credit), sum(money - owed) from (
            select c.model, c.conversion_key, sum(c.credit) as credit,
                sum(c.credited_amount) as money, max(i.amount) as owed
            from attribute(({0})) as c
            inner join ({0}) as i on i.conversion_key = c.conversion_key
            group by c.model, c.conversion_key)",
        input("")
    );
    assert_eq!(
        rows(&context(2), &sums).await,
        ["13|1.000000000000|1.000000000000|0.000000"]
    );
}
