//! The lock of a target folder: one run at a time.
//!
//! A file in the folder names the run that writes; the operating system's lock on it tells whether
//! that run is still there. A file without that lock was left behind by a run that was killed: it
//! keeps others out until that run is resumed, or taken over.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ends::{Abandoned, EndError, Hint};
use crate::store::{At, DiskError};

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
    pub(crate) fn is_done(&self) -> bool {
        /// All that is wanted of a checkpoint.
        #[derive(Deserialize)]
        struct Ended {
            state: String,
        }
        let text = fs::read(self.folder.join("checkpoint.json")).unwrap_or_default();
        serde_json::from_slice(&text).is_ok_and(|ended: Ended| ended.state == "done")
    }
}

/// A lock that is held; it goes with the value, the file only where the run ends.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock for a run.
    pub(crate) fn take(
        path: &Path,
        holder: &Holder,
        abandoned: Abandoned,
    ) -> Result<Lock, EndError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).at("creating the folder", folder)?;
        loop {
            let file = open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => {
                    let holder = read_holder(path, &file)?;
                    return Err(Lock::is_held(path, holder.as_ref()));
                }
                Err(fs::TryLockError::Error(source)) => {
                    let path = path.to_owned();
                    return Err(DiskError { action: "locking", path, source }.into());
                }
            }
            if !is_still_there(path, &file)? {
                continue;
            }
            let left = read_holder(path, &file)?;
            let nameless = left.is_none();
            let left_by = left.filter(|left| left.run != holder.run && !left.is_done());
            if let Some(holder) = left_by
                && abandoned == Abandoned::Keep
            {
                return Err(Lock::is_abandoned(path, &holder));
            }
            let lock = Lock { path: path.to_owned(), file };
            if let Err(error) = lock.sign(holder) {
                // The run ends here: its name must not keep others out.
                if nameless {
                    lock.remove()?;
                }
                return Err(error.into());
            }
            return Ok(lock);
        }
    }

    /// Who holds or left a lock there, without taking it.
    pub(crate) fn look(path: &Path) -> Result<Option<(Option<Holder>, bool)>, DiskError> {
        if !path.exists() {
            return Ok(None);
        }
        let file = File::open(path).at("opening", path)?;
        let free = file.try_lock_shared().is_ok();
        Ok(Some((read_holder(path, &file)?, !free)))
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
    pub(crate) fn is_abandoned(path: &Path, holder: &Holder) -> EndError {
        let message = format!(
            "a run on this target has not finished: {} (lock: {})",
            holder.run,
            path.display()
        );
        EndError::refusal(message, Hint::ResumeOrTakeOver { run: holder.folder.clone() })
    }

    /// Written over the earlier name in one step: a lock without a name would be nobody's.
    fn sign(&self, holder: &Holder) -> Result<(), DiskError> {
        let mut text = serde_json::to_vec(holder).unwrap_or_default();
        let length = self.file.metadata().at("reading", &self.path)?.len();
        text.resize(text.len().max(usize::try_from(length).unwrap_or(0)), b' ');
        self.file.write_all_at(&text, 0).at("writing", &self.path)?;
        self.file.sync_all().at("syncing", &self.path)
    }

    /// Ends the lock: the run is done.
    pub(crate) fn remove(self) -> Result<(), DiskError> {
        fs::remove_file(&self.path).at("removing", &self.path)
    }
}

fn open(path: &Path) -> Result<File, DiskError> {
    File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .at("opening", path)
}

/// Between opening and locking, the run that held the lock may have removed the file: then what is
/// locked is no longer what others see.
fn is_still_there(path: &Path, file: &File) -> Result<bool, DiskError> {
    let held = file.metadata().at("reading", path)?;
    match fs::metadata(path) {
        Ok(seen) => Ok(seen.ino() == held.ino() && seen.dev() == held.dev()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).at("reading", path),
    }
}

fn read_holder(path: &Path, mut file: &File) -> Result<Option<Holder>, DiskError> {
    let mut text = Vec::new();
    std::io::Seek::rewind(&mut file).at("reading", path)?;
    file.read_to_end(&mut text).at("reading", path)?;
    Ok(serde_json::from_slice(&text).ok())
}
