//! What a target folder must be before a run may start on it.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::existing::{Survey, Torn, each_document};
use super::lengths::{Lengths, Progress};
use super::{Existing, Held, Holder, Lock};
use crate::dump;
use crate::ends::{
    Abandoned, Base, Compression, EndError, Hint, OnExisting, TargetFolder, TargetRequest,
};
use crate::store::{At, DiskError, Files, Kind, Open, size};
use crate::target_schema::Collection;

/// How many files a refusal names.
const NAMED_MAX: usize = 5;
/// How much of a file tells whether it is compressed.
const HEAD_BYTES: u64 = 10;

/// What a target folder holds before a run.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The lengths of its files.
    pub(super) seen: Lengths,
    /// Where its documents end.
    pub(super) base: Lengths,
    pub(super) documents: u64,
    pub(super) existing: Option<Existing>,
}

/// Looks at the target; changes nothing.
pub(super) fn look(
    files: &dyn Files,
    request: &TargetRequest,
    target: &TargetFolder,
) -> Result<Before, EndError> {
    check_place(files, &target.database())?;
    check_is_no_database(files, target)?;
    let left_by = look_at_lock(files, request, target)?;
    let held = target.held_on(files)?;
    if let Some(other) = held.iter().find(|held| held.compression != target.compression)
        && other.bytes > 0
    {
        let message = format!(
            "the target already holds {} and would get files of another form beside it",
            other.path.display()
        );
        return Err(EndError::refusal(message, Hint::SameCompression));
    }
    let seen = lengths(&held, target.compression);
    if held.iter().all(|held| held.bytes == 0) {
        return Ok(Before { seen, ..Before::default() });
    }
    check_forms(files, &held)?;
    let survey = Existing::survey(files, target, None, &scratch(files, &request.scratch)?)?;
    if survey.documents > 0 && request.on_existing == OnExisting::Refuse {
        let files = held.into_iter().filter(|held| held.bytes > 0).map(|held| held.path);
        let message = format!("the target already holds documents: {}", list(files));
        return Err(EndError::refusal(message, Hint::DecideOnExisting));
    }
    check_whole(files, target, &survey, left_by.as_ref())?;
    let base = if survey.documents == 0 { Lengths::default() } else { survey.lengths };
    Ok(Before { seen, base, documents: survey.documents, existing: Some(survey.existing) })
}

/// A target is not written inside the database folder of another one, which is what messages and
/// listings name: readers of that folder would take the inner one for it.
fn check_is_no_database(files: &dyn Files, target: &TargetFolder) -> Result<(), EndError> {
    let root = &target.root;
    for held in TargetFolder::held_in(files, root)? {
        if held.bytes > 0 {
            let message = format!(
                "{} is the database folder of a target: it holds {} itself",
                root.display(),
                held.path.file_name().unwrap_or_default().display()
            );
            return Err(EndError::refused(message, "name the folder above it, or another target"));
        }
    }
    Ok(())
}

/// The database folder must be one, or one that this user can create.
fn check_place(files: &dyn Files, database: &Path) -> Result<(), EndError> {
    for folder in database.ancestors() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let Some(found) = files.look(folder)? else { continue };
        if found.kind != Kind::Folder {
            let message = format!("{} is a file, and the target is a folder", folder.display());
            return Err(EndError::refused(message, "name another target"));
        }
        if !files.may_write_in(folder)? {
            let message = format!("the folder {} may not be written to", folder.display());
            let hint = "get the right to write there, or name another target";
            return Err(EndError::refused(message, hint));
        }
        return Ok(());
    }
    Ok(())
}

