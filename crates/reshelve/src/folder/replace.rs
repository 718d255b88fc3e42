//! Takes out of a target folder what a run has replaced, and keeps it for rollback.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::existing::each_document;
use crate::ends::{Compression, TargetFolder};
use crate::ends::{EndError, ReplacedJobs};
use crate::store::key_of;
use crate::store::{At, DiskError, sync_folder};
use crate::target_schema::Collection;
use reshelve_core::raw::{self, Document, Value};

/// What was replaced in one collection: its first `base` bytes are from before the run.
pub(crate) struct Replacing<'r> {
    pub(crate) folder: &'r TargetFolder,
    pub(crate) collection: Collection,
    pub(crate) base: u64,
    pub(crate) replaced: &'r dyn ReplacedJobs,
    /// Where earlier versions are kept.
    pub(crate) undo: &'r Path,
}

/// Rewrites one collection without the earlier versions of replaced jobs, which go to the undo
/// file. `announce` is told the length of the new file before it takes the old one's place, so
/// that a process that goes on after a kill can tell which of the two it finds.
pub(crate) fn finish_collection(
    what: &Replacing<'_>,
    announce: &mut dyn FnMut(u64) -> Result<(), EndError>,
) -> Result<u64, EndError> {
    let path = what.folder.file(what.collection);
    let temporary = temporary(&path);
    let length = rewrite(what, &path, &temporary)?;
    announce(length)?;
    fs::rename(&temporary, &path).at("renaming to", &path)?;
    sync_folder(&what.folder.database())?;
    Ok(length)
}

/// Whether a rewritten file of that length took its place before a kill; puts it there where it
/// had only been announced.
pub(crate) fn rename_announced(
    folder: &TargetFolder,
    collection: Collection,
    length: u64,
) -> Result<(), DiskError> {
    let path = folder.file(collection);
    let temporary = temporary(&path);
    if temporary.exists() && fs::metadata(&temporary).at("reading", &temporary)?.len() == length {
        fs::rename(&temporary, &path).at("renaming to", &path)?;
        sync_folder(&folder.database())?;
    }
    Ok(())
}

fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.reshelve"))
}

fn rewrite(what: &Replacing<'_>, path: &Path, temporary: &Path) -> Result<u64, DiskError> {
    let undo_path = what.undo.join(format!("{}.bson", what.collection));
    fs::create_dir_all(what.undo).at("creating the folder", what.undo)?;
    let undo_file = File::create(&undo_path).at("creating", &undo_path)?;
    let mut undo = BufWriter::new(&undo_file);
    let out_file = File::create(temporary).at("creating", temporary)?;
    let mut out = Members::new(what.folder.compression, &out_file, temporary);
    let torn = each_document(path, what.base, |document| {
        if is_replaced(document, what.replaced)? {
            undo.write_all(document).at("writing", &undo_path)
        } else {
            out.write(document)
        }
    })?;
    if let Some(offset) = torn {
        // What cannot be read cannot be carried over: the file stays as it is.
        let damaged = std::io::Error::other(format!("damaged at byte offset {offset}"));
        return Err(damaged).at("reading", path);
    }
    out.flush()?;
    undo.flush().at("writing", &undo_path)?;
    undo_file.sync_all().at("syncing", &undo_path)?;
    sync_folder(what.undo)?;
    copy_rest(path, what.base, &out_file, temporary)?;
    out_file.sync_all().at("syncing", temporary)?;
    Ok(out_file.metadata().at("reading", temporary)?.len())
}

/// What the run wrote lies behind `base`, in whole members, and is copied as it is.
fn copy_rest(path: &Path, base: u64, mut out: &File, temporary: &Path) -> Result<(), DiskError> {
    let mut file = File::open(path).at("opening", path)?;
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(base)).at("seeking in", path)?;
    std::io::copy(&mut file, &mut out).at("writing", temporary)?;
    Ok(())
}

/// An earlier version of a replaced job: its job, metrics and metadata, and the events that a
/// mapping made. Events of the new application are nobody's earlier version.
fn is_replaced(document: &[u8], replaced: &dyn ReplacedJobs) -> Result<bool, DiskError> {
    let document = Document::new(document);
    let job_id = document.get("jobId").and_then(Value::string).unwrap_or_default();
    if !replaced.is_replaced(&key_of(job_id))? {
        return Ok(false);
    }
    let is_event = document.get("emittedAt").is_some();
    let body = document.get("event").or_else(|| document.get("snapshot"));
    let synthetic = body
        .and_then(Value::document)
        .and_then(|body| body.get("synthetic"))
        .and_then(Value::boolean);
    Ok(!is_event || synthetic == Some(true))
}

/// Writes documents in members of a fixed size.
struct Members<'m> {
    compression: Compression,
    file: &'m File,
    path: &'m Path,
    held: Vec<u8>,
}

impl<'m> Members<'m> {
    const BYTES: usize = 1 << 20;

    fn new(compression: Compression, file: &'m File, path: &'m Path) -> Self {
        Members { compression, file, path, held: Vec::new() }
    }

    fn write(&mut self, document: &[u8]) -> Result<(), DiskError> {
        debug_assert_eq!(raw::documents(document).count(), 1);
        self.held.extend_from_slice(document);
        if self.held.len() >= Self::BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        if !self.held.is_empty() {
            let member = self.compression.member(&self.held).at("compressing", self.path)?;
            (&mut &*self.file).write_all(&member).at("writing", self.path)?;
            self.held.clear();
        }
        Ok(())
    }
}
