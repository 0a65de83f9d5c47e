//! What clients ask about the server: what it can do (`SqlInfo`), and its types.

use std::collections::BTreeMap;

use arrow_flight::error::Result;
use arrow_flight::sql::metadata::{
    SqlInfoData, SqlInfoDataBuilder, XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder,
};
use arrow_flight::sql::{
    Nullable, Searchable, SqlInfo, SqlNullOrdering, SqlOuterJoinsSupportLevel,
    SqlSupportedCaseSensitivity, SqlSupportedGroupBy, SqlSupportedSubqueries,
    SqlSupportedTransaction, SqlSupportedUnions, SqlSupportsConvert, SqlTransactionIsolationLevel,
    SupportedSqlGrammar, XdbcDataType, XdbcDatetimeSubcode,
};

/// Words of the dialect beyond those of SQL:2003.
const KEYWORDS: [&str; 8] = [
    "ANTI", "ILIKE", "LIMIT", "OFFSET", "QUALIFY", "SEMI", "SHOW", "UNNEST",
];
const NUMERIC: [&str; 26] = [
    "abs", "acos", "asin", "atan", "atan2", "ceil", "cos", "cot", "degrees", "exp", "floor", "ln",
    "log", "log10", "log2", "pi", "power", "radians", "random", "round", "signum", "sin", "sqrt",
    "tan", "trunc", "gcd",
];
const STRING: [&str; 24] = [
    "ascii",
    "btrim",
    "char_length",
    "chr",
    "concat",
    "concat_ws",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "octet_length",
    "overlay",
    "position",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "split_part",
    "strpos",
    "substr",
    "upper",
];
const TIME: [&str; 10] = [
    "current_date",
    "current_time",
    "date_bin",
    "date_part",
    "date_trunc",
    "from_unixtime",
    "make_date",
    "now",
    "to_date",
    "to_timestamp",
];
const SYSTEM: [&str; 3] = ["arrow_typeof", "coalesce", "nullif"];

/// Longest identifier and longest statement that are promised, in bytes; the second is the gate's.
const NAME_LONGEST: i64 = 255;
const STATEMENT_LONGEST: i64 = 1 << 20;

/// A set of values of an enumeration, as a mask.
fn mask<const N: usize>(bits: [i32; N]) -> i32 {
    bits.into_iter().fold(0, |mask, bit| mask | 1 << bit)
}

/// What the server can do.
///
/// # Errors
/// Never, as what is written here is whole.
pub(super) fn server() -> Result<SqlInfoData> {
    let mut all = SqlInfoDataBuilder::new();
    the_server(&mut all);
    the_language(&mut all);
    how_long(&mut all);
    what_there_is_not(&mut all);
    all.build()
}

fn the_server(all: &mut SqlInfoDataBuilder) {
    all.append(SqlInfo::FlightSqlServerName, "Throughline");
    all.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    // The version of the format, as other implementations say it.
    all.append(SqlInfo::FlightSqlServerArrowVersion, "1.5");
    // Some may make tables and views in schemas of their own.
    all.append(SqlInfo::FlightSqlServerReadOnly, false);
    all.append(SqlInfo::SqlDdlSchema, true);
    all.append(SqlInfo::SqlDdlTable, true);
    all.append(SqlInfo::FlightSqlServerSql, true);
    all.append(SqlInfo::FlightSqlServerSubstrait, false);
    all.append(
        SqlInfo::FlightSqlServerTransaction,
        i32::from(SqlSupportedTransaction::None),
    );
    all.append(SqlInfo::FlightSqlServerCancel, true);
    all.append(SqlInfo::FlightSqlServerBulkIngestion, false);
    all.append(SqlInfo::FlightSqlServerIngestTransactionsSupported, false);
    all.append(SqlInfo::FlightSqlServerStatementTimeout, 0);
    all.append(SqlInfo::FlightSqlServerTransactionTimeout, 0);
}

