//! Statements: plain ones, prepared ones, and what is refused.

use std::pin::Pin;
use std::sync::Arc;

use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::server::{DoPutError, FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionBeginSavepointRequest, ActionBeginSavepointResult, ActionBeginTransactionRequest,
    ActionBeginTransactionResult, ActionCancelQueryRequest, ActionCancelQueryResult,
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest,
    ActionCreatePreparedStatementResult, ActionCreatePreparedSubstraitPlanRequest,
    ActionEndSavepointRequest, ActionEndTransactionRequest, Any, Command,
    CommandPreparedStatementQuery, CommandPreparedStatementUpdate, CommandStatementIngest,
    CommandStatementQuery, CommandStatementSubstraitPlan, CommandStatementUpdate,
    DoPutPreparedStatementResult, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{Action, FlightDescriptor, FlightInfo, Ticket};
use bytes::Bytes;
use futures::StreamExt as _;
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::house::House;
use super::login::Caller;
use super::run::Runs;
use super::work::Work;
use super::{actions, describe, error, parameters, run, stream, work};
use crate::access::{AccessError, Reason, Session};

/// The calls of Flight SQL.
#[derive(Clone)]
pub(super) struct Sql(pub(super) Arc<House>);

/// Who a call is from. The guard has let nobody else come so far.
pub(super) fn caller<T>(request: &Request<T>) -> Result<Arc<Caller>, Status> {
    let caller = request.extensions().get::<Arc<Caller>>().cloned();
    caller.ok_or_else(error::nobody)
}

type Info = Result<Response<FlightInfo>, Status>;

#[tonic::async_trait]
impl FlightSqlService for Sql {
    type FlightService = Self;

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Info {
        no_transaction(query.transaction_id.as_ref())?;
        let caller = caller(&request)?;
        let session = self.0.session(&caller).await?;
        let work = Work::of(&session, &query.query).await?;
        if !work.parameters().is_empty() {
            let error = AccessError::new(Reason::Invalid, "the statement has parameters");
            let error = error.hint("prepare it and bind their values");
            return Err(error::of(&error));
        }
        let runs = Runs::one();
        let info = self.0.info_of_rows(&caller, session, work, runs)?;
        Ok(Response::new(info.with_descriptor(request.into_inner())))
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Info {
        let caller = caller(&request)?;
        let prepared = self.0.prepared(&caller, &query.prepared_statement_handle)?;
        let session = self.0.session(&caller).await?;
        let (work, runs) = (prepared.value.work.clone(), prepared.value.runs()?);
        let info = self.0.info_of_rows(&caller, session, work, runs)?;
        Ok(Response::new(info.with_descriptor(request.into_inner())))
    }

    async fn get_flight_info_substrait_plan(
        &self,
        _: CommandStatementSubstraitPlan,
        _: Request<FlightDescriptor>,
    ) -> Info {
        Err(no_substrait())
    }

    async fn get_flight_info_fallback(&self, _: Command, _: Request<FlightDescriptor>) -> Info {
        Err(error::unsupported(
            "this command is not known",
            "send one of Flight SQL",
        ))
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        let caller = caller(&request)?;
        let waiting = self.0.waiting(&caller, &ticket.statement_handle)?;
        let (schema, rows) = run::rows(waiting).await?;
        Ok(Response::new(stream::encoded(schema, rows)))
    }

    async fn do_put_statement_update(
        &self,
        update: CommandStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        no_transaction(update.transaction_id.as_ref())?;
        let caller = caller(&request)?;
        let session = self.0.session(&caller).await?;
        changed(&session, &update.query).await
    }

    async fn do_put_statement_ingest(
        &self,
        _: CommandStatementIngest,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(error::unsupported(
            "tables are not filled through this door",
            "put files where a source of the project reads them",
        ))
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let caller = caller(&request)?;
        let handle = query.prepared_statement_handle;
        let prepared = self.0.prepared(&caller, &handle)?;
        let batches = parameters::read(request.into_inner()).await?;
        self.0.bind(&prepared, &batches)?;
        Ok(DoPutPreparedStatementResult {
            prepared_statement_handle: Some(handle),
        })
    }

    async fn do_put_prepared_statement_update(
        &self,
        update: CommandPreparedStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        let caller = caller(&request)?;
        let prepared = self
            .0
            .prepared(&caller, &update.prepared_statement_handle)?;
        parameters::none(&parameters::read(request.into_inner()).await?)?;
        let session = self.0.session(&caller).await?;
        changed(&session, prepared.value.work.sql()).await
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        no_transaction(query.transaction_id.as_ref())?;
        let caller = caller(&request)?;
        let session = self.0.session(&caller).await?;
        let work = Work::of(&session, &query.query).await?;
        // Without columns it is a change: so drivers know which call runs it.
        let dataset_schema = match work.columns() {
            Some(columns) => stream::schema_bytes(&columns)?,
            None => Bytes::new(),
        };
        let known = parameters::schema(work.parameters());
        let parameter_schema = stream::schema_bytes(&known)?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: self.0.keep_prepared(&caller, work)?,
            dataset_schema,
            parameter_schema,
        })
    }

    async fn do_action_create_prepared_substrait_plan(
        &self,
        _: ActionCreatePreparedSubstraitPlanRequest,
        _: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        Err(no_substrait())
    }

    async fn do_action_close_prepared_statement(
        &self,
        query: ActionClosePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        let caller = caller(&request)?;
        self.0
            .close_prepared(&caller, &query.prepared_statement_handle)
    }

    async fn do_action_begin_transaction(
        &self,
        _: ActionBeginTransactionRequest,
        _: Request<Action>,
    ) -> Result<ActionBeginTransactionResult, Status> {
        Err(no_transactions())
    }

    async fn do_action_end_transaction(
        &self,
        _: ActionEndTransactionRequest,
        _: Request<Action>,
    ) -> Result<(), Status> {
        Err(no_transactions())
    }

    async fn do_action_begin_savepoint(
        &self,
        _: ActionBeginSavepointRequest,
        _: Request<Action>,
    ) -> Result<ActionBeginSavepointResult, Status> {
        Err(no_transactions())
    }

    async fn do_action_end_savepoint(
        &self,
        _: ActionEndSavepointRequest,
        _: Request<Action>,
    ) -> Result<(), Status> {
        Err(no_transactions())
    }

    async fn do_action_cancel_query(
        &self,
        query: ActionCancelQueryRequest,
        request: Request<Action>,
    ) -> Result<ActionCancelQueryResult, Status> {
        let caller = caller(&request)?;
        let info = FlightInfo::decode(query.info).map_err(|_| error::malformed("the flight"))?;
        let result = actions::cancel(&self.0, &caller, &info);
        Ok(ActionCancelQueryResult { result })
    }

    async fn do_action_fallback(
        &self,
        request: Request<Action>,
    ) -> Result<Response<<Self as FlightService>::DoActionStream>, Status> {
        let caller = caller(&request)?;
        let action = request.into_inner();
        let body = actions::perform(&self.0, &caller, &action).await?;
        let result = futures::stream::once(async { Ok(arrow_flight::Result { body }) });
        Ok(Response::new(Box::pin(result)))
    }

    async fn do_get_fallback(
        &self,
        request: Request<Ticket>,
        _: Any,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        caller(&request)?;
        Err(error::no_handle("ticket"))
    }

    async fn do_put_substrait_plan(
        &self,
        _: CommandStatementSubstraitPlan,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(no_substrait())
    }

    async fn do_put_error_callback(
        &self,
        _: Request<PeekableFlightDataStream>,
        _: DoPutError,
    ) -> Result<Response<<Self as FlightService>::DoPutStream>, Status> {
        Err(error::malformed("a stream that begins without a command"))
    }

    async fn do_put_fallback(
        &self,
        _: Request<PeekableFlightDataStream>,
        _: Any,
    ) -> Result<Response<<Self as FlightService>::DoPutStream>, Status> {
        Err(error::unsupported(
            "nothing is taken but parameters of prepared statements",
            "put files where a source of the project reads them",
        ))
    }

    /// What there is to say about the server is said by [`describe`].
    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}

