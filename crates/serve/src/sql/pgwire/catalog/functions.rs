//! Functions that the catalogue's queries call.

use std::sync::Arc;

use super::super::oids;
use super::exec::Run;
use super::node::{Function, SetFunction};
use super::types;
use super::value::{Failure, Result, Value};
use super::world::{DATABASE, Relation, World, identifiers, quoted};

/// A function: whether it is null as soon as an argument is, the type of its value, and itself.
pub(super) struct Known {
    pub(super) is_strict: bool,
    pub(super) kind: u32,
    pub(super) function: Function,
}

/// Aggregates, by their names.
pub(super) fn aggregate(name: &str) -> Option<&'static str> {
    const ALL: [&str; 15] = [
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "bool_or",
        "bool_and",
        "every",
        "string_agg",
        "array_agg",
        "json_agg",
        "jsonb_agg",
        "json_object_agg",
        "jsonb_object_agg",
        "any_value",
    ];
    ALL.into_iter().find(|own| *own == name)
}

/// A function that gives several rows: it, the names of its columns, and their types; no types:
/// those of its argument's elements.
pub(super) fn set(name: &str) -> Option<(SetFunction, &'static [&'static str], &'static [u32])> {
    const NOTHING: &[&str] = &["grantor", "grantee", "privilege_type", "is_grantable"];
    Some(match name {
        "generate_series" => (SetFunction::Series, &["generate_series"], &[oids::INT8]),
        "generate_subscripts" => (
            SetFunction::Subscripts,
            &["generate_subscripts"],
            &[oids::INT4],
        ),
        "unnest" => (SetFunction::Unnest, &["unnest"], &[]),
        "_pg_expandarray" => (
            SetFunction::ExpandArray,
            &["_pg_expandarray"],
            &[types::RECORD],
        ),
        "regexp_matches" => (SetFunction::RegexMatches, &["regexp_matches"], &[1009]),
        "string_to_table" | "regexp_split_to_table" => (
            SetFunction::SplitToTable,
            &["string_to_table"],
            &[oids::TEXT],
        ),
        "pg_get_keywords" => (
            SetFunction::Keywords,
            &["word", "catcode", "catdesc"],
            &[oids::TEXT, oids::CHAR, oids::TEXT],
        ),
        "aclexplode" => (
            SetFunction::Nothing(4),
            NOTHING,
            &[oids::OID, oids::OID, oids::TEXT, oids::BOOL],
        ),
        "pg_options_to_table" => (
            SetFunction::Nothing(2),
            &["option_name", "option_value"],
            &[oids::TEXT, oids::TEXT],
        ),
        "pg_partition_ancestors" | "pg_partition_tree" => {
            (SetFunction::Nothing(1), &["relid"], &[oids::REGCLASS])
        }
        "pg_stat_get_activity"
        | "pg_show_all_file_settings"
        | "pg_ls_dir"
        | "pg_listening_channels" => (SetFunction::Nothing(1), &["value"], &[oids::TEXT]),
        _ => return None,
    })
}

/// A function by its name.
pub(super) fn scalar(name: &str, arguments: &[u32]) -> Option<Known> {
    let first = arguments.first().copied().unwrap_or(oids::TEXT);
    of_session(name)
        .or_else(|| of_settings(name))
        .or_else(|| describing(name))
        .or_else(|| super::texts::scalar(name, first))
        .or_else(|| super::arrays::scalar(name, first))
}

fn strict(kind: u32, function: Function) -> Option<Known> {
    Some(Known {
        is_strict: true,
        kind,
        function,
    })
}

fn open(kind: u32, function: Function) -> Option<Known> {
    Some(Known {
        is_strict: false,
        kind,
        function,
    })
}