fn the_language(all: &mut SqlInfoDataBuilder) {
    let lower = i32::from(SqlSupportedCaseSensitivity::SqlCaseSensitivityLowercase);
    all.append(SqlInfo::SqlIdentifierCase, i64::from(lower));
    all.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    let exact = i32::from(SqlSupportedCaseSensitivity::SqlCaseSensitivityUnknown);
    all.append(SqlInfo::SqlQuotedIdentifierCase, i64::from(exact));
    all.append(SqlInfo::SqlAllTablesAreSelectable, true);
    let nulls = i32::from(SqlNullOrdering::SqlNullsSortedHigh);
    all.append(SqlInfo::SqlNullOrdering, i64::from(nulls));
    all.append(SqlInfo::SqlKeywords, KEYWORDS.as_slice());
    all.append(SqlInfo::SqlNumericFunctions, NUMERIC.as_slice());
    all.append(SqlInfo::SqlStringFunctions, STRING.as_slice());
    all.append(SqlInfo::SqlSystemFunctions, SYSTEM.as_slice());
    all.append(SqlInfo::SqlDatetimeFunctions, TIME.as_slice());
    all.append(SqlInfo::SqlSearchStringEscape, "\\");
    all.append(SqlInfo::SqlExtraNameCharacters, "");
    for can in [
        SqlInfo::SqlSupportsColumnAliasing,
        SqlInfo::SqlNullPlusNullIsNull,
        SqlInfo::SqlSupportsTableCorrelationNames,
        SqlInfo::SqlSupportsExpressionsInOrderBy,
        SqlInfo::SqlSupportsOrderByUnrelated,
        SqlInfo::SqlSupportsLikeEscapeClause,
        SqlInfo::SqlSupportsNonNullableColumns,
        SqlInfo::SqlCatalogAtStart,
        SqlInfo::SqlCorrelatedSubqueriesSupported,
    ] {
        all.append(can, true);
    }
    all.append(
        SqlInfo::SqlSupportedGroupBy,
        mask([
            SqlSupportedGroupBy::SqlGroupByUnrelated.into(),
            SqlSupportedGroupBy::SqlGroupByBeyondSelect.into(),
        ]),
    );
    all.append(
        SqlInfo::SqlSupportedGrammar,
        mask([
            SupportedSqlGrammar::SqlMinimumGrammar.into(),
            SupportedSqlGrammar::SqlCoreGrammar.into(),
        ]),
    );
    // Entry level of SQL-92.
    all.append(SqlInfo::SqlAnsi92SupportedLevel, mask([0]));
    let joins = i32::from(SqlOuterJoinsSupportLevel::SqlFullOuterJoins);
    // Drivers read this ordinal as a 32-bit number, and the others as 64-bit ones.
    all.append(SqlInfo::SqlOuterJoinsSupportLevel, joins);
    all.append(SqlInfo::SqlSupportsConvert, casts());
    all.append(SqlInfo::SqlSchemaTerm, "schema");
    all.append(SqlInfo::SqlCatalogTerm, "catalog");
    all.append(
        SqlInfo::SqlSupportedSubqueries,
        mask([
            SqlSupportedSubqueries::SqlSubqueriesInComparisons.into(),
            SqlSupportedSubqueries::SqlSubqueriesInExists.into(),
            SqlSupportedSubqueries::SqlSubqueriesInIns.into(),
        ]),
    );
    all.append(
        SqlInfo::SqlSupportedUnions,
        mask([
            SqlSupportedUnions::SqlUnion.into(),
            SqlSupportedUnions::SqlUnionAll.into(),
        ]),
    );
}

fn how_long(all: &mut SqlInfoDataBuilder) {
    all.append(SqlInfo::SqlMaxStatementLength, STATEMENT_LONGEST);
    for name in [
        SqlInfo::SqlMaxColumnNameLength,
        SqlInfo::SqlMaxTableNameLength,
        SqlInfo::SqlDbSchemaNameLength,
        SqlInfo::SqlMaxCatalogNameLength,
        SqlInfo::SqlMaxUsernameLength,
    ] {
        all.append(name, NAME_LONGEST);
    }
}

