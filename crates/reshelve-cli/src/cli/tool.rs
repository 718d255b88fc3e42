//! The command line of what shows or describes the tool itself.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where everything goes
    #[arg(long, value_name = "DIR", env = "RESHELVE_DEMO_DIR", default_value = "reshelve-demo")]
    pub(crate) dir: PathBuf,
    /// How many legacy documents
    #[arg(long, value_name = "N", env = "RESHELVE_DOCUMENTS", default_value_t = 200)]
    pub(crate) documents: u64,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", env = "RESHELVE_SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder that gets a page for every command
    #[arg(value_name = "DIR", env = "RESHELVE_OUT")]
    pub(crate) dir: PathBuf,
}
