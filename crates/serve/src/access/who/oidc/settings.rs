//! What a project says of the service that vouches for its people.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::access::who::Secret;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// Something is not said.
    #[error("log-in by OIDC has no `{0}`\nhint: say it in `access.yml` under `oidc`, or in {1}")]
    Missing(&'static str, &'static str),
    /// The file with the secret cannot be read.
    #[error("the OIDC client's secret in `{path}` cannot be read: {source}")]
    File {
        /// The file.
        path: String,
        /// What the machine says.
        source: std::io::Error,
    },
    /// The secret could be guessed.
    #[error(
        "the OIDC client's secret could be guessed\n\
         hint: let the service make one; a client without a secret needs none"
    )]
    WeakSecret,
}

/// Which claim names a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameClaim {
    /// `email`, which the service must say that it has verified.
    #[default]
    Email,
    /// `preferred_username`.
    PreferredUsername,
    /// `sub`.
    Sub,
}

/// The part of the settings that stands in the project's file. There is no place for a secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OidcConfig {
    /// The service's address, as its tokens name it; `THROUGHLINE_OIDC_ISSUER` goes before.
    pub issuer: Option<String>,
    /// Our id there; `THROUGHLINE_OIDC_CLIENT_ID` goes before.
    pub client_id: Option<String>,
    /// The address of our page to which the browser comes back;
    /// `THROUGHLINE_OIDC_REDIRECT_URL` goes before.
    pub redirect_url: Option<String>,
    /// What is asked for beside `openid`; `profile`, `email` and `groups` without it.
    pub scopes: Option<Vec<String>>,
    /// The claim that names a user.
    pub name_claim: NameClaim,
    /// The claim with the groups; `groups` without it.
    pub groups_claim: Option<String>,
    /// Roles that a group there brings.
    pub group_roles: BTreeMap<String, BTreeSet<String>>,
    /// Hosts that may lie in a private network and speak plain HTTP, as the addresses name them.
    pub private_hosts: BTreeSet<String>,
}

/// All of the settings.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// The service's address.
    pub issuer: String,
    /// Our id there.
    pub client_id: String,
    /// Our secret there; none for a public client.
    pub client_secret: Option<Secret>,
    /// Where the browser comes back to.
    pub redirect_url: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that names a user.
    pub name_claim: NameClaim,
    /// The claim with the groups.
    pub groups_claim: String,
    /// Roles that a group there brings.
    pub group_roles: BTreeMap<String, BTreeSet<String>>,
    /// Hosts that may lie in a private network and speak plain HTTP.
    pub private_hosts: BTreeSet<String>,
}

/// Environment variable with the client's secret, and with the path of a file that holds it.
const SECRET: &str = "THROUGHLINE_OIDC_CLIENT_SECRET";
const SECRET_FILE: &str = "THROUGHLINE_OIDC_CLIENT_SECRET_FILE";

impl OidcSettings {
    /// The settings of a project with those of the environment over them; none if neither names an
    /// issuer. `variable` reads the environment.
    ///
    /// # Errors
    /// Something is missing, or the secret cannot be read or could be guessed.
    pub fn read(
        config: &OidcConfig,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, OidcError> {
        let said = |name: &str, config: &Option<String>| {
            let text = variable(name).or_else(|| config.clone());
            text.map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let Some(issuer) = said("THROUGHLINE_OIDC_ISSUER", &config.issuer) else {
            return Ok(None);
        };
        let (id, redirect) = (
            "THROUGHLINE_OIDC_CLIENT_ID",
            "THROUGHLINE_OIDC_REDIRECT_URL",
        );
        let client_id = said(id, &config.client_id);
        let redirect_url = said(redirect, &config.redirect_url);
        let scopes = || ["profile", "email", "groups"].map(str::to_owned).to_vec();
        Ok(Some(Self {
            issuer,
            client_id: client_id.ok_or(OidcError::Missing("client_id", id))?,
            client_secret: secret(variable)?,
            redirect_url: redirect_url.ok_or(OidcError::Missing("redirect_url", redirect))?,
            scopes: config.scopes.clone().unwrap_or_else(scopes),
            name_claim: config.name_claim,
            groups_claim: config
                .groups_claim
                .clone()
                .unwrap_or_else(|| "groups".to_owned()),
            group_roles: config.group_roles.clone(),
            private_hosts: config.private_hosts.clone(),
        }))
    }
}

fn secret(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Secret>, OidcError> {
    let text = match (variable(SECRET), variable(SECRET_FILE)) {
        (Some(text), _) => Secret::new(text),
        (None, Some(path)) => Secret::new(
            std::fs::read_to_string(&path).map_err(|source| OidcError::File { path, source })?,
        ),
        (None, None) => return Ok(None),
    };
    let text = Secret::new(text.expose().trim());
    let guessable = [
        "secret",
        "changeme",
        "password",
        "client-secret",
        "client_secret",
    ];
    if text.expose().len() < 12 || guessable.iter().any(|word| text.expose().contains(word)) {
        return Err(OidcError::WeakSecret);
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<OidcSettings>, OidcError> {
        OidcSettings::read(&OidcConfig::default(), |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const NEEDED: [(&str, &str); 3] = [
        ("THROUGHLINE_OIDC_ISSUER", "https://idp.example"),
        ("THROUGHLINE_OIDC_CLIENT_ID", "throughline"),
        ("THROUGHLINE_OIDC_REDIRECT_URL", "https://us.example/back"),
    ];

    #[test]
    fn settings_come_from_the_environment_and_a_file() {
        assert!(read(&[]).expect("none").is_none());
        assert!(matches!(
            read(&NEEDED[..1]),
            Err(OidcError::Missing("client_id", _))
        ));
        let settings = read(&NEEDED).expect("read").expect("settings");
        assert!(settings.client_secret.is_none());
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s");
        std::fs::write(&path, "r4nd0m-and-l0ng\n").expect("written");
        let path = path.display().to_string();
        let mut variables = NEEDED.to_vec();
        variables.push((SECRET_FILE, &path));
        let settings = read(&variables).expect("read").expect("settings");
        assert_eq!(
            settings.client_secret.as_ref().expect("one").expose(),
            "r4nd0m-and-l0ng"
        );
        assert!(!format!("{settings:?}").contains("r4nd0m"));
    }

    #[test]
    fn a_secret_that_could_be_guessed_is_refused() {
        for secret in ["secret", "changeme-now-please", "short", ""] {
            let mut variables = NEEDED.to_vec();
            variables.push((SECRET, secret));
            assert!(
                matches!(read(&variables), Err(OidcError::WeakSecret)),
                "{secret}"
            );
        }
    }
}
