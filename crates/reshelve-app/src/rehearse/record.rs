//! The record of a rehearsal: `rehearsal.json`, which is replaced after every step, and where it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use reshelve::ends::{Compression, PlannedSource};
use reshelve::parity::CollectionChecksum;
use reshelve::report::{Rehearsed, RehearsedStep, RunReport, Window};
use reshelve::run::{Decisions, DocumentCounts};
use reshelve::store::{Disk, DiskError, Files, Locking, Open, OpenFile, read_state, write_state};
use serde::{Deserialize, Serialize};

use crate::family::Known;

/// The version of `rehearsal.json`.
pub(crate) const SCHEMA: &str = "reshelve.rehearsal/1";
/// The names of the files of a record.
pub(super) const JSON_FILE: &str = "rehearsal.json";
pub(super) const HTML_FILE: &str = "rehearsal.html";
pub(super) const MARKDOWN_FILE: &str = "rehearsal.md";
/// Is locked as long as the process of the rehearsal lives.
const LOCK_FILE: &str = ".lock";
/// The folder of all records, in the folder of run folders: hidden, so that no run is looked for in
/// it.
const FOLDER: &str = ".rehearsals";

/// How far a rehearsal is, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// It has not ended; if its process is gone, it was killed.
    Running,
    /// Every step did what it was to do.
    Passed,
    /// A step failed.
    Failed,
    /// It was stopped from outside.
    Interrupted,
}

impl Ended {
    /// The word in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Ended::Running => "running",
            Ended::Passed => "passed",
            Ended::Failed => "failed",
            Ended::Interrupted => "interrupted",
        }
    }
}

/// Where a rehearsal was held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScratchRecord {
    /// `folder` or `database`.
    pub form: String,
    /// Where it is, without a secret.
    pub place: String,
    /// Whether it is still there.
    pub kept: bool,
    /// How to remove it, in a sentence; null once it is gone.
    pub remove: Option<String>,
}

/// Something for which the real move would be refused, or would leave a document out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WouldRefuse {
    /// `in-flight`, `oplog`, or the code of a reject.
    pub code: String,
    /// How many documents or entries; null if that is not known.
    pub count: Option<u64>,
    /// What would happen, in a sentence.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// What came back out of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredRecord {
    /// How many documents.
    pub documents: u64,
    /// The sum of their BLAKE3 hashes.
    pub set_hash: String,
    /// Whether these are the documents of the source that were carried over.
    pub same_set: bool,
    /// Whether they are, one after the other, the file of the source; null if the source is not
    /// such a file, or was not carried over as a whole.
    pub same_bytes: Option<bool>,
}

/// Why a rehearsal did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFailure {
    /// The exit code in a word.
    pub kind: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// `rehearsal.json`, and what `--json` prints. It holds no secrets, and no texts of documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the file: `reshelve.rehearsal/1`.
    pub schema: String,
    /// The id of the rehearsal: the name of the folder of its record.
    pub rehearsal: String,
    /// How it ended.
    pub outcome: Ended,
    /// When it began, as ISO text.
    pub begun_at: String,
    /// When it ended, as ISO text.
    pub ended_at: Option<String>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// The folder of the record.
    pub record: PathBuf,
    /// The version of the tool.
    pub tool_version: String,
    /// The version of the mapping.
    pub mapping: String,
    /// The source as it was named.
    pub source: PlannedSource,
    /// The decisions of the mapping; where nobody decided, jobs in flight were included.
    pub options: Decisions,
    /// How the target was compressed.
    pub compression: Compression,
    /// Where it was held.
    pub scratch: ScratchRecord,
    /// The documents of the run; null before it was done.
    pub documents: Option<DocumentCounts>,
    /// Bytes of the source documents.
    pub bytes_read: u64,
    /// The running hash of the source's documents, as in the checkpoint of a run.
    pub source_hash: Option<String>,
    /// The sum of the BLAKE3 hashes of the source's documents.
    pub set_hash: Option<String>,
    /// The checksums that both runs reached; null before the first one was compared.
    pub checksums: Option<BTreeMap<String, CollectionChecksum>>,
    /// What was restored; null before that.
    pub restored: Option<RestoredRecord>,
    /// The steps, in order.
    pub steps: Vec<RehearsedStep>,
    /// What the maintenance window will need; null before everything was measured.
    pub window: Option<Window>,
    /// What would have been refused.
    pub would_refuse: Vec<WouldRefuse>,
    /// Why it did not pass.
    pub failure: Option<RecordedFailure>,
    /// The exit code.
    pub exit: u8,
}

