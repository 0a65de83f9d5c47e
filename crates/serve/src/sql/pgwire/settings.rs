//! Settings as clients of PostgreSQL know them.

use super::error::PgError;

/// The version of PostgreSQL whose catalogue and behaviour clients may expect.
pub(super) const SERVER_VERSION: &str = "15.8 (Throughline)";
/// The setting that chooses the time of which a connection reads.
pub(super) const AS_OF: &str = "throughline.as_of";

/// What may be asked for but not set.
const FIXED: [(&str, &str); 24] = [
    ("block_size", "8192"),
    ("data_checksums", "on"),
    ("default_tablespace", ""),
    ("default_transaction_deferrable", "off"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("is_superuser", "off"),
    ("lc_collate", "C.UTF-8"),
    ("lc_ctype", "C.UTF-8"),
    ("max_connections", "500"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("segment_size", "131072"),
    ("server_encoding", "UTF8"),
    ("server_version", SERVER_VERSION),
    ("server_version_num", "150008"),
    ("ssl", "on"),
    ("transaction_deferrable", "off"),
    ("transaction_read_only", "on"),
    ("wal_block_size", "8192"),
    ("wal_level", "replica"),
    ("default_with_oids", "off"),
    ("shared_preload_libraries", ""),
    ("port", "5432"),
];

/// What may be set and means nothing here, with what it is at first: how the other engine plans,
/// locks and logs.
const MEANINGLESS: [(&str, &str); 48] = [
    ("array_nulls", "on"),
    ("backslash_quote", "safe_encoding"),
    ("check_function_bodies", "on"),
    ("client_connection_check_interval", "0"),
    ("constraint_exclusion", "partition"),
    ("cursor_tuple_fraction", "0.1"),
    ("default_table_access_method", "heap"),
    ("default_text_search_config", "pg_catalog.simple"),
    ("effective_cache_size", "4GB"),
    ("effective_io_concurrency", "1"),
    ("enable_bitmapscan", "on"),
    ("enable_hashagg", "on"),
    ("enable_hashjoin", "on"),
    ("enable_indexscan", "on"),
    ("enable_material", "on"),
    ("enable_mergejoin", "on"),
    ("enable_nestloop", "on"),
    ("enable_parallel_hash", "on"),
    ("enable_partitionwise_aggregate", "on"),
    ("enable_partitionwise_join", "on"),
    ("enable_seqscan", "on"),
    ("enable_sort", "on"),
    ("escape_string_warning", "on"),
    ("force_parallel_mode", "off"),
    ("from_collapse_limit", "8"),
    ("hash_mem_multiplier", "2"),
    ("idle_session_timeout", "0"),
    ("jit", "off"),
    ("join_collapse_limit", "8"),
    ("lc_messages", "C.UTF-8"),
    ("lc_monetary", "C.UTF-8"),
    ("lc_numeric", "C.UTF-8"),
    ("lc_time", "C.UTF-8"),
    ("log_statement", "none"),
    ("log_min_duration_statement", "-1"),
    ("max_parallel_workers", "8"),
    ("max_parallel_workers_per_gather", "2"),
    ("parallel_leader_participation", "on"),
    ("parallel_setup_cost", "1000"),
    ("parallel_tuple_cost", "0.1"),
    ("plan_cache_mode", "auto"),
    ("quote_all_identifiers", "off"),
    ("random_page_cost", "4"),
    ("row_security", "on"),
    ("seq_page_cost", "1"),
    ("synchronize_seqscans", "on"),
    ("work_mem", "4MB"),
    ("xmloption", "content"),
];

/// Settings whose value a client is told whenever it changes, as it expects them to be written.
const TOLD: [(&str, &str); 6] = [
    ("application_name", "application_name"),
    ("client_encoding", "client_encoding"),
    ("datestyle", "DateStyle"),
    ("intervalstyle", "IntervalStyle"),
    ("standard_conforming_strings", "standard_conforming_strings"),
    ("timezone", "TimeZone"),
];

/// Other settings that are listed by `show all`.
pub(super) const SESSION: [&str; 17] = [
    "application_name",
    "bytea_output",
    "client_encoding",
    "client_min_messages",
    "datestyle",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "extra_float_digits",
    "idle_in_transaction_session_timeout",
    "intervalstyle",
    "lock_timeout",
    "search_path",
    "standard_conforming_strings",
    "statement_timeout",
    "timezone",
    "transaction_isolation",
    "geqo",
];

/// What may be asked for but not set.
pub(super) fn fixed(name: &str) -> Option<&'static str> {
    FIXED
        .iter()
        .find(|(own, _)| *own == name)
        .map(|(_, value)| *value)
}

/// Names of all that may be asked for but not set.
pub(super) fn fixed_names() -> impl Iterator<Item = &'static str> {
    FIXED.iter().map(|(name, _)| *name)
}

