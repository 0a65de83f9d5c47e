//! The numbers that PostgreSQL's types are known by.

pub(super) const BOOL: u32 = 16;
pub(super) const BYTEA: u32 = 17;
pub(super) const CHAR: u32 = 18;
pub(super) const NAME: u32 = 19;
pub(super) const INT8: u32 = 20;
pub(super) const INT2: u32 = 21;
pub(super) const INT2VECTOR: u32 = 22;
pub(super) const INT4: u32 = 23;
pub(super) const REGPROC: u32 = 24;
pub(super) const TEXT: u32 = 25;
pub(super) const OID: u32 = 26;
pub(super) const XID: u32 = 28;
pub(super) const OIDVECTOR: u32 = 30;
pub(super) const JSON: u32 = 114;
pub(super) const FLOAT4: u32 = 700;
pub(super) const FLOAT8: u32 = 701;
pub(super) const UNKNOWN: u32 = 705;
pub(super) const BPCHAR: u32 = 1042;
pub(super) const VARCHAR: u32 = 1043;
pub(super) const DATE: u32 = 1082;
pub(super) const TIME: u32 = 1083;
pub(super) const TIMESTAMP: u32 = 1114;
pub(super) const TIMESTAMPTZ: u32 = 1184;
pub(super) const INTERVAL: u32 = 1186;
pub(super) const NUMERIC: u32 = 1700;
pub(super) const REGCLASS: u32 = 2205;
pub(super) const REGTYPE: u32 = 2206;
pub(super) const UUID: u32 = 2950;
pub(super) const JSONB: u32 = 3802;
pub(super) const REGNAMESPACE: u32 = 4089;
pub(super) const REGROLE: u32 = 4096;

/// Types that have a type of arrays: the element's number and the array's.
pub(super) const ARRAYS: [(u32, u32); 28] = [
    (BOOL, 1000),
    (BYTEA, 1001),
    (CHAR, 1002),
    (NAME, 1003),
    (INT8, 1016),
    (INT2, 1005),
    (INT2VECTOR, 1006),
    (INT4, 1007),
    (REGPROC, 1008),
    (TEXT, 1009),
    (OID, 1028),
    (XID, 1011),
    (OIDVECTOR, 1013),
    (JSON, 199),
    (FLOAT4, 1021),
    (FLOAT8, 1022),
    (BPCHAR, 1014),
    (VARCHAR, 1015),
    (DATE, 1182),
    (TIME, 1183),
    (TIMESTAMP, 1115),
    (TIMESTAMPTZ, 1185),
    (INTERVAL, 1187),
    (NUMERIC, 1231),
    (REGCLASS, 2210),
    (REGTYPE, 2211),
    (UUID, 2951),
    (JSONB, 3807),
];

/// The type of arrays of a type.
pub(super) fn array_of(element: u32) -> Option<u32> {
    ARRAYS
        .iter()
        .find(|(own, _)| *own == element)
        .map(|(_, array)| *array)
}

/// The type of an array's elements.
pub(super) fn element_of(array: u32) -> Option<u32> {
    ARRAYS
        .iter()
        .find(|(_, own)| *own == array)
        .map(|(element, _)| *element)
}

/// Bytes of a type's values; -1 if they differ.
pub(super) fn length(oid: u32) -> i16 {
    match oid {
        BOOL | CHAR => 1,
        INT2 => 2,
        INT4 | OID | FLOAT4 | DATE | REGPROC | REGCLASS | REGTYPE | REGNAMESPACE | REGROLE
        | XID => 4,
        INT8 | FLOAT8 | TIMESTAMP | TIMESTAMPTZ | TIME => 8,
        INTERVAL | UUID => 16,
        NAME => 64,
        _ => -1,
    }
}