/// What the session is.
fn of_session(name: &str) -> Option<Known> {
    match name {
        "current_database" | "current_catalog" => strict(oids::NAME, |_, _| Ok(DATABASE.into())),
        "current_schema" => strict(oids::NAME, |run, _| Ok(run.world.schema.as_str().into())),
        "current_schemas" => strict(1003, |run, of| {
            let own = run.world.schema.as_str().into();
            Ok(match of.first().and_then(Value::truth) {
                Some(true) => vec!["pg_catalog".into(), own],
                _ => vec![own],
            }
            .into())
        }),
        "current_user" | "session_user" | "user" | "current_role" | "system_user" => {
            strict(oids::NAME, |run, _| Ok(run.world.user.as_str().into()))
        }
        "version" => strict(oids::TEXT, |run, _| Ok(run.world.version.as_str().into())),
        "pg_backend_pid" => strict(oids::INT4, |run, _| Ok(i64::from(run.world.pid).into())),
        "pg_get_userbyid" => strict(oids::NAME, |run, of| {
            let oid = int(of, 0);
            let unknown = || format!("unknown (OID={oid})");
            Ok(run
                .world
                .role_name(oid)
                .map_or_else(unknown, str::to_owned)
                .into())
        }),
        _ => None,
    }
}

/// What types are called, and what settings are.
fn of_settings(name: &str) -> Option<Known> {
    match name {
        "format_type" => open(oids::TEXT, |_, of| {
            let oid = of.first().and_then(Value::int);
            let modifier = of.get(1).and_then(Value::int);
            Ok(oid.map(|oid| types::format(oid, modifier)).into())
        }),
        "current_setting" => strict(oids::TEXT, |run, of| {
            let name = text(of, 0).to_lowercase();
            let is_lenient = of.get(1).and_then(Value::truth) == Some(true);
            match run.world.settings.get(&name) {
                Some(value) => Ok(value.as_str().into()),
                None if is_lenient => Ok(Value::Null),
                None => {
                    let message = format!("unrecognized configuration parameter \"{name}\"");
                    Err(Failure::new("42704", message))
                }
            }
        }),
        "set_config" => open(oids::TEXT, |run, of| {
            let name = text(of, 0).to_lowercase();
            match run.world.own.contains(&name) {
                true => Ok(of.get(1).cloned().unwrap_or(Value::Null)),
                false => Err(Failure::new(
                    "0A000",
                    "settings are set by `set`, not in a query",
                )),
            }
        }),
        _ => None,
    }
}

/// Functions about things of the catalogue.
fn describing(name: &str) -> Option<Known> {
    let found = visible(name)
        .or_else(|| about_server(name))
        .or_else(|| privileges(name))
        .or_else(|| named(name))
        .or_else(|| absent(name));
    let (kind, function) = found?;
    Some(Known {
        // What is asked about nothing has no answer, but privileges have.
        is_strict: true,
        kind,
        function,
    })
}

/// What is seen, and what is said of it.
fn visible(name: &str) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "pg_table_is_visible" => (oids::BOOL, |run, of| {
            let relation = run.world.relation(int(of, 0));
            Ok(relation
                .map(|relation| run.world.is_visible(&relation.schema))
                .into())
        }),
        "pg_type_is_visible"
        | "pg_function_is_visible"
        | "pg_collation_is_visible"
        | "pg_operator_is_visible"
        | "pg_opclass_is_visible"
        | "pg_conversion_is_visible"
        | "pg_opfamily_is_visible"
        | "pg_ts_config_is_visible"
        | "pg_ts_dict_is_visible"
        | "pg_ts_parser_is_visible"
        | "pg_ts_template_is_visible"
        | "pg_statistics_obj_is_visible" => (oids::BOOL, |_, _| Ok(true.into())),
        "pg_relation_is_publishable"
        | "pg_is_other_temp_schema"
        | "pg_is_in_recovery"
        | "row_security_active"
        | "pg_advisory_unlock"
        | "pg_try_advisory_lock"
        | "pg_cancel_backend"
        | "pg_terminate_backend"
        | "pg_relation_is_updatable_" => (oids::BOOL, |_, _| Ok(false.into())),
        "pg_advisory_unlock_all" | "pg_advisory_lock" | "pg_stat_clear_snapshot" => {
            (types::VOID, |_, _| Ok("".into()))
        }
        "obj_description" => (oids::TEXT, |run, of| {
            let relation = run.world.relation(int(of, 0));
            let is_other = of
                .get(1)
                .is_some_and(|class| class.text().as_deref() != Some("pg_class"));
            Ok(relation
                .filter(|_| !is_other)
                .and_then(|one| one.comment.as_deref())
                .into())
        }),
        "col_description" => (oids::TEXT, |run, of| {
            let column = column(run.world, of);
            Ok(column.and_then(|column| column.comment.as_deref()).into())
        }),
        _ => return None,
    };
    Some(found)
}

