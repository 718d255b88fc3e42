//! The way back: restores the legacy collection from a target.

mod parts;
mod untouched;

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

pub use self::parts::ChangedParts;
use self::untouched::Again;
use crate::ends::EndError;
use crate::ends::{DocumentStream, TargetReader};
use crate::store::{
    At, Disk, DiskError, Files, Found, Kind, Open, Replacement, Scratch, Spool, Spooled, key_of,
};
use crate::target_schema::{self, Collection, LEGACY_INDEXES, metadata_json};
use reshelve_core::mapping::{self, RestoreError};
use reshelve_core::raw::{self, Document, Value};

/// The shortest document: a length, and the end.
const DOCUMENT_BYTES_MIN: u64 = 5;
/// Bytes that are written at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// A job that came back different from what was mapped, because the target was edited since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedJob {
    /// Its job id.
    pub job: String,
    /// Legacy paths of text that the target no longer holds, and that was left out.
    pub lost: Vec<String>,
}

/// What was restored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RestoreSummary {
    /// Documents written.
    pub documents: u64,
    /// Jobs of the target: those that came back, and the foreign ones.
    pub jobs: u64,
    /// Of these, the same bytes as were mapped.
    pub identical: u64,
    /// The others.
    pub changed: Vec<ChangedJob>,
    /// Jobs that this tool did not write: they have no residue, and no legacy document.
    pub foreign: Vec<String>,
    /// Metadata documents whose job is gone: what they keep of a legacy document is not enough to
    /// bring it back.
    pub metadata_without_job: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// Why a target could not be restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreFolderError {
    /// A file cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The target cannot be read.
    #[error(transparent)]
    Target(#[from] EndError),
    /// There are jobs, and none of them can be restored.
    #[error(
        "no job of the target ({jobs}) has the metadata that a run writes: nothing was restored"
    )]
    Nothing {
        /// How many jobs there are.
        jobs: u64,
    },
    /// The file that would be replaced has more documents than what comes back, or is something else
    /// that is longer.
    #[error("{} has {there}, and only {restored} come back: it is not replaced by less", .path.display())]
    LessThanThere {
        /// The file.
        path: PathBuf,
        /// Its documents, or its bytes.
        there: String,
        /// How many documents, or bytes, come back.
        restored: u64,
    },
    /// It was asked to stop.
    #[error("interrupted: nothing was restored")]
    Interrupted,
    /// A target document is not well formed.
    #[error("{collection}, document {position}: {source}")]
    Malformed {
        /// Its collection.
        collection: Collection,
        /// Its position in the file, from 0.
        position: u64,
        /// What is wrong.
        source: raw::Malformed,
    },
    /// A residue cannot be used.
    #[error("job {job}: {source}")]
    Residue {
        /// The job.
        job: String,
        /// What is wrong.
        source: RestoreError,
    },
}

/// Restores every job of a target, in target order, into a file, which may be there, unless it holds
/// more: it may be what the target was made of, and the target not hold all of it.
///
/// # Errors
/// If the target is damaged or the file cannot be written or replaced, or if `stop` is set; nothing
/// is changed then.
pub fn restore(
    target: &dyn TargetReader,
    out: &Path,
    stop: &AtomicBool,
) -> Result<RestoreSummary, RestoreFolderError> {
    let mut restored = Replacement::begin(&Disk, out)?;
    let path = restored.path().to_owned();
    let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let scratch = beside.unwrap_or(Path::new(".")).into();
    let summary = restore_into(target, (&path, &mut restored), (&scratch, Some(stop)), None)?;
    if summary.documents == 0 && summary.jobs > 0 {
        return Err(RestoreFolderError::Nothing { jobs: summary.jobs });
    }
    refuse_less(out, &summary)?;
    restored.commit()?;
    Ok(summary)
}

