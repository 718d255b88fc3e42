//! Writes target documents into a live database: parts first, then the job, so that a reader never
//! sees a job whose parts are missing.

use std::sync::Arc;

use mongodb::bson::RawDocumentBuf;
use mongodb::error::Error;
use reshelve::ends::LiveError;
use reshelve::ends::{Exception, Fate, NothingToSync, Section, Sink, SinkError, Syncer, Verdict};
use reshelve::run::OnExisting;
use reshelve_core::mapping::{COLLECTIONS, Target};
use reshelve_core::raw;

use crate::connection::Connection;
use crate::lease::Lease;
use crate::replace::{Replacement, replace};
use crate::writes::{Taken, id_of, insert, remove, stored};

/// The place of the jobs among the collections.
const JOBS: usize = 0;
/// The parts of a job, which are written before it.
const PARTS: [usize; 3] = [1, 2, 3];

/// What a sink may do.
#[derive(Clone, Debug)]
pub(crate) enum Mode {
    /// It only looks what is there: a dry run into a target that holds documents.
    Look { on_existing: OnExisting },
    /// It writes.
    Write {
        /// Checked before every batch.
        lease: Arc<Lease>,
        on_existing: OnExisting,
        /// The run that replaces.
        run: String,
        /// Whether the target was empty when the run began: then whatever is there is its own.
        all_ours: bool,
    },
}

/// A live target that is being written.
#[derive(Debug)]
pub(crate) struct LiveSink {
    connection: Connection,
    mode: Mode,
    jobs_written: u64,
}

/// One document of a section.
struct Part {
    section: usize,
    collection: usize,
    start: usize,
    end: usize,
    taken: Taken,
}

impl Part {
    fn bytes<'t>(&self, target: &'t Target) -> &'t [u8] {
        &target.bytes()[self.collection][self.start..self.end]
    }
}

impl LiveSink {
    pub(crate) fn new(connection: Connection, mode: Mode) -> Self {
        LiveSink { connection, mode, jobs_written: 0 }
    }

    async fn write_batch(
        &mut self,
        target: &Target,
        sections: &[Section],
    ) -> Result<Vec<Exception>, LiveError> {
        let Mode::Write { lease, on_existing, run, all_ours } = self.mode.clone() else {
            return self.look(target, sections).await;
        };
        lease.check(self.jobs_written).await?;
        let before = if all_ours { Vec::new() } else { self.found(target, sections).await? };
        let mut parts = Vec::new();
        for collection in PARTS {
            parts.extend(parts_of(target, sections, collection));
        }
        self.insert(target, &mut parts).await?;
        let mut bad: Vec<Option<Fate>> = vec![None; sections.len()];
        judge(&parts, &mut bad);
        let mut jobs = parts_of(target, sections, JOBS);
        jobs.retain(|job| bad[job.section].is_none());
        self.insert(target, &mut jobs).await?;
        judge(&jobs, &mut bad);
        parts.extend(jobs);
        self.take_back(target, sections, &parts, &bad, &before).await?;
        let mut exceptions = Vec::new();
        for (section, fate) in bad.into_iter().enumerate() {
            let fate = match fate {
                Some(Fate::Conflict(what)) if on_existing == OnExisting::Replace => {
                    let what = Replacement { run: &run, target, section: &sections[section], what };
                    Some(replace(&self.connection, &what).await?)
                }
                Some(fate) => Some(fate),
                None if all_ours => None,
                None => written_fate(section, &parts, &before, target),
            };
            let is_written = matches!(fate, None | Some(Fate::Replaced | Fate::Partly(_)));
            self.jobs_written += u64::from(is_written);
            if let Some(fate) = fate {
                exceptions.push(Exception { section, fate });
            }
        }
        Ok(exceptions)
    }

