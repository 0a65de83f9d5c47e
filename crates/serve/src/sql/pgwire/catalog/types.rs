//! The types that there are, as `pg_type` lists them.

use super::super::oids;

/// A type: number, name, bytes, category, number of the type of its arrays, and the name that SQL
/// knows it by.
pub(super) struct Type {
    pub(super) oid: u32,
    pub(super) name: &'static str,
    pub(super) length: i64,
    pub(super) category: char,
    pub(super) array: u32,
    pub(super) sql: &'static str,
    /// `b` base, `p` pseudo, `r` range.
    pub(super) class: char,
}

const fn base(
    oid: u32,
    name: &'static str,
    length: i64,
    category: char,
    array: u32,
    sql: &'static str,
) -> Type {
    Type {
        oid,
        name,
        length,
        category,
        array,
        sql,
        class: 'b',
    }
}

const fn of_class(oid: u32, name: &'static str, length: i64, class: char, array: u32) -> Type {
    Type {
        oid,
        name,
        length,
        category: if class == 'r' { 'R' } else { 'P' },
        array,
        sql: name,
        class,
    }
}

/// All of them but arrays.
pub(super) const TYPES: [Type; 70] = [
    base(16, "bool", 1, 'B', 1000, "boolean"),
    base(17, "bytea", -1, 'U', 1001, "bytea"),
    base(18, "char", 1, 'Z', 1002, "\"char\""),
    base(19, "name", 64, 'S', 1003, "name"),
    base(20, "int8", 8, 'N', 1016, "bigint"),
    base(21, "int2", 2, 'N', 1005, "smallint"),
    base(22, "int2vector", -1, 'A', 1006, "int2vector"),
    base(23, "int4", 4, 'N', 1007, "integer"),
    base(24, "regproc", 4, 'N', 1008, "regproc"),
    base(25, "text", -1, 'S', 1009, "text"),
    base(26, "oid", 4, 'N', 1028, "oid"),
    base(27, "tid", 6, 'U', 1010, "tid"),
    base(28, "xid", 4, 'U', 1011, "xid"),
    base(29, "cid", 4, 'U', 1012, "cid"),
    base(30, "oidvector", -1, 'A', 1013, "oidvector"),
    base(114, "json", -1, 'U', 199, "json"),
    base(142, "xml", -1, 'U', 143, "xml"),
    base(194, "pg_node_tree", -1, 'Z', 0, "pg_node_tree"),
    base(600, "point", 16, 'G', 1017, "point"),
    base(601, "lseg", 32, 'G', 1018, "lseg"),
    base(602, "path", -1, 'G', 1019, "path"),
    base(603, "box", 32, 'G', 1020, "box"),
    base(604, "polygon", -1, 'G', 1027, "polygon"),
    base(628, "line", 24, 'G', 629, "line"),
    base(650, "cidr", -1, 'I', 651, "cidr"),
    base(700, "float4", 4, 'N', 1021, "real"),
    base(701, "float8", 8, 'N', 1022, "double precision"),
    base(718, "circle", 24, 'G', 719, "circle"),
    base(774, "macaddr8", 8, 'U', 775, "macaddr8"),
    base(790, "money", 8, 'N', 791, "money"),
    base(829, "macaddr", 6, 'U', 1040, "macaddr"),
    base(869, "inet", -1, 'I', 1041, "inet"),
    base(1033, "aclitem", 12, 'U', 1034, "aclitem"),
    base(1042, "bpchar", -1, 'S', 1014, "character"),
    base(1043, "varchar", -1, 'S', 1015, "character varying"),
    base(1082, "date", 4, 'D', 1182, "date"),
    base(1083, "time", 8, 'D', 1183, "time without time zone"),
    base(
        1114,
        "timestamp",
        8,
        'D',
        1115,
        "timestamp without time zone",
    ),
    base(
        1184,
        "timestamptz",
        8,
        'D',
        1185,
        "timestamp with time zone",
    ),
    base(1186, "interval", 16, 'T', 1187, "interval"),
    base(1266, "timetz", 12, 'D', 1270, "time with time zone"),
    base(1560, "bit", -1, 'V', 1561, "bit"),
    base(1562, "varbit", -1, 'V', 1563, "bit varying"),
    base(1700, "numeric", -1, 'N', 1231, "numeric"),
    base(1790, "refcursor", -1, 'U', 2201, "refcursor"),
    base(2202, "regprocedure", 4, 'N', 2207, "regprocedure"),
    base(2203, "regoper", 4, 'N', 2208, "regoper"),
    base(2204, "regoperator", 4, 'N', 2209, "regoperator"),
    base(2205, "regclass", 4, 'N', 2210, "regclass"),
    base(2206, "regtype", 4, 'N', 2211, "regtype"),
    base(2950, "uuid", 16, 'U', 2951, "uuid"),
    base(3220, "pg_lsn", 8, 'U', 3221, "pg_lsn"),
    base(3614, "tsvector", -1, 'U', 3643, "tsvector"),
    base(3615, "tsquery", -1, 'U', 3645, "tsquery"),
    base(3802, "jsonb", -1, 'U', 3807, "jsonb"),
    base(4089, "regnamespace", 4, 'N', 4090, "regnamespace"),
    base(4096, "regrole", 4, 'N', 4097, "regrole"),
    of_class(3904, "int4range", -1, 'r', 3905),
    of_class(3906, "numrange", -1, 'r', 3907),
    of_class(3908, "tsrange", -1, 'r', 3909),
    of_class(3910, "tstzrange", -1, 'r', 3911),
    of_class(3912, "daterange", -1, 'r', 3913),
    of_class(3926, "int8range", -1, 'r', 3927),
    of_class(705, "unknown", -2, 'p', 0),
    of_class(2249, "record", -1, 'p', 2287),
    of_class(2275, "cstring", -2, 'p', 1263),
    of_class(2276, "any", 4, 'p', 0),
    of_class(2277, "anyarray", -1, 'p', 0),
    of_class(2278, "void", 4, 'p', 0),
    of_class(2283, "anyelement", 4, 'p', 0),
];

