//! Changes of users and tokens, each noted with who made it. What changed is noted, no secret is.

use serde_json::json;

use super::{Actor, Who};
use crate::access::who::store::{Change, NewToken, NewUser, TokenRecord, User};
use crate::access::who::{Secret, WhoError};
use crate::audit::{Action, Event, Outcome};

impl Who {
    /// Makes the first administrator, if nobody can administer; gives its name and its password,
    /// to be shown once to whoever started the program, and nowhere else.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn first_admin(&self, by: &Actor) -> Result<Option<(String, Secret)>, WhoError> {
        let made = self.store.first_admin(self.now()).await?;
        if let Some((name, _)) = &made {
            let event = self.user_event(by, name, "first administrator made");
            self.audit.append(event).await?;
        }
        Ok(made)
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
        let user = self.store.add_user(new, password, self.now()).await?;
        let event = self.user_event(by, &user.name, "made");
        self.audit.append(about(event, &user)).await?;
        Ok(user)
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
        let user = self.store.change_user(name, change, self.now()).await?;
        let what = match change.is_disabled {
            Some(true) => "disabled",
            Some(false) => "enabled",
            None => "changed",
        };
        let event = self.user_event(by, &user.name, what);
        self.audit.append(about(event, &user)).await?;
        Ok(user)
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
        self.store.set_password(name, password, self.now()).await?;
        let name = self.store.user(name).await?.name;
        self.audit
            .append(self.user_event(by, &name, "password changed"))
            .await?;
        Ok(())
    }

    /// Removes a user; its tokens are revoked, its sessions end.
    ///
    /// # Errors
    /// There is no such user; nobody could administer any more; it cannot be written.
    pub async fn remove_user(&self, by: &Actor, name: &str) -> Result<(), WhoError> {
        let name = self.store.user(name).await?.name;
        self.store.remove_user(&name, self.now()).await?;
        self.audit
            .append(self.user_event(by, &name, "removed"))
            .await?;
        Ok(())
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
        let (record, secret) = self.store.create_token(new, self.now()).await?;
        let event = self.token_event(by, &record, "made");
        self.audit.append(event).await?;
        Ok((record, secret))
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
        let record = self.store.revoke_token(name_or_id, self.now()).await?;
        self.audit
            .append(self.token_event(by, &record, "revoked"))
            .await?;
        Ok(record)
    }

    fn user_event(&self, by: &Actor, name: &str, what: &str) -> Event {
        let event = self.event(&by.name, by.origin, Action::UserChange, Outcome::Done);
        event.to(name).with("what", what)
    }

    fn token_event(&self, by: &Actor, record: &TokenRecord, what: &str) -> Event {
        let event = self.event(&by.name, by.origin, Action::TokenChange, Outcome::Done);
        event
            .to(&record.name)
            .with("what", what)
            .with("token", record.token_id.clone())
            .with("owner", record.owner.clone())
            .with("roles", json!(record.roles))
            .with("doors", json!(record.doors))
    }
}

fn about(event: Event, user: &User) -> Event {
    event
        .with("roles", json!(user.roles))
        .with("groups", json!(user.groups))
}
