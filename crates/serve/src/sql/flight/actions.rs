//! Actions of Flight beside those of Flight SQL: cancelling, renewing, and what a client sets.

use arrow_flight::sql::{Any, TicketStatementQuery};
use arrow_flight::{
    Action, ActionType, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo,
};
use bytes::Bytes;
use prost::Message;
use tonic::Status;

use super::error;
use super::house::House;
use super::login::{Caller, Options};
use super::options::{CloseResult, GetResult, OptionValue, SetError, SetRequest, SetResult, Wrong};
use crate::access::session::CATALOG;

const CANCEL: &str = "CancelFlightInfo";
const CLOSE: &str = "CloseSession";
const SET: &str = "SetSessionOptions";
const GET: &str = "GetSessionOptions";

/// The actions with what they do.
const ACTIONS: [(&str, &str); 7] = [
    (
        "CreatePreparedStatement",
        "Prepares a statement, with its columns and parameters",
    ),
    ("ClosePreparedStatement", "Forgets a prepared statement"),
    (
        "CancelQuery",
        "Cancels a query by its FlightInfo, as older clients do",
    ),
    (CANCEL, "Cancels a query by its FlightInfo"),
    (CLOSE, "Ends the log-in with all that it has begun"),
    (
        SET,
        "Sets as_of, schema, timezone or statement_timeout for the statements that come",
    ),
    (GET, "Gives these options as they are"),
];

/// Options that are settings of the gate's sessions, by the names that clients know them by.
const SETTINGS: [(&str, &str); 5] = [
    ("schema", "search_path"),
    ("search_path", "search_path"),
    ("statement_timeout", "statement_timeout"),
    ("time_zone", "timezone"),
    ("timezone", "timezone"),
];
/// The option that says which state of the tables is read.
const AS_OF: &str = "as_of";
/// The option of which there is one value.
const CATALOG_OPTION: &str = "catalog";
/// Most options that are looked at in one request.
const AT_ONCE: usize = 100;
/// The session is closed.
const CLOSED: i32 = 1;

/// The actions, as clients can list them.
pub(super) fn listed() -> impl Iterator<Item = ActionType> {
    ACTIONS.into_iter().map(|(name, description)| ActionType {
        r#type: name.to_owned(),
        description: description.to_owned(),
    })
}

/// Performs an action; gives what is to be answered.
///
/// # Errors
/// There is no such action, or it cannot be done.
pub(super) async fn perform(
    house: &House,
    caller: &Caller,
    action: &Action,
) -> Result<Bytes, Status> {
    let answer = match action.r#type.as_str() {
        CANCEL => {
            let request: CancelFlightInfoRequest = read(action)?;
            let info = request.info.unwrap_or_default();
            let status = cancel(house, caller, &info);
            CancelFlightInfoResult { status }.encode_to_vec()
        }
        CLOSE => {
            house.log_out(caller).await?;
            CloseResult { status: CLOSED }.encode_to_vec()
        }
        SET => set(house, caller, read(action)?).await?.encode_to_vec(),
        GET => get(house, caller).await?.encode_to_vec(),
        _ => {
            return Err(error::unsupported(
                "there is no such action",
                "see ListActions",
            ));
        }
    };
    Ok(answer.into())
}

/// The message of an action. Some clients wrap it as those of Flight SQL are wrapped.
fn read<M: Message + Default>(action: &Action) -> Result<M, Status> {
    let wrapped = Any::decode(action.body.clone()).ok();
    let wrapped = wrapped.filter(|any| any.type_url.starts_with("type.googleapis.com/"));
    let body = wrapped.map_or_else(|| action.body.clone(), |any| any.value);
    M::decode(body).map_err(|_| error::malformed("the action"))
}

/// Cancels the statements of a flight; gives the status to be answered.
pub(super) fn cancel(house: &House, caller: &Caller, info: &FlightInfo) -> i32 {
    let tickets = info.endpoint.iter().filter_map(|one| one.ticket.as_ref());
    let handles = tickets.filter_map(|ticket| {
        let any = Any::decode(ticket.ticket.clone()).ok()?;
        let handle = any.unpack::<TicketStatementQuery>().ok()??;
        Some(handle.statement_handle)
    });
    let mut is_any = false;
    for handle in handles {
        is_any |= house.cancel(caller, &handle);
    }
    match is_any {
        true => CancelStatus::Cancelled.into(),
        false => CancelStatus::NotCancellable.into(),
    }
}

/// Sets options: those that can be, and tells of the others.
async fn set(house: &House, caller: &Caller, request: SetRequest) -> Result<SetResult, Status> {
    if request.options.len() > AT_ONCE {
        return Err(error::malformed("so many options"));
    }
    let mut result = SetResult::default();
    let mut options = caller.login.options().clone();
    for (name, value) in request.options {
        let with = with(&options, &name, &value);
        let tried = match with {
            Ok(with) => tried(house, caller, with).await,
            Err(wrong) => Err(wrong),
        };
        match tried {
            Ok(with) => options = with,
            Err(wrong) => {
                let error = SetError {
                    value: wrong.into(),
                };
                result.errors.insert(name, error);
            }
        }
    }
    caller.login.set_options(options);
    Ok(result)
}

/// The options with one more.
fn with(options: &Options, name: &str, value: &OptionValue) -> Result<Options, Wrong> {
    let mut options = options.clone();
    let name = name.to_ascii_lowercase();
    let text = value.as_text().filter(|text| !text.is_empty());
    if name == AS_OF {
        options.as_of = text;
        return Ok(options);
    }
    if name == CATALOG_OPTION {
        return match text.as_deref() {
            None | Some(CATALOG) => Ok(options),
            Some(_) => Err(Wrong::Value),
        };
    }
    let known = SETTINGS.iter().find(|(known, _)| *known == name);
    let (_, setting) = known.ok_or(Wrong::Name)?;
    match text {
        Some(text) => options.settings.insert((*setting).to_owned(), text),
        None => options.settings.remove(*setting),
    };
    Ok(options)
}

/// The options, if a session can be opened with them.
async fn tried(house: &House, caller: &Caller, options: Options) -> Result<Options, Wrong> {
    let snapshot = options.as_of.clone().unwrap_or_default();
    let session = caller
        .login
        .open(&house.doors, &caller.principal, &snapshot, &options)
        .await;
    session.map(|_| options).map_err(|_| Wrong::Value)
}

async fn get(house: &House, caller: &Caller) -> Result<GetResult, Status> {
    let session = house.session(caller).await?;
    let mut result = GetResult::default();
    let mut tell = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let value = OptionValue::text(value);
            result.options.insert(name.to_owned(), value);
        }
    };
    tell(CATALOG_OPTION, Some(CATALOG.to_owned()));
    tell(AS_OF, caller.login.options().as_of.clone());
    for (name, setting) in [
        ("schema", "search_path"),
        ("timezone", "timezone"),
        ("statement_timeout", "statement_timeout"),
    ] {
        tell(name, session.setting(setting));
    }
    Ok(result)
}
