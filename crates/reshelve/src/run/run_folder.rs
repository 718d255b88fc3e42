//! The folder of a run: plan, checkpoint, rejects, report, and what rollback needs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reshelve_core::mapping::InFlight;
use serde::{Deserialize, Serialize};

use super::checkpoint::{CHECKPOINT_SCHEMA, Checkpoint};
use super::control::Asked;
use super::plan::{PLAN_SCHEMA, Plan};
use super::states::State;
use super::{Refusal, RunError};
use crate::ends::PlannedSource;
use crate::store::{
    Disk, DiskError, Files, Locking, Open, OpenFile, Scratch, absolute, read_state,
    write_checked_state, write_state,
};

/// How often a run is tried to be held …
const HOLD_TRIES_MAX: u32 = 25;
/// … and how long to wait between two tries.
const HOLD_WAIT: Duration = Duration::from_millis(20);

/// The version of `decision.json`.
const DECISION_SCHEMA: &str = "reshelve.decision/1";

/// `decision.json`: what was decided when the run was resumed. It is a file of its own because
/// `run.json` is what processes hold the run by, and is never replaced.
#[derive(Debug, Serialize, Deserialize)]
struct Decision {
    schema: String,
    /// The run; none in a file that is not there.
    run: Option<String>,
    /// What becomes of jobs in flight, if nobody had decided before.
    #[serde(default)]
    in_flight: Option<InFlight>,
    /// Where the source is since, if it has moved.
    #[serde(default)]
    source: Option<PlannedSource>,
}

/// What tells in which order runs were begun.
#[derive(Deserialize)]
struct Numbered {
    #[serde(default)]
    number: Option<u64>,
}

/// A run's folder.
#[derive(Clone, Debug)]
pub struct RunFolder {
    files: Arc<dyn Files>,
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of a new run: it appears in one step, held by this process for as long as
    /// the file lives, and can be resumed once that has ended. Nobody else ever finds it free while
    /// this process is still at its beginning.
    pub(crate) fn create(
        files: Arc<dyn Files>,
        runs: &Path,
        plan: &Plan,
    ) -> Result<(Self, Box<dyn OpenFile>), RunError> {
        files.create_folders(runs)?;
        let temporary = runs.join(format!(".{}.tmp", plan.run));
        files.create_folder(&temporary)?;
        let path = runs.join(&plan.run);
        let unborn = RunFolder { files: Arc::clone(&files), path: temporary.clone() };
        let held = unborn.fill(plan).map_err(RunError::from).and_then(|()| unborn.hold(&plan.run));
        let appeared = held.and_then(|held| {
            files.rename(&temporary, &path)?;
            Ok(held)
        });
        let held = match appeared {
            Ok(held) => held,
            Err(error) => {
                // Nobody has seen it, and the error says more than a second one would.
                drop(files.remove_folder(&temporary));
                return Err(error);
            }
        };
        files.sync_folder(runs)?;
        Ok((RunFolder { files, path }, held))
    }

    /// Writes what a run can be resumed from.
    fn fill(&self, plan: &Plan) -> Result<(), DiskError> {
        write_state(self.files(), &self.plan_file(), plan)?;
        self.write_checkpoint(&Checkpoint::start(plan.base.position.clone()))
    }

    /// Finds a run by its id, or by its folder.
    ///
    /// # Errors
    /// Where there is no such run.
    pub fn find(runs: &Path, name: &str) -> Result<Self, RunError> {
        let found = [runs.join(name), PathBuf::from(name)].into_iter().map(RunFolder::at);
        for folder in found {
            if folder.files.is_file(&folder.plan_file())? {
                return Ok(folder);
            }
        }
        Err(RunError::NoSuchRun { name: name.to_owned(), runs: runs.to_owned() })
    }

    /// The folders of all runs, oldest first: in the order in which they were begun, by what they
    /// say themselves. One that says nothing counts as begun right after the one whose name comes
    /// before its name, which begins with the date.
    ///
    /// # Errors
    /// Where the folder of runs cannot be read.
    pub fn list(runs: &Path) -> Result<Vec<RunFolder>, RunError> {
        let files: Arc<dyn Files> = Arc::new(Disk);
        let found = RunFolder::numbered(&files, runs)?;
        Ok(found.into_iter().map(|(_, folder)| folder).collect())
    }