/// What is asked about the server; sizes would tell of rows that are hidden.
fn about_server(name: &str) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "pg_encoding_to_char" => (oids::NAME, |_, of| {
            Ok(if int(of, 0) == 6 { "UTF8" } else { "" }.into())
        }),
        "pg_char_to_encoding" => (oids::INT4, |_, _| Ok(6_i64.into())),
        "pg_client_encoding" | "getdatabaseencoding" => (oids::NAME, |_, _| Ok("UTF8".into())),
        "pg_relation_size"
        | "pg_total_relation_size"
        | "pg_table_size"
        | "pg_indexes_size"
        | "pg_database_size"
        | "pg_tablespace_size"
        | "pg_stat_get_numscans"
        | "pg_stat_get_live_tuples"
        | "pg_stat_get_dead_tuples" => {
            // Sizes would tell of rows that are hidden.
            (oids::INT8, |_, _| Ok(Value::Null))
        }
        "pg_relation_is_updatable"
        | "pg_column_is_updatable"
        | "pg_my_temp_schema"
        | "inet_server_port"
        | "inet_client_port" => (oids::INT4, |_, _| Ok(0_i64.into())),
        "txid_current" | "pg_current_xact_id" => (oids::INT8, |_, _| Ok(1_i64.into())),
        _ => return None,
    };
    Some(found)
}

/// What may be done with things.
fn privileges(name: &str) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "has_table_privilege"
        | "has_column_privilege"
        | "has_any_column_privilege"
        | "has_schema_privilege"
        | "has_database_privilege"
        | "has_sequence_privilege"
        | "has_function_privilege"
        | "has_language_privilege"
        | "has_tablespace_privilege"
        | "has_type_privilege"
        | "has_server_privilege"
        | "has_foreign_data_wrapper_privilege"
        | "has_parameter_privilege" => (oids::BOOL, |_, of| {
            // What is listed may be read, and nothing else be done with it.
            let asked = of
                .last()
                .and_then(Value::text)
                .unwrap_or_default()
                .to_lowercase();
            let may = ["select", "usage", "connect", "execute"];
            Ok(asked.split(',').all(|one| may.contains(&one.trim())).into())
        }),
        "pg_has_role" => (oids::BOOL, |run, of| {
            let role = of
                .get(usize::from(of.len() > 2))
                .cloned()
                .unwrap_or(Value::Null);
            let own = Value::from(run.world.user.as_str());
            let is_own = role == own || role.int() == Some(super::world::USER.into());
            Ok(is_own.into())
        }),
        _ => return None,
    };
    Some(found)
}

/// Names and definitions of things.
fn named(name: &str) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "to_regclass" => (oids::REGCLASS, |run, of| {
            Ok(run
                .world
                .relation_named(&text(of, 0))
                .map(|one| one.oid)
                .into())
        }),
        "to_regtype" => (oids::REGTYPE, |_, of| {
            Ok(types::by_name(&text(of, 0)).into())
        }),
        "to_regnamespace" => (oids::REGNAMESPACE, |run, of| {
            Ok(run
                .world
                .schema_oid(&identifiers(&text(of, 0)).join("."))
                .into())
        }),
        "to_regrole" => (oids::REGROLE, |run, of| {
            Ok(run
                .world
                .role_oid(&identifiers(&text(of, 0)).join("."))
                .into())
        }),
        "to_regproc" => (oids::REGPROC, |_, of| {
            Ok(Some(super::procs::oid(&text(of, 0)))
                .filter(|oid| *oid != 0)
                .into())
        }),
        _ => return None,
    };
    Some(found)
}

