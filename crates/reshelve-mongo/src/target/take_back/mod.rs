//! Takes what a run wrote out of a live target: the jobs first, then their parts, so that a reader
//! never sees a job whose parts are missing.

mod place;
mod taker;

use reshelve::ends::{
    Action, ChangedDocuments, Claim, Destination, EndError, Hint, How, LeftOver, OwnJob, OwnJobs,
    Position, SaveStep, Standing, TakenBack, TakesBack, is_relied_on,
};
use reshelve::standing::{Fate, Half, OwnDocuments, are_own, of_job};
use reshelve::store::{DiskError, Key};
use reshelve::target_schema::Collection;
use reshelve_core::raw;

use super::destination::LiveDestination;
use super::ended;
use super::fenced::Fenced;
use super::follows;
use super::lease::{Over, RUNS, last_standing};
use super::undo::UNDO;
use super::undo_forget;
use super::undo_record::UndoRecord;
use mongodb::bson::RawDocumentBuf;
use place::{Earlier, Place, Stands};
use taker::Taker;

/// Target bytes of jobs that are taken back at a time, about; more than that goes into one
/// transaction only if it is one job.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// What the journal of a run names.
struct Named {
    /// The jobs that it wrote.
    jobs: u64,
    /// Those of which it may have kept an earlier version: replaced, or to be replaced.
    replaced: u64,
}

impl TakesBack for LiveDestination {
    fn is_undone_by_position(&self) -> bool {
        false
    }

    fn lock_back(&mut self, run: &TakenBack<'_>) -> Result<bool, EndError> {
        let holder = self.holder()?;
        if run.from.is_some() && holder.is_none() {
            self.expect_last(&run.claim.run)?;
        }
        self.check_followed(run)?;
        self.take(run.claim, Over::Nobody)?;
        Ok(holder.is_some_and(|holder| holder.run == run.claim.run))
    }

