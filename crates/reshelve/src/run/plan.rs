//! What a run is told, and what it writes down of that so that another process can go on.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::RunError;
use crate::ends::SinkPosition;
use crate::ends::{BatchLimits, SourceSpec};
use crate::folder::TargetFolder;
use crate::store::state_file;
use reshelve_core::mapping::{InFlight, OnUnknownStatus, Options, StatusPolicy};

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
    pub target: PlannedTarget,
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
    /// Where it is, where it is a live collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LivePlace>,
}

/// A place in a live database, as `run.json` names it: without credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LivePlace {
    /// The connection string without user, password and options; where `needs_uri` is not set,
    /// the whole of it.
    pub uri: String,
    /// Whether the connection string held credentials: then it has to be given again.
    pub needs_uri: bool,
    /// The hosts, sorted.
    pub hosts: Vec<String>,
    /// The name of the replica set, where there is one.
    pub replica_set: Option<String>,
    /// The database.
    pub db: String,
    /// The database that the connection string names, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri_db: Option<String>,
    /// The server's clock when the run began, where it has one: a live tail starts there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_time: Option<String>,
}

/// A target as `run.json` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PlannedTarget {
    /// A folder.
    Folder(TargetFolder),
    /// A live database.
    Live(LivePlace),
}

impl PlannedTarget {
    /// The folder, where it is one.
    pub fn folder(&self) -> Option<&TargetFolder> {
        match self {
            PlannedTarget::Folder(folder) => Some(folder),
            PlannedTarget::Live(_) => None,
        }
    }

    /// What messages call it.
    pub fn name(&self) -> String {
        match self {
            PlannedTarget::Folder(folder) => folder.database().display().to_string(),
            PlannedTarget::Live(place) if place.uri_db.as_ref() == Some(&place.db) => {
                place.uri.split('?').next().unwrap_or_default().to_owned()
            }
            PlannedTarget::Live(place) => format!("{} ({})", place.uri, place.db),
        }
    }
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
