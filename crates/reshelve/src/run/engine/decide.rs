//! What becomes of a job, decided from what the target holds of it. The only place where conflicts
//! are settled.

use super::super::journal::{Begun, JobRecord};
use super::Engine;
use crate::ends::{Action, Before, Found, JobWrite, OnExisting, Section, Sink, Wrote};
use crate::pass::pipeline::MappedBatch;
use crate::pass::{RejectReason, Rejection};
use crate::target_schema::Collection;
use reshelve_core::raw;

/// What becomes of a document, before it is written.
pub(super) enum Decision {
    NotTaken,
    Skipped,
    Rejected {
        rejection: Rejection,
        /// Whether its job id goes into the run's list all the same.
        is_listed: bool,
    },
    /// All of it is there already.
    Unchanged,
    /// It is written: the next of the writes.
    Written,
    /// An earlier process of this run wrote it, after the checkpoint: it is there.
    Done(JobWrite),
}

/// What was decided and is not written yet.
#[derive(Default)]
pub(super) struct Decided {
    /// The documents, by their place in the batch.
    pub(super) list: Vec<(usize, Decision)>,
    pub(super) writes: Vec<JobWrite>,
}

/// A job that an earlier process had begun to write.
pub(super) struct BegunJob {
    pub(super) section: Section,
    /// What it was about to write, if the legacy document has changed since.
    pub(super) wrote: Option<Wrote>,
    pub(super) begun: Begun,
}

impl<S: Sink + ?Sized> Engine<'_, S> {
    /// Decides what becomes of a job that goes to the target; `is_repeated` says that the run whose
    /// rejects are retried had taken another document as this job.
    pub(super) fn decide(
        &mut self,
        section: Section,
        before: Before,
        is_repeated: bool,
        decided: &mut Decided,
    ) -> Decision {
        let action = match before.conflict {
            Some(what)
                if before.is_of_another_job
                    || self.context.plan.on_existing != OnExisting::Replace =>
            {
                let rejection = Rejection::new(RejectReason::TargetConflict, what);
                return Decision::Rejected { rejection, is_listed: true };
            }
            Some(_) if is_repeated => {
                let rejection = Rejection::duplicate_id_again();
                return Decision::Rejected { rejection, is_listed: false };
            }
            Some(_) => Action::Replace,
            None if before.is_same() => return Decision::Unchanged,
            None if before.is_absent() => Action::Insert,
            None => Action::Complete,
        };
        let Before { found, missing, .. } = before;
        let write = JobWrite { section, action, missing, begun: false, found, wrote: None };
        self.push(write, decided)
    }

    /// The same for a job that an earlier process had begun to write, after the checkpoint: what
    /// the target held before that process is what counts.
    pub(super) fn decide_again(
        &mut self,
        batch: &MappedBatch,
        job: BegunJob,
        now: Before,
        decided: &mut Decided,
    ) -> Decision {
        let BegunJob { section, wrote, begun } = job;
        let JobRecord { action, found, .. } = begun.record;
        if now.is_earlier_own && matches!(action, Action::Insert | Action::Replace) {
            // The legacy document was changed since: the new version takes the place of what this
            // run itself has written, which need not be kept.
            let (action, missing) = (Action::Replace, Vec::new());
            let write = JobWrite { section, action, missing, begun: true, found, wrote };
            return self.push(write, decided);
        }
        let stands = now.found[Collection::Jobs.index()] != Found::Absent;
        if let Some(what) = now.conflict.as_ref().filter(|_| stands && action != Action::Replace) {
            // Somebody else's now, edited or put there since: not this run's to change, not even
            // with `--replace`, as its journal says that there was nothing to put back. Where no job
            // stands, the write finds what is in the way, and takes back the run's own parts.
            let rejection = Rejection::new(RejectReason::TargetConflict, what);
            return Decision::Rejected { rejection, is_listed: true };
        }
        let missing = match action {
            Action::Complete => missing_of(batch, &section, &begun),
            Action::Insert | Action::Replace => Vec::new(),
        };
        let write = JobWrite { section, action, missing, begun: true, found, wrote };
        if now.is_same() {
            self.since_cut += write.bytes();
            return Decision::Done(write);
        }
        self.push(write, decided)
    }

    fn push(&mut self, write: JobWrite, decided: &mut Decided) -> Decision {
        self.since_cut += write.bytes();
        decided.writes.push(write);
        Decision::Written
    }
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