/// Refuses to replace a file by less than it holds.
fn refuse_less(out: &Path, summary: &RestoreSummary) -> Result<(), RestoreFolderError> {
    let Some(Found { length, kind: Kind::File, .. }) = Disk.look(out)? else { return Ok(()) };
    let (there, restored) = match documents_in(out, length)? {
        Some(documents) if documents > summary.documents => {
            (format!("{documents} documents"), summary.documents)
        }
        None if length > summary.bytes => (format!("{length} bytes"), summary.bytes),
        _ => return Ok(()),
    };
    Err(RestoreFolderError::LessThanThere { path: out.to_owned(), there, restored })
}

/// How many documents a file has, by their lengths; `None` if it is no row of documents.
fn documents_in(path: &Path, length: u64) -> Result<Option<u64>, DiskError> {
    let file = Disk.open(path, Open::Read)?;
    let (mut documents, mut at) = (0, 0);
    while at < length {
        let mut prefix = [0; 4];
        if length - at < DOCUMENT_BYTES_MIN {
            return Ok(None);
        }
        file.read_exact_at(&mut prefix, at)?;
        let bytes = u64::from(u32::from_le_bytes(prefix));
        if bytes < DOCUMENT_BYTES_MIN || bytes > length - at {
            return Ok(None);
        }
        at += bytes;
        documents += 1;
    }
    Ok(Some(documents))
}

/// What there is to say of a target that nothing of it is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// What could be restored. Each job counts as changed that is not, byte for byte, what a mapping
    /// makes of its legacy document.
    pub summary: RestoreSummary,
    /// Metrics and events of the other jobs that no mapping makes.
    pub parts: Vec<ChangedParts>,
}

/// Restores every job of a target, keeps nothing of it, and compares the target with what a mapping
/// makes of that. What does not fit into memory goes to files without a name in the folder
/// `scratch`.
///
/// # Errors
/// If the target is damaged, or cannot be read.
pub fn look(target: &dyn TargetReader, scratch: &Path) -> Result<Look, RestoreFolderError> {
    let scratch = Scratch::from(scratch);
    let mut again = Again::new(&scratch);
    let nowhere = (Path::new("nowhere"), &mut std::io::sink() as &mut dyn Write);
    let summary = restore_into(target, nowhere, (&scratch, None), Some(&mut again))?;
    Ok(Look { summary, parts: again.changed_parts(target)? })
}

/// Restores every job of a target, in target order, into `out`, which gets one document after the
/// other. What does not fit into memory goes to files without a name in the folder `scratch`.
///
/// # Errors
/// If the target is damaged or cannot be read, or `out` refuses.
pub fn restore_to(
    target: &dyn TargetReader,
    out: &mut dyn Write,
    scratch: &Path,
) -> Result<RestoreSummary, RestoreFolderError> {
    let out = (Path::new("the restored collection"), out);
    restore_into(target, out, (&scratch.into(), None), None)
}

/// Writes the metadata file that `mongorestore` needs for a restored collection.
///
/// # Errors
/// If it cannot be written.
pub fn write_legacy_metadata(folder: &Path, collection: &str) -> Result<(), DiskError> {
    let path = folder.join(format!("{collection}.metadata.json"));
    Disk.replace(&path, metadata_json(collection, &LEGACY_INDEXES).as_bytes())
}

fn restore_into(
    target: &dyn TargetReader,
    (path, file): (&Path, &mut dyn Write),
    (scratch, stop): (&Scratch, Option<&AtomicBool>),
    mut again: Option<&mut Again>,
) -> Result<RestoreSummary, RestoreFolderError> {
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, file);
    let mut jobs = target.documents(Collection::Jobs)?;
    let mut lookup = Lookup::new(target, scratch)?;
    let mut summary = RestoreSummary::default();
    let mut position = 0;
    while let Some(job) = jobs.next_document()? {
        if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Err(RestoreFolderError::Interrupted);
        }
        raw::check(job).map_err(|source| RestoreFolderError::Malformed {
            collection: Collection::Jobs,
            position,
            source,
        })?;
        position += 1;
        summary.jobs = position;
        let job_id = target_schema::job_id(job);
        let name = || String::from_utf8_lossy(job_id).into_owned();
        let Some(metadata) = lookup.find(job_id)? else {
            summary.foreign.push(name());
            continue;
        };
        let restored = match mapping::restore(job, metadata) {
            Ok(restored) => restored,
            Err(RestoreError::NoResidue) => {
                summary.foreign.push(name());
                continue;
            }
            Err(source) => return Err(RestoreFolderError::Residue { job: name(), source }),
        };
        out.write_all(&restored.bytes).at("writing", path)?;
        summary.documents += 1;
        summary.bytes += u64::try_from(restored.bytes.len()).unwrap_or(0);
        let is_made = match &mut again {
            Some(again) => again.makes(&restored.bytes, job, metadata)?,
            None => true,
        };
        if restored.changed || !is_made {
            summary.changed.push(ChangedJob { job: name(), lost: restored.lost });
        } else {
            summary.identical += 1;
        }
    }
    out.flush().at("writing", path)?;
    summary.metadata_without_job = lookup.not_found()?;
    Ok(summary)
}

