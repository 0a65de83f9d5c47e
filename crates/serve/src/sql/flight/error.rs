//! What a client is told when something fails: a gRPC status, a sentence with its hint, and the
//! SQLSTATE in a header.

use arrow_flight::error::FlightError;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use crate::access::who::LoginError;
use crate::access::{AccessError, Reason};

/// The header (or trailer) of an error that holds its SQLSTATE.
pub const SQLSTATE: &str = "x-throughline-sqlstate";

/// Of an error of the gate.
pub(super) fn of(error: &AccessError) -> Status {
    let code = match error.reason {
        Reason::Denied => Code::PermissionDenied,
        Reason::Unknown => Code::Unauthenticated,
        Reason::PolicyChanged => Code::FailedPrecondition,
        Reason::NoTable => Code::NotFound,
        Reason::Unsupported => Code::Unimplemented,
        Reason::TooComplex | Reason::TooManyRows | Reason::OutOfMemory | Reason::TooMany => {
            Code::ResourceExhausted
        }
        // The gate has one reason for both, as PostgreSQL has one SQLSTATE.
        Reason::Cancelled if error.message.contains("was cancelled") => Code::Cancelled,
        Reason::Cancelled => Code::DeadlineExceeded,
        Reason::Internal => Code::Internal,
        _ => Code::InvalidArgument,
    };
    said(code, error.sqlstate(), error.to_string())
}

/// Of a log-in that did not end well.
pub(super) fn of_login(error: &LoginError) -> Status {
    match error {
        LoginError::Refused => said(Code::Unauthenticated, "28P01", error.to_string()),
        LoginError::Slowed(_) => said(Code::ResourceExhausted, "28000", error.to_string()),
        LoginError::NotPrivate => {
            let text = format!("{error}\nhint: connect with grpc+tls://");
            said(Code::Unauthenticated, "28000", text)
        }
        LoginError::Failed(why) => {
            log::error!("log-in at the Flight SQL door: {why}");
            said(
                Code::Unavailable,
                "58000",
                "log-in is not possible at the moment",
            )
        }
    }
}

/// Of a call without a log-in that holds.
pub(super) fn nobody() -> Status {
    said(
        Code::Unauthenticated,
        "28000",
        "nobody is logged in, or not any more\n\
         hint: log in by a handshake with name and password, or send a service token as bearer",
    )
}

/// Of a door that has too many in front of it.
pub(super) fn busy() -> Status {
    said(
        Code::Unavailable,
        "53300",
        "too many log in at this time\nhint: try again",
    )
}

/// Of a ticket or handle that is not (or no longer) the caller's. It is the same for those of
/// others, those that were made up, and those whose time is over.
pub(super) fn no_handle(what: &str) -> Status {
    let text = format!("there is no such {what}, or its time is over\nhint: ask for a new one");
    said(Code::NotFound, "26000", text)
}

/// Of something that a client sent and that cannot be understood.
pub(super) fn malformed(what: &str) -> Status {
    said(
        Code::InvalidArgument,
        "08P01",
        format!("{what} cannot be read"),
    )
}

/// Of something that there is not.
pub(super) fn unsupported(message: &str, hint: &str) -> Status {
    let text = format!("{message}\nhint: {hint}");
    said(Code::Unimplemented, "0A000", text)
}

/// Of a fault of the server.
pub(super) fn internal(what: &str) -> Status {
    said(Code::Internal, "XX000", what)
}

/// Of rows that cannot be sent. What the libraries say about them could hold values.
pub(super) fn of_stream(error: FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => *status,
        _ => internal("the rows cannot be sent in Arrow's format"),
    }
}

/// A status with its SQLSTATE.
pub(super) fn said(code: Code, sqlstate: &'static str, message: impl Into<String>) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert(SQLSTATE, MetadataValue::from_static(sqlstate));
    Status::with_metadata(code, message, metadata)
}
