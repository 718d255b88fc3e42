//! What lies after the last checkpoint of a run that was killed, before it is cut off.

use std::io::{BufReader, Seek, SeekFrom};
use std::path::Path;

use super::existing::each_document;
use super::lengths::Lengths;
use crate::ends::{EndError, JobSet, Notes, TargetFolder};
use crate::store::{At, DiskError, Files, Open, OpenFile, key_of};
use crate::target_schema::Collection;
use reshelve_core::raw::{Document, Value};

/// The folder, in that of the run, of what was cut off.
const KEPT: &str = "cut-off";
/// Bytes that are copied at a time.
const COPY_BYTES: usize = 1 << 20;

/// Keeps a copy of what a resumed run is about to cut off, where it holds documents that the journal
/// does not name: somebody else wrote them, or the journal was lost with the power of the machine.
/// What cannot be read as documents is a write that was cut off.
pub(super) fn keep_strangers(
    files: &dyn Files,
    target: &TargetFolder,
    lengths: &Lengths,
    named: &dyn JobSet,
    run: &Path,
    notes: &mut dyn Notes,
) -> Result<(), EndError> {
    for (collection, from) in Collection::ALL.into_iter().zip(lengths.0) {
        let path = target.file(collection);
        let strangers = strangers(files, &path, from, named)?;
        if strangers == 0 {
            continue;
        }
        let kept = keep(files, &path, from, run)?;
        notes.note(&format!(
            "warning: {} held documents after byte {from} that the journal of this run does not \
             name ({strangers}); they are cut off, and kept in {}",
            path.display(),
            kept.path().display()
        ));
    }
    Ok(())
}

/// How many documents after a place of a file the journal does not name.
fn strangers(
    files: &dyn Files,
    path: &Path,
    from: u64,
    named: &dyn JobSet,
) -> Result<u64, DiskError> {
    let Some(found) = files.look(path)?.filter(|found| found.length > from) else { return Ok(0) };
    let mut strangers = 0;
    each_document(files, path, from..found.length, |document| {
        let job_id = Document::new(document).get("jobId").and_then(Value::string);
        strangers += u64::from(!named.has(&key_of(job_id.unwrap_or_default()))?);
        Ok(())
    })?;
    Ok(strangers)
}

/// Copies the rest of a file into the folder of a run, durably.
fn keep(
    files: &dyn Files,
    path: &Path,
    from: u64,
    run: &Path,
) -> Result<Box<dyn OpenFile>, DiskError> {
    let folder = run.join(KEPT);
    files.create_folders(&folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut number = 0_u32;
    let mut copy = loop {
        let named = folder.join(format!("{from}-{number}-{name}"));
        if !files.exists(&named)? {
            break files.open(&named, Open::New)?;
        }
        number += 1;
    };
    let mut rest = files.open(path, Open::Read)?;
    rest.seek(SeekFrom::Start(from)).at("seeking in", path)?;
    std::io::copy(&mut BufReader::with_capacity(COPY_BYTES, rest), &mut copy)
        .at("copying", path)?;
    copy.sync_all()?;
    files.sync_folder(&folder)?;
    Ok(copy)
}
