//! One batch through the engine: sorted out, looked up, decided, written, counted.

use super::super::journal::{Begun, Details, JobRecord};
use super::super::rejects::Rejected;
use super::{Ended, Engine, RunError, count, id_mark};
use crate::ends::{
    Action, Before, Fate, Found, JobAhead, JobWrite, Looked, OnExisting, Section, Sink,
};
use crate::pass::pipeline::MappedBatch;
use crate::pass::{RejectReason, Rejection, id_text, tally_warnings};
use crate::store::Key;
use crate::target_schema::Collection;
use reshelve_core::mapping::{Mapped, Outcome};
use reshelve_core::raw::{self, Document, Value};

/// What is known of a document before the target is looked at.
enum Intent {
    /// It is not among those that the run takes.
    NotTaken,
    Skipped,
    Rejected(Rejection),
    /// It goes to the target: its place among the jobs ahead.
    Job(usize),
}

/// What becomes of a document, before it is written.
enum Decision {
    NotTaken,
    Skipped,
    Rejected {
        rejection: Rejection,
        /// Whether its job id goes into the run's list all the same.
        is_listed: bool,
    },
    /// All of it is there already.
    Unchanged,
    /// It is written: its place among the writes.
    Written(usize),
    /// An earlier process of this run wrote it, after the checkpoint: it is there.
    Done(JobWrite),
}

/// What was decided and is not written yet.
#[derive(Default)]
struct Decided {
    /// The documents, by their place in the batch.
    list: Vec<(usize, Decision)>,
    writes: Vec<JobWrite>,
    /// What stood there before each write.
    before: Vec<Before>,
}

