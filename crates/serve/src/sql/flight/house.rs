//! What stands behind the door: log-ins, prepared statements, and those whose rows are to be
//! fetched.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use arrow_flight::sql::{ProstMessageExt as _, TicketStatementQuery};
use arrow_flight::{FlightEndpoint, FlightInfo, Ticket};
use arrow_schema::Schema;
use bytes::Bytes;
use chrono::TimeDelta;
use prost::Message as _;
use tokio::sync::Semaphore;
use tonic::{Code, Status};

use super::kept::{Entry, Kept, Most};
use super::login::{Caller, Logins};
use super::run::{Runs, Waiting};
use super::seal::{self, Purpose, Seal};
use super::work::Work;
use super::{error, parameters};
use crate::access::Session;
use crate::access::who::WhoError;
use crate::doors::Doors;

/// How long the rows of a statement can be fetched.
const FETCHED_WITHIN: TimeDelta = TimeDelta::minutes(10);
/// How long a prepared statement is kept that is not used.
const PREPARED_FOR: TimeDelta = TimeDelta::hours(12);
/// How long a handle fits at the most.
const HANDLE_FITS: TimeDelta = TimeDelta::days(7);
/// Statements of one principal whose rows can be fetched.
const WAITING: Most = Most {
    count: 1_000,
    bytes: 64 << 20,
    oldest_go: true,
};
/// Prepared statements of one principal.
const PREPARED: Most = Most {
    count: 1_000,
    bytes: 64 << 20,
    oldest_go: false,
};
/// Handshakes of which something is read at a time.
const HANDSHAKES: usize = 32;
/// What an entry takes beside its text, about, in bytes.
const ENTRY: usize = 1_024;

/// What stands behind the door.
pub(super) struct House {
    pub(super) doors: Doors,
    pub(super) logins: Logins,
    /// Places for handshakes of which something must be read before anybody is known.
    pub(super) handshakes: Semaphore,
    seal: Seal,
    waiting: Kept<Waiting>,
    prepared: Kept<Prepared>,
}

/// A prepared statement.
pub(super) struct Prepared {
    pub(super) work: Work,
    /// What its parameters were bound to.
    runs: Mutex<Option<Runs>>,
}

