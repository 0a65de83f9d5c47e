//! Statements: plain ones, prepared ones, and what is refused.

use std::pin::Pin;
use std::sync::Arc;

use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionBeginSavepointRequest, ActionBeginSavepointResult, ActionBeginTransactionRequest,
    ActionBeginTransactionResult, ActionCancelQueryRequest, ActionCancelQueryResult,
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest,
    ActionCreatePreparedStatementResult, ActionEndSavepointRequest, ActionEndTransactionRequest,
    Any, CommandPreparedStatementQuery, CommandPreparedStatementUpdate, CommandStatementIngest,
    CommandStatementQuery, CommandStatementUpdate, DoPutPreparedStatementResult, SqlInfo,
    TicketStatementQuery,
};
use arrow_flight::{Action, ActionType, FlightDescriptor, FlightInfo, Ticket};
use bytes::Bytes;
use futures::StreamExt as _;
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::house::{House, Runs};
use super::login::Caller;
use super::{actions, describe, error, house, parameters, placeholders, stream};
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
        let statement = session.prepare(&placeholders::numbered(&query.query)).await;
        let statement = statement.map_err(|error| error::of(&error))?;
        if !statement.parameters().is_empty() {
            let error = AccessError::new(Reason::Invalid, "the statement has parameters");
            let error = error.hint("prepare it and bind their values");
            return Err(error::of(&error));
        }
        let runs = Runs::one();
        let info = self.0.info_of_rows(&caller, session, statement, runs)?;
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
        let (statement, runs) = (prepared.value.statement.clone(), prepared.value.runs()?);
        let info = self.0.info_of_rows(&caller, session, statement, runs)?;
        Ok(Response::new(info.with_descriptor(request.into_inner())))
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        let caller = caller(&request)?;
        let waiting = self.0.waiting(&caller, &ticket.statement_handle)?;
        let (schema, rows) = house::rows(waiting).await?;
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
        change(&session, &update.query).await
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
        let session = self.0.session(&caller).await?;
        change(&session, prepared.value.statement.sql()).await
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        no_transaction(query.transaction_id.as_ref())?;
        let caller = caller(&request)?;
        let session = self.0.session(&caller).await?;
        let statement = session.prepare(&placeholders::numbered(&query.query)).await;
        let statement = statement.map_err(|error| error::of(&error))?;
        let columns = stream::plain_schema(statement.schema());
        let dataset_schema = stream::schema_bytes(&columns)?;
        let parameter_schema = stream::schema_bytes(&parameters::schema(&statement))?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: self.0.keep_prepared(&caller, statement)?,
            dataset_schema,
            parameter_schema,
        })
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

    async fn list_custom_actions(&self) -> Option<Vec<Result<ActionType, Status>>> {
        Some(actions::listed().map(Ok).collect())
    }

    async fn do_get_fallback(
        &self,
        request: Request<Ticket>,
        _: Any,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        caller(&request)?;
        Err(error::no_handle("ticket"))
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

/// Runs a statement that is said to change something. A session reads and nothing else.
async fn change(session: &Session, sql: &str) -> Result<i64, Status> {
    let error = match session.prepare(sql).await {
        Err(error) => error,
        Ok(_) => AccessError::new(
            Reason::Invalid,
            "the statement gives rows and changes nothing",
        )
        .hint("run it as a query"),
    };
    Err(error::of(&error))
}

fn no_transaction(id: Option<&Bytes>) -> Result<(), Status> {
    match id {
        Some(id) if !id.is_empty() => Err(no_transactions()),
        _ => Ok(()),
    }
}

fn no_transactions() -> Status {
    error::unsupported(
        "there are no transactions",
        "leave autocommit on: each statement reads one state of the tables",
    )
}
