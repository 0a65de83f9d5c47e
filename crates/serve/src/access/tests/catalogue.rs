//! What a session lists: only what its principal may see.

use super::fixture::{admin, ana, bot, eve, four, gate, shown, values};

#[tokio::test]
async fn each_sees_its_own_tables_and_columns() {
    let gate = gate().await;
    let tables = "select table_schema || '.' || table_name from information_schema.tables where \
                  table_schema <> 'information_schema'";
    let of_ana = [
        "marts.events",
        "marts.open_day",
        "marts.person_view",
        "marts.props",
        "star.dim_person",
    ];
    for persona in [ana(), bot()] {
        let session = gate.session(persona).expect("a session");
        assert_eq!(values(&session, tables).await, of_ana);
    }
    let session = gate.session(four()).expect("a session");
    assert_eq!(values(&session, tables).await, ["marts.events"]);
    let columns = "select column_name from information_schema.columns where table_schema = 'marts'";
    assert_eq!(
        values(&session, columns).await,
        ["country", "email", "event_id", "phone"]
    );
    let session = gate.session(eve()).expect("a session");
    assert!(values(&session, tables).await.is_empty());
    let schemas = "select schema_name from information_schema.schemata";
    assert!(
        !values(&session, schemas)
            .await
            .contains(&"marts".to_owned())
    );
    let session = gate.session(admin()).expect("a session");
    assert!(
        values(&session, tables)
            .await
            .contains(&"raw.events".to_owned())
    );
    assert!(
        values(&session, tables)
            .await
            .contains(&"secret.api_keys".to_owned())
    );
}

#[tokio::test]
async fn neither_definitions_nor_settings_are_shown() {
    let gate = gate().await;
    for persona in [ana(), admin()] {
        let session = gate.session(persona).expect("a session");
        let views = "select coalesce(definition, '-') from information_schema.views";
        let seen = shown(&session, views).await.expect("views");
        assert!(!seen.contains("raw.events"), "{seen}");
        assert!(
            shown(&session, "select * from information_schema.df_settings")
                .await
                .is_err()
        );
        let listed =
            "select count(*) from information_schema.tables where table_name = 'df_settings'";
        let _ = values(&session, listed).await;
    }
}

#[tokio::test]
async fn show_and_describe_tell_of_granted_tables() {
    let gate = gate().await;
    let session = gate.session(ana()).expect("a session");
    let seen = shown(&session, "describe marts.events")
        .await
        .expect("a description");
    assert!(
        seen.contains("country") && !seen.contains("salary"),
        "{seen}"
    );
    let seen = shown(&session, "show tables").await.expect("tables");
    assert!(
        seen.contains("person_view") && !seen.contains("api_keys"),
        "{seen}"
    );
    let seen = shown(&session, "show columns from marts.events")
        .await
        .expect("columns");
    assert!(!seen.contains("salary"), "{seen}");
    for sql in [
        "describe secret.api_keys",
        "describe raw.events",
        "show columns from raw.events",
    ] {
        assert!(shown(&session, sql).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn a_prepared_statement_tells_its_columns_and_parameters() {
    let gate = gate().await;
    let session = gate.session(ana()).expect("a session");
    let sql = "select event_id, country from marts.events where country = $2 and event_id < $1";
    let statement = session.prepare(sql).await.expect("prepared");
    let names: Vec<&str> = statement
        .parameters()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["$1", "$2"]);
    assert_eq!(statement.schema().field(1).name(), "country");
    let with = |number: i64, text: &str| {
        let values = vec![
            datafusion::common::ScalarValue::Int64(Some(number)),
            datafusion::common::ScalarValue::from(text),
        ];
        Some(values.into())
    };
    let rows = session.run(&statement, with(10, "DE")).await.expect("runs");
    assert_eq!(rows.tables().collect::<Vec<_>>(), ["marts.events"]);
    let rows = super::fixture::lines(&rows.collect().await.expect("rows"));
    assert_eq!(rows, ["0|DE", "3|DE", "6|DE", "9|DE"]);
    let rows = session.run(&statement, with(10, "US")).await.expect("runs");
    assert!(super::fixture::lines(&rows.collect().await.expect("rows")).is_empty());
}

#[tokio::test]
async fn clients_set_what_is_theirs() {
    let gate = gate().await;
    let session = gate.session(ana()).expect("a session");
    session
        .set("search_path", "\"$user\", public")
        .expect("nothing");
    session.set("search_path", "marts, star").expect("a schema");
    assert_eq!(
        values(&session, "select count(*) from events").await,
        ["20"]
    );
    assert_eq!(
        session.setting("search_path").as_deref(),
        Some("marts, star")
    );
    for schema in ["secret", "raw", "no_such"] {
        let error = session.set("search_path", schema).expect_err(schema);
        assert_eq!(error.sqlstate(), "42P01");
    }
    session.set("TimeZone", "'Europe/Berlin'").expect("a zone");
    assert!(session.set("timezone", "Nowhere").is_err());
    session.set("extra_float_digits", "3").expect("remembered");
    assert_eq!(session.setting("EXTRA_FLOAT_DIGITS").as_deref(), Some("3"));
    for name in [
        "datafusion.runtime.memory_limit",
        "role",
        "session_authorization",
        "is_superuser",
    ] {
        let error = session.set(name, "x").expect_err(name);
        assert_eq!(error.sqlstate(), "42704");
        assert_eq!(session.setting(name), None);
    }
    session.set("statement_timeout", "50ms").expect("a time");
    let long = "select count(*) from events a, events b, events c, events d, events e, events f";
    let error = shown(&session, long).await.expect_err("too long");
    assert_eq!(error.sqlstate(), "57014");
    // Another session of the same principal has settings of its own.
    let other = gate.session(ana()).expect("a session");
    assert!(shown(&other, "select 1 from events").await.is_err());
}

#[tokio::test]
async fn rules_that_fit_no_table_are_named() {
    let gate = gate().await;
    let said = gate.misfits().await;
    assert_eq!(
        said.iter().filter(|text| !text.contains("(yet)")).count(),
        1,
        "{said:?}"
    );
    let policy = "roles: {a: {grants: [{schema: marts}], row_filters: [{table: marts.events, where: \
                  no_such = {{ user.x }}}], deny: [{columns: salry}], masks: [{columns: email, mask: \
                  sql, sql: no_function({{ column }})}]}}";
    let policy = policy
        .replace("{{ user.x }}", "1")
        .replace("{{ column }}", "email");
    gate.set_policy(crate::access::Policy::parse(&policy).expect("a policy"));
    let said = gate.misfits().await.join("\n");
    for part in ["no_such", "salry", "no_function"] {
        assert!(said.contains(part), "{said}");
    }
}
