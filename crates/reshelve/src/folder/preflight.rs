//! What a target folder must be before a run may start on it.

use std::path::{Path, PathBuf};

use super::existing::Survey;
use super::lengths::Lengths;
use super::{Existing, Held, Lock};
use crate::ends::{
    Abandoned, Compression, EndError, Hint, OnExisting, TargetFolder, TargetRequest,
};
use crate::store::{DiskError, Files};
use crate::target_schema::Collection;

/// How many files a refusal names.
const NAMED_MAX: usize = 5;

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
    look_at_lock(files, request, target)?;
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
    let survey = Existing::survey(files, target, None, &scratch(files, &request.scratch)?)?;
    if survey.documents > 0 && request.on_existing == OnExisting::Refuse {
        let files = held.into_iter().filter(|held| held.bytes > 0).map(|held| held.path);
        let message = format!("the target already holds documents: {}", list(files));
        return Err(EndError::refusal(message, Hint::DecideOnExisting));
    }
    check_whole(request, target, &survey)?;
    let base = if survey.documents == 0 { Lengths::default() } else { survey.lengths };
    Ok(Before { seen, base, documents: survey.documents, existing: Some(survey.existing) })
}

fn look_at_lock(
    files: &dyn Files,
    request: &TargetRequest,
    target: &TargetFolder,
) -> Result<(), EndError> {
    let path = target.lock_file();
    match Lock::look(files, &path)? {
        Some((holder, true)) => Err(Lock::is_held(&path, holder.as_ref())),
        Some((Some(holder), false))
            if request.abandoned == Abandoned::Keep && !holder.is_done(files) =>
        {
            Err(Lock::is_abandoned(&path, &holder))
        }
        _ => Ok(()),
    }
}

/// Its files must end with whole documents, and hold each job once.
fn check_whole(
    request: &TargetRequest,
    target: &TargetFolder,
    survey: &Survey,
) -> Result<(), EndError> {
    // What a killed run left behind may end in the middle of a document: a run that takes over
    // cuts that off. A compressed file has no such place to be cut at.
    let may_cut =
        request.abandoned == Abandoned::TakeOver && target.compression == Compression::None;
    if let Some(file) = survey.torn.as_ref().filter(|_| !may_cut) {
        let message = format!(
            "the target file {} is damaged, or ends in the middle of a document",
            file.display()
        );
        return Err(EndError::refusal(message, Hint::MendTheTarget));
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

/// How the lengths of files are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// Nothing may have been added.
    Exactly,
    /// What the run wrote must be there.
    AtLeast,
}

/// Under the lock: the target must still be as it was looked at, and hold what the run wrote.
pub(super) fn check_lengths(
    files: &dyn Files,
    target: &TargetFolder,
    lengths: &Lengths,
    expect: Expect,
) -> Result<(), EndError> {
    for (collection, expected) in Collection::ALL.into_iter().zip(lengths.0) {
        let path = target.file(collection);
        let found = files.look(&path)?.map_or(0, |found| found.length);
        if found < expected || (expect == Expect::Exactly && found > expected) {
            let message = format!(
                "the target file {} has {found} bytes, and {expected} were expected",
                path.display()
            );
            return Err(EndError::refusal(message, Hint::LookWhoWrites));
        }
    }
    Ok(())
}

/// Opens what the target held before a run that is resumed.
pub(super) fn reopen_existing(
    files: &dyn Files,
    target: &TargetFolder,
    base: &Lengths,
    folder: &Path,
) -> Result<Option<Existing>, EndError> {
    if *base == Lengths::default() {
        return Ok(None);
    }
    Ok(Some(Existing::survey(files, target, Some(base), &scratch(files, folder)?)?.existing))
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
    if !request.apply || request.skip_disk_check {
        return Ok(());
    }
    let Some(mut needed) = request.source.estimated_target_bytes() else { return Ok(()) };
    if target.compression != Compression::None {
        needed /= 2;
    }
    let free = files.free_bytes(&target.root)?;
    if free < needed {
        let message = format!(
            "the target needs about {needed} bytes, and {free} are free at {}",
            target.root.display()
        );
        return Err(EndError::refusal(message, Hint::MakeRoom));
    }
    Ok(())
}
