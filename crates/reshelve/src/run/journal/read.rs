//! Reading a journal: in order, and by key.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::record::{JobRecord, RECORD_BYTES, Record};
use super::{HEADER, RunFolder, damaged};
use crate::ends::{Action, JobSet};
use crate::store::{At, DiskError, Files, Key, Open, OpenFile, Sorted, Sorter};

/// Most entries of an index in memory, 25 bytes each; the rest goes to sorted files.
const HELD_MAX: usize = 1 << 18;
/// The length of a record.
const RECORD_LENGTH: u64 = 128;
/// An entry of an index for the record of a job …
const STANDING: u8 = 0;
/// … and for one that withdraws it.
const WITHDRAWN: u8 = 1;

/// Reads the records of a journal, in order, up to the first one that is torn.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: BufReader<Box<dyn OpenFile>>,
    /// Where the next record begins.
    pub(super) offset: u64,
}

impl Reader {
    /// Opens the journal of a run at its beginning.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn of_run(folder: &RunFolder) -> Result<Self, DiskError> {
        Reader::open(folder.files(), &folder.journal_file(), 0)
    }

    /// Opens a journal at a record; the first one comes after the header. Without a whole header of
    /// this version there are no records, and the offset is 0.
    pub(super) fn open(files: &dyn Files, path: &Path, offset: u64) -> Result<Self, DiskError> {
        let mut file = files.open(path, Open::Read)?;
        let has_header = file.length()? >= RECORD_LENGTH && {
            let mut header = [0; HEADER.len()];
            file.read_exact_at(&mut header, 0)?;
            header == *HEADER
        };
        let offset = if has_header { offset.max(RECORD_LENGTH) } else { 0 };
        file.seek(SeekFrom::Start(offset)).at("seeking in", path)?;
        Ok(Reader { path: path.to_owned(), file: BufReader::with_capacity(1 << 16, file), offset })
    }

    /// The next record; none at the end, and where a record is torn.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn next_record(&mut self) -> Result<Option<Record>, DiskError> {
        if self.offset == 0 {
            return Ok(None);
        }
        let mut bytes = [0; RECORD_BYTES];
        match self.file.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error).at("reading", &self.path),
        }
        let record = Record::from_bytes(&bytes);
        if record.is_some() {
            self.offset += RECORD_LENGTH;
        }
        Ok(record)
    }
}

/// Which of the records of a job that stand counts: a resumed run may name it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// What was there before the run.
    First,
    /// What the run wrote at last.
    Last,
}

/// Finds the first or the last record of a job by its key, without holding the journal in memory.
#[derive(Debug)]
pub(crate) struct Index {
    file: Box<dyn OpenFile>,
    /// Key, and where the record begins, big-endian: the first one of a key sorts first.
    records: Sorted<24>,
}

impl Index {
    /// An index over the jobs of a part of a journal that are wanted and were not withdrawn; large
    /// ones spill into the run's folder.
    ///
    /// # Errors
    /// If the journal cannot be read to the end of that part.
    pub(crate) fn of_jobs(
        folder: &RunFolder,
        records: Range<u64>,
        which: Which,
        wanted: impl Fn(&JobRecord) -> bool,
    ) -> Result<Self, DiskError> {
        let (files, path, scratch) = (folder.files(), folder.journal_file(), folder.scratch());
        let mut all = Sorter::<25>::new(&scratch, HELD_MAX);
        let mut reader = Reader::open(files, &path, records.start)?;
        while reader.offset < records.end {
            let Some(record) = reader.next_record()? else {
                return Err(damaged(&path, reader.offset));
            };
            let (key, kind) = match record {
                Record::Job(job) if wanted(&job) => (job.key, STANDING),
                Record::Withdrawn(key) => (key, WITHDRAWN),
                _ => continue,
            };
            let mut entry = [0; 25];
            entry[..16].copy_from_slice(&key);
            entry[16..24].copy_from_slice(&(reader.offset - RECORD_LENGTH).to_be_bytes());
            entry[24] = kind;
            all.add(entry)?;
        }
        // A withdrawn record takes back those of the same job before it.
        let mut standing = Sorter::new(scratch, HELD_MAX);
        let mut chosen: Option<[u8; 25]> = None;
        let mut keep = |entry: [u8; 25]| standing.add(std::array::from_fn(|at| entry[at]));
        all.finish()?.each(|entry| {
            if let Some(earlier) = chosen.take_if(|chosen| chosen[..16] != entry[..16]) {
                keep(earlier)?;
            }
            match entry[24] {
                WITHDRAWN => chosen = None,
                _ if which == Which::Last => chosen = Some(*entry),
                _ => chosen = chosen.or(Some(*entry)),
            }
            Ok(())
        })?;
        if let Some(last) = chosen {
            keep(last)?;
        }
        Ok(Index { file: files.open(&path, Open::Read)?, records: standing.finish()? })
    }

    /// How many jobs there are.
    pub(crate) fn jobs(&self) -> u64 {
        self.records.len()
    }

    /// The record of a job that stands.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<JobRecord>, DiskError> {
        match self.records.get(key)? {
            Some(entry) => record_of(self.file.as_ref(), &entry),
            None => Ok(None),
        }
    }

    /// Gives the record of each job that stands, in the order of their keys.
    ///
    /// # Errors
    /// If the journal cannot be read, or `give` fails.
    pub(crate) fn each<E: From<DiskError>>(
        &self,
        mut give: impl FnMut(JobRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut failed = None;
        self.records.each(|entry| {
            if failed.is_none()
                && let Some(job) = record_of(self.file.as_ref(), entry)?
            {
                failed = give(job).err();
            }
            Ok(())
        })?;
        failed.map_or(Ok(()), Err)
    }
}

/// The record of a job that an entry of an index names.
fn record_of(file: &dyn OpenFile, entry: &[u8; 24]) -> Result<Option<JobRecord>, DiskError> {
    let offset = u64::from_be_bytes(std::array::from_fn(|at| entry[16 + at]));
    let mut bytes = [0; RECORD_BYTES];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(match Record::from_bytes(&bytes) {
        Some(Record::Job(job)) => Some(job),
        _ => None,
    })
}

impl JobSet for Index {
    fn has(&self, job: &Key) -> Result<bool, DiskError> {
        Ok(self.records.get(job)?.is_some())
    }
}

/// The jobs of a run that replaced an earlier version; `end` is the length of its journal.
pub(crate) fn replaced(folder: &RunFolder, end: u64) -> Result<Index, DiskError> {
    let wanted = |job: &JobRecord| job.action == Action::Replace;
    Index::of_jobs(folder, 0..end, Which::First, wanted)
}

/// The jobs that a run wrote; `end` is the length of its journal.
pub(crate) fn written(folder: &RunFolder, end: u64) -> Result<Index, DiskError> {
    Index::of_jobs(folder, 0..end, Which::Last, |_| true)
}