/// Whether this tool wrote a metadata document: it keeps what a legacy document needs to come back.
fn has_residue(metadata: &[u8]) -> bool {
    let legacy = Document::new(metadata).get("legacy").and_then(Value::document);
    legacy.is_some_and(|legacy| legacy.get("residue").is_some())
}

/// Finds the metadata document of a job: nearly always the next one, else by an index.
struct Lookup<'l> {
    target: &'l dyn TargetReader,
    scratch: &'l Scratch,
    documents: Box<dyn DocumentStream>,
    held: Vec<u8>,
    index: Option<Index>,
    /// Documents with a residue that were found.
    found: u64,
}

/// All metadata documents by job id.
struct Index {
    spooled: Spooled,
    /// How many of them have a residue.
    with_residue: u64,
}

impl<'l> Lookup<'l> {
    fn new(target: &'l dyn TargetReader, scratch: &'l Scratch) -> Result<Self, EndError> {
        let documents = target.documents(Collection::Metadata)?;
        Ok(Lookup { target, scratch, documents, held: Vec::new(), index: None, found: 0 })
    }

    fn find(&mut self, job_id: &[u8]) -> Result<Option<&[u8]>, RestoreFolderError> {
        if self.index.is_none() {
            let next = self.documents.next_document()?;
            if next.is_some_and(|next| {
                raw::check(next).is_ok() && target_schema::job_id(next) == job_id
            }) {
                self.held.clear();
                self.held.extend_from_slice(next.unwrap_or_default());
                self.found += u64::from(has_residue(&self.held));
                return Ok(Some(&self.held));
            }
            self.index = Some(Index::of(self.target, self.scratch)?);
        }
        let Some(Index { spooled, .. }) = &self.index else { return Ok(None) };
        let Some(position) = spooled.get(&key_of(job_id), &mut self.held)? else { return Ok(None) };
        raw::check(&self.held).map_err(|source| RestoreFolderError::Malformed {
            collection: Collection::Metadata,
            position,
            source,
        })?;
        let is_it = target_schema::job_id(&self.held) == job_id;
        self.found += u64::from(is_it && has_residue(&self.held));
        Ok(is_it.then_some(&self.held))
    }

    /// How many documents with a residue no job has asked for, once all jobs have asked.
    fn not_found(mut self) -> Result<u64, EndError> {
        if let Some(index) = self.index {
            return Ok(index.with_residue.saturating_sub(self.found));
        }
        let mut left = 0;
        while let Some(document) = self.documents.next_document()? {
            left += u64::from(raw::check(document).is_ok() && has_residue(document));
        }
        Ok(left)
    }
}

impl Index {
    fn of(target: &dyn TargetReader, scratch: &Scratch) -> Result<Index, RestoreFolderError> {
        let mut spool = Spool::new(scratch)?;
        let mut with_residue = 0;
        let mut documents = target.documents(Collection::Metadata)?;
        while let Some(document) = documents.next_document()? {
            with_residue += u64::from(raw::check(document).is_ok() && has_residue(document));
            spool.add(&key_of(target_schema::job_id(document)), document)?;
        }
        Ok(Index { spooled: spool.finish()?, with_residue })
    }
}
