//! What a client is told when the gate says no, or when a query fails: a SQLSTATE, a sentence and a
//! hint. None of them ever holds a value of a governed row.

use std::fmt;

use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

/// Why it failed. Each has its SQLSTATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The principal may not do this.
    Denied,
    /// The principal is not (or no longer) known.
    Unknown,
    /// What may be seen has changed since the query was planned.
    PolicyChanged,
    /// The statement cannot be parsed.
    Syntax,
    /// There is no such table for this principal.
    NoTable,
    /// There is no such column for this principal.
    NoColumn,
    /// There is no such function for this principal.
    NoFunction,
    /// Types do not fit, or the statement cannot be planned.
    Invalid,
    /// The gate does not offer it.
    Unsupported,
    /// The statement is too long, too deep or too large.
    TooComplex,
    /// The time is up, or the client cancelled.
    Cancelled,
    /// More rows than allowed.
    TooManyRows,
    /// Not enough memory, or too much was spilt to disk.
    OutOfMemory,
    /// Too many queries at a time.
    TooMany,
    /// A division by zero.
    DivisionByZero,
    /// A value cannot be cast or read.
    BadValue,
    /// A number is too large.
    OutOfRange,
    /// An expression failed on a row.
    Failed,
    /// A setting that there is not, or that may not be set.
    Setting,
    /// There is a table, view or schema of this name already.
    Exists,
    /// There is no such schema for this principal.
    NoSchema,
    /// Others need it.
    InUse,
    /// It is of another kind: a view, a table.
    OtherKind,
    /// An own schema is full.
    Full,
    /// Somebody else changed it meanwhile.
    Conflict,
    /// The session only reads.
    ReadOnly,
    /// A fault of the server.
    Internal,
}

