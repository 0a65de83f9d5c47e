//! Forms of answers and of errors.

use axum::http::Method;
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;

use super::house::House;

const ROWS: &str = "/api/v1/tables/marts/events/rows";

#[tokio::test]
async fn rows_come_in_the_form_that_is_asked_for() {
    let house = House::new().await;
    let sql = "select a.event_id, 1.50 as amount, a.country, b.country, null as nothing \
               from marts.events a join marts.events b on a.event_id = b.event_id \
               order by a.event_id limit 2";
    let ask = |accept: &str| house.sql(sql).as_("ana").with("accept", accept);
    let json = ask("application/json").send().await;
    assert_eq!(
        json.rows()[0],
        json!({"event_id": "0", "amount": "1.50", "country": "DE", "country_2": "DE",
               "nothing": null}),
    );
    assert_eq!(
        json.json()["columns"][1],
        json!({"name": "amount", "type": "decimal(3,2)"})
    );
    assert_eq!(json.json()["row_count"], 2);
    let lines = ask("application/x-ndjson").send().await;
    assert_eq!(lines.text().lines().count(), 2);
    let csv = ask("text/csv").send().await;
    let expected =
        "event_id,amount,country,country_2,nothing\r\n0,1.50,DE,DE,\r\n3,1.50,DE,DE,\r\n";
    assert_eq!(csv.text(), expected);
    assert!(csv.header("content-disposition").contains("rows.csv"));
    let parquet = ask("application/vnd.apache.parquet").send().await;
    let reader = ParquetRecordBatchReaderBuilder::try_new(axum::body::Bytes::from(parquet.body));
    let read: Vec<_> = reader.expect("a file").build().expect("a reader").collect();
    assert_eq!(
        read.iter()
            .map(|batch| batch.as_ref().expect("rows").num_rows())
            .sum::<usize>(),
        2
    );
    let arrow = ask("application/vnd.apache.arrow.stream").send().await;
    let reader = StreamReader::try_new(arrow.body.as_slice(), None).expect("a stream");
    assert_eq!(
        reader
            .map(|batch| batch.expect("rows").num_rows())
            .sum::<usize>(),
        2
    );
    assert_eq!(ask("application/xml").send().await.status, 406);
    let by_format = house.get(&format!(
        "{ROWS}?format=csv&fields=event_id&sort=event_id&limit=1"
    ));
    assert_eq!(
        by_format.as_("ana").send().await.text(),
        "event_id\r\n0\r\n"
    );
    // Every file that leaves is noted.
    let log = crate::audit::read(&house.place, 0, 10_000).expect("the log");
    let exports = log.iter().filter(|record| record.action == "export");
    assert_eq!(exports.count(), 4);
}

#[tokio::test]
async fn an_answer_without_rows_has_its_form() {
    let house = House::new().await;
    let sql = "select event_id, country from marts.events where country = 'XX'";
    let ask = |accept: &str| house.sql(sql).as_("ana").with("accept", accept);
    assert_eq!(ask("application/json").send().await.rows().len(), 0);
    assert_eq!(ask("application/x-ndjson").send().await.text(), "");
    assert_eq!(ask("text/csv").send().await.text(), "event_id,country\r\n");
    let parquet = ask("application/vnd.apache.parquet").send().await;
    let reader = ParquetRecordBatchReaderBuilder::try_new(axum::body::Bytes::from(parquet.body));
    assert_eq!(reader.expect("a file").schema().fields().len(), 2);
    let arrow = ask("application/vnd.apache.arrow.stream").send().await;
    let reader = StreamReader::try_new(arrow.body.as_slice(), None).expect("a stream");
    assert_eq!(reader.count(), 0);
}

