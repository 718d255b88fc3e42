//! What a rollback writes down before it changes the target, so that another process can go on.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ends::{ChangedDocuments, Position};
use crate::run::{RunError, RunFolder};
use crate::store::{
    Appender, DiskError, Key, Open, Scratch, Sorted, Sorter, read_state, write_state,
};

const RECORD_SCHEMA: &str = "reshelve.rollback-record/1";
/// Most keys in memory.
const HELD_MAX: usize = 1 << 19;
/// The length of a key, in bytes.
const KEY_BYTES: u64 = 16;

/// What becomes of jobs that somebody changed since the run wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnEdited {
    /// They are left as they are.
    Keep,
    /// They are deleted, or replaced by the earlier version, after a copy was made.
    Discard {
        /// Their exact number.
        jobs: u64,
    },
}

/// What became, or will become, of the jobs of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCounts {
    /// Deleted, as they were not there before the run.
    pub deleted: u64,
    /// Replaced by their earlier version.
    pub put_back: u64,
    /// Changed by somebody since the run wrote them.
    pub edited: u64,
    /// Of these, left as they are.
    pub kept: u64,
    /// Not there any more.
    pub gone: u64,
}

/// `rollback.json`: what was decided, and how far it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) schema: String,
    /// The run.
    pub(super) run: String,
    /// What becomes of edited jobs, if there are any.
    pub(super) edited: Option<OnEdited>,
    pub(super) jobs: JobCounts,
    pub(super) documents: ChangedDocuments,
    /// Time spent with taking back, in all processes, in milliseconds.
    #[serde(default)]
    pub(super) elapsed_ms: u64,
    /// How many keys of edited jobs there are.
    pub(super) keys: u64,
    /// How many keys there are of jobs that were edited later, and are kept beside discarded ones.
    #[serde(default)]
    pub(super) kept: u64,
    /// Whether earlier versions of replaced jobs have to be put back.
    pub(super) has_kept: bool,
    /// How far the target is.
    pub(super) position: Position,
}

impl Record {
    pub(super) fn new(
        run: &str,
        edited: Option<OnEdited>,
        jobs: JobCounts,
        has_kept: bool,
    ) -> Record {
        Record {
            schema: RECORD_SCHEMA.to_owned(),
            run: run.to_owned(),
            edited,
            keys: jobs.edited,
            kept: 0,
            jobs,
            documents: ChangedDocuments::default(),
            elapsed_ms: 0,
            has_kept,
            position: Position::default(),
        }
    }

    pub(super) fn read(folder: &RunFolder, run: &str) -> Result<Record, RunError> {
        let record: Record = read_state(folder.files(), &record_file(folder), RECORD_SCHEMA)?;
        if record.run != run {
            let detail = "it belongs to another run".to_owned();
            return Err(RunError::State { path: record_file(folder), detail });
        }
        Ok(record)
    }

    pub(super) fn write(&self, folder: &RunFolder) -> Result<(), DiskError> {
        write_state(folder.files(), &record_file(folder), self)
    }
}

fn record_file(folder: &RunFolder) -> PathBuf {
    folder.path().join("rollback.json")
}

/// Where the keys of edited jobs are, 16 bytes each.
fn edited_file(folder: &RunFolder) -> PathBuf {
    folder.path().join("rollback-edited.bin")
}

/// Where they are once there are so many, as some were edited later. The record says how many there
/// are, and so which file counts: a process that is killed between the two leaves both as they were.
fn edited_later_file(folder: &RunFolder, jobs: u64) -> PathBuf {
    folder.path().join(format!("rollback-edited-{jobs}.bin"))
}

/// Where those are that were edited later, and are kept: so many.
fn kept_file(folder: &RunFolder, jobs: u64) -> PathBuf {
    folder.path().join(format!("rollback-kept-{jobs}.bin"))
}

/// Where copies of discarded documents are.
pub(super) fn discarded_file(folder: &RunFolder) -> PathBuf {
    folder.path().join("discarded.bson")
}

/// The keys of jobs that somebody changed.
pub(super) struct EditedKeys {
    sorter: Sorter<16>,
}

impl EditedKeys {
    pub(super) fn new(scratch: Scratch) -> Self {
        EditedKeys { sorter: Sorter::new(scratch, HELD_MAX) }
    }

    pub(super) fn add(&mut self, key: Key) -> Result<(), DiskError> {
        self.sorter.add(key)
    }

    pub(super) fn finish(self) -> Result<Sorted<16>, DiskError> {
        self.sorter.finish()
    }

    /// Reads those that an earlier process wrote down: so many.
    pub(super) fn read(folder: &RunFolder, jobs: u64) -> Result<Self, RunError> {
        let later = edited_later_file(folder, jobs);
        let path = if folder.files().exists(&later)? { later } else { edited_file(folder) };
        Self::read_from(folder, path, jobs)
    }

    /// The same of those that are kept beside discarded ones.
    pub(super) fn read_kept(folder: &RunFolder, jobs: u64) -> Result<Self, RunError> {
        match jobs {
            0 => Ok(EditedKeys::new(folder.scratch())),
            _ => Self::read_from(folder, kept_file(folder, jobs), jobs),
        }
    }

    fn read_from(folder: &RunFolder, path: PathBuf, jobs: u64) -> Result<Self, RunError> {
        let mut keys = EditedKeys::new(folder.scratch());
        let file = folder.files().open(&path, Open::Read)?;
        if file.length()? != jobs * KEY_BYTES {
            let detail = format!("it does not hold the keys of {jobs} jobs: it was changed");
            return Err(RunError::State { path, detail });
        }
        let mut key = Key::default();
        for at in 0..file.length()? / KEY_BYTES {
            file.read_exact_at(&mut key, at * KEY_BYTES)?;
            keys.add(key)?;
        }
        Ok(keys)
    }
}

/// Writes the keys down, durably.
pub(super) fn write_edited(folder: &RunFolder, keys: &Sorted<16>) -> Result<(), DiskError> {
    write_keys(folder, &edited_file(folder), keys)
}

/// The same once some were edited later, with those that are kept beside discarded ones.
pub(super) fn write_edited_later(
    folder: &RunFolder,
    [edited, kept]: &[Sorted<16>; 2],
) -> Result<(), DiskError> {
    write_keys(folder, &edited_later_file(folder, edited.len()), edited)?;
    write_keys(folder, &kept_file(folder, kept.len()), kept)
}

fn write_keys(folder: &RunFolder, path: &Path, keys: &Sorted<16>) -> Result<(), DiskError> {
    let mut file = Appender::open(folder.files(), path, 0)?;
    keys.each(|key| file.append(key))?;
    file.sync()?;
    folder.files().sync_folder(folder.path())
}
