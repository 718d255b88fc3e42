//! What `reshelve_undo` says of a replaced job as a whole: that its earlier version is kept, and which
//! events of others stood then. It is written after the documents that are kept, or together with
//! them, and before anything is replaced.

use std::collections::HashMap;

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, RawDocumentBuf, cstr, doc, rawdoc};
use mongodb::error::Error;
use reshelve::ends::EndError;
use reshelve::store::{Key, key_of};
use reshelve::target_schema::{Collection, id_bytes};
use reshelve_core::raw;

use super::by_ids::matching;
use super::standing::made_by_a_mapping;
use super::undo::UNDO;
use crate::connection::Connection;

/// Most events of others of one job: their keys have 16 bytes and lie in one document.
pub(super) const EVENTS_BEFORE_MAX: usize = 1 << 19;
/// The length of a key.
const KEY_BYTES: usize = 16;

/// What is kept of a job, as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UndoRecord {
    /// The hashes of the documents that are kept of it.
    pub(super) kept: Vec<Key>,
    /// The keys of the ids of events that no mapping made and that stood when the job was replaced.
    pub(super) events_before: Vec<Key>,
}

impl UndoRecord {
    /// `{_id: {run, job}, kept, eventsBefore, check}`.
    pub(super) fn document(&self, run: &str, job: &str) -> RawDocumentBuf {
        let binary = |keys: &[Key]| Binary {
            subtype: BinarySubtype::Generic,
            bytes: keys.as_flattened().to_vec(),
        };
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("_id"), rawdoc! { "run": run, "job": job });
        document.append(cstr!("kept"), binary(&self.kept));
        document.append(cstr!("eventsBefore"), binary(&self.events_before));
        document.append(cstr!("check"), binary(&[self.check()]));
        document
    }

    /// The hash of both lists.
    fn check(&self) -> Key {
        let lists = [self.kept.as_flattened(), self.events_before.as_flattened()];
        key_of(&[&self.kept.len().to_le_bytes()[..], lists[0], lists[1]].concat())
    }

    /// Reads a record; none where it is not what was written.
    fn of(document: &[u8]) -> Option<UndoRecord> {
        let document = raw::Document::new(document);
        let keys = |name: &str| {
            // A length, a subtype, the keys.
            let (keys, rest) = document.get(name)?.bytes.get(5..)?.as_chunks::<KEY_BYTES>();
            rest.is_empty().then(|| keys.to_vec())
        };
        let record = UndoRecord { kept: keys("kept")?, events_before: keys("eventsBefore")? };
        (keys("check")? == [record.check()]).then_some(record)
    }

    /// Whether the earlier version of a job is kept, and all of it.
    pub(super) async fn is_there(
        connection: &Connection,
        run: &str,
        job: &str,
    ) -> Result<bool, EndError> {
        let filter = doc! { "_id": { "run": run, "job": job } };
        Ok(!matching(connection, UNDO, filter).await?.is_empty())
    }

    /// Of how many jobs of a run the earlier version is kept.
    pub(super) async fn count(connection: &Connection, run: &str) -> Result<u64, EndError> {
        let undo = connection.decoded(UNDO);
        let records = doc! { "_id.run": run, "_id.job": { "$exists": true } };
        let counting = || undo.count_documents(records.clone()).into_future();
        let counted = connection.patience.retry(counting).await;
        counted.map_err(|error| connection.error("reading", UNDO, &error))
    }

    /// The records of these jobs, by their job ids.
    pub(super) async fn read(
        connection: &Connection,
        run: &str,
        jobs: &[String],
    ) -> Result<HashMap<Vec<u8>, UndoRecord>, EndError> {
        let ids: Vec<_> = jobs.iter().map(|job| doc! { "run": run, "job": job }).collect();
        let found = matching(connection, UNDO, doc! { "_id": { "$in": ids } }).await?;
        let read = |found: &RawDocumentBuf| {
            let document = raw::Document::new(found.as_bytes());
            let id = document.get("_id").and_then(raw::Value::document)?;
            let job = id.get("job").and_then(raw::Value::string)?;
            Some((job.to_vec(), UndoRecord::of(found.as_bytes())?))
        };
        Ok(found.iter().filter_map(read).collect())
    }
}

/// The keys of the ids of a job's events that no mapping made; none if there are too many of them.
pub(super) async fn events_of_others(
    connection: &Connection,
    job: &str,
) -> Result<Option<Vec<Key>>, EndError> {
    let name = Collection::Events.name();
    let collection = connection.raw(name);
    let filter = doc! { "jobId": job, "$nor": made_by_a_mapping() };
    let found = connection.patience.retry(|| async {
        let mut keys = Vec::new();
        let find = collection.find(filter.clone()).projection(doc! { "_id": 1 });
        let mut cursor = find.await?;
        while keys.len() <= EVENTS_BEFORE_MAX && cursor.advance().await? {
            keys.push(key_of(&id_bytes(cursor.current().as_bytes())));
        }
        Ok::<_, Error>(keys)
    });
    let keys = found.await.map_err(|error| connection.error("reading", name, &error))?;
    Ok((keys.len() <= EVENTS_BEFORE_MAX).then_some(keys))
}
