//! What a target folder held before a run: found by `_id` and by job id, compared by hash.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::lengths::Lengths;
use crate::dump::each_of_part;
use crate::ends::TargetFolder;
use crate::ends::{Before, Found, Section};
use crate::ends::{Damage, DamageKind};
use crate::store::{At, DiskError, Files};
use crate::store::{Key, Sorted, Sorter, key_of};
use crate::target_schema::Collection;
use reshelve_core::mapping::TargetDocuments;
use reshelve_core::raw::{self, Document, Value};

/// Most records held in memory: 32 MiB of them.
const HELD_MAX: usize = 1 << 20;
/// Key and value, 16 bytes each.
const RECORD: usize = 32;
/// Bytes of a value that are a hash of the document; the rest is one of its job id.
const CONTENT: usize = 12;

/// An index over the documents of a target folder.
#[derive(Debug)]
pub(crate) struct Existing {
    records: Sorted<RECORD>,
}

/// What was found while the index was made.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) existing: Existing,
    /// How many documents there are.
    pub(crate) documents: u64,
    /// The end of the last whole document of each file.
    pub(crate) lengths: Lengths,
    /// The files that are damaged or end in the middle of a document.
    pub(crate) torn: Vec<Torn>,
    /// Whether two documents of a collection have the same `_id` or the same unique job id: what a
    /// run that replaces leaves behind where it is cut off.
    pub(crate) repeated: bool,
}

/// Where a target file cannot be read any further.
#[derive(Debug)]
pub(crate) struct Torn {
    pub(crate) collection: Collection,
    pub(crate) file: PathBuf,
    /// Where the last whole document before that ends.
    pub(crate) offset: u64,
}

impl Existing {
    /// Reads the files of a folder, as far as `limit` says where it does; large indexes spill into
    /// `scratch`.
    pub(crate) fn survey(
        files: &dyn Files,
        folder: &TargetFolder,
        limit: Option<&Lengths>,
        scratch: &Path,
    ) -> Result<Survey, DiskError> {
        let mut sorter = Sorter::new(scratch, HELD_MAX);
        let mut documents = 0;
        let mut lengths = Lengths::default();
        let mut torn = Vec::new();
        for collection in Collection::ALL {
            let path = folder.file(collection);
            let Some(found) = files.look(&path)? else { continue };
            let limit = limit.map_or(found.length, |limit| limit.0[collection.index()]);
            let end = each_document(files, &path, 0..limit, |document| {
                documents += 1;
                add(&mut sorter, collection, document)
            })?;
            if let Some(offset) = end {
                torn.push(Torn { collection, file: path, offset });
            }
            lengths.0[collection.index()] = end.unwrap_or(limit);
        }
        let records = sorter.finish()?;
        let repeated = records.has_repeated_keys()?;
        Ok(Survey { existing: Existing { records }, documents, lengths, torn, repeated })
    }

    /// What is there of a job.
    pub(crate) fn look(
        &self,
        target: &TargetDocuments,
        job: &Section,
    ) -> Result<Before, DiskError> {
        let mut before = Before::default();
        let mut found_any = false;
        for (collection, range) in Collection::ALL.into_iter().zip(job) {
            let bytes = target.bytes()[collection.index()];
            let mut of_collection = None;
            for place in raw::documents(&bytes[range.clone()]) {
                let place = range.start + place.start..range.start + place.end;
                let document = Document::new(&bytes[place.clone()]);
                let (found, conflict, is_of_another_job) = self.look_for(collection, document)?;
                before.is_of_another_job |= is_of_another_job;
                found_any |= found == Found::Same;
                if found == Found::Absent {
                    let mut section: Section = std::array::from_fn(|_| 0..0);
                    section[collection.index()] = place;
                    before.missing.push(section);
                }
                before.conflict = before.conflict.or(conflict);
                of_collection =
                    Some(of_collection.map_or(found, |earlier: Found| earlier.and(found)));
            }
            before.found[collection.index()] = of_collection.unwrap_or_default();
        }
        if !found_any {
            before.missing.clear();
        }
        Ok(before)
    }

    fn look_for(
        &self,
        collection: Collection,
        document: Document<'_>,
    ) -> Result<(Found, Option<String>, bool), DiskError> {
        let (id, job_id) = names(document);
        if let Some(record) = self.records.get(&id_key(collection, id))? {
            let value = value(document);
            if record[16..] == value {
                return Ok((Found::Same, None, false));
            }
            let is_of_another_job = record[16 + CONTENT..] != value[CONTENT..];
            let what = match is_of_another_job {
                true => format!("{collection} holds a document of another job with that _id"),
                false => format!("{collection} holds another document with that _id"),
            };
            return Ok((Found::Other, Some(what), is_of_another_job));
        }
        if has_unique_job_id(collection)
            && self.records.get(&job_key(collection, job_id))?.is_some()
        {
            let what = format!("{collection} holds another document with that jobId");
            return Ok((Found::Other, Some(what), false));
        }
        Ok((Found::Absent, None, false))
    }
}

fn names(document: Document<'_>) -> (Option<Value<'_>>, Option<Value<'_>>) {
    (document.get("_id"), document.get("jobId"))
}

/// What is kept of a document: whether it is the same, and of which job it is.
fn value(document: Document<'_>) -> [u8; 16] {
    let job = document.get("jobId");
    let job = job.map(|job| [&[job.kind], job.bytes].concat()).unwrap_or_default();
    let mut value = key_of(document.bytes());
    value[CONTENT..].copy_from_slice(&key_of(&job)[..16 - CONTENT]);
    value
}

/// A job has many events, so the events are the only collection without a unique job id.
fn has_unique_job_id(collection: Collection) -> bool {
    collection != Collection::Events
}

fn id_key(collection: Collection, id: Option<Value<'_>>) -> Key {
    tagged_key(b'i', collection, id)
}

fn job_key(collection: Collection, job_id: Option<Value<'_>>) -> Key {
    tagged_key(b'j', collection, job_id)
}

fn tagged_key(tag: u8, collection: Collection, value: Option<Value<'_>>) -> Key {
    let mut bytes = vec![tag, u8::try_from(collection.index()).unwrap_or(u8::MAX)];
    if let Some(value) = value {
        bytes.push(value.kind);
        bytes.extend_from_slice(value.bytes);
    }
    key_of(&bytes)
}

fn add(
    sorter: &mut Sorter<RECORD>,
    collection: Collection,
    document: &[u8],
) -> Result<(), DiskError> {
    let document = Document::new(document);
    let (id, job_id) = names(document);
    let value = value(document);
    let mut record = |key: Key| {
        let mut record = [0; RECORD];
        record[..16].copy_from_slice(&key);
        record[16..].copy_from_slice(&value);
        sorter.add(record)
    };
    record(id_key(collection, id))?;
    if has_unique_job_id(collection) {
        record(job_key(collection, job_id))?;
    }
    Ok(())
}

/// Calls `each` with the documents in a part of a target file. Where it ends in the middle of a
/// document, or is damaged, returns where that document starts.
pub(super) fn each_document(
    files: &dyn Files,
    path: &Path,
    part: Range<u64>,
    mut each: impl FnMut(&[u8]) -> Result<(), DiskError>,
) -> Result<Option<u64>, DiskError> {
    let start = part.start;
    match each_of_part(files, path, part, &mut each)? {
        None => Ok(None),
        Some(Damage { kind: DamageKind::Io, source: Some(source), .. }) => {
            Err(source).at("reading", path)
        }
        Some(damage) => Ok(Some(start + damage.place.offset)),
    }
}
