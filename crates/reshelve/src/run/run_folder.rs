//! The folder of a run: plan, checkpoint, rejects, report, and what rollback needs.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::RunError;
use super::checkpoint::Checkpoint;
use super::plan::Plan;
use crate::store::{At, DiskError, sync_folder, write_atomic};

/// The name of the checkpoint in a run's folder.
pub(crate) const CHECKPOINT_FILE: &str = "checkpoint.json";

/// A run's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of a new run: it appears in one step, and can be resumed from then on.
    pub(crate) fn create(runs: &Path, plan: &Plan) -> Result<Self, RunError> {
        fs::create_dir_all(runs).at("creating the folder", runs)?;
        let temporary = runs.join(format!(".{}.tmp", plan.run));
        fs::create_dir_all(&temporary).at("creating the folder", &temporary)?;
        let path = runs.join(&plan.run);
        let unborn = RunFolder { path: temporary.clone() };
        plan.write(&unborn.plan_file())?;
        Checkpoint::start(plan.base.position.clone()).write(&unborn.checkpoint_file())?;
        fs::rename(&temporary, &path).at("renaming to", &path)?;
        sync_folder(runs)?;
        Ok(RunFolder { path })
    }

    /// Finds a run by its id, or by its folder.
    ///
    /// # Errors
    /// Where there is no such run.
    pub fn find(runs: &Path, name: &str) -> Result<Self, RunError> {
        for path in [runs.join(name), PathBuf::from(name)] {
            if path.join("run.json").is_file() {
                return Ok(RunFolder { path });
            }
        }
        Err(RunError::NoSuchRun { name: name.to_owned(), runs: runs.to_owned() })
    }

    /// The folders of all runs, oldest first.
    ///
    /// # Errors
    /// Where the folder of runs cannot be read.
    pub fn list(runs: &Path) -> Result<Vec<RunFolder>, RunError> {
        if !runs.exists() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(runs).at("reading the folder", runs)? {
            let path = entry.at("reading the folder", runs)?.path();
            if path.join("run.json").is_file() && !is_hidden(&path) {
                found.push(RunFolder { path });
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the run was told.
    ///
    /// # Errors
    /// Where the file cannot be read, or is of another version.
    pub fn plan(&self) -> Result<Plan, RunError> {
        Plan::read(&self.plan_file())
    }

    /// How far the run is.
    ///
    /// # Errors
    /// Where the file cannot be read, or is of another version.
    pub fn checkpoint(&self) -> Result<Checkpoint, RunError> {
        Checkpoint::read(&self.checkpoint_file())
    }

    /// Tells others that a process is at work on this run, for as long as the file lives.
    pub(crate) fn hold(&self) -> Result<File, RunError> {
        let path = self.plan_file();
        let file = File::open(&path).at("opening", &path)?;
        // Where the file system knows no locks, nobody can be told.
        drop(file.try_lock());
        Ok(file)
    }

    /// Whether a process is at work on this run.
    pub fn is_held(&self) -> bool {
        let file = File::open(self.plan_file());
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Takes the folder away again, of a run that could not start.
    pub(crate) fn remove(&self) -> Result<(), RunError> {
        Ok(fs::remove_dir_all(&self.path).at("removing", &self.path)?)
    }

    fn plan_file(&self) -> PathBuf {
        self.path.join("run.json")
    }

    pub(crate) fn checkpoint_file(&self) -> PathBuf {
        self.path.join(CHECKPOINT_FILE)
    }

    /// The hashes of the mapped jobs' ids, while the run goes on.
    pub(crate) fn ids_file(&self) -> PathBuf {
        self.path.join("ids.tmp")
    }

    /// The journal: what is about to be written.
    pub fn journal_file(&self) -> PathBuf {
        self.path.join("journal.bin")
    }

    /// What does not fit into a record of the journal.
    pub(crate) fn journal_details_file(&self) -> PathBuf {
        self.path.join("journal-details.bin")
    }

    /// Earlier versions of replaced jobs.
    pub fn undo_folder(&self) -> PathBuf {
        self.path.join("undo")
    }

    /// Writes `report.json`.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn write_report(&self, text: &[u8]) -> Result<(), DiskError> {
        write_atomic(&self.path.join("report.json"), text)
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}
