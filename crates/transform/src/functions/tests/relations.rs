//! The relation functions end to end: small tables with known results, threads that do not matter.

use super::{failure, rows, session};

const EDGES: &str = "(values
        (1, 'device', 10, 'user', '2022-01-01'), (2, 'device', 10, 'user', '2022-01-03'),
        (10, 'user', 20, 'email', '2022-01-02'), (3, 'device', null, null, '2022-01-05'),
        (2, 'device', 10, 'user', '2022-01-02'),
        (4, 'device', 30, 'user', null), (4, 'device', 31, 'user', '2022-02-01'),
        (30, 'user', null, null, null), (null, null, null, null, '2022-01-01'))
    as t (a_key, a_type, b_key, b_type, linked_at)";

#[tokio::test]
async fn identifiers_that_are_linked_are_one_component() {
    let sql = format!(
        "select * from connected_components((
            select a_key, a_type, b_key, b_type, to_instant(linked_at) as linked_at from {EDGES}
        )) order by node_key"
    );
    let expected = [
        "1|device|2022-01-01T00:00:00Z|1|-|10|4|-",
        "2|device|2022-01-02T00:00:00Z|1|-|10|4|-",
        "3|device|2022-01-05T00:00:00Z|0|-|3|1|-",
        // Two users on one device: it is no evidence that they are one person.
        "4|device|2022-02-01T00:00:00Z|2|degree|4|1|-",
        "10|user|2022-01-01T00:00:00Z|3|-|10|4|-",
        "20|email|2022-01-02T00:00:00Z|1|-|10|4|-",
        "30|user|-|1|-|30|1|-",
        "31|user|2022-02-01T00:00:00Z|1|-|31|1|-",
    ];
    for threads in [1, 3] {
        assert_eq!(rows(&session(threads), &sql).await, expected);
    }
}

#[tokio::test]
async fn decisions_and_times_come_as_columns() {
    let sql = |more: &str| {
        format!(
            "select node_key, guard, component_key, erased_at from connected_components((
                select a_key, a_type, b_key, b_type, to_instant(linked_at) as linked_at,
                    to_instant(last_at) as last_at, decision
                from (values
                    (1, 'user', 9, 'email', '2022-01-01', '2022-03-01', null),
                    (2, 'user', 9, 'email', '2022-02-01', '2022-02-01', null){more}
                ) as t (a_key, a_type, b_key, b_type, linked_at, last_at, decision)
            )) order by node_key"
        )
    };
    let context = session(2);
    let found = rows(&context, &sql("")).await;
    assert_eq!(
        found,
        ["1|-|1|-", "2|-|2|-", "9|-|1|-"],
        "the first user was seen last"
    );
    let merged = ", (2, 'user', 1, 'user', '2022-04-01', null, 'merge')";
    let found = rows(&context, &sql(merged)).await;
    assert_eq!(found, ["1|-|1|-", "2|-|1|-", "9|-|1|-"]);
    let erased = ", (1, 'user', null, null, '2022-04-01', null, 'erase')";
    let found = rows(&context, &sql(erased)).await;
    let of_one = "1|erased|1|2022-04-01T00:00:00Z";
    assert_eq!(found, [of_one, "2|-|2|-", "9|-|2|-"]);
    let wrong = sql(", (1, 'user', 2, 'user', null, null, 'marry')");
    assert!(failure(&wrong).await.contains("no decision `marry`"));
}

#[tokio::test]
async fn contacts_of_two_sources_may_be_one_person() {
    let edges = "(values (1, 10, 'crm', 'a'), (1, 11, 'crm', 'b')) as t (d, c, s, s2)";
    let sql = |b_source: &str| {
        format!(
            "select node_key, guard, component_size from connected_components((
                select d as a_key, 'device' as a_type, c as b_key, 'contact' as b_type,
                    null as linked_at, {b_source} as b_source from {edges}
            )) order by node_key"
        )
    };
    let context = session(2);
    assert_eq!(
        rows(&context, &sql("s")).await,
        ["1|degree|1", "10|-|1", "11|-|1"]
    );
    assert_eq!(
        rows(&context, &sql("s2")).await,
        ["1|-|3", "10|-|3", "11|-|3"]
    );
}

#[tokio::test]
async fn a_chain_of_many_is_one_component() {
    let sql = "select count(*), count(distinct component_key), min(component_size), max(degree)
        from connected_components((
            select value as a_key, 'email' as a_type, value + 1 as b_key, 'email' as b_type,
                cast(null as timestamp) as linked_at
            from generate_series(1, 20000)))";
    assert_eq!(rows(&session(2), sql).await, ["20001|1|20001|2"]);
    let wrong = "select * from connected_components((select 1 as a_key, 'x' as a_type,
        null as b_key, null as b_type, null as linked_at))";
    assert!(failure(wrong).await.contains("no identifier type `x`"));
    let none = "select count(*) from connected_components((
        select 1 as a_key, 'user' as a_type, 2 as b_key, 'user' as b_type, null as linked_at
        where false))";
    assert_eq!(rows(&session(1), none).await, ["0"]);
}

