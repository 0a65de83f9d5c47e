//! Every function as SQL calls it, through a session.

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use domain::config::{Attribution, ProjectConfig, Site};
use domain::key::KeyMaker;

use super::{ChannelSeeds, FunctionContext, register};

mod behaviour;
mod credit;
mod example;
mod fitted;
mod relations;

const SEEDS: ChannelSeeds<'static> = ChannelSeeds {
    referrer_host: "host,source,medium\n\
        google.*,google,organic\ngoogle.com,google,organic\nchatgpt.com,chatgpt.com,ai-assistant\n",
    click_id: "parameter,source,medium,campaign,is_paid_proof,decides\n\
        gclid,google,cpc,,true,over_utm\nmsclkid,bing,cpc,,true,without_utm\n\
        fbclid,facebook,,,false,never\n",
    channel_source: "source,category\ngoogle,search\nfacebook,social\n",
    channel_rule: "priority,channel,source_category,source,medium,campaign\n\
        10,Direct,,(direct),(not set)|(none),\n\
        20,Paid Search,search,,~.*cp.*|ppc,\n\
        30,Organic Search,search,,,\n\
        40,Email,,,email|e-mail,\n",
    bot_pattern: "pattern,match\nbot,any_case\ncubot,not\n",
};

/// A session with the functions, and with a project of its own settings.
fn session(threads: usize) -> SessionContext {
    session_with(threads, |attribution| attribution.models.clear())
}

/// The same with other settings of attribution.
fn session_with(threads: usize, change: impl FnOnce(&mut Attribution)) -> SessionContext {
    let mut config: ProjectConfig = serde_json::from_str(r#"{"name": "test"}"#).unwrap();
    config.site = Site {
        domains: vec!["shop.example".into()],
        payment_referrals: vec!["paypal.com".into()],
    };
    config.attribution.lookback_days = [("default".into(), 90), ("sign_up".into(), 1)].into();
    change(&mut config.attribution);
    let functions =
        FunctionContext::new(KeyMaker::new(b"a project's key"), &config, &SEEDS).unwrap();
    let mut settings = SessionConfig::new()
        .with_target_partitions(threads)
        .with_batch_size(4);
    settings
        .options_mut()
        .sql_parser
        .map_string_types_to_utf8view = false;
    settings.options_mut().sql_parser.parse_float_as_decimal = true;
    let builder = SessionStateBuilder::new()
        .with_config(settings)
        .with_default_features();
    SessionContext::new_with_state(register(builder, &functions).build())
}

/// The rows of a query, columns divided by `|`, nulls as `-`.
async fn rows(context: &SessionContext, sql: &str) -> Vec<String> {
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    let options = datafusion::arrow::util::display::FormatOptions::default().with_null("-");
    let mut all = Vec::new();
    for batch in &batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| {
                datafusion::arrow::util::display::ArrayFormatter::try_new(column, &options).unwrap()
            })
            .collect();
        for row in 0..batch.num_rows() {
            let values: Vec<String> = columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect();
            all.push(values.join("|"));
        }
    }
    all
}

/// Checks each expression against its result, both as a constant and over a column.
async fn check(cases: &[(&str, &str)]) {
    let context = session(2);
    for (expression, expected) in cases {
        let constant = rows(&context, &format!("select {expression} as r")).await;
        assert_eq!(constant, [*expected], "{expression}");
    }
}

async fn failure(sql: &str) -> String {
    let context = session(1);
    match context.sql(sql).await {
        Err(error) => error.to_string(),
        Ok(frame) => frame.collect().await.unwrap_err().to_string(),
    }
}