#[tokio::test]
async fn a_long_answer_is_sent_as_it_is_made_and_breaks_off_if_it_fails() {
    let house = House::new().await;
    let sql = "select value, repeat('x', 100) as text from generate_series(1, 50000)";
    let long = house.sql(sql).as_("ana").send().await;
    assert_eq!(long.rows().len(), 50_000);
    assert_eq!(long.header("etag"), "", "it is not known before it is sent");
    let cut = json!({"statement": sql, "limit": 10});
    let cut = house.post("/api/v1/sql", &cut).as_("ana").send().await;
    assert_eq!(
        (cut.rows().len(), &cut.json()["is_truncated"]),
        (10, &json!(true))
    );
    let failing = format!("select 1 / (value - 40000) as n, text from ({sql}) order by value");
    let failing = format!("select n, text from ({failing})");
    let request = axum::http::Request::post("/api/v1/sql")
        .header("authorization", format!("Bearer {}", house.tokens["ana"]))
        .header("content-type", "application/json")
        .extension(axum::extract::ConnectInfo(crate::rest::Peer {
            address: "127.0.0.1:40000".parse().expect("an address"),
            is_tls: false,
        }))
        .body(axum::body::Body::from(
            json!({"statement": failing}).to_string(),
        ));
    let router = house.router.clone();
    let answer = tower::ServiceExt::oneshot(router, request.expect("a request")).await;
    let answer = answer.expect("an answer");
    // It fails either before anything was sent, and says so, or the body breaks off.
    match answer.status().as_u16() {
        422 => {}
        200 => {
            let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
            body.expect_err("a whole body of a half answer");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let house = House::new().await;
    let path = format!("{ROWS}?limit=3");
    let first = house.get(&path).as_("ana").send().await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    assert_eq!(first.header("cache-control"), "private, no-cache");
    let again = house
        .get(&path)
        .as_("ana")
        .with("if-none-match", &tag)
        .send()
        .await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), tag);
    let weak = format!("\"other\", W/{tag}");
    let again = house
        .get(&path)
        .as_("ana")
        .with("if-none-match", &weak)
        .send()
        .await;
    assert_eq!(again.status, 304);
    // Another caller sees something else, and another form is something else.
    let other = house
        .get(&path)
        .as_("four")
        .with("if-none-match", &tag)
        .send()
        .await;
    assert_eq!(other.status, 200);
    let csv = house.get(&path).as_("ana").with("accept", "text/csv");
    assert_eq!(csv.with("if-none-match", &tag).send().await.status, 200);
}

#[tokio::test]
async fn answers_are_compressed_where_asked() {
    let house = House::new().await;
    let document = house
        .get("/api/v1/openapi.json")
        .with("accept-encoding", "gzip");
    let document = document.send().await;
    assert_eq!(document.header("content-encoding"), "gzip");
    assert_eq!(&document.body[..2], [0x1f, 0x8b]);
    let plain = house.get("/api/v1/openapi.json").send().await;
    assert!(plain.body.len() > document.body.len());
    assert_ne!(plain.header("etag"), document.header("etag"));
}

/// Bodies that are refused, with the status of the answer.
const BODIES: [(u16, &str); 11] = [
    (400, "{"),
    (422, "{}"),
    (422, "[\"select 1\"]"),
    (422, "{\"statement\": 1}"),
    (422, "{\"statement\": \"select 1\", \"other\": 1}"),
    (422, "{\"statement\": \"select $1\", \"parameters\": [[1]]}"),
    (400, "{\"statement\": \"selec 1\"}"),
    (404, "{\"statement\": \"select * from secret.api_keys\"}"),
    (403, "{\"statement\": \"delete from marts.events\"}"),
    (422, "{\"statement\": \"select 1 / 0\"}"),
    (404, "{\"statement\": \"select 1\", \"as_of\": \"never\"}"),
];