    /// Inserts parts of up to three collections beside each other.
    async fn insert(&self, target: &Target, parts: &mut [Part]) -> Result<(), LiveError> {
        let insert_some = async |collection: usize| {
            let documents: Vec<RawDocumentBuf> = parts
                .iter()
                .filter(|part| part.collection == collection)
                .filter_map(|part| RawDocumentBuf::from_bytes(part.bytes(target).to_vec()).ok())
                .collect();
            if documents.is_empty() {
                return Ok(Vec::new());
            }
            let name = COLLECTIONS[collection];
            insert(&self.connection.raw(name), documents)
                .await
                .map_err(|error| self.connection.error("writing to", name, &error))
        };
        let (jobs, events, metrics, metadata) =
            tokio::try_join!(insert_some(0), insert_some(1), insert_some(2), insert_some(3))?;
        let mut taken =
            [jobs.into_iter(), events.into_iter(), metrics.into_iter(), metadata.into_iter()];
        for part in parts {
            part.taken = taken[part.collection].next().unwrap_or(Taken::Inserted);
        }
        Ok(())
    }

    /// Of jobs that do not make it, the parts that were just written.
    async fn take_back(
        &self,
        target: &Target,
        sections: &[Section],
        parts: &[Part],
        bad: &[Option<Fate>],
        before: &[(usize, Vec<u8>)],
    ) -> Result<(), LiveError> {
        let Mode::Write { all_ours, .. } = &self.mode else { return Ok(()) };
        let was_there = |part: &Part| {
            let id = (part.collection, id_of(part.bytes(target)).to_vec());
            before.binary_search(&id).is_ok()
        };
        // Parts without their job are what an earlier try of ours left behind.
        let mut has_job = vec![false; bad.len()];
        for job in parts_of(target, sections, JOBS) {
            has_job[job.section] |= was_there(&job);
        }
        for (collection, name) in COLLECTIONS.into_iter().enumerate() {
            let documents: Vec<&[u8]> = parts
                .iter()
                .filter(|part| part.collection == collection && bad[part.section].is_some())
                .filter(|part| match part.taken {
                    Taken::Inserted => true,
                    // In a target that was empty, the same bytes come from an earlier try.
                    Taken::Same => *all_ours || !was_there(part) || !has_job[part.section],
                    _ => false,
                })
                .map(|part| part.bytes(target))
                .collect();
            if !documents.is_empty() {
                remove(&self.connection.raw(name), &documents)
                    .await
                    .map_err(|error| self.connection.error("taking back from", name, &error))?;
            }
        }
        Ok(())
    }

    /// Which documents of a batch are there before it is written, by collection and `_id`.
    async fn found(
        &self,
        target: &Target,
        sections: &[Section],
    ) -> Result<Vec<(usize, Vec<u8>)>, LiveError> {
        let mut found = Vec::new();
        for (collection, name) in COLLECTIONS.into_iter().enumerate() {
            let parts = parts_of(target, sections, collection);
            for some in parts.chunks(1_000) {
                let documents = some.iter().map(|part| part.bytes(target));
                let stored = self.stored(name, documents).await?;
                found.extend(stored.into_keys().map(|id| (collection, id)));
            }
        }
        found.sort();
        Ok(found)
    }

