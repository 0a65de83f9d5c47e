//! Sessions of the engine: how much memory, how many threads, which settings.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;

use crate::Result;
use crate::window::WholePartitions;

/// What a process may use.
#[derive(Debug, Clone)]
pub struct Resources {
    /// Memory of the engine's operators, in bytes; they spill to disk beyond it.
    pub memory_bytes: usize,
    /// Threads of a query.
    pub threads: usize,
}

impl Default for Resources {
    /// Half of the machine's memory and all its threads.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            memory_bytes: machine_memory_bytes() / 2,
            threads,
        }
    }
}

/// Memory of this machine, 4 GiB where the system does not say.
fn machine_memory_bytes() -> usize {
    let total = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text
                .lines()
                .find(|line| line.starts_with("MemTotal:"))?
                .to_owned();
            line.split_whitespace().nth(1)?.parse::<usize>().ok()
        });
    total.map_or(4 << 30, |kib| kib * 1024)
}

/// How many of the largest operators are named when memory does not suffice.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::new(5).unwrap();

/// The engine's environment, shared by all sessions of a process; `spill` is a folder for what
/// does not fit into memory.
///
/// # Errors
/// The engine refuses the settings.
pub fn runtime(resources: &Resources, spill: &Path) -> Result<Arc<RuntimeEnv>> {
    let disk = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![spill.to_path_buf()]));
    std::fs::create_dir_all(spill).map_err(DataFusionError::from)?;
    Ok(RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(TrackConsumersPool::new(
            FairSpillPool::new(resources.memory_bytes),
            CONSUMERS_NAMED,
        )))
        .with_disk_manager_builder(disk)
        .build_arc()?)
}

/// The engine's settings: plain strings, exact decimals, our schemas in the catalogue
/// `throughline`.
pub fn config(resources: &Resources) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(resources.threads)
        .with_information_schema(true)
        .with_default_catalog_and_schema("throughline", "star")
        .with_create_default_catalog_and_schema(true);
    let options = config.options_mut();
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    config
}

/// The start of a session with these settings and the engine's own functions.
pub fn builder(resources: &Resources, runtime: Arc<RuntimeEnv>) -> SessionStateBuilder {
    SessionStateBuilder::new()
        .with_config(config(resources))
        .with_runtime_env(runtime)
        .with_default_features()
        .with_physical_optimizer_rule(Arc::new(WholePartitions))
}
