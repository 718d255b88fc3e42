//! A target folder as a run meets it.

use std::sync::Arc;

use super::existing::Existing;
use super::follows;
use super::lengths::{Finishing, Lengths, Progress};
use super::lock::{Holder, Lock};
use super::preflight::{self, Before, Expect};
use super::replace::{Replacing, finish_collection, has_taken_its_place};
use super::sink::{FolderSink, expect_unlocked};
use super::tail::{check_ends, expect_no_strangers, keep_strangers, take_in_appended};
use super::used_plans;
use crate::ends::{
    Abandoned, Base, Claim, Destination, DrySink, EndError, Held, JobSet, Left, Look, Notes,
    OnExisting, PlannedTarget, Position, Sink, TargetFolder, TargetIdentity, TargetRequest,
    WrittenJobs, is_relied_on,
};
use crate::store::{Disk, Files, absolute};
use crate::target_schema::Collection;

/// A target folder, from the first look at it to the end of a run.
#[derive(Debug)]
pub struct FolderDestination {
    files: Arc<dyn Files>,
    target: TargetFolder,
    /// The lengths of its files when they were looked at; none of a run that is resumed.
    seen: Option<Lengths>,
    existing: Option<Existing>,
    lock: Option<Lock>,
}

impl FolderDestination {
    /// The run's target is this folder, or will be.
    pub fn new(target: TargetFolder) -> Self {
        Self::on(Arc::new(Disk), target)
    }

    /// The same, on another file system than this machine's.
    pub fn on(files: Arc<dyn Files>, target: TargetFolder) -> Self {
        let target = TargetFolder { root: absolute(&target.root), ..target };
        FolderDestination { files, target, seen: None, existing: None, lock: None }
    }

    pub(super) fn take_lock(
        &mut self,
        claim: &Claim,
        abandoned: Abandoned,
    ) -> Result<(), EndError> {
        let folder = absolute(&claim.folder);
        let holder = Holder { run: claim.run.clone(), folder, pid: std::process::id() };
        self.lock =
            Some(Lock::take(self.files.as_ref(), &self.target.lock_file(), &holder, abandoned)?);
        Ok(())
    }

    pub(super) fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    pub(super) fn target(&self) -> &TargetFolder {
        &self.target
    }

    /// Gives the lock back after a failure.
    fn unlock_unless(&mut self, done: Result<(), EndError>) -> Result<(), EndError> {
        if done.is_err() {
            self.unlock()?;
        }
        done
    }

    /// Checks that the target is as a run left it that is resumed.
    fn check_left(
        &self,
        claim: &Claim,
        left: &Left<'_>,
        was_locked: bool,
        notes: &mut dyn Notes,
    ) -> Result<(), EndError> {
        let (files, target) = (self.files.as_ref(), &self.target);
        let lengths = Progress::of(left.position)?.lengths;
        let Some(named) = left.named else {
            return match was_locked {
                true => Ok(()),
                false => preflight::check_seen(files, target, lengths),
            };
        };
        check_ends(files, target, &lengths)?;
        if was_locked {
            return keep_strangers(files, target, &lengths, named, &claim.folder, notes);
        }
        // Another run took over, or somebody removed the lock, or the target.
        match follows::follower(files, claim)? {
            Some(by) => Err(is_relied_on(claim, &by)),
            None => expect_no_strangers(files, target, &lengths, named),
        }
    }

    /// Whether the lock file names this run.
    pub(super) fn is_left_by(&self, run: &str) -> Result<bool, EndError> {
        let left = Lock::look(self.files.as_ref(), &self.target.lock_file())?
            .and_then(|(holder, _)| holder);
        Ok(left.is_some_and(|holder| holder.run == run))
    }
}

impl Destination for FolderDestination {
    fn planned(&self) -> PlannedTarget {
        PlannedTarget::Folder(self.target.clone())
    }

    /// The folder of the database, by its number on its file system and the time when it was made, in
    /// nanoseconds: a number is given again, and clocks are coarse. Devices are numbered anew when a
    /// machine starts.
    fn identity(&self) -> Result<TargetIdentity, EndError> {
        Ok(match self.files.look(&self.target.database())? {
            None => TargetIdentity::Nothing,
            Some(found) if found.born_ns > 0 => {
                let (number, born_ns) = (found.identity.inode, found.born_ns);
                TargetIdentity::Told(format!("folder {number}, made {born_ns} ns after 1970"))
            }
            Some(_) => TargetIdentity::Untold,
        })
    }

    /// Only a run that is not done leaves its name: in its lock.
    fn names_run(&self, run: &str) -> Result<Option<bool>, EndError> {
        Ok(self.is_left_by(run)?.then_some(true))
    }

    fn look(&mut self, request: &TargetRequest, _: &mut dyn Notes) -> Result<Base, EndError> {
        let before = preflight::look(self.files.as_ref(), request, &self.target)?;
        let Before { seen, base, documents, existing } = before;
        self.seen = Some(seen);
        self.existing = existing;
        preflight::check_disk(self.files.as_ref(), request, &self.target)?;
        Ok(Base { position: base.into(), documents })
    }

