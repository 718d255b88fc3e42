//! The command line of `rehearse`.

use std::path::PathBuf;

use clap::Args;

use super::control::LimitArgs;
use super::password::BothPasswords;
use super::shared::{BatchArgs, DryRun, Json, MappingArgs, RunsDir, SourceArgs};

#[derive(Debug, Args)]
pub(crate) struct RehearseArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Where to rehearse: a new or empty folder, or the mongodb:// connection string of a server,
    /// without a database [default: a new folder in the folder of the record]
    #[arg(value_name = "SCRATCH", env = "RESHELVE_SCRATCH")]
    pub(crate) scratch: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) mapping: MappingArgs,
    /// Compress the scratch target as mongodump --gzip does
    #[arg(long, env = "RESHELVE_GZIP", help_heading = "Target", conflicts_with = "zstd")]
    pub(crate) gzip: bool,
    /// Compress the scratch target with zstd, which only this tool reads
    #[arg(long, env = "RESHELVE_ZSTD", help_heading = "Target")]
    pub(crate) zstd: bool,
    /// Keep the scratch of a rehearsal that passed
    #[arg(long, env = "RESHELVE_KEEP_SCRATCH", help_heading = "Target")]
    pub(crate) keep_scratch: bool,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    /// Start even if the disk looks too small
    #[arg(long, env = "RESHELVE_SKIP_DISK_CHECK", help_heading = "Target")]
    pub(crate) skip_disk_check: bool,
    /// Do not list the oplog of a dump as something that would have been refused
    #[arg(long, env = "RESHELVE_IGNORE_OPLOG", help_heading = "Source")]
    pub(crate) ignore_oplog: bool,
    #[command(flatten)]
    pub(crate) password: BothPasswords,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}