/// Whether it may be set and means nothing here.
pub(super) fn is_meaningless(name: &str) -> bool {
    MEANINGLESS.iter().any(|(own, _)| *own == name)
        || name.starts_with("tcp_")
        || name.starts_with("pgaudit.")
}

/// Names of all that may be set and mean nothing here.
pub(super) fn meaningless() -> impl Iterator<Item = &'static str> {
    MEANINGLESS.into_iter().map(|(name, _)| name)
}

/// What such a setting is at first.
pub(super) fn meaningless_value(name: &str) -> Option<&'static str> {
    MEANINGLESS
        .iter()
        .find(|(own, _)| *own == name)
        .map(|(_, value)| *value)
}

/// The name under which a client is told of a setting.
pub(super) fn told(name: &str) -> Option<&'static str> {
    TOLD.iter()
        .find(|(own, _)| *own == name)
        .map(|(_, told)| *told)
}

/// What a client is told as soon as it is logged in.
pub(super) fn told_at_first(user: &str) -> Vec<(String, String)> {
    let told = [
        ("server_version", SERVER_VERSION),
        ("server_encoding", "UTF8"),
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, MDY"),
        ("IntervalStyle", "postgres"),
        ("TimeZone", "UTC"),
        ("integer_datetimes", "on"),
        ("standard_conforming_strings", "on"),
        ("in_hot_standby", "off"),
        ("is_superuser", "off"),
        ("default_transaction_read_only", "on"),
        ("session_authorization", user),
    ];
    told.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// A value as it is kept.
///
/// # Errors
/// It is one of those that mean another form of what is sent.
pub(super) fn checked(name: &str, value: &str) -> Result<String, PgError> {
    let lower = value.to_lowercase();
    let plain: String = lower
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    let is_default = lower == "default";
    match name {
        "client_encoding" if ["utf8", "unicode", "sqlascii", "auto"].contains(&plain.as_str()) => {
            Ok("UTF8".to_owned())
        }
        "client_encoding" if !is_default => Err(only(name, "UTF8")),
        "datestyle" if is_default || lower.starts_with("iso") => {
            let order = ["dmy", "ymd"]
                .into_iter()
                .find(|order| lower.contains(order));
            Ok(format!("ISO, {}", order.unwrap_or("mdy").to_uppercase()))
        }
        "datestyle" if ["mdy", "dmy", "ymd"].contains(&plain.as_str()) => {
            Ok(format!("ISO, {}", plain.to_uppercase()))
        }
        "datestyle" => Err(only(name, "ISO")),
        "intervalstyle" if is_default || lower == "postgres" => Ok("postgres".to_owned()),
        "intervalstyle" => Err(only(name, "postgres")),
        "bytea_output" if !is_default && lower != "hex" => Err(only(name, "hex")),
        "standard_conforming_strings" if !["on", "true", "1", "default"].contains(&&*lower) => {
            Err(only(name, "on"))
        }
        "timezone" => Ok(zone(value)),
        _ => Ok(value.to_owned()),
    }
}

fn only(name: &str, value: &str) -> PgError {
    PgError::new("22023", format!("`{name}` is always {value} here"))
}

/// A zone as the engine knows it. `GMT+2` and `<+02>-02` count westward, as POSIX has it.
fn zone(value: &str) -> String {
    let value = value.trim();
    let value = value.strip_prefix("interval ").unwrap_or(value).trim();
    let value = value.split_whitespace().next().unwrap_or_default();
    let upper = value.to_uppercase();
    if ["GMT", "UCT", "Z", "ZULU", "ETC/UTC", "GMT0"].contains(&upper.as_str()) {
        return "UTC".to_owned();
    }
    let westward = ["GMT", "UTC"]
        .into_iter()
        .find_map(|name| upper.strip_prefix(name));
    let (text, sign) = match (westward, value.split_once('>')) {
        (Some(text), _) if text.starts_with(['+', '-']) => (text.to_owned(), -1),
        (None, Some((_, text))) if value.starts_with('<') => (text.to_owned(), -1),
        _ => (value.to_owned(), 1),
    };
    let (hours, minutes) = text.split_once(':').unwrap_or((&text, "0"));
    let is_west = hours.starts_with('-') != (sign < 0);
    let numbers = (
        hours.trim_start_matches(['+', '-']).parse::<u8>(),
        minutes.parse::<u8>(),
    );
    match numbers {
        (Ok(hours), Ok(minutes)) if hours < 24 && minutes < 60 => {
            format!("{}{hours:02}:{minutes:02}", if is_west { '-' } else { '+' })
        }
        _ => value.to_owned(),
    }
}

/// The settings in the `options` of a connection: `-c name=value`, `--name=value`.
pub(super) fn options(text: &str) -> Vec<(String, String)> {
    let mut words = Vec::new();
    let (mut word, mut is_escaped) = (String::new(), false);
    for one in text.chars() {
        match one {
            '\\' if !is_escaped => {
                is_escaped = true;
                continue;
            }
            c if c.is_whitespace() && !is_escaped => {
                words.push(std::mem::take(&mut word));
            }
            c => word.push(c),
        }
        is_escaped = false;
    }
    words.push(word);
    let mut found = Vec::new();
    let mut words = words.into_iter().filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let setting = match (
            word.as_str(),
            word.strip_prefix("--"),
            word.strip_prefix("-c"),
        ) {
            ("-c", ..) => words.next().unwrap_or_default(),
            (_, Some(long), _) => long.to_owned(),
            (_, _, Some(short)) => short.to_owned(),
            _ => continue,
        };
        if let Some((name, value)) = setting.split_once('=') {
            found.push((
                name.trim().to_lowercase().replace('-', "_"),
                value.to_owned(),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_hold_settings() {
        let found = options("-c search_path=star --statement-timeout=5s -cdatestyle=ISO,\\ DMY");
        let expected = [
            ("search_path", "star"),
            ("statement_timeout", "5s"),
            ("datestyle", "ISO, DMY"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(found, expected);
        assert!(options("").is_empty());
    }

    #[test]
    fn only_what_is_sent_may_be_asked_for() {
        assert_eq!(checked("client_encoding", "UTF-8").unwrap(), "UTF8");
        assert_eq!(
            checked("client_encoding", "LATIN1").unwrap_err().code,
            "22023"
        );
        assert_eq!(checked("datestyle", "iso, dmy").unwrap(), "ISO, DMY");
        assert!(checked("datestyle", "German").is_err());
        assert!(checked("standard_conforming_strings", "off").is_err());
    }

    #[test]
    fn zones_count_as_their_writing_says() {
        let is = |text: &str| checked("timezone", text).unwrap();
        assert_eq!(is("Europe/Berlin"), "Europe/Berlin");
        assert_eq!(is("GMT"), "UTC");
        assert_eq!(is("GMT+02:00"), "-02:00");
        assert_eq!(is("-3"), "-03:00");
        assert_eq!(is("<+02>-02"), "+02:00");
        assert_eq!(is("interval +00:00 hour to minute"), "+00:00");
    }
}
