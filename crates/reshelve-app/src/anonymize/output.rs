//! Where a copy goes: it is written beside its place, and gets its name when it is whole and clean.

use std::path::Path;

use reshelve::anonymize::{AnonymizeError, Copies};
use reshelve::generate::{self, Documents, GenerateError, Output};
use reshelve::store::{Disk, Files, folder_of};

use super::failure;
use crate::beside::{Beside, sync};
use crate::failure::Failure;
use crate::hints;

/// Refuses to write where something is, a broken link too.
pub(super) fn refuse_existing(out: &Path, hint: &str) -> Result<(), Failure> {
    if out.symlink_metadata().is_ok() || Disk.exists(out).unwrap_or(true) {
        return Err(Failure::refused(format!("{} already exists", out.display()), hint));
    }
    Ok(())
}

/// Writes all copies beside the place of the output. `tell` hears how much of the source was read.
pub(super) fn write(
    copies: &mut Copies<'_>,
    output: &Output,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Beside, Failure> {
    Disk.create_folders(folder_of(&output.path))?;
    let written = Beside::new(&output.path);
    let temporary = Output { path: written.path().to_owned(), ..output.clone() };
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

/// Gives the copy its name, durably. It is synced before the look at that name: what takes long must
/// not come in between.
pub(super) fn keep(written: Beside, out: &Path) -> Result<(), Failure> {
    sync(written.path())?;
    refuse_existing(out, hints::anonymize::COPY_ELSEWHERE)?;
    Ok(written.name(out)?)
}
