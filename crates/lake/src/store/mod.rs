//! Where a lake lies: a local folder or a prefix of an S3 bucket, and the object store behind it.
//!
//! Everything that the lake reads or writes goes through the one store that is made here, whether
//! it is Delta's log, a data file or a scan of the engine. What the store answers is made definite
//! by [`steady`]: transient errors are tried again, and a conditional put whose answer was lost is
//! read back. Credentials come from the environment alone and are never printed.

#[cfg(any(test, debug_assertions))]
pub(crate) mod faults;
pub(crate) mod steady;
#[cfg(test)]
mod tests;

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use domain::config::LakeConfig;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::local::LocalFileSystem;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{BackoffConfig, ObjectStore, ObjectStoreExt as _, PutMode, RetryConfig};
use url::Url;

use crate::{LakeError, Result};
use steady::{Patience, Steady};

/// Environment variable that injects faults, in builds with debug assertions only.
#[cfg(any(test, debug_assertions))]
const FAULTS_VARIABLE: &str = "THROUGHLINE_FAULTS";

/// Where a lake lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder of this machine.
    Folder(PathBuf),
    /// Below a prefix of a bucket.
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix, without slashes at its ends; may be empty.
        prefix: String,
        /// Address of the service; Amazon's own without it.
        endpoint: Option<String>,
        /// The bucket's region.
        region: Option<String>,
        /// Plain HTTP is allowed.
        allow_http: bool,
    },
}

impl Location {
    /// The place that the settings name: a folder relative to `project`, or `s3://…`; `default`
    /// where they name none.
    ///
    /// # Errors
    /// The location is of another kind, or holds credentials.
    pub fn from_config(config: &LakeConfig, project: &FilePath, default: PathBuf) -> Result<Self> {
        let Some(text) = config.location.as_deref() else {
            return Ok(Self::Folder(default));
        };
        if !text.contains("://") {
            return Ok(Self::Folder(project.join(text)));
        }
        let wrong = |shown: &str, why: &str| LakeError::Place {
            path: shown.to_owned(),
            why: why.to_owned(),
        };
        let url = Url::parse(text).map_err(|error| wrong("lake.location", &error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            let why = "credentials do not belong into `throughline.yml`\n\
                       hint: write `s3://bucket/prefix`, and set AWS_ACCESS_KEY_ID and \
                       AWS_SECRET_ACCESS_KEY in the environment";
            return Err(wrong("lake.location", why));
        }
        let bucket = url.host_str().unwrap_or_default();
        if url.scheme() != "s3" || bucket.is_empty() {
            let why = "a lake lies in a folder or at `s3://bucket/prefix`\n\
                       hint: correct `lake.location` in `throughline.yml`";
            return Err(wrong(text, why));
        }
        Ok(Self::S3 {
            bucket: bucket.to_owned(),
            prefix: url.path().trim_matches('/').to_owned(),
            endpoint: config.endpoint.clone(),
            region: config.region.clone(),
            allow_http: config.allow_http,
        })
    }

    /// The place of a folder below this one: a lake of its own, which this one does not see.
    #[must_use]
    pub fn below(&self, folder: &str) -> Self {
        match self {
            Self::Folder(root) => Self::Folder(root.join(folder)),
            Self::S3 {
                bucket,
                prefix,
                endpoint,
                region,
                allow_http,
            } => Self::S3 {
                bucket: bucket.clone(),
                prefix: format!("{prefix}/{folder}").trim_matches('/').to_owned(),
                endpoint: endpoint.clone(),
                region: region.clone(),
                allow_http: *allow_http,
            },
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::S3 { bucket, prefix, .. } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix, .. } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// The store of a lake, and where in it the lake's root is.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    pub(crate) location: Location,
    /// The whole store: the disk, or the bucket.
    pub(crate) store: Arc<dyn ObjectStore>,
    /// How the engine finds the store.
    pub(crate) store_url: ObjectStoreUrl,
    /// The lake's root, ending in a slash.
    pub(crate) url: Url,
}

impl Root {
    /// Makes the store; for a folder also the folder. Nothing is sent yet.
    pub(crate) fn open(location: Location) -> Result<Self> {
        let failed = |why: String| LakeError::Place {
            path: location.to_string(),
            why,
        };
        match &location {
            Location::Folder(folder) => {
                std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
                let folder = folder
                    .canonicalize()
                    .map_err(|error| failed(error.to_string()))?;
                let url = Url::from_directory_path(&folder)
                    .map_err(|()| failed("not an absolute path".into()))?;
                let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new());
                let store = faulty(&store, None)?.unwrap_or(store);
                Ok(Self {
                    location: Location::Folder(folder),
                    store,
                    store_url: ObjectStoreUrl::local_filesystem(),
                    url,
                })
            }
            Location::S3 { bucket, prefix, .. } => {
                let s3 = Arc::new(amazon(&location)?);
                let store: Arc<dyn ObjectStore> = s3.clone();
                let parts: Arc<dyn MultipartStore> = s3;
                let store = match faulty(&store, Some(parts.clone()))? {
                    Some(store) => store,
                    None => Arc::new(Steady::new(store, Some(parts), Patience::of_a_network())),
                };
                let slash = if prefix.is_empty() { "" } else { "/" };
                let url = Url::parse(&format!("s3://{bucket}/{prefix}{slash}"))
                    .map_err(|error| failed(error.to_string()))?;
                let store_url = ObjectStoreUrl::parse(format!("s3://{bucket}"))?;
                Ok(Self {
                    location,
                    store,
                    store_url,
                    url,
                })
            }
        }
    }

    /// The path of the lake's root in the store.
    pub(crate) fn path(&self) -> Result<Path> {
        Path::from_url_path(self.url.path()).map_err(|error| self.failed(error))
    }

    /// An error of this place.
    pub(crate) fn failed(&self, error: impl std::fmt::Display) -> LakeError {
        let hint = match &self.location {
            Location::Folder(_) => "",
            Location::S3 { .. } => {
                "\nhint: look at `lake.location`, `lake.endpoint` and `lake.region` in \
                 `throughline.yml` and at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the \
                 environment; `throughline doctor` tries them"
            }
        };
        LakeError::Place {
            path: self.location.to_string(),
            why: format!("{error}{hint}"),
        }
    }

    /// Proves that the store keeps what is there when told to write only where nothing is: what
    /// the order of commits rests on. Costs two small writes and a removal.
    pub(crate) async fn prove_conditional_put(&self) -> Result<()> {
        let name = format!("_probe-{}", uuid::Uuid::new_v4().simple());
        let path = self.path()?.join(name);
        let put = |body: &'static str| {
            self.store
                .put_opts(&path, body.into(), PutMode::Create.into())
        };
        put("first").await.map_err(|error| self.failed(error))?;
        let second = put("second").await;
        self.store
            .delete(&path)
            .await
            .map_err(|error| self.failed(error))?;
        match second {
            Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Ok(_) => Err(LakeError::NoConditionalPut(self.location.to_string())),
            Err(error) => Err(self.failed(error)),
        }
    }
}