    /// The folders of the other runs beside this one, in the order in which they were begun.
    pub(super) fn beside(&self) -> Result<Vec<RunFolder>, RunError> {
        let path = absolute(&self.path);
        let found = RunFolder::numbered(&self.files, path.parent().unwrap_or(&path))?;
        let others = found.into_iter().map(|(_, folder)| folder);
        Ok(others.filter(|folder| folder.path.file_name() != path.file_name()).collect())
    }

    /// The folders of the runs beside this one that were begun after it, in that order.
    pub(crate) fn begun_after(&self) -> Result<Vec<RunFolder>, RunError> {
        let path = absolute(&self.path);
        let found = RunFolder::numbered(&self.files, path.parent().unwrap_or(&path))?;
        let name = path.file_name();
        let own = found.iter().position(|(_, folder)| folder.path.file_name() == name);
        let after = own.map_or(0, |own| own + 1);
        Ok(found.into_iter().skip(after).map(|(_, folder)| folder).collect())
    }

    /// The number of a run that is begun now.
    pub(crate) fn next_number(files: &Arc<dyn Files>, runs: &Path) -> Result<u64, RunError> {
        let numbers = RunFolder::numbered(files, runs)?.into_iter().map(|(number, _)| number);
        Ok(numbers.max().unwrap_or(0).saturating_add(1))
    }

