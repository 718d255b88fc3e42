//! Where a copy goes: it is written beside its place, and gets its name when it is whole and clean.

use std::path::{Path, PathBuf};

use reshelve::anonymize::{AnonymizeError, Copies};
use reshelve::generate::{self, Documents, GenerateError, Output};
use reshelve::store::{Disk, Files, Kind, Open, folder_of, temporary_beside};

use super::failure;
use crate::failure::Failure;
use crate::hints;

/// Refuses to write where something is, a broken link too.
pub(super) fn refuse_existing(out: &Path, hint: &str) -> Result<(), Failure> {
    if out.symlink_metadata().is_ok() || Disk.exists(out).unwrap_or(true) {
        return Err(Failure::refused(format!("{} already exists", out.display()), hint));
    }
    Ok(())
}

/// A copy that has no name yet; it is removed unless it is kept.
pub(super) struct Written {
    path: Option<PathBuf>,
}

/// Writes all copies beside the place of the output. `tell` hears how much of the source was read.
pub(super) fn write(
    copies: &mut Copies<'_>,
    output: &Output,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Written, Failure> {
    Disk.create_folders(folder_of(&output.path))?;
    let path = temporary_beside(&output.path);
    let written = Written { path: Some(path.clone()) };
    let temporary = Output { path, ..output.clone() };
    let mut stopped: Option<AnonymizeError> = None;
    let mut next = |out: &mut Vec<u8>| match copies.append_next(out) {
        Ok(is_more) => {
            let (documents, bytes) = copies.progress();
            tell(documents, bytes);
            Ok(is_more)
        }
        Err(error) => {
            stopped = Some(error);
            Err(GenerateError::Ended)
        }
    };
    let documents = Documents { next: &mut next, seed: 0 };
    let result = generate::write_documents(documents, &temporary, &mut |_| {});
    match (stopped, result) {
        (Some(error), _) => Err(failure(error)),
        (None, Err(error)) => Err(crate::generate::failed(error)),
        (None, Ok(_)) => Ok(written),
    }
}

impl Written {
    /// Gives the copy its name, durably.
    pub(super) fn keep(mut self, out: &Path) -> Result<(), Failure> {
        let Some(path) = self.path.clone() else { return Ok(()) };
        sync(&path)?;
        refuse_existing(out, hints::anonymize::COPY_ELSEWHERE)?;
        Disk.rename(&path, out)?;
        self.path = None;
        Ok(Disk.sync_folder(folder_of(out))?)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let Some(path) = self.path.take() else { return };
        let is_folder = Disk.is_folder(&path).unwrap_or(false);
        // The caller has a better error to report than this one.
        drop(if is_folder { Disk.remove_folder(&path) } else { Disk.remove_file(&path) });
    }
}

/// Makes a file, or everything in a folder, durable.
fn sync(path: &Path) -> Result<(), Failure> {
    if Disk.look(path)?.is_none_or(|found| found.kind != Kind::Folder) {
        return Ok(Disk.open(path, Open::Read)?.sync_all()?);
    }
    for name in Disk.list(path)? {
        sync(&path.join(name))?;
    }
    Ok(Disk.sync_folder(path)?)
}
