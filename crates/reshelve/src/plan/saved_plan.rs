//! The file of a plan, `reshelve.plan/1`. It holds no secrets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::PlanError;
use super::keys::KeysState;
use super::source::SourceSums;
use super::target::Collections;
use crate::ends::{OnExisting, PlannedSource, PlannedTarget};
use crate::pass::RejectReason;
use crate::run::{Decisions, DocumentCounts};
use crate::store::{At, Files};
use reshelve_core::mapping::RejectCode;

/// The version of the file.
const SCHEMA: &str = "reshelve.plan/1";
/// The longest plan that is read: it holds options and counts alone.
const BYTES_MAX: u64 = 16 << 20;

/// What made a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// The version of the tool.
    pub tool_version: String,
    /// The hash of its program, in hex: BLAKE3 over the file.
    pub build: String,
    /// The version of the mapping.
    pub mapping: String,
}

/// Every option that decides what is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanOptions {
    /// The decisions of the mapping.
    #[serde(flatten)]
    pub decisions: Decisions,
    /// What is done with documents that are there.
    pub on_existing: OnExisting,
    /// Whether the lock of an interrupted run is broken.
    pub take_over: bool,
    /// Whose rejects are taken, if only those.
    pub only_rejects: Option<PathBuf>,
    /// BLAKE3, in hex, over the list of these rejects.
    pub rejects_hash: Option<String>,
    /// Most documents to read.
    pub limit: Option<u64>,
    /// Whether it stops at the first reject.
    pub fail_fast: bool,
    /// Whether documents are written that an oplog in the dump would change.
    pub ignore_oplog: bool,
}

/// What a source held when a plan was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// Where it is; of a live source with its clock.
    pub place: PlannedSource,
    /// What it holds.
    #[serde(flatten)]
    pub sums: SourceSums,
    /// The file with the key and the hash of each document.
    pub keys: KeysState,
}

/// What a target held when a plan was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetState {
    /// Where it is.
    pub place: PlannedTarget,
    /// What its collections hold.
    pub collections: Collections,
}

/// What is to be expected of carrying a plan out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Documents of the source, by what becomes of them; none are written yet.
    pub documents: DocumentCounts,
    /// Jobs that are written or completed.
    pub jobs_to_write: u64,
    /// Jobs whose earlier version is replaced.
    pub replaced: u64,
    /// Mapped documents that are queued or running.
    pub in_flight: u64,
    /// Events of the mapped documents.
    pub events: u64,
    /// Bytes of the mapped documents in the target, before compression.
    pub target_bytes: u64,
    /// Space that was free on the disk, in bytes, if the target is a folder.
    pub free_bytes: Option<u64>,
    /// About how long it takes, in milliseconds.
    pub elapsed_ms: u64,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The version of the file: `reshelve.plan/1`.
    pub schema: String,
    /// The name of the plan: BLAKE3, in hex, over the JSON of the rest, without white space between
    /// its parts. An edit of the file shows by it.
    pub hash: String,
    /// When it was saved, as ISO text.
    pub saved_at: String,
    /// The dry run that it was made by.
    pub dry_run: String,
    /// What made it.
    #[serde(flatten)]
    pub tool: Tool,
    /// What decides what is written.
    pub options: PlanOptions,
    /// The source.
    pub source: SourceState,
    /// The target.
    pub target: TargetState,
    /// What is to be expected.
    pub forecast: Forecast,
    /// Warnings by code.
    pub warnings: BTreeMap<String, u64>,
    /// Rejects by code.
    pub rejects: BTreeMap<String, u64>,
    /// What the target must hold when the plan is carried out.
    pub reaches: Collections,
}

impl SavedPlan {
    /// Gives the plan its schema and its name.
    #[must_use]
    pub fn named(self) -> SavedPlan {
        let plan = SavedPlan { schema: SCHEMA.to_owned(), ..self };
        let hash = hash_of(&serde_json::to_value(&plan).unwrap_or_default());
        SavedPlan { hash, ..plan }
    }

    /// Reads a plan, which must be as it was saved.
    ///
    /// # Errors
    /// If it cannot be read, is no plan, or was edited.
    pub fn read(files: &dyn Files, path: &Path) -> Result<SavedPlan, PlanError> {
        let bytes = files.read(path, BYTES_MAX)?;
        let edited = |detail: String| PlanError::Edited { path: path.to_owned(), detail };
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|error| edited(format!("it is not the JSON of a plan: {error}")))?;
        let Some(hash) = value.get("hash").and_then(Value::as_str) else {
            let detail = match value.get("begun_at") {
                Some(_) => "it is the run.json of a run".to_owned(),
                None => format!("its schema is {}", value.get("schema").unwrap_or(&Value::Null)),
            };
            return Err(PlanError::NotAPlan { path: path.to_owned(), detail });
        };
        let found = hash_of(&value);
        if hash != found {
            let detail = format!(
                "it was edited since it was saved: it names the hash {hash}, and its content has \
                 {found}"
            );
            return Err(edited(detail));
        }
        if value.get("schema").and_then(Value::as_str) != Some(SCHEMA) {
            let schema = value.get("schema").unwrap_or(&Value::Null);
            return Err(edited(format!("its version is {schema}, not {SCHEMA:?}")));
        }
        serde_json::from_value(value).map_err(|error| edited(error.to_string()))
    }

    /// Writes it to a file in one step, durably.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn write(&self, files: &dyn Files, path: &Path) -> Result<(), PlanError> {
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::from);
        let mut text = text.at("writing", path)?;
        text.push(b'\n');
        Ok(files.replace(path, &text)?)
    }

    /// Whether what is written depends on the order of the documents, beyond the order in which
    /// they lie in the target: which are among the first, and which of two with one id comes first.
    pub fn depends_on_order(&self) -> bool {
        let repeated = RejectReason::Mapping(RejectCode::DuplicateId).as_str();
        self.options.limit.is_some()
            || self.options.only_rejects.is_some()
            || self.rejects.contains_key(repeated)
    }

    /// Whether a run of it reads the source as far as the plan has read it: only a limit on the
    /// rejects of another run ends before that.
    pub fn reads_all(&self) -> bool {
        self.options.limit.is_none() || self.options.only_rejects.is_none()
    }
}

/// The hash of everything in a plan but its name.
fn hash_of(plan: &Value) -> String {
    let mut rest = plan.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.shift_remove("hash");
    }
    blake3::hash(&serde_json::to_vec(&rest).unwrap_or_default()).to_hex().to_string()
}
