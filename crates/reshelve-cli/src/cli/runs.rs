//! The command line of `run`, `resume`, `rollback`, `runs`, `status` and `report`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reshelve_app::places::TargetPlace;
use reshelve_app::rollback::OnEdited;

use super::control::LimitArgs;
use super::password::{BothPasswords, TargetPassword};
use super::shared::{
    BatchArgs, DryRun, InFlight, Json, MappingArgs, ReadPreference, RunsDir, SourceArgs,
};

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Target: a folder, or a mongodb:// connection string
    #[arg(value_name = "TARGET", env = "TARGET_MONGODB_URI")]
    pub(crate) target: PathBuf,
    /// Write the target; without it, only the run folder
    #[arg(long, env = "RESHELVE_APPLY")]
    pub(crate) apply: bool,
    /// Save the dry run as a plan, to be approved
    #[arg(long, value_name = "FILE", env = "RESHELVE_SAVE_PLAN")]
    pub(crate) save_plan: Option<PathBuf>,
    /// Carry out this plan with --apply, if it still holds
    #[arg(long, value_name = "FILE", env = "RESHELVE_PLAN")]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) mapping: MappingArgs,
    /// Add to a target that holds documents, and keep them
    #[arg(long, env = "RESHELVE_ALLOW_EXISTING", help_heading = "Target")]
    pub(crate) allow_existing: bool,
    /// Replace jobs that differ in the target; their earlier versions are kept for a rollback
    #[arg(long, env = "RESHELVE_REPLACE", help_heading = "Target")]
    pub(crate) replace: bool,
    /// Read only what this run rejected, named as in `resume`
    #[arg(long, value_name = "RUN", env = "RESHELVE_ONLY_REJECTS", help_heading = "Source")]
    pub(crate) only_rejects: Option<String>,
    /// Break the lock of an interrupted run, and start a new run
    #[arg(long, env = "RESHELVE_TAKE_OVER", help_heading = "Target")]
    pub(crate) take_over: bool,
    /// Database of the target [default: the one in the connection string, else letswriteabook]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB", help_heading = "Target")]
    pub(crate) target_db: Option<String>,
    /// Compress the target as mongodump --gzip does
    #[arg(long, env = "RESHELVE_GZIP", help_heading = "Target", conflicts_with = "zstd")]
    pub(crate) gzip: bool,
    /// Compress the target with zstd, which only this tool reads
    #[arg(long, env = "RESHELVE_ZSTD", help_heading = "Target")]
    pub(crate) zstd: bool,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    /// Read at most this many documents
    #[arg(long, value_name = "N", env = "RESHELVE_LIMIT", help_heading = "Source")]
    pub(crate) limit: Option<u64>,
    /// Stop at the first reject; the run can be resumed
    #[arg(long, env = "RESHELVE_FAIL_FAST")]
    pub(crate) fail_fast: bool,
    /// Start even if the disk looks too small
    #[arg(long, env = "RESHELVE_SKIP_DISK_CHECK", help_heading = "Target")]
    pub(crate) skip_disk_check: bool,
    /// Take the documents of a dump as they are, although its oplog changes some of them
    #[arg(long, env = "RESHELVE_IGNORE_OPLOG", help_heading = "Source")]
    pub(crate) ignore_oplog: bool,
    #[command(flatten)]
    pub(crate) password: BothPasswords,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

