//! `audit`: who did what, and whether the log of it is as it was written.

use serde_json::json;
use serve::audit::{self, Record};

use super::Exit;
use crate::cli::{AuditCommand, AuditLogArgs};
use crate::people::log_place;
use crate::project::Place;
use crate::say::Voice;

/// Records that are read at a time.
const AT_A_TIME: usize = 10_000;

/// The command.
pub(crate) fn audit(place: &Place, command: &AuditCommand, voice: Voice) -> anyhow::Result<Exit> {
    match command {
        AuditCommand::Verify { anchor } => verify(&log_place(place, anchor.clone())?, voice),
        AuditCommand::Log(args) => log(&log_place(place, None)?, args, voice),
    }
}

fn verify(place: &audit::Place, voice: Voice) -> anyhow::Result<Exit> {
    let found = audit::verify(place)?;
    voice.result(&serde_json::to_value(&found)?);
    if found.torn_bytes > 0 {
        voice.line(&format!(
            "{} bytes after the last record were never acknowledged; the next record cuts them off",
            found.torn_bytes
        ));
    }
    if let Some(bad) = &found.first_bad {
        voice.line(&format!(
            "record {} is not as it was written: {} ({}, line {})",
            bad.seq, bad.why, bad.file, bad.line
        ));
        voice.line(&format!(
            "{} records before it are as they were written",
            found.records
        ));
        return Ok(Exit::FailedChecks);
    }
    let anchored = match found.anchored {
        Some(count) => format!("; {count} notes in the anchor fit"),
        None => "; without an anchor, a tail that was cut off with its note is not seen".to_owned(),
    };
    voice.line(&format!(
        "{} records are as they were written{anchored}",
        found.records
    ));
    Ok(Exit::Done)
}

fn log(place: &audit::Place, args: &AuditLogArgs, voice: Voice) -> anyhow::Result<Exit> {
    let records = chosen(place, args)?;
    voice.result(&json!({"records": records}));
    if records.is_empty() {
        voice.line("there is no such record");
    }
    for record in &records {
        let detail = record
            .detail
            .iter()
            .map(|(name, value)| match value.as_str() {
                Some(text) => format!(" {name}={text}"),
                None => format!(" {name}={value}"),
            });
        let line = format!(
            "{}  {}  {} {} {} {} {} {}{}",
            record.seq,
            record.at.format("%Y-%m-%d %H:%M:%S"),
            record.principal,
            record.address.as_deref().unwrap_or("-"),
            record.door,
            record.action,
            record.outcome,
            record.object,
            detail.collect::<String>()
        );
        voice.line(&line.replace(char::is_control, " "));
    }
    Ok(Exit::Done)
}

/// The newest records that fit, or the first after one; oldest first.
fn chosen(place: &audit::Place, args: &AuditLogArgs) -> anyhow::Result<Vec<Record>> {
    let fits = |record: &Record| {
        args.principal
            .as_ref()
            .is_none_or(|name| record.principal == *name)
            && args
                .action
                .as_ref()
                .is_none_or(|action| record.action == *action)
    };
    let mut chosen = Vec::new();
    let is_any = args.principal.is_none() && args.action.is_none();
    let mut after = match args.after {
        Some(after) => after,
        // All of the newest fit: those before need not be read. A log that is not as it was written
        // is read from the beginning.
        None if is_any => {
            let last = audit::last_sequence(place).unwrap_or(0);
            last.saturating_sub(args.count as u64)
        }
        None => 0,
    };
    loop {
        let read = audit::read(place, after, AT_A_TIME)?;
        let Some(last) = read.last() else { break };
        after = last.seq;
        chosen.extend(read.into_iter().filter(&fits));
        match args.after {
            Some(_) if chosen.len() >= args.count => break,
            None if chosen.len() > args.count => drop(chosen.drain(..chosen.len() - args.count)),
            _ => {}
        }
    }
    chosen.truncate(args.count);
    Ok(chosen)
}
