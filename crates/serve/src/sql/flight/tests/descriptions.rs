//! Descriptions: each principal's own tables, columns and keys, and what the server can do.

use arrow_array::cast::AsArray as _;
use arrow_array::types::UInt32Type;
use arrow_array::{Array as _, RecordBatch};
use arrow_flight::IpcMessage;
use arrow_flight::Ticket;
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys,
    CommandGetImportedKeys, CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes,
    CommandGetTables, CommandGetXdbcTypeInfo, ProstMessageExt, SqlInfo,
};
use arrow_schema::Schema;
use futures::StreamExt as _;
use prost::Message as _;
use tonic::Code;

use super::house::{Caller, decoded, open};
use crate::access::tests::fixture::lines;

/// The rows of a description, whose columns must be those that were promised.
async fn described(caller: &mut Caller, command: &impl ProstMessageExt) -> Vec<RecordBatch> {
    let info = caller.info(command).await.expect("a ticket");
    let promised = info.clone().try_decode_schema().expect("columns");
    let rows = caller.fetch(&info).await.expect("rows");
    for batch in &rows {
        assert_eq!(batch.schema().as_ref(), &promised);
    }
    // The same by a ticket that a client makes of the command itself.
    let made = Ticket::new(command.as_any().encode_to_vec());
    let stream = caller.get(made).await.expect("rows");
    assert_eq!(decoded(stream.boxed()).await.expect("rows"), rows);
    rows
}

