//! Where jobs were changed that a run had written: the first path at which a document is not what
//! the run wrote. A journal has only hashes; what they stand for is mapped again from what can still
//! be restored, else from the source, and believed only if it has the hash.

use std::collections::HashMap;

use super::carried::Carried;
use super::compare::differences;
use super::texts::Texts;
use super::walk::{Reading, Taken, walk};
use super::{VerifyError, only_rejects};
use crate::ends::{EndError, Origin, TargetReader, Wrote};
use crate::pass::id_text;
use crate::target_schema::Collection;
use reshelve_core::mapping::{self, Mapper, TargetDocuments};
use reshelve_core::raw::{self, Document, Value};

/// Most bytes of documents that are held to be compared; jobs beyond that get no path.
const HELD_BYTES_MAX: usize = 64 << 20;

/// A job that somebody changed.
#[derive(Clone, Copy, Debug)]
pub struct EditedPart<'e> {
    /// The job id.
    pub job: &'e str,
    /// The collection in which it was changed.
    pub collection: Collection,
    /// What the run wrote of it.
    pub wrote: &'e Wrote,
}

/// The documents of a job, collection by collection.
type Documents = [Vec<Vec<u8>>; 4];

/// The first path at which each of these jobs differs from what the run wrote; none where that can
/// no longer be told. An event that is missing, or that the run did not write, is named by its
/// `_id`. A source that cannot be read, or is another one by now, is no error.
///
/// # Errors
/// If the target cannot be read.
pub fn first_paths(
    edited: &[EditedPart<'_>],
    target: &dyn TargetReader,
    reading: &Reading,
    source: Option<&dyn Origin>,
) -> Result<Vec<Option<String>>, EndError> {
    let stands = standing(edited, target)?;
    let mut mapper = Mapper::new(reading.options);
    let mut paths: Vec<Option<String>> = vec![None; edited.len()];
    let mut open: HashMap<&str, usize> = HashMap::new();
    for (at, part) in edited.iter().enumerate() {
        let Some(documents) = stands.get(part.job) else { continue };
        match restored(documents, &mut mapper, part) {
            Some(wrote) => paths[at] = path(part, &wrote, documents),
            None => drop(open.insert(part.job, at)),
        }
    }
    if let Some(origin) = source.filter(|origin| !open.is_empty() && origin.is_rewindable()) {
        let found = |job: &[u8], parts: [&[u8]; 4]| {
            let at = *open.get(std::str::from_utf8(job).ok()?)?;
            let part = &edited[at];
            let wrote = parts[part.collection.index()];
            let documents = stands.get(part.job).filter(|_| part.wrote.is(part.collection, wrote));
            Some((at, path(part, wrote, documents?)?))
        };
        // It says less without, and nothing that is wrong.
        drop(mapped_again(origin, reading, &mut |job, parts| {
            if let Some((at, path)) = found(job, parts) {
                paths[at] = Some(path);
            }
        }));
    }
    Ok(paths)
}

/// What stands of these jobs.
fn standing(
    edited: &[EditedPart<'_>],
    target: &dyn TargetReader,
) -> Result<HashMap<String, Documents>, EndError> {
    let mut held: HashMap<String, Documents> =
        edited.iter().map(|part| (part.job.to_owned(), Documents::default())).collect();
    let mut bytes = 0;
    for collection in Collection::ALL {
        if !target.has(collection)? {
            continue;
        }
        let mut documents = target.documents(collection)?;
        while let Some(document) = documents.next_document()? {
            let job = raw::check(document).ok().and_then(|_| {
                let job = Document::new(document).get("jobId").and_then(Value::string)?;
                std::str::from_utf8(job).ok()
            });
            let Some(held) = job.and_then(|job| held.get_mut(job)) else { continue };
            bytes += document.len();
            if bytes <= HELD_BYTES_MAX {
                held[collection.index()].push(document.to_vec());
            }
        }
    }
    if bytes > HELD_BYTES_MAX {
        held.clear();
    }
    Ok(held)
}

/// What the run wrote of a job in a collection, if what can be restored still makes that.
fn restored(documents: &Documents, mapper: &mut Mapper, part: &EditedPart<'_>) -> Option<Vec<u8>> {
    let one = |collection: Collection| match documents[collection.index()].as_slice() {
        [one] => Some(one.as_slice()),
        _ => None,
    };
    let (job, metadata) = (one(Collection::Jobs)?, one(Collection::Metadata)?);
    let legacy = mapping::restore(job, metadata).ok()?;
    let mut target = TargetDocuments::default();
    mapper.map(&legacy.bytes, &mut target);
    let wrote = target.bytes()[part.collection.index()].to_vec();
    part.wrote.is(part.collection, &wrote).then_some(wrote)
}

/// Is given a job id, and what the mapping makes of the job in each collection.
type GiveJob<'g> = dyn FnMut(&[u8], [&[u8]; 4]) + 'g;

/// Gives the target documents of every job of a source.
fn mapped_again(
    origin: &dyn Origin,
    reading: &Reading,
    give: &mut GiveJob<'_>,
) -> Result<(), VerifyError> {
    let only = only_rejects(reading)?;
    walk(reading, origin, only.as_ref(), &mut Carried::default(), &mut |taken| {
        if let Taken::Mapped { mapped, parts, .. } = taken {
            give(&mapped.job_id, *parts);
        }
        Ok(())
    })?;
    Ok(())
}

/// Where what stands differs first from what the run wrote.
fn path(part: &EditedPart<'_>, wrote: &[u8], documents: &Documents) -> Option<String> {
    let stands = &documents[part.collection.index()];
    let wrote: Vec<&[u8]> = raw::documents(wrote).map(|range| &wrote[range]).collect();
    let id = |document: &[u8]| Document::new(document).get("_id").map(|id| id.bytes.to_vec());
    for expected in &wrote {
        let same = stands.iter().find(|document| id(document) == id(expected));
        match same {
            Some(stands) if stands.as_slice() == *expected => {}
            Some(stands) => {
                let first = differences(expected, stands, Texts::Withheld).into_iter().next()?;
                return Some(first.path);
            }
            None if part.collection == Collection::Events => return Some(named(expected)),
            None => return None,
        }
    }
    let ids: Vec<_> = wrote.iter().map(|document| id(document)).collect();
    let foreign = stands.iter().find(|document| !ids.contains(&id(document)))?;
    Some(named(foreign))
}

fn named(document: &[u8]) -> String {
    format!("_id {}", id_text(Some(document)))
}
