//! What a run is told, and what it writes down of that so that another process can go on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::control::Throttle;
use super::run_folder::RunFolder;
use crate::ends::{
    Abandoned, Base, BatchLimits, Claim, CollectionChecksum, OnExisting, PlannedSource,
    PlannedTarget, SourceSize, TargetRequest,
};
use crate::store::Files;
use reshelve_core::mapping::{InFlight, OnUnknownStatus, Options, StatusPolicy};

/// The version of `run.json`.
pub(crate) const PLAN_SCHEMA: &str = "reshelve.plan/1";

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// Whether to write; else it is a dry run.
    pub apply: bool,
    /// What becomes of unknown statuses.
    pub on_unknown_status: OnUnknownStatus,
    /// Who is right where status and chapters differ.
    pub status_policy: StatusPolicy,
    /// What becomes of jobs in flight; a decision is needed to apply where there are any.
    pub in_flight: Option<InFlight>,
    /// What to do with a target that holds documents.
    pub on_existing: OnExisting,
    /// Take only documents that this run, named by its folder, rejected.
    pub only_rejects: Option<PathBuf>,
    /// Whether to break the lock of a run that is no longer there.
    pub take_over: bool,
    /// Limits of a batch.
    pub batch: BatchLimits,
    /// Mapping threads.
    pub jobs: usize,
    /// A checkpoint is due after so many target bytes.
    pub checkpoint_bytes: u64,
    /// How much the run may take.
    pub throttle: Throttle,
    /// Most documents to read.
    pub limit: Option<u64>,
    /// Whether to stop at the first reject.
    pub fail_fast: bool,
    /// Whether to start even where the disk looks too small.
    pub skip_disk_check: bool,
    /// Whether to write documents that an oplog in the dump would change.
    pub ignore_oplog: bool,
    /// The saved plan that it carries out, if it does.
    pub from_plan: Option<FromPlan>,
    /// Where it is to be saved as a plan when it is done, if it is a dry run that is.
    pub saves_plan: Option<PathBuf>,
    /// The folder of run folders.
    pub runs_folder: PathBuf,
    /// The file system that it is on: [`Disk`](crate::store::Disk), but for tests.
    pub files: Arc<dyn Files>,
}

impl RunRequest {
    /// What is asked of the target, for a source of this size.
    pub(crate) fn of_target(&self, source: SourceSize) -> TargetRequest {
        TargetRequest {
            apply: self.apply,
            on_existing: self.on_existing,
            abandoned: self.abandoned(),
            skip_disk_check: self.skip_disk_check,
            source,
            scratch: self.runs_folder.clone(),
        }
    }

    pub(crate) fn abandoned(&self) -> Abandoned {
        if self.take_over { Abandoned::TakeOver } else { Abandoned::Keep }
    }
}

/// What was decided for the mapping of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decisions {
    /// What becomes of unknown statuses.
    pub on_unknown_status: OnUnknownStatus,
    /// Who is right where status and chapters differ.
    pub status_policy: StatusPolicy,
    /// What becomes of jobs in flight; none where nobody decided. A run that writes stops before
    /// the first of them then, and is told when it is resumed.
    pub in_flight: Option<InFlight>,
}

impl Decisions {
    /// The options of the mapping; jobs in flight are included where nobody decided.
    pub fn mapping(self) -> Options {
        Options {
            on_unknown_status: self.on_unknown_status,
            status_policy: self.status_policy,
            in_flight: self.in_flight.unwrap_or_default(),
        }
    }
}

/// `run.json`: what was run, from where, to where, how. It holds no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of the file: `reshelve.plan/1`.
    pub schema: String,
    /// The id of the run: the name of its folder.
    pub run: String,
    /// Its number among the runs of its folder: greater than that of every run that was there when it
    /// was begun, whatever the clock says; older versions did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// When it was begun, as ISO text.
    pub begun_at: String,
    /// The version of the tool.
    pub tool_version: String,
    /// The version of the mapping.
    pub mapping: String,
    /// The source as it was named.
    pub source: PlannedSource,
    /// The target.
    pub target: PlannedTarget,
    /// Whether the run writes.
    pub apply: bool,
    /// The decisions of the mapping.
    pub options: Decisions,
    /// What it does with documents that are there.
    pub on_existing: OnExisting,
    /// Whose rejects it takes, if only those.
    pub only_rejects: Option<PathBuf>,
    /// The id of that run; older versions did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<String>,
    /// Most documents to read.
    pub limit: Option<u64>,
    /// Whether it stops at the first reject.
    pub fail_fast: bool,
    /// What the target held before: rollback goes back to it.
    pub base: Base,
    /// The saved plan that it carries out, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_plan: Option<FromPlan>,
    /// Where it is saved as a plan when it is done, if it is a dry run that is. What such a run
    /// foresees is not in its checkpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saves_plan: Option<PathBuf>,
}

/// The saved plan that a run carries out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromPlan {
    /// The hash of the plan, in hex: its name.
    pub hash: String,
    /// Where its file was.
    pub file: PathBuf,
    /// The running hash over the documents that were checked against the plan, in hex, if the run
    /// is to read exactly these.
    pub source_hash: Option<String>,
    /// What the target must hold when the run is done, by collection.
    pub reaches: BTreeMap<String, CollectionChecksum>,
}

/// Which part of its source a run takes, where it is not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// So many documents from the beginning.
    First(u64),
    /// What another run, named by its folder, had rejected.
    RejectsOf(PathBuf),
}

impl Plan {
    /// Which part of its source the run takes, once it has read so many documents; none where it
    /// takes all of it. A limit that the source does not reach makes no part.
    pub fn part(&self, read: u64) -> Option<Part> {
        if let Some(run) = &self.only_rejects {
            return Some(Part::RejectsOf(run.clone()));
        }
        self.limit.filter(|limit| read >= *limit).map(Part::First)
    }

    /// The id of the run whose rejects it takes, if only those.
    pub fn parent(&self) -> Option<&str> {
        let folder = || self.only_rejects.as_deref()?.file_name()?.to_str();
        self.retry_of.as_deref().or_else(folder)
    }

    /// The run, as its target knows it.
    pub(crate) fn claim(&self, folder: &RunFolder) -> Claim {
        Claim {
            run: self.run.clone(),
            folder: folder.path().to_owned(),
            apply: self.apply,
            on_existing: self.on_existing,
            base: self.base.clone(),
            undo: folder.undo_folder(),
            scratch: folder.path().parent().unwrap_or(Path::new(".")).to_owned(),
        }
    }
}