async fn tables(caller: &mut Caller, command: CommandGetTables) -> Vec<String> {
    let rows = described(caller, &command).await;
    let names = lines(&rows).into_iter();
    let plain = names.map(|line| {
        let cells: Vec<&str> = line.split('|').collect();
        format!("{}.{} {}", cells[1], cells[2], cells[3])
    });
    plain.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_lists_its_own_tables() {
    let open = open().await;
    let all = CommandGetTables::default();
    let mut ana = open.caller("ana").await;
    assert_eq!(
        tables(&mut ana, all.clone()).await,
        [
            "marts.events TABLE",
            "marts.open_day VIEW",
            "marts.person_view VIEW",
            "marts.props TABLE",
            "star.dim_person TABLE"
        ]
    );
    let schemas = described(&mut ana, &CommandGetDbSchemas::default()).await;
    assert_eq!(lines(&schemas), ["throughline|marts", "throughline|star"]);
    let mut four = open.caller("four").await;
    assert_eq!(tables(&mut four, all.clone()).await, ["marts.events TABLE"]);
    let mut eve = open.caller("eve").await;
    assert!(tables(&mut eve, all.clone()).await.is_empty());
    let schemas = described(&mut eve, &CommandGetDbSchemas::default()).await;
    assert!(lines(&schemas).is_empty());
    let mut root = open.caller("root").await;
    let seen = tables(&mut root, all).await;
    assert!(
        seen.contains(&"secret.api_keys TABLE".to_owned()),
        "{seen:?}"
    );
    for caller in [&mut ana, &mut eve] {
        let catalogs = described(caller, &CommandGetCatalogs {}).await;
        assert_eq!(lines(&catalogs), ["throughline"]);
        let kinds = described(caller, &CommandGetTableTypes {}).await;
        assert_eq!(lines(&kinds), ["TABLE", "VIEW"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_filtered() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let with =
        |catalog: Option<&str>, schema: Option<&str>, table: Option<&str>| CommandGetTables {
            catalog: catalog.map(str::to_owned),
            db_schema_filter_pattern: schema.map(str::to_owned),
            table_name_filter_pattern: table.map(str::to_owned),
            ..CommandGetTables::default()
        };
    for (catalog, schema, table, count) in [
        (Some("throughline"), Some("marts"), None, 4),
        (Some("other"), None, None, 0),
        (Some(""), None, None, 0),
        (None, Some("%"), Some("%person%"), 2),
        (None, Some("st_r"), Some("dim\\_person"), 1),
        (None, None, Some("dim\\%"), 0),
        (None, None, Some("events"), 1),
        (None, Some("secret"), None, 0),
        (None, None, Some("api_keys"), 0),
    ] {
        let seen = tables(&mut ana, with(catalog, schema, table)).await;
        assert_eq!(
            seen.len(),
            count,
            "{catalog:?} {schema:?} {table:?}: {seen:?}"
        );
    }
    let views = CommandGetTables {
        table_types: vec!["VIEW".to_owned()],
        ..CommandGetTables::default()
    };
    assert_eq!(tables(&mut ana, views).await.len(), 2);
    let schemas = CommandGetDbSchemas {
        catalog: Some("throughline".to_owned()),
        db_schema_filter_pattern: Some("s%".to_owned()),
    };
    assert_eq!(
        lines(&described(&mut ana, &schemas).await),
        ["throughline|star"]
    );
    let long = with(None, None, Some(&"%a".repeat(10_000)));
    let info = ana.info(&long).await.expect("a ticket");
    let status = ana.fetch(&info).await.expect_err("too long");
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_are_those_that_a_principal_sees() {
    let open = open().await;
    for (name, expected) in [
        (
            "ana",
            vec![
                "event_id",
                "tenant",
                "country",
                "person_id",
                "email",
                "phone",
                "revenue",
                "note",
            ],
        ),
        ("four", vec!["event_id", "country", "email", "phone"]),
        ("mapped", vec!["event_id", "country"]),
    ] {
        let mut caller = open.caller(name).await;
        let command = CommandGetTables {
            table_name_filter_pattern: Some("events".to_owned()),
            include_schema: true,
            ..CommandGetTables::default()
        };
        let rows = described(&mut caller, &command).await;
        let bytes = rows[0].column(4).as_binary::<i32>().value(0).to_vec();
        let schema = Schema::try_from(IpcMessage(bytes.into())).expect("columns");
        let mut seen: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let mut expected = expected;
        seen.sort_unstable();
        expected.sort_unstable();
        assert_eq!(seen, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_those_of_the_models_whose_columns_one_sees() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let primary = |table: &str| CommandGetPrimaryKeys {
        catalog: None,
        db_schema: None,
        table: table.to_owned(),
    };
    let seen = lines(&described(&mut ana, &primary("events")).await);
    assert_eq!(
        seen,
        ["throughline|marts|events|event_id|unique_events_event_id|1"]
    );
    let imported = CommandGetImportedKeys {
        table: "events".to_owned(),
        ..CommandGetImportedKeys::default()
    };
    let exported = CommandGetExportedKeys {
        db_schema: Some("star".to_owned()),
        table: "dim_person".to_owned(),
        ..CommandGetExportedKeys::default()
    };
    let across = CommandGetCrossReference {
        pk_table: "dim_person".to_owned(),
        fk_table: "events".to_owned(),
        ..CommandGetCrossReference::default()
    };
    let foreign = lines(&described(&mut ana, &imported).await);
    assert_eq!(foreign.len(), 1);
    let start = "throughline|star|dim_person|person_id|throughline|marts|events|person_id|1|";
    assert!(foreign[0].starts_with(start), "{foreign:?}");
    assert_eq!(lines(&described(&mut ana, &exported).await), foreign);
    assert_eq!(lines(&described(&mut ana, &across).await), foreign);
    // Who does not see both ends is told of none, and has the same columns.
    let mut four = open.caller("four").await;
    assert_eq!(
        lines(&described(&mut four, &primary("events")).await).len(),
        1
    );
    assert!(lines(&described(&mut four, &imported).await).is_empty());
    let mut eve = open.caller("eve").await;
    assert!(lines(&described(&mut eve, &primary("events")).await).is_empty());
    assert!(lines(&described(&mut eve, &exported).await).is_empty());
    assert!(lines(&described(&mut ana, &primary("no_such")).await).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_and_its_types_are_described() {
    let open = open().await;
    let mut eve = open.caller("eve").await;
    let all = described(&mut eve, &CommandGetSqlInfo { info: vec![] }).await;
    let codes = all[0]
        .column(0)
        .as_primitive::<UInt32Type>()
        .values()
        .to_vec();
    // All but the versions of Substrait, which there is none of.
    let expected = (0..=5).chain(8..=11).chain([100, 101]).chain(500..=576);
    let missing: Vec<u32> = expected.filter(|code| !codes.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let name = u32::try_from(i32::from(SqlInfo::FlightSqlServerName)).expect("a code");
    let some = described(
        &mut eve,
        &CommandGetSqlInfo {
            info: vec![name, name, 4_000_000],
        },
    )
    .await;
    assert_eq!(some[0].num_rows(), 1);
    let types = described(&mut eve, &CommandGetXdbcTypeInfo { data_type: None }).await;
    assert!(types[0].num_rows() > 10);
    let text = described(
        &mut eve,
        &CommandGetXdbcTypeInfo {
            data_type: Some(12),
        },
    )
    .await;
    assert_eq!(text[0].column(0).as_string::<i32>().value(0), "VARCHAR");
    assert!(text[0].column(0).len() == 1);
}
