//! The journal of a run: for each job that the run is about to write or to replace, what the target
//! held of it and what is about to stand there. It is written ahead of the target.
//!
//! `journal.bin` is a row of records of 128 bytes; what does not fit a record, such as job ids that
//! do not follow from the `_id`, stands in `journal-details.bin`. A batch ends with a completion
//! record. In a batch without one, any subset of the documents that its records name may have been
//! written; nothing else may. A job of which nothing is left, because the target did not take it,
//! is withdrawn before the completion record.
//!
//! The first record of a job says what was there before the run. A later one, after a resume, says
//! what else the run may have written.

mod read;
mod record;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::run_folder::RunFolder;
use crate::ends::Action;
use crate::store::{Appender, DiskError, Files, Key, OpenFile};

pub use read::Reader;
pub(crate) use read::{Index, replaced};
pub use record::{Details, JobRecord, RECORD_BYTES, Record};

/// How the first record of the file begins: its version.
const HEADER: &[u8; 20] = b"reshelve.journal/1\n\0";

/// How long the files of a journal are, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLengths {
    /// `journal.bin`.
    pub records: u64,
    /// `journal-details.bin`.
    pub details: u64,
}

/// The journal of a run that writes.
#[derive(Debug)]
pub(crate) struct Journal {
    records: Appender,
    details: Appender,
    folder: RunFolder,
    /// What an earlier process wrote down after the checkpoint, and what may stand in the target.
    begun: Option<Index>,
    /// Jobs since the last completion record.
    jobs: u64,
}

/// What an earlier process wrote down of a job, after the checkpoint that the run resumes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) action: Action,
    pub(crate) record: JobRecord,
    /// Which of its events were there before, where some were and some were not.
    pub(crate) events_before: Vec<bool>,
}

/// What an earlier process wrote after the checkpoint that a run resumes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// It is undone: the target is cut back to the position of the checkpoint.
    Undone,
    /// It may stand in the target.
    Stands,
}

impl Journal {
    /// Opens the journal of a run that is at these lengths.
    pub(crate) fn open(
        folder: &RunFolder,
        at: JournalLengths,
        tail: Tail,
    ) -> Result<Self, DiskError> {
        let (records, details) = (folder.journal_file(), folder.journal_details_file());
        let files = folder.files();
        let mut lengths = at;
        let mut begun = None;
        if tail == Tail::Stands && files.exists(&records)? {
            lengths = whole_lengths(files, &records, &details)?;
            if lengths.records > at.records {
                begun = Some(Index::of_jobs(folder, at.records, |_| true)?);
            }
        }
        let mut journal = Journal {
            records: Appender::open(files, &records, lengths.records)?,
            details: Appender::open(files, &details, lengths.details)?,
            folder: folder.clone(),
            begun,
            jobs: 0,
        };
        if lengths.records == 0 {
            let mut header = [0; RECORD_BYTES];
            header[..HEADER.len()].copy_from_slice(HEADER);
            journal.records.append(&header)?;
        }
        if lengths.details == 0 {
            // No details begin at 0: that means that there are none.
            journal.details.append(HEADER)?;
        }
        Ok(journal)
    }

    /// What an earlier process wrote down of a job after the checkpoint, where it did.
    pub(crate) fn begun(&self, key: &Key) -> Result<Option<Begun>, DiskError> {
        let Some(index) = &self.begun else { return Ok(None) };
        let Some(record) = index.get(key)? else { return Ok(None) };
        let events_before = match record.details {
            0 => Vec::new(),
            at => read::details(&self.folder, at)?.events_before,
        };
        Ok(Some(Begun { action: record.action, record, events_before }))
    }

    /// Writes down that a job is about to be written.
    pub(crate) fn job(&mut self, mut job: JobRecord, details: &Details) -> Result<(), DiskError> {
        if details.is_needed() {
            job.details = self.details.length();
            self.details.append(&details.bytes())?;
        }
        self.jobs += 1;
        self.records.append(&Record::Job(job).to_bytes())
    }

    /// Writes down that nothing is left of a job.
    pub(crate) fn withdraw(&mut self, key: Key) -> Result<(), DiskError> {
        self.records.append(&Record::Withdrawn(key).to_bytes())
    }

    /// Writes down that the batch is done, where it had jobs.
    pub(crate) fn complete(&mut self) -> Result<(), DiskError> {
        let jobs = std::mem::take(&mut self.jobs);
        if jobs == 0 {
            return Ok(());
        }
        self.records.append(&Record::Completed { jobs }.to_bytes())
    }

    /// Returns when everything that was written is durable.
    pub(crate) fn sync(&mut self) -> Result<(), DiskError> {
        // Details first: a record must not point to what is not there.
        self.details.sync()?;
        self.records.sync()
    }

    /// Hands everything to the operating system; a sync makes it durable.
    pub(crate) fn flush(&mut self) -> Result<(), DiskError> {
        self.details.flush()?;
        self.records.flush()
    }

    pub(crate) fn lengths(&self) -> JournalLengths {
        JournalLengths { records: self.records.length(), details: self.details.length() }
    }

    pub(crate) fn handles(&self) -> Result<Vec<Box<dyn OpenFile>>, DiskError> {
        Ok(vec![self.details.handle()?, self.records.handle()?])
    }
}

/// How much of a journal a killed process left whole. What lies after the first record that is
/// torn was never synced, so nothing of it was sent to the target.
fn whole_lengths(
    files: &dyn Files,
    records: &Path,
    details: &Path,
) -> Result<JournalLengths, DiskError> {
    let mut reader = Reader::open(files, records, 0)?;
    let mut details_length = files.look(details)?.map_or(0, |found| found.length);
    while reader.next_record()?.is_some() {}
    if reader.offset == 0 {
        details_length = 0;
    }
    Ok(JournalLengths { records: reader.offset, details: details_length })
}
