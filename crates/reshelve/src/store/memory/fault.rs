//! What goes wrong, and at which operation.

use std::io;
use std::path::{Path, PathBuf};

/// The operations that are counted: those that change something or make a change durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum OperationKind {
    /// A file is created.
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
    /// A file or a folder is renamed.
    Rename,
    /// A file is removed.
    RemoveFile,
    /// An empty folder is removed; its content was removed before it.
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

/// An operation that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What was asked for.
    pub kind: OperationKind,
    /// The path; for a rename, the new one.
    pub path: PathBuf,
}

/// What goes wrong at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This operation alone fails, and changes nothing. If it is the sync of a file, whatever was
    /// not durable by then never will be, whatever is synced later, as on Linux.
    Error(io::ErrorKind),
    /// This operation and all later ones fail.
    Errors(io::ErrorKind),
    /// From this operation on, everything that takes space fails. If it is a write, the first half
    /// of its bytes is still written.
    DiskFull,
    /// The operation is done in part, and everything stops, as with [`Fault::Stop`]. A write writes
    /// the first half of its bytes; the sync of a file makes the first half of the changes durable.
    /// A change of names is done, and the caller still gets an error.
    Tear,
    /// The operation is not done, and every later call fails too, as if the process were dead.
    Stop,
    /// If the operation is a sync, it succeeds and makes nothing durable. A later sync does, for
    /// the changes of this one too.
    LyingSync,
}

impl Fault {
    /// One fault of each kind, for tests that try them all.
    pub const EACH: [Fault; 6] = [
        Fault::Error(io::ErrorKind::Other),
        Fault::Errors(io::ErrorKind::Other),
        Fault::DiskFull,
        Fault::Tear,
        Fault::Stop,
        Fault::LyingSync,
    ];
}

/// How to carry out an operation.
pub(super) enum Course {
    /// As it was asked for.
    Whole,
    /// In part, then with this error.
    Part(io::Error),
    /// In part, without an error: a write may be short.
    Half,
    /// Not at all, without an error.
    Pretend,
}

/// What the faults so far have made of the file system.
#[derive(Clone, Copy, Debug, Default)]
enum Health {
    #[default]
    Sound,
    Failing(io::ErrorKind),
    Full,
    Stopped,
}

/// Counts operations, and decides how to carry out each of them.
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

    /// Fails after a stop.
    pub(super) fn alive(&self) -> io::Result<()> {
        match self.health {
            Health::Stopped => Err(stopped()),
            _ => Ok(()),
        }
    }

    /// Counts an operation, and decides how to carry it out; an error if not at all.
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
