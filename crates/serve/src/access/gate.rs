//! The gate: the one place where a recognised principal becomes a session.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use datafusion::prelude::SessionContext;
use domain::config::ProjectConfig;
use domain::metrics::Layer;
use tokio::runtime::Runtime;
use tokio::task::{AbortHandle, JoinHandle};
use transform::project::ProjectError;

use super::error::{AccessError, Reason, Result};
use super::guarded::{Directory, Guarded};
use super::limits::{Admission, Limits};
use super::options::Options;
use super::own::{self, OwnSchemas};
use super::policy::{Policy, Rights, SeenTable};
use super::principal::{Principal, PrincipalId};
use super::secured::MaskKey;
use super::session::Session;
use super::standing::{Standing, View};
use super::tags::TagMap;
use super::witness::{Event, Witness};

/// How often the policy's file and the directory are looked at.
const LOOK: Duration = Duration::from_millis(400);
/// More threads than processors: a sort works for seconds without a pause, and others go on.
const SPARE_THREADS: usize = 2;
/// Stack of the threads that plan and run queries.
const STACK_BYTES: usize = 32 << 20;

/// Why a gate cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// `access.yml` says what cannot be.
    #[error(transparent)]
    Policy(#[from] ProjectError),
    /// The tags cannot be found out.
    #[error(transparent)]
    Tags(#[from] AccessError),
    /// The own schemas cannot be opened.
    #[error("own schemas: {0}")]
    Own(AccessError),
    /// The system gives no threads.
    #[error("no threads for queries: {0}")]
    Threads(std::io::Error),
}

/// The gate in front of all tables. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    shared: Arc<Shared>,
}

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) guarded: Arc<dyn Guarded>,
    pub(crate) limits: Limits,
    pub(crate) admission: Admission,
    pub(crate) mask_key: MaskKey,
    /// The users' own schemas.
    pub(crate) own: Option<Arc<OwnSchemas>>,
    file: Option<PathBuf>,
    policy: RwLock<Policies>,
    standings: Mutex<BTreeMap<PrincipalId, Weak<Standing>>>,
    /// Who was revoked and has not come back.
    revoked: Mutex<BTreeSet<PrincipalId>>,
    directory: Option<Arc<dyn Directory>>,
    witness: Option<Arc<dyn Witness>>,
    metrics: Option<(Arc<Layer>, Arc<ProjectConfig>)>,
    runtime: Option<Runtime>,
}

/// What holds now.
struct Policies {
    policy: Arc<Policy>,
    text: String,
    tags: Arc<TagMap>,
    tags_stamp: u64,
}

