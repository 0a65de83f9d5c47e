//! A store that fails: for tests, and compiled with debug assertions only.
//!
//! A share of the calls, chosen by a seed, goes wrong in the ways in which stores do: an error
//! without effect (500, 503, a time-out, 409, 412), an error although the call took effect, and an
//! effect that comes after the error was told. `THROUGHLINE_FAULTS="seed=7,rate=0.2"` puts it
//! below a whole lake; `full_after=BYTES` makes the disk full after so many bytes.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartId, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};

use super::steady::Dice;

/// What is to go wrong.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The same seed and order of calls give the same faults.
    pub(crate) seed: u64,
    /// Share of the calls that go wrong, from 0 to 1.
    pub(crate) rate: f64,
    /// After so many bytes written the disk is full.
    pub(crate) full_after: Option<u64>,
    /// Some calls take effect only after their error was told.
    pub(crate) late: bool,
}

impl Settings {
    /// Reads `seed=7,rate=0.2,full_after=1000000`.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut settings = Self {
            seed: 0,
            rate: 0.0,
            full_after: None,
            late: true,
        };
        for part in text.split(',') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let wrong = || format!("`{part}` is no setting of faults");
            match name.trim() {
                "seed" => settings.seed = value.parse().map_err(|_| wrong())?,
                "rate" => settings.rate = value.parse().map_err(|_| wrong())?,
                "full_after" => settings.full_after = Some(value.parse().map_err(|_| wrong())?),
                _ => return Err(wrong()),
            }
        }
        Ok(settings)
    }
}

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// An error, and nothing was done.
    Before(&'static str),
    /// It was done, and the answer is an error.
    After(&'static str),
    /// An error, and it is done a little later.
    Late(&'static str),
    /// "There is something already", and nothing was done.
    Refused(&'static str),
}

const READS: [Fault; 3] = [
    Fault::Before("503 Slow Down"),
    Fault::Before("500 Internal Server Error"),
    Fault::Before("operation timed out"),
];
const WRITES: [Fault; 6] = [
    Fault::Before("503 Slow Down"),
    Fault::Before("500 Internal Server Error"),
    Fault::Before("operation timed out"),
    Fault::After("connection reset by peer"),
    Fault::After("operation timed out"),
    Fault::Late("operation timed out"),
];
const CREATES: [Fault; 8] = [
    Fault::Before("503 Slow Down"),
    Fault::Before("500 Internal Server Error"),
    Fault::Before("operation timed out"),
    Fault::After("connection reset by peer"),
    Fault::After("operation timed out"),
    Fault::Late("operation timed out"),
    Fault::Refused("409 Conflict"),
    Fault::Refused("412 Precondition Failed"),
];

/// A store over another whose calls go wrong.
#[derive(Clone)]
pub(crate) struct Faults {
    inner: Arc<dyn ObjectStore>,
    parts: Option<Arc<dyn MultipartStore>>,
    settings: Settings,
    state: Arc<State>,
}

struct State {
    dice: Dice,
    injected: AtomicU64,
    written: AtomicU64,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with faults", self.inner)
    }
}

type Both = (Arc<dyn ObjectStore>, Option<Arc<dyn MultipartStore>>);

impl Faults {
    pub(crate) fn new(
        inner: Arc<dyn ObjectStore>,
        parts: Option<Arc<dyn MultipartStore>>,
        settings: Settings,
    ) -> Self {
        let state = State {
            dice: Dice::new(settings.seed),
            injected: AtomicU64::new(0),
            written: AtomicU64::new(0),
        };
        Self {
            inner,
            parts,
            settings,
            state: Arc::new(state),
        }
    }

    /// The faulty store, as both kinds of store that the one below is.
    pub(crate) fn over(
        inner: Arc<dyn ObjectStore>,
        parts: Option<Arc<dyn MultipartStore>>,
        settings: Settings,
    ) -> Both {
        let has_parts = parts.is_some();
        let faults = Arc::new(Self::new(inner, parts, settings));
        let parts = has_parts.then(|| faults.clone() as Arc<dyn MultipartStore>);
        (faults, parts)
    }

    /// How many calls went wrong so far.
    #[cfg(test)]
    pub(crate) fn injected(&self) -> u64 {
        self.state.injected.load(Ordering::Relaxed)
    }

    fn fault(&self, call: &str, kinds: &[Fault]) -> Option<Fault> {
        if self.state.dice.share() >= self.settings.rate {
            return None;
        }
        let fault = kinds[(self.state.dice.roll() % kinds.len() as u64) as usize];
        self.state.injected.fetch_add(1, Ordering::Relaxed);
        log::info!("injected into {call}: {fault:?}");
        Some(fault)
    }

    fn read_fault(&self, call: &str) -> Result<()> {
        match self.fault(call, &READS) {
            Some(Fault::Before(what)) => Err(passing(what)),
            _ => Ok(()),
        }
    }

    /// Counts bytes that are to be written; an error once the disk is full.
    fn room_for(&self, bytes: usize) -> Result<()> {
        let Some(full_after) = self.settings.full_after else {
            return Ok(());
        };
        let before = self
            .state
            .written
            .fetch_add(bytes as u64, Ordering::Relaxed);
        if before + bytes as u64 > full_after {
            return Err(Error::Generic {
                store: "faults",
                source: Box::new(std::io::Error::from(ErrorKind::StorageFull)),
            });
        }
        Ok(())
    }

    /// Does `work`, or makes it go wrong.
    async fn doing<T: Send + 'static>(
        &self,
        call: &str,
        location: &Path,
        kinds: &[Fault],
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        match self.fault(call, kinds) {
            None => work.await,
            Some(Fault::Before(what)) => Err(passing(what)),
            Some(Fault::After(what)) => {
                work.await?;
                Err(passing(what))
            }
            Some(Fault::Late(what)) => {
                if !self.settings.late {
                    return Err(passing(what));
                }
                let pause = Duration::from_micros(self.state.dice.roll() % 3_000);
                tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    // Nobody waits for this answer any more.
                    let _ = work.await;
                });
                Err(passing(what))
            }
            Some(Fault::Refused(what)) => Err(Error::AlreadyExists {
                path: location.to_string(),
                source: what.into(),
            }),
        }
    }

    fn parts(&self) -> Result<Arc<dyn MultipartStore>> {
        self.parts.clone().ok_or_else(|| Error::NotImplemented {
            operation: "uploads in parts".into(),
            implementer: self.to_string(),
        })
    }
}

