//! Takes out of a target folder what a run has replaced, and keeps it for rollback.

use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::existing::each_document;
use super::lengths::ReadyFile;
use crate::ends::{Compression, EndError, JobSet, TargetFolder};
use crate::store::{
    Appender, At, DiskError, Files, Found, Identity, Open, Replacement, SealedKeys, key_of,
};
use crate::target_schema::{Collection, id_bytes, is_of_a_version, job_id};
use reshelve_core::raw;

/// Bytes that are copied at a time.
const COPY_BYTES: usize = 1 << 20;

/// What was replaced in one collection: its first `base` bytes are from before the run.
pub(crate) struct Replacing<'r> {
    pub(crate) files: &'r dyn Files,
    pub(crate) folder: &'r TargetFolder,
    pub(crate) collection: Collection,
    pub(crate) base: u64,
    pub(crate) replaced: &'r dyn JobSet,
    /// Where earlier versions are kept.
    pub(crate) undo: &'r Path,
}

/// Where the ids are of the events of the new application that stood when their jobs were replaced:
/// an event that is not among them has come since.
pub(super) fn events_before_file(undo: &Path) -> PathBuf {
    undo.join("events-before.keys")
}

/// Where the hashes are of the earlier versions that were kept of a collection, in their order.
pub(super) fn hashes_file(undo: &Path, collection: Collection) -> PathBuf {
    undo.join(format!("{collection}.keys"))
}

/// Rewrites one collection without the earlier versions of replaced jobs, which go to the undo
/// file; returns how many bytes it has then. `announce` is told of the new file before it takes
/// the old one's place, so that a process that resumes after a kill can tell which of the two it
/// finds.
pub(crate) fn finish_collection(
    what: &Replacing<'_>,
    announce: &mut dyn FnMut(ReadyFile) -> Result<(), EndError>,
) -> Result<u64, EndError> {
    let path = what.folder.file(what.collection);
    let read = what.files.look(&path)?;
    let mut replacement = Replacement::begin(what.files, &path)?;
    rewrite(what, &path, &mut replacement)?;
    let (temporary, bytes) = replacement.sync()?;
    let name = temporary.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let identity = what.files.look(temporary)?.map(|found| of(found.identity));
    announce(ReadyFile { name, bytes, identity })?;
    if let Some(message) = changed_since(what.files, &path, read)? {
        return Err(EndError::failed(message, None));
    }
    replacement.commit()?;
    Ok(bytes)
}

/// Why a file is not replaced that is not as it was before it was `read`: what somebody has written
/// since is not in what would take its place.
pub(super) fn changed_since(
    files: &dyn Files,
    path: &Path,
    read: Option<Found>,
) -> Result<Option<String>, DiskError> {
    let is_unchanged = files.look(path)? == read;
    let message = || format!("{} was written to meanwhile, and stays as it is", path.display());
    Ok((!is_unchanged).then(message))
}

fn of(identity: Identity) -> (u64, u64) {
    (identity.device, identity.inode)
}

/// Whether a rewritten file has taken the place of one that had `before` bytes. Where it is only
/// ready, it is made again: what it is to replace may have been changed since it was read.
///
/// # Errors
/// Where the file cannot be looked at.
pub(crate) fn has_taken_its_place(
    files: &dyn Files,
    folder: &TargetFolder,
    collection: Collection,
    ready: &ReadyFile,
    before: u64,
) -> Result<bool, DiskError> {
    let path = folder.file(collection);
    let temporary = path.with_file_name(&ready.name);
    let now = files.look(&path)?;
    if let Some(identity) = ready.identity {
        if now.is_some_and(|now| of(now.identity) == identity) {
            return Ok(true);
        }
        if before == ready.bytes {
            return Ok(false);
        }
    }
    // Devices are numbered anew, and copies are put back: then lengths tell, where they differ. The
    // new file is not there any more, and what stands is as long.
    let [now, new] = [now, files.look(&temporary)?].map(|found| found.map(|it| it.length));
    Ok(now == Some(ready.bytes) && new != now)
}

