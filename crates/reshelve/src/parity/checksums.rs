//! The checksums of the four target collections.

use std::collections::BTreeMap;

use crate::ends::{CollectionChecksum, EndError, TargetReader};
use crate::pass::Checksum;
use crate::target_schema::Collection;

/// Computes the checksums of the four target collections, each on its own thread.
///
/// # Errors
/// If a collection cannot be read, or is damaged.
pub fn checksums(
    target: &dyn TargetReader,
) -> Result<BTreeMap<&'static str, CollectionChecksum>, EndError> {
    let results = std::thread::scope(|scope| {
        let threads: Vec<_> = Collection::ALL
            .into_iter()
            .map(|collection| scope.spawn(move || of_collection(target, collection)))
            .collect();
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut checksums = BTreeMap::new();
    for (collection, result) in Collection::ALL.into_iter().zip(results) {
        // A panic of the thread is passed on.
        let checksum = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        checksums.insert(collection.name(), checksum);
    }
    Ok(checksums)
}

fn of_collection(
    target: &dyn TargetReader,
    collection: Collection,
) -> Result<CollectionChecksum, EndError> {
    let mut documents = target.documents(collection)?;
    let mut sum = Checksum::default();
    while let Some(document) = documents.next_document()? {
        sum.add(document);
    }
    Ok(sum.finish())
}