    fn survey(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&OwnJob, Standing) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        self.check_followed(run)?;
        let mut at = Place::new(self.connection(), run);
        let is_continued = run.from.is_some();
        if is_continued {
            at.read_going()?;
        }
        let after = run.from.map(key_in).transpose()?.flatten();
        let (mut named, mut replaced) = (0_usize, 0_u64);
        at.in_batches(jobs, after, &mut |batch| {
            let stands = at.stands(batch)?;
            for (own, stands) in batch.iter().zip(stands) {
                named += 1;
                replaced += u64::from(own.job.action == Action::Replace);
                if stands.was_never_replaced(own) {
                    continue;
                }
                stands.earlier.check(&own.job)?;
                let half = at.half(own, &stands, is_continued);
                each(&own.job, standing_of(own, &stands, is_continued, half))?;
            }
            Ok(())
        })?;
        let named = Named { jobs: count(named), replaced: replaced + jobs.withdrawn() };
        if is_continued { Ok(()) } else { self.check_named(run, &named) }
    }

    fn replaced_by(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
    ) -> Result<Option<String>, EndError> {
        let at = Place::new(self.connection(), run);
        let mut by = None;
        at.in_batches(jobs, None, &mut |batch| {
            if by.is_none() {
                by = at.replaced_by(batch)?;
            }
            Ok(())
        })?;
        Ok(by)
    }

    fn later_writers(&mut self, run: &str) -> Result<Vec<String>, EndError> {
        self.connection().wait(ended::after(self.connection(), run))
    }

    fn expect_free_ids(&mut self, run: &TakenBack<'_>, jobs: &dyn OwnJobs) -> Result<(), EndError> {
        let at = Place::new(self.connection(), run);
        at.in_batches(jobs, None, &mut |batch| at.check_ids(batch))
    }

    fn discarded(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&[u8]) -> Result<(), DiskError>,
    ) -> Result<(), EndError> {
        let at = Place::new(self.connection(), run);
        at.in_batches(jobs, None, &mut |batch| {
            for (own, Stands { now, earlier: Earlier { kept, .. } }) in
                batch.iter().zip(at.stands(batch)?)
            {
                if own.how != Some(How::Discard) {
                    continue;
                }
                for collection in Collection::ALL {
                    let (now, kept) = (&now[collection.index()], &kept[collection.index()]);
                    for document in now.iter().filter(|document| !kept.contains(document)) {
                        if own.fate(collection, document.as_bytes()) == Fate::Goes {
                            each(document.as_bytes())?;
                        }
                    }
                }
            }
            Ok(())
        })
    }

    fn take_back(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        (from, mut documents): (&Position, ChangedDocuments),
        save: &mut SaveStep<'_>,
    ) -> Result<ChangedDocuments, EndError> {
        let Some(lease) = self.lease() else {
            return Err(EndError::failed("a rollback without a lease: a bug in reshelve", None));
        };
        self.connection().wait(lease.note_rolling_back())?;
        let mut at = Place::new(self.connection(), run);
        if run.from.is_some() {
            at.read_going()?;
        }
        let fenced = lease.take_session().map(|session| Fenced::new(session, lease.hold()));
        let mut taker = Taker::new(&at, run, &lease, fenced);
        at.in_batches(jobs, key_in(from)?, &mut |batch| {
            let Some(last) = batch.last() else { return Ok(()) };
            let changed = taker.take(batch)?;
            documents.add(changed);
            save(&position_after(&last.job.key), documents, true)
        })?;
        Ok(documents)
    }

    fn tidy_back(&mut self, claim: &Claim) -> Result<(), EndError> {
        let connection = self.connection();
        let is_due = match self.holder()? {
            Some(holder) => holder.run == claim.run,
            // An earlier version of this tool left it, and nobody has written since.
            None => {
                let last = self.last_standing()?;
                last.is_some_and(|last| last == claim.run)
                    && connection.wait(undo_forget::is_kept(connection, &claim.run))?
            }
        };
        if is_due {
            self.take(claim, Over::Nobody)?;
            self.forget(claim)?;
            self.unlock()?;
        }
        Ok(())
    }

    fn left_over(&mut self, run: &TakenBack<'_>, jobs: &dyn OwnJobs) -> Result<LeftOver, EndError> {
        let at = Place::new(self.connection(), run);
        let mut left = LeftOver::default();
        at.in_batches(jobs, None, &mut |batch| {
            for (own, stands) in batch.iter().zip(at.stands(batch)?) {
                if own.how.is_some() && !stands.was_never_replaced(own) {
                    add_left_over(&mut left, own, &stands);
                }
            }
            Ok(())
        })?;
        Ok(left)
    }
}

impl LiveDestination {
    /// A run that was not finished left its lease. Without that, another run took over, and counts
    /// what it found there.
    fn check_followed(&self, run: &TakenBack<'_>) -> Result<(), EndError> {
        if !run.has_tail {
            return Ok(());
        }
        let connection = self.connection();
        if let Some(by) = connection.wait(follows::follower(connection, &run.claim.run))? {
            return Err(is_relied_on(run.claim, &by));
        }
        match self.holder()? {
            Some(holder) if holder.run == run.claim.run => Ok(()),
            Some(holder) => Err(holder.refusal(connection)),
            // Somebody removed the lease.
            None => match self.last_standing()?.filter(|last| *last != run.claim.run) {
                Some(by) => Err(is_relied_on(run.claim, &by)),
                None => Ok(()),
            },
        }
    }

    /// The journal must name every job that the run wrote, and every one whose earlier version is
    /// kept: that of an older copy of the run folder does not, and what it does not name would stay.
    /// Earlier versions may also be kept of jobs that were named, and rejected when they were written.
    fn check_named(&self, run: &TakenBack<'_>, named: &Named) -> Result<(), EndError> {
        let Named { jobs: named, replaced } = *named;
        let connection = self.connection();
        let run = run.claim.run.as_str();
        let written = connection.wait(ended::jobs(connection, run))?.unwrap_or(0);
        let kept = connection.wait(UndoRecord::count(connection, run))?;
        let message = if written > named {
            format!(
                "{RUNS} says that this run wrote {written} jobs, and its journal names {named}: the \
                 run folder is an older copy"
            )
        } else if kept > replaced {
            format!(
                "{UNDO} keeps the earlier versions of {kept} jobs of this run, and its journal \
                 names {replaced}: the run folder is an older copy"
            )
        } else {
            return Ok(());
        };
        Err(EndError::refusal(message, Hint::PutBackWhatWasKept))
    }

