//! What goes wrong, and at which operation.

use std::io;
use std::path::{Path, PathBuf};

/// An operation that changes something or makes a change durable: these are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum OperationKind {
    /// A file that was not there is created.
    CreateFile,
    /// A folder is created.
    CreateFolder,
    /// Bytes are written to a file.
    Write,
    /// A file is cut off or extended.
    SetLength,
    /// The content of a file is made durable.
    SyncFile,
    /// The names in a folder are made durable.
    SyncFolder,
    /// A file or folder gets another name.
    Rename,
    /// A file is removed.
    RemoveFile,
    /// A folder is removed that is empty by then.
    RemoveFolder,
}

impl OperationKind {
    fn is_sync(self) -> bool {
        matches!(self, OperationKind::SyncFile | OperationKind::SyncFolder)
    }

    fn takes_space(self) -> bool {
        matches!(
            self,
            OperationKind::CreateFile | OperationKind::CreateFolder | OperationKind::Write
        )
    }
}

/// One operation that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What.
    pub kind: OperationKind,
    /// On which path; of a rename the new one.
    pub path: PathBuf,
}

/// What goes wrong at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This operation alone fails, and changes nothing. After a file's sync that failed, what was
    /// not durable by then never will be, whatever is synced later: that is how Linux does it.
    Error(io::ErrorKind),
    /// This operation and all later ones fail.
    Errors(io::ErrorKind),
    /// From here on everything that takes space fails; a write takes the first half of its bytes
    /// before that.
    DiskFull,
    /// The operation is done in part, then everything stops as with [`Fault::Stop`]: of a write the
    /// first half, of a file's sync the first half of the changes. Names cannot be changed in part:
    /// they are changed, but nobody is told.
    Tear,
    /// The operation is not done, and every call from here on fails, as if the process were dead.
    Stop,
    /// A sync says that it is done, and makes nothing durable. A later one does, that of this too.
    LyingSync,
}

/// How an operation is to be carried out.
pub(super) enum Course {
    /// As asked.
    Whole,
    /// In part, then with this error.
    Part(io::Error),
    /// In part, as if no more had been asked for.
    Half,
    /// Not at all, as if it had been.
    Pretend,
}

/// What the file system is like after the faults so far.
#[derive(Clone, Copy, Debug, Default)]
enum Health {
    #[default]
    Sound,
    Failing(io::ErrorKind),
    Full,
    Stopped,
}

/// Counts operations, and says how each is carried out.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) operations: Vec<Operation>,
    planned: Vec<(usize, Fault)>,
    pub(super) met: usize,
    health: Health,
}

impl Faults {
    pub(super) fn plan(&mut self, number: usize, fault: Fault) {
        self.planned.push((number, fault));
    }

    /// Whether anything answers at all.
    pub(super) fn alive(&self) -> io::Result<()> {
        match self.health {
            Health::Stopped => Err(stopped()),
            _ => Ok(()),
        }
    }

    /// Counts an operation; its error where it is not to be carried out.
    pub(super) fn begin(&mut self, kind: OperationKind, path: &Path) -> io::Result<Course> {
        self.alive()?;
        let number = self.operations.len();
        self.operations.push(Operation { kind, path: path.to_owned() });
        match self.health {
            Health::Failing(error) => return Err(error.into()),
            Health::Full if kind.takes_space() => return Err(io::ErrorKind::StorageFull.into()),
            _ => {}
        }
        let Some(at) = self.planned.iter().position(|(planned, _)| *planned == number) else {
            return Ok(Course::Whole);
        };
        let (_, fault) = self.planned.swap_remove(at);
        self.met += 1;
        match fault {
            Fault::Error(error) => Err(error.into()),
            Fault::Errors(error) => {
                self.health = Health::Failing(error);
                Err(error.into())
            }
            Fault::DiskFull => {
                self.health = Health::Full;
                match kind {
                    OperationKind::Write => Ok(Course::Half),
                    _ if kind.takes_space() => Err(io::ErrorKind::StorageFull.into()),
                    _ => Ok(Course::Whole),
                }
            }
            Fault::Tear => {
                self.health = Health::Stopped;
                Ok(Course::Part(stopped()))
            }
            Fault::Stop => {
                self.health = Health::Stopped;
                Err(stopped())
            }
            Fault::LyingSync if kind.is_sync() => Ok(Course::Pretend),
            Fault::LyingSync => Ok(Course::Whole),
        }
    }
}

fn stopped() -> io::Error {
    io::Error::other("the process has stopped")
}