impl Sql {
    /// The rows of a description, out of its ticket.
    pub(super) async fn described(
        &self,
        caller: &Caller,
        command: &Bytes,
    ) -> Result<stream::Flow, Status> {
        let command = describe::read(command)?.ok_or_else(|| error::no_handle("ticket"))?;
        let schema = describe::schema(&command);
        let batch = describe::rows(&self.0, caller, command).await?;
        let encoder = FlightDataEncoderBuilder::new().with_schema(schema);
        let rows = encoder.build(futures::stream::once(async { Ok(batch) }));
        let rows: Pin<Box<dyn futures::Stream<Item = _> + Send>> =
            Box::pin(rows.map(|data| data.map_err(error::of_stream)));
        Ok(rows)
    }
}

/// Does what a statement says that was sent as one that changes something; gives the rows that it
/// changed, or -1 where it is not about rows.
async fn changed(session: &Session, sql: &str) -> Result<i64, Status> {
    let done = match work::is_change(sql) {
        true => Box::pin(work::change(session, sql)).await,
        false => match session.prepare(sql).await {
            Ok(_) => Err(work::gives_rows()),
            Err(error) => Err(error),
        },
    };
    let rows = done.map_err(|error| error::of(&error))?;
    Ok(rows.map_or(-1, |rows| i64::try_from(rows).unwrap_or(i64::MAX)))
}

fn no_transaction(id: Option<&Bytes>) -> Result<(), Status> {
    match id {
        Some(id) if !id.is_empty() => Err(no_transactions()),
        _ => Ok(()),
    }
}

fn no_substrait() -> Status {
    error::unsupported("plans of Substrait are not run", "send SQL")
}

fn no_transactions() -> Status {
    error::unsupported(
        "there are no transactions",
        "leave autocommit on: each statement reads one state of the tables",
    )
}
