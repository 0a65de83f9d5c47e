//! `user`: people who may log in.

use serde_json::{Value, json};
use serve::access::Attribute;
use serve::access::who::{Change, NewUser, Secret, User, Who};

use super::Exit;
use crate::cli::{UserAddArgs, UserCommand, UserRolesArgs};
use crate::people::{actor, attributes, new_password, open, pairs};
use crate::project::Place;
use crate::say::Voice;

/// The command.
pub(crate) async fn user(
    place: &Place,
    command: &UserCommand,
    voice: Voice,
) -> anyhow::Result<Exit> {
    let who = open(place).await?;
    let ended = match command {
        UserCommand::Add(args) => add(&who, args, voice).await,
        UserCommand::List => list(&who, voice).await,
        UserCommand::Roles(args) => roles(&who, args, voice).await,
        UserCommand::Password { name, generate } => password(&who, name, *generate, voice).await,
        UserCommand::Disable { name } => disable(&who, name, true, voice).await,
        UserCommand::Enable { name } => disable(&who, name, false, voice).await,
        UserCommand::Remove { name } => remove(&who, name, voice).await,
    };
    who.close().await;
    ended.map(|()| Exit::Done)
}

async fn password(who: &Who, name: &str, is_made: bool, voice: Voice) -> anyhow::Result<()> {
    let name = who.store().user(name).await?.name;
    let password = new_password(&name, is_made)?;
    who.set_password(&actor(), &name, &password).await?;
    made(json!({"name": name}), &password, is_made, voice);
    voice.note(&format!(
        "`{name}` has another password; its sessions have ended"
    ));
    Ok(())
}

async fn remove(who: &Who, name: &str, voice: Voice) -> anyhow::Result<()> {
    who.remove_user(&actor(), name).await?;
    voice.result(&json!({"removed": name}));
    voice.note(&format!("`{name}` is removed; its tokens are revoked"));
    Ok(())
}

async fn add(who: &Who, args: &UserAddArgs, voice: Voice) -> anyhow::Result<()> {
    let new = NewUser {
        name: args.name.clone(),
        roles: args.roles.iter().cloned().collect(),
        groups: args.groups.iter().cloned().collect(),
        attributes: attributes(&args.attributes)?,
    };
    let password = new_password(&args.name, args.generate)?;
    let user = who.add_user(&actor(), &new, &password).await?;
    made(shown(&user), &password, args.generate, voice);
    voice.note(&format!("`{}` may log in: {}", user.name, words(&user)));
    Ok(())
}

/// The result of a command that may have made a password: it is printed here and nowhere else.
fn made(mut result: Value, password: &Secret, is_made: bool, voice: Voice) {
    if is_made {
        result["password"] = password.expose().into();
        voice.line(password.expose());
        voice.note("this password is shown once");
    }
    voice.result(&result);
}

async fn list(who: &Who, voice: Voice) -> anyhow::Result<()> {
    let users = who.store().users().await?;
    let all: Vec<Value> = users.iter().map(shown).collect();
    voice.result(&json!({"users": all}));
    if users.is_empty() {
        voice.line("there is no user yet");
    }
    for user in &users {
        let state = if user.is_disabled { "disabled" } else { "" };
        let last = user.last_login_at.map_or("never".to_owned(), |at| {
            at.format("%Y-%m-%d %H:%M").to_string()
        });
        voice.line(&format!(
            "{:<32} {:<8} {last:<16}  {}",
            user.name,
            state,
            words(user)
        ));
    }
    Ok(())
}

async fn roles(who: &Who, args: &UserRolesArgs, voice: Voice) -> anyhow::Result<()> {
    let mut user = who.store().user(&args.name).await?;
    let before = user.clone();
    user.roles.extend(args.add.iter().cloned());
    user.roles.retain(|role| !args.remove.contains(role));
    user.groups.extend(args.add_group.iter().cloned());
    user.groups
        .retain(|group| !args.remove_group.contains(group));
    for (name, value) in pairs(&args.attributes)? {
        match value {
            None => drop(user.attributes.remove(&name)),
            Some(value) => drop(user.attributes.insert(name, value)),
        }
    }
    if user != before {
        let change = Change {
            roles: Some(user.roles.clone()),
            groups: Some(user.groups.clone()),
            attributes: Some(user.attributes.clone()),
            is_disabled: None,
        };
        user = who.change_user(&actor(), &args.name, &change).await?;
    }
    voice.result(&shown(&user));
    voice.line(&format!("{:<32} {}", user.name, words(&user)));
    Ok(())
}

async fn disable(who: &Who, name: &str, is_disabled: bool, voice: Voice) -> anyhow::Result<()> {
    let change = Change {
        is_disabled: Some(is_disabled),
        ..Change::default()
    };
    let user = who.change_user(&actor(), name, &change).await?;
    voice.result(&shown(&user));
    let may = if is_disabled {
        "may not log in any more"
    } else {
        "may log in again"
    };
    voice.note(&format!("`{}` {may}", user.name));
    Ok(())
}

fn shown(user: &User) -> Value {
    serde_json::to_value(user).unwrap_or_default()
}

/// Roles, groups and attributes, in words.
fn words(user: &User) -> String {
    let mut words: Vec<String> = user.roles.iter().cloned().collect();
    words.extend(user.groups.iter().map(|group| format!("group {group}")));
    words.extend(
        user.attributes
            .iter()
            .map(|(name, value)| format!("{name}={}", plain(value))),
    );
    match words.is_empty() {
        true => "no role yet, so it sees nothing".to_owned(),
        false => words.join(", "),
    }
}

/// A value as it was typed.
fn plain(value: &Attribute) -> String {
    match value {
        Attribute::Text(text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}