    async fn stored<'d>(
        &self,
        name: &str,
        documents: impl Iterator<Item = &'d [u8]>,
    ) -> Result<std::collections::HashMap<Vec<u8>, Vec<u8>>, LiveError> {
        stored(&self.connection.raw(name), documents)
            .await
            .map_err(|error: Error| self.connection.error("reading", name, &error))
    }

    /// What a write would find, without one.
    async fn look(
        &self,
        target: &Target,
        sections: &[Section],
    ) -> Result<Vec<Exception>, LiveError> {
        let mut parts = Vec::new();
        for (collection, name) in COLLECTIONS.into_iter().enumerate() {
            let mut some = parts_of(target, sections, collection);
            for some in some.chunks_mut(1_000) {
                let documents = some.iter().map(|part| part.bytes(target));
                let stored = self.stored(name, documents).await?;
                for part in some {
                    let bytes = part.bytes(target);
                    part.taken = match stored.get(id_of(bytes)) {
                        None => Taken::Inserted,
                        Some(stored) if stored.as_slice() == bytes => Taken::Same,
                        Some(_) => Taken::Other(format!(
                            "the target holds another document with this _id in {name}"
                        )),
                    };
                }
            }
            parts.append(&mut some);
        }
        let mut bad = vec![None; sections.len()];
        judge(&parts, &mut bad);
        if matches!(self.mode, Mode::Look { on_existing: OnExisting::Replace }) {
            for fate in &mut bad {
                if let Some(Fate::Conflict(_)) = fate {
                    *fate = Some(Fate::Replaced);
                }
            }
        }
        let fates = bad.into_iter().enumerate().filter_map(|(section, fate)| {
            let fate = fate.or_else(|| partly(section, &parts, |part| part.taken == Taken::Same));
            fate.map(|fate| Exception { section, fate })
        });
        Ok(fates.collect())
    }
}

/// The documents of one collection, in order.
fn parts_of(target: &Target, sections: &[Section], collection: usize) -> Vec<Part> {
    let bytes = target.bytes()[collection];
    let mut parts = Vec::new();
    for (section, ranges) in sections.iter().enumerate() {
        let range = ranges[collection].clone();
        for place in raw::documents(&bytes[range.clone()]) {
            let (start, end) = (range.start + place.start, range.start + place.end);
            parts.push(Part { section, collection, start, end, taken: Taken::Inserted });
        }
    }
    parts
}

/// A job one of whose documents is not taken does not make it; a refusal says more than a conflict.
fn judge(parts: &[Part], bad: &mut [Option<Fate>]) {
    for part in parts {
        let name = COLLECTIONS[part.collection];
        match (&part.taken, &bad[part.section]) {
            (Taken::Refused(why), None | Some(Fate::Conflict(_))) => {
                bad[part.section] = Some(Fate::Refused(format!("{name}: {why}")));
            }
            (Taken::Other(what), None) => bad[part.section] = Some(Fate::Conflict(what.clone())),
            _ => {}
        }
    }
}

/// What became of a job that is whole now, in a target that held documents before.
fn written_fate(
    section: usize,
    parts: &[Part],
    before: &[(usize, Vec<u8>)],
    target: &Target,
) -> Option<Fate> {
    partly(section, parts, |part| {
        let id = (part.collection, id_of(part.bytes(target)).to_vec());
        part.taken == Taken::Same && before.binary_search(&id).is_ok()
    })
}

fn partly(section: usize, parts: &[Part], was_there: impl Fn(&Part) -> bool) -> Option<Fate> {
    let mine = || parts.iter().filter(|part| part.section == section);
    let missing: usize =
        mine().filter(|part| !was_there(part)).map(|part| part.end - part.start).sum();
    let all: usize = mine().map(|part| part.end - part.start).sum();
    match missing {
        0 => Some(Fate::Unchanged),
        bytes if bytes < all => Some(Fate::Partly(bytes)),
        _ => None,
    }
}

impl Sink for LiveSink {
    /// The server is asked for a whole batch, when it is written.
    fn judge(&mut self, _: &Target, _: &Section) -> Result<Verdict, SinkError> {
        Ok(Verdict::Absent)
    }

    fn write(
        &mut self,
        target: &Target,
        sections: &[Section],
    ) -> Result<Vec<Exception>, SinkError> {
        if sections.is_empty() {
            return Ok(Vec::new());
        }
        let connection = self.connection.clone();
        let name = connection.place.name();
        connection.wait(self.write_batch(target, sections)).map_err(|error| SinkError {
            action: "writing to",
            name,
            source: error.into(),
        })
    }

    /// What was acknowledged is safe: the write concern is majority.
    fn syncer(&self) -> Result<Box<dyn Syncer>, SinkError> {
        Ok(Box::new(NothingToSync))
    }
}
