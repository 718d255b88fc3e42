//! A target folder as a run meets it.

use std::collections::HashSet;
use std::path::Path;

use super::lock::{Abandoned, Holder, Lock};
use crate::ends::SourceDescription;
use crate::ends::{Base, Destination};
use crate::ends::{NullSink, Sink, SinkPosition};
use crate::folder::{Existing, FolderSink, Replacing, TargetFolder, finish_collection, take_up};
use crate::run::preflight::{self, Before};
use crate::run::{
    Checkpoint, Finishing, Observer, OnExisting, Plan, PlannedTarget, RunError, RunFolder,
    RunRequest, absolute,
};
use crate::store::At;
use crate::store::Key;
use reshelve_core::mapping::COLLECTIONS;

/// A target folder, from the first look at it to the end of a run.
#[derive(Debug)]
pub struct FolderDestination {
    target: TargetFolder,
    /// The lengths of its files when they were looked at.
    seen: SinkPosition,
    existing: Option<Existing>,
    lock: Option<Lock>,
}

impl FolderDestination {
    /// The run's target is this folder, or will be.
    pub fn new(target: TargetFolder) -> Self {
        let target = TargetFolder { root: absolute(&target.root), ..target };
        FolderDestination { target, seen: SinkPosition::default(), existing: None, lock: None }
    }

    fn take_lock(
        &mut self,
        plan: &Plan,
        folder: &RunFolder,
        abandoned: Abandoned,
    ) -> Result<(), RunError> {
        let folder = absolute(folder.path());
        let holder = Holder { run: plan.run.clone(), folder, pid: std::process::id() };
        self.lock = Some(Lock::take(&self.target.lock_file(), &holder, abandoned)?);
        Ok(())
    }

    /// Under the lock the target must still be as it was; else the lock is given back.
    fn check_lengths(&mut self, position: SinkPosition) -> Result<(), RunError> {
        let checked = preflight::check_target_lengths(&self.target, position, true);
        if checked.is_err() {
            self.unlock()?;
        }
        checked
    }

    /// Whether the lock file names this run.
    fn is_left_by(&self, plan: &Plan) -> Result<bool, RunError> {
        let left = Lock::look(&self.target.lock_file())?.and_then(|(holder, _)| holder);
        Ok(left.is_some_and(|holder| holder.run == plan.run))
    }
}

impl Destination for FolderDestination {
    fn planned(&self) -> PlannedTarget {
        PlannedTarget::Folder(self.target.clone())
    }

    fn look(
        &mut self,
        request: &RunRequest,
        source: &SourceDescription,
        _: &mut dyn Observer,
    ) -> Result<Base, RunError> {
        let before = preflight::look_at_target(request, &self.target)?;
        let Before { seen, base, documents, existing } = before;
        self.seen = seen;
        self.existing = existing;
        preflight::check_disk(request, &self.target, source)?;
        Ok(Base { position: base, documents })
    }

    fn lock(
        &mut self,
        plan: &Plan,
        folder: &RunFolder,
        abandoned: Abandoned,
    ) -> Result<(), RunError> {
        self.take_lock(plan, folder, abandoned)?;
        self.check_lengths(self.seen)
    }

    fn lock_again(
        &mut self,
        plan: &Plan,
        folder: &RunFolder,
        from: &Checkpoint,
    ) -> Result<(), RunError> {
        let was_locked = self.is_left_by(plan)?;
        self.take_lock(plan, folder, Abandoned::Keep)?;
        // A run loses its lock to nobody but one that took over: what is in the target now, that
        // one wrote.
        if was_locked { Ok(()) } else { self.check_lengths(from.target) }
    }

    fn sink<'s>(
        &'s mut self,
        plan: &Plan,
        folder: &RunFolder,
        position: SinkPosition,
    ) -> Result<Box<dyn Sink + 's>, RunError> {
        if self.existing.is_none() && plan.on_existing != OnExisting::Refuse {
            let runs = folder.path().parent().unwrap_or(Path::new("."));
            self.existing = preflight::reopen_existing(&self.target, plan.base, runs)?;
        }
        let existing = self.existing.take();
        if !plan.apply {
            return Ok(Box::new(NullSink { existing }));
        }
        preflight::check_target_lengths(&self.target, position, false)?;
        Ok(Box::new(FolderSink::open(&self.target, position, existing)?))
    }

    fn finishes(&self) -> bool {
        true
    }

    /// Takes the earlier versions of replaced jobs out of the files: the checkpoint says which
    /// file is next, and whether its new form is ready.
    fn finish(
        &mut self,
        plan: &Plan,
        folder: &RunFolder,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), RunError> {
        let file = folder.checkpoint_file();
        let replaced = read_replaced(folder)?;
        if let Some(length) = checkpoint.finishing.length {
            take_up(&self.target, checkpoint.finishing.collections, length)?;
            next_collection(checkpoint, length, &file)?;
        }
        while checkpoint.finishing.collections < COLLECTIONS.len() {
            let collection = checkpoint.finishing.collections;
            let what = Replacing {
                folder: &self.target,
                collection,
                base: plan.base.lengths[collection],
                replaced: &replaced,
                undo: &folder.undo_folder(),
            };
            let mut length = 0;
            finish_collection(&what, &mut |new_length| {
                length = new_length;
                checkpoint.finishing.length = Some(new_length);
                checkpoint.write(&file)
            })?;
            next_collection(checkpoint, length, &file)?;
        }
        Ok(())
    }

    fn unlock(&mut self) -> Result<(), RunError> {
        Ok(self.lock.take().map_or(Ok(()), Lock::remove)?)
    }

    fn tidy(&mut self, plan: &Plan, folder: &RunFolder) -> Result<(), RunError> {
        if self.is_left_by(plan)? {
            self.take_lock(plan, folder, Abandoned::Keep)?;
            self.unlock()?;
        }
        Ok(())
    }
}

fn next_collection(checkpoint: &mut Checkpoint, length: u64, file: &Path) -> Result<(), RunError> {
    checkpoint.target.lengths[checkpoint.finishing.collections] = length;
    let collections = checkpoint.finishing.collections + 1;
    checkpoint.finishing = Finishing { collections, length: None };
    checkpoint.write(file)
}

fn read_replaced(folder: &RunFolder) -> Result<HashSet<Key>, RunError> {
    let path = folder.replaced_file();
    let bytes = std::fs::read(&path).at("reading", &path)?;
    Ok(bytes.chunks_exact(16).filter_map(|key| key.try_into().ok()).collect())
}