impl<S: Sink + ?Sized> Engine<'_, S> {
    pub(super) fn take_batch(&mut self, batch: &MappedBatch) -> Result<Option<Ended>, RunError> {
        self.file_bytes_read = batch.file_bytes_read;
        self.batches += 1;
        batch.batch.notes.iter().for_each(|note| self.observer.note(note));
        let (intents, ahead, at_limit) = self.sort_out(batch)?;
        let looked = match ahead.is_empty() {
            true => Looked::Nothing,
            false => self.sink.look(&batch.target, &ahead)?,
        };
        let mut before = match looked {
            Looked::Nothing => None,
            Looked::Jobs(before) => Some(before),
        };
        let mut decided = Decided::default();
        let mut ahead = ahead.into_iter();
        for (index, intent) in intents {
            let decision = match intent {
                Intent::NotTaken => Decision::NotTaken,
                Intent::Skipped => Decision::Skipped,
                Intent::Rejected(rejection) => Decision::Rejected { rejection, is_listed: false },
                Intent::Job(place) => {
                    let Some(job) = ahead.next() else {
                        return Err(RunError::Bug("a job was lost between two steps"));
                    };
                    let before = before.as_mut().map(|all| std::mem::take(&mut all[place]));
                    let before = before.unwrap_or_default();
                    match job.begun {
                        true => self.decide_again(batch, index, job, before, &mut decided)?,
                        false => self.decide(job, before, &mut decided),
                    }
                }
            };
            let is_rejected = matches!(decision, Decision::Rejected { .. });
            decided.list.push((index, decision));
            if self.sink.cut_bytes().is_some_and(|bytes| self.since_cut >= bytes) {
                self.settle(batch, &mut decided)?;
                self.sink.cut()?;
                self.mark_resumable();
            }
            let documents = self.now.source.count + count(decided.list.len());
            if self.context.plan.fail_fast && is_rejected && documents > self.furthest {
                self.end_batch(batch, &mut decided)?;
                return Ok(Some(Ended::FirstReject));
            }
        }
        let is_refused = self.end_batch(batch, &mut decided)?;
        Ok(match (at_limit, is_refused) {
            (true, _) => Some(Ended::AtEnd),
            (false, true) => Some(Ended::FirstReject),
            _ => None,
        })
    }

    /// What is known of each document of a batch by itself, up to the limit of the run; the jobs
    /// that go to the target; and whether the limit is reached.
    fn sort_out(
        &mut self,
        batch: &MappedBatch,
    ) -> Result<(Vec<(usize, Intent)>, Vec<JobAhead>, bool), RunError> {
        let mut intents = Vec::with_capacity(batch.documents.len());
        let mut ahead = Vec::with_capacity(batch.documents.len());
        let mut lengths = [0; 4];
        let mut read = self.now.totals.documents.read;
        for (index, document) in batch.documents.iter().enumerate() {
            self.hash.add(&document.fingerprint);
            if !self.known.are_seen() {
                self.see_again()?;
                continue;
            }
            let intent = match &document.outcome {
                None => Intent::NotTaken,
                Some(Outcome::Skipped) => Intent::Skipped,
                Some(Outcome::Rejected(reject)) => Intent::Rejected(reject.clone().into()),
                Some(Outcome::Mapped(mapped)) => {
                    let section: Section =
                        std::array::from_fn(|at| lengths[at]..lengths[at] + mapped.lengths[at]);
                    lengths = std::array::from_fn(|at| section[at].end);
                    if self.seen.insert(document.key)? {
                        let begun = self.has_begun(&document.key)?;
                        ahead.push(JobAhead { section, begun });
                        Intent::Job(ahead.len() - 1)
                    } else {
                        Intent::Rejected(Rejection::duplicate_id())
                    }
                }
            };
            read += u64::from(!matches!(intent, Intent::NotTaken));
            intents.push((index, intent));
            if self.context.plan.limit.is_some_and(|limit| read >= limit) {
                return Ok((intents, ahead, true));
            }
        }
        Ok((intents, ahead, false))
    }

    /// Whether an earlier process had begun to write the job, after the checkpoint.
    fn has_begun(&self, key: &Key) -> Result<bool, RunError> {
        match &self.journal {
            Some(journal) => Ok(journal.begun(key)?.is_some()),
            None => Ok(false),
        }
    }

    /// Decides what becomes of a job that goes to the target. The only place where conflicts are
    /// settled.
    fn decide(&mut self, job: JobAhead, mut before: Before, decided: &mut Decided) -> Decision {
        let action = match before.conflict.take() {
            Some(what) if self.context.plan.on_existing != OnExisting::Replace => {
                let rejection = Rejection::new(RejectReason::TargetConflict, what);
                return Decision::Rejected { rejection, is_listed: true };
            }
            Some(_) => Action::Replace,
            None if before.is_same() => return Decision::Unchanged,
            None if before.is_absent() => Action::Insert,
            None => Action::Complete,
        };
        let missing = std::mem::take(&mut before.missing);
        let write = JobWrite { section: job.section, action, missing, begun: job.begun };
        self.push(write, before, decided)
    }

    /// The same for a job that an earlier process had begun to write, after the checkpoint: what
    /// the target held before that process is what counts.
    fn decide_again(
        &mut self,
        batch: &MappedBatch,
        index: usize,
        job: JobAhead,
        now: Before,
        decided: &mut Decided,
    ) -> Result<Decision, RunError> {
        let document = &batch.documents[index];
        let begun = match &self.journal {
            Some(journal) => journal.begun(&document.key)?,
            None => None,
        };
        let Some(begun) = begun else { return Ok(self.decide(job, now, decided)) };
        let action = begun.action;
        if now.conflict.is_some() && action != Action::Replace {
            // Somebody else's now, edited or put there since: not this run's to change.
            return Ok(self.decide(job, now, decided));
        }
        let missing = match action {
            Action::Complete => missing_of(batch, &job.section, &begun),
            Action::Insert | Action::Replace => Vec::new(),
        };
        let write = JobWrite { section: job.section, action, missing, begun: true };
        if now.is_same() {
            self.since_cut += write.bytes();
            return Ok(Decision::Done(write));
        }
        let before = Before { found: begun.record.found, ..Before::default() };
        Ok(self.push(write, before, decided))
    }

    fn push(&mut self, write: JobWrite, before: Before, decided: &mut Decided) -> Decision {
        self.since_cut += write.bytes();
        decided.writes.push(write);
        decided.before.push(before);
        Decision::Written(decided.writes.len() - 1)
    }

    /// Settles what was decided; tells whether the target refused a document, where the run is to
    /// stop at that.
    fn end_batch(&mut self, batch: &MappedBatch, decided: &mut Decided) -> Result<bool, RunError> {
        let is_refused = self.settle(batch, decided)?;
        if self.sink.cut_bytes().is_none() {
            self.mark_resumable();
        }
        Ok(is_refused && self.context.plan.fail_fast && self.now.source.count > self.furthest)
    }

    /// Writes down what was decided, writes it, and counts what became of it, in source order.
    /// Tells whether the target refused a document.
    fn settle(&mut self, batch: &MappedBatch, decided: &mut Decided) -> Result<bool, RunError> {
        let fates = self.write(batch, decided)?;
        let mut fates: Vec<Option<Fate>> = fates.into_iter().map(Some).collect();
        let mut is_refused = false;
        let last = decided.list.last().map(|(index, _)| *index);
        for (index, decision) in std::mem::take(&mut decided.list) {
            self.now.source.count += 1;
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
                    self.count_job(batch, index, Some(&write));
                    self.list_id(key)?;
                }
                Decision::Written(place) => {
                    let fate = fates[place].take().unwrap_or(Fate::Written);
                    is_refused |= self.take_fate(batch, index, &decided.writes[place], fate)?;
                    self.list_id(key)?;
                }
            }
        }
        if let Some(index) = last {
            self.now.source.id = batch.bson(index).and_then(id_mark);
        }
        if let Some(journal) = &mut self.journal {
            journal.complete()?;
        }
        decided.writes.clear();
        decided.before.clear();
        Ok(is_refused)
    }

    /// Journal first, then the target. Where a run that replaces finds at the write that somebody
    /// else came first, the target is looked at once more.
    fn write(&mut self, batch: &MappedBatch, decided: &mut Decided) -> Result<Vec<Fate>, RunError> {
        if decided.writes.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<(usize, usize)> = decided
            .list
            .iter()
            .filter_map(|(index, decision)| match decision {
                Decision::Written(place) => Some((*index, *place)),
                _ => None,
            })
            .collect();
        self.announce(batch, decided, &places)?;
        let mut fates = self.sink.write(&batch.target, &decided.writes)?;
        if self.context.plan.on_existing != OnExisting::Replace {
            return Ok(fates);
        }
        for (index, place) in places {
            let write = &mut decided.writes[place];
            if !matches!(fates[place], Fate::Conflict(_)) || write.action == Action::Replace {
                continue;
            }
            if let Some(journal) = &mut self.journal {
                journal.withdraw(batch.documents[index].key)?;
            }
            let ahead = [JobAhead { section: write.section.clone(), begun: false }];
            write.action = Action::Replace;
            write.missing.clear();
            write.begun = false;
            decided.before[place] = match self.sink.look(&batch.target, &ahead)? {
                Looked::Jobs(mut before) => before.pop().unwrap_or_default(),
                Looked::Nothing => Before::default(),
            };
            self.announce(batch, decided, &[(index, place)])?;
            let again = self.sink.write(&batch.target, &decided.writes[place..=place])?;
            fates[place] = again.into_iter().next().unwrap_or(Fate::Written);
        }
        Ok(fates)
    }

    /// Writes down what is about to be written, and makes it durable where the target alone would
    /// not tell.
    fn announce(
        &mut self,
        batch: &MappedBatch,
        decided: &Decided,
        places: &[(usize, usize)],
    ) -> Result<(), RunError> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        for (index, place) in places {
            let earlier = journal.begun(&batch.documents[*index].key)?;
            let (write, before) = (&decided.writes[*place], &decided.before[*place]);
            let (record, details) = record_of(batch, *index, write, before);
            // What an earlier process wrote down of the same documents stands.
            let stands = earlier.is_some_and(|earlier| {
                earlier.record.target == record.target && earlier.action == record.action
            });
            if !stands {
                journal.job(record, &details)?;
            }
        }
        let mut writes = places.iter().map(|(_, place)| &decided.writes[*place]);
        let replaces = writes.any(|write| write.action == Action::Replace);
        if replaces || !self.sink.is_undone_by_position() {
            journal.sync()?;
        }
        Ok(())
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
        if let Some(journal) = &mut self.journal {
            journal.withdraw(batch.documents[index].key)?;
        }
        let Some(rejection) = rejection else { return Ok(false) };
        self.reject(batch, index, &rejection)?;
        Ok(true)
    }

    /// Counts a job that is in the target now: written, or unchanged.
    fn count_job(&mut self, batch: &MappedBatch, index: usize, write: Option<&JobWrite>) {
        let Some(Outcome::Mapped(mapped)) = &batch.documents[index].outcome else { return };
        let Mapped { job_id, events, lengths, residue_bytes, warnings } = mapped;
        let totals = &mut self.now.totals;
        let replaced = write.is_some_and(|write| write.action == Action::Replace);
        totals.replaced += u64::from(replaced);
        totals.documents.mapped += 1;
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
        self.rejects.add(&Rejected {
            position: batch.first + count(index),
            place: item.place,
            rejection,
            bson,
            original: batch.batch.document(item),
        })?;
        self.now.totals.reject(rejection, || id_text(bson));
        Ok(())
    }
}