/// What would tell about things that there are none of.
fn absent(name: &str) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "pg_get_function_result"
        | "pg_get_function_arguments"
        | "pg_get_function_identity_arguments" => (oids::TEXT, |_, _| Ok("".into())),
        "pg_get_expr"
        | "pg_get_constraintdef"
        | "pg_get_indexdef"
        | "pg_get_viewdef"
        | "pg_get_ruledef"
        | "pg_get_triggerdef"
        | "pg_get_functiondef"
        | "pg_get_function_sqlbody"
        | "pg_get_serial_sequence"
        | "pg_get_statisticsobjdef_columns"
        | "pg_get_statisticsobjdef"
        | "pg_get_partkeydef"
        | "pg_get_partition_constraintdef"
        | "shobj_description"
        | "pg_tablespace_location"
        | "pg_index_column_has_property"
        | "pg_stat_get_last_vacuum_time"
        | "pg_get_function_arg_default"
        | "inet_server_addr"
        | "inet_client_addr"
        | "pg_describe_object"
        | "pg_identify_object"
        | "pg_postmaster_start_time"
        | "pg_conf_load_time"
        | "pg_last_xact_replay_timestamp" => {
            // There is none of the things that they would tell about, or it is nobody's business.
            (oids::TEXT, |_, _| Ok(Value::Null))
        }
        "_pg_char_max_length"
        | "_pg_char_octet_length"
        | "_pg_numeric_precision"
        | "_pg_numeric_precision_radix"
        | "_pg_numeric_scale"
        | "_pg_datetime_precision"
        | "_pg_truetypmod"
        | "_pg_truetypid" => (oids::INT4, |_, of| {
            Ok(of.last().cloned().unwrap_or(Value::Null))
        }),
        _ => return None,
    };
    Some(found)
}

fn column<'w>(world: &'w World, of: &[Value]) -> Option<&'w super::world::Attribute> {
    let relation: &Relation = world.relation(int(of, 0))?;
    let place = usize::try_from(int(of, 1)).ok()?.checked_sub(1)?;
    relation.columns.get(place)
}

pub(super) fn int(of: &[Value], place: usize) -> i64 {
    of.get(place).and_then(Value::int).unwrap_or(0)
}

pub(super) fn text(of: &[Value], place: usize) -> Arc<str> {
    of.get(place).and_then(Value::text).unwrap_or_default()
}

/// A value as JSON.
pub(super) fn json(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
            value.text().unwrap_or_default().to_string()
        }
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(json).collect();
            format!("[{}]", values.join(","))
        }
        Value::Record(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{}:{}", serde_json::Value::from(*name), json(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Text(text) => serde_json::Value::from(&**text).to_string(),
    }
}

/// A name as SQL writes it.
pub(super) fn quote(_: &Run<'_>, of: &[Value]) -> Result<Value> {
    Ok(quoted(&text(of, 0)).into())
}

/// Whether a function tells about the catalogue or the session, and not of values.
pub(super) fn is_about_catalog(name: &str) -> bool {
    const SESSION: [&str; 16] = [
        "current_database",
        "current_catalog",
        "current_schema",
        "current_schemas",
        "current_user",
        "session_user",
        "user",
        "current_role",
        "system_user",
        "version",
        "pg_backend_pid",
        "pg_get_userbyid",
        "format_type",
        "current_setting",
        "set_config",
        "pg_typeof",
    ];
    SESSION.contains(&name)
        || describing(name).is_some()
        || matches!(
            name,
            "quote_ident" | "quote_literal" | "_pg_expandarray" | "pg_get_keywords"
        )
}