    /// The folders of all runs with their numbers, in that order; one without a number comes after the
    /// one before it by name.
    fn numbered(files: &Arc<dyn Files>, runs: &Path) -> Result<Vec<(u64, RunFolder)>, RunError> {
        if !files.exists(runs)? {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        let mut last = 0;
        for name in files.list(runs)? {
            let folder = RunFolder::on(Arc::clone(files), runs.join(&name));
            if !name.to_string_lossy().starts_with('.') && files.is_file(&folder.plan_file())? {
                last = folder.number().unwrap_or(last);
                found.push((last, folder));
            }
        }
        found.sort_by_key(|(number, _)| *number);
        Ok(found)
    }

    /// The number in `run.json`.
    fn number(&self) -> Option<u64> {
        read_state::<Numbered>(self.files(), &self.plan_file(), PLAN_SCHEMA).ok()?.number
    }

    /// A folder on this machine's disk.
    fn at(path: PathBuf) -> Self {
        RunFolder::on(Arc::new(Disk), path)
    }

    /// The folder of a run, on any file system; it need not be there.
    pub fn on(files: Arc<dyn Files>, path: PathBuf) -> Self {
        RunFolder { files, path }
    }

    /// The file system that it is on.
    pub(crate) fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    /// Where large indexes of the run spill.
    pub(crate) fn scratch(&self) -> Scratch {
        Scratch::new(Arc::clone(&self.files), &self.path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the run was told, when it was begun and when it was resumed.
    ///
    /// # Errors
    /// Where a file cannot be read, or is of another version.
    pub fn plan(&self) -> Result<Plan, RunError> {
        let mut plan: Plan = read_state(self.files(), &self.plan_file(), PLAN_SCHEMA)?;
        let is_of_an_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if plan.run.is_empty() || !plan.run.chars().all(is_of_an_id) {
            let detail = "its run has no id of a run".to_owned();
            return Err(RunError::State { path: self.plan_file(), detail });
        }
        let Decision { run, in_flight, source, .. } = self.decision()?;
        if run.is_some_and(|run| run != plan.run) {
            let detail = "it belongs to another run".to_owned();
            return Err(RunError::State { path: self.decision_file(), detail });
        }
        plan.options.in_flight = plan.options.in_flight.or(in_flight);
        plan.source = source.unwrap_or(plan.source);
        Ok(plan)
    }

    fn decision(&self) -> Result<Decision, RunError> {
        match read_state::<Decision>(self.files(), &self.decision_file(), DECISION_SCHEMA) {
            Ok(decision) => Ok(decision),
            Err(error) if error.is_absent() => {
                let schema = DECISION_SCHEMA.to_owned();
                Ok(Decision { schema, run: None, in_flight: None, source: None })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps what was decided about jobs in flight, and where the source is since, durably.
    pub(crate) fn decide(
        &self,
        in_flight: Option<InFlight>,
        source: Option<PlannedSource>,
    ) -> Result<(), RunError> {
        let before = self.decision()?;
        let in_flight = before.in_flight.or(in_flight);
        let source = source.or(before.source);
        let run = Some(self.plan()?.run);
        let decision = Decision { run, in_flight, source, schema: before.schema };
        Ok(write_state(self.files(), &self.decision_file(), &decision)?)
    }

    /// How far the run is.
    ///
    /// # Errors
    /// Where the file cannot be read, or is of another version.
    pub fn checkpoint(&self) -> Result<Checkpoint, RunError> {
        Ok(read_state(self.files(), &self.checkpoint_file(), CHECKPOINT_SCHEMA)?)
    }

    /// When the last checkpoint was written, in milliseconds since 1970; none if the file system
    /// does not tell.
    pub fn progressed_at_ms(&self) -> Option<i64> {
        let found = self.files.look(&self.checkpoint_file()).ok()??;
        (found.modified_ns > 0).then_some(found.modified_ns / 1_000_000)
    }

    /// Replaces the checkpoint in one step, durably.
    pub(crate) fn write_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), DiskError> {
        write_checked_state(self.files(), &self.checkpoint_file(), checkpoint)
    }

    /// Keeps other processes from working on this run, for as long as the file lives.
    ///
    /// # Errors
    /// [`Refusal::AtWork`] if another process holds it.
    pub(crate) fn hold(&self, run: &str) -> Result<Box<dyn OpenFile>, RunError> {
        let file = self.files.open(&self.plan_file(), Open::Read)?;
        for _ in 0..HOLD_TRIES_MAX {
            match file.try_lock()? {
                // Where the file system knows no locks, nobody can be kept out.
                Locking::Obtained | Locking::NotSupported => return Ok(file),
                // A process that only asks whether somebody holds it does so for a moment.
                Locking::HeldByAnother => std::thread::sleep(HOLD_WAIT),
            }
        }
        Err(Refusal::AtWork { run: run.to_owned() }.into())
    }

    /// Holds a run that another process began. That one may have been killed before the name of the
    /// folder was durable: without the folder, nobody would know what the target holds of the run.
    ///
    /// # Errors
    /// As for [`hold`](Self::hold), and if the disk refuses.
    pub(crate) fn hold_again(&self, run: &str) -> Result<Box<dyn OpenFile>, RunError> {
        let held = self.hold(run)?;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        self.files.sync_folder(parent.unwrap_or(Path::new(".")))?;
        Ok(held)
    }

    /// Removes the temporary files that a killed process left. Only where no other process is at
    /// work on the run.
    pub(crate) fn remove_leftovers(&self) -> Result<(), DiskError> {
        self.files.remove_leftovers(&self.path)
    }

    /// Whether a process is at work on this run.
    pub fn is_held(&self) -> bool {
        let file = self.files.open(&self.plan_file(), Open::Read);
        let locking = file.and_then(|file| file.try_lock_shared());
        matches!(locking, Ok(Locking::HeldByAnother))
    }

    /// The state in which the run is found: what its last checkpoint says, and whether a process is
    /// at work on it, and what was asked of that.
    pub fn found(&self, checkpoint: &Checkpoint) -> State {
        // A file that nobody can read asks nothing.
        let asked = self.control().map_or(Asked::Run, |control| control.asked);
        checkpoint.state.found(self.is_held(), asked)
    }

    /// Takes the folder away again, of a run that could not start.
    pub(crate) fn remove(&self) -> Result<(), DiskError> {
        self.files.remove_folder(&self.path)
    }

    fn plan_file(&self) -> PathBuf {
        self.path.join("run.json")
    }

    fn decision_file(&self) -> PathBuf {
        self.path.join("decision.json")
    }

    pub(crate) fn checkpoint_file(&self) -> PathBuf {
        self.path.join("checkpoint.json")
    }

    pub(super) fn target_file(&self) -> PathBuf {
        self.path.join("target.json")
    }

    pub(super) fn control_file(&self) -> PathBuf {
        self.path.join("control.json")
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
        self.files.replace(&self.path.join("report.json"), text)
    }
}