pub(super) const RECORD: u32 = 2249;
pub(super) const VOID: u32 = 2278;

pub(super) fn by_oid(oid: i64) -> Option<&'static Type> {
    TYPES.iter().find(|one| i64::from(one.oid) == oid)
}

/// The type of which this is the type of arrays.
pub(super) fn by_array(oid: i64) -> Option<&'static Type> {
    TYPES
        .iter()
        .find(|one| one.array != 0 && i64::from(one.array) == oid)
}

/// The number of a type by any of its names; an array's ends with brackets or begins with `_`.
pub(super) fn by_name(name: &str) -> Option<u32> {
    let name = name.trim().to_lowercase();
    let name = name.strip_prefix("pg_catalog.").unwrap_or(&name);
    if let Some(element) = name.strip_suffix("[]") {
        return array(by_name(element)?);
    }
    let bare = name.split('(').next().unwrap_or(name).trim();
    let bare = match bare {
        "int" => "int4",
        "float" | "double" => "float8",
        "decimal" => "numeric",
        "char" if name != "\"char\"" && !name.contains('"') => "bpchar",
        "\"char\"" | "chr" => "char",
        "string" => "text",
        "timestamp" if name.ends_with("with time zone") => "timestamptz",
        other => other.trim_matches('"'),
    };
    let found = TYPES.iter().find(|one| one.name == bare || one.sql == bare);
    let element = bare.strip_prefix('_');
    found
        .map(|one| one.oid)
        .or_else(|| array(by_name(element?)?))
}

/// The type of a type's arrays.
pub(super) fn array(element: u32) -> Option<u32> {
    let found = by_oid(element.into()).map(|one| one.array);
    found.filter(|array| *array != 0)
}

/// The type of an array's elements.
pub(super) fn element(array: u32) -> Option<u32> {
    match array {
        oids::INT2VECTOR => Some(oids::INT2),
        oids::OIDVECTOR => Some(oids::OID),
        2277 => Some(oids::TEXT),
        _ => by_array(array.into()).map(|one| one.oid),
    }
}

/// A type as SQL writes it, with what belongs to it: `numeric(18,2)`.
pub(super) fn format(oid: i64, modifier: Option<i64>) -> String {
    if oid == 0 {
        return "-".to_owned();
    }
    if let Some(element) = by_array(oid) {
        return format!("{}[]", format(element.oid.into(), modifier));
    }
    let Some(known) = by_oid(oid) else {
        return "???".to_owned();
    };
    let modifier = modifier.filter(|modifier| *modifier >= 0);
    match (known.oid, modifier) {
        (oids::NUMERIC, Some(modifier)) => {
            let both = modifier - 4;
            format!("numeric({},{})", both >> 16 & 0xffff, both & 0xffff)
        }
        (oids::VARCHAR, Some(modifier)) => format!("character varying({})", modifier - 4),
        (oids::BPCHAR, Some(modifier)) => format!("character({})", modifier - 4),
        (1114, Some(digits)) => format!("timestamp({digits}) without time zone"),
        (1184, Some(digits)) => format!("timestamp({digits}) with time zone"),
        _ => known.sql.to_owned(),
    }
}

/// Whether it is the type of a text.
pub(super) fn is_text(oid: u32) -> bool {
    matches!(
        oid,
        oids::TEXT | oids::VARCHAR | oids::BPCHAR | oids::NAME | oids::CHAR
    )
}

/// Whether it is the type of a number, also of one that is shown as a name.
pub(super) fn is_number(oid: u32) -> bool {
    by_oid(oid.into()).is_some_and(|one| one.category == 'N')
}
