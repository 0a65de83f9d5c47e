//! Models side by side: each is built as soon as all that it reads is built.
//!
//! Most models are small, and planning one costs more than carrying it out; on two threads two are
//! planned at a time. What a model reads is complete and published before it starts, so the order
//! decides nothing but time.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::{Context, ModelResult, Observer, Options, Outcome, build, decide, failure};
use crate::compile::ParsedModel;
use crate::{Result, TransformError};

/// Models built at a time, at most: each may sort a chunk of its input in memory.
const SIDE_BY_SIDE_MAX: usize = 4;
/// Plans of deeply nested SQL need room.
const STACK_BYTES: usize = 16 << 20;

/// The models of a run in their order, and how far they have come.
pub(super) struct Queue<'a> {
    context: &'a Context<'a>,
    options: &'a Options,
    observer: &'a dyn Observer,
    /// Each with the places of those in the queue that it reads.
    models: Vec<(&'a ParsedModel, Vec<usize>)>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    started: Vec<bool>,
    results: Vec<Option<ModelResult>>,
    /// Why nothing more is started: there is no room to write.
    full: Option<TransformError>,
}

impl<'a> Queue<'a> {
    pub(super) fn new(
        context: &'a Context<'a>,
        order: &[String],
        options: &'a Options,
        observer: &'a dyn Observer,
    ) -> Self {
        let known: Vec<&ParsedModel> = order
            .iter()
            .filter_map(|name| context.manifest.models.get(name))
            .collect();
        let models: Vec<(&ParsedModel, Vec<usize>)> = known
            .iter()
            .map(|model| {
                let reads = decide::models_read(context.manifest, model);
                let views = views_read(context, model);
                let before = known.iter().enumerate().filter(|(_, other)| {
                    other.name() != model.name()
                        && (reads.contains(other.name()) || views.contains(other.name()))
                });
                (*model, before.map(|(place, _)| place).collect())
            })
            .collect();
        let count = models.len();
        Self {
            context,
            options,
            observer,
            models,
            state: Mutex::new(State {
                started: vec![false; count],
                results: vec![None; count],
                full: None,
            }),
            changed: Condvar::new(),
        }
    }

    /// Builds them all, and gives their results in the order of the queue.
    ///
    /// # Errors
    /// There is no room to write: what comes next would fail in the same way.
    pub(super) async fn build_all(&self) -> Result<Vec<ModelResult>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = threads.min(SIDE_BY_SIDE_MAX).min(self.models.len());
        let runtime = Handle::current();
        if workers < 2 || runtime.runtime_flavor() == RuntimeFlavor::CurrentThread {
            self.work().await;
        } else {
            tokio::task::block_in_place(|| {
                std::thread::scope(|scope| {
                    for _ in 1..workers {
                        // Where no thread is to be had, those that there are do the work.
                        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
                        let _ = thread.spawn_scoped(scope, || runtime.block_on(self.work()));
                    }
                    runtime.block_on(self.work());
                });
            });
        }
        let mut state = self.lock();
        if let Some(error) = state.full.take() {
            return Err(error);
        }
        let results = std::mem::take(&mut state.results);
        Ok(results.into_iter().flatten().collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Builds models until all are started.
    async fn work(&self) {
        while let Some(place) = self.next() {
            let (model, _) = &self.models[place];
            let clock = std::time::Instant::now();
            let mut result = match self.broken_input(place) {
                Some(cause) => failure(model, Outcome::Skipped, format!("`{cause}` was not built")),
                None => self.build(model).await,
            };
            result.seconds = clock.elapsed().as_secs_f64();
            self.observer.ends(&result);
            self.lock().results[place] = Some(result);
            self.changed.notify_all();
        }
    }

    async fn build(&self, model: &ParsedModel) -> ModelResult {
        let built = Box::pin(build::build(self.context, model, self.options));
        // Whoever waits for this model would wait for ever if a panic took its result away.
        let built = match AssertUnwindSafe(built).catch_unwind().await {
            Ok(built) => built,
            Err(_) => Err(TransformError::Setup(format!(
                "the build of `{}` panicked; its table is as before (hint: please report this)",
                model.name()
            ))),
        };
        let forgotten = self.context.warehouse.take_back(model.name());
        built
            .and_then(|result| forgotten.map(|()| result))
            .unwrap_or_else(|error: TransformError| {
                let result = failure(model, Outcome::Failed, error.to_string());
                if error.is_full() {
                    self.lock().full = Some(error);
                }
                result
            })
    }

    /// The place of the next model whose inputs are all done; waits for one. None when all are
    /// started, or nothing more is to be.
    fn next(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.full.is_some() || state.started.iter().all(|started| *started) {
                return None;
            }
            let is_ready = |place: &usize| {
                let (_, before) = &self.models[*place];
                !state.started[*place] && before.iter().all(|input| state.results[*input].is_some())
            };
            if let Some(place) = (0..self.models.len()).find(is_ready) {
                state.started[place] = true;
                let (model, _) = &self.models[place];
                self.observer
                    .starts(model.name(), place + 1, self.models.len());
                return Some(place);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn broken_input(&self, place: usize) -> Option<String> {
        let state = self.lock();
        let (_, before) = &self.models[place];
        let mut results = before.iter().filter_map(|at| state.results[*at].as_ref());
        results
            .find(|result| {
                matches!(
                    result.outcome,
                    Outcome::Failed | Outcome::Blocked | Outcome::Skipped
                )
            })
            .map(|result| result.model.clone())
    }
}

/// The views that a model reads: they are registered before it is planned.
fn views_read(context: &Context<'_>, model: &ParsedModel) -> BTreeSet<String> {
    let targets = model
        .dependencies
        .iter()
        .map(|dependency| &dependency.target);
    targets
        .filter_map(|target| match target {
            crate::compile::Target::Model(name) => Some(name.clone()),
            _ => None,
        })
        .filter(|name| context.manifest.models.contains_key(name))
        .collect()
}
