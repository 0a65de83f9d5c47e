//! The binary: reads the command line, opens the project, runs one command, says how it ended.

mod backup;
mod cli;
mod commands;
mod demo;
mod history;
mod load;
mod people;
mod project;
mod recover;
mod say;

use std::process::ExitCode;

use clap::Parser as _;

/// Batches are made and dropped by the thousand on all threads: the C library's allocator spends
/// a tenth of a build on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    say::start_logging(cli.verbose);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Plans of deeply nested SQL need room.
        .thread_stack_size(16 << 20)
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli)),
        Err(error) => Err(anyhow::Error::from(error).context("cannot start the runtime")),
    };
    match ended {
        Ok(_) if say::is_lost() => ExitCode::from(1),
        Ok(exit) => exit.into(),
        Err(error) => {
            say::error(&error);
            ExitCode::from(1)
        }
    }
}
