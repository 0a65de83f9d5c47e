//! A store whose answers are definite: transient errors are tried again, and a put that may only
//! create is read back when its answer is lost or doubtful.
//!
//! A put can take effect although its answer is an error (the connection broke after it, a time-out
//! ran), and S3 can answer 409 or 412 although nothing was written. For reads, removals and plain
//! puts (our data files have names of their own) doing it again is harmless. For a put that may
//! only create, the object itself says what happened: our bytes, another's, or nothing.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartId, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result, UploadPart,
};

/// Objects that are removed in one request.
const DELETE_TOGETHER: usize = 256;
/// Attempts at a store that never answered.
const FIRST_ATTEMPTS: u32 = 4;

/// A source of chance that is the same for the same seed and order of calls.
#[derive(Debug)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number (SplitMix64).
    pub(crate) fn roll(&self) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        let mut z = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to below 1.
    pub(crate) fn share(&self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// How often and how long a store is tried again.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    attempts: u32,
    first: Duration,
    longest: Duration,
    dice: Arc<Dice>,
    /// The store answered at least once.
    met: Arc<AtomicBool>,
}

impl Patience {
    /// For a store behind a network: about half a minute in all; about a second as long as it
    /// never answered, because then it is rather the settings that are wrong.
    pub(crate) fn of_a_network() -> Self {
        Self {
            attempts: 12,
            first: Duration::from_millis(50),
            longest: Duration::from_secs(5),
            dice: Arc::new(Dice::new(uuid::Uuid::new_v4().as_u64_pair().0)),
            met: Arc::default(),
        }
    }

    /// As often, in milliseconds: for tests.
    #[cfg(any(test, debug_assertions))]
    pub(crate) fn short(seed: u64) -> Self {
        Self {
            attempts: 12,
            first: Duration::from_micros(50),
            longest: Duration::from_millis(2),
            dice: Arc::new(Dice::new(seed ^ 0x5eed)),
            met: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Gives up so soon that errors are told: for tests.
    #[cfg(test)]
    pub(crate) fn little(seed: u64) -> Self {
        Self {
            attempts: 3,
            ..Self::short(seed)
        }
    }

    /// How long to wait after `attempt` (from 1), or nothing when it was the last: twice as long
    /// each time, less up to a half by chance so that writers do not meet again.
    fn wait_after(&self, attempt: u32) -> Option<Duration> {
        let attempts = if self.met.load(Ordering::Relaxed) {
            self.attempts
        } else {
            FIRST_ATTEMPTS
        };
        if attempt >= attempts {
            return None;
        }
        let whole = self
            .first
            .saturating_mul(1 << (attempt - 1).min(20))
            .min(self.longest);
        Some(whole.mul_f64(1.0 - self.dice.share() / 2.0))
    }

    /// Does `work` until it succeeds, its error is no passing one, or patience ends.
    async fn retry<T, F: Future<Output = Result<T>>>(
        &self,
        what: &str,
        mut work: impl FnMut() -> F,
    ) -> Result<T> {
        let mut attempt = 1;
        loop {
            let error = match work().await {
                Ok(done) => {
                    self.met.store(true, Ordering::Relaxed);
                    return Ok(done);
                }
                Err(error) => error,
            };
            let Some(wait) = self.wait_after(attempt).filter(|_| is_passing(&error)) else {
                return Err(error);
            };
            log::debug!("{what}, attempt {attempt}: {error}");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }
}

/// The same call may succeed later: the server or the network failed, not the request.
fn is_passing(error: &Error) -> bool {
    if !matches!(error, Error::Generic { .. }) || crate::error::full(error).is_some() {
        return false;
    }
    // A listing tells its status only in words.
    let text = error.to_string();
    let status = text.split("non-2xx status code: ").nth(1).unwrap_or("");
    !status.starts_with('4') || status.starts_with("408") || status.starts_with("429")
}

/// A store over another, with definite answers.
pub(crate) struct Steady {
    inner: Arc<dyn ObjectStore>,
    /// The same store, where uploads in parts can be repeated part by part.
    parts: Option<Arc<dyn MultipartStore>>,
    patience: Patience,
}

impl fmt::Debug for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner)
    }
}

