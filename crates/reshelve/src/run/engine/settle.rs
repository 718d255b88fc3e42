//! What was decided is written down, written, and counted.

use std::time::Instant;

use super::super::journal::{Details, JobRecord};
use super::super::rejects::Rejected;
use super::decide::{Decided, Decision};
use super::{Engine, RunError, count, id_mark};
use crate::ends::{Action, Fate, Found, JobAhead, JobWrite, Looked, OnExisting, Sink};
use crate::pass::pipeline::MappedBatch;
use crate::pass::{Example, RejectPlace, RejectReason, Rejection, id_words, tally_warnings};
use crate::target_schema::Collection;
use reshelve_core::mapping::{Mapped, Outcome};
use reshelve_core::raw::{self, Document, Value};

impl<S: Sink + ?Sized> Engine<'_, S> {
    /// Writes down what was decided, writes it, and counts what became of it, in source order.
    /// Tells whether the target refused a document.
    pub(super) fn settle(
        &mut self,
        batch: &MappedBatch,
        decided: &mut Decided,
    ) -> Result<bool, RunError> {
        let fates = self.write(batch, decided)?;
        let mut written = decided.writes.drain(..).zip(fates);
        let mut is_refused = false;
        let last = decided.list.last().map(|(index, _)| *index);
        for (index, decision) in decided.list.drain(..) {
            self.now.source.count += 1;
            self.hash.add(&batch.documents[index].fingerprint);
            if matches!(decision, Decision::NotTaken) {
                continue;
            }
            let item = &batch.batch.items[index];
            self.now.totals.documents.read += 1;
            self.now.totals.bytes_read += count(item.end - item.start);
            let key = &batch.documents[index].key;
            match decision {
                Decision::NotTaken => {}
                Decision::Skipped => self.now.totals.documents.skipped += 1,
                Decision::Rejected { rejection, is_listed } => {
                    self.reject(batch, index, &rejection)?;
                    if is_listed {
                        self.list_id(key)?;
                    }
                }
                Decision::Unchanged => {
                    self.count_job(batch, index, None);
                    self.list_id(key)?;
                }
                Decision::Done(write) => {
                    self.announce(batch, index, &write)?;
                    self.count_job(batch, index, Some(&write));
                    self.list_id(key)?;
                }
                Decision::Written => {
                    let Some((write, fate)) = written.next() else {
                        return Err(RunError::Bug("a sink did not say what became of a job"));
                    };
                    is_refused |= self.take_fate(batch, index, &write, fate)?;
                    self.list_id(key)?;
                }
            }
        }
        drop(written);
        if let Some(index) = last {
            self.now.source.id = batch.bson(index).and_then(id_mark);
        }
        if let Some(journal) = &mut self.journal {
            journal.complete()?;
        }
        Ok(is_refused)
    }

    /// Journal first, then the target. Where a run that replaces finds at the write that somebody
    /// else came first, the target is looked at once more.
    fn write(&mut self, batch: &MappedBatch, decided: &mut Decided) -> Result<Vec<Fate>, RunError> {
        let Decided { list, writes } = decided;
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let is_written = |decision: &Decision| matches!(decision, Decision::Written);
        let indexes: Vec<usize> = list
            .iter()
            .filter(|(_, decision)| is_written(decision))
            .map(|(index, _)| *index)
            .collect();
        for (index, write) in indexes.iter().zip(&*writes) {
            self.announce(batch, *index, write)?;
        }
        let mut fates = self.write_announced(batch, writes)?;
        if self.context.plan.on_existing != OnExisting::Replace {
            return Ok(fates);
        }
        for ((index, write), fate) in indexes.into_iter().zip(writes).zip(&mut fates) {
            if matches!(fate, Fate::Conflict(_)) && write.action != Action::Replace {
                *fate = self.replace_after_all(batch, index, write)?;
            }
        }
        Ok(fates)
    }

    /// Replaces a job that somebody else put there since the look.
    fn replace_after_all(
        &mut self,
        batch: &MappedBatch,
        index: usize,
        write: &mut JobWrite,
    ) -> Result<Fate, RunError> {
        if let Some(journal) = &mut self.journal {
            journal.withdraw(batch.documents[index].key)?;
        }
        // Said to be begun, so that a target that was empty is looked at too.
        let ahead = [JobAhead { section: write.section.clone(), begun: true, wrote: None }];
        let found = match self.sink.look(&batch.target, &ahead)? {
            Looked::Jobs(before) => before.first().map_or_else(Default::default, |it| it.found),
            Looked::Nothing => Default::default(),
        };
        let section = write.section.clone();
        let action = Action::Replace;
        let (missing, wrote) = (Vec::new(), None);
        *write = JobWrite { section, action, missing, begun: false, found, wrote };
        self.announce(batch, index, write)?;
        let fates = self.write_announced(batch, std::slice::from_ref(write))?;
        fates.into_iter().next().ok_or(RunError::Bug("a sink did not say what became of a job"))
    }

    /// Writes down that a job is about to be written.
    fn announce(
        &mut self,
        batch: &MappedBatch,
        index: usize,
        write: &JobWrite,
    ) -> Result<(), RunError> {
        if let Some(journal) = &mut self.journal {
            let (record, details) = record_of(batch, index, write);
            journal.job(record, &details)?;
        }
        Ok(())
    }

    /// Writes what was announced; before it, hands over the journal, and makes it durable where the
    /// target alone would not tell.
    fn write_announced(
        &mut self,
        batch: &MappedBatch,
        writes: &[JobWrite],
    ) -> Result<Vec<Fate>, RunError> {
        let replaces = writes.iter().any(|write| write.action == Action::Replace);
        if let Some(journal) = &mut self.journal {
            match replaces || !self.sink.is_undone_by_position() {
                true => journal.sync()?,
                // A process that is killed leaves what it handed over: what a resumed run finds in
                // the target after its checkpoint, the journal names.
                false => journal.flush()?,
            }
        }
        let begun = Instant::now();
        let fates = self.sink.write(&batch.target, writes)?;
        self.hold.wrote(begun.elapsed());
        Ok(fates)
    }

    /// Counts what became of a job that was to be written; tells whether it was not taken.
    fn take_fate(
        &mut self,
        batch: &MappedBatch,
        index: usize,
        write: &JobWrite,
        fate: Fate,
    ) -> Result<bool, RunError> {
        let rejection = match fate {
            Fate::Written => {
                self.count_job(batch, index, Some(write));
                return Ok(false);
            }
            Fate::Unchanged => {
                self.count_job(batch, index, None);
                None
            }
            Fate::Conflict(what) => Some(Rejection::new(RejectReason::TargetConflict, what)),
            Fate::Refused(why) => Some(Rejection::new(RejectReason::TargetRefused, why)),
        };
        // Of a job that an earlier process had begun to replace, something of the run may stand.
        let is_half_replaced = write.begun && write.action == Action::Replace;
        if let Some(journal) = self.journal.as_mut().filter(|_| !is_half_replaced) {
            journal.withdraw(batch.documents[index].key)?;
        }
        let Some(rejection) = rejection else { return Ok(false) };
        self.reject(batch, index, &rejection)?;
        Ok(true)
    }

    /// Counts a job that is in the target now: written, or unchanged.
    fn count_job(&mut self, batch: &MappedBatch, index: usize, write: Option<&JobWrite>) {
        let Some(Outcome::Mapped(mapped)) = &batch.documents[index].outcome else { return };
        let Mapped { job_id, is_in_flight, events, lengths, residue_bytes, warnings } = mapped;
        let totals = &mut self.now.totals;
        let replaced = write.is_some_and(JobWrite::replaces_others);
        totals.replaced += u64::from(replaced);
        totals.documents.mapped += 1;
        totals.in_flight += u64::from(*is_in_flight);
        totals.events += count(*events);
        totals.bytes_mapped += count(lengths.iter().sum());
        totals.residue_bytes += count(*residue_bytes);
        tally_warnings(&mut totals.warnings, job_id, warnings);
        match write {
            None => totals.documents.unchanged += 1,
            Some(write) if self.context.plan.apply => {
                totals.documents.written += 1;
                totals.bytes_written += count(write.bytes());
            }
            Some(_) => {}
        }
    }

    fn reject(
        &mut self,
        batch: &MappedBatch,
        index: usize,
        rejection: &Rejection,
    ) -> Result<(), RunError> {
        let bson = batch.bson(index);
        let item = &batch.batch.items[index];
        let original = batch.batch.document(item);
        let found = RejectPlace::of(rejection, bson, original);
        self.rejects.add(&Rejected {
            found: &found,
            position: batch.first + count(index),
            place: item.place,
            rejection,
            fingerprint: &batch.documents[index].fingerprint,
            bson,
            original,
        })?;
        self.now.totals.reject(rejection, || Example { job: id_words(found.id), path: found.path });
        Ok(())
    }
}

