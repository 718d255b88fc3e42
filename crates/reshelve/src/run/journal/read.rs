//! Reading a journal: in order, and by key.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::record::{Details, JobRecord, RECORD_BYTES, Record};
use super::{HEADER, RunFolder, damaged};
use crate::ends::{Action, ReplacedJobs};
use crate::store::{At, DiskError, Files, Key, Open, OpenFile, Sorted, Sorter};

/// Most entries of an index in memory, 25 bytes each; the rest goes to sorted files.
const HELD_MAX: usize = 1 << 18;
/// The length of a record.
const RECORD_LENGTH: u64 = 128;

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

    pub(super) fn open(files: &dyn Files, path: &Path, offset: u64) -> Result<Self, DiskError> {
        let mut file = files.open(path, Open::Read)?;
        file.seek(SeekFrom::Start(offset)).at("seeking in", path)?;
        Ok(Reader { path: path.to_owned(), file: BufReader::with_capacity(1 << 16, file), offset })
    }

    /// Where the header ends; 0 while it was not met.
    pub(super) fn header_end(&self) -> u64 {
        self.offset.min(RECORD_LENGTH)
    }

    /// The next record; none at the end, and where a record is torn.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn next_record(&mut self) -> Result<Option<Record>, DiskError> {
        loop {
            let mut bytes = [0; RECORD_BYTES];
            match self.file.read_exact(&mut bytes) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error).at("reading", &self.path),
            }
            let is_header = self.offset == 0 && bytes.starts_with(HEADER);
            let record = Record::from_bytes(&bytes);
            if record.is_none() && !is_header {
                return Ok(None);
            }
            self.offset += u64::try_from(RECORD_BYTES).unwrap_or(0);
            if record.is_some() {
                return Ok(record);
            }
        }
    }
}

/// Finds the first record of a job by its key, without holding the journal in memory.
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
        wanted: impl Fn(&JobRecord) -> bool,
    ) -> Result<Self, DiskError> {
        let (files, path, scratch) = (folder.files(), folder.journal_file(), folder.path());
        let mut all = Sorter::<25>::new(scratch, HELD_MAX);
        let mut reader = Reader::open(files, &path, records.start)?;
        while reader.offset < records.end {
            let Some(record) = reader.next_record()? else {
                // After the header there may be nothing yet.
                if reader.offset >= records.end {
                    break;
                }
                return Err(damaged(&path, reader.offset));
            };
            let (key, is_withdrawn) = match record {
                Record::Job(job) if wanted(&job) => (job.key, 0),
                Record::Withdrawn(key) => (key, 1),
                _ => continue,
            };
            let mut entry = [0; 25];
            entry[..16].copy_from_slice(&key);
            entry[16..24].copy_from_slice(&(reader.offset - RECORD_LENGTH).to_be_bytes());
            entry[24] = is_withdrawn;
            all.add(entry)?;
        }
        // A withdrawn record takes back those of the same job before it.
        let mut standing = Sorter::new(scratch, HELD_MAX);
        let mut first: Option<[u8; 25]> = None;
        let mut failed = Ok(());
        all.finish()?.each(|entry| {
            let is_same = first.is_some_and(|first| first[..16] == entry[..16]);
            if !is_same && let Some(first) = first.take() {
                keep(&mut standing, &first, &mut failed);
            }
            match (entry[24], first) {
                (1, _) => first = None,
                (_, None) => first = Some(*entry),
                _ => {}
            }
        })?;
        if let Some(first) = first {
            keep(&mut standing, &first, &mut failed);
        }
        failed?;
        Ok(Index { file: files.open(&path, Open::Read)?, records: standing.finish()? })
    }

    /// The first record of a job that stands.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<JobRecord>, DiskError> {
        let Some(entry) = self.records.get(key)? else { return Ok(None) };
        let offset = u64::from_be_bytes(std::array::from_fn(|at| entry[16 + at]));
        let mut bytes = [0; RECORD_BYTES];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(match Record::from_bytes(&bytes) {
            Some(Record::Job(job)) => Some(job),
            _ => None,
        })
    }
}

impl ReplacedJobs for Index {
    fn is_replaced(&self, job: &Key) -> Result<bool, DiskError> {
        Ok(self.records.get(job)?.is_some())
    }
}

fn keep(standing: &mut Sorter<24>, entry: &[u8; 25], failed: &mut Result<(), DiskError>) {
    let entry = std::array::from_fn(|at| entry[at]);
    if let Err(error) = standing.add(entry) {
        *failed = Err(error);
    }
}

/// The jobs of a run that replaced an earlier version; `end` is the length of its journal.
pub(crate) fn replaced(folder: &RunFolder, end: u64) -> Result<Index, DiskError> {
    let wanted = |job: &JobRecord| job.action == Action::Replace;
    Index::of_jobs(folder, 0..end, wanted)
}

/// The most bytes that details take: a job id of 128 bytes, and a bit for each event.
const DETAILS_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The details that begin at an offset.
pub(super) fn details(folder: &RunFolder, at: u64) -> Result<Details, DiskError> {
    let path = &folder.journal_details_file();
    let mut file = folder.files().open(path, Open::Read)?;
    file.seek(SeekFrom::Start(at)).at("seeking in", path)?;
    let mut bytes = Vec::new();
    let mut reader = BufReader::new(file.take(DETAILS_BYTES_MAX));
    let mut part = [0; 4];
    // Two parts, each after its length.
    for divisor in [1, 8] {
        reader.read_exact(&mut part).at("reading", path)?;
        bytes.extend(part);
        let length = u64::from(u32::from_le_bytes(part)).div_ceil(divisor);
        reader.by_ref().take(length).read_to_end(&mut bytes).at("reading", path)?;
    }
    let torn = || std::io::Error::other("the details of a job are torn");
    Details::from_bytes(&bytes).ok_or_else(torn).at("reading", path)
}
