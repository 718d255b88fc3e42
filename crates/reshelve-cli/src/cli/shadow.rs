//! The command line of `shadow`.

use std::path::PathBuf;

use clap::Args;
use reshelve_app::places::TargetPlace;
use reshelve_app::shadow;

use super::password::BothPasswords;
use super::shared::{GivenMappingArgs, Json, RunsDir, SourceArgs};

#[derive(Debug, Args)]
pub(crate) struct ShadowArgs {
    /// Compare every answer about every job now, without a server
    #[arg(long, env = "RESHELVE_OFFLINE")]
    pub(crate) offline: bool,
    #[command(flatten)]
    source: SourceArgs,
    /// Target: a folder, or a mongodb:// connection string
    #[arg(value_name = "TARGET", env = "TARGET_MONGODB_URI")]
    target: PathBuf,
    #[command(flatten)]
    mapping: GivenMappingArgs,
    /// Show what texts say in examples of answers that differ
    #[arg(long, env = "RESHELVE_WITH_TEXTS")]
    with_texts: bool,
    /// Database of the target [default: the one that is there]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB", help_heading = "Target")]
    target_db: Option<String>,
    #[command(flatten)]
    runs: RunsDir,
    #[command(flatten)]
    pub(crate) password: BothPasswords,
    #[command(flatten)]
    pub(crate) json: Json,
}

impl ShadowArgs {
    pub(crate) fn request(&self) -> shadow::Request {
        shadow::Request {
            source: self.source.place(),
            target: TargetPlace { name: self.target.clone(), db: self.target_db.clone() },
            mapping: self.mapping.options(),
            threads: None,
            runs_folder: self.runs.runs_dir.clone(),
            with_texts: self.with_texts,
        }
    }
}
