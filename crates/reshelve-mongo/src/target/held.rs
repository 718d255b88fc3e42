//! Whether a live target holds what a run wrote, before the run is called done.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use reshelve::ends::{Claim, EndError, Held, Hint, WrittenJob, WrittenJobs};
use reshelve::target_schema::Collection;

use super::by_ids::IDS_MAX;
use super::preflight::counts;
use super::standing::made_by_a_mapping;
use crate::catalog::whole_number;
use crate::connection::Connection;

/// Questions of at most [`IDS_MAX`] jobs that are asked at once, of three collections each: a server
/// with several processors counts them side by side.
const AT_ONCE: usize = 2;
/// How many jobs of which something is missing are named.
const NAMED_MAX: usize = 20;

/// Checks that the target holds what a run wrote. What was acknowledged may be gone: a server may
/// have lost it, or another program has removed it.
///
/// # Errors
/// If something is missing; names jobs that lack it.
pub(super) fn check(
    connection: &Connection,
    claim: &Claim,
    held: &Held,
    written: &dyn WrittenJobs,
) -> Result<(), EndError> {
    let counts = connection.wait(counts(connection))?;
    let counted = check_counts(connection, held, counts);
    // Documents of others hide what is missing: those that were there before, or have come since.
    let has_others = claim.base.documents > 0 || counts[Collection::Events.index()] > held.events;
    if counted.is_err() || has_others || !are_there(connection, written)? {
        check_each(connection, written)?;
    }
    counted
}

/// Checks that there are as many documents as the run wrote, at least.
fn check_counts(connection: &Connection, held: &Held, counts: [u64; 4]) -> Result<(), EndError> {
    for (collection, there) in Collection::ALL.into_iter().zip(counts) {
        let expected = match collection {
            Collection::Events => held.events,
            _ => held.jobs,
        };
        if there < expected {
            return Err(EndError::missing(
                format!(
                    "{}.{collection} holds {there} documents, and the run wrote {expected}",
                    connection.db
                ),
                Hint::WriteWhatIsMissing,
            ));
        }
    }
    Ok(())
}

/// Looks for every job that the run wrote, and for its parts.
fn check_each(connection: &Connection, written: &dyn WrittenJobs) -> Result<(), EndError> {
    let mut lacking = Lacking::default();
    in_batches(written, IDS_MAX, &mut |jobs| connection.wait(lacking.look(connection, jobs)))?;
    lacking.error(connection)
}

/// Whether every job that the run wrote is there, with metrics and metadata.
fn are_there(connection: &Connection, written: &dyn WrittenJobs) -> Result<bool, EndError> {
    let mut are_there = true;
    in_batches(written, AT_ONCE * IDS_MAX, &mut |jobs| {
        if are_there {
            let questions = jobs.chunks(IDS_MAX).flat_map(|jobs| {
                let once = [Collection::Jobs, Collection::Metrics, Collection::Metadata];
                once.map(|collection| has_all(connection, collection, jobs))
            });
            let answers = connection.wait(try_join_all(questions))?;
            are_there = answers.into_iter().all(|has_all| has_all);
        }
        Ok(())
    })?;
    Ok(are_there)
}

fn in_batches(
    written: &dyn WrittenJobs,
    jobs_max: usize,
    look: &mut dyn FnMut(&[WrittenJob]) -> Result<(), EndError>,
) -> Result<(), EndError> {
    let mut jobs = Vec::new();
    written.each(&mut |job| {
        jobs.push(job);
        if jobs.len() == jobs_max {
            look(&jobs)?;
            jobs.clear();
        }
        Ok(())
    })?;
    match jobs.is_empty() {
        true => Ok(()),
        false => look(&jobs),
    }
}

fn ids_of(jobs: &[WrittenJob]) -> Document {
    let ids: Vec<ObjectId> = jobs.iter().map(|job| ObjectId::from_bytes(job.id)).collect();
    doc! { "_id": { "$in": ids } }
}

/// Whether a collection, which has one document for each job, holds all of these. The index of the
/// ids tells.
async fn has_all(
    connection: &Connection,
    collection: Collection,
    jobs: &[WrittenJob],
) -> Result<bool, EndError> {
    let name = collection.name();
    let stored = connection.decoded(name);
    let filter = ids_of(jobs);
    let counting = || stored.count_documents(filter.clone()).into_future();
    let counted = connection.patience.retry_long(counting).await;
    let found = counted.map_err(|error| connection.error("counting", name, &error))?;
    Ok(usize::try_from(found).is_ok_and(|found| found >= jobs.len()))
}