impl Reason {
    /// The SQLSTATE.
    pub fn sqlstate(self) -> &'static str {
        match self {
            Self::Denied => "42501",
            Self::Unknown => "28000",
            Self::PolicyChanged => "0A000",
            Self::Syntax => "42601",
            Self::NoTable => "42P01",
            Self::NoColumn => "42703",
            Self::NoFunction => "42883",
            Self::Invalid => "42000",
            Self::Unsupported => "0A000",
            Self::TooComplex => "54001",
            Self::Cancelled => "57014",
            Self::TooManyRows => "54000",
            Self::OutOfMemory => "53200",
            Self::TooMany => "53300",
            Self::DivisionByZero => "22012",
            Self::BadValue => "22P02",
            Self::OutOfRange => "22003",
            Self::Failed => "22000",
            Self::Setting => "42704",
            Self::Exists => "42P07",
            Self::NoSchema => "3F000",
            Self::InUse => "2BP01",
            Self::OtherKind => "42809",
            Self::Full => "53100",
            Self::Conflict => "40001",
            Self::ReadOnly => "25006",
            Self::Internal => "XX000",
        }
    }
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessError {
    /// Why.
    pub reason: Reason,
    /// What happened: one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Result of the gate.
pub type Result<T, E = AccessError> = std::result::Result<T, E>;

impl fmt::Display for AccessError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.message)?;
        match &self.hint {
            Some(hint) => write!(out, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for AccessError {}

impl From<AccessError> for DataFusionError {
    fn from(error: AccessError) -> Self {
        Self::External(Box::new(error))
    }
}

impl AccessError {
    /// An error with its sentence.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The SQLSTATE.
    pub fn sqlstate(&self) -> &'static str {
        self.reason.sqlstate()
    }

    /// Of an error while a statement is planned. Its text names only what the client wrote and what
    /// it may see: tables and columns outside its grants are not in its catalogue.
    pub fn of_planning(error: &DataFusionError) -> Self {
        if let Some(known) = own(error) {
            return known;
        }
        let message = plain(&error.strip_backtrace());
        match error.find_root() {
            DataFusionError::SQL(..) => Self::new(Reason::Syntax, message),
            DataFusionError::SchemaError(schema, _) => Self::new(
                match &**schema {
                    SchemaError::FieldNotFound { .. } => Reason::NoColumn,
                    _ => Reason::Invalid,
                },
                message,
            ),
            DataFusionError::NotImplemented(_) => Self::new(Reason::Unsupported, message),
            DataFusionError::Plan(text) if is_no_table(text) => no_table(text),
            DataFusionError::Plan(text) if text.contains("Invalid function") => {
                Self::new(Reason::NoFunction, message)
            }
            DataFusionError::Plan(_) => Self::new(Reason::Invalid, message),
            DataFusionError::Internal(_) => {
                Self::new(Reason::Unsupported, "the engine cannot plan this statement")
                    .hint("write it in another way; a subquery may have to become a join")
            }
            _ => Self::of_running(error),
        }
    }

    /// Of an error while a query runs. Its text says what kind of thing happened, never to which
    /// value: the engine's own texts print values of rows.
    pub fn of_running(error: &DataFusionError) -> Self {
        if let Some(known) = own(error) {
            return known;
        }
        let new = |reason, text: &str| Self::new(reason, text);
        match error.find_root() {
            DataFusionError::ArrowError(arrow, _) => of_arrow(arrow),
            DataFusionError::ResourcesExhausted(_) => new(
                Reason::OutOfMemory,
                "the query needs more memory than it may use",
            )
            .hint("read fewer columns or rows, or aggregate before joining"),
            DataFusionError::NotImplemented(_) => {
                new(Reason::Unsupported, "the engine cannot do this")
            }
            DataFusionError::Execution(text) if text.contains("ivide by zero") => {
                new(Reason::DivisionByZero, "division by zero")
            }
            DataFusionError::Execution(text) if text.contains("`sum_money`") => new(
                Reason::Failed,
                "`sum_money` does not add different currencies",
            )
            .hint("group by currency_code, or add the reporting amounts"),
            DataFusionError::Execution(text) if text.starts_with(super::session::BOUND) => {
                new(Reason::TooManyRows, text)
            }
            DataFusionError::Execution(_) | DataFusionError::External(_) => {
                new(Reason::Failed, "an expression of the query failed on a row")
                    .hint("try_cast and nullif give null in the place of an error")
            }
            DataFusionError::SchemaError(..) | DataFusionError::Plan(_) => {
                new(Reason::Invalid, "the query cannot be planned")
            }
            _ => new(Reason::Internal, "the query failed inside the server"),
        }
    }
}

/// The gate's own error within one of the engine.
fn own(error: &DataFusionError) -> Option<AccessError> {
    match error {
        DataFusionError::External(inner) => match inner.downcast_ref::<AccessError>() {
            Some(known) => Some(known.clone()),
            None => own(inner.downcast_ref::<DataFusionError>()?),
        },
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => own(inner),
        DataFusionError::Shared(inner) => own(inner),
        DataFusionError::Collection(all) => all.iter().find_map(own),
        DataFusionError::ArrowError(arrow, _) => match &**arrow {
            ArrowError::ExternalError(inner) => match inner.downcast_ref::<DataFusionError>() {
                Some(inner) => own(inner),
                None => inner.downcast_ref::<AccessError>().cloned(),
            },
            _ => None,
        },
        _ => None,
    }
}

fn of_arrow(error: &ArrowError) -> AccessError {
    match error {
        ArrowError::DivideByZero => AccessError::new(Reason::DivisionByZero, "division by zero"),
        ArrowError::ArithmeticOverflow(_) => {
            AccessError::new(Reason::OutOfRange, "a number is out of range")
        }
        ArrowError::CastError(_)
        | ArrowError::ParseError(_)
        | ArrowError::InvalidArgumentError(_) => {
            AccessError::new(Reason::BadValue, "a value cannot be cast or read as asked")
                .hint("try_cast gives null in the place of an error")
        }
        ArrowError::MemoryError(_) => AccessError::new(
            Reason::OutOfMemory,
            "the query needs more memory than it may use",
        ),
        _ => AccessError::new(Reason::Failed, "an expression of the query failed on a row"),
    }
}

fn is_no_table(text: &str) -> bool {
    (text.starts_with("table '") && text.contains("not found"))
        || text.starts_with("failed to resolve")
}

/// One answer for what does not exist and for what is not granted.
fn no_table(text: &str) -> AccessError {
    let name = text.split('\'').nth(1).unwrap_or_default();
    let name = name.strip_prefix("throughline.").unwrap_or(name);
    let message = match name {
        "" => "there is no such table, or you may not read it".to_owned(),
        name => format!("there is no table `{name}`, or you may not read it"),
    };
    AccessError::new(Reason::NoTable, message)
        .hint("what you may read: select table_schema, table_name from information_schema.tables")
}

/// The engine's text without its own headings.
fn plain(text: &str) -> String {
    let headings = [
        "Error during planning: ",
        "Schema error: ",
        "SQL error: ",
        "This feature is not implemented: ",
    ];
    let mut text = text.trim();
    while let Some(rest) = headings
        .iter()
        .find_map(|heading| text.strip_prefix(heading))
    {
        text = rest;
    }
    text.chars().take(1_000).collect()
}
