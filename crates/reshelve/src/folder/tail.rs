//! A target folder whose run was interrupted, before the run goes on there: whether its files still
//! end where the run had written to, and what lies after that place, which is about to be cut off.

use std::io::{BufReader, Seek, SeekFrom};
use std::path::Path;

use super::existing::each_document;
use super::lengths::{Lengths, Progress};
use super::preflight::Expect;
use crate::ends::{EndError, Hint, NamedJobs, Notes, TargetFolder};
use crate::standing::{OwnDocuments, Part};
use crate::store::{At, DiskError, Files, Open, OpenFile, key_of};
use crate::target_schema::{Collection, job_id};

/// The folder, in that of the run, of what was cut off.
const KEPT: &str = "cut-off";
/// Bytes that are copied at a time.
const COPY_BYTES: usize = 1 << 20;

/// Checks that a run wrote a whole number of documents into each file. Where somebody has made one
/// of them longer or shorter since, cutting off what lies after that place would cut through a
/// document.
pub(super) fn check_ends(
    files: &dyn Files,
    target: &TargetFolder,
    lengths: &Lengths,
) -> Result<(), EndError> {
    for (collection, to) in Collection::ALL.into_iter().zip(lengths.0) {
        let path = target.file(collection);
        let found = files.look(&path)?.map_or(0, |found| found.length);
        Expect::AtLeast(*lengths).check(&path, collection, found)?;
        if to > 0
            && let Some(offset) = each_document(files, &path, 0..to, |_| Ok(()))?
        {
            let path = path.display();
            let message = format!(
                "the target file {path} is damaged at byte {offset}, or was changed since this run \
                 wrote to it: its first {to} bytes do not end with a document"
            );
            return Err(EndError::refusal(message, Hint::PutBackTheFile));
        }
    }
    Ok(())
}

/// Of a run that has written all of its documents: what lies after them is of others, and stays,
/// where it is whole documents. A file that has become shorter, or ends in something else, is left
/// as it is: what is made from it would lack what is gone, or hold on to the damage.
pub(super) fn take_in_appended(
    files: &dyn Files,
    target: &TargetFolder,
    progress: &mut Progress,
) -> Result<(), EndError> {
    for collection in Collection::ALL {
        let path = target.file(collection);
        let written = progress.lengths.0[collection.index()];
        let found = files.look(&path)?.map_or(0, |found| found.length);
        Expect::AtLeast(progress.lengths).check(&path, collection, found)?;
        if found > written
            && let Some(offset) = each_document(files, &path, written..found, |_| Ok(()))?
        {
            let path = path.display();
            let message = format!("the target file {path} is damaged at byte offset {offset}");
            return Err(EndError::refusal(message, Hint::MendTheTarget));
        }
        progress.lengths.0[collection.index()] = found;
    }
    Ok(())
}

/// Keeps a copy of what a resumed run is about to cut off, where it holds documents that are not
/// what the journal says: somebody else wrote or changed them, or the journal was lost with the
/// power of the machine. What cannot be read as documents is a write that was cut off.
pub(super) fn keep_strangers(
    files: &dyn Files,
    target: &TargetFolder,
    lengths: &Lengths,
    named: &dyn NamedJobs,
    run: &Path,
    notes: &mut dyn Notes,
) -> Result<(), EndError> {
    for (collection, from) in Collection::ALL.into_iter().zip(lengths.0) {
        let path = target.file(collection);
        let Tail { strangers, unfinished, settled } =
            tail(files, (&path, collection), from, named)?;
        if settled > 0 {
            let path = path.display();
            let message = format!(
                "the target file {path} was changed since this run wrote to it: documents that it \
                 had written before byte {from} lie after that ({settled})"
            );
            return Err(EndError::refusal(message, Hint::PutBackTheFile));
        }
        if strangers + unfinished == 0 {
            continue;
        }
        let kept = keep(files, &path, from, run)?;
        let (path, kept) = (path.display(), kept.path().display());
        notes.note(&match strangers {
            0 => format!(
                "note: {path} ended with some of the events of a job ({unfinished}), which do not \
                 tell whether somebody changed them; they are cut off, and kept in {kept}"
            ),
            _ => format!(
                "warning: {path} held documents after byte {from} that the journal of this run does \
                 not name as they are ({strangers}); they are cut off, and kept in {kept}"
            ),
        });
    }
    Ok(())
}

