//! A file system in memory that fails on demand and loses what was not synced, for tests.

mod crash;
mod fault;
mod file;
mod image;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use crash::Keep;
pub use fault::{Fault, Operation, OperationKind};

use self::fault::{Course, Faults};
use self::file::{Access, MemoryFile, Opened};
use self::image::{FileNode, FolderNode, Image, Node, NodeId};
use super::error::{At, DiskError};
use super::files::{Files, Found, Identity, Kind, Locking, Open, OpenFile};

/// The number of the only device.
const DEVICE: u64 = 1;
/// The free space by default: a tebibyte.
const FREE_BYTES: u64 = 1 << 40;

/// A file system in memory that fails on demand and loses what was not synced. It is for tests.
///
/// It holds two images: what its users see, and what is durable. A write changes the first one. The
/// sync of a file makes its content durable, and the sync of a folder makes the names in it
/// durable: a file that was synced is still lost in a crash if the folder with its name was not.
///
/// Operations that change something are counted from 0; [`Memory::operations`] lists them, and
/// [`Memory::fail_at`] says what goes wrong at which one. A test runs its scenario once to learn
/// how many operations there are, then once for each of them and each [`Fault`], and continues
/// with what [`Memory::crash`] leaves:
///
/// ```
/// use std::path::Path;
/// use reshelve::store::{Fault, Files, Keep, Memory};
///
/// let path = Path::new("/state");
/// let memory = Memory::new();
/// memory.replace(path, b"old")?;
/// memory.settle();
/// memory.fail_at(2, Fault::Stop);
/// assert!(memory.replace(path, b"new").is_err());
/// let found = memory.crash(Keep::Durable);
/// assert_eq!(found.read(path, 10)?, b"old");
/// # Ok::<(), reshelve::store::DiskError>(())
/// ```
///
/// Clones are handles of one file system. There are no symbolic links, no permissions and no times.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    image: Image,
    faults: Faults,
    locks: Vec<HeldLock>,
    opened: u64,
    free_bytes: u64,
}

impl Default for State {
    fn default() -> Self {
        State {
            image: Image::default(),
            faults: Faults::default(),
            locks: Vec::new(),
            opened: 0,
            free_bytes: FREE_BYTES,
        }
    }
}

/// A lock that an open file holds.
#[derive(Debug)]
struct HeldLock {
    node: NodeId,
    opened: u64,
    kind: LockKind,
}

/// Whether others may hold a lock at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LockKind {
    Exclusive,
    Shared,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// An empty file system: a root folder, which relative paths begin at too.
    pub fn new() -> Self {
        Memory::default()
    }

    /// Plans a fault at the operation with that number, from 0. There may be several.
    pub fn fail_at(&self, number: usize, fault: Fault) {
        lock(&self.state).faults.plan(number, fault);
    }

    /// How many of the planned faults have happened.
    pub fn faults_met(&self) -> usize {
        lock(&self.state).faults.met
    }

    /// The operations so far, in order, including those that failed, up to the one at which the
    /// file system stopped.
    pub fn operations(&self) -> Vec<Operation> {
        lock(&self.state).faults.operations.clone()
    }

    /// Makes everything durable, forgets all faults and counts from 0 again: for the end of a
    /// test's preparation.
    pub fn settle(&self) {
        let mut state = lock(&self.state);
        state.faults = Faults::default();
        state.image = state.image.settled();
    }

    /// Sets what [`Files::free_bytes`] answers. Writing takes nothing off it: see
    /// [`Fault::DiskFull`].
    pub fn set_free_bytes(&self, bytes: u64) {
        lock(&self.state).free_bytes = bytes;
    }

    /// The file system as it is found after a crash at this moment, without locks, faults and open
    /// files. This one does not change.
    pub fn crash(&self, keep: Keep) -> Memory {
        let state = lock(&self.state);
        let image = state.image.after_crash(keep);
        let after = State { image, free_bytes: state.free_bytes, ..State::default() };
        Memory { state: Arc::new(Mutex::new(after)) }
    }

    /// The content of every file, by path.
    pub fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        lock(&self.state).image.contents()
    }
}

impl State {
    /// Counts a change of names. It cannot be done in part: if the inner result is an error, it is
    /// done, and the caller gets the error.
    fn begin(&mut self, kind: OperationKind, path: &Path) -> io::Result<io::Result<()>> {
        match self.faults.begin(kind, path)? {
            Course::Part(error) => Ok(Err(error)),
            Course::Whole | Course::Half | Course::Pretend => Ok(Ok(())),
        }
    }