/// Refuses a target that another run holds, or has left without being done; returns the run that
/// left it, if that is taken over.
fn look_at_lock(
    files: &dyn Files,
    request: &TargetRequest,
    target: &TargetFolder,
) -> Result<Option<Holder>, EndError> {
    let path = target.lock_file();
    match Lock::look(files, &path)? {
        Some((holder, true)) => Err(Lock::is_held(&path, holder.as_ref())),
        Some((Some(holder), false)) => match request.abandoned {
            Abandoned::TakeOver if !holder.is_rolling_back(files) => Ok(Some(holder)),
            Abandoned::Keep if holder.is_done(files) => Ok(None),
            _ => Err(Lock::is_abandoned(files, &path, &holder)),
        },
        _ => Ok(None),
    }
}

/// Its files must consist of whole documents, and hold each job once. Nothing cuts off the rest of
/// a document, or what follows a damaged one, unless a run that is taken over is known to have
/// written it after its last checkpoint: somebody else may have written it.
fn check_whole(
    files: &dyn Files,
    target: &TargetFolder,
    survey: &Survey,
    left_by: Option<&Holder>,
) -> Result<(), EndError> {
    // A compressed file has no place within it to be cut at.
    let is_plain = target.compression == Compression::None;
    let left_by = left_by.filter(|_| is_plain && !survey.torn.is_empty());
    let checkpointed = left_by.and_then(|holder| holder.checkpointed(files));
    let is_its_own = |torn: &&Torn| {
        checkpointed.is_some_and(|lengths| torn.offset >= lengths.0[torn.collection.index()])
    };
    if let Some(torn) = survey.torn.iter().find(|torn| !is_its_own(torn)) {
        return Err(is_torn(torn));
    }
    if survey.repeated {
        let message = format!(
            "the target {} holds earlier and later versions of the same jobs",
            target.database().display()
        );
        return Err(EndError::refusal(message, Hint::ResumeTheReplacingRun));
    }
    Ok(())
}

fn is_torn(torn: &Torn) -> EndError {
    let message = format!(
        "the target file {} is damaged at byte {}, or ends in the middle of a document there",
        torn.file.display(),
        torn.offset
    );
    EndError::refusal(message, Hint::MendTheTarget)
}

/// What begins like a compressed file is one, and what is to be compressed must begin like that:
/// a file of one form that goes on in another could not be read.
fn check_forms(files: &dyn Files, held: &[Held]) -> Result<(), EndError> {
    for Held { path, compression, bytes, .. } in held {
        if *bytes == 0 {
            continue;
        }
        let mut head = Vec::new();
        let file = files.open(path, Open::Read)?;
        file.take(HEAD_BYTES).read_to_end(&mut head).at("reading", path)?;
        let found = dump::compression_of(&head);
        if found != *compression {
            let (path, found, named) = (path.display(), words(found), words(*compression));
            let message =
                format!("the target file {path} is named like {named}, and holds {found}");
            return Err(EndError::refusal(message, Hint::MendTheTarget));
        }
    }
    Ok(())
}

fn words(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "plain BSON",
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    }
}

fn list(files: impl Iterator<Item = PathBuf>) -> String {
    let names: Vec<String> = files.take(NAMED_MAX).map(|file| file.display().to_string()).collect();
    names.join(", ")
}

fn lengths(held: &[Held], compression: Compression) -> Lengths {
    let length = |collection| {
        held.iter()
            .find(|held| held.collection == collection && held.compression == compression)
            .map_or(0, |held| held.bytes)
    };
    Lengths(Collection::ALL.map(length))
}

/// What is expected of the files of a target when they are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// They are as they were looked at: a new run.
    AsSeen(Lengths),
    /// They hold at least what the run wrote: a run that is resumed.
    AtLeast(Lengths),
}

impl Expect {
    /// Checks the length that a file was found with.
    pub(super) fn check(
        self,
        path: &Path,
        collection: Collection,
        found: u64,
    ) -> Result<(), EndError> {
        let at = collection.index();
        let (expected, is_right) = match self {
            Expect::AsSeen(seen) => (seen.0[at], found == seen.0[at]),
            Expect::AtLeast(written) => (written.0[at], found >= written.0[at]),
        };
        if is_right {
            return Ok(());
        }
        let path = path.display();
        let message =
            format!("the target file {path} has {found} bytes, and {expected} were expected");
        Err(EndError::refusal(message, Hint::LookWhoWrites))
    }
}

