//! Copies of the small databases beside a project, for backups: each as it is at one instant, while
//! others write to it.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

/// Why one cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database cannot be read or written.
    #[error("`{path}` cannot be copied: {source}")]
    Database {
        /// Its file.
        path: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The copy's file cannot be made.
    #[error("`{path}` cannot be written: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// What of the users' database is of no use to a restored project: who was logged in.
const SESSIONS: &str = "delete from session; delete from login_begun; vacuum;";
/// What of the list of own tables is not: the files that were still to be removed.
const LEAVING: &str = "delete from dropped; vacuum;";

/// Copies users and tokens, without the sessions that are open.
///
/// # Errors
/// The file cannot be read, or the copy not be written.
pub async fn users(from: &Path, to: &Path) -> Result<(), CopyError> {
    copy(from, to, SESSIONS).await
}

/// Copies the list of own tables.
///
/// # Errors
/// The file cannot be read, or the copy not be written.
pub async fn own_tables(from: &Path, to: &Path) -> Result<(), CopyError> {
    copy(from, to, LEAVING).await
}

async fn copy(from: &Path, to: &Path, tidied: &'static str) -> Result<(), CopyError> {
    private(to).map_err(|source| CopyError::File {
        path: to.display().to_string(),
        source,
    })?;
    let failed = |source| CopyError::Database {
        path: from.display().to_string(),
        source,
    };
    let pool = open(from).await.map_err(failed)?;
    // An empty file is filled; so the copy is its owner's alone from the first byte.
    let copied = sqlx::query("vacuum into ?")
        .bind(to.to_string_lossy().into_owned())
        .execute(&pool)
        .await;
    pool.close().await;
    copied.map_err(failed)?;
    let pool = open(to).await.map_err(failed)?;
    let done = sqlx::raw_sql(tidied).execute(&pool).await;
    pool.close().await;
    done.map(|_| ()).map_err(failed)
}

async fn open(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(std::time::Duration::from_secs(10));
    SqlitePool::connect_with(options).await
}

fn private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(|_| ())
}
