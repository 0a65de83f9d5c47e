//! Requests and SQL over tables with figures that one can check by hand.

mod exports;

use std::sync::Arc;

use datafusion::prelude::{SessionConfig, SessionContext};
use domain::config::{ProjectConfig, WeekStart};
use domain::metrics::{Layer, Source};
use serde_json::{Value, json};

use super::*;

/// Visits and costs of two channels, claims of two platforms, stock at the end of days.
const DEFINITIONS: &str = include_str!("tests/visits.yml");

const TABLES: &str = include_str!("tests/visits.sql");

fn config() -> ProjectConfig {
    let mut config: ProjectConfig = serde_json::from_value(json!({"name": "x"})).unwrap();
    config.reporting.currency = "EUR".into();
    config
}

fn layer() -> Layer {
    let source = Source {
        path: "metrics/test.yml".into(),
        text: DEFINITIONS.into(),
        is_project: false,
    };
    Layer::read(vec![source]).unwrap_or_else(|wrongs| panic!("{wrongs:?}"))
}

async fn session() -> SessionContext {
    let settings = SessionConfig::new()
        .with_information_schema(true)
        .with_default_catalog_and_schema("throughline", "star")
        .with_create_default_catalog_and_schema(true)
        .set_bool("datafusion.sql_parser.parse_float_as_decimal", true);
    let session = SessionContext::new_with_config(settings);
    for sql in TABLES.split(';') {
        session.sql(sql).await.unwrap().collect().await.unwrap();
    }
    register(&session, Arc::new(layer()), Arc::new(config())).unwrap();
    session
}

