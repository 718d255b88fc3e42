//! Takes what a run wrote out of a target folder.

mod back;
mod checks;
mod content;
mod survey;

use serde::{Deserialize, Serialize};

use super::destination::FolderDestination;
use super::follows;
use super::lengths::Progress;
use super::sink::open_locked;
use super::tail::{check_ends, keep_strangers};
use crate::ends::{
    Abandoned, ChangedDocuments, Claim, Destination, EndError, Hint, How, LeftOver, NamedJobs,
    Notes, OwnJob, OwnJobs, Position, SaveStep, Standing, TakenBack, TakesBack, is_relied_on,
};
use crate::standing::Fate;
use crate::store::{DiskError, Key};
use crate::target_schema::Collection;
use back::Back;
use survey::survey;

/// How far taking back is: what it puts into a [`Position`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Steps {
    /// How many collections are done.
    collections: usize,
    /// What is about to happen to the next one.
    next: Option<NextStep>,
}

/// A file that is about to get its new content.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct NextStep {
    how: NewContent,
    /// What was changed, when that is done.
    documents: ChangedDocuments,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum NewContent {
    /// It is cut back to its beginning.
    Cut { to_bytes: u64 },
    /// A new file takes its place: this one.
    Replaced { device: u64, inode: u64 },
}

impl Steps {
    fn of(position: &Position) -> Result<Steps, EndError> {
        if position.opaque.is_null() {
            return Ok(Steps::default());
        }
        serde_json::from_value(position.opaque.clone()).map_err(|error| {
            let message = format!("the record of the rollback is malformed: {error}");
            EndError::failed(message, Some("it was written by another version, or edited"))
        })
    }

    fn position(&self) -> Position {
        let opaque = serde_json::to_value(self).unwrap_or_default();
        Position { opaque, ..Position::default() }
    }
}

/// What the journal says of jobs, whatever is to become of them.
struct Named<'j>(&'j dyn OwnJobs);

impl NamedJobs for Named<'_> {
    fn get(&self, job: &Key) -> Result<Option<OwnJob>, DiskError> {
        Ok(self.0.get(job)?.map(|(job, _)| job))
    }
}

impl TakesBack for FolderDestination {
    fn is_undone_by_position(&self) -> bool {
        true
    }

    fn lock_back(&mut self, run: &TakenBack<'_>) -> Result<bool, EndError> {
        self.check_files(run)?;
        self.check_tail(run)?;
        let was_locked = self.is_left_by(&run.claim.run)?;
        if run.from.is_some() && !was_locked {
            let message =
                "the lock of the rollback is gone: others may have written to the target since";
            return Err(EndError::refusal(message, Hint::LookWhoWrites));
        }
        self.take_lock(run.claim, Abandoned::Keep)?;
        // Durable before the state says that the rollback has begun: a lock that is gone then was
        // taken away by somebody.
        self.files().sync_folder(&self.target().database())?;
        Ok(was_locked)
    }

    fn look_at_tail(&mut self, run: &TakenBack<'_>, tail: &dyn OwnJobs) -> Result<(), EndError> {
        self.back(run, tail).check_tail(&Progress::of(run.position)?.lengths)
    }

    fn cut_tail(
        &mut self,
        run: &TakenBack<'_>,
        tail: &dyn OwnJobs,
        notes: &mut dyn Notes,
    ) -> Result<(), EndError> {
        self.look_at_tail(run, tail)?;
        let lengths = Progress::of(run.position)?.lengths;
        let (files, target) = (self.files().as_ref(), self.target());
        keep_strangers(files, target, &lengths, &Named(tail), &run.claim.folder, notes)?;
        for (collection, written) in Collection::ALL.into_iter().zip(lengths.0) {
            if files.look(&target.file(collection))?.is_some() {
                let file = open_locked(files, target, collection)?;
                if file.length()? > written {
                    file.set_length(written)?;
                }
                // A process that was killed may have cut it, and not have synced that.
                file.sync_all()?;
            }
        }
        Ok(())
    }