impl RunArgs {
    pub(crate) fn target(&self) -> TargetPlace {
        TargetPlace { name: self.target.clone(), db: self.target_db.clone() }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(subcommand)]
    pub(crate) action: PlanAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlanAction {
    /// Print a plan for the one who approves it
    Show(PlanShowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PlanShowArgs {
    /// Plan: a file that `run --save-plan` wrote
    #[arg(value_name = "FILE", env = "RESHELVE_PLAN")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Run: its id, a unique beginning of its id, `latest`, or its folder
    #[arg(value_name = "RUN", env = "RESHELVE_RUN")]
    pub(crate) run: String,
    /// Current place of the source, if it has moved; its connection string, if that has a password
    #[arg(long, value_name = "SOURCE", env = "LEGACY_MONGODB_URI", help_heading = "Source")]
    pub(crate) source: Option<PathBuf>,
    /// Take an empty standard input, or an empty pipe, for an empty collection
    #[arg(long, env = "RESHELVE_ALLOW_EMPTY", help_heading = "Source")]
    pub(crate) allow_empty: bool,
    /// Connection string of the target, if that has a password
    #[arg(long, value_name = "TARGET", env = "TARGET_MONGODB_URI", help_heading = "Target")]
    pub(crate) target: Option<PathBuf>,
    /// What to do with jobs that were queued or running, if nobody has decided yet
    #[arg(long, value_name = "WHAT", env = "RESHELVE_IN_FLIGHT", help_heading = "Mapping")]
    pub(crate) in_flight: Option<InFlight>,
    /// Member of a replica set to read from [default: as in the connection string]
    #[arg(long, value_name = "MODE", env = "RESHELVE_READ_PREFERENCE", help_heading = "Source")]
    pub(crate) read_preference: Option<ReadPreference>,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) password: BothPasswords,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// Run: its id, a unique beginning of its id, `latest`, or its folder
    #[arg(value_name = "RUN", env = "RESHELVE_RUN")]
    pub(crate) run: String,
    /// Change the target; without this flag, only say what would be taken back
    #[arg(long, env = "RESHELVE_APPLY")]
    pub(crate) apply: bool,
    /// What to do with jobs that were changed since: `keep`, or `discard=N` with their exact number
    #[arg(long, value_name = "WHAT", env = "RESHELVE_EDITED", value_parser = on_edited,
        help_heading = "Target")]
    pub(crate) edited: Option<OnEdited>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    /// Connection string of the target, if that has a password
    #[arg(long, value_name = "TARGET", env = "TARGET_MONGODB_URI", help_heading = "Target")]
    pub(crate) target: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) password: TargetPassword,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

fn on_edited(text: &str) -> Result<OnEdited, String> {
    match (text, text.strip_prefix("discard=").map(str::parse)) {
        ("keep", _) => Ok(OnEdited::Keep),
        (_, Some(Ok(jobs))) => Ok(OnEdited::Discard { jobs }),
        _ => Err("it is keep, or discard=N with the number of edited jobs".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Run: its id, a unique beginning of its id, `latest`, or its folder [default: latest]
    #[arg(value_name = "RUN", env = "RESHELVE_RUN")]
    pub(crate) run: Option<String>,
    /// Follow the run until it has ended
    #[arg(long, env = "RESHELVE_WATCH")]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Run: its id, a unique beginning of its id, `latest`, or its folder; beside it, retries of it
    /// (--only-rejects), which are reported with it as one
    #[arg(value_name = "RUN", env = "RESHELVE_RUN", required = true)]
    pub(crate) run: Vec<String>,
    /// Current place of the source, if it has moved
    #[arg(long, value_name = "SOURCE", env = "LEGACY_MONGODB_URI", help_heading = "Source")]
    pub(crate) source: Option<PathBuf>,
    /// Current place of the target, if it has moved
    #[arg(long, value_name = "TARGET", env = "TARGET_MONGODB_URI", help_heading = "Target")]
    pub(crate) target: Option<PathBuf>,
    /// Folder for the report [default: report in the run folder]
    #[arg(short, long, value_name = "DIR", env = "RESHELVE_OUT")]
    pub(crate) out: Option<PathBuf>,
    /// Also write the evidence pack: one archive for the change record
    #[arg(long, env = "RESHELVE_BUNDLE")]
    pub(crate) bundle: bool,
    /// Quote texts of the documents, such as titles; without this flag, only their shapes are shown
    #[arg(long, env = "RESHELVE_WITH_TEXTS")]
    pub(crate) with_texts: bool,
    /// Also compare the answers of both sides
    #[arg(long, env = "RESHELVE_ANSWERS", help_heading = "Answers")]
    pub(crate) answers: bool,
    /// Include what a cross-check found: the crosscheck.json of `crosscheck --out`
    #[arg(long, value_name = "FILE", env = "RESHELVE_CROSSCHECK", help_heading = "Answers")]
    pub(crate) crosscheck: Option<PathBuf>,
    /// Link each job to its page in the dashboard of `reshelve serve` at this address
    #[arg(long, value_name = "URL", env = "RESHELVE_DASHBOARD")]
    pub(crate) dashboard: Option<String>,
    #[command(flatten)]
    pub(crate) password: BothPasswords,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}
