//! Changes of users and tokens, each noted with who made it. What changed is noted, no secret is.
//!
//! A change is noted before it is made, as begun, and after it, as done or failed: one that is made
//! just before the machine stops stands in the log too.

use std::future::Future;

use serde_json::json;

use super::{Actor, Who};
use crate::access::who::store::{Change, NewToken, NewUser, TokenRecord, User, check_name};
use crate::access::who::{Secret, WhoError};
use crate::audit::{Action, Event, Outcome};

impl Who {
    /// Makes the first administrator, if nobody can administer; gives its name and its password,
    /// to be shown once to whoever started the program, and nowhere else.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn first_admin(&self, by: &Actor) -> Result<Option<(String, Secret)>, WhoError> {
        if self.store.has_admin().await? {
            return Ok(None);
        }
        let event = self.user_event(by, super::super::ADMIN, "first administrator made");
        let work = self.store.first_admin(self.now());
        self.noted(event, work, |event, _| event).await
    }

    /// Makes a user.
    ///
    /// # Errors
    /// The name is none or taken; the password is refused; it cannot be written.
    pub async fn add_user(
        &self,
        by: &Actor,
        new: &NewUser,
        password: &Secret,
    ) -> Result<User, WhoError> {
        let event = self.user_event(by, &check_name(&new.name)?, "made");
        let work = self.store.add_user(new, password, self.now());
        self.noted(event, work, about).await
    }

    /// Changes a user's roles, groups, attributes, or whether it may log in.
    ///
    /// # Errors
    /// There is no such user; nobody could administer any more; it cannot be written.
    pub async fn change_user(
        &self,
        by: &Actor,
        name: &str,
        change: &Change,
    ) -> Result<User, WhoError> {
        let what = match change.is_disabled {
            Some(true) => "disabled",
            Some(false) => "enabled",
            None => "changed",
        };
        let name = self.store.user(name).await?.name;
        let event = self.user_event(by, &name, what);
        let work = self.store.change_user(&name, change, self.now());
        self.noted(event, work, about).await
    }

    /// Gives a user another password; its sessions end.
    ///
    /// # Errors
    /// There is no such user, or it has no password here; the password is refused; it cannot be
    /// written.
    pub async fn set_password(
        &self,
        by: &Actor,
        name: &str,
        password: &Secret,
    ) -> Result<(), WhoError> {
        let name = self.store.user(name).await?.name;
        let event = self.user_event(by, &name, "password changed");
        let work = self.store.set_password(&name, password, self.now());
        self.noted(event, work, |event, ()| event).await
    }

    /// Removes a user; its tokens are revoked, its sessions end.
    ///
    /// # Errors
    /// There is no such user; nobody could administer any more; it cannot be written.
    pub async fn remove_user(&self, by: &Actor, name: &str) -> Result<(), WhoError> {
        let name = self.store.user(name).await?.name;
        let event = self.user_event(by, &name, "removed");
        let work = self.store.remove_user(&name, self.now());
        self.noted(event, work, |event, ()| event).await
    }

    /// Makes a service token; the token itself is to be shown once.
    ///
    /// # Errors
    /// A name is none or taken; there is no such owner; it would have expired; it cannot be
    /// written.
    pub async fn create_token(
        &self,
        by: &Actor,
        new: &NewToken,
    ) -> Result<(TokenRecord, Secret), WhoError> {
        let name = new.name.as_deref().map(check_name).transpose()?;
        let event = self.token_event(by, &name.unwrap_or_default(), "made");
        let event = event.with("owner", new.owner.clone());
        let event = event
            .with("roles", json!(new.roles))
            .with("doors", json!(new.doors));
        let work = self.store.create_token(new, self.now());
        self.noted(event, work, |event, (record, _)| token(event, record))
            .await
    }

    /// Revokes a token, by its name or id.
    ///
    /// # Errors
    /// There is no such token; it cannot be written.
    pub async fn revoke_token(
        &self,
        by: &Actor,
        name_or_id: &str,
    ) -> Result<TokenRecord, WhoError> {
        let record = self.store.token(name_or_id).await?;
        let event = token(self.token_event(by, "", "revoked"), &record);
        let work = self.store.revoke_token(&record.token_id, self.now());
        self.noted(event, work, |event, _| event).await
    }

    /// Notes that a change begins, makes it, and notes how that ended.
    async fn noted<T>(
        &self,
        event: Event,
        work: impl Future<Output = Result<T, WhoError>>,
        about: impl FnOnce(Event, &T) -> Event,
    ) -> Result<T, WhoError> {
        self.audit
            .append(event.clone().ending(Outcome::Begun))
            .await?;
        match work.await {
            Ok(made) => {
                self.audit.append(about(event, &made)).await?;
                Ok(made)
            }
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().next().unwrap_or_default().to_owned();
                self.audit
                    .append(event.ending(Outcome::Failed).with("why", why))
                    .await?;
                Err(error)
            }
        }
    }

    fn user_event(&self, by: &Actor, name: &str, what: &str) -> Event {
        let event = self.event(&by.name, by.origin, Action::UserChange, Outcome::Done);
        event.to(name).with("what", what)
    }

    fn token_event(&self, by: &Actor, name: &str, what: &str) -> Event {
        let event = self.event(&by.name, by.origin, Action::TokenChange, Outcome::Done);
        event.to(name).with("what", what)
    }
}

fn about(event: Event, user: &User) -> Event {
    event
        .with("roles", json!(user.roles))
        .with("groups", json!(user.groups))
}

fn token(event: Event, record: &TokenRecord) -> Event {
    event
        .to(&record.name)
        .with("token", record.token_id.clone())
}