const EVENTS: &str = "(values
        (1, '10:00:00', 1, 'a', null), (1, '10:20:00', 1, 'b', null), (1, '10:50:00', 2, 'd', null),
        (1, '10:50:00', 1, 'c', null), (1, '11:20:01', 1, 'e', null),
        (2, '10:00:00', 1, 'f', 's1'), (2, '15:00:00', 1, 'g', 's1'), (2, '15:10:00', 1, 'h', 's2'),
        (2, '15:20:00', 1, 'i', ''), (null, '10:00:00', 1, 'j', null), (3, null, 1, 'k', null))
    as t (device_key, event_at, event_sequence, event_id, native_session_id)";

fn sessions(columns: &str) -> String {
    format!(
        "select {columns} from sessionize((
            select device_key, to_instant('2022-01-01 ' || event_at) as event_at,
                event_sequence, event_id, native_session_id, 'x' || event_id as carried
            from {EVENTS})) order by event_id"
    )
}

#[tokio::test]
async fn events_are_cut_into_sessions() {
    let sql = sessions("event_id, carried, session_started_at, session_event_index");
    let expected = [
        "a|xa|2022-01-01T10:00:00Z|1",
        "b|xb|2022-01-01T10:00:00Z|2",
        "c|xc|2022-01-01T10:00:00Z|3",
        "d|xd|2022-01-01T10:00:00Z|4",
        // A pause of 30 minutes and one second.
        "e|xe|2022-01-01T11:20:01Z|1",
        // A native session goes on, however long its pauses.
        "f|xf|2022-01-01T10:00:00Z|1",
        "g|xg|2022-01-01T10:00:00Z|2",
        "h|xh|2022-01-01T15:10:00Z|1",
        // Without an id of its own it belongs to the latest session.
        "i|xi|2022-01-01T15:10:00Z|2",
        "j|xj|-|-",
        "k|xk|-|-",
    ];
    for threads in [1, 3] {
        assert_eq!(rows(&session(threads), &sql).await, expected);
    }
}

#[tokio::test]
async fn session_keys_are_the_device_with_its_native_id_and_day_or_first_event() {
    let context = session(2);
    let sql = format!(
        "select count(distinct session_key), count(session_key), count(*) from ({})",
        sessions("*")
    );
    assert_eq!(rows(&context, &sql).await, ["4|9|11"]);
    let keys = rows(&context, &sessions("session_key")).await;
    let native = rows(&context, "select durable_key('session', 2, 's1', 18993)").await;
    assert_eq!([&keys[5], &keys[6]], [&native[0], &native[0]]);
    let first = "select durable_key('session', 1, 1641031200000000, 'a')";
    assert_eq!(rows(&context, first).await[0], keys[0]);
    let taken = "select * from sessionize((select 1 as device_key, to_instant('2022') as event_at,
        'x' as event_id, 1 as session_key))";
    assert!(failure(taken).await.contains("a column `session_key`"));
}

#[tokio::test]
async fn sessions_of_many_devices_do_not_depend_on_threads() {
    let sql = "select count(distinct session_key), sum(session_event_index), count(*),
            sum(arrow_cast(session_started_at, 'Int64') % 1000003)
        from sessionize((
            select value % 211 as device_key,
                arrow_cast(1640995200000000 + (value * 7919 % 86400) * 1000000,
                    'Timestamp(Microsecond, Some(\"UTC\"))') as event_at,
                'e' || value as event_id,
                case when value % 3 = 0 then 's' || (value % 11) end as native_session_id
            from generate_series(1, 5000)))";
    let alone = rows(&session(1), sql).await;
    assert_eq!(alone, rows(&session(2), sql).await);
    assert_eq!(alone, rows(&session(5), sql).await);
}

/// Touches at day 0 and 7, a sale at day 14; a sign-up out of reach; a sale of nobody.
const JOURNEYS: &str = "(values
        (1, '2022-01-01', false, 11, false, null, null, null, 'google'),
        (1, '2022-01-08', false, 12, true, null, null, null, '(direct)'),
        (1, '2022-01-15', true, null, null, 100, 'sale', '10.00', null),
        (2, '2022-01-01', false, 21, false, null, null, null, 'bing'),
        (2, '2022-01-03', true, null, null, 200, 'sign_up', null, null),
        (null, '2022-01-01', false, 31, false, null, null, null, 'lost'),
        (null, '2022-01-02', true, null, null, 300, 'sale', '5', null))
    as t (customer_key, event_at, is_conversion, touch_key, is_direct, conversion_key,
        conversion_type, amount, source)";

fn credits(columns: &str) -> String {
    format!(
        "select {columns} from attribute((
            select customer_key, to_instant(event_at) as event_at, is_conversion, touch_key,
                is_direct, conversion_key, conversion_type, to_amount(amount) as amount,
                source as touch_source, 'not asked for' as other
            from {JOURNEYS}))"
    )
}