    /// The run that wrote last, if its result still stands.
    fn last_standing(&self) -> Result<Option<String>, EndError> {
        let connection = self.connection();
        let last = connection.wait(last_standing(connection));
        last.map_err(|error| connection.error("looking at the fence in", RUNS, &error))
    }
}

fn add_left_over(
    left: &mut LeftOver,
    own: &OwnDocuments,
    Stands { now, earlier: Earlier { kept, .. } }: &Stands,
) {
    for collection in Collection::ALL {
        let (now, kept) = (&now[collection.index()], &kept[collection.index()]);
        for document in now.iter().filter(|document| !kept.contains(document)) {
            let bytes = document.as_bytes();
            let is_foreign = own.is_foreign(collection, bytes);
            left.foreign_events += u64::from(is_foreign);
            let is_wrong = match own.job.action {
                Action::Replace => true,
                Action::Insert | Action::Complete => own.fate(collection, bytes) == Fate::Goes,
            };
            left.wrong += u64::from(is_wrong && !is_foreign);
        }
        left.wrong += count(kept.iter().filter(|document| !now.contains(document)).count());
    }
}

fn count(documents: usize) -> u64 {
    u64::try_from(documents).unwrap_or(u64::MAX)
}

/// What stands of a job. Of a rollback that is continued, events that came meanwhile are nobody's
/// edit; and of a job that is half replaced, or was taken back or half so, what was there before the
/// run is none.
fn standing_of(
    own: &OwnDocuments,
    Stands { now, earlier: Earlier { kept, .. } }: &Stands,
    is_continued: bool,
    half: Half,
) -> Standing {
    let parts = |without_older: bool| {
        Collection::ALL.map(|collection| {
            let (now, kept) = (&now[collection.index()], &kept[collection.index()]);
            let counts = |document: &&RawDocumentBuf| {
                let bytes = document.as_bytes();
                let is_left_out = is_continued && own.is_foreign(collection, bytes);
                let is_older = || kept.contains(document) || own.was_there(collection, bytes);
                !(is_left_out || without_older && is_older())
            };
            let now: Vec<&[u8]> =
                now.iter().filter(counts).map(|document| document.as_bytes()).collect();
            own.part(collection, &now)
        })
    };
    let standing = of_job(&own.job, parts(false), half);
    let may_be_older = match own.job.action {
        Action::Insert => false,
        Action::Replace => half != Half::No,
        Action::Complete => is_continued,
    };
    if may_be_older && matches!(standing, Standing::Edited(_)) && are_own(&parts(true)) {
        return Standing::AsWritten;
    }
    standing
}

/// The last job that was taken back.
fn position_after(key: &Key) -> Position {
    Position { opaque: raw::hex(key).into(), ..Position::default() }
}

fn key_in(position: &Position) -> Result<Option<Key>, EndError> {
    let Some(text) = position.opaque.as_str() else { return Ok(None) };
    let digits =
        |at: usize| text.get(2 * at..2 * at + 2).and_then(|it| u8::from_str_radix(it, 16).ok());
    let key: Option<Vec<u8>> = (0..16).map(digits).collect();
    match key.and_then(|key| key.try_into().ok()) {
        Some(key) if text.len() == 32 => Ok(Some(key)),
        _ => Err(EndError::failed(
            "the record of the rollback is malformed",
            Some("it was written by another version, or edited"),
        )),
    }
}

fn changed_now(collection: Collection) -> EndError {
    let message = format!("{collection} was changed since it was looked at, a moment ago");
    EndError::refusal(message, Hint::LookWhoWrites)
}