    fn lock(&mut self, claim: &Claim, abandoned: Abandoned) -> Result<(), EndError> {
        self.take_lock(claim, abandoned)?;
        let seen = self.seen.unwrap_or_default();
        let checked = preflight::check_seen(self.files.as_ref(), &self.target, seen);
        // The lock of a run at work may have been removed by hand: its files are locked too.
        let checked = checked.and_then(|()| expect_unlocked(self.files.as_ref(), &self.target));
        self.unlock_unless(checked)?;
        let Some(over) = self.lock.as_ref().and_then(|lock| lock.over.clone()) else {
            return Ok(());
        };
        let noted = follows::note(self.files.as_ref(), &over, claim);
        self.unlock_unless(noted.map_err(Into::into))
    }

    fn lock_again(
        &mut self,
        claim: &Claim,
        left: &Left<'_>,
        notes: &mut dyn Notes,
    ) -> Result<(), EndError> {
        let was_locked = self.is_left_by(&claim.run)?;
        if !self.files.exists(&self.target.database())? {
            // The lock would make it.
            let lengths = Progress::of(left.position)?.lengths;
            check_ends(self.files.as_ref(), &self.target, &lengths)?;
        }
        self.take_lock(claim, Abandoned::Keep)?;
        let checked = self.check_left(claim, left, was_locked, notes);
        // A run that has lost its lock gets it back only together with the target as it left it.
        if was_locked { checked } else { self.unlock_unless(checked) }
    }

    fn sink<'s>(
        &'s mut self,
        claim: &Claim,
        position: &Position,
        threads: usize,
    ) -> Result<Box<dyn Sink + 's>, EndError> {
        if self.existing.is_none() && claim.on_existing != OnExisting::Refuse {
            self.existing = preflight::reopen_existing(
                self.files.as_ref(),
                &self.target,
                &claim.base,
                &claim.scratch,
            )?;
        }
        let existing = self.existing.take();
        if !claim.apply {
            let look = existing.map(|existing| -> Box<dyn Look> { Box::new(existing) });
            return Ok(Box::new(DrySink::new(look)));
        }
        let lengths = Progress::of(position)?.lengths;
        let expect = self.seen.map_or(Expect::AtLeast(lengths), Expect::AsSeen);
        let target = &self.target;
        let sink = FolderSink::open(&self.files, target, lengths, expect, existing, threads)?;
        Ok(Box::new(sink))
    }

    fn finishes(&self) -> bool {
        true
    }

    /// Takes the earlier versions of replaced jobs out of the files: the position says which file
    /// is next, and whether its new form is ready.
    fn finish(
        &mut self,
        claim: &Claim,
        replaced: &dyn JobSet,
        from: &Position,
        save: &mut dyn FnMut(&Position) -> Result<(), EndError>,
    ) -> Result<Position, EndError> {
        let base = Progress::of(&claim.base.position)?.lengths;
        let mut progress = Progress::of(from)?;
        let (files, target) = (Arc::clone(&self.files), &self.target);
        if let Some(ready) = progress.finishing.ready.take()
            && let Some(&collection) = Collection::ALL.get(progress.finishing.collections)
            && has_taken_its_place(
                files.as_ref(),
                target,
                collection,
                &ready,
                progress.lengths.0[collection.index()],
            )?
        {
            // The process that renamed it may have been killed before it synced that.
            files.sync_folder(&target.database())?;
            progress = next_collection(progress, ready.bytes);
            save(&progress.position())?;
        }
        take_in_appended(files.as_ref(), target, &mut progress)?;
        while let Some(&collection) = Collection::ALL.get(progress.finishing.collections) {
            let what = Replacing {
                files: files.as_ref(),
                folder: target,
                collection,
                base: base.0[collection.index()],
                replaced,
                undo: &claim.undo,
            };
            let bytes = finish_collection(&what, &mut |ready| {
                progress.finishing.ready = Some(ready);
                save(&progress.position())
            })?;
            progress = next_collection(progress, bytes);
            save(&progress.position())?;
        }
        // Nobody else writes there: what a killed process left half written goes.
        files.remove_leftovers(&target.database())?;
        Ok(progress.position())
    }

    fn check_held(&mut self, _: &Claim, held: &Held, _: &dyn WrittenJobs) -> Result<(), EndError> {
        let lengths = Progress::of(&held.position)?.lengths;
        preflight::check_end(self.files.as_ref(), &self.target, &lengths)
    }

    fn plan_user(&mut self, plan: &str) -> Result<Option<String>, EndError> {
        used_plans::user(self.files.as_ref(), &self.target, plan)
    }

    fn use_plan(&mut self, plan: &str, run: &str) -> Result<(), EndError> {
        used_plans::add(self.files.as_ref(), &self.target, plan, run)
    }

    /// Of a run that is taken back, its folder says so; of one that does not begin, nothing will.
    fn forget(&mut self, _: &Claim) -> Result<(), EndError> {
        match self.lock.as_ref().and_then(|lock| lock.over.as_ref()) {
            Some(over) => Ok(follows::forget(self.files.as_ref(), over)?),
            None => Ok(()),
        }
    }

    fn unlock(&mut self) -> Result<(), EndError> {
        Ok(self.lock.take().map_or(Ok(()), |lock| lock.remove(self.files.as_ref()))?)
    }

    fn tidy(&mut self, claim: &Claim) -> Result<(), EndError> {
        if self.is_left_by(&claim.run)? {
            self.take_lock(claim, Abandoned::Keep)?;
            self.unlock()?;
        }
        Ok(())
    }
}

fn next_collection(mut progress: Progress, bytes: u64) -> Progress {
    let collections = progress.finishing.collections;
    progress.lengths.0[collections] = bytes;
    progress.finishing = Finishing { collections: collections + 1, ready: None };
    progress
}
