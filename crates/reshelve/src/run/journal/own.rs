//! The jobs that a run wrote, as its journal tells at the end: what was there before, by the first
//! record of a job, and what the run wrote, by the last one.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::ops::Range;

use super::read::{Index, Reader, Which};
use super::record::{Details, JobRecord, Record};
use super::{JournalLengths, RunFolder};
use crate::ends::{Action, EndError, NamedJobs, OwnJob, Wrote};
use crate::store::{DiskError, Key, Open, OpenFile, key_of};
use reshelve_core::raw::hex;

/// Finds what a run wrote of a job, without holding the journal in memory.
#[derive(Debug)]
pub(crate) struct Own {
    /// None of a run that has no journal yet.
    journal: Option<Indexed>,
}

#[derive(Debug)]
struct Indexed {
    first: Index,
    last: Index,
    details: Box<dyn OpenFile>,
    /// The jobs of a batch that was not completed.
    open: HashSet<Key>,
    /// How many jobs were named to be replaced, and were not after all.
    withdrawn: u64,
}

impl Own {
    /// The jobs of a journal that is this long.
    pub(crate) fn of_run(folder: &RunFolder, lengths: JournalLengths) -> Result<Self, DiskError> {
        if lengths.records == 0 {
            return Ok(Own { journal: None });
        }
        Own::of_part(folder, 0..lengths.records)
    }

    /// The jobs that a killed process had named after a checkpoint.
    pub(crate) fn of_tail(folder: &RunFolder, at: JournalLengths) -> Result<Self, DiskError> {
        let whole = super::whole(folder, at)?;
        match whole.records > at.records {
            true => Own::of_part(folder, at.records..whole.records),
            false => Ok(Own { journal: None }),
        }
    }

    fn of_part(folder: &RunFolder, part: Range<u64>) -> Result<Self, DiskError> {
        let index = |which| Index::of_jobs(folder, part.clone(), which, |_| true);
        let (first, last) = (index(Which::First)?, index(Which::Last)?);
        let details = folder.files().open(&folder.journal_details_file(), Open::Read)?;
        let [open, taken_out] = open_batch(folder, part.end)?;
        let withdrawn = not_replaced(folder, part.end, taken_out, &first)?;
        Ok(Own { journal: Some(Indexed { first, last, details, open, withdrawn }) })
    }

    /// How many jobs there are.
    pub(crate) fn jobs(&self) -> u64 {
        self.journal.as_ref().map_or(0, |journal| journal.first.jobs())
    }

    /// How many jobs were named to be replaced, and were not after all: the earlier version of such a
    /// job may have been kept.
    pub(crate) fn withdrawn(&self) -> u64 {
        self.journal.as_ref().map_or(0, |journal| journal.withdrawn)
    }

    /// What the run wrote of a job.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<OwnJob>, DiskError> {
        let Some(journal) = &self.journal else { return Ok(None) };
        let Some(first) = journal.first.get(key)? else { return Ok(None) };
        journal.job(first).map(Some)
    }

    /// Gives each job whose key comes after this one, in the order of their keys.
    pub(crate) fn each(
        &self,
        after: Option<Key>,
        give: &mut dyn FnMut(OwnJob) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        let Some(journal) = &self.journal else { return Ok(()) };
        journal.first.each(|first| {
            if after.is_some_and(|after| first.key <= after) {
                return Ok(());
            }
            give(journal.job(first)?)
        })
    }
}

/// The jobs that a run may have written, read from its journal where somebody asks.
#[derive(Debug)]
pub(crate) struct Named<'f> {
    folder: &'f RunFolder,
    after: JournalLengths,
    own: OnceCell<Own>,
    settled: OnceCell<Own>,
}

impl<'f> Named<'f> {
    /// Those that were named after a checkpoint, at which the journal was so long.
    pub(crate) fn of_tail(folder: &'f RunFolder, after: JournalLengths) -> Self {
        Named { folder, after, own: OnceCell::new(), settled: OnceCell::new() }
    }
}

impl NamedJobs for Named<'_> {
    fn get(&self, job: &Key) -> Result<Option<OwnJob>, DiskError> {
        read_once(&self.own, || Own::of_tail(self.folder, self.after))?.get(job)
    }

    fn settled(&self, job: &Key) -> Result<Option<OwnJob>, DiskError> {
        read_once(&self.settled, || Own::of_run(self.folder, self.after))?.get(job)
    }
}

/// What was read before, or is read now.
fn read_once(
    known: &OnceCell<Own>,
    read: impl FnOnce() -> Result<Own, DiskError>,
) -> Result<&Own, DiskError> {
    match known.get() {
        Some(own) => Ok(own),
        None => {
            let own = read()?;
            Ok(known.get_or_init(|| own))
        }
    }
}

impl Indexed {
    fn job(&self, first: JobRecord) -> Result<OwnJob, DiskError> {
        let details = match first.details {
            0 => Details::default(),
            at => Details::read(self.details.as_ref(), at)?,
        };
        let JobRecord { key, id, action, found, .. } = first;
        let last = self.last.get(&key)?.unwrap_or(first);
        let job_id = match details.job_id {
            id_itself if id_itself.is_empty() => hex(&id).into_bytes(),
            job_id => job_id,
        };
        if key_of(&job_id) != key {
            let what = "the details of a job are damaged, or belong to another one";
            let source = std::io::Error::new(std::io::ErrorKind::InvalidData, what);
            let path = self.details.path().to_owned();
            return Err(DiskError { action: "reading", path, source });
        }
        let events_before = details.events_before;
        let wrote = Wrote { hashes: last.target, events: last.events };
        let is_open = self.open.contains(&key);
        Ok(OwnJob { key, job_id, id, action, found, events_before, wrote, is_open })
    }
}

/// The jobs of batches that were not completed, and those that a record withdraws. A completion record
/// is about the last jobs before it: those of a batch that was cut off earlier may have been in
/// another one since, or not.
fn open_batch(folder: &RunFolder, end: u64) -> Result<[HashSet<Key>; 2], DiskError> {
    let mut reader = Reader::of_run(folder)?;
    let mut open: Vec<Key> = Vec::new();
    let mut completed = HashSet::new();
    let mut withdrawn = HashSet::new();
    while reader.offset < end
        && let Some(record) = reader.next_record()?
    {
        match record {
            Record::Job(job) => open.push(job.key),
            Record::Withdrawn(key) => drop(withdrawn.insert(key)),
            Record::Completed { jobs } => {
                let jobs = usize::try_from(jobs).unwrap_or(usize::MAX);
                let done = open.split_off(open.len().saturating_sub(jobs));
                // Nothing that is open needs to be looked for among them.
                if !open.is_empty() {
                    completed.extend(done);
                }
            }
        }
    }
    open.retain(|key| !completed.contains(key));
    Ok([open.into_iter().collect(), withdrawn])
}

/// How many of the jobs that records withdraw were to be replaced, and stand in no other record.
fn not_replaced(
    folder: &RunFolder,
    end: u64,
    mut withdrawn: HashSet<Key>,
    standing: &Index,
) -> Result<u64, DiskError> {
    let mut replaced = 0;
    let mut reader = Reader::of_run(folder)?;
    while reader.offset < end
        && !withdrawn.is_empty()
        && let Some(record) = reader.next_record()?
    {
        if let Record::Job(job) = record
            && job.action == Action::Replace
            && withdrawn.remove(&job.key)
        {
            replaced += u64::from(standing.get(&job.key)?.is_none());
        }
    }
    Ok(replaced)
}
