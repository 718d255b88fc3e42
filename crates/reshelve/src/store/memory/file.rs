//! An open file of an in-memory file system.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::fault::{Course, OperationKind};
use super::image::{Change, FileNode, NodeId};
use super::{DEVICE, LockKind, State, lock};
use crate::store::error::{At, DiskError};
use crate::store::files::{Identity, Locking, OpenFile};

/// A handle of an open file.
#[derive(Clone, Debug)]
pub(super) struct MemoryFile {
    pub(super) state: Arc<Mutex<State>>,
    pub(super) opened: Arc<Opened>,
    pub(super) path: PathBuf,
    pub(super) node: NodeId,
    pub(super) access: Access,
}

/// What an open file may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    ReadAndWrite,
    /// Every write goes to the end.
    Append,
}

/// What the clones of an open file share: a position, and a lock that ends with the last clone.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) state: Arc<Mutex<State>>,
    pub(super) number: u64,
    pub(super) position: AtomicU64,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let number = self.number;
        lock(&self.state).locks.retain(|held| held.opened != number);
    }
}

impl MemoryFile {
    fn position(&self) -> u64 {
        self.opened.position.load(Ordering::SeqCst)
    }

    fn go_to(&self, position: u64) {
        self.opened.position.store(position, Ordering::SeqCst);
    }

    /// Looks at the content.
    fn with<T>(&self, look: impl FnOnce(&FileNode) -> T) -> io::Result<T> {
        let state = lock(&self.state);
        state.faults.alive()?;
        Ok(look(state.image.file(self.node)?))
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(|file| {
            let start = index(offset).min(file.content.len());
            let count = bytes.len().min(file.content.len() - start);
            bytes[..count].copy_from_slice(&file.content[start..start + count]);
            count
        })
    }

    /// Counts a change of the content, and applies as much of it as the faults allow. Returns how
    /// many bytes were written.
    fn change(&self, kind: OperationKind, change: Change) -> io::Result<usize> {
        if self.access == Access::Read {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut state = lock(&self.state);
        let course = state.faults.begin(kind, &self.path)?;
        let (change, ending) = match course {
            Course::Whole | Course::Pretend => (change, Ok(())),
            Course::Half => (half(change), Ok(())),
            Course::Part(error) => (half(change), Err(error)),
        };
        let written = match &change {
            Change::Write { bytes, .. } => bytes.len(),
            Change::SetLength(_) => 0,
        };
        let file = state.image.file_mut(self.node)?;
        change.apply(&mut file.content);
        file.unsynced.push(change);
        ending.map(|()| written)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let change = Change::Write { offset: index(offset), bytes: bytes.to_vec() };
        match self.change(OperationKind::Write, change)? {
            0 => Err(io::ErrorKind::StorageFull.into()),
            written => Ok(written),
        }
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = lock(&self.state);
        let course = state.faults.begin(OperationKind::SyncFile, &self.path);
        let is_alive = state.faults.alive().is_ok();
        let file = state.image.file_mut(self.node)?;
        let (count, ending) = match course {
            Ok(Course::Whole | Course::Half) => (file.unsynced.len(), Ok(())),
            Ok(Course::Part(error)) => (file.unsynced.len() / 2, Err(error)),
            Ok(Course::Pretend) => (0, Ok(())),
            Err(error) => {
                // The system no longer knows what it failed to write: no later sync tries again.
                if is_alive {
                    file.unsynced.clear();
                }
                return Err(error);
            }
        };
        for change in file.unsynced.drain(..count) {
            change.apply(&mut file.durable);
        }
        ending
    }
}

/// The first half of a write; any other change is a whole.
fn half(change: Change) -> Change {
    match change {
        Change::Write { offset, mut bytes } => {
            bytes.truncate(bytes.len() / 2);
            Change::Write { offset, bytes }
        }
        change => change,
    }
}

impl OpenFile for MemoryFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn length(&self) -> Result<u64, DiskError> {
        self.with(|file| number(file.content.len())).at("reading", &self.path)
    }

    fn set_length(&self, bytes: u64) -> Result<(), DiskError> {
        let change = Change::SetLength(index(bytes));
        self.change(OperationKind::SetLength, change).map(drop).at("cutting", &self.path)
    }

    fn sync_data(&self) -> Result<(), DiskError> {
        self.sync().at("syncing", &self.path)
    }

    fn sync_all(&self) -> Result<(), DiskError> {
        self.sync().at("syncing", &self.path)
    }

    fn try_clone(&self) -> Result<Box<dyn OpenFile>, DiskError> {
        self.with(|_| ()).at("opening", &self.path)?;
        Ok(Box::new(self.clone()))
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), DiskError> {
        let read = self.read_at(bytes, offset).at("reading", &self.path)?;
        if read == bytes.len() {
            return Ok(());
        }
        Err(io::ErrorKind::UnexpectedEof.into()).at("reading", &self.path)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> Result<(), DiskError> {
        let mut written = 0;
        while written < bytes.len() {
            let offset = offset + number(written);
            written += self.write_at(&bytes[written..], offset).at("writing", &self.path)?;
        }
        Ok(())
    }

    fn try_lock(&self) -> Result<Locking, DiskError> {
        lock(&self.state).take_lock(self, LockKind::Exclusive).at("locking", &self.path)
    }

    fn try_lock_shared(&self) -> Result<Locking, DiskError> {
        lock(&self.state).take_lock(self, LockKind::Shared).at("locking", &self.path)
    }

    fn identity(&self) -> Result<Identity, DiskError> {
        self.with(|_| Identity { device: DEVICE, inode: self.node }).at("reading", &self.path)
    }
}

impl Read for MemoryFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let position = self.position();
        let read = self.read_at(bytes, position)?;
        self.go_to(position + number(read));
        Ok(read)
    }
}

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let position = match self.access {
            Access::Append => self.with(|file| number(file.content.len()))?,
            Access::Read | Access::ReadAndWrite => self.position(),
        };
        let written = self.write_at(bytes, position)?;
        self.go_to(position + number(written));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for MemoryFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => {
                self.with(|file| number(file.content.len()))?.checked_add_signed(offset)
            }
            SeekFrom::Current(offset) => self.position().checked_add_signed(offset),
        };
        let position = position.ok_or(io::ErrorKind::InvalidInput)?;
        self.go_to(position);
        Ok(position)
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