    fn survey(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&OwnJob, Standing) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        self.check_files(run)?;
        self.check_tail(run)?;
        let back = self.back(run, jobs);
        back.check_undo()?;
        let done = match run.from {
            None => 0,
            Some(from) => {
                let steps = Steps::of(from)?;
                let next = Collection::ALL.get(steps.collections).zip(steps.next.as_ref());
                let is_done = next.map(|(at, next)| back.is_done(*at, &next.how)).transpose()?;
                steps.collections + usize::from(is_done == Some(true))
            }
        };
        survey(&back, done, each)
    }

    fn expect_free_ids(&mut self, run: &TakenBack<'_>, jobs: &dyn OwnJobs) -> Result<(), EndError> {
        self.back(run, jobs).check_ids()
    }

    fn discarded(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&[u8]) -> Result<(), DiskError>,
    ) -> Result<(), EndError> {
        let back = self.back(run, jobs);
        for collection in Collection::ALL {
            back.each_own(collection, &mut |own, document| match own.how {
                Some(How::Discard) if own.fate(collection, document) == Fate::Goes => {
                    Ok(each(document)?)
                }
                _ => Ok(()),
            })?;
        }
        Ok(())
    }

    fn take_back(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        (from, mut documents): (&Position, ChangedDocuments),
        save: &mut SaveStep<'_>,
    ) -> Result<ChangedDocuments, EndError> {
        let back = self.back(run, jobs);
        back.check_undo()?;
        let mut steps = Steps::of(from)?;
        while let Some(&collection) = Collection::ALL.get(steps.collections) {
            documents = match steps.next.take() {
                Some(next) if back.is_done(collection, &next.how)? => next.documents,
                _ => back.collection(collection, documents, &mut |next| {
                    steps.next = Some(next);
                    save(&steps.position(), documents, false)
                })?,
            };
            back.make_durable(collection)?;
            steps = Steps { collections: steps.collections + 1, next: None };
            save(&steps.position(), documents, true)?;
        }
        // The lock is held: what a killed process left half written goes.
        back.files.remove_leftovers(&back.folder.database())?;
        Ok(documents)
    }

    fn tidy_back(&mut self, claim: &Claim) -> Result<(), EndError> {
        if self.is_left_by(&claim.run)? {
            self.take_lock(claim, Abandoned::Keep)?;
            self.forget(claim)?;
            self.unlock()?;
        }
        Ok(())
    }

    fn left_over(&mut self, run: &TakenBack<'_>, jobs: &dyn OwnJobs) -> Result<LeftOver, EndError> {
        self.back(run, jobs).left_over()
    }
}

impl FolderDestination {
    fn back<'b>(&'b self, run: &'b TakenBack<'b>, jobs: &'b dyn OwnJobs) -> Back<'b> {
        Back::new(self.files().as_ref(), self.target(), run, jobs)
    }

    /// A file that the run has written and that is not there was moved, compressed by another tool,
    /// or lies on a disk that is not mounted: it is not empty. In a folder with two forms, what would
    /// be left is no target that anything reads.
    fn check_files(&self, run: &TakenBack<'_>) -> Result<(), EndError> {
        self.target().expect_one_form()?;
        let lengths = Progress::of(run.position)?.lengths;
        let folder = self.target().database();
        if lengths.0.iter().any(|written| *written > 0) && self.files().look(&folder)?.is_none() {
            let message = format!("the target folder {} is not there", folder.display());
            return Err(EndError::refusal(message, Hint::PutBackTheFolder));
        }
        for (collection, written) in Collection::ALL.into_iter().zip(lengths.0) {
            let path = self.target().file(collection);
            if written > 0 && self.files().look(&path)?.is_none() {
                let message = format!("the target file {} is not there", path.display());
                return Err(EndError::refusal(message, Hint::MendTheTarget));
            }
        }
        Ok(())
    }

    /// A run that can be resumed left its lock, and the target is as it left it but for its own
    /// tail. Without the lock, somebody took over, or removed the lock or the target: what lies
    /// there must still end a document where the checkpoint says, and what comes after that is
    /// looked at before anything is changed.
    fn check_tail(&self, run: &TakenBack<'_>) -> Result<(), EndError> {
        if !run.has_tail {
            return Ok(());
        }
        if let Some(by) = follows::follower(self.files().as_ref(), run.claim)? {
            return Err(is_relied_on(run.claim, &by));
        }
        if self.is_left_by(&run.claim.run)? {
            return Ok(());
        }
        let lengths = Progress::of(run.position)?.lengths;
        check_ends(self.files().as_ref(), self.target(), &lengths)
    }
}