/// Refuses to go on where what lies after the place that a run had written to is not its own, and the
/// run has lost its lock: another run may have written it.
pub(super) fn expect_no_strangers(
    files: &dyn Files,
    target: &TargetFolder,
    lengths: &Lengths,
    named: &dyn NamedJobs,
) -> Result<(), EndError> {
    for (collection, from) in Collection::ALL.into_iter().zip(lengths.0) {
        let path = target.file(collection);
        let Tail { strangers, .. } = tail(files, (&path, collection), from, named)?;
        if strangers > 0 {
            let message = format!(
                "the lock of this run is gone, and {} holds documents after byte {from} that its \
                 journal does not name as they are ({strangers})",
                path.display()
            );
            return Err(EndError::refusal(message, Hint::LookWhoWrites));
        }
    }
    Ok(())
}

/// What lies after a place of a file, beside what the journal says of whole jobs.
#[derive(Default)]
struct Tail {
    /// Documents that are not what the journal says of their jobs.
    strangers: u64,
    /// At the very end, some of the events of a job: a write that was cut off leaves that. The
    /// journal knows the content of all of them together.
    unfinished: u64,
    /// Documents that the run had written before that place.
    settled: u64,
}

fn tail(
    files: &dyn Files,
    (path, collection): (&Path, Collection),
    from: u64,
    named: &dyn NamedJobs,
) -> Result<Tail, DiskError> {
    let mut tail = Tail::default();
    let Some(found) = files.look(path)?.filter(|found| found.length > from) else {
        return Ok(tail);
    };
    // The documents of a job lie together; events are told by all of them.
    let mut held: Vec<Vec<u8>> = Vec::new();
    let count = |held: &mut Vec<Vec<u8>>, is_last: bool, tail: &mut Tail| {
        let documents = u64::try_from(held.len()).unwrap_or(u64::MAX);
        match part(collection, held, named)? {
            None | Some(Part::Same) => {}
            Some(Part::Fewer) if is_last => tail.unfinished = documents,
            Some(_) => {
                tail.strangers += documents;
                tail.settled += settled(collection, held, named)?;
            }
        }
        held.clear();
        Ok::<_, DiskError>(())
    };
    each_document(files, path, from..found.length, |document| {
        if held.first().is_some_and(|first| job_id(first) != job_id(document)) {
            count(&mut held, false, &mut tail)?;
        }
        held.push(document.to_vec());
        Ok(())
    })?;
    count(&mut held, true, &mut tail)?;
    Ok(tail)
}

/// How many of these documents of one job the run had written before.
fn settled(
    collection: Collection,
    documents: &[Vec<u8>],
    named: &dyn NamedJobs,
) -> Result<u64, DiskError> {
    let first = documents.first().map(Vec::as_slice).unwrap_or_default();
    let Some(job) = named.settled(&key_of(job_id(first)))? else {
        return Ok(0);
    };
    let own = OwnDocuments::new(job, None);
    let is_own = |document: &&Vec<u8>| match collection {
        Collection::Events => !own.is_foreign(collection, document),
        _ => own.part(collection, &[document.as_slice()]) == Part::Same,
    };
    Ok(u64::try_from(documents.iter().filter(is_own).count()).unwrap_or(u64::MAX))
}

/// What these documents of one job are; none if there are none.
fn part(
    collection: Collection,
    documents: &[Vec<u8>],
    named: &dyn NamedJobs,
) -> Result<Option<Part>, DiskError> {
    let Some(first) = documents.first() else { return Ok(None) };
    let Some(job) = named.get(&key_of(job_id(first)))? else {
        return Ok(Some(Part::More));
    };
    let documents: Vec<&[u8]> = documents.iter().map(Vec::as_slice).collect();
    Ok(Some(OwnDocuments::new(job, None).part(collection, &documents)))
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