impl House {
    /// For a project.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub(super) fn new(doors: Doors) -> Result<Self, WhoError> {
        Ok(Self {
            logins: Logins::new(doors.clone()),
            handshakes: Semaphore::new(HANDSHAKES),
            doors,
            seal: Seal::new()?,
            waiting: Kept::new(WAITING),
            prepared: Kept::new(PREPARED),
        })
    }

    fn now(&self) -> i64 {
        (self.doors.clock)().timestamp_micros()
    }

    fn after(&self, time: TimeDelta) -> i64 {
        ((self.doors.clock)() + time).timestamp_micros()
    }

    /// The session of a call.
    pub(super) async fn session(&self, caller: &Caller) -> Result<Arc<Session>, Status> {
        let session = caller.session(&self.doors).await;
        session.map_err(|error| error::of(&error))
    }

    /// What a client needs to fetch the rows of a statement.
    pub(super) fn info_of_rows(
        &self,
        caller: &Caller,
        session: Arc<Session>,
        work: Work,
        runs: Runs,
    ) -> Result<FlightInfo, Status> {
        // Where the types of parameters follow from their values alone, so may those of the result.
        let is_typed = work.parameters().iter().all(|(_, known)| known.is_some());
        let schema = work.columns().filter(|_| is_typed);
        let id = seal::new_id().map_err(|_| no_random())?;
        let (snapshot, until) = (caller.snapshot(), self.after(FETCHED_WITHIN));
        let owner = caller.id();
        let sealed = self
            .seal
            .close(Purpose::Rows, until, &id, &owner, &snapshot);
        let bytes = ENTRY + work.sql().len() + runs.bytes();
        let waiting = Waiting::new(session, work, runs);
        let entry = Entry::new(owner, caller.login.number, bytes, waiting);
        let entry = entry.holding(&snapshot, until);
        if !self.waiting.insert(id, entry, self.now()) {
            return Err(too_many("statements wait to be fetched"));
        }
        info(schema.as_deref(), sealed, until)
    }

    /// What a client needs to fetch a description, of which this is the command.
    pub(super) fn info_of_description(
        &self,
        caller: &Caller,
        schema: &Schema,
        command: &[u8],
    ) -> Result<FlightInfo, Status> {
        let until = self.after(FETCHED_WITHIN);
        let owner = caller.id();
        let sealed = self
            .seal
            .close(Purpose::Description, until, command, &owner, "");
        info(Some(schema), sealed, until)
    }

    /// The command of a description, out of its ticket.
    pub(super) fn description(&self, caller: &Caller, ticket: &[u8]) -> Result<Bytes, Status> {
        let now = self.now();
        let found = self
            .seal
            .open(Purpose::Description, ticket, now, &caller.id(), "");
        let found = found.map(Bytes::copy_from_slice);
        found.ok_or_else(|| error::no_handle("ticket"))
    }

    /// The statement of a ticket.
    pub(super) fn waiting(
        &self,
        caller: &Caller,
        ticket: &[u8],
    ) -> Result<Arc<Entry<Waiting>>, Status> {
        let found = self.found(&self.waiting, Purpose::Rows, caller, ticket);
        let entry = found.ok_or_else(|| error::no_handle("ticket"))?;
        // What changes something is done once, however often its ticket is presented.
        if entry.value.is_once() {
            let taken = seal::id(ticket).and_then(|id| self.waiting.remove(&id));
            taken.ok_or_else(|| error::no_handle("ticket"))?;
        }
        Ok(entry)
    }

    /// What is kept under a sealed name, if the caller is who it was given to.
    fn found<T>(
        &self,
        kept: &Kept<T>,
        purpose: Purpose,
        caller: &Caller,
        sealed: &[u8],
    ) -> Option<Arc<Entry<T>>> {
        let now = self.now();
        let entry = seal::id(sealed).and_then(|id| kept.get(&id, now));
        let snapshot = entry.as_ref().map_or("", |entry| entry.snapshot.as_str());
        let owner = caller.id();
        self.seal.open(purpose, sealed, now, &owner, snapshot)?;
        entry.filter(|entry| entry.owner == owner)
    }

    /// Ends a statement, whether its rows are being fetched or not yet; false if there is none.
    pub(super) fn cancel(&self, caller: &Caller, ticket: &[u8]) -> bool {
        let Some(entry) = self.found(&self.waiting, Purpose::Rows, caller, ticket) else {
            return false;
        };
        if let Some(id) = seal::id(ticket) {
            self.waiting.remove(&id);
        }
        entry.value.cancel();
        true
    }

    /// Keeps a prepared statement; gives its handle.
    pub(super) fn keep_prepared(&self, caller: &Caller, work: Work) -> Result<Bytes, Status> {
        let id = seal::new_id().map_err(|_| no_random())?;
        let owner = caller.id();
        let fits = self.after(HANDLE_FITS);
        let handle = self.seal.close(Purpose::Prepared, fits, &id, &owner, "");
        let bytes = ENTRY + work.sql().len();
        let prepared = Prepared {
            work,
            runs: Mutex::default(),
        };
        let entry = Entry::new(owner, caller.login.number, bytes, prepared);
        let entry = entry.holding("", self.after(PREPARED_FOR));
        match self.prepared.insert(id, entry, self.now()) {
            true => Ok(handle),
            false => Err(too_many("statements are prepared")),
        }
    }

    /// A prepared statement, by its handle.
    pub(super) fn prepared(
        &self,
        caller: &Caller,
        handle: &[u8],
    ) -> Result<Arc<Entry<Prepared>>, Status> {
        let found = self.found(&self.prepared, Purpose::Prepared, caller, handle);
        let entry = found.ok_or_else(|| error::no_handle("prepared statement"))?;
        entry.keep_until(self.after(PREPARED_FOR));
        Ok(entry)
    }

    /// Binds the parameters of a prepared statement.
    pub(super) fn bind(
        &self,
        prepared: &Entry<Prepared>,
        batches: &[RecordBatch],
    ) -> Result<(), Status> {
        let work = &prepared.value.work;
        if matches!(work, Work::Change(_)) {
            return parameters::none(batches);
        }
        let known = work.parameters();
        let bytes = parameters::size(known, batches);
        let values = parameters::values(known, batches)?;
        if !self
            .prepared
            .resize(prepared, ENTRY + work.sql().len() + bytes)
        {
            return Err(too_many("parameters are bound"));
        }
        let bound = prepared.value.runs.lock();
        *bound.unwrap_or_else(PoisonError::into_inner) = Some(Runs::of(values, bytes));
        Ok(())
    }

    /// Keeps a prepared statement no longer.
    pub(super) fn close_prepared(&self, caller: &Caller, handle: &[u8]) -> Result<(), Status> {
        self.prepared(caller, handle)?;
        if let Some(id) = seal::id(handle) {
            self.prepared.remove(&id);
        }
        Ok(())
    }

    /// Ends a log-in with all that it has begun.
    pub(super) async fn log_out(&self, caller: &Caller) -> Result<(), Status> {
        self.prepared.end(caller.login.number);
        for entry in self.waiting.end(caller.login.number) {
            entry.value.cancel();
        }
        let ended = self.logins.log_out(&caller.login).await;
        ended.map_err(|error| error::of_login(&error))
    }
}

impl Prepared {
    /// What its parameters are bound to.
    pub(super) fn runs(&self) -> Result<Runs, Status> {
        let bound = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        match &*bound {
            Some(runs) => Ok(runs.clone()),
            None if self.work.parameters().is_empty() => Ok(Runs::one()),
            None => Err(error::said(
                Code::InvalidArgument,
                "07001",
                "the parameters of the statement have no values yet",
            )),
        }
    }
}

/// One endpoint: this server.
fn info(schema: Option<&Schema>, sealed: Bytes, until: i64) -> Result<FlightInfo, Status> {
    let handle = TicketStatementQuery {
        statement_handle: sealed,
    };
    let ticket = Ticket::new(handle.as_any().encode_to_vec());
    let expires = prost_types::Timestamp {
        seconds: until.div_euclid(1_000_000),
        nanos: i32::try_from(until.rem_euclid(1_000_000) * 1_000).unwrap_or_default(),
    };
    let endpoint = FlightEndpoint::new()
        .with_ticket(ticket)
        .with_expiration_time(expires);
    let info = FlightInfo::new().with_endpoint(endpoint);
    match schema {
        Some(schema) => info
            .try_with_schema(schema)
            .map_err(|_| error::internal("the schema cannot be sent")),
        None => Ok(info),
    }
}

fn too_many(what: &str) -> Status {
    let text = format!("too many {what}\nhint: close those that are not needed");
    error::said(Code::ResourceExhausted, "53300", text)
}

fn no_random() -> Status {
    error::internal("the machine gives no random numbers")
}