impl Steady {
    pub(crate) fn new(
        inner: Arc<dyn ObjectStore>,
        parts: Option<Arc<dyn MultipartStore>>,
        patience: Patience,
    ) -> Self {
        Self {
            inner,
            parts,
            patience,
        }
    }

    /// Puts where nothing is. `AlreadyExists` means that another's bytes are there, any other
    /// error that nothing was seen to be written.
    async fn create(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let mut attempt = 1;
        loop {
            let put = self
                .inner
                .put_opts(location, payload.clone(), options.clone());
            let error = match put.await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let doubtful = is_passing(&error)
                || matches!(
                    error,
                    Error::AlreadyExists { .. }
                        | Error::Precondition { .. }
                        | Error::NotModified { .. }
                );
            if !doubtful {
                return Err(error);
            }
            match self.read_back(location).await? {
                Some((bytes, result)) if bytes == contiguous(&payload) => return Ok(result),
                Some(_) => {
                    return Err(Error::AlreadyExists {
                        path: location.to_string(),
                        source: Box::new(error),
                    });
                }
                None => {}
            }
            let Some(wait) = self.patience.wait_after(attempt) else {
                // Not `AlreadyExists`, whatever the store said: nothing is there.
                return Err(Error::Generic {
                    store: "lake",
                    source: Box::new(error),
                });
            };
            log::debug!("put of {location}, attempt {attempt}: {error}");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn read_back(&self, location: &Path) -> Result<Option<(Vec<u8>, PutResult)>> {
        let read = || async {
            let got = self.inner.get_opts(location, GetOptions::default()).await?;
            let result = PutResult {
                e_tag: got.meta.e_tag.clone(),
                version: got.meta.version.clone(),
            };
            Ok((got.bytes().await?.to_vec(), result))
        };
        match self.patience.retry("reading back", read).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn contiguous(payload: &PutPayload) -> Vec<u8> {
    payload
        .iter()
        .flat_map(|part| part.iter().copied())
        .collect()
}

#[async_trait]
impl ObjectStore for Steady {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        match options.mode {
            PutMode::Create => self.create(location, payload, options).await,
            PutMode::Overwrite => {
                let put = || {
                    self.inner
                        .put_opts(location, payload.clone(), options.clone())
                };
                self.patience.retry("put", put).await
            }
            // Whether it took effect could not be told from the object: the caller must know.
            PutMode::Update(_) => self.inner.put_opts(location, payload, options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let Some(parts) = self.parts.clone() else {
            return self.inner.put_multipart_opts(location, options).await;
        };
        let id = self
            .patience
            .retry("starting an upload", || parts.create_multipart(location))
            .await?;
        Ok(Box::new(Upload {
            upload: Arc::new(UploadState {
                parts,
                reader: self.inner.clone(),
                location: location.clone(),
                id,
                patience: self.patience.clone(),
            }),
            written: Arc::default(),
            next: 0,
            bytes: 0,
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let get = || self.inner.get_opts(location, options.clone());
        self.patience.retry("get", get).await
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[std::ops::Range<u64>],
    ) -> Result<Vec<bytes::Bytes>> {
        let get = || self.inner.get_ranges(location, ranges);
        self.patience.retry("get", get).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (inner, patience) = (self.inner.clone(), self.patience.clone());
        locations
            .try_chunks(DELETE_TOGETHER)
            .map_err(|broken| broken.1)
            .and_then(move |paths| delete_all(inner.clone(), patience.clone(), paths))
            .map_ok(|paths| stream::iter(paths.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.cloned();
        let list = move |inner: &dyn ObjectStore| inner.list(prefix.as_ref());
        whole_list(self.inner.clone(), self.patience.clone(), list)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let (prefix, offset) = (prefix.cloned(), offset.clone());
        let list = move |inner: &dyn ObjectStore| inner.list_with_offset(prefix.as_ref(), &offset);
        whole_list(self.inner.clone(), self.patience.clone(), list)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let list = || self.inner.list_with_delimiter(prefix);
        self.patience.retry("list", list).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        if options.mode == CopyMode::Create {
            return self.inner.copy_opts(from, to, options).await;
        }
        let copy = || self.inner.copy_opts(from, to, options.clone());
        self.patience.retry("copy", copy).await
    }
}

type Listing = BoxStream<'static, Result<ObjectMeta>>;

/// A listing that is given only when it is whole: one that breaks off would hide objects.
fn whole_list(
    inner: Arc<dyn ObjectStore>,
    patience: Patience,
    list: impl Fn(&dyn ObjectStore) -> Listing + Send + Sync + 'static,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let all = async move {
        let whole = || list(inner.as_ref()).try_collect::<Vec<_>>();
        patience.retry("list", whole).await
    };
    stream::once(all)
        .map_ok(|found| stream::iter(found.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
}

/// Removes together what can be, and one by one what failed.
async fn delete_all(
    inner: Arc<dyn ObjectStore>,
    patience: Patience,
    paths: Vec<Path>,
) -> Result<Vec<Path>> {
    let wanted = stream::iter(paths.clone().into_iter().map(Ok)).boxed();
    let answers: Vec<_> = inner.delete_stream(wanted).collect().await;
    if answers.len() == paths.len() && answers.iter().all(Result::is_ok) {
        return Ok(paths);
    }
    if let [Err(error)] = answers.as_slice()
        && paths.len() == 1
        && !is_passing(error)
    {
        return answers.into_iter().collect();
    }
    for path in &paths {
        match patience.retry("delete", || inner.delete(path)).await {
            // An earlier attempt may have removed it.
            Ok(()) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(paths)
}

/// An upload whose parts are each tried again.
#[derive(Debug)]
struct Upload {
    upload: Arc<UploadState>,
    written: Arc<std::sync::Mutex<Vec<(usize, PartId)>>>,
    next: usize,
    bytes: u64,
}

struct UploadState {
    parts: Arc<dyn MultipartStore>,
    reader: Arc<dyn ObjectStore>,
    location: Path,
    id: MultipartId,
    patience: Patience,
}

impl fmt::Debug for UploadState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "upload of {}", self.location)
    }
}

impl Upload {
    fn written(&self) -> std::sync::MutexGuard<'_, Vec<(usize, PartId)>> {
        self.written
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let index = self.next;
        self.next += 1;
        self.bytes += data.content_length() as u64;
        let (upload, written) = (self.upload.clone(), self.written.clone());
        Box::pin(async move {
            let put = || {
                let data = data.clone();
                upload
                    .parts
                    .put_part(&upload.location, &upload.id, index, data)
            };
            let part = upload.patience.retry("put of a part", put).await?;
            written
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push((index, part));
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let mut numbered = std::mem::take(&mut *self.written());
        numbered.sort_by_key(|(index, _)| *index);
        if numbered.len() != self.next {
            return Err(Error::Generic {
                store: "lake",
                source: format!("{} of {} parts were written", numbered.len(), self.next).into(),
            });
        }
        let parts: Vec<PartId> = numbered.into_iter().map(|(_, part)| part).collect();
        let upload = self.upload.clone();
        let complete = || {
            upload
                .parts
                .complete_multipart(&upload.location, &upload.id, parts.clone())
        };
        let error = match upload
            .patience
            .retry("completing an upload", complete)
            .await
        {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        // An attempt whose answer was lost may have completed it: then the upload is gone and the
        // object is there. Its name is its own, so the size tells.
        let head = || upload.reader.head(&upload.location);
        match upload.patience.retry("head", head).await {
            Ok(meta) if meta.size == self.bytes => Ok(PutResult {
                e_tag: meta.e_tag,
                version: meta.version,
            }),
            _ => Err(error),
        }
    }

    async fn abort(&mut self) -> Result<()> {
        let upload = self.upload.clone();
        let abort = || upload.parts.abort_multipart(&upload.location, &upload.id);
        upload.patience.retry("giving up an upload", abort).await
    }
}
