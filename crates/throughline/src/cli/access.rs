//! Commands about users, tokens and the audit log, as typed. No argument takes a secret: it would
//! stand in the shell's history and in the list of processes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make a user. Its password is asked for, or read as a line of standard input.
    Add(UserAddArgs),
    /// All users: what they may, and when they logged in last.
    List,
    /// Show or change a user's roles, groups and attributes.
    Roles(UserRolesArgs),
    /// Give a user another password, asked for or read as a line of standard input. Its sessions
    /// end.
    Password {
        /// The user.
        name: String,
        /// Make a password and print it, once.
        #[arg(long)]
        generate: bool,
    },
    /// A user may not log in any more. Its sessions end, its tokens rest.
    Disable {
        /// The user.
        name: String,
    },
    /// A disabled user may log in again.
    Enable {
        /// The user.
        name: String,
    },
    /// Remove a user. Its tokens are revoked.
    Remove {
        /// The user.
        name: String,
    },
}

/// Where the doors open. `off` keeps one closed.
#[derive(Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Address of REST; 127.0.0.1:8080 without it.
    #[arg(long, value_name = "ADDR")]
    pub(crate) http: Option<String>,
    /// Address of the Postgres wire; 127.0.0.1:5433 without it.
    #[arg(long, value_name = "ADDR")]
    pub(crate) postgres: Option<String>,
    /// Address of Arrow Flight SQL; 127.0.0.1:8815 without it.
    #[arg(long, value_name = "ADDR")]
    pub(crate) flight: Option<String>,
    /// The server's certificate and those above it, as PEM. Other machines can only connect with
    /// TLS.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's key, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct UserAddArgs {
    /// The new user's name; an e-mail address will do.
    pub(crate) name: String,
    /// A role of `access.yml`, or `admin`. May be given several times.
    #[arg(long = "role", value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
    /// A group. May be given several times.
    #[arg(long = "group", value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
    /// What row filters may ask of the user, for example country=DE. May be given several times.
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    pub(crate) attributes: Vec<String>,
    /// Make a password and print it, once.
    #[arg(long)]
    pub(crate) generate: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UserRolesArgs {
    /// The user.
    pub(crate) name: String,
    /// Give this role. May be given several times.
    #[arg(long, value_name = "ROLE")]
    pub(crate) add: Vec<String>,
    /// Take this role. May be given several times.
    #[arg(long, value_name = "ROLE")]
    pub(crate) remove: Vec<String>,
    /// Put into this group. May be given several times.
    #[arg(long, value_name = "GROUP")]
    pub(crate) add_group: Vec<String>,
    /// Take out of this group. May be given several times.
    #[arg(long, value_name = "GROUP")]
    pub(crate) remove_group: Vec<String>,
    /// Set an attribute; without a value, it goes. May be given several times.
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    pub(crate) attributes: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it, once.
    Create(TokenCreateArgs),
    /// All tokens: what they may, when they end, and when they were used last.
    List,
    /// Revoke a token: it is refused within a second.
    Revoke {
        /// Its name or id.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TokenCreateArgs {
    /// A role of `access.yml`, or `admin`. May be given several times.
    #[arg(long = "role", value_name = "ROLE", required = true)]
    pub(crate) roles: Vec<String>,
    /// Its name, for lists and the audit log; made of role and id without it.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The user that it belongs to: it ends with that user.
    #[arg(long, value_name = "USER")]
    pub(crate) owner: Option<String>,
    /// Only this door takes it: rest, postgres, flight or page. May be given several times.
    #[arg(long = "door", value_name = "DOOR")]
    pub(crate) doors: Vec<String>,
    /// What row filters may ask of it, for example country=DE. May be given several times.
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    pub(crate) attributes: Vec<String>,
    /// When it ends: so many days (30d) or hours (12h), a day, a time, or `never`.
    #[arg(long, value_name = "WHEN", default_value = "90d")]
    pub(crate) expires: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    /// The roles there are, of the program and of `access.yml`, and who holds them.
    List,
    /// What holders of a role see: tables, columns, masks, conditions on rows.
    Show {
        /// The role.
        name: String,
        /// Only this table (`schema.name`), with all its columns.
        #[arg(long, value_name = "TABLE")]
        table: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Read `access.yml` and compare it with the tables: what is wrong in it, and what in it is
    /// about nothing.
    Check,
    /// What a user or a service token sees: tables, columns, masks, conditions on rows.
    Show {
        /// The user, or the token's name.
        principal: String,
        /// Only this table (`schema.name`), with all its columns.
        #[arg(long, value_name = "TABLE")]
        table: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that every record is as it was written; name the first that is not.
    Verify {
        /// The second place where the log's newest records are noted;
        /// `THROUGHLINE_AUDIT_ANCHOR` without it.
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
    },
    /// The newest records.
    Log(AuditLogArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AuditLogArgs {
    /// So many.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub(crate) count: usize,
    /// From after this record on, instead of the newest.
    #[arg(long, value_name = "SEQ")]
    pub(crate) after: Option<u64>,
    /// Only what this principal did.
    #[arg(long, value_name = "NAME")]
    pub(crate) principal: Option<String>,
    /// Only this, for example log_in, denied, query, user_change or token_change.
    #[arg(long)]
    pub(crate) action: Option<String>,
}
