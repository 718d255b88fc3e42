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

mod check;
mod own;
mod read;
mod record;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::run_folder::RunFolder;
use crate::ends::Wrote;
use crate::store::{Appender, DiskError, Key, Open, OpenFile};

pub(crate) use check::check;
pub(crate) use own::{Named, Own};
pub use read::Reader;
pub(crate) use read::{Index, Which, replaced, written};
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
    /// What earlier processes wrote down after the checkpoint, and what may stand in the target.
    begun: Option<Index>,
    /// Where these records begin, if there are any: a run that stops again resumes from there.
    tail_from: Option<JournalLengths>,
    /// Jobs since the last completion record.
    jobs: u64,
}

/// What an earlier process wrote down of a job, after the checkpoint that the run resumes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) record: JobRecord,
    /// Which of its events were there before, where some were and some were not.
    pub(crate) events_before: Vec<bool>,
}

impl Begun {
    /// What was to be written, if it was of another version of the legacy document than this one.
    pub(crate) fn older(&self, fingerprint: &[u8; 32]) -> Option<Wrote> {
        let JobRecord { legacy, target, events, .. } = self.record;
        (!fingerprint.starts_with(&legacy)).then_some(Wrote { hashes: target, events })
    }
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
        let mut tail_from = None;
        if tail == Tail::Stands && files.exists(&records)? {
            lengths = whole_lengths(folder, at)?;
            if lengths.records > at.records {
                let tail = at.records..lengths.records;
                begun = Some(Index::of_jobs(folder, tail, Which::First, |_| true)?);
                tail_from = Some(at);
            }
        }
        let mut journal = Journal {
            records: Appender::open(files, &records, lengths.records)?,
            details: Appender::open(files, &details, lengths.details)?,
            begun,
            tail_from,
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
        // The names are durable before the first batch is sent.
        files.sync_folder(folder.path())?;
        Ok(journal)
    }

    /// What an earlier process wrote down of a job after the checkpoint, where it did.
    pub(crate) fn begun(&self, key: &Key) -> Result<Option<Begun>, DiskError> {
        let Some(index) = &self.begun else { return Ok(None) };
        let Some(record) = index.get(key)? else { return Ok(None) };
        let events_before = match record.details {
            0 => Vec::new(),
            at => Details::read(self.details.handle()?.as_ref(), at)?.events_before,
        };
        Ok(Some(Begun { record, events_before }))
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

    /// Writes down that the jobs since the last completion record are done, if there are any.
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

    /// The lengths that a checkpoint keeps. A process that found a tail keeps where it begins: if
    /// it stops again, the next one must know of the same jobs.
    pub(crate) fn lengths(&self) -> JournalLengths {
        self.tail_from.unwrap_or_else(|| self.written())
    }

    fn written(&self) -> JournalLengths {
        JournalLengths { records: self.records.length(), details: self.details.length() }
    }

    pub(crate) fn handles(&self) -> Result<Vec<Box<dyn OpenFile>>, DiskError> {
        Ok(vec![self.details.handle()?, self.records.handle()?])
    }
}

/// The same of a run that is not at work, whose journal need not be there.
pub(crate) fn whole(folder: &RunFolder, at: JournalLengths) -> Result<JournalLengths, DiskError> {
    match at.records > 0 || folder.files().exists(&folder.journal_file())? {
        true => whole_lengths(folder, at),
        false => Ok(at),
    }
}

/// How much of a journal a killed process left whole. What lies after the first record that is
/// torn, or whose details are not there, was never synced, so nothing of it was sent to the target.
fn whole_lengths(folder: &RunFolder, at: JournalLengths) -> Result<JournalLengths, DiskError> {
    let (files, path) = (folder.files(), folder.journal_file());
    let details = files.open(&folder.journal_details_file(), Open::Write)?;
    let mut reader = Reader::open(files, &path, 0)?;
    let mut records = reader.offset;
    while let Some(record) = reader.next_record()? {
        if let Record::Job(job) = record
            && reader.offset > at.records
            && job.details > 0
            && Details::read(details.as_ref(), job.details).is_err()
        {
            break;
        }
        records = reader.offset;
    }
    let whole = JournalLengths { records, details: details.length()? };
    if whole.records < at.records || whole.details < at.details {
        return Err(damaged(&path, records));
    }
    Ok(if records == 0 { JournalLengths::default() } else { whole })
}

/// A journal that says less than the run vouches for.
fn damaged(path: &Path, at: u64) -> DiskError {
    let what = format!("it is damaged at byte offset {at}, or of another version");
    let source = std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    DiskError { action: "reading", path: path.to_owned(), source }
}