impl Gate {
    /// Opens the gate before `guarded`.
    ///
    /// # Errors
    /// `access.yml` says what cannot be, or the tags cannot be found out.
    pub async fn open(guarded: Arc<dyn Guarded>, options: Options) -> Result<Self, OpenError> {
        let tags = guarded.tags().await?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads * 2 + SPARE_THREADS)
            .thread_stack_size(STACK_BYTES)
            .thread_name("gate")
            .enable_all()
            .build()
            .map_err(OpenError::Threads)?;
        let (policy, text) = match &options.file {
            None => (Policy::built_in(), String::new()),
            Some(file) => read(file)?,
        };
        let own = match options.own {
            Some(settings) => {
                let opened = OwnSchemas::open(settings).await;
                Some(Arc::new(opened.map_err(OpenError::Own)?))
            }
            None => None,
        };
        let shared = Shared {
            guarded,
            own,
            admission: Admission::new(&options.limits),
            limits: options.limits,
            mask_key: MaskKey::new(&options.key),
            file: options.file,
            policy: RwLock::new(Policies {
                policy: Arc::new(policy),
                text,
                tags,
                tags_stamp: 0,
            }),
            standings: Mutex::default(),
            revoked: Mutex::default(),
            directory: options.directory,
            witness: options.witness,
            metrics: options.metrics,
            runtime: Some(runtime),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// A session of a principal that a door has recognised. It reads what is newest.
    ///
    /// # Errors
    /// None that a principal with a role could cause.
    pub fn session(&self, principal: Principal) -> Result<Session> {
        let owner = self.shared.guarded.session();
        self.session_over(principal, owner, None)
    }

    /// A session that reads the tables as they were at a time, under the policy of today.
    ///
    /// # Errors
    /// Nothing is known of that time.
    pub async fn session_as_of(&self, principal: Principal, at: DateTime<Utc>) -> Result<Session> {
        let owner = self.shared.guarded.session_at(at).await?;
        self.session_over(principal, owner, Some(at))
    }

    fn session_over(
        &self,
        principal: Principal,
        owner: SessionContext,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<Session> {
        let id = principal.id();
        self.shared.revoked().remove(&id);
        let standing = self.shared.standing(principal);
        Session::new(self.shared.clone(), standing, id, owner, as_of)
    }

    /// The policy that holds now.
    pub fn policy(&self) -> Arc<Policy> {
        self.shared.policies().policy.clone()
    }

    /// The tags that hold now.
    pub fn tags(&self) -> Arc<TagMap> {
        self.shared.policies().tags.clone()
    }

    /// The users' own schemas, with the tags and the lineage of what is in them.
    pub fn own(&self) -> Option<&Arc<OwnSchemas>> {
        self.shared.own.as_ref()
    }

    /// The roles that a principal holds, by itself and by its groups.
    pub fn rights(&self, principal: Principal) -> Rights {
        Rights::of(&self.policy(), Arc::new(principal))
    }

    /// Lets another policy hold, for running sessions too.
    pub fn set_policy(&self, policy: Policy) {
        let roles = policy.roles().into_iter().map(|(name, _)| name.to_owned());
        let roles = roles.collect();
        self.shared.change(|now| now.policy = Arc::new(policy));
        self.shared.note(&Event::Policy { roles });
    }

    /// Reads `access.yml` again if it has changed; true if it had. A file that is gone changes
    /// nothing: without it less would be forbidden.
    ///
    /// # Errors
    /// It cannot be read or says what cannot be; the policy before it holds on.
    pub fn reload(&self) -> Result<bool, ProjectError> {
        let Some(file) = &self.shared.file else {
            return Ok(false);
        };
        let text = std::fs::read_to_string(file).map_err(|source| ProjectError::Read {
            path: file.display().to_string(),
            source,
        })?;
        if text == self.shared.policies().text {
            return Ok(false);
        }
        let policy = Policy::parse(&text)?;
        self.shared.change(|now| now.text = text);
        self.set_policy(policy);
        Ok(true)
    }

    /// What of the policy does not fit the tables there are, as sentences: grants and rules about
    /// nothing (a name may be misspelt), expressions that cannot be planned (who they are for then
    /// cannot read the table).
    pub async fn misfits(&self) -> Vec<String> {
        let (owner, tags) = self.all();
        super::policy::check(&self.policy(), &owner, &tags).await
    }

    /// All tables, own ones too, and their tags.
    fn all(&self) -> (datafusion::prelude::SessionContext, Arc<TagMap>) {
        let owner = self.shared.guarded.session();
        let Some(own) = &self.shared.own else {
            return (owner, self.tags());
        };
        let mut tags = self.tags().as_ref().clone();
        own.tags_into(&mut tags);
        let owner = own::overlay(&self.shared, own, &owner, None);
        (owner, Arc::new(tags))
    }

    /// What a principal sees of each table, for administrators.
    pub async fn seen_by(&self, principal: Principal) -> Vec<SeenTable> {
        let (owner, tags) = self.all();
        super::policy::tables_of(&self.rights(principal), &owner, &tags).await
    }

    /// Finds out the tags again, after a run has built tables or a model was changed.
    ///
    /// # Errors
    /// They cannot be found out; those before hold on.
    pub async fn refresh_tags(&self) -> Result<()> {
        let tags = self.shared.guarded.tags().await?;
        self.shared.change(|now| {
            if now.tags != tags {
                now.tags = tags;
                now.tags_stamp += 1;
            }
        });
        Ok(())
    }

    /// A principal has other roles or attributes than before: its sessions go on with those.
    pub fn changed(&self, principal: Principal) {
        if let Some(standing) = self.shared.known(&principal.id()) {
            let event = Event::Principal {
                principal: principal.id(),
                is_revoked: false,
            };
            standing.set(Some(self.shared.view(principal)));
            self.shared.note(&event);
        }
    }

    /// A principal has no access any more: what runs in its name ends.
    pub fn revoke(&self, id: &PrincipalId) {
        if let Some(standing) = self.shared.known(id) {
            standing.set(None);
        }
        self.shared.standings().remove(id);
        self.shared.revoked().insert(id.clone());
        self.shared.note(&Event::Principal {
            principal: id.clone(),
            is_revoked: true,
        });
    }

    /// Looks once whether the policy's file, the list of own tables or a principal with sessions
    /// has changed.
    pub async fn look(&self) {
        if let Some(own) = &self.shared.own
            && let Err(error) = own.keep_up().await
        {
            log::error!("own tables: {error}");
        }
        if let Err(error) = self.reload() {
            log::error!("the policy before holds on: {error}");
        }
        let Some(directory) = self.shared.directory.clone() else {
            return;
        };
        let ids: Vec<PrincipalId> = self.shared.standings().keys().cloned().collect();
        for id in ids {
            let Some(standing) = self.shared.known(&id) else {
                continue;
            };
            let before = standing.view().map(|view| view.rights.principal.clone());
            match (directory.current(&id).await, before) {
                (Ok(None), _) => self.revoke(&id),
                (Ok(Some(now)), Ok(before)) if now != *before => self.changed(now),
                (Ok(Some(_)), _) => {}
                (Err(error), _) => log::error!("{id} cannot be looked up: {error}"),
            }
        }
    }

    /// Shows the tables that a run has left since; true if there are others than before.
    ///
    /// # Errors
    /// They cannot be read; those before are shown on.
    pub async fn catch_up(&self) -> Result<bool> {
        let is_new = self.shared.guarded.catch_up().await?;
        if is_new {
            self.refresh_tags().await?;
        }
        Ok(is_new)
    }

    /// Looks again and again, until the gate is gone. Run it beside the doors. Tables are looked at
    /// on the side: to read them anew takes longer than a change of rights may.
    pub fn watch(&self) -> impl Future<Output = ()> + Send + use<> {
        let rights = again(Arc::downgrade(&self.shared), |gate| async move {
            gate.look().await;
        });
        let tables = again(Arc::downgrade(&self.shared), |gate| async move {
            if let Err(error) = gate.catch_up().await {
                log::error!("the tables before are shown on: {error}");
            }
        });
        async move {
            futures::join!(rights, tables);
        }
    }
}

impl Shared {
    fn policies(&self) -> std::sync::RwLockReadGuard<'_, Policies> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn standings(&self) -> MutexGuard<'_, BTreeMap<PrincipalId, Weak<Standing>>> {
        let mut all = self
            .standings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, standing| standing.strong_count() > 0);
        all
    }

    fn revoked(&self) -> MutexGuard<'_, BTreeSet<PrincipalId>> {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What somebody may see now who need not have a session: the owner of a view.
    pub(crate) async fn standing_of(&self, owner: &Principal) -> Result<Arc<Standing>> {
        let id = owner.id();
        let gone = || AccessError::new(Reason::Unknown, format!("{id} has no access any more"));
        if let Some(directory) = &self.directory {
            let now = directory.current(&id).await?;
            return now.map(|owner| self.standing(owner)).ok_or_else(gone);
        }
        if self.revoked().contains(&id) {
            return Err(gone());
        }
        let known = self.known(&id);
        Ok(known.unwrap_or_else(|| self.standing(owner.clone())))
    }

    fn known(&self, id: &PrincipalId) -> Option<Arc<Standing>> {
        self.standings().get(id).and_then(Weak::upgrade)
    }

    fn view(&self, principal: Principal) -> View {
        let now = self.policies();
        let rights = Rights::of(&now.policy, Arc::new(principal));
        View::new(rights, now.tags.clone(), now.tags_stamp)
    }

    /// What a principal may see, shared by all its sessions. The door's word of it is the newest.
    fn standing(&self, principal: Principal) -> Arc<Standing> {
        let id = principal.id();
        let view = self.view(principal);
        let mut all = self.standings();
        match all.get(&id).and_then(Weak::upgrade) {
            Some(standing) => {
                standing.set(Some(view));
                standing
            }
            None => {
                let standing = Arc::new(Standing::new(view));
                all.insert(id, Arc::downgrade(&standing));
                standing
            }
        }
    }

    /// Changes what holds, and then what each principal may see.
    fn change(&self, change: impl FnOnce(&mut Policies)) {
        let mut now = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut now);
        drop(now);
        let all: Vec<Arc<Standing>> = self
            .standings()
            .values()
            .filter_map(Weak::upgrade)
            .collect();
        for standing in all {
            if let Ok(before) = standing.view() {
                let principal = before.rights.principal.as_ref().clone();
                standing.set(Some(self.view(principal)));
            }
        }
    }

