//! Whether a journal says all that a checkpoint vouches for.

use super::record::{Details, Record};
use super::{JournalLengths, Reader, RunFolder};
use crate::run::{Refusal, RunError};
use crate::store::{DiskError, Open, OpenFile, key_of};
use reshelve_core::raw::hex;

/// Reads the journal up to a checkpoint, once, a record at a time.
///
/// # Errors
/// Refused where it is damaged or too short, or does not agree with its details; others where it
/// cannot be read.
pub(crate) fn check(folder: &RunFolder, at: JournalLengths) -> Result<(), RunError> {
    if at.records == 0 {
        return Ok(());
    }
    let path = folder.journal_file();
    let refused = |detail: String| RunError::from(Refusal::Journal { path: path.clone(), detail });
    let missing = |error: DiskError| match error.is_absent() {
        true => Refusal::Journal { path: error.path, detail: "is not there".to_owned() }.into(),
        false => RunError::from(error),
    };
    let mut reader = Reader::of_run(folder).map_err(missing)?;
    let details_path = folder.journal_details_file();
    let details = folder.files().open(&details_path, Open::Read).map_err(missing)?;
    if details.length()? < at.details {
        let detail = format!("is shorter than {} bytes", at.details);
        return Err(Refusal::Journal { path: details_path, detail }.into());
    }
    while reader.offset < at.records {
        let from = reader.offset;
        let is_whole = match reader.next_record()? {
            None => false,
            Some(Record::Job(job)) => {
                let id = hex(&job.id).into_bytes();
                job_id(details.as_ref(), job.details, id).is_some_and(|id| key_of(&id) == job.key)
            }
            Some(_) => true,
        };
        if !is_whole {
            return Err(refused(format!("is damaged at byte offset {from}")));
        }
    }
    Ok(())
}

/// The job id of a record, with its details at an offset; none if they cannot be read.
fn job_id(details: &dyn OpenFile, at: u64, id: Vec<u8>) -> Option<Vec<u8>> {
    match at {
        0 => Some(id),
        at => {
            let Details { job_id, .. } = Details::read(details, at).ok()?;
            Some(if job_id.is_empty() { id } else { job_id })
        }
    }
}
