//! The command line of `demo`, `completions` and `man`.

use std::path::PathBuf;

use clap::Args;

use super::shared::DryRun;

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder for everything that the demo writes
    #[arg(long, value_name = "DIR", env = "RESHELVE_DEMO_DIR", default_value = "reshelve-demo")]
    pub(crate) dir: PathBuf,
    /// Number of legacy documents
    #[arg(long, value_name = "N", env = "RESHELVE_DOCUMENTS", default_value_t = 200)]
    pub(crate) documents: u64,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Shell
    #[arg(value_name = "SHELL", env = "RESHELVE_SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Folder for the pages, one per command
    #[arg(value_name = "DIR", env = "RESHELVE_OUT")]
    pub(crate) dir: PathBuf,
}
