//! `token`: service tokens, by which programs log in.

use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use serve::access::who::{NewToken, TokenRecord, Who};

use super::Exit;
use crate::cli::{TokenCommand, TokenCreateArgs};
use crate::people::{actor, attributes, open};
use crate::project::{Place, now};
use crate::say::Voice;

/// The command.
pub(crate) async fn token(
    place: &Place,
    command: &TokenCommand,
    voice: Voice,
) -> anyhow::Result<Exit> {
    let who = open(place).await?;
    let ended = match command {
        TokenCommand::Create(args) => create(&who, args, voice).await,
        TokenCommand::List => list(&who, voice).await,
        TokenCommand::Revoke { name } => revoke(&who, name, voice).await,
    };
    who.close().await;
    ended.map(|()| Exit::Done)
}

async fn revoke(who: &Who, name: &str, voice: Voice) -> anyhow::Result<()> {
    let record = who.revoke_token(&actor(), name).await?;
    voice.result(&shown(&record));
    voice.note(&format!("token `{}` is revoked", record.name));
    Ok(())
}

async fn create(who: &Who, args: &TokenCreateArgs, voice: Voice) -> anyhow::Result<()> {
    let new = NewToken {
        name: args.name.clone(),
        owner: args.owner.clone(),
        roles: args.roles.iter().cloned().collect(),
        attributes: attributes(&args.attributes)?,
        doors: args.doors.iter().cloned().collect(),
        expires_at: expiry(&args.expires, now())?,
    };
    let (record, secret) = who.create_token(&actor(), &new).await?;
    let mut result = shown(&record);
    result["token"] = secret.expose().into();
    voice.result(&result);
    voice.line(secret.expose());
    let ends = record
        .expires_at
        .map_or("it does not expire".to_owned(), |at| {
            format!("it ends {}", at.format("%Y-%m-%d %H:%M UTC"))
        });
    voice.note(&format!("token `{}` is shown once; {ends}", record.name));
    Ok(())
}

async fn list(who: &Who, voice: Voice) -> anyhow::Result<()> {
    let tokens = who.store().tokens().await?;
    let all: Vec<Value> = tokens.iter().map(shown).collect();
    voice.result(&json!({"tokens": all}));
    if tokens.is_empty() {
        voice.line("there is no token yet");
    }
    for token in &tokens {
        let day = |at: Option<DateTime<Utc>>, none: &str| {
            at.map_or(none.to_owned(), |at| at.format("%Y-%m-%d").to_string())
        };
        let state = match token.revoked_at {
            Some(_) => "revoked",
            None if !token.is_live(now()) => "expired",
            None => "",
        };
        let roles: Vec<&str> = token.roles.iter().map(String::as_str).collect();
        voice.line(&format!(
            "{:<28} {} {state:<8} ends {:<10}  used {:<10}  {}",
            token.name,
            token.token_id,
            day(token.expires_at, "never"),
            day(token.last_used_at, "never"),
            roles.join(", ")
        ));
    }
    Ok(())
}

fn shown(record: &TokenRecord) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}

/// When a token ends: `30d`, `12h`, a day, a time, `never`.
fn expiry(text: &str, now: DateTime<Utc>) -> anyhow::Result<Option<DateTime<Utc>>> {
    let text = text.trim();
    if text == "never" {
        return Ok(None);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(Some(at.with_timezone(&Utc)));
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let end = day.and_hms_opt(0, 0, 0).context("there is no such day")?;
        return Ok(Some(end.and_utc()));
    }
    let digits = text.trim_end_matches(['d', 'h']);
    let count = digits.parse::<u32>().ok().map(i64::from);
    let span = match (count, &text[digits.len()..]) {
        (Some(count), "d") => TimeDelta::try_days(count),
        (Some(count), "h") => TimeDelta::try_hours(count),
        _ => None,
    };
    match span.and_then(|span| now.checked_add_signed(span)) {
        Some(at) => Ok(Some(at)),
        None => bail!(
            "`--expires {text}` is no time\n\
             hint: 30d, 12h, 2027-01-31, 2027-01-31T12:00:00Z or never"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_span_a_day_a_time_or_never() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let ends = |text: &str| expiry(text, now).map(|at| at.map(|at| at.to_rfc3339()));
        assert_eq!(ends("never").expect("read"), None);
        let cases = [
            ("90d", "2027-04-15T08:00:00+00:00"),
            ("12h", "2027-01-15T20:00:00+00:00"),
            ("2027-02-01", "2027-02-01T00:00:00+00:00"),
            ("2027-02-01T12:00:00+01:00", "2027-02-01T11:00:00+00:00"),
        ];
        for (text, expected) in cases {
            assert_eq!(
                ends(text).expect("read").as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for text in [
            "",
            "d",
            "90",
            "90dd",
            "-1d",
            "soon",
            "99999999999d",
            "4294967295d",
        ] {
            assert!(expiry(text, now).is_err(), "{text}");
        }
    }
}
