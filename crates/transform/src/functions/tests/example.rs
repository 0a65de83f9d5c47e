//! The path that the pages of the models credit by hand: docs/concepts/models.

use super::{rows, session_with};

/// A sale of 100.00 on the 15th; a lead on the 9th, an opportunity on the 14th.
const PATH: &str = "(values
        ('2026-03-01', false, 1, false, false, null, null, 'Organic Search'),
        ('2026-03-08', false, 2, false, true, null, null, 'Paid Social'),
        ('2026-03-09', false, null, null, null, 'lead', null, null),
        ('2026-03-13', false, 3, false, false, null, null, 'Email'),
        ('2026-03-14', false, null, null, null, 'opportunity', null, null),
        ('2026-03-15', false, 4, true, false, null, null, 'Direct'),
        ('2026-03-15', true, null, null, null, null, 1, null))
    as t (event_at, is_conversion, touch_key, is_direct, is_paid, milestone, conversion_key,
        channel)";

/// What the pages say: model and cents of each touch, 0 where it has none.
const SAID: [(&str, [i64; 4]); 12] = [
    ("first", [10_000, 0, 0, 0]),
    ("last", [0, 0, 0, 10_000]),
    ("last_non_direct", [0, 0, 10_000, 0]),
    ("first_paid", [0, 10_000, 0, 0]),
    ("last_paid", [0, 10_000, 0, 0]),
    ("linear", [2_500, 2_500, 2_500, 2_500]),
    ("position", [4_000, 1_000, 1_000, 4_000]),
    ("j_shaped", [2_000, 1_000, 1_000, 6_000]),
    ("inverse_j", [6_000, 1_000, 1_000, 2_000]),
    ("time_decay", [973, 1_945, 3_192, 3_890]),
    ("w_shaped", [3_000, 3_000, 3_000, 1_000]),
    ("full_path", [2_500, 2_500, 2_500, 2_500]),
];

#[tokio::test]
async fn the_pages_of_the_models_are_right() {
    let context = session_with(2, |attribution| {
        attribution.models = SAID.map(|(model, _)| model.to_owned()).into();
    });
    for (model, said) in SAID {
        let sql = format!(
            "select touch_key, cast(credited_amount * 100 as bigint) from attribute((
                select 1 as customer_key, to_instant(event_at) as event_at, is_conversion,
                    touch_key, is_direct, is_paid, milestone, conversion_key,
                    case when is_conversion then 'purchase' end as conversion_type,
                    case when is_conversion then to_amount('100.00') end as amount,
                    channel as touch_channel
                from {PATH}))
            where model = '{model}' order by touch_position"
        );
        let expected: Vec<String> = (1..)
            .zip(said)
            .filter(|(_, cents)| *cents > 0)
            .map(|(touch, cents)| format!("{touch}|{cents}"))
            .collect();
        assert_eq!(rows(&context, &sql).await, expected, "{model}");
        let dashed = model.replace('_', "-");
        let page = match model {
            "first_paid" | "last_paid" => "paid".to_owned(),
            "inverse_j" => "j-shaped".to_owned(),
            _ => dashed,
        };
        let path = format!(
            "{}/../../docs/concepts/models/{page}.md",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(&path).unwrap();
        let money = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
        for cents in said.into_iter().filter(|cents| *cents > 0) {
            assert!(text.contains(&money(cents)), "{path}: {}", money(cents));
        }
    }
}