/// What the journal says of a job that is about to be written.
fn record_of(batch: &MappedBatch, index: usize, write: &JobWrite) -> (JobRecord, Details) {
    let document = &batch.documents[index];
    let bytes = batch.target.bytes();
    let (jobs, events_at) = (Collection::Jobs.index(), Collection::Events.index());
    let job = Document::new(&bytes[jobs][write.section[jobs].clone()]);
    let id = job.get("_id").and_then(Value::object_id).unwrap_or_default();
    let job_id = job.get("jobId").and_then(Value::string).unwrap_or_default();
    let events = match &document.outcome {
        Some(Outcome::Mapped(mapped)) => u32::try_from(mapped.events).unwrap_or(u32::MAX),
        _ => 0,
    };
    let mut details = Details::default();
    if job_id != raw::hex(&id).as_bytes() {
        details.job_id = job_id.to_vec();
    }
    if write.found[events_at] == Found::Partly {
        let range = write.section[events_at].clone();
        let is_missing = |start: usize| {
            write.missing.iter().any(|missing| {
                !missing[events_at].is_empty() && missing[events_at].start == range.start + start
            })
        };
        details.events_before = raw::documents(&bytes[events_at][range.clone()])
            .map(|place| !is_missing(place.start))
            .collect();
    }
    let record = JobRecord {
        key: document.key,
        id,
        action: write.action,
        found: write.found,
        events,
        legacy: std::array::from_fn(|at| document.fingerprint[at]),
        target: document.target_hashes,
        details: 0,
    };
    (record, details)
}