/// Which types can be cast to which.
fn casts() -> BTreeMap<i32, Vec<i32>> {
    use SqlSupportsConvert::{
        SqlConvertBigint, SqlConvertBit, SqlConvertChar, SqlConvertDate, SqlConvertDecimal,
        SqlConvertFloat, SqlConvertInteger, SqlConvertNumeric, SqlConvertReal, SqlConvertSmallint,
        SqlConvertTime, SqlConvertTimestamp, SqlConvertTinyint, SqlConvertVarchar,
    };
    let numbers = [
        SqlConvertBigint,
        SqlConvertBit,
        SqlConvertDecimal,
        SqlConvertFloat,
        SqlConvertInteger,
        SqlConvertNumeric,
        SqlConvertReal,
        SqlConvertSmallint,
        SqlConvertTinyint,
    ];
    let texts = [SqlConvertChar, SqlConvertVarchar];
    let times = [SqlConvertDate, SqlConvertTime, SqlConvertTimestamp];
    let codes = |all: &[SqlSupportsConvert]| all.iter().map(|one| i32::from(*one)).collect();
    let mut casts: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for from in texts {
        casts.insert(from.into(), codes(&[&numbers[..], &texts, &times].concat()));
    }
    for from in numbers {
        casts.insert(from.into(), codes(&[&numbers[..], &texts].concat()));
    }
    for from in times {
        casts.insert(from.into(), codes(&[&times[..], &texts].concat()));
    }
    casts
}

fn what_there_is_not(all: &mut SqlInfoDataBuilder) {
    for cannot in [
        SqlInfo::SqlDdlCatalog,
        SqlInfo::SqlSupportsDifferentTableCorrelationNames,
        SqlInfo::SqlSupportsIntegrityEnhancementFacility,
        SqlInfo::SqlSelectForUpdateSupported,
        SqlInfo::SqlStoredProceduresSupported,
        SqlInfo::SqlMaxRowSizeIncludesBlobs,
        SqlInfo::SqlTransactionsSupported,
        SqlInfo::SqlDataDefinitionCausesTransactionCommit,
        SqlInfo::SqlDataDefinitionsInTransactionsIgnored,
        SqlInfo::SqlBatchUpdatesSupported,
        SqlInfo::SqlSavepointsSupported,
        SqlInfo::SqlNamedParametersSupported,
        SqlInfo::SqlLocatorsUpdateCopy,
        SqlInfo::SqlStoredFunctionsUsingCallSyntaxSupported,
    ] {
        all.append(cannot, false);
    }
    all.append(SqlInfo::SqlProcedureTerm, "");
    for none in [
        SqlInfo::SqlSchemasSupportedActions,
        SqlInfo::SqlCatalogsSupportedActions,
        SqlInfo::SqlSupportedPositionedCommands,
        SqlInfo::SqlSupportedConcurrenciesForResultSetUnspecified,
        SqlInfo::SqlSupportedConcurrenciesForResultSetScrollSensitive,
        SqlInfo::SqlSupportedConcurrenciesForResultSetScrollInsensitive,
    ] {
        all.append(none, 0_i32);
    }
    // Forward only, and read only.
    all.append(SqlInfo::SqlSupportedResultSetTypes, mask([1]));
    all.append(
        SqlInfo::SqlSupportedConcurrenciesForResultSetForwardOnly,
        mask([1]),
    );
    let isolation = i32::from(SqlTransactionIsolationLevel::SqlTransactionNone);
    all.append(
        SqlInfo::SqlDefaultTransactionIsolation,
        i64::from(isolation),
    );
    all.append(
        SqlInfo::SqlSupportedTransactionsIsolationLevels,
        mask([isolation]),
    );
    for unlimited in [
        SqlInfo::SqlMaxBinaryLiteralLength,
        SqlInfo::SqlMaxCharLiteralLength,
        SqlInfo::SqlMaxColumnsInGroupBy,
        SqlInfo::SqlMaxColumnsInIndex,
        SqlInfo::SqlMaxColumnsInOrderBy,
        SqlInfo::SqlMaxColumnsInSelect,
        SqlInfo::SqlMaxColumnsInTable,
        SqlInfo::SqlMaxConnections,
        SqlInfo::SqlMaxCursorNameLength,
        SqlInfo::SqlMaxIndexLength,
        SqlInfo::SqlMaxProcedureNameLength,
        SqlInfo::SqlMaxRowSize,
        SqlInfo::SqlMaxStatements,
        SqlInfo::SqlMaxTablesInSelect,
    ] {
        all.append(unlimited, 0_i64);
    }
}

