//! Writes target documents into a live database: the parts first, then the job, so that a reader
//! never sees a job without its parts. With transactions if the server has them; otherwise one
//! command after the other.

use std::sync::Arc;

use mongodb::bson::RawDocumentBuf;
use reshelve::ends::{
    Action, EndError, Fate, JobAhead, JobWrite, Look, Looked, NothingToSync, Sink, Syncer,
};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::TargetDocuments;

use super::apart::Apart;
use super::fenced::Fenced;
use super::lease::Lease;
use super::look::{LiveLook, parts_of};
use super::replace::{Replacement, replace};
use super::together::{Together, Unit};
use crate::connection::Connection;

/// A live target that is being written.
#[derive(Debug)]
pub(crate) struct LiveSink {
    connection: Connection,
    look: LiveLook,
    lease: Arc<Lease>,
    /// What transactions need; none on a server without them.
    fenced: Option<Fenced>,
    run: String,
    /// Whether the target was empty when the run began: then nothing of a job is there that the
    /// run has not begun to write.
    was_empty: bool,
    jobs_written: u64,
}

impl LiveSink {
    pub(crate) fn new(
        connection: Connection,
        lease: Arc<Lease>,
        run: String,
        was_empty: bool,
    ) -> Self {
        let look = LiveLook::new(connection.clone());
        let fenced = lease.take_session().map(|session| Fenced::new(session, lease.hold()));
        LiveSink { connection, look, lease, fenced, run, was_empty, jobs_written: 0 }
    }

    async fn write_batch(
        &mut self,
        target: &TargetDocuments,
        writes: &[JobWrite],
    ) -> Result<Vec<Fate>, EndError> {
        self.lease.note_written(self.jobs_written).await?;
        let mut fates: Vec<Fate> = vec![Fate::Written; writes.len()];
        let inserts = writes.iter().enumerate().filter(|(_, it)| it.action != Action::Replace);
        let units: Vec<Unit> = inserts.map(|(at, write)| unit_of(target, at, write)).collect();
        for (unit, fate) in self.insert(units).await? {
            fates[unit.at] = fate;
        }
        for (write, fate) in writes.iter().zip(&mut fates) {
            if write.action == Action::Replace {
                let what = Replacement {
                    run: &self.run,
                    target,
                    section: &write.section,
                    begun: write.begun,
                    found: write.found,
                    wrote: write.wrote.as_ref(),
                };
                *fate = replace(&self.connection, &self.lease, &mut self.fenced, &what).await?;
            }
            self.jobs_written += u64::from(*fate == Fate::Written);
        }
        Ok(fates)
    }

    /// Inserts jobs, and tells what became of each; nothing is left of those that are not taken.
    async fn insert(&mut self, units: Vec<Unit>) -> Result<Vec<(Unit, Fate)>, EndError> {
        if units.is_empty() {
            return Ok(Vec::new());
        }
        let (connection, lease) = (&self.connection, self.lease.as_ref());
        let Some(fenced) = &mut self.fenced else {
            return Apart { connection, lease }.insert(units).await;
        };
        let mut together = Together { connection, lease, fenced };
        match together.insert(units).await? {
            Ok(done) => {
                for (unit, fate) in &done {
                    let is_left = unit.begun && *fate != Fate::Written;
                    if let (true, Some(job)) = (is_left, unit.job()) {
                        together.take_back(job, &unit.there).await?;
                    }
                }
                Ok(done)
            }
            Err(units) => {
                self.fenced = None;
                Apart { connection, lease }.insert(units).await
            }
        }
    }
}

/// The documents of a job that are to be inserted.
fn unit_of(target: &TargetDocuments, at: usize, write: &JobWrite) -> Unit {
    let documents = Collection::ALL.map(|collection| {
        let sections = write.sections().iter().map(|section| (at, section));
        let parts = parts_of(target, sections, collection);
        let bytes = parts.into_iter().map(|part| part.bytes(target).to_vec());
        bytes.filter_map(|bytes| RawDocumentBuf::from_bytes(bytes).ok()).collect()
    });
    Unit { at, begun: write.begun, documents, there: Default::default() }
}

impl Look for LiveSink {
    fn look(&mut self, target: &TargetDocuments, jobs: &[JobAhead]) -> Result<Looked, EndError> {
        if self.was_empty && jobs.iter().all(|job| !job.begun) {
            return Ok(Looked::Nothing);
        }
        self.look.look(target, jobs)
    }
}

impl Sink for LiveSink {
    fn is_undone_by_position(&self) -> bool {
        false
    }

    fn write(
        &mut self,
        target: &TargetDocuments,
        writes: &[JobWrite],
    ) -> Result<Vec<Fate>, EndError> {
        let connection = self.connection.clone();
        connection.wait(self.write_batch(target, writes)).map_err(|error| {
            let message = format!("{}: {error}", connection.place.name());
            EndError { message, ..error }
        })
    }

    /// What was acknowledged is safe: the write concern is majority.
    fn syncer(&self) -> Result<Box<dyn Syncer>, EndError> {
        Ok(Box::new(NothingToSync))
    }
}