#[tokio::test]
async fn every_model_credits_every_conversion() {
    let sql = credits(
        "customer_key, conversion_key, conversion_type, model, touch_key, touch_position,
         path_length, credit, credited_amount, is_unattributed, touch_source",
    ) + " order by conversion_key, model, touch_position";
    let context = session(2);
    let all = rows(&context, &sql).await;
    assert_eq!(
        all[..9],
        [
            "1|100|sale|first|11|1|2|1.000000000000|10.000000|false|google",
            "1|100|sale|last|12|2|2|1.000000000000|10.000000|false|(direct)",
            "1|100|sale|last_non_direct|11|1|2|1.000000000000|10.000000|false|google",
            "1|100|sale|linear|11|1|2|0.500000000000|5.000000|false|google",
            "1|100|sale|linear|12|2|2|0.500000000000|5.000000|false|(direct)",
            "1|100|sale|position|11|1|2|0.500000000000|5.000000|false|google",
            "1|100|sale|position|12|2|2|0.500000000000|5.000000|false|(direct)",
            "1|100|sale|time_decay|11|1|2|0.333333333333|3.330000|false|google",
            "1|100|sale|time_decay|12|2|2|0.666666666667|6.670000|false|(direct)",
        ]
    );
    assert_eq!(all[9], "2|200|sign_up|first|-|-|0|1.000000000000|-|true|-");
    assert_eq!(
        all[15],
        "-|300|sale|first|-|-|0|1.000000000000|5.000000|true|-"
    );
    assert_eq!(all.len(), 9 + 6 + 6);
    let times = credits("distinct conversion_at, touch_at")
        + " where conversion_key = 100
        order by touch_at";
    assert_eq!(
        rows(&context, &times).await,
        [
            "2022-01-15T00:00:00Z|2022-01-01T00:00:00Z",
            "2022-01-15T00:00:00Z|2022-01-08T00:00:00Z"
        ]
    );
}

#[tokio::test]
async fn credit_and_money_sum_to_the_conversion_whatever_the_threads() {
    let input = "select value % 97 as customer_key,
            arrow_cast(1640995200000000 + (value * 104729 % 15552000) * 1000000,
                'Timestamp(Microsecond, Some(\"UTC\"))') as event_at,
            value % 5 = 0 as is_conversion,
            case when value % 5 <> 0 then value end as touch_key,
            value % 4 = 1 as is_direct,
            case when value % 5 = 0 then value end as conversion_key,
            'sale' as conversion_type,
            cast(cast(value as decimal(18, 6)) / 7 as decimal(18, 6)) as amount,
            's' || (value % 13) as touch_source, value % 9 as touch_channel
        from generate_series(1, 6000)";
    let all = format!(
        "select model, conversion_key, touch_key, touch_position, path_length, credit,
            credited_amount, touch_source, touch_channel
         from attribute(({input})) order by model, conversion_key, touch_position"
    );
    let alone = rows(&session(1), &all).await;
    assert!(alone.len() > 20_000, "{}", alone.len());
    assert_eq!(alone, rows(&session(2), &all).await);
    let context = session(4);
    let sums = format!(
        "select model, count(*), min(credit), max(credit), sum(money - owed) from (
            select c.model, c.conversion_key, sum(c.credit) as credit,
                sum(c.credited_amount) as money, max(i.amount) as owed
            from attribute(({input})) as c
            inner join ({input}) as i on i.conversion_key = c.conversion_key
            group by c.model, c.conversion_key
        ) group by model order by model"
    );
    let whole = "1200|1.000000000000|1.000000000000|0.000000";
    let models = [
        "first",
        "last",
        "last_non_direct",
        "linear",
        "position",
        "time_decay",
    ];
    assert_eq!(
        rows(&context, &sums).await,
        models.map(|model| format!("{model}|{whole}"))
    );
    // The touch's own columns are those of the touch.
    let wrong = format!(
        "select count(*) from attribute(({input})) where not is_unattributed and (
            touch_source <> 's' || (touch_key % 13) or touch_channel <> touch_key % 9)"
    );
    assert_eq!(rows(&context, &wrong).await, ["0"]);
}

#[tokio::test]
async fn the_touch_wins_a_tie_and_wrong_rows_are_refused() {
    let context = session(2);
    let tie = "select touch_key from attribute((
            select 1 as customer_key, to_instant('2022-01-01') as event_at, c as is_conversion,
                case when not c then 7 end as touch_key, false as is_direct,
                case when c then 8 end as conversion_key, 'sale' as conversion_type
            from (values (true), (false)) as t (c))) where model = 'last'";
    assert_eq!(rows(&context, tie).await, ["7"]);
    let no_time = tie.replace("to_instant('2022-01-01')", "to_instant(null)");
    assert!(failure(&no_time).await.contains("`event_at` is null"));
    let taken = tie.replace(
        "'sale' as conversion_type",
        "'sale' as conversion_type, 1 as touch_at",
    );
    assert!(failure(&taken).await.contains("a column `touch_at`"));
    let missing = tie.replace("false as is_direct,", "");
    assert!(
        failure(&missing)
            .await
            .contains("has no column `is_direct`")
    );
}
