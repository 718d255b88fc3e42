//! A snapshot read again, against its manifest.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::error::SnapshotError;
use super::manifest::{Manifest, StoredObject};
use super::take::{Heard, Reading};
use crate::dump::{self, MANIFEST};
use crate::ends::{CollectionChecksum, Source, SourceSpec};
use crate::pass::{Checksum, Round, checksum_hash, in_parallel};
use crate::store::{Files, Kind, Open};

/// Bytes of an object that are read at a time.
const READ_BYTES: usize = 1 << 20;

/// Reads every object beside a manifest, and every document in them; gives what is not as the
/// manifest says, a sentence each; also what else is in the folder, if all of it is the snapshot.
/// `tell` hears how far it is.
///
/// # Errors
/// If the file system refuses.
pub fn check(
    files: &dyn Files,
    beside: &Path,
    (manifest, is_all_of_it): (&Manifest, bool),
    reading: Reading<'_>,
    tell: &mut dyn FnMut(Heard<'_>),
) -> Result<Vec<String>, SnapshotError> {
    let mut found = Vec::new();
    for object in &manifest.objects {
        found.extend(of_object(files, &beside.join(&object.name), object, reading)?);
    }
    if is_all_of_it {
        found.extend(strangers(files, beside, manifest)?);
    }
    // What is not the same bytes is not read as documents: what is wrong with it is known.
    if found.is_empty() {
        found.extend(of_documents(beside, manifest, reading, tell)?);
    }
    Ok(found)
}

/// Files that are no part of the snapshot: whoever restores the folder would restore them too.
fn strangers(
    files: &dyn Files,
    beside: &Path,
    manifest: &Manifest,
) -> Result<Vec<String>, SnapshotError> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for name in files.list(&beside.join(&folder))? {
            let name = name.to_string_lossy();
            // What desktops leave in every folder is nobody's data.
            if name.starts_with('.') {
                continue;
            }
            let name = format!("{folder}{name}");
            let is_known = |object: &StoredObject| object.name == name;
            if files.is_folder(&beside.join(&name))? {
                folders.push(format!("{name}/"));
            } else if name != MANIFEST && !manifest.objects.iter().any(is_known) {
                found.push(format!("{name} is no part of it"));
            }
        }
    }
    Ok(found)
}

fn of_object(
    files: &dyn Files,
    path: &Path,
    object: &StoredObject,
    reading: Reading<'_>,
) -> Result<Option<String>, SnapshotError> {
    let StoredObject { name, bytes, blake3 } = object;
    let length = match files.look(path)? {
        Some(there) if there.kind == Kind::File => there.length,
        Some(_) => return Ok(Some(format!("{name} is not a file"))),
        None => return Ok(Some(format!("{name} is missing"))),
    };
    if length != *bytes {
        return Ok(Some(format!("{name} has {length} bytes, and {bytes} were written")));
    }
    let hash = hash_of(files, path, reading)?;
    let is_same = hash.to_hex().as_str() == blake3;
    Ok((!is_same).then(|| format!("{name} is not as it was written: its BLAKE3 hash differs")))
}

fn hash_of(
    files: &dyn Files,
    path: &Path,
    reading: Reading<'_>,
) -> Result<blake3::Hash, SnapshotError> {
    let mut file = files.open(path, Open::Read)?;
    let mut left = file.length()?;
    let (mut hasher, mut buffer) = (blake3::Hasher::new(), vec![0; READ_BYTES]);
    while left > 0 {
        if reading.stop.load(Ordering::Relaxed) {
            return Err(SnapshotError::Interrupted);
        }
        let now = usize::try_from(left).unwrap_or(READ_BYTES).min(READ_BYTES);
        file.fill(&mut buffer[..now])?;
        hasher.update(&buffer[..now]);
        left -= u64::try_from(now).unwrap_or(left);
    }
    Ok(hasher.finalize())
}

fn of_documents(
    beside: &Path,
    manifest: &Manifest,
    reading: Reading<'_>,
    tell: &mut dyn FnMut(Heard<'_>),
) -> Result<Option<String>, SnapshotError> {
    let spec = SourceSpec {
        path: manifest.documents_in(beside),
        db: Some(manifest.db.clone()),
        collection: Some(manifest.collection.clone()),
        ..SourceSpec::default()
    };
    let mut source = match dump::open(&spec) {
        Ok(opened) => opened.source,
        Err(error) => return Ok(Some(error.to_string())),
    };
    let found = match content(source.as_mut(), reading, tell) {
        Ok(found) => found,
        Err(SnapshotError::Source(damage)) => return Ok(Some(damage.to_string())),
        Err(error) => return Err(error),
    };
    let CollectionChecksum { documents, bytes, .. } = &manifest.content;
    Ok((found != manifest.content).then(|| {
        if found.documents != *documents || found.bytes != *bytes {
            format!(
                "it holds {} documents of {} bytes, and {documents} of {bytes} bytes were written",
                found.documents, found.bytes
            )
        } else {
            "its documents are not those that were written: their checksum differs".to_owned()
        }
    }))
}

/// The checksum of all documents of a source.
fn content(
    source: &mut dyn Source,
    reading: Reading<'_>,
    tell: &mut dyn FnMut(Heard<'_>),
) -> Result<CollectionChecksum, SnapshotError> {
    let (mut round, mut checksum) = (Round::default(), Checksum::default());
    let mut workers = vec![(); reading.threads.max(1)];
    let mut documents = 0;
    while round.read(source, reading.stop)? {
        let originals = round.documents();
        let hashes =
            in_parallel(&mut workers, &originals, |(), original| checksum_hash(original.bytes));
        for (original, hash) in originals.iter().zip(hashes) {
            checksum.add_hashed(original.bytes.len(), &hash);
            documents += 1;
        }
        tell(Heard::Read { documents, bytes: source.bytes_read() });
    }
    Ok(checksum.finish())
}
