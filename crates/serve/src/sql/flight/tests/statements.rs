//! Statements, plain and prepared.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::sql::client::PreparedStatement;
use arrow_flight::sql::{
    ActionBeginTransactionRequest, ActionCreatePreparedStatementRequest,
    ActionCreatePreparedStatementResult, Any, CommandPreparedStatementQuery,
    CommandPreparedStatementUpdate, CommandStatementIngest, CommandStatementQuery,
    CommandStatementUpdate, ProstMessageExt as _,
};
use arrow_flight::{FlightDescriptor, FlightInfo};
use futures::TryStreamExt as _;
use prost::Message as _;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::house::{Caller, open, open_with, sqlstate, ticket};
use crate::access::Limits;
use crate::access::tests::fixture::lines;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).expect("a batch")
}

fn numbers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_gives_its_columns_before_its_rows() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let sql = "select event_id, country, arrow_cast(country, 'Utf8View') as v, \
               arrow_cast(country, 'Dictionary(Int32, Utf8)') as d from marts.events \
               order by event_id limit 2";
    let info = ana.info_of(sql).await.expect("a ticket");
    assert!(info.flight_descriptor.is_some());
    let endpoint = info.endpoint.first().expect("an endpoint");
    assert!(endpoint.expiration_time.is_some() && endpoint.location.is_empty());
    let promised = info.clone().try_decode_schema().expect("columns");
    let rows = ana.fetch(&info).await.expect("rows");
    assert_eq!(rows[0].schema().as_ref(), &promised);
    assert_eq!(lines(&rows), ["0|DE|DE|DE", "3|DE|DE|DE"]);
    // A ticket may be used again while it holds: clients try again when a stream breaks.
    assert_eq!(lines(&ana.fetch(&info).await.expect("rows")).len(), 2);
    let none = ana
        .rows("select event_id from marts.events where false")
        .await;
    assert!(
        none.expect("no rows")
            .iter()
            .all(|batch| batch.num_rows() == 0)
    );
    let request = ana.with(info.flight_descriptor.clone().expect("a command"));
    let schema = ana
        .client
        .get_schema(request)
        .await
        .expect("columns")
        .into_inner();
    assert_eq!(schema.schema, info.schema);
    let request = ana.with(info.flight_descriptor.expect("a command"));
    let polled = ana
        .client
        .poll_flight_info(request)
        .await
        .expect("done")
        .into_inner();
    let polled = polled.info.expect("an answer");
    assert_eq!(ana.fetch(&polled).await.expect("rows")[0].num_rows(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_have_code_sqlstate_and_hint() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    for (sql, code, state) in [
        ("selec 1", Code::InvalidArgument, "42601"),
        ("select * from secret.api_keys", Code::NotFound, "42P01"),
        (
            "select salary from marts.events",
            Code::InvalidArgument,
            "42703",
        ),
        ("explain select 1", Code::PermissionDenied, "42501"),
        ("select 1; select 2", Code::Unimplemented, "0A000"),
        ("select $1", Code::InvalidArgument, "42000"),
        ("select ?", Code::InvalidArgument, "42000"),
    ] {
        let status = ana.info_of(sql).await.expect_err(sql);
        assert_eq!(
            (status.code(), sqlstate(&status)),
            (code, state),
            "{sql}: {status}"
        );
    }
    let deep = format!("select {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    let status = ana.info_of(&deep).await.expect_err("deep");
    assert_eq!(
        (status.code(), sqlstate(&status)),
        (Code::ResourceExhausted, "54001")
    );
    let status = ana
        .rows("select 1 / (event_id - event_id) from marts.events")
        .await;
    let status = status.expect_err("division");
    assert_eq!(
        (status.code(), sqlstate(&status)),
        (Code::InvalidArgument, "22012")
    );
    let missing = ana
        .info_of("select * from no.table")
        .await
        .expect_err("missing");
    assert!(missing.message().contains("\nhint: "), "{missing}");
}

async fn prepared(open: &super::house::Open, sql: &str) -> PreparedStatement<Channel> {
    let mut client = open.library("ana").await;
    client.prepare(sql.to_owned(), None).await.expect(sql)
}

async fn run(
    statement: &mut PreparedStatement<Channel>,
    caller: &mut Caller,
    values: RecordBatch,
) -> Result<Vec<String>, String> {
    statement
        .set_parameters(values)
        .map_err(|error| error.to_string())?;
    let info = statement
        .execute()
        .await
        .map_err(|error| error.to_string())?;
    let rows = caller
        .fetch(&info)
        .await
        .map_err(|status| status.to_string())?;
    Ok(lines(&rows))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_are_bound_by_number_by_place_and_by_name() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let by_number = "select event_id from marts.events where country = $2 and event_id < $1";
    let mut statement = prepared(&open, by_number).await;
    let known = statement.parameter_schema().expect("parameters").clone();
    let known: Vec<String> = known
        .fields()
        .iter()
        .map(|field| format!("{} {}", field.name(), field.data_type()))
        .collect();
    assert_eq!(known, ["$1 Int64", "$2 Utf8"]);
    let columns = statement.dataset_schema().expect("columns");
    assert_eq!(columns.field(0).name(), "event_id");
    // Drivers call their columns as they like.
    let values = batch(vec![("0", numbers(&[7])), ("1", texts(&["DE"]))]);
    let rows = run(&mut statement, &mut ana, values).await;
    assert_eq!(rows.expect("rows"), ["0", "3", "6"]);
    // Another type that can be made the right one.
    let small: ArrayRef = Arc::new(Int32Array::from(vec![4]));
    let values = batch(vec![("a", small), ("b", texts(&["DE"]))]);
    let rows = run(&mut statement, &mut ana, values).await;
    assert_eq!(rows.expect("rows"), ["0", "3"]);
    // Several sets are several runs.
    let values = batch(vec![("a", numbers(&[1, 4])), ("b", texts(&["DE", "DE"]))]);
    let rows = run(&mut statement, &mut ana, values).await;
    assert_eq!(rows.expect("rows"), ["0", "0", "3"]);
    let values = batch(vec![("a", numbers(&[7])), ("b", texts(&["US"]))]);
    let rows = run(&mut statement, &mut ana, values).await;
    assert!(rows.expect("no rows").is_empty(), "the policy holds");

    let by_place = "select count(*) from marts.events where country = ? and '?' <> ?";
    let mut statement = prepared(&open, by_place).await;
    let values = batch(vec![("x", texts(&["DE"])), ("y", texts(&["z"]))]);
    assert_eq!(
        run(&mut statement, &mut ana, values).await.expect("rows"),
        ["20"]
    );

    let by_name = "select count(*) from marts.events where event_id < $most and country = $land";
    let mut statement = prepared(&open, by_name).await;
    let values = batch(vec![("land", texts(&["DE"])), ("most", numbers(&[7]))]);
    assert_eq!(
        run(&mut statement, &mut ana, values).await.expect("rows"),
        ["3"]
    );

    let untyped = "select $1 as a, $2 as b";
    let mut statement = prepared(&open, untyped).await;
    let values = batch(vec![("a", numbers(&[3])), ("b", texts(&["z"]))]);
    assert_eq!(
        run(&mut statement, &mut ana, values).await.expect("rows"),
        ["3|z"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_that_do_not_fit_are_refused_and_not_repeated() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let sql = "select event_id from marts.events where event_id < $1 and country = $2";
    let mut statement = prepared(&open, sql).await;
    let unbound = statement
        .execute()
        .await
        .expect_err("no values")
        .to_string();
    assert!(unbound.contains("have no values yet"), "{unbound}");
    let values = batch(vec![("a", numbers(&[7]))]);
    let missing = run(&mut statement, &mut ana, values)
        .await
        .expect_err("missing");
    assert!(
        missing.contains("no value was sent for the parameter $2"),
        "{missing}"
    );
    let values = batch(vec![("a", texts(&["s3cret"])), ("b", texts(&["DE"]))]);
    let wrong = run(&mut statement, &mut ana, values)
        .await
        .expect_err("wrong");
    assert!(
        wrong.contains("of another type") && !wrong.contains("s3cret"),
        "{wrong}"
    );
    let many: Vec<i64> = (0..1_001).collect();
    let lands = vec!["DE"; many.len()];
    let values = batch(vec![("a", numbers(&many)), ("b", texts(&lands))]);
    let many = run(&mut statement, &mut ana, values)
        .await
        .expect_err("too many");
    assert!(many.contains("1000 sets"), "{many}");
    let none = batch(vec![("a", numbers(&[])), ("b", texts(&[]))]);
    assert!(
        run(&mut statement, &mut ana, none)
            .await
            .expect("no runs")
            .is_empty()
    );
    let values = batch(vec![("a", numbers(&[2])), ("b", texts(&["DE"]))]);
    assert_eq!(
        run(&mut statement, &mut ana, values).await.expect("rows"),
        ["0"]
    );
}

/// Prepares a statement; gives its handle.
pub(super) async fn handle(caller: &mut Caller, sql: &str) -> Result<bytes::Bytes, Status> {
    let request = ActionCreatePreparedStatementRequest {
        query: sql.to_owned(),
        transaction_id: None,
    };
    let body = request.as_any().encode_to_vec();
    let answer = caller.act("CreatePreparedStatement", body).await?;
    let any = Any::decode(answer).expect("an answer");
    let result: Option<ActionCreatePreparedStatementResult> = any.unpack().expect("a result");
    Ok(result.expect("a result").prepared_statement_handle)
}

/// What is needed to fetch the rows of a prepared statement.
pub(super) async fn info_of_prepared(
    caller: &mut Caller,
    handle: bytes::Bytes,
) -> Result<FlightInfo, Status> {
    let query = CommandPreparedStatementQuery {
        prepared_statement_handle: handle,
    };
    caller.info(&query).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_and_malformed_parameters_are_refused() {
    use datafusion::arrow::ipc::CompressionType;
    use datafusion::arrow::ipc::writer::IpcWriteOptions;

    let open = open().await;
    let mut ana = open.caller("ana").await;
    let sql = "select event_id from marts.events where event_id < $1";
    let handle = handle(&mut ana, sql).await.expect("a handle");
    let command = CommandPreparedStatementQuery {
        prepared_statement_handle: handle.clone(),
    };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD));
    let ids: Vec<i64> = vec![7; 900];
    let messages = FlightDataEncoderBuilder::new()
        .with_options(options.expect("options"))
        .with_flight_descriptor(Some(descriptor.clone()))
        .build(futures::stream::iter([Ok(batch(vec![(
            "a",
            numbers(&ids),
        )]))]));
    let messages: Vec<_> = messages.try_collect().await.expect("messages");
    let put = async |messages: Vec<arrow_flight::FlightData>| {
        let mut caller = ana.clone();
        let request = caller.with(futures::stream::iter(messages));
        let answer = caller.client.do_put(request).await?.into_inner();
        answer.try_collect::<Vec<_>>().await
    };
    let status = put(messages.clone()).await.expect_err("compressed");
    assert_eq!(status.code(), Code::Unimplemented, "{status}");
    for cut in [0, 1, 8, 31] {
        let mut garbled = messages.clone();
        let last = garbled.last_mut().expect("rows");
        last.data_header = last.data_header.slice(..last.data_header.len() - cut);
        last.data_body = vec![0xff; 64].into();
        assert!(put(garbled).await.is_err());
        let mut garbled = messages.clone();
        let header = messages[1].data_header.to_vec();
        let flipped = header.iter().map(|byte| byte ^ 0x55).collect::<Vec<u8>>();
        garbled[1].data_header = flipped.into();
        assert!(put(garbled).await.is_err());
    }
    assert!(put(vec![]).await.is_err());
    assert_eq!(ana.values("select 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_change_something_is_refused() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let put = async |command: Vec<u8>| {
        let mut caller = ana.clone();
        let data =
            arrow_flight::FlightData::default().with_descriptor(FlightDescriptor::new_cmd(command));
        let request = caller.with(futures::stream::iter([data]));
        let answer = caller.client.do_put(request).await?.into_inner();
        answer.try_collect::<Vec<_>>().await.map(|_| ())
    };
    for sql in [
        "delete from marts.events",
        "create table marts.x as select 1",
        "select 1",
    ] {
        let update = CommandStatementUpdate {
            query: sql.to_owned(),
            transaction_id: None,
        };
        let status = put(update.as_any().encode_to_vec()).await.expect_err(sql);
        let codes = [Code::PermissionDenied, Code::InvalidArgument];
        assert!(codes.contains(&status.code()), "{sql}: {status}");
    }
    let ingest = CommandStatementIngest::default().as_any().encode_to_vec();
    let status = put(ingest).await.expect_err("ingest");
    assert_eq!(status.code(), Code::Unimplemented);
    let handle = handle(&mut ana.clone(), "select 1")
        .await
        .expect("a handle");
    let update = CommandPreparedStatementUpdate {
        prepared_statement_handle: handle,
    };
    let status = put(update.as_any().encode_to_vec())
        .await
        .expect_err("a query");
    assert_eq!(status.code(), Code::InvalidArgument);

    // By a ticket it is refused once, and the ticket is spent.
    let info = ana
        .info_of("delete from marts.events")
        .await
        .expect("a ticket");
    assert!(info.schema.is_empty());
    let status = ana.fetch(&info).await.expect_err("refused");
    assert_eq!(
        (status.code(), sqlstate(&status)),
        (Code::PermissionDenied, "42501")
    );
    assert_eq!(
        ana.fetch(&info).await.expect_err("spent").code(),
        Code::NotFound
    );

    let begin = ActionBeginTransactionRequest {}.as_any().encode_to_vec();
    let status = ana.act("BeginTransaction", begin).await.expect_err("none");
    assert_eq!(
        (status.code(), sqlstate(&status)),
        (Code::Unimplemented, "0A000")
    );
    assert!(status.message().contains("autocommit"), "{status}");
    let query = CommandStatementQuery {
        query: "select 1".to_owned(),
        transaction_id: Some(vec![1].into()),
    };
    assert_eq!(
        ana.info(&query).await.expect_err("none").code(),
        Code::Unimplemented
    );
    let status = ana.act("NoSuchAction", vec![]).await.expect_err("none");
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_statement_runs_under_what_holds_then() {
    use crate::access::Policy;
    use crate::access::tests::fixture::POLICY;

    let open = open().await;
    let mut ana = open.caller("ana").await;
    let all = handle(&mut ana, "select * from marts.events")
        .await
        .expect("a handle");
    let fetched = info_of_prepared(&mut ana, all.clone())
        .await
        .expect("a ticket");
    let policy = POLICY.replace("[salary]", "[salary, note]");
    open.doors
        .gate
        .set_policy(Policy::parse(&policy).expect("a policy"));
    let status = ana.fetch(&fetched).await.expect_err("other columns");
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    let none = "roles: {analyst_de: {grants: [{table: marts.props}]}}";
    open.doors
        .gate
        .set_policy(Policy::parse(none).expect("a policy"));
    let status = ana.fetch(&fetched).await.expect_err("denied");
    assert_eq!(status.code(), Code::NotFound, "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_and_whoever_goes_away_makes_room() {
    let limits = Limits {
        queries_of_one: 1,
        rows: 1_000,
        wait: Duration::from_secs(10),
        ..Limits::default()
    };
    let open = open_with(limits, None).await;
    let mut ana = open.caller("ana").await;
    let many = "select a.event_id from marts.events a, marts.events b, marts.events c";
    let status = ana.rows(many).await.expect_err("too many rows");
    assert_eq!(
        (status.code(), sqlstate(&status)),
        (Code::ResourceExhausted, "54000")
    );
    // It would take for ever, and nobody else of this principal may run one meanwhile.
    let long = "select count(*) from marts.events a, marts.events b, marts.events c, \
                marts.events d, marts.events e, marts.events f, marts.events g";
    let info = ana.info_of(long).await.expect("a ticket");
    let rows = ana.get(ticket(&info)).await.expect("begun");
    drop(rows);
    assert_eq!(
        ana.values("select count(*) from marts.events").await,
        ["20"]
    );
}
