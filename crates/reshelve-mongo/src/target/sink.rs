//! Writes target documents into a live database: the parts first, then the job, so that a reader
//! never sees a job without its parts.

use std::collections::HashSet;
use std::sync::Arc;

use mongodb::bson::RawDocumentBuf;
use reshelve::ends::{
    Action, EndError, Fate, JobAhead, JobWrite, Look, Looked, NothingToSync, Sink, Syncer,
};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::TargetDocuments;

use super::by_ids::{id_of, remove};
use super::insert::{Taken, insert};
use super::lease::Lease;
use super::look::{LiveLook, Part, parts_of};
use super::replace::{Replacement, replace};
use crate::connection::Connection;

/// The parts of a job, which are written before it.
const PARTS: [Collection; 3] = [Collection::Events, Collection::Metrics, Collection::Metadata];

/// A live target that is being written.
#[derive(Debug)]
pub(crate) struct LiveSink {
    connection: Connection,
    look: LiveLook,
    /// Checked before every batch.
    lease: Arc<Lease>,
    run: String,
    /// Whether the target was empty when the run began: then nothing of a job is there that the
    /// run has not begun to write.
    was_empty: bool,
    jobs_written: u64,
}

/// A document that was sent, and its result.
struct Sent {
    part: Part,
    taken: Taken,
}

impl LiveSink {
    pub(crate) fn new(
        connection: Connection,
        lease: Arc<Lease>,
        run: String,
        was_empty: bool,
    ) -> Self {
        let look = LiveLook::new(connection.clone());
        LiveSink { connection, look, lease, run, was_empty, jobs_written: 0 }
    }

    async fn write_batch(
        &mut self,
        target: &TargetDocuments,
        writes: &[JobWrite],
    ) -> Result<Vec<Fate>, EndError> {
        self.lease.check(self.jobs_written).await?;
        let sections = |replaces: bool| {
            let wanted =
                move |write: &&(usize, &JobWrite)| (write.1.action == Action::Replace) == replaces;
            let numbered: Vec<_> = writes.iter().enumerate().collect();
            let wanted = numbered.iter().filter(wanted);
            wanted
                .flat_map(|(at, write)| write.sections().iter().map(|section| (*at, section)))
                .collect::<Vec<_>>()
        };
        let inserts = sections(false);
        let mut parts = Vec::new();
        for collection in PARTS {
            parts.extend(parts_of(target, inserts.iter().copied(), collection));
        }
        let mut sent = self.insert(target, parts).await?;
        let mut fates: Vec<Fate> = vec![Fate::Written; writes.len()];
        judge(&sent, &mut fates);
        let mut jobs = parts_of(target, inserts.iter().copied(), Collection::Jobs);
        jobs.retain(|job| fates[job.section] == Fate::Written);
        let jobs = self.insert(target, jobs).await?;
        judge(&jobs, &mut fates);
        sent.extend(jobs);
        self.take_back(target, writes, &sent, &fates).await?;
        unchanged(writes, &sent, &mut fates);
        for (write, fate) in writes.iter().zip(&mut fates) {
            if write.action == Action::Replace {
                let what = Replacement {
                    run: &self.run,
                    target,
                    section: &write.section,
                    begun: write.begun,
                    found: write.found,
                };
                *fate = replace(&self.connection, &what).await?;
            }
            self.jobs_written += u64::from(*fate == Fate::Written);
        }
        Ok(fates)
    }

    /// Inserts documents, into several collections at the same time.
    async fn insert(
        &self,
        target: &TargetDocuments,
        parts: Vec<Part>,
    ) -> Result<Vec<Sent>, EndError> {
        let insert_some = async |collection: Collection| {
            let documents: Vec<RawDocumentBuf> = parts
                .iter()
                .filter(|part| part.collection == collection)
                .filter_map(|part| RawDocumentBuf::from_bytes(part.bytes(target).to_vec()).ok())
                .collect();
            if documents.is_empty() {
                return Ok(Vec::new());
            }
            let name = collection.name();
            insert(&self.connection, name, documents)
                .await
                .map_err(|error| self.connection.error("writing to", name, &error))
        };
        let (jobs, events, metrics, metadata) = tokio::try_join!(
            insert_some(Collection::Jobs),
            insert_some(Collection::Events),
            insert_some(Collection::Metrics),
            insert_some(Collection::Metadata)
        )?;
        let mut taken =
            [jobs.into_iter(), events.into_iter(), metrics.into_iter(), metadata.into_iter()];
        let sent = parts.into_iter().map(|part| {
            let taken = taken[part.collection.index()].next().unwrap_or(Taken::Inserted);
            Sent { part, taken }
        });
        Ok(sent.collect())
    }