fn passing(what: &'static str) -> Error {
    Error::Generic {
        store: "faults",
        source: what.into(),
    }
}

#[async_trait]
impl ObjectStore for Faults {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.room_for(payload.content_length())?;
        let kinds = match options.mode {
            PutMode::Create => CREATES.as_slice(),
            _ => WRITES.as_slice(),
        };
        let (inner, path) = (self.inner.clone(), location.clone());
        let work = async move { inner.put_opts(&path, payload, options).await };
        self.doing("put", location, kinds, work).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.read_fault("get")?;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let faults = self.clone();
        locations
            .and_then(move |path| {
                let faults = faults.clone();
                async move {
                    let (inner, gone) = (faults.inner.clone(), path.clone());
                    let work = async move {
                        let one = stream::once(async move { Ok(gone) }).boxed();
                        inner.delete_stream(one).try_collect::<Vec<_>>().await
                    };
                    faults.doing("delete", &path, &WRITES[..5], work).await?;
                    Ok(path)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        // A listing may break off after some of its answers.
        match self.read_fault("list") {
            Ok(()) => self.inner.list(prefix),
            Err(error) => {
                let some = (self.state.dice.roll() % 3) as usize;
                let rest = stream::once(async move { Err(error) });
                self.inner.list(prefix).take(some).chain(rest).boxed()
            }
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.read_fault("list")?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let (inner, source, target) = (self.inner.clone(), from.clone(), to.clone());
        let work = async move { inner.copy_opts(&source, &target, options).await };
        self.doing("copy", to, &WRITES[..5], work).await
    }
}

#[async_trait]
impl MultipartStore for Faults {
    async fn create_multipart(&self, path: &Path) -> Result<MultipartId> {
        let (parts, to) = (self.parts()?, path.clone());
        let work = async move { parts.create_multipart(&to).await };
        self.doing("upload", path, &WRITES[..5], work).await
    }

    async fn put_part(
        &self,
        path: &Path,
        id: &MultipartId,
        part_idx: usize,
        data: PutPayload,
    ) -> Result<PartId> {
        self.room_for(data.content_length())?;
        let (parts, to, id) = (self.parts()?, path.clone(), id.clone());
        let work = async move { parts.put_part(&to, &id, part_idx, data).await };
        self.doing("part", path, &WRITES[..5], work).await
    }

    async fn complete_multipart(
        &self,
        path: &Path,
        id: &MultipartId,
        all: Vec<PartId>,
    ) -> Result<PutResult> {
        let (parts, to, id) = (self.parts()?, path.clone(), id.clone());
        let work = async move { parts.complete_multipart(&to, &id, all).await };
        self.doing("complete", path, &WRITES[..5], work).await
    }

    async fn abort_multipart(&self, path: &Path, id: &MultipartId) -> Result<()> {
        self.parts()?.abort_multipart(path, id).await
    }
}
