//! The memory of one query: a pool of its own within that of the process.

use std::fmt;
use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};

use super::limits::Limits;

/// What a query reserves counts in its own pool and in that of the process.
#[derive(Debug)]
struct QueryPool {
    own: FairSpillPool,
    of_process: Arc<dyn MemoryPool>,
}

impl fmt::Display for QueryPool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("query")
    }
}

impl MemoryPool for QueryPool {
    fn name(&self) -> &'static str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.own.register(consumer);
        self.of_process.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.own.unregister(consumer);
        self.of_process.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.of_process.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.of_process.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.own.try_grow(reservation, additional)?;
        self.of_process
            .try_grow(reservation, additional)
            .inspect_err(|_| self.own.shrink(reservation, additional))
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.own.memory_limit()
    }
}

/// The environment of one query: that of the process with limits of its own.
///
/// # Errors
/// The engine refuses the settings.
pub(crate) fn environment(of_process: &RuntimeEnv, limits: &Limits) -> Result<Arc<RuntimeEnv>> {
    let pool = QueryPool {
        own: FairSpillPool::new(limits.memory_bytes),
        of_process: of_process.memory_pool.clone(),
    };
    let folders = of_process.disk_manager.temp_dir_paths();
    let mode = match folders.is_empty() {
        true => DiskManagerMode::OsTmpDirectory,
        false => DiskManagerMode::Directories(folders),
    };
    let disk = DiskManagerBuilder::default()
        .with_mode(mode)
        .with_max_temp_directory_size(limits.spill_bytes);
    RuntimeEnvBuilder::from_runtime_env(of_process)
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(disk)
        .build_arc()
}