async fn rows(session: &SessionContext, sql: &str) -> Vec<Vec<String>> {
    try_rows(session, sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

async fn try_rows(session: &SessionContext, sql: &str) -> Result<Vec<Vec<String>>, String> {
    let frame = session.sql(sql).await.map_err(|error| error.to_string())?;
    collected(frame).await
}

async fn collected(frame: datafusion::dataframe::DataFrame) -> Result<Vec<Vec<String>>, String> {
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let rows = frame.collect().await.map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    crate::write(&mut out, &schema, &rows, crate::Format::Csv).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines = text.lines().skip(1);
    Ok(lines
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect())
}

/// The rows of a request.
async fn asked(session: &SessionContext, request: Value) -> Vec<Vec<String>> {
    let request: Request = serde_json::from_value(request).unwrap();
    let compiled = compile(&layer(), &config(), &request).unwrap();
    let frame = session.sql(&compiled.sql).await;
    let frame = frame.unwrap_or_else(|error| panic!("{error}\n{}", compiled.sql));
    let names: Vec<&String> = frame
        .schema()
        .fields()
        .iter()
        .map(|field| field.name())
        .collect();
    let columns: Vec<&String> = compiled.columns.iter().map(|column| &column.name).collect();
    assert_eq!(names, columns);
    collected(frame.with_param_values(values(&compiled)).unwrap())
        .await
        .unwrap()
}

fn refused(request: Value) -> String {
    let request: Request = serde_json::from_value(request).unwrap();
    compile(&layer(), &config(), &request)
        .unwrap_err()
        .to_string()
}

#[tokio::test]
async fn figures_are_recomputed_for_every_group_and_for_the_total() {
    let session = session().await;
    let found = asked(
        &session,
        json!({
            "metrics": ["visits", "people", "engaged_rate", "longest", "mean_seconds"],
            "dimensions": ["channel"], "totals": true,
        }),
    )
    .await;
    assert_eq!(
        found,
        [
            [
                "Ads",
                "3",
                "1",
                "0.3333333333333333",
                "7",
                "4.333333333333333",
                "false"
            ],
            ["Mail", "2", "2", "1.0", "9", "5.5", "false"],
            ["", "5", "3", "0.6", "9", "4.8", "true"],
        ]
    );
    // Whoever comes in two months is one person.
    let found = asked(
        &session,
        json!({
            "metrics": ["people"], "grain": "month", "totals": true,
        }),
    )
    .await;
    assert_eq!(
        found,
        [
            ["2026-01-01", "1", "false"],
            ["2026-02-01", "3", "false"],
            ["", "3", "true"]
        ]
    );
}

#[tokio::test]
async fn subjects_stand_side_by_side_without_multiplying_rows() {
    let session = session().await;
    let found = asked(
        &session,
        json!({
            "metrics": ["visits", "cost", "cost_per_visit", "cost_and_more"],
            "dimensions": ["channel"], "order": [{"by": "cost", "descending": true}],
        }),
    )
    .await;
    assert_eq!(
        found,
        [
            [
                "Ads",
                "3",
                "28.100000",
                "9.366666666666667",
                "56.200000",
                "false"
            ],
            ["Mail", "2", "0.000000", "", "0.000000", "false"],
            // Money without a rate is not money of nothing.
            ["", "0", "0.000000", "", "0.000000", "true"],
        ]
    );
}

#[tokio::test]
async fn values_are_parameters_and_never_text() {
    let session = session().await;
    for (filter, count) in [
        (json!({"dimension": "channel", "values": ["Ads"]}), "3"),
        (
            json!({"dimension": "channel", "values": ["Ads' or '1' = '1"]}),
            "0",
        ),
        (
            json!({"dimension": "channel", "op": "not_in", "values": ["Ads"]}),
            "2",
        ),
        (
            json!({"dimension": "channel", "op": "is_not", "values": ["Mail"]}),
            "3",
        ),
        (
            json!({"dimension": "channel", "op": "contains", "values": ["ai"]}),
            "2",
        ),
        (
            json!({"dimension": "channel", "op": "starts_with", "values": ["A"]}),
            "3",
        ),
        (
            json!({"dimension": "paid", "op": "is", "values": [true]}),
            "3",
        ),
        (json!({"dimension": "device", "op": "is_null"}), "1"),
        (json!({"dimension": "device", "op": "is_not_null"}), "4"),
        (
            json!({"dimension": "device", "op": "at_least", "values": ["e"]}),
            "2",
        ),
        (
            json!({"dimension": "device", "op": "not_in", "values": ["phone"]}),
            "3",
        ),
    ] {
        let found = asked(
            &session,
            json!({"metrics": ["visits"], "filters": [filter]}),
        )
        .await;
        assert_eq!(found, [[count]], "{filter}");
    }
    let found = asked(
        &session,
        json!({
            "metrics": ["visits"], "from": "2026-02-01", "to": "2026-02-01",
        }),
    )
    .await;
    assert_eq!(found, [["2"]]);
}

#[tokio::test]
async fn pages_have_an_order_that_holds() {
    let session = session().await;
    let page = |offset: u64| {
        json!({
            "metrics": ["visits"], "dimensions": ["device"], "grain": "day",
            "limit": 2, "offset": offset,
        })
    };
    let mut all = asked(&session, page(0)).await;
    all.extend(asked(&session, page(2)).await);
    assert_eq!(
        all,
        [
            ["2026-01-31", "phone", "2"],
            ["2026-02-01", "desk", "2"],
            ["2026-02-02", "", "1"],
        ]
    );
}

#[tokio::test]
async fn weeks_begin_where_the_project_says() {
    let session = session().await;
    let request: Request =
        serde_json::from_value(json!({"metrics": ["visits"], "grain": "week"})).unwrap();
    let mut config = config();
    for (start, weeks) in [
        (
            WeekStart::Monday,
            [["2026-01-26", "4"], ["2026-02-02", "1"]].to_vec(),
        ),
        (
            WeekStart::Sunday,
            [["2026-01-25", "2"], ["2026-02-01", "3"]].to_vec(),
        ),
    ] {
        config.reporting.week_start = start;
        let compiled = compile(&layer(), &config, &request).unwrap();
        assert_eq!(rows(&session, &compiled.sql).await, weeks);
    }
}

#[tokio::test]
async fn a_state_is_that_of_the_last_day_of_each_bucket() {
    let session = session().await;
    let by_month = json!({"metrics": ["in_stock"], "grain": "month", "totals": true});
    let found = asked(&session, by_month).await;
    assert_eq!(
        found,
        [
            ["2026-01-01", "6", "false"],
            ["2026-02-01", "4", "false"],
            ["", "4", "true"]
        ]
    );
    let found = asked(
        &session,
        json!({
            "metrics": ["in_stock"], "to": "2026-01-31",
            "filters": [{"dimension": "device", "values": ["y"]}],
        }),
    )
    .await;
    assert_eq!(found, [["1"]]);
    let sql = "select month, measure(in_stock) from metrics.stock group by month order by month";
    assert_eq!(
        rows(&session, sql).await,
        [["2026-01-01", "6"], ["2026-02-01", "4"]]
    );
    let sql =
        "select measure(in_stock) from metrics.stock where day <= '2026-01-31' and device = 'y'";
    assert_eq!(rows(&session, sql).await, [["1"]]);
}

#[test]
fn what_means_nothing_is_refused_with_the_reason() {
    for (request, what) in [
        (
            json!({"metrics": ["claims"]}),
            "Platforms claim the same sale.",
        ),
        (
            json!({"metrics": ["claims"], "dimensions": ["platform"], "totals": true}),
            "has no total over all values of `platform`",
        ),
        (
            json!({"metrics": ["claims"], "filters": [
            {"dimension": "platform", "values": ["a"]},
            {"dimension": "model", "values": ["position", "last"]}]}),
            "Models are answers to one question.",
        ),
        (
            json!({"metrics": ["own_cost"]}),
            "Amounts of several currencies cannot be added.",
        ),
        (
            json!({"metrics": ["cost"], "dimensions": ["device"]}),
            "lacks that dimension",
        ),
        (
            json!({"metrics": ["visits", "cost"], "dimensions": ["device"]}),
            "`cost` cannot be had by `device`: the subject `costs` lacks that dimension",
        ),
        (
            json!({"metrics": ["cost_per_visit"], "dimensions": ["device"]}),
            "can be had by: channel",
        ),
        (
            json!({"metrics": ["claims"], "dimensions": ["platform"], "grain": "day"}),
            "its rows are of whole months",
        ),
        (
            json!({"metrics": ["claims"], "dimensions": ["platform"], "to": "2026-01-15"}),
            "cut a month of `claims` in its middle",
        ),
        (json!({"metrics": ["clams"]}), "there is no metric `clams`"),
        (json!({"metrics": []}), "no metric is asked for"),
        (json!({"metrics": ["visits", "visits"]}), "asked for twice"),
        (
            json!({"metrics": ["visits"], "dimensions": ["month"]}),
            "a grain of time",
        ),
        (
            json!({"metrics": ["visits"], "dimensions": ["people"]}),
            "it is a metric",
        ),
        (
            json!({"metrics": ["visits"], "from": "2026-02-30"}),
            "which is no day",
        ),
        (
            json!({"metrics": ["visits"], "order": [{"by": "1; drop table x"}]}),
            "cannot be ordered",
        ),
        (
            json!({"metrics": ["visits"], "filters": [{"dimension": "paid", "values": ["maybe"]}]}),
            "no value of `paid`",
        ),
        (
            json!({"metrics": ["visits"], "filters": [{"dimension": "paid", "op": "contains", "values": [true]}]}),
            "is no text",
        ),
    ] {
        let why = refused(request.clone());
        assert!(why.contains(what), "{request}: {why}");
    }
}

#[tokio::test]
async fn what_may_be_added_by_one_platform_is() {
    let session = session().await;
    let found = asked(&session, json!({
        "metrics": ["claims"], "filters": [{"dimension": "platform", "op": "is", "values": ["a"]}],
    })).await;
    assert_eq!(found, [["4"]], "by the default model");
    let found = asked(
        &session,
        json!({"metrics": ["claims"], "dimensions": ["platform", "model"]}),
    )
    .await;
    assert_eq!(
        found,
        [
            ["a", "last", "4"],
            ["a", "position", "4"],
            ["b", "position", "2"]
        ]
    );
    let found = asked(
        &session,
        json!({
            "metrics": ["own_cost"], "dimensions": ["currency"], "from": "2026-02-01",
        }),
    )
    .await;
    assert_eq!(found, [["GBP", "5.000000"], ["USD", "20.000000"]]);
}

#[tokio::test]
async fn sql_over_metrics_gives_the_figures_of_requests() {
    let session = session().await;
    let by_channel = asked(
        &session,
        json!({
            "metrics": ["visits", "people", "engaged_rate"], "dimensions": ["channel"],
        }),
    )
    .await;
    for sql in [
        "select channel, sum(visits), measure(people), measure(engaged_rate) from metrics.visits group by channel order by channel",
        "select channel, visits, people, engaged_rate from metrics.visits order by channel",
        "select channel, visits, people, engaged_rate from metrics.visits where visits > 0 order by 1",
        "select * from (select v.channel as c, sum(v.visits), measure(v.people) as p, measure(engaged_rate) from metrics.visits as v group by 1) order by c",
        "with x as (select * from metrics.visits) select channel, sum(visits), measure(people), measure(engaged_rate) from x group by channel order by channel",
        "select channel, sum(v), measure(p), measure(r) from (select channel, day, visits as v, people as p, engaged_rate as r from metrics.visits order by day) as q group by channel order by channel",
        "SELECT \"visits\".\"channel\" AS \"channel\", SUM(CAST(\"visits\".\"visits\" AS BIGINT)) AS \"sum:visits:ok\", measure(people), measure(engaged_rate) FROM \"metrics\".\"visits\" \"visits\" GROUP BY 1 ORDER BY 1",
    ] {
        assert_eq!(rows(&session, sql).await, by_channel, "{sql}");
    }
    let sql = "select date_trunc('month', day) as m, measure(people) from metrics.visits where channel = 'Mail' or device = 'phone' group by 1 having measure(people) > 1 order by m";
    assert_eq!(rows(&session, sql).await.len(), 1);
    let sql = "select lower(channel) as c, measure(visits) * 2 as twice from metrics.visits where paid group by 1";
    assert_eq!(rows(&session, sql).await, [["ads", "6"]]);
    let sql = "select month, people from metrics.visits order by month";
    assert_eq!(
        rows(&session, sql).await,
        [["2026-01-01", "1"], ["2026-02-01", "3"]]
    );
    let sql = "select measure(cost), bool_or(is_partial) from metrics.costs";
    assert_eq!(rows(&session, sql).await, [["28.100000", "true"]]);
    let sql = "select min(day), max(day), count(distinct channel) from metrics.visits";
    assert_eq!(
        rows(&session, sql).await,
        [["2026-01-31", "2026-02-02", "2"]]
    );
    let sql = "select sum(visits), measure(people) from metrics.visits having count(1) > 0";
    assert_eq!(rows(&session, sql).await, [["5", "3"]]);
    let sql = "select count(*) from (select channel, people from metrics.visits) as q";
    assert_eq!(rows(&session, sql).await, [["2"]]);
    let sql = "select distinct channel from metrics.visits order by 1";
    assert_eq!(rows(&session, sql).await, [["Ads"], ["Mail"]]);
    let sql = "select platform, claims from metrics.claims order by 1";
    assert_eq!(rows(&session, sql).await, [["a", "4"], ["b", "2"]]);
    let sql = "select measure(claims) from metrics.claims where platform = 'a' and model = 'last'";
    assert_eq!(rows(&session, sql).await, [["4"]]);
    let sql = "select v.channel, v.visits, c.cost from (select channel, visits from metrics.visits) as v \
        left join (select channel, cost from metrics.costs) as c on v.channel = c.channel order by 1";
    assert_eq!(
        rows(&session, sql).await,
        [["Ads", "3", "28.100000"], ["Mail", "2", ""]]
    );
    let sql = "select channel, rank() over (order by visits desc) from \
        (select channel, visits from metrics.visits) as q order by 1";
    assert_eq!(rows(&session, sql).await, [["Ads", "1"], ["Mail", "2"]]);
    let sql = "select channel, visits from metrics.visits where channel in \
        (select channel from metrics.costs where month = '2026-02-01')";
    assert_eq!(rows(&session, sql).await, [["Ads", "3"]]);
    let sql = "select 1 from metrics.visits";
    assert_eq!(rows(&session, sql).await, [["1"]]);
    let sql = "select (select measure(people) from metrics.visits) as people, \
        (select sum(cost) from metrics.costs where currency = 'USD') as cost";
    assert_eq!(rows(&session, sql).await, [["3", "18.000000"]]);
    let sql = "select channel, sum(visits) from metrics.visits group by channel \
        union all select 'all', sum(visits) from metrics.visits order by 2, 1";
    assert_eq!(
        rows(&session, sql).await,
        [["Mail", "2"], ["Ads", "3"], ["all", "5"]]
    );
}

/// A query, and what is said of it.
const MEANINGLESS: &[(&str, &str)] = &[
    (
        "select sum(v.visits), sum(c.cost) from metrics.visits as v join metrics.costs as c on v.channel = c.channel",
        "is used as a whole",
    ),
    (
        "select channel, rank() over (order by visits desc) from metrics.visits",
        "is used as a whole",
    ),
    (
        "select sum(people) from metrics.visits",
        "would count several times",
    ),
    (
        "select sum(p) from (select day, people as p from metrics.visits) as q",
        "would count several times",
    ),
    (
        "select sum(p) from (select day, measure(people) as p from metrics.visits group by day) as q",
        "would count several times",
    ),
    (
        "select avg(r) from (select day, measure(engaged_rate) as r from metrics.visits group by day) as q",
        "computed anew",
    ),
    (
        "select avg(engaged_rate) from metrics.visits",
        "a mean of ratios",
    ),
    (
        "select sum(engaged_rate) from metrics.visits",
        "never added",
    ),
    (
        "select avg(visits) from metrics.visits",
        "no rows of its own",
    ),
    (
        "select sum(longest) from metrics.visits",
        "least or greatest",
    ),
    (
        "select count(people) from metrics.visits",
        "would count several times",
    ),
    (
        "select sum(visits * 2) from metrics.visits",
        "does more to `visits`",
    ),
    (
        "select channel from metrics.visits where visits > 1 group by channel",
        "after `having`",
    ),
    (
        "select visits from metrics.visits group by visits",
        "cannot be grouped by the figure",
    ),
    (
        "select measure(claims) from metrics.claims",
        "Platforms claim the same sale.",
    ),
    (
        "select sum(claims) from metrics.claims where platform in ('a', 'b')",
        "Platforms claim",
    ),
    (
        "select sum(own_cost) from metrics.costs",
        "several currencies",
    ),
    (
        "select model, sum(claims) from metrics.claims where platform = 'a' group by rollup(model)",
        "rollup",
    ),
    (
        "select measure(seconds) from star.fct_visit",
        "`measure` is for measures",
    ),
];

#[tokio::test]
async fn sql_over_metrics_that_means_nothing_is_refused() {
    let session = session().await;
    for &(sql, what) in MEANINGLESS {
        let found = try_rows(&session, sql).await;
        let why = found.expect_err(sql);
        assert!(why.contains(what), "{sql}: {why}");
    }
}

#[tokio::test]
async fn columns_that_a_session_does_not_see_are_no_columns() {
    let session = session().await;
    session
        .sql("drop view star.fct_visit")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let narrow = "create view star.fct_visit as select cast('2026-01-01' as date) as visit_date, 1 as channel_key, true as is_engaged, false as is_bot";
    session.sql(narrow).await.unwrap().collect().await.unwrap();
    let sql = "select column_name from information_schema.columns where table_schema = 'metrics' and table_name = 'visits' order by ordinal_position";
    let found: Vec<String> = rows(&session, sql).await.into_iter().flatten().collect();
    assert_eq!(
        found,
        [
            "day",
            "week",
            "month",
            "quarter",
            "year",
            "channel",
            "paid",
            "visits",
            "engaged",
            "engaged_rate"
        ]
    );
    session
        .sql("drop view star.fct_visit")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let sql = "select table_name from information_schema.tables where table_schema = 'metrics' order by 1";
    assert_eq!(
        rows(&session, sql).await,
        [["claims"], ["costs"], ["stock"]]
    );
}

#[tokio::test]
async fn definitions_are_checked_against_the_tables() {
    let session = session().await;
    assert_eq!(check(&session, &layer(), &config()).await.unwrap(), []);
    session
        .sql("drop view star.dim_channel")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let twice = "create view star.dim_channel as select * from (values (1, 'Ads'), (1, 'Mail')) as t (channel_key, channel)";
    session.sql(twice).await.unwrap().collect().await.unwrap();
    let found = check(&session, &layer(), &config()).await.unwrap();
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        shown
            .iter()
            .any(|text| text.contains("`channel_key` is not unique")),
        "{shown:?}"
    );
    assert!(
        shown
            .iter()
            .any(|text| text.contains("`visits by paid` cannot be computed")),
        "{shown:?}"
    );
}