/// What the journal says of a job that is about to be written.
fn record_of(
    batch: &MappedBatch,
    index: usize,
    write: &JobWrite,
    before: &Before,
) -> (JobRecord, Details) {
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
    if !is_hex_of(job_id, &id) {
        details.job_id = job_id.to_vec();
    }
    if before.found[events_at] == Found::Partly {
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
        found: before.found,
        events,
        legacy: std::array::from_fn(|at| document.fingerprint[at]),
        target: document.target_hashes,
        details: 0,
    };
    (record, details)
}

/// Which documents of a job were missing before an earlier process began to write it.
fn missing_of(batch: &MappedBatch, section: &Section, begun: &Begun) -> Vec<Section> {
    let mut missing = Vec::new();
    for (collection, range) in section.iter().enumerate() {
        let found = begun.record.found[collection];
        let bytes = &batch.target.bytes()[collection][range.clone()];
        for (place, document) in raw::documents(bytes).enumerate() {
            let was_there = match found {
                Found::Absent => false,
                Found::Same | Found::Other => true,
                Found::Partly => begun.events_before.get(place).copied().unwrap_or(false),
            };
            if !was_there {
                let mut section: Section = std::array::from_fn(|_| 0..0);
                section[collection] = range.start + document.start..range.start + document.end;
                missing.push(section);
            }
        }
    }
    missing
}

fn is_hex_of(job_id: &[u8], id: &[u8; 12]) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    job_id.len() == 24
        && job_id.chunks_exact(2).zip(id).all(|(pair, byte)| {
            pair == [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
        })
}
