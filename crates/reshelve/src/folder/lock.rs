//! The lock of a target folder: one run at a time.
//!
//! A file in the folder names the run that writes; the operating system's lock on it tells whether
//! that run is still there. A file without that lock was left behind by a run that was killed: it
//! keeps others out until that run is resumed, or taken over.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lengths::{Finishing, Lengths, Progress};
use crate::ends::{Abandoned, EndError, Hint, Position};
use crate::store::{At, DiskError, Files, Locking, Open, OpenFile};

/// The most bytes of a checkpoint that are read to learn whether a run is done.
const CHECKPOINT_BYTES_MAX: u64 = 64 << 20;

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The id of the run.
    pub run: String,
    /// Where its folder is.
    pub folder: PathBuf,
    /// The process.
    pub pid: u32,
}

impl Holder {
    /// Whether the run is done, and was only cut off before it could take its lock away.
    pub(crate) fn is_done(&self, files: &dyn Files) -> bool {
        self.left(files)
            .is_some_and(|left| matches!(left.state.as_str(), "done" | "partial" | "rolled-back"))
    }

    /// Whether nothing is left of the run.
    pub(super) fn is_rolled_back(&self, files: &dyn Files) -> bool {
        self.left(files).is_some_and(|left| left.state == "rolled-back")
    }

    /// Whether a part of the run is taken back: only the same rollback knows the rest.
    pub(super) fn is_rolling_back(&self, files: &dyn Files) -> bool {
        self.left(files).is_some_and(|left| left.state == "rolling-back")
    }

    /// How long the files were at its last checkpoint: what lies after that, it wrote and did not
    /// vouch for. None if that cannot be told.
    pub(super) fn checkpointed(&self, files: &dyn Files) -> Option<Lengths> {
        let progress = Progress::of(&self.left(files)?.target).ok()?;
        (progress.finishing == Finishing::default()).then_some(progress.lengths)
    }

    fn left(&self, files: &dyn Files) -> Option<LeftBehind> {
        let checkpoint = self.folder.join("checkpoint.json");
        let text = files.read(&checkpoint, CHECKPOINT_BYTES_MAX).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// All that is wanted of the checkpoint of the run that left a lock.
#[derive(Deserialize)]
struct LeftBehind {
    state: String,
    target: Position,
}

/// A lock that is held; it goes with the value, the file only where the run ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: Box<dyn OpenFile>,
    /// The run that was not finished, and whose lock this was.
    pub(crate) over: Option<Holder>,
}

impl Lock {
    /// Takes the lock for a run.
    pub(crate) fn take(
        files: &dyn Files,
        path: &Path,
        holder: &Holder,
        abandoned: Abandoned,
    ) -> Result<Lock, EndError> {
        files.create_folders(path.parent().unwrap_or(Path::new(".")))?;
        loop {
            let file = files.open(path, Open::Write)?;
            match file.try_lock()? {
                Locking::Obtained => {}
                Locking::HeldByAnother => {
                    return Err(Lock::is_held(path, read_holder(file.as_ref())?.as_ref()));
                }
                Locking::NotSupported => {
                    let source = std::io::Error::from(std::io::ErrorKind::Unsupported);
                    return Err(source).at("locking", path).map_err(Into::into);
                }
            }
            // Between opening and locking, the run that held the lock may have removed the file:
            // then what is locked is no longer what others see.
            if !files.is_still_there(file.as_ref())? {
                continue;
            }
            let left = read_holder(file.as_ref())?;
            let nameless = left.is_none();
            let left_by = left.filter(|left| left.run != holder.run && !left.is_done(files));
            if let Some(holder) = &left_by
                && (abandoned == Abandoned::Keep || holder.is_rolling_back(files))
            {
                return Err(Lock::is_abandoned(files, path, holder));
            }
            let lock = Lock { file, over: left_by };
            if let Err(error) = lock.sign(holder) {
                // The run ends here: its name must not keep others out.
                if nameless {
                    lock.remove(files)?;
                }
                return Err(error.into());
            }
            return Ok(lock);
        }
    }

    /// Who holds or left a lock there, without taking it; and whether it is held.
    pub(crate) fn look(
        files: &dyn Files,
        path: &Path,
    ) -> Result<Option<(Option<Holder>, bool)>, DiskError> {
        if !files.exists(path)? {
            return Ok(None);
        }
        let file = files.open(path, Open::Read)?;
        let is_held = file.try_lock_shared()? == Locking::HeldByAnother;
        Ok(Some((read_holder(file.as_ref())?, is_held)))
    }

    /// The refusal where a process holds the lock.
    pub(crate) fn is_held(path: &Path, holder: Option<&Holder>) -> EndError {
        let holder = holder
            .map_or(String::new(), |holder| format!(": {}, process {}", holder.run, holder.pid));
        let lock = path.display();
        let message = format!("another run is writing to this target{holder} (lock: {lock})");
        EndError::refusal(message, Hint::WaitForTheRun)
    }

    /// The refusal where a run that was cut off left the lock behind.
    pub(crate) fn is_abandoned(files: &dyn Files, path: &Path, holder: &Holder) -> EndError {
        let run = holder.folder.clone();
        if holder.is_rolling_back(files) {
            let message = format!(
                "a rollback on this target has not finished: that of {} (lock: {})",
                holder.run,
                path.display()
            );
            return EndError::refusal(message, Hint::GoOnRollingBack { run });
        }
        let message = format!(
            "a run on this target has not finished: {} (lock: {})",
            holder.run,
            path.display()
        );
        EndError::refusal(message, Hint::ResumeOrTakeOver { run })
    }

    /// Written over the earlier name in one step: a lock without a name would be nobody's.
    fn sign(&self, holder: &Holder) -> Result<(), DiskError> {
        let mut text = serde_json::to_vec(holder).unwrap_or_default();
        let length = self.file.length()?;
        text.resize(text.len().max(usize::try_from(length).unwrap_or(0)), b' ');
        self.file.write_all_at(&text, 0)?;
        self.file.sync_all()
    }

    /// Ends the lock: the run is done. A file that has taken the place of the lock is not touched.
    pub(crate) fn remove(self, files: &dyn Files) -> Result<(), DiskError> {
        match files.is_still_there(self.file.as_ref())? {
            true => files.remove_file(self.file.path()),
            false => Ok(()),
        }
    }
}

/// The most bytes of a lock file that are read.
const HOLDER_BYTES_MAX: usize = 64 * 1024;

fn read_holder(file: &dyn OpenFile) -> Result<Option<Holder>, DiskError> {
    let length = usize::try_from(file.length()?).unwrap_or(usize::MAX).min(HOLDER_BYTES_MAX);
    let mut text = vec![0; length];
    file.read_exact_at(&mut text, 0)?;
    Ok(serde_json::from_slice(&text).ok())
}