/// The S3 client: settings over the environment, credentials from the environment alone.
fn amazon(location: &Location) -> Result<object_store::aws::AmazonS3> {
    let Location::S3 {
        bucket,
        endpoint,
        region,
        allow_http,
        ..
    } = location
    else {
        return Err(LakeError::Place {
            path: location.to_string(),
            why: "not an S3 location".into(),
        });
    };
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_retry(RetryConfig {
            backoff: BackoffConfig::default(),
            // One quick try more; what lasts longer is waited for by `Steady`.
            max_retries: 1,
            retry_timeout: std::time::Duration::from_secs(30),
        });
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = region {
        builder = builder.with_region(region);
    }
    let env_allows = std::env::var("AWS_ALLOW_HTTP").is_ok_and(|text| text == "true");
    let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
    if *allow_http {
        builder = builder.with_allow_http(true);
    } else if !env_allows && endpoint.is_some_and(|text| text.starts_with("http://")) {
        return Err(LakeError::Place {
            path: location.to_string(),
            why: "its endpoint is plain HTTP\n\
                  hint: use https, or state `allow_http: true` below `lake:`"
                .into(),
        });
    }
    builder.build().map_err(|error| LakeError::Place {
        path: location.to_string(),
        why: error.to_string(),
    })
}

/// The store with faults injected, where the environment asks for it.
///
/// The code is compiled only with debug assertions: no release can be made to fail by a variable.
#[cfg(any(test, debug_assertions))]
fn faulty(
    store: &Arc<dyn ObjectStore>,
    parts: Option<Arc<dyn MultipartStore>>,
) -> Result<Option<Arc<dyn ObjectStore>>> {
    let Ok(text) = std::env::var(FAULTS_VARIABLE) else {
        return Ok(None);
    };
    let wanted = faults::Settings::parse(&text).map_err(|why| LakeError::Place {
        path: FAULTS_VARIABLE.into(),
        why,
    })?;
    let patience = Patience::short(wanted.seed);
    let (store, parts) = faults::Faults::over(store.clone(), parts, wanted);
    Ok(Some(Arc::new(Steady::new(store, parts, patience))))
}

#[cfg(not(any(test, debug_assertions)))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the same signature as with debug assertions"
)]
fn faulty(
    _store: &Arc<dyn ObjectStore>,
    _parts: Option<Arc<dyn MultipartStore>>,
) -> Result<Option<Arc<dyn ObjectStore>>> {
    Ok(None)
}