/// Under the lock: the target must still be as it was looked at.
pub(super) fn check_seen(
    files: &dyn Files,
    target: &TargetFolder,
    seen: Lengths,
) -> Result<(), EndError> {
    for collection in Collection::ALL {
        let path = target.file(collection);
        let found = files.look(&path)?.map_or(0, |found| found.length);
        // An empty compressed collection is an empty member, and the base of a run begins before it.
        let is_empty = seen.0[collection.index()] == 0
            && target.compression != Compression::None
            && holds_nothing(files, &path, found)?;
        if !is_empty {
            Expect::AsSeen(seen).check(&path, collection, found)?;
        }
    }
    Ok(())
}

fn holds_nothing(files: &dyn Files, path: &Path, bytes: u64) -> Result<bool, DiskError> {
    let mut documents = 0_u64;
    let torn = match bytes {
        0 => None,
        _ => each_document(files, path, 0..bytes, |_| {
            documents += 1;
            Ok(())
        })?,
    };
    Ok(documents == 0 && torn.is_none())
}

/// At the end: the files must be what the run wrote, no more and no less.
pub(super) fn check_end(
    files: &dyn Files,
    target: &TargetFolder,
    lengths: &Lengths,
) -> Result<(), EndError> {
    for (collection, written) in Collection::ALL.into_iter().zip(lengths.0) {
        let path = target.file(collection);
        let found = files.look(&path)?.map(|found| found.length);
        if found == Some(written) {
            continue;
        }
        let there = found.map_or("is gone".to_owned(), |bytes| format!("has {bytes} bytes"));
        let message = format!(
            "the target file {} {there}, and the run had written it to {written}: something else \
             changes the target",
            path.display()
        );
        return Err(EndError::failed(message, Some("find out what else writes there")));
    }
    Ok(())
}

/// Opens what the target held before a run that is resumed: it must still be what it was.
pub(super) fn reopen_existing(
    files: &dyn Files,
    target: &TargetFolder,
    base: &Base,
    folder: &Path,
) -> Result<Option<Existing>, EndError> {
    let lengths = Progress::of(&base.position)?.lengths;
    if lengths == Lengths::default() {
        return Ok(None);
    }
    let survey = Existing::survey(files, target, Some(&lengths), &scratch(files, folder)?)?;
    if let Some(torn) = survey.torn.first() {
        return Err(is_torn(torn));
    }
    if survey.documents != base.documents {
        let message = format!(
            "the target {} held {} documents before this run, and {} of them are there now",
            target.database().display(),
            base.documents,
            survey.documents
        );
        return Err(EndError::refusal(message, Hint::LookWhoWrites));
    }
    Ok(Some(survey.existing))
}

/// Where large indexes spill: files without a name, which are gone with the process.
fn scratch(files: &dyn Files, folder: &Path) -> Result<PathBuf, DiskError> {
    files.create_folders(folder)?;
    Ok(folder.to_owned())
}

/// Whether the disk is likely to hold the target.
pub(super) fn check_disk(
    files: &dyn Files,
    request: &TargetRequest,
    target: &TargetFolder,
) -> Result<(), EndError> {
    if request.skip_disk_check {
        return Ok(());
    }
    let Some(mut needed) = request.source.estimated_target_bytes() else { return Ok(()) };
    if target.compression != Compression::None {
        needed /= 2;
    }
    let free = files.free_bytes(&target.root)?;
    if free < needed {
        let message = format!(
            "the target needs about {}, and {} are free at {}",
            size(needed),
            size(free),
            target.root.display()
        );
        return Err(EndError::refusal(message, Hint::MakeRoom));
    }
    Ok(())
}