impl ScratchRecord {
    /// It is gone.
    pub(super) fn drop(&mut self) {
        self.kept = false;
        self.remove = None;
    }
}

impl Record {
    fn rehearsed(&self, record: &Path) -> Rehearsed {
        Rehearsed {
            rehearsal: self.rehearsal.clone(),
            begun_at: self.begun_at.clone(),
            outcome: self.outcome.as_str().to_owned(),
            scratch: self.scratch.form.clone(),
            record: record.to_owned(),
            steps: self.steps.clone(),
            window: self.window,
            elapsed_ms: self.elapsed_ms,
        }
    }

    /// Whether it is about what a run read, mapped as that run did.
    fn is_of(&self, report: &RunReport) -> bool {
        let plan = &report.plan;
        let is_mapped_alike =
            self.mapping == plan.mapping && self.options.mapping() == plan.options.mapping();
        let is_same_order = self.source_hash.as_ref() == Some(&report.checkpoint.source_hash);
        // In another order, such as that of a live collection.
        let read = self.documents.map(|documents| documents.read);
        let is_same_set = report.survey.as_ref().is_some_and(|survey| {
            let source = &survey.source;
            self.set_hash.as_ref() == Some(&source.set_hash) && read == Some(source.documents)
        });
        self.outcome != Ended::Running && is_mapped_alike && (is_same_order || is_same_set)
    }
}

/// The folder of a record, held by this process.
pub(super) struct RecordFolder {
    path: PathBuf,
    _held: Box<dyn OpenFile>,
}

impl RecordFolder {
    /// Makes the folder of a new rehearsal.
    pub(super) fn make(runs_folder: &Path, id: &str) -> Result<Self, DiskError> {
        let records = runs_folder.join(FOLDER);
        Disk.create_folders(&records)?;
        let path = records.join(id);
        Disk.create_folder(&path)?;
        let held = Disk.open(&path.join(LOCK_FILE), Open::New)?;
        // Where the file system knows no locks, nobody looks for them either.
        let _obtained = held.try_lock()?;
        Ok(RecordFolder { path, _held: held })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the record in one step.
    pub(super) fn write(&self, record: &Record) -> Result<(), DiskError> {
        write_state(&Disk, &self.path.join(JSON_FILE), record)
    }

    /// Writes a page of it.
    pub(super) fn write_page(&self, name: &str, text: &str) -> Result<PathBuf, DiskError> {
        let path = self.path.join(name);
        Disk.replace(&path, text.as_bytes())?;
        Ok(path)
    }
}

/// Where the record of a rehearsal will be.
pub(super) fn folder_of(runs_folder: &Path, id: &str) -> PathBuf {
    runs_folder.join(FOLDER).join(id)
}

/// The records in a folder of run folders, newest first, with the folder of each. What cannot be
/// read is no record.
fn records(runs_folder: &Path) -> Vec<(PathBuf, Record)> {
    let folder = runs_folder.join(FOLDER);
    // The names begin with the date.
    let names = Disk.list(&folder).unwrap_or_default().into_iter().rev();
    let read = |name| {
        let path = folder.join(name);
        let record = read_state(&Disk, &path.join(JSON_FILE), SCHEMA).ok()?;
        Some((path, record))
    };
    names.filter_map(read).collect()
}

/// The rehearsals that were killed, and whose scratch was not dropped.
pub(super) fn killed(runs_folder: &Path) -> Vec<Record> {
    let is_killed = |(path, record): &(PathBuf, Record)| {
        let lock = Disk.open(&path.join(LOCK_FILE), Open::Read);
        let is_held = lock
            .and_then(|file| file.try_lock_shared())
            .is_ok_and(|locking| locking == Locking::HeldByAnother);
        // Somebody may have removed a folder since; a database is not asked.
        let is_folder = record.scratch.form == "folder";
        let is_gone = is_folder && !Path::new(&record.scratch.place).exists();
        record.outcome == Ended::Running && !is_held && !is_gone
    };
    records(runs_folder).into_iter().filter(is_killed).map(|(_, record)| record).collect()
}

/// The newest rehearsal of what a run read, mapped as that run did; the records are beside the
/// folder of the run.
pub(crate) fn newest_of(family: &[Known], report: &RunReport) -> Option<Rehearsed> {
    let (folder, _) = family.first()?;
    let beside = folder.path().parent()?;
    let mut records = records(beside).into_iter();
    let (path, record) = records.find(|(_, record)| record.is_of(report))?;
    Some(record.rehearsed(&path))
}

/// The file of the record of a rehearsal.
pub(crate) fn file_of(rehearsed: &Rehearsed) -> PathBuf {
    rehearsed.record.join(JSON_FILE)
}