    /// Makes the semantic layer part of a session.
    pub(crate) fn add_metrics(&self, context: &SessionContext) -> Result<()> {
        let Some((layer, config)) = &self.metrics else {
            return Ok(());
        };
        crate::metrics::register(context, layer.clone(), config.clone())
            .map_err(|error| AccessError::of_planning(&error))
    }

    pub(crate) fn note(&self, event: &Event) {
        if let Some(witness) = &self.witness {
            witness.note(event);
        }
    }

    /// Runs something on the gate's own threads.
    pub(crate) fn spawn(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> (AbortHandle, JoinHandle<()>) {
        let task = match &self.runtime {
            Some(runtime) => runtime.spawn(work),
            None => tokio::spawn(work),
        };
        (task.abort_handle(), task)
    }

    /// Runs something on a thread of its own, and gives up on it when the time is over. A plan is
    /// made without a pause: on the threads of queries it would hold up all of them.
    pub(crate) async fn in_time<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (send, result) = tokio::sync::oneshot::channel();
        let runtime = match &self.runtime {
            Some(runtime) => runtime.handle().clone(),
            None => tokio::runtime::Handle::current(),
        };
        let here = runtime.clone();
        runtime.spawn_blocking(move || {
            // Nobody may wait any more.
            let _ = send.send(here.block_on(work));
        });
        match tokio::time::timeout_at(deadline.into(), result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(AccessError::new(
                Reason::Internal,
                "the statement could not be planned inside the server",
            )),
            Err(_) => Err(AccessError::new(
                Reason::Cancelled,
                "the statement took too long to plan",
            )),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A runtime must not be waited for where other tasks run.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Does something every [`LOOK`], until the gate is gone.
async fn again<F: Future<Output = ()>>(shared: Weak<Shared>, work: impl Fn(Gate) -> F) {
    loop {
        tokio::time::sleep(LOOK).await;
        match shared.upgrade() {
            Some(shared) => work(Gate { shared }).await,
            None => return,
        }
    }
}

fn read(file: &PathBuf) -> Result<(Policy, String), ProjectError> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok((Policy::parse(&text)?, text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok((Policy::built_in(), String::new()))
        }
        Err(source) => Err(ProjectError::Read {
            path: file.display().to_string(),
            source,
        }),
    }
}