    /// Of jobs that were not taken, the parts that this run wrote: those that were inserted just
    /// now, and those of an earlier try of this run where no job stands that they may belong to.
    async fn take_back(
        &self,
        target: &TargetDocuments,
        writes: &[JobWrite],
        sent: &[Sent],
        fates: &[Fate],
    ) -> Result<(), EndError> {
        let is_bad = |section: usize| fates[section] != Fate::Written;
        if !sent.iter().any(|sent| is_bad(sent.part.section)) {
            return Ok(());
        }
        let standing = self.standing_jobs(target, writes, fates).await?;
        for collection in Collection::ALL {
            let name = collection.name();
            let documents: Vec<&[u8]> = sent
                .iter()
                .filter(|sent| sent.part.collection == collection && is_bad(sent.part.section))
                .filter(|sent| match sent.taken {
                    Taken::Inserted => true,
                    Taken::Retried => !standing.contains(&sent.part.section),
                    Taken::Same => {
                        writes[sent.part.section].begun && !standing.contains(&sent.part.section)
                    }
                    Taken::Other(_) | Taken::Refused(_) => false,
                })
                .map(|sent| sent.part.bytes(target))
                .collect();
            if !documents.is_empty() {
                remove(&self.connection, name, &documents)
                    .await
                    .map_err(|error| self.connection.error("taking back from", name, &error))?;
            }
        }
        Ok(())
    }

    /// Which of the jobs that were not taken stand in the target, as somebody else's.
    async fn standing_jobs(
        &self,
        target: &TargetDocuments,
        writes: &[JobWrite],
        fates: &[Fate],
    ) -> Result<HashSet<usize>, EndError> {
        let bad = writes.iter().map(|write| &write.section).enumerate();
        let jobs: Vec<Part> = parts_of(target, bad, Collection::Jobs)
            .into_iter()
            .filter(|job| fates[job.section] != Fate::Written)
            .collect();
        let documents = jobs.iter().map(|job| job.bytes(target));
        let stored = self.look.stored(Collection::Jobs.name(), documents).await?;
        let stands = |job: &&Part| stored.contains_key(id_of(job.bytes(target)));
        Ok(jobs.iter().filter(stands).map(|job| job.section).collect())
    }
}

/// A job one of whose documents is not taken is not taken; a refusal says more than a conflict.
fn judge(sent: &[Sent], fates: &mut [Fate]) {
    for Sent { part, taken } in sent {
        let name = part.collection;
        let fate = &mut fates[part.section];
        match (taken, &fate) {
            (Taken::Refused(why), Fate::Written | Fate::Conflict(_)) => {
                *fate = Fate::Refused(format!("{name}: {why}"));
            }
            (Taken::Other(what), Fate::Written) => *fate = Fate::Conflict(what.clone()),
            _ => {}
        }
    }
}

/// A job all of which somebody else wrote since the look, the same bytes.
fn unchanged(writes: &[JobWrite], sent: &[Sent], fates: &mut [Fate]) {
    let mut is_mine = vec![false; fates.len()];
    for Sent { part, taken } in sent {
        is_mine[part.section] |= matches!(taken, Taken::Inserted | Taken::Retried);
    }
    for (at, write) in writes.iter().enumerate() {
        let is_others = !is_mine[at] && !write.begun && write.action != Action::Replace;
        if is_others && fates[at] == Fate::Written {
            fates[at] = Fate::Unchanged;
        }
    }
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