    fn open(&mut self, path: &Path, how: Open) -> io::Result<NodeId> {
        self.faults.alive()?;
        match (self.image.find(path), how) {
            (Ok(_), Open::New) => Err(io::ErrorKind::AlreadyExists.into()),
            (Ok(node), _) => self.image.file(node).map(|_| node),
            (Err(error), Open::New | Open::Write | Open::Append)
                if error.kind() == io::ErrorKind::NotFound =>
            {
                let (folder, name) = self.image.find_parent(path)?;
                let ending = self.begin(OperationKind::CreateFile, path)?;
                let node = self.image.add(folder, name, Node::File(FileNode::default()));
                ending.map(|()| node)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        self.faults.alive()?;
        if self.image.find(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let (folder, name) = self.image.find_parent(path)?;
        let ending = self.begin(OperationKind::CreateFolder, path)?;
        self.image.add(folder, name, Node::Folder(FolderNode::default()));
        ending
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.faults.alive()?;
        let Some(renaming) = self.image.plan_rename(from, to)? else { return Ok(()) };
        let ending = self.begin(OperationKind::Rename, to)?;
        self.image.change_names(renaming);
        ending
    }

    fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.faults.alive()?;
        self.image.file(self.image.find(path)?)?;
        let (folder, name) = self.image.find_parent(path)?;
        let ending = self.begin(OperationKind::RemoveFile, path)?;
        self.image.remove(folder, name);
        ending
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        self.faults.alive()?;
        let node = self.image.find(path)?;
        let names: Vec<OsString> = self.image.folder(node)?.names.keys().cloned().collect();
        for name in names {
            let inside = path.join(name);
            match self.remove_file(&inside) {
                Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                    self.remove_folder(&inside)?;
                }
                removed => removed?,
            }
        }
        let (folder, name) = self.image.find_parent(path)?;
        let ending = self.begin(OperationKind::RemoveFolder, path)?;
        self.image.remove(folder, name);
        ending
    }

    fn look(&self, path: &Path) -> io::Result<Option<Found>> {
        self.faults.alive()?;
        let Ok(node) = self.image.find(path) else { return Ok(None) };
        let identity = Identity { device: DEVICE, inode: node };
        // No two are made at the same time.
        let born_ns = i64::try_from(node).unwrap_or(0);
        let found = match self.image.nodes.get(&node) {
            Some(Node::File(file)) => {
                let length = u64::try_from(file.content.len()).unwrap_or(u64::MAX);
                Found { kind: Kind::File, length, identity, modified_ns: 0, born_ns }
            }
            _ => Found { kind: Kind::Folder, length: 0, identity, modified_ns: 0, born_ns },
        };
        Ok(Some(found))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.faults.alive()?;
        let folder = self.image.folder(self.image.find(path)?)?;
        Ok(folder.names.keys().cloned().collect())
    }

    fn sync_folder(&mut self, path: &Path) -> io::Result<()> {
        self.faults.alive()?;
        let node = self.image.find(path)?;
        self.image.folder(node)?;
        let course = self.faults.begin(OperationKind::SyncFolder, path)?;
        if !matches!(course, Course::Pretend) {
            self.image.sync_names(node);
        }
        match course {
            Course::Part(error) => Err(error),
            Course::Whole | Course::Half | Course::Pretend => Ok(()),
        }
    }

    fn take_lock(&mut self, file: &MemoryFile, kind: LockKind) -> io::Result<Locking> {
        self.faults.alive()?;
        let (node, opened) = (file.node, file.opened.number);
        let excludes = |held: &HeldLock| {
            held.node == node
                && held.opened != opened
                && (held.kind == LockKind::Exclusive || kind == LockKind::Exclusive)
        };
        if self.locks.iter().any(excludes) {
            return Ok(Locking::HeldByAnother);
        }
        self.locks.retain(|held| held.node != node || held.opened != opened);
        self.locks.push(HeldLock { node, opened, kind });
        Ok(Locking::Obtained)
    }
}

impl Files for Memory {
    fn open(&self, path: &Path, how: Open) -> Result<Box<dyn OpenFile>, DiskError> {
        let action = if how == Open::New { "creating" } else { "opening" };
        let mut state = lock(&self.state);
        let node = state.open(path, how).at(action, path)?;
        state.opened += 1;
        let number = state.opened;
        drop(state);
        let state = Arc::clone(&self.state);
        let opened = Opened { state: Arc::clone(&state), number, position: AtomicU64::new(0) };
        Ok(Box::new(MemoryFile {
            state,
            opened: Arc::new(opened),
            path: path.to_owned(),
            node,
            access: match how {
                Open::Read => Access::Read,
                Open::New | Open::Write => Access::ReadAndWrite,
                Open::Append => Access::Append,
            },
        }))
    }

    fn create_folder(&self, path: &Path) -> Result<(), DiskError> {
        lock(&self.state).create_folder(path).at("creating the folder", path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        lock(&self.state).rename(from, to).at("renaming to", to)
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        lock(&self.state).remove_file(path).at("removing", path)
    }

    fn remove_folder(&self, path: &Path) -> Result<(), DiskError> {
        lock(&self.state).remove_folder(path).at("removing", path)
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, DiskError> {
        lock(&self.state).list(path).at("reading the folder", path)
    }

    fn look(&self, path: &Path) -> Result<Option<Found>, DiskError> {
        lock(&self.state).look(path).at("reading", path)
    }

    fn sync_folder(&self, path: &Path) -> Result<(), DiskError> {
        lock(&self.state).sync_folder(path).at("syncing the folder", path)
    }

    fn free_bytes(&self, path: &Path) -> Result<u64, DiskError> {
        let state = lock(&self.state);
        state.faults.alive().at("asking", path)?;
        Ok(state.free_bytes)
    }
}