/// The types of columns, by their names in SQL.
///
/// # Errors
/// Never, as what is written here is whole.
pub(super) fn types() -> Result<XdbcTypeInfoData> {
    use XdbcDataType::{
        XdbcChar, XdbcDate, XdbcDecimal, XdbcDouble, XdbcInteger, XdbcReal, XdbcSmallint, XdbcTime,
        XdbcTimestamp, XdbcVarchar,
    };
    let mut all = XdbcTypeInfoDataBuilder::new();
    let bit = |name| of_number(name, XdbcDataType::XdbcBit, 1, None);
    all.append(XdbcTypeInfo {
        num_prec_radix: None,
        ..bit("BOOLEAN")
    });
    all.append(of_number("TINYINT", XdbcDataType::XdbcTinyint, 3, None));
    all.append(of_number("SMALLINT", XdbcSmallint, 5, None));
    all.append(of_number("INTEGER", XdbcInteger, 10, None));
    all.append(of_number("BIGINT", XdbcDataType::XdbcBigint, 19, None));
    all.append(of_number("REAL", XdbcReal, 7, None));
    all.append(of_number("DOUBLE PRECISION", XdbcDouble, 15, None));
    all.append(XdbcTypeInfo {
        create_params: Some(vec!["precision".to_owned(), "scale".to_owned()]),
        fixed_prec_scale: true,
        ..of_number("DECIMAL", XdbcDecimal, 76, Some(76))
    });
    all.append(of_text("CHAR", XdbcChar));
    all.append(of_text("VARCHAR", XdbcVarchar));
    all.append(XdbcTypeInfo {
        literal_prefix: Some("X'".to_owned()),
        searchable: Searchable::Basic,
        ..of_text("BYTEA", XdbcDataType::XdbcVarbinary)
    });
    let datetime = XdbcDataType::XdbcDatetime;
    for (name, data_type, size, code) in [
        ("DATE", XdbcDate, 10, XdbcDatetimeSubcode::XdbcSubcodeYear),
        ("TIME", XdbcTime, 18, XdbcDatetimeSubcode::XdbcSubcodeTime),
        (
            "TIMESTAMP",
            XdbcTimestamp,
            29,
            XdbcDatetimeSubcode::XdbcSubcodeTimestamp,
        ),
        (
            "TIMESTAMP WITH TIME ZONE",
            XdbcTimestamp,
            35,
            XdbcDatetimeSubcode::XdbcSubcodeTimestampWithTimezone,
        ),
    ] {
        all.append(XdbcTypeInfo {
            literal_prefix: Some(format!("{name} '")),
            case_sensitive: false,
            column_size: Some(size),
            sql_data_type: datetime,
            datetime_subcode: Some(code),
            searchable: Searchable::Basic,
            ..of_text(name, data_type)
        });
    }
    all.build()
}

fn of_number(name: &str, data_type: XdbcDataType, digits: i32, scale: Option<i32>) -> XdbcTypeInfo {
    XdbcTypeInfo {
        type_name: name.to_owned(),
        data_type,
        column_size: Some(digits),
        nullable: Nullable::NullabilityNullable,
        searchable: Searchable::Basic,
        unsigned_attribute: Some(false),
        auto_increment: Some(false),
        local_type_name: Some(name.to_owned()),
        minimum_scale: scale.map(|_| 0),
        maximum_scale: scale,
        sql_data_type: data_type,
        num_prec_radix: Some(10),
        ..XdbcTypeInfo::default()
    }
}

fn of_text(name: &str, data_type: XdbcDataType) -> XdbcTypeInfo {
    XdbcTypeInfo {
        type_name: name.to_owned(),
        data_type,
        literal_prefix: Some("'".to_owned()),
        literal_suffix: Some("'".to_owned()),
        nullable: Nullable::NullabilityNullable,
        case_sensitive: true,
        searchable: Searchable::Full,
        local_type_name: Some(name.to_owned()),
        sql_data_type: data_type,
        ..XdbcTypeInfo::default()
    }
}
