//! What a client of the Postgres wire is told when something fails.

use std::io;

use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError};
use datafusion_postgres::pgwire::messages::response::{ErrorResponse, NoticeResponse};

use crate::access::{AccessError, Reason};

/// An error with its SQLSTATE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PgError {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) detail: Option<String>,
    pub(super) hint: Option<String>,
    /// The connection ends with it.
    pub(super) is_fatal: bool,
}

/// Why the work on a message ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The client is told, and goes on.
    Failed(PgError),
    /// There is no client any more.
    Gone,
}

pub(super) type Result<T, E = Stop> = std::result::Result<T, E>;

impl PgError {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            detail: None,
            hint: None,
            is_fatal: false,
        }
    }

    pub(super) fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            is_fatal: true,
            ..Self::new(code, message)
        }
    }

    pub(super) fn syntax(message: impl Into<String>) -> Self {
        Self::new("42601", message)
    }

    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        Self::new("0A000", message)
    }

    pub(super) fn protocol(message: impl Into<String>) -> Self {
        Self::new("08P01", message)
    }

    pub(super) fn cancelled() -> Self {
        Self::new("57014", "canceling statement due to user request")
    }

    /// Nothing but the end of the transaction is answered now.
    pub(super) fn aborted() -> Self {
        Self::new(
            "25P02",
            "current transaction is aborted, commands ignored until end of transaction block",
        )
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn info(self, severity: &str) -> ErrorInfo {
        let mut info = ErrorInfo::new(severity.to_owned(), self.code.to_owned(), self.message);
        info.severity_nonlocalized = Some(severity.to_owned());
        info.detail = self.detail;
        info.hint = self.hint;
        info
    }

    pub(super) fn response(self) -> ErrorResponse {
        let severity = if self.is_fatal { "FATAL" } else { "ERROR" };
        self.info(severity).into()
    }

    pub(super) fn warning(self) -> NoticeResponse {
        // What went well and is only said needs no attention.
        let severity = if self.code == "00000" {
            "NOTICE"
        } else {
            "WARNING"
        };
        self.info(severity).into()
    }
}

impl From<AccessError> for PgError {
    fn from(error: AccessError) -> Self {
        Self {
            code: error.sqlstate(),
            is_fatal: error.reason == Reason::Unknown,
            message: error.message,
            detail: None,
            hint: error.hint,
        }
    }
}

impl From<PgError> for Stop {
    fn from(error: PgError) -> Self {
        Self::Failed(error)
    }
}

impl From<AccessError> for Stop {
    fn from(error: AccessError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// The library's error as the client is told it.
pub(super) fn of_library(error: PgWireError) -> ErrorResponse {
    let mut info: ErrorInfo = error.into();
    info.severity = "FATAL".to_owned();
    info.severity_nonlocalized = Some("FATAL".to_owned());
    info.into()
}