#[tokio::test]
async fn from_json_reads_columns_and_constants() {
    check(&[
        ("from_json('{\"a\": 1}', 'struct<a: text>')['a']", "1"),
        ("from_json(null, 'struct<a: text>')", "-"),
        ("from_json('{', 'struct<a: text>')['a']", "-"),
        ("json_text('{\"a\": [{\"b\": 2}]}', 'a[0].b')", "2"),
        ("json_text('no json', 'a')", "-"),
        ("to_json(from_json('{\"a\":\"x\",\"l\":[1]}', 'struct<a: text, l: list<text>, n: text>'))",
            "{\"a\":\"x\",\"l\":[\"1\"]}"),
        ("to_json(make_array(1, null, 3))", "[1,null,3]"),
        ("to_json(cast(null as int[]))", "-"),
    ])
    .await;
    let context = session(2);
    let sql = "with p as (
            select column1 as id, from_json(column2, 'struct<
                user: struct<id: text>, items: list<struct<sku: text, price: text>>, raw: json>'
            ) as e
            from (values
                (1, '{\"user\": {\"id\": 7},
                      \"items\": [{\"sku\": \"a\", \"price\": 1.50}, {\"sku\": \"b\"}]}'),
                (2, 'broken'), (3, null), (4, '{\"raw\": {\"k\": [1,2]}}')
            )
        )
        select id, e['user']['id'], e['raw'], item['sku'], item['price']
        from (select id, e, unnest(e['items']) as item from p) order by id, item['sku']";
    assert_eq!(rows(&context, sql).await, ["1|7|-|a|1.50", "1|7|-|b|-"]);
    let sql = "select from_json(column1, 'struct<a: text, raw: json>')['raw'] as r
        from (values ('{\"raw\": {\"k\": [1,2]}}'), ('x')) where true";
    assert_eq!(rows(&context, sql).await, ["{\"k\": [1,2]}", "-"]);
    let error = failure("select from_json('{}', 'struct<a: int>')").await;
    assert!(
        error.contains("cannot be understood") && error.contains("hint"),
        "{error}"
    );
    let error = failure("select from_json(column1, column1) from (values ('{}'))").await;
    assert!(error.contains("constant"), "{error}");
    let error = failure("select json_text('{}', 'a[')").await;
    assert!(error.contains("path `a[`"), "{error}");
}

#[tokio::test]
async fn other_text_types_are_taken_too() {
    let context = session(2);
    for cast in ["Utf8View", "LargeUtf8", "Dictionary(Int32, Utf8)"] {
        let sql = format!(
            "select from_json(t, 'struct<a: text>')['a'], url_host(t), durable_key('t', t)
             from (select arrow_cast(column1, '{cast}') as t
                   from (values ('{{\"a\": 2}}'), (null)))"
        );
        let key = rows(&context, "select durable_key('t', '{\"a\": 2}')")
            .await
            .remove(0);
        assert_eq!(
            rows(&context, &sql).await,
            [format!("2|-|{key}"), "-|-|-".into()],
            "{cast}"
        );
    }
}

