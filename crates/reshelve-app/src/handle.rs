//! What a caller holds while a command works: it hears of progress and notes, and it can cancel.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reshelve::ends::Notes;
use reshelve::rollback;
use reshelve::run::{Observer, Plan, Progress, RunFolder};
use reshelve_mongo::Patience;

use crate::failure::Failure;
use crate::hints;
use crate::passwords::Passwords;

/// Hears how a command progresses. It may be called from several threads.
pub trait Watcher: Send + Sync {
    /// Something to know that is not the answer, in a sentence.
    fn note(&self, _text: &str) {}

    /// Both ends of a run are open: from here on, a run that is cancelled stops in order.
    fn ready(&self) {}

    /// A run has its folder, and is about to read: from here on it can be resumed.
    fn begun(&self, _plan: &Plan, _folder: &RunFolder, _bytes_total: Option<u64>) {}

    /// A run wrote a checkpoint: what is reported is safe.
    fn progress(&self, _progress: &Progress) {}

    /// A rollback is this far.
    fn taking_back(&self, _progress: &rollback::Progress) {}

    /// A command that writes no target has read this much.
    fn reading(&self, _reading: Reading) {}

    /// A command that compares job by job is this far.
    fn comparing(&self, _comparing: Comparing) {}

    /// A command that does several things begins the next one; the text says which, such as
    /// `3/9 verify`.
    fn step(&self, _text: &str) {}
}

/// How much a command that writes no target has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Documents.
    pub documents: u64,
    /// Bytes of the source's file.
    pub file_bytes: u64,
    /// Size of the file in bytes, if known.
    pub file_bytes_total: Option<u64>,
}

/// How far a comparison is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparing {
    /// Jobs that are compared.
    pub jobs: u64,
    /// About how many there are.
    pub of: u64,
}

/// Nobody listens.
struct Nobody;

impl Watcher for Nobody {}

/// Watches and cancels a command. Clones of a handle are the same handle: one may be given to a
/// command, another kept by the thread that cancels it.
#[derive(Clone)]
pub struct Handle {
    stop: Arc<AtomicBool>,
    watcher: Arc<dyn Watcher>,
    writes: Writes,
    passwords: Passwords,
}

/// Whether a command may write what outlives it: a target, a restored collection, generated data.
/// The folder of a dry run and the pages of a report are no such thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writes {
    Allowed,
    /// Somebody said that nothing is to be written.
    Forbidden,
}

impl Handle {
    /// A handle that reports to `watcher`.
    pub fn new(watcher: Arc<dyn Watcher>) -> Handle {
        Handle::with_flag(watcher, Arc::default())
    }

    /// The same, cancelled by setting `stop`.
    pub fn with_flag(watcher: Arc<dyn Watcher>, stop: Arc<AtomicBool>) -> Handle {
        Handle { stop, watcher, writes: Writes::Allowed, passwords: Passwords::default() }
    }

    /// A handle that reports to nobody.
    pub fn silent() -> Handle {
        Handle::new(Arc::new(Nobody))
    }

    /// The same handle for a command that must not write: one that would is refused.
    #[must_use]
    pub fn without_writes(self) -> Handle {
        Handle { writes: Writes::Forbidden, ..self }
    }

    /// The same handle for connection strings whose passwords are elsewhere.
    #[must_use]
    pub fn with_passwords(self, passwords: Passwords) -> Handle {
        Handle { passwords, ..self }
    }

    /// The same handle for a part of a command: it is cancelled by `stop`, and `watcher` hears of it.
    pub(crate) fn part(&self, watcher: Arc<dyn Watcher>, stop: Arc<AtomicBool>) -> Handle {
        Handle { stop, watcher, ..self.clone() }
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// The question that every command asks before it writes; `what` says what would.
    pub(crate) fn check_may_write(&self, what: &str) -> Result<(), Failure> {
        match self.writes {
            Writes::Allowed => Ok(()),
            Writes::Forbidden => Err(Failure::usage(
                format!("{what} writes, and DRY_RUN=true or --dry-run says that nothing is to be"),
                hints::UNSET_DRY_RUN,
            )),
        }
    }

    /// Asks the command to stop at the next place from which it can be resumed.
    pub fn cancel(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether the command was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    pub(crate) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    pub(crate) fn watcher(&self) -> &dyn Watcher {
        self.watcher.as_ref()
    }

    /// How connections wait for a server: until they are cancelled, and not in silence.
    pub(crate) fn patience(&self) -> Patience {
        let watcher = Arc::clone(&self.watcher);
        Patience::new(Arc::clone(&self.stop), move |text| watcher.note(text))
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Handle").field("stop", &self.stop).finish_non_exhaustive()
    }
}

/// Passes on what a run reports, and keeps its folder.
pub(crate) struct Relay<'h> {
    watcher: &'h dyn Watcher,
    folder: Option<PathBuf>,
}

impl<'h> Relay<'h> {
    pub(crate) fn new(handle: &'h Handle) -> Self {
        Relay { watcher: handle.watcher(), folder: None }
    }

    /// The folder of the run, once it has begun: from then on it can be resumed.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
}

impl Notes for Relay<'_> {
    fn note(&mut self, text: &str) {
        self.watcher.note(text);
    }
}

impl rollback::Observer for Relay<'_> {
    fn progress(&mut self, progress: &rollback::Progress) {
        self.watcher.taking_back(progress);
    }
}

impl Observer for Relay<'_> {
    fn begun(&mut self, plan: &Plan, folder: &RunFolder, bytes_total: Option<u64>) {
        self.folder = Some(folder.path().to_owned());
        self.watcher.begun(plan, folder, bytes_total);
    }

    fn progress(&mut self, progress: &Progress) {
        self.watcher.progress(progress);
    }
}
