//! What a target holds, by the checksums of its collections.

use std::collections::BTreeMap;

use crate::ends::{CollectionChecksum, EndError, TargetReader};
use crate::parity::checksums;
use crate::pass::Checksum;
use crate::target_schema::{Collection, is_of_a_version, job_id};

use super::foreseeing::Replaced;

/// Counts and checksums of the four collections.
pub type Collections = BTreeMap<String, CollectionChecksum>;

/// What a target holds. A collection that is not there is an empty one.
///
/// # Errors
/// If it cannot be read.
pub fn state_of(target: &dyn TargetReader) -> Result<Collections, EndError> {
    let mut is_whole = true;
    for collection in Collection::ALL {
        is_whole &= target.has(collection)?;
    }
    if is_whole {
        let found = checksums(target)?.into_iter();
        return Ok(found.map(|(name, checksum)| (name.to_owned(), checksum)).collect());
    }
    let mut found = Collections::new();
    for collection in Collection::ALL {
        let sums = match target.has(collection)? {
            true => two_sums(target, collection, None)?.0,
            false => Checksum::default(),
        };
        found.insert(collection.name().to_owned(), sums.finish());
    }
    Ok(found)
}

/// The sum over all documents of a collection, and over those that stay where jobs are replaced.
pub(super) fn two_sums(
    target: &dyn TargetReader,
    collection: Collection,
    replaced: Option<&Replaced>,
) -> Result<(Checksum, Checksum), EndError> {
    let (mut all, mut staying) = (Checksum::default(), Checksum::default());
    if !target.has(collection)? {
        return Ok((all, staying));
    }
    let mut documents = target.documents(collection)?;
    while let Some(document) = documents.next_document()? {
        all.add(document);
        let goes = match replaced {
            Some(replaced) => replaced.has(job_id(document))? && is_of_a_version(document),
            None => false,
        };
        if !goes {
            staying.add(document);
        }
    }
    Ok((all, staying))
}
