//! The simple protocol: a text with one or several statements, answered one after the other.

use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::response::{CommandComplete, EmptyQueryResponse};

use super::command::{Command, Count, command};
use super::connection::Connection;
use super::error::Result;
use super::rows::{Cancel, Formats};
use super::run::Outcome;
use super::split::statements;

impl Connection {
    /// Answers a text.
    pub(super) async fn simple(&mut self, text: &str) -> Result<()> {
        let all = statements(text);
        if all.is_empty() {
            let empty = PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new());
            return Ok(self.wire.put(&empty)?);
        }
        let mut cancel = self.cancel().await;
        for sql in all {
            let command = command(sql)?;
            let is_show = matches!(command, Command::Show(_));
            let outcome = self.engine.run(command, &mut cancel).await?;
            self.tell()?;
            match outcome {
                Outcome::Rows(mut rows) => {
                    let formats = Formats::default();
                    rows.columns.describe(&mut self.wire, &formats)?;
                    let sent = rows
                        .send(&mut self.wire, &formats, None, &mut cancel)
                        .await?;
                    let tag = match is_show {
                        true => "SHOW".to_owned(),
                        false => format!("SELECT {}", sent.0),
                    };
                    self.complete(&tag)?;
                }
                other => self.answer(other, None, &mut cancel).await?,
            }
        }
        Ok(())
    }

    /// Answers what a command came to. `formats`: those of the extended protocol, whose client has
    /// asked for the columns itself.
    pub(super) async fn answer(
        &mut self,
        outcome: Outcome,
        formats: Option<&Formats>,
        cancel: &mut Cancel,
    ) -> Result<()> {
        match outcome {
            Outcome::Done(tag) => {
                self.tell()?;
                self.complete(&tag)
            }
            Outcome::Copy(mut rows, options) => {
                let sent = rows.copy(&mut self.wire, &options, cancel).await?;
                self.complete(&format!("COPY {sent}"))
            }
            Outcome::Fetch(name, count) => {
                let (columns, own) = self.engine.cursors.columns(&name)?;
                if formats.is_none() {
                    columns.describe(&mut self.wire, &own)?;
                }
                let (cursors, wire) = (&mut self.engine.cursors, &mut self.wire);
                let sent = cursors.fetch(&name, count, wire, formats, cancel).await?;
                self.complete(&Count::tag(sent))
            }
            Outcome::Execute(prepared, values) => {
                let rows = self.engine.run_prepared(&prepared, values, cancel).await?;
                Box::pin(self.answer(Outcome::Rows(rows), formats, cancel)).await
            }
            Outcome::Rows(mut rows) => {
                let own = Formats::default();
                if formats.is_none() {
                    rows.columns.describe(&mut self.wire, &own)?;
                }
                let formats = formats.unwrap_or(&own);
                let sent = rows.send(&mut self.wire, formats, None, cancel).await?;
                self.complete(&format!("SELECT {}", sent.0))
            }
        }
    }

    /// Says that a statement is done.
    pub(super) fn complete(&mut self, tag: &str) -> Result<()> {
        let done = CommandComplete::new(tag.to_owned());
        Ok(self
            .wire
            .put(&PgWireBackendMessage::CommandComplete(done))?)
    }
}