/// The jobs of which something is missing.
#[derive(Default)]
struct Lacking {
    jobs: u64,
    /// Some of them, with the collections that lack something.
    named: Vec<String>,
}

impl Lacking {
    async fn look(&mut self, connection: &Connection, jobs: &[WrittenJob]) -> Result<(), EndError> {
        let standing = job_ids(connection, Collection::Jobs, jobs).await?;
        let metrics = job_ids(connection, Collection::Metrics, jobs).await?;
        let metadata = job_ids(connection, Collection::Metadata, jobs).await?;
        let events = events_of(connection, standing.values()).await?;
        for job in jobs {
            let id = ObjectId::from_bytes(job.id);
            let job_id = standing.get(&id);
            let has_events = |job_id| {
                let there = events.get(job_id).copied().unwrap_or(0);
                job.events.is_none_or(|expected| there >= u64::from(expected))
            };
            let lacks = [
                (job_id.is_none(), Collection::Jobs),
                (!metrics.contains_key(&id), Collection::Metrics),
                (!metadata.contains_key(&id), Collection::Metadata),
                (job_id.is_some_and(|job_id| !has_events(job_id)), Collection::Events),
            ];
            let lacks = lacks.iter().filter(|(lacks, _)| *lacks).map(|(_, it)| it.name());
            let lacks: Vec<&str> = lacks.collect();
            if lacks.is_empty() {
                continue;
            }
            self.jobs += 1;
            if self.named.len() < NAMED_MAX {
                let name = job_id.cloned().unwrap_or_else(|| id.to_hex());
                self.named.push(format!("{name} ({})", lacks.join(", ")));
            }
        }
        Ok(())
    }

    fn error(self, connection: &Connection) -> Result<(), EndError> {
        let Lacking { jobs, named } = self;
        if jobs == 0 {
            return Ok(());
        }
        let such_as =
            if named.len() < usize::try_from(jobs).unwrap_or(usize::MAX) { "such as " } else { "" };
        let what = if jobs == 1 { "a job".to_owned() } else { format!("{jobs} jobs") };
        let message = format!(
            "the target database {} lacks documents of {what} that the run wrote: {such_as}{}",
            connection.db,
            named.join("; ")
        );
        Err(EndError::missing(message, Hint::WriteWhatIsMissing))
    }
}

/// The job ids of the documents with these ids that a collection holds.
async fn job_ids(
    connection: &Connection,
    collection: Collection,
    jobs: &[WrittenJob],
) -> Result<HashMap<ObjectId, String>, EndError> {
    let name = collection.name();
    let stored = connection.decoded(name);
    let filter = ids_of(jobs);
    let found = connection.patience.retry_long(|| async {
        let find = stored.find(filter.clone()).projection(doc! { "jobId": 1 });
        let mut cursor = find.await?;
        let mut found = HashMap::new();
        while cursor.advance().await? {
            let document: Document = cursor.deserialize_current()?;
            let job_id = document.get_str("jobId").unwrap_or_default().to_owned();
            found.extend(document.get_object_id("_id").ok().map(|id| (id, job_id)));
        }
        Ok(found)
    });
    found.await.map_err(|error| connection.error("reading", name, &error))
}

/// How many events that a mapping made each of these jobs has.
async fn events_of(
    connection: &Connection,
    job_ids: impl Iterator<Item = &String>,
) -> Result<HashMap<String, u64>, EndError> {
    let name = Collection::Events.name();
    let stored = connection.decoded(name);
    let job_ids: Vec<&str> = job_ids.map(String::as_str).collect();
    let pipeline = [
        doc! { "$match": { "jobId": { "$in": job_ids }, "$or": made_by_a_mapping() } },
        doc! { "$group": { "_id": "$jobId", "n": { "$sum": 1 } } },
    ];
    let counted = connection.patience.retry_long(|| async {
        let mut cursor = stored.aggregate(pipeline.clone()).await?;
        let mut counted = HashMap::new();
        while cursor.advance().await? {
            let group: Document = cursor.deserialize_current()?;
            let job_id = group.get_str("_id").unwrap_or_default().to_owned();
            counted.insert(job_id, whole_number(&group, "n").unwrap_or(0));
        }
        Ok(counted)
    });
    counted.await.map_err(|error| connection.error("counting", name, &error))
}