fn rewrite<F: Files + ?Sized>(
    what: &Replacing<'_>,
    path: &Path,
    replacement: &mut Replacement<'_, F>,
) -> Result<(), DiskError> {
    let undo_path = what.undo.join(format!("{}.bson", what.collection));
    what.files.create_folders(what.undo)?;
    let mut undo = Appender::open(what.files, &undo_path, 0)?;
    let hashes = hashes_file(what.undo, what.collection);
    let mut hashes = SealedKeys::begin(what.files, &hashes)?;
    let mut events_before = match what.collection {
        Collection::Events => Some(SealedKeys::begin(what.files, &events_before_file(what.undo))?),
        _ => None,
    };
    let mut out = Members::new(what.folder.compression, replacement);
    let torn = each_document(what.files, path, 0..what.base, |document| {
        let is_of_a_replaced_job = is_of_one(document, what.replaced)?;
        if is_of_a_replaced_job && is_of_a_version(document) {
            hashes.add(&key_of(document))?;
            return undo.append(document);
        }
        if let Some(events) = events_before.as_mut().filter(|_| is_of_a_replaced_job) {
            events.add(&key_of(&id_bytes(document)))?;
        }
        out.write(document)
    })?;
    if let Some(offset) = torn {
        // What cannot be read cannot be carried over: the file stays as it is.
        let damaged = std::io::Error::other(format!("damaged at byte offset {offset}"));
        return Err(damaged).at("reading", path);
    }
    out.flush()?;
    undo.sync()?;
    hashes.seal()?;
    events_before.map_or(Ok(()), SealedKeys::seal)?;
    what.files.sync_folder(what.undo)?;
    // What the run wrote lies after `base`, in whole members, and is copied as it is.
    let mut file = what.files.open(path, Open::Read)?;
    file.seek(SeekFrom::Start(what.base)).at("seeking in", path)?;
    let mut rest = BufReader::with_capacity(COPY_BYTES, file);
    std::io::copy(&mut rest, out.replacement).at("copying", path).map(drop)
}

/// Whether a document is of a replaced job: of its earlier version, or an event of the new
/// application, which is nobody's earlier version.
fn is_of_one(document: &[u8], replaced: &dyn JobSet) -> Result<bool, DiskError> {
    replaced.has(&key_of(job_id(document)))
}

/// Writes documents in members of a fixed size.
pub(super) struct Members<'m, 'f, F: Files + ?Sized> {
    compression: Compression,
    replacement: &'m mut Replacement<'f, F>,
    held: Vec<u8>,
    is_empty: bool,
}

impl<'m, 'f, F: Files + ?Sized> Members<'m, 'f, F> {
    const BYTES: usize = 1 << 20;

    pub(super) fn new(
        compression: Compression,
        replacement: &'m mut Replacement<'f, F>,
    ) -> Members<'m, 'f, F> {
        Members { compression, replacement, held: Vec::new(), is_empty: true }
    }

    /// Ends a file that is complete: an empty collection is an empty member, not an empty file.
    pub(super) fn end(&mut self) -> Result<(), DiskError> {
        if self.is_empty && self.compression != Compression::None {
            let member = self.compression.member(&[]);
            self.replacement.put(&member.at("compressing", self.replacement.path())?)?;
        }
        self.flush()
    }

    pub(super) fn write(&mut self, document: &[u8]) -> Result<(), DiskError> {
        debug_assert_eq!(raw::documents(document).count(), 1);
        self.is_empty = false;
        self.held.extend_from_slice(document);
        if self.held.len() >= Self::BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        if !self.held.is_empty() {
            let member = self.compression.member(&self.held);
            self.replacement.put(&member.at("compressing", self.replacement.path())?)?;
            self.held.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Disk, Key};

    struct Nobody;

    impl JobSet for Nobody {
        fn has(&self, _: &Key) -> Result<bool, DiskError> {
            Ok(false)
        }
    }

    #[test]
    fn what_is_written_meanwhile_is_not_replaced() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().to_owned();
        let folder = TargetFolder { root, db: "db".to_owned(), compression: Compression::None };
        let collection = Collection::Jobs;
        let path = folder.file(collection);
        std::fs::create_dir_all(folder.database()).unwrap();
        // Such as `{a: "b"}`.
        let document = b"\x0e\0\0\0\x02a\0\x02\0\0\0b\0\0";
        let undo = place.path().join("undo");
        let what = Replacing {
            files: &Disk,
            folder: &folder,
            collection,
            base: 14,
            replaced: &Nobody,
            undo: &undo,
        };
        let same_length = document.map(|byte| if byte == b'b' { b'c' } else { byte });
        for edited in [same_length.to_vec(), [&document[..], &document[..]].concat()] {
            std::fs::write(&path, document).unwrap();
            let refused = finish_collection(&what, &mut |_| {
                std::fs::write(&path, &edited).unwrap();
                let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
                std::fs::File::options()
                    .write(true)
                    .open(&path)
                    .unwrap()
                    .set_modified(later)
                    .unwrap();
                Ok(())
            });
            assert!(refused.unwrap_err().to_string().contains("was written to meanwhile"));
            assert_eq!(std::fs::read(&path).unwrap(), edited);
        }
        assert_eq!(finish_collection(&what, &mut |_| Ok(())).unwrap(), 28);
        let left = std::fs::read_dir(folder.database()).unwrap().count();
        assert_eq!(left, 1, "a temporary file was left");
    }
}
