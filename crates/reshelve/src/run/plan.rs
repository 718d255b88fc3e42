//! What a run is told, and what it writes down of that so that another process can go on.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{RunError, state_file};
use crate::folder::TargetFolder;
use crate::mapping::{InFlight, OnUnknownStatus, Options, StatusPolicy};
use crate::sink::SinkPosition;
use crate::source::{BatchLimits, SourceSpec};

/// The version of `run.json`.
pub(crate) const PLAN_SCHEMA: &str = "reshelve.plan/1";

/// What a run does with a target that holds documents already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnExisting {
    /// It refuses to start.
    #[default]
    Refuse,
    /// It leaves what is there and adds to it; a job that is there with other bytes is a reject.
    Keep,
    /// It replaces such a job, and keeps the earlier version for rollback.
    Replace,
}

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// Where the legacy documents come from.
    pub source: SourceSpec,
    /// Where the target documents go.
    pub target: TargetFolder,
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
    /// Most documents to read.
    pub limit: Option<u64>,
    /// Whether to stop at the first reject.
    pub fail_fast: bool,
    /// Whether to start even where the disk looks too small.
    pub skip_disk_check: bool,
    /// The folder of run folders.
    pub runs_folder: PathBuf,
}

/// `run.json`: what was run, from where, to where, how. It holds no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of the file: `reshelve.plan/1`.
    pub schema: String,
    /// The id of the run: the name of its folder.
    pub run: String,
    /// When it was begun, as ISO text.
    pub begun_at: String,
    /// The version of the tool.
    pub tool_version: String,
    /// The version of the mapping.
    pub mapping: String,
    /// The source as it was named.
    pub source: PlannedSource,
    /// The target.
    pub target: TargetFolder,
    /// Whether the run writes.
    pub apply: bool,
    /// The mapping's options.
    pub options: Options,
    /// What it does with documents that are there.
    pub on_existing: OnExisting,
    /// Whose rejects it takes, if only those.
    pub only_rejects: Option<PathBuf>,
    /// Most documents to read.
    pub limit: Option<u64>,
    /// Whether it stops at the first reject.
    pub fail_fast: bool,
    /// What the target held before: rollback cuts back to it.
    pub base: SinkPosition,
    /// Documents that the target held before.
    pub base_documents: u64,
}

/// A source as `run.json` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSource {
    /// The path.
    pub path: PathBuf,
    /// The database that was picked inside it.
    pub db: Option<String>,
    /// The collection that was picked inside it.
    pub collection: Option<String>,
    /// What form it had.
    pub form: String,
    /// Its size on disk, where known.
    pub bytes: Option<u64>,
}

impl Plan {
    pub(crate) fn write(&self, path: &Path) -> Result<(), RunError> {
        state_file::write(path, self)
    }

    pub(crate) fn read(path: &Path) -> Result<Self, RunError> {
        state_file::read(path, PLAN_SCHEMA, |plan: &Self| &plan.schema)
    }

    /// The source as it is opened.
    pub fn source_spec(&self) -> SourceSpec {
        SourceSpec {
            path: self.source.path.clone(),
            db: self.source.db.clone(),
            collection: self.source.collection.clone(),
        }
    }
}