/// Paths that are refused.
const PATHS: [(u16, &str); 25] = [
    (404, "/api/v1/nothing"),
    (404, "/"),
    (400, "/api/v1/tables?other=1"),
    (400, "/api/v1/tables?schema="),
    (400, "/api/v1/runs?limit=0"),
    (400, "/api/v1/runs?limit=1&limit=2"),
    (404, "/api/v1/tables/secret/api_keys"),
    (404, "/api/v1/tables/marts/none/rows"),
    (404, "/api/v1/tables/marts/events/rows?nothing=1"),
    (404, "/api/v1/tables/marts/events/rows?salary=1"),
    (400, "/api/v1/tables/marts/events/rows?event_id=x"),
    (400, "/api/v1/tables/marts/events/rows?event_id[like]=x"),
    (400, "/api/v1/tables/marts/events/rows?limit=x"),
    (404, "/api/v1/tables/marts/events/rows?sort=salary"),
    (400, "/api/v1/tables/marts/events/rows?sort=country,country"),
    (404, "/api/v1/tables/marts/events/rows?fields=salary"),
    (404, "/api/v1/tables/marts/events/rows?cursor=AAAA"),
    (400, "/api/v1/tables/marts/events/rows?format=xlsx"),
    (404, "/api/v1/tables/marts/events/rows?as_of=never"),
    (403, "/api/v1/users"),
    (400, "/api/v1/metrics/query"),
    (404, "/api/v1/metrics/none"),
    (404, "/api/v1/models/none"),
    (404, "/api/v1/runs/none"),
    (404, "/api/v1/customers/none/journey"),
];

#[tokio::test]
async fn every_error_has_the_form_of_errors() {
    let house = House::new().await;
    let sql = "/api/v1/sql";
    let json = "application/json";
    let post = |body: String| {
        let ask = house.ask(Method::POST, sql).as_("ana").raw(body);
        ask.with("content-type", json)
    };
    let get = |path: &str| house.get(path).as_("ana");
    let large = format!("{{\"statement\": \"{}\"}}", "x".repeat(3 << 20));
    let plain = house.ask(Method::POST, sql).as_("ana").raw("select 1");
    let mut cases = vec![
        (413, post(large)),
        (415, plain),
        (406, post("{}".to_owned()).with("accept", "image/png")),
        (405, house.ask(Method::PUT, sql).as_("ana")),
    ];
    cases.extend(BODIES.map(|(status, body)| (status, post(body.to_owned()))));
    cases.extend(PATHS.map(|(status, path)| (status, get(path))));
    for (at, (status, ask)) in cases.into_iter().enumerate() {
        let answer = ask.with("x-request-id", "a-request-of-ours").send().await;
        assert_eq!(answer.status, status, "case {at}: {}", answer.text());
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "case {at}"
        );
        assert_eq!(answer.header("x-request-id"), "a-request-of-ours");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        let problem = answer.json();
        assert_eq!(problem["status"], status, "case {at}");
        assert_eq!(
            problem["instance"],
            "urn:throughline:request:a-request-of-ours"
        );
        for field in ["type", "title", "detail"] {
            assert!(
                problem[field].as_str().is_some_and(|text| !text.is_empty()),
                "{problem}"
            );
        }
        if status == 405 {
            assert_eq!(answer.header("allow"), "POST");
        }
    }
    let odd = get("/healthz")
        .with("x-request-id", "a b<script>")
        .send()
        .await;
    assert_ne!(odd.header("x-request-id"), "a b<script>");
}

#[tokio::test]
async fn other_sites_read_nothing_unless_it_is_set() {
    let house = House::new().await;
    let site = "https://bi.example.com";
    let answer = house
        .get("/api/v1/session")
        .as_("ana")
        .with("origin", site)
        .send()
        .await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let settings = crate::rest::Settings {
        origins: vec![site.to_owned()],
        ..crate::rest::Settings::default()
    };
    let house = House::with(settings).await;
    let answer = house
        .get("/api/v1/session")
        .as_("ana")
        .with("origin", site)
        .send()
        .await;
    assert_eq!(answer.header("access-control-allow-origin"), site);
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let other = house
        .get("/api/v1/session")
        .as_("ana")
        .with("origin", "https://evil.example");
    assert_eq!(other.send().await.header("access-control-allow-origin"), "");
    let asked = house
        .ask(Method::OPTIONS, "/api/v1/sql")
        .with("origin", site);
    let asked = asked
        .with("access-control-request-method", "POST")
        .send()
        .await;
    assert_eq!(asked.status, 204);
}
