//! `role` and `policy`: who sees what. Both only read: roles are written in `access.yml`, and given
//! to people and programs by `user` and `token`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{anyhow, bail};
use serde_json::json;
use serve::Doors;
use serve::access::policy::{ADMIN, SeenColumn, SeenTable};
use serve::access::who::{TokenRecord, User};
use serve::access::{Principal, PrincipalId, PrincipalKind};

use super::{Exit, serve::doors};
use crate::cli::{PolicyCommand, RoleCommand};
use crate::project::{Opened, Place, now};
use crate::say::Voice;

/// The command `role`.
pub(crate) async fn role(
    place: Place,
    command: &RoleCommand,
    voice: Voice,
) -> anyhow::Result<Exit> {
    let doors = open(place).await?;
    match command {
        RoleCommand::List => list(&doors, voice).await?,
        RoleCommand::Show { name, table } => {
            if !doors.gate.policy().has_role(name) {
                bail!("there is no role `{name}`\nhint: `throughline role list` names them all");
            }
            let holder = Principal::user("-", [name.as_str()]);
            say(&doors, name, holder, table.as_deref(), voice).await?;
        }
    }
    doors.who.close().await;
    Ok(Exit::Done)
}

/// The command `policy`.
pub(crate) async fn policy(
    place: Place,
    command: &PolicyCommand,
    voice: Voice,
) -> anyhow::Result<Exit> {
    let doors = open(place).await?;
    let exit = match command {
        PolicyCommand::Check => check(&doors, voice).await?,
        PolicyCommand::Show { principal, table } => {
            let found = principal_named(&doors, principal).await?;
            say(&doors, principal, found, table.as_deref(), voice).await?;
            Exit::Done
        }
    };
    doors.who.close().await;
    Ok(exit)
}

async fn open(place: Place) -> anyhow::Result<Doors> {
    doors(Opened::open(place, &BTreeMap::new()).await?, None).await
}

/// A user of that name or, if there is none, a token.
async fn principal_named(doors: &Doors, name: &str) -> anyhow::Result<Principal> {
    for kind in [PrincipalKind::User, PrincipalKind::Service] {
        let name = name.to_owned();
        let id = PrincipalId { kind, name };
        let found = serve::access::Directory::current(&doors.who, &id).await;
        if let Some(principal) = found.map_err(|error| anyhow!("{error}"))? {
            return Ok(principal);
        }
    }
    bail!(
        "no user and no token that may log in is called `{name}`\n\
         hint: `throughline user list`, `throughline token list`"
    )
}

/// Who holds which role by itself or by a group.
fn holders(doors: &Doors, users: &[User], tokens: &[TokenRecord]) -> BTreeMap<String, Vec<String>> {
    let policy = doors.gate.policy();
    let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut hold = |who: String, roles: &BTreeSet<String>| {
        for role in roles {
            holders.entry(role.clone()).or_default().push(who.clone());
        }
    };
    for user in users.iter().filter(|user| !user.is_disabled) {
        let mut roles = user.roles.clone();
        roles.extend(policy.roles_of_groups(&user.groups));
        hold(user.name.clone(), &roles);
    }
    for token in tokens.iter().filter(|token| token.is_live(now())) {
        hold(format!("token {}", token.name), &token.roles);
    }
    holders
}

async fn list(doors: &Doors, voice: Voice) -> anyhow::Result<()> {
    let (users, tokens) = (
        doors.who.store().users().await?,
        doors.who.store().tokens().await?,
    );
    let held = holders(doors, &users, &tokens);
    let policy = doors.gate.policy();
    let mut all = Vec::new();
    for (name, description) in policy.roles() {
        let by = held.get(name).cloned().unwrap_or_default();
        voice.line(&format!("{name:<20} {description}"));
        if !by.is_empty() {
            voice.line(&format!("{:<20}   held by {}", "", by.join(", ")));
        }
        all.push(json!({"name": name, "description": description, "held_by": by}));
    }
    let known = |name: &String| policy.has_role(name);
    for (name, by) in held.iter().filter(|(name, _)| !known(name)) {
        voice.warn(&format!(
            "warning: {} hold the role `{name}`, which there is not: it gives nothing",
            by.join(", ")
        ));
    }
    voice.result(&json!({"roles": all}));
    Ok(())
}

async fn check(doors: &Doors, voice: Voice) -> anyhow::Result<Exit> {
    let misfits = doors.gate.misfits().await;
    voice.result(&json!({"misfits": misfits}));
    for sentence in &misfits {
        voice.line(sentence);
    }
    if misfits.is_empty() {
        voice.line("`access.yml` can be carried out, and every rule of it is about something");
        return Ok(Exit::Done);
    }
    Ok(Exit::FailedChecks)
}

/// Says what somebody sees.
async fn say(
    doors: &Doors,
    name: &str,
    holder: Principal,
    table: Option<&str>,
    voice: Voice,
) -> anyhow::Result<()> {
    let is_admin = doors.gate.rights(holder.clone()).is_admin;
    let mut seen = doors.gate.seen_by(holder).await;
    if let Some(table) = table {
        seen.retain(|one| format!("{}.{}", one.schema, one.table) == table);
        if seen.is_empty() {
            bail!("`{name}` sees nothing of `{table}`, or there is no such table");
        }
    }
    voice.result(&json!({"name": name, "tables": seen}));
    if voice.json {
        return Ok(());
    }
    if is_admin {
        voice.line(&format!(
            "`{ADMIN}` sees everything, and no rule restricts it"
        ));
    }
    if seen.is_empty() {
        voice.line(&format!("`{name}` sees nothing"));
    }
    for one in &seen {
        match table {
            None => voice.line(&in_short(one)),
            Some(_) => in_full(one, voice),
        }
    }
    Ok(())
}

/// A table on a line: what is not plainly shown of it.
fn in_short(table: &SeenTable) -> String {
    let name = format!("{}.{}", table.schema, table.table);
    let all = table.columns.len() + table.hidden_columns.len();
    let mut said = format!("{name:<44} {:>3} of {all:>3} columns", table.columns.len());
    let masked: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| column.mask.is_some())
        .map(|column| column.name.as_str())
        .collect();
    if !masked.is_empty() {
        said.push_str(&format!("; masked: {}", masked.join(", ")));
    }
    if !table.row_filters.is_empty() {
        said.push_str(&format!("; rows: {}", table.row_filters.join(" and ")));
    }
    said
}

fn in_full(table: &SeenTable, voice: Voice) {
    voice.line(&format!("{}.{}", table.schema, table.table));
    for filter in &table.row_filters {
        voice.line(&format!("  rows: {filter}"));
    }
    for SeenColumn { name, tags, mask } in &table.columns {
        let mask = mask
            .as_deref()
            .map_or(String::new(), |mask| format!("  masked: {mask}"));
        voice.line(&format!("  {name:<40} {}{mask}", tags.join(", ")));
    }
    for name in &table.hidden_columns {
        voice.line(&format!("  {name:<40} hidden"));
    }
}