#[tokio::test]
async fn kv_text_finds_the_value_wherever_it_stands() {
    let context = session(2);
    let value =
        "struct<string_value: text, int_value: text, float_value: text, double_value: text>";
    let sql = format!(
        "with e as (select column1 as id, from_json(column2, 'struct<p: list<struct<
                key: text, value: {value}>>>')['p'] as p
            from (values
                (1, '{{\"p\": [{{\"key\": \"page\", \"value\": {{\"string_value\": \"/a\"}}}},
                              {{\"key\": \"id\", \"value\": {{\"int_value\": 17}}}},
                              {{\"key\": \"id\", \"value\": {{\"int_value\": 18}}}}]}}'),
                (2, '{{\"p\": [{{\"key\": \"v\", \"value\": {{\"double_value\": 0.5}}}},
                              {{\"key\": \"id\", \"value\": {{}}}}, null]}}'),
                (3, '{{\"p\": []}}'), (4, null)))
         select id, kv_text(p, 'page'), kv_text(p, 'id'), kv_text(p, 'v'), kv_text(p, null)
         from e order by id"
    );
    assert_eq!(
        rows(&context, &sql).await,
        ["1|/a|17|-|-", "2|-|-|0.5|-", "3|-|-|-|-", "4|-|-|-|-"]
    );
    check(&[
        (
            "kv_text(make_array(named_struct('key', 'a', 'value', 'x', 'more', 1)), 'a')",
            "x",
        ),
        (
            "kv_text(make_array(named_struct('key', 'a', 'value', named_struct('int_value', 3))),
                'a')",
            "3",
        ),
    ])
    .await;
    let error = failure("select kv_text(make_array(1), 'a')").await;
    assert!(error.contains("list of struct<key, value>"), "{error}");
}

#[tokio::test]
async fn keys_are_those_of_the_domain() {
    let keys = KeyMaker::new(b"a project's key");
    let key = |parts: &[Option<&str>]| keys.durable_key(parts).unwrap().to_string();
    let hash = keys.pii_hash("email", "ada@example.com").unwrap();
    check(&[
        (
            "durable_key('device', '123.456')",
            &key(&[Some("device"), Some("123.456")]),
        ),
        (
            "durable_key('order', 17, null)",
            &key(&[Some("order"), Some("17"), None]),
        ),
        ("durable_key('order', null, 'x')", "-"),
        ("pii_hash('email', ' Ada@Example.com')", &hash),
        ("pii_hash('email', null)", "-"),
        ("pii_hash('phone', 'n/a')", "-"),
        ("is_blocked_identifier('email', 'noreply@x.com')", "true"),
        (
            "is_blocked_identifier('device', '00000000-0000-0000-0000-000000000000')",
            "true",
        ),
        ("is_blocked_identifier('user', '4711')", "false"),
        ("is_blocked_identifier('user', null)", "-"),
    ])
    .await;
    let context = session(2);
    let sql = "select count(distinct durable_key('event', s, n)) from
        (select 's' || (value % 3) as s, value as n from generate_series(1, 1000))";
    assert_eq!(rows(&context, sql).await, ["1000"]);
    assert!(
        failure("select pii_hash('colour', 'x')")
            .await
            .contains("`email`, `phone`")
    );
    assert!(
        failure("select is_blocked_identifier('nobody', 'x')")
            .await
            .contains("user, contact")
    );
    assert!(
        failure("select durable_key('x')")
            .await
            .contains("durable_key('type', part")
    );
    assert!(
        failure("select durable_key('x', make_array(1))")
            .await
            .contains("takes texts")
    );
}

#[tokio::test]
async fn texts_are_read_leniently() {
    check(&[
        ("to_instant('2022-01-31 23:30:00')", "2022-01-31T23:30:00Z"),
        (
            "to_instant('2022-01-31 23:30:00', 'Europe/Berlin')",
            "2022-01-31T22:30:00Z",
        ),
        ("to_instant('1611855372000000')", "2021-01-28T17:36:12Z"),
        ("to_instant(1611855372000000)", "2021-01-28T17:36:12Z"),
        ("to_instant('01/02/2022')", "-"),
        ("to_instant(null, 'UTC')", "-"),
        ("to_day('20220131')", "2022-01-31"),
        ("to_day('x')", "-"),
        ("to_amount('1,234.50')", "1234.500000"),
        ("to_amount('1.234,50', ',')", "1234.500000"),
        ("to_amount('12abc')", "-"),
        ("to_amount(19.99)", "19.990000"),
        (
            "local_date(to_instant('2022-01-31T23:30:00Z'), 'Europe/Berlin')",
            "2022-02-01",
        ),
        (
            "local_date(to_instant('2022-07-01T03:30:00Z'), 'America/New_York')",
            "2022-06-30",
        ),
        ("local_date(null, 'UTC')", "-"),
        (
            "arrow_typeof(to_instant('2022-01-01'))",
            "Timestamp(µs, \"UTC\")",
        ),
        ("arrow_typeof(to_amount('1'))", "Decimal128(18, 6)"),
    ])
    .await;
    let context = session(2);
    let sql = "select local_date(at, zone) from (values
            (to_instant('1969-12-31T23:59:59Z'), 'UTC'),
            (to_instant('2022-03-27T00:59:59Z'), 'Europe/Berlin'),
            (null, 'UTC')) as t (at, zone)";
    assert_eq!(rows(&context, sql).await, ["1969-12-31", "2022-03-27", "-"]);
    assert!(
        failure("select to_instant('2022-01-01', 'Berlin')")
            .await
            .contains("no zone `Berlin`")
    );
    assert!(
        failure("select to_amount('1', ';')")
            .await
            .contains("no decimal sign")
    );
    assert!(
        failure("select local_date('2022', 'UTC')")
            .await
            .contains("takes an instant")
    );
}

#[tokio::test]
async fn a_file_says_how_it_writes_numbers_and_days() {
    check(&[
        ("decimal_sign('1.234,56')", ","),
        ("decimal_sign('1.234')", "-"),
        ("decimal_sign('1.234', 'count')", ","),
        ("decimal_sign(null)", "-"),
        ("to_amount('1.234', '?')", "-"),
        ("to_amount('1.234,5', '?')", "1234.500000"),
        ("to_integer('1.234', ',')", "1234"),
        ("to_integer('1.234', '?')", "-"),
        ("to_number('1.234', ',')", "1234.0"),
        ("to_number('1,5', ',')", "1.5"),
        ("to_number('1.5', ',')", "-"),
        ("to_number('1e-3')", "0.001"),
        ("day_order('31/1/2026')", "dmy"),
        ("day_order('1/2/2026')", "-"),
        ("iso_day('1/2/2026', 'mdy')", "2026-01-02"),
        ("iso_day('1/2/2026', null)", "1/2/2026"),
        ("iso_day('Total', 'dmy')", "Total"),
    ])
    .await;
    let context = session(2);
    let sql = "select to_amount(text, sign), to_integer(text, sign), to_number(text, sign) \
               from (values ('1.000', ','), ('1.000', '.'), ('1.000', '?')) as t (text, sign)";
    assert_eq!(
        rows(&context, sql).await,
        ["1000.000000|1000|1000.0", "1.000000|1|1.0", "-|-|-"]
    );
    assert!(
        failure("select iso_day('1/2/2026', 'ymd')")
            .await
            .contains("no order `ymd`")
    );
}

#[tokio::test]
async fn addresses_are_taken_apart() {
    check(&[
        (
            "url_host('https://User@WWW.Shop.example:443/a?b#c')",
            "www.shop.example",
        ),
        ("url_host('no address')", "-"),
        ("url_path('https://shop.example')", "/"),
        ("url_path('https://shop.example/a/b?c=d')", "/a/b"),
        (
            "url_param('https://x.y/?utm_source=a%20b+c&UTM_Medium=m', 'utm_source')",
            "a b c",
        ),
        ("url_param('https://x.y/?a=1', 'b')", "-"),
        ("url_param(null, 'b')", "-"),
    ])
    .await;
}

#[tokio::test]
async fn traffic_is_resolved_and_grouped() {
    let context = session(2);
    let sql = "select t['source'], t['medium'], t['campaign'], t['click_id'], t['resolution'],
            channel_group(t['source'], t['medium'], t['campaign'])
        from (select column1 as n, traffic_source(column2, column3, null, null, null, null, null,
            null, column4) as t
        from (values
            (1, 'https://shop.example/?gclid=AbC&utm_campaign=Sale', null, 'false'),
            (2, 'https://shop.example/?utm_source=News&utm_medium=email', null, 'false'),
            (3, 'https://shop.example/', 'https://www.google.com/', 'false'),
            (4, 'https://shop.example/', 'https://www.google.com/', 'true'),
            (5, 'https://shop.example/', 'https://www.paypal.com/x', 'false'),
            (6, 'https://shop.example/', 'https://blog.example/post', null),
            (7, 'https://shop.example/', 'https://www.google.com/', 'false'),
            (8, null, null, null)))
        order by n";
    assert_eq!(
        rows(&context, sql).await,
        [
            "google|cpc|Sale|AbC|click_id|Paid Search",
            "news|email|(not set)|-|utm|Email",
            "google|organic|(organic)|-|referrer|Organic Search",
            "(direct)|(none)|(direct)|-|none|Direct",
            "(direct)|(none)|(direct)|-|none|Direct",
            "blog.example|referral|(referral)|-|referrer|Unassigned",
            "google|organic|(organic)|-|referrer|Organic Search",
            "(direct)|(none)|(direct)|-|none|Direct",
        ]
    );
    let sql = "select is_bot(column1) from (values ('Googlebot/2.1'), ('CUBOT X'), ('Mozilla'),
        (null), ('Googlebot/2.1'))";
    assert_eq!(
        rows(&context, sql).await,
        ["true", "false", "false", "-", "true"]
    );
    check(&[(
        "traffic_source('https://a.b/?gclid=x', null, 's', 'm', 'c', 't', 'k', null, true)['term']",
        "t",
    )])
    .await;
    check(&[
        ("has_traffic_parameter('https://a.b/?x=1&GCLID=Ab')", "true"),
        ("has_traffic_parameter('https://a.b/?x=1')", "false"),
        ("has_traffic_parameter(null)", "false"),
        // These rules have no days: any day, or none, is judged alike.
        (
            "channel_group('a', 'email', null, date '2020-01-01')",
            "Email",
        ),
    ])
    .await;
    assert!(
        failure("select channel_group('a', 'b')")
            .await
            .contains("channel_group(source")
    );
}

/// How often a function stands in the physical plan of a query.
async fn calls(function: &str, sql: &str) -> usize {
    let context = session(1);
    let batches = context
        .sql(&format!("explain format indent {sql}"))
        .await
        .unwrap();
    let plan = pretty_format_batches(&batches.collect().await.unwrap())
        .unwrap()
        .to_string();
    let physical = plan.split("physical_plan").nth(1).unwrap();
    let name = format!("{function}(");
    // A call has a column as its first argument (`name@1`), a mention in a column's name has not.
    let mentions = physical.split(&name).skip(1);
    mentions
        .filter(|rest| rest.split([',', ')']).next().unwrap().contains('@'))
        .count()
}

#[tokio::test]
async fn a_document_is_parsed_once_whatever_is_taken_from_it() {
    let once = "with e as (
            select column1 as id, from_json(column2, 'struct<a: text, b: text, c: text>') as e
            from (values (1, 'x')) where column1 > 0),
        named as (select id, e, e['a'] as a, e['b'] = 'x' as is_b from e)
        select id, a, case when is_b then e['c'] end, coalesce(e['c'], e['b']), e['a'] || 'x'
        from named";
    assert_eq!(calls("from_json", once).await, 1);
    let inline = "select from_json(column1, 'struct<a: text, b: text>')['a'],
            from_json(column1, 'struct<a: text, b: text>')['b'] from (values ('x'))";
    assert_eq!(calls("from_json", inline).await, 1);
    let traffic = "select t['source'], t['medium'], channel_group(t['source'], t['medium'], null)
        from (select traffic_source(p, r, null, null, null, null, null, null, false) as t
              from (values ('a', 'b')) as v (p, r) where p <> 'x')";
    assert_eq!(calls("traffic_source", traffic).await, 1);
}

#[tokio::test]
async fn money_of_two_currencies_is_not_added() {
    let context = session(2);
    let table = "(values (1, 1.10, 'EUR'), (1, 2.20, 'EUR'), (1, null, 'USD'), (2, 5, 'USD'),
        (3, null, null), (4, 7, null)) as t (k, amount, currency)";
    let grouped =
        format!("select k, sum_money(amount, currency) from {table} group by k order by k");
    assert_eq!(
        rows(&context, &grouped).await,
        ["1|3.30", "2|5.00", "3|-", "4|7.00"]
    );
    let filtered = format!(
        "select sum_money(amount, currency) filter (where k = 2), sum_money(amount, 'EUR'),
            sum_money(amount, currency) filter (where k = 9) from {table}"
    );
    assert_eq!(rows(&context, &filtered).await, ["5.00|15.30|-"]);
    let all = format!("select sum_money(amount, currency) from {table}");
    let error = failure(&all).await;
    assert!(
        error.contains("EUR") && error.contains("hint: group by"),
        "{error}"
    );
    let window = format!(
        "select sum_money(amount, currency) over (partition by k order by amount nulls first)
         from {table} where k = 1"
    );
    assert_eq!(rows(&context, &window).await, ["-", "1.10", "3.30"]);
    let many = "select count(*), min(s), max(s) from (
        select k, sum_money(amount, 'EUR') as s from (
            select value % 1000 as k, cast(1.5 as decimal(18, 6)) as amount
            from generate_series(1, 20000)) group by k)";
    assert_eq!(rows(&context, many).await, ["1000|30.000000|30.000000"]);
    let error = failure("select sum_money(cast(1 as double), 'EUR')").await;
    assert!(error.contains("adds decimals, not Float64"), "{error}");
    let mixed = "select sum_money(a, c) from (values (1.0, 'EUR'), (2.0, null)) as t (a, c)";
    assert!(failure(mixed).await.contains("no currency"));
}
