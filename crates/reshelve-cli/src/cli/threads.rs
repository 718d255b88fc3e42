//! The threads of commands that copy.

use clap::Args;

/// How many threads a command works with.
#[derive(Debug, Args)]
pub(crate) struct ThreadsArgs {
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", env = "RESHELVE_JOBS", help_heading = "Speed",
        value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

impl ThreadsArgs {
    pub(crate) fn threads(&self) -> Option<usize> {
        self.jobs.map(usize::from)
    }
}
