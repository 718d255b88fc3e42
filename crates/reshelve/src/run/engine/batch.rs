//! One batch through the engine: sorted out, looked up, decided, settled.

use super::super::journal::Begun;
use super::decide::{BegunJob, Decided, Decision};
use super::{Ended, Engine, RunError, count};
use crate::ends::{JobAhead, Looked, Section, Sink};
use crate::pass::Rejection;
use crate::pass::pipeline::MappedBatch;
use reshelve_core::mapping::Outcome;

/// What is known of a document before the target is looked at.
enum Intent {
    /// It is not among those that the run takes.
    NotTaken,
    Skipped,
    Rejected(Rejection),
    /// It goes to the target: the next of the jobs ahead.
    Job {
        /// What an earlier process wrote down of it after the checkpoint.
        begun: Option<Begun>,
        /// The run whose rejects are retried had taken another document as this job.
        is_repeated: bool,
    },
}

/// A batch before the target is looked at.
struct Sorted {
    /// What is known of each document, by its place in the batch.
    intents: Vec<(usize, Intent)>,
    /// The jobs that go to the target.
    ahead: Vec<JobAhead>,
    /// Why nothing after these is taken, if nothing is.
    ended: Option<Ended>,
}

impl<S: Sink + ?Sized> Engine<'_, S> {
    pub(super) fn take_batch(&mut self, batch: &MappedBatch) -> Result<Option<Ended>, RunError> {
        self.file_bytes_read = batch.file_bytes_read;
        self.batches += 1;
        batch.batch.notes.iter().for_each(|note| self.observer.note(note));
        let Sorted { intents, ahead, ended } = self.sort_out(batch)?;
        let looked = match ahead.is_empty() {
            true => Looked::Nothing,
            false => self.sink.look(&batch.target, &ahead)?,
        };
        let mut before = match looked {
            Looked::Nothing => Vec::new(),
            Looked::Jobs(before) => before,
        }
        .into_iter();
        let mut decided = Decided::default();
        let mut ahead = ahead.into_iter();
        for (index, intent) in intents {
            let decision = match intent {
                Intent::NotTaken => Decision::NotTaken,
                Intent::Skipped => Decision::Skipped,
                Intent::Rejected(rejection) => Decision::Rejected { rejection, is_listed: false },
                Intent::Job { begun, is_repeated } => {
                    let Some(JobAhead { section, wrote, .. }) = ahead.next() else {
                        return Err(RunError::Bug("a job was lost between two steps"));
                    };
                    let before = before.next().unwrap_or_default();
                    match begun {
                        Some(begun) => {
                            let begun = BegunJob { section, wrote, begun };
                            self.decide_again(batch, begun, before, &mut decided)
                        }
                        None => self.decide(section, before, is_repeated, &mut decided),
                    }
                }
            };
            let is_rejected = matches!(decision, Decision::Rejected { .. });
            decided.list.push((index, decision));
            if self.sink.cut_bytes().is_some_and(|bytes| self.since_cut >= bytes) {
                self.settle(batch, &mut decided)?;
                self.cut(true)?;
            }
            let documents = self.now.source.count + count(decided.list.len());
            if self.context.plan.fail_fast && is_rejected && documents > self.furthest {
                self.end_batch(batch, &mut decided)?;
                return Ok(Some(Ended::FirstReject));
            }
        }
        let is_refused = self.end_batch(batch, &mut decided)?;
        Ok(match (ended, is_refused) {
            (Some(Ended::AtEnd), _) => Some(Ended::AtEnd),
            (_, true) => Some(Ended::FirstReject),
            (ended, false) => ended,
        })
    }

    /// What is known of each document of a batch by itself, up to the limit of the run, or to a job
    /// in flight where nobody decided what becomes of these; and the jobs that go to the target.
    fn sort_out(&mut self, batch: &MappedBatch) -> Result<Sorted, RunError> {
        let mut intents = Vec::with_capacity(batch.documents.len());
        let mut ahead = Vec::with_capacity(batch.documents.len());
        let mut lengths = [0; 4];
        let mut read = self.now.totals.documents.read;
        let plan = self.context.plan;
        let is_open = plan.apply && plan.options.in_flight.is_none();
        for (index, document) in batch.documents.iter().enumerate() {
            if !self.known.are_seen() {
                self.hash.add(&document.fingerprint);
                self.see_again()?;
                continue;
            }
            let intent = match &document.outcome {
                None => Intent::NotTaken,
                Some(Outcome::Skipped) => Intent::Skipped,
                Some(Outcome::Rejected(reject)) => Intent::Rejected(reject.clone().into()),
                Some(Outcome::Mapped(mapped)) if is_open && mapped.is_in_flight => {
                    let job = String::from_utf8_lossy(&mapped.job_id).into_owned();
                    return Ok(Sorted { intents, ahead, ended: Some(Ended::InFlight { job }) });
                }
                Some(Outcome::Mapped(mapped)) => {
                    let section: Section =
                        std::array::from_fn(|at| lengths[at]..lengths[at] + mapped.lengths[at]);
                    lengths = std::array::from_fn(|at| section[at].end);
                    if self.seen.insert(document.key)? {
                        let begun = match &self.journal {
                            Some(journal) => journal.begun(&document.key)?,
                            None => None,
                        };
                        let wrote =
                            begun.as_ref().and_then(|begun| begun.older(&document.fingerprint));
                        ahead.push(JobAhead { section, begun: begun.is_some(), wrote });
                        let only = self.context.only.as_ref();
                        let is_repeated =
                            only.is_some_and(|only| only.is_repeated(&document.fingerprint));
                        Intent::Job { begun, is_repeated }
                    } else {
                        Intent::Rejected(Rejection::duplicate_id())
                    }
                }
            };
            read += u64::from(!matches!(intent, Intent::NotTaken));
            intents.push((index, intent));
            if plan.limit.is_some_and(|limit| read >= limit) {
                return Ok(Sorted { intents, ahead, ended: Some(Ended::AtEnd) });
            }
        }
        Ok(Sorted { intents, ahead, ended: None })
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
}
