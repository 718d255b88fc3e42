//! The records of a journal: 128 bytes each, with a checksum.

use crate::ends::{Action, ContentHash, Found};
use crate::store::{At, DiskError, Key, OpenFile};

/// The length of a record, in bytes.
pub const RECORD_BYTES: usize = 128;
/// What a record of the journal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A job is about to be written.
    Job(JobRecord),
    /// Nothing of this job is left in the target by this run, and its record counts no more.
    Withdrawn(Key),
    /// The batch is done whose job records are the last ones before this.
    Completed {
        /// Jobs of the batch, withdrawn ones included.
        jobs: u64,
    },
}

/// What the journal says of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// The key of its job id.
    pub key: Key,
    /// The `_id` of its job, metrics and metadata.
    pub id: [u8; 12],
    /// What is to be done.
    pub action: Action,
    /// What each collection held of it.
    pub found: [Found; 4],
    /// How many events it has.
    pub events: u32,
    /// The first 16 bytes of the BLAKE3 hash of the legacy document.
    pub legacy: [u8; 16],
    /// The hash over the documents that are about to stand in each collection.
    pub target: [ContentHash; 4],
    /// Where its details begin in the details file; 0 where it has none.
    pub details: u64,
}

/// What does not fit into a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The job id, where it is not the hex of the `_id`.
    pub job_id: Vec<u8>,
    /// Which of the events were there before, by position, where some were and some were not.
    pub events_before: Vec<bool>,
}

impl Details {
    pub(super) fn is_needed(&self) -> bool {
        !self.job_id.is_empty() || !self.events_before.is_empty()
    }

    /// The details as they stand in their file: the job id, and a bit for each event, each after
    /// its length as a little-endian 32-bit number.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let length = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
        let mut bytes = Vec::new();
        bytes.extend(length(self.job_id.len()));
        bytes.extend(&self.job_id);
        bytes.extend(length(self.events_before.len()));
        let bits = self.events_before.chunks(8).map(|bits| {
            let set = bits.iter().enumerate().filter(|(_, set)| **set);
            set.fold(0_u8, |byte, (bit, _)| byte | 1 << bit)
        });
        bytes.extend(bits);
        bytes
    }

    /// Reads the details that begin at an offset of their file.
    ///
    /// # Errors
    /// Where they are not wholly there.
    pub(super) fn read(file: &dyn OpenFile, at: u64) -> Result<Details, DiskError> {
        let (job_id, at) = read_part(file, at, 1)?;
        let (bits, _) = read_part(file, at, 8)?;
        let events_before = (0..bits.count).map(|at| bits.bytes[at / 8] >> (at % 8) & 1 == 1);
        Ok(Details { job_id: job_id.bytes, events_before: events_before.collect() })
    }
}

/// A part of details: how many things it holds, and the bytes that they take.
struct Part {
    count: usize,
    bytes: Vec<u8>,
}

/// Reads a part, with so many things in a byte; and tells where it ends.
fn read_part(file: &dyn OpenFile, at: u64, in_a_byte: u32) -> Result<(Part, u64), DiskError> {
    let mut length = [0; 4];
    file.read_exact_at(&mut length, at)?;
    let count = u32::from_le_bytes(length);
    let (begin, length) = (at + 4, count.div_ceil(in_a_byte));
    let end = begin + u64::from(length);
    if end > file.length()? {
        let torn = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        return Err(torn).at("reading", file.path());
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, begin)?;
    Ok((Part { count: usize::try_from(count).unwrap_or(usize::MAX), bytes }, end))
}

const JOB: u8 = 1;
const WITHDRAWN: u8 = 2;
const COMPLETED: u8 = 3;

impl Record {
    /// The record as it stands in the file.
    pub fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        match self {
            Record::Job(job) => {
                bytes[0] = JOB;
                bytes[1] = match job.action {
                    Action::Insert => 1,
                    Action::Complete => 2,
                    Action::Replace => 3,
                };
                bytes[2] = job.found.iter().enumerate().fold(0, |packed, (at, found)| {
                    let code = match found {
                        Found::Absent => 0,
                        Found::Same => 1,
                        Found::Partly => 2,
                        Found::Other => 3,
                    };
                    packed | code << (2 * at)
                });
                bytes[4..8].copy_from_slice(&job.events.to_le_bytes());
                bytes[8..24].copy_from_slice(&job.key);
                bytes[24..36].copy_from_slice(&job.id);
                bytes[36..44].copy_from_slice(&job.details.to_le_bytes());
                bytes[44..60].copy_from_slice(&job.legacy);
                bytes[60..124].copy_from_slice(job.target.as_flattened());
            }
            Record::Withdrawn(key) => {
                bytes[0] = WITHDRAWN;
                bytes[8..24].copy_from_slice(key);
            }
            Record::Completed { jobs } => {
                bytes[0] = COMPLETED;
                bytes[8..16].copy_from_slice(&jobs.to_le_bytes());
            }
        }
        let checksum = crc32(&bytes[..124]);
        bytes[124..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads a record; none where it is torn or of no known kind.
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Option<Record> {
        let array = |from: usize| -> [u8; 16] {
            std::array::from_fn(|at| bytes.get(from + at).copied().unwrap_or_default())
        };
        let number = |from: usize| -> [u8; 8] { std::array::from_fn(|at| bytes[from + at]) };
        let checksum: [u8; 4] = std::array::from_fn(|at| bytes[124 + at]);
        if crc32(&bytes[..124]).to_le_bytes() != checksum {
            return None;
        }
        Some(match bytes[0] {
            JOB => Record::Job(JobRecord {
                action: match bytes[1] {
                    1 => Action::Insert,
                    2 => Action::Complete,
                    3 => Action::Replace,
                    _ => return None,
                },
                found: std::array::from_fn(|at| match bytes[2] >> (2 * at) & 3 {
                    0 => Found::Absent,
                    1 => Found::Same,
                    2 => Found::Partly,
                    _ => Found::Other,
                }),
                events: u32::from_le_bytes(std::array::from_fn(|at| bytes[4 + at])),
                key: array(8),
                id: std::array::from_fn(|at| bytes[24 + at]),
                details: u64::from_le_bytes(number(36)),
                legacy: array(44),
                target: [array(60), array(76), array(92), array(108)],
            }),
            WITHDRAWN => Record::Withdrawn(array(8)),
            COMPLETED => Record::Completed { jobs: u64::from_le_bytes(number(8)) },
            _ => return None,
        })
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    CRC.checksum(bytes)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::store::{Files, Memory, Open};

    fn job() -> JobRecord {
        JobRecord {
            key: [1; 16],
            id: [2; 12],
            action: Action::Complete,
            found: [Found::Absent, Found::Partly, Found::Same, Found::Other],
            events: 77,
            legacy: [3; 16],
            target: [[4; 16], [5; 16], [6; 16], [7; 16]],
            details: 99,
        }
    }

    #[test]
    fn a_record_comes_back_and_a_torn_one_does_not() {
        for record in [
            Record::Job(job()),
            Record::Job(JobRecord { action: Action::Replace, ..job() }),
            Record::Withdrawn([9; 16]),
            Record::Completed { jobs: 12 },
        ] {
            let bytes = record.to_bytes();
            assert_eq!(Record::from_bytes(&bytes), Some(record));
            for at in 0..RECORD_BYTES {
                let mut torn = bytes;
                torn[at] ^= 0x40;
                assert_eq!(Record::from_bytes(&torn), None, "byte {at}");
            }
        }
        assert_eq!(Record::from_bytes(&[0; RECORD_BYTES]), None);
    }

    fn read(bytes: &[u8]) -> Option<Details> {
        let mut file = Memory::new().open(Path::new("/details"), Open::New).unwrap();
        file.put(bytes).unwrap();
        Details::read(file.as_ref(), 0).ok()
    }

    #[test]
    fn details_hold_the_job_id_and_a_bit_for_each_event() {
        let events_before = vec![true, false, false, false, false, false, false, false, true];
        let details = Details { job_id: b"a-novel".to_vec(), events_before };
        assert_eq!(details.bytes(), b"\x07\0\0\0a-novel\x09\0\0\0\x01\x01");
        assert_eq!(read(&details.bytes()), Some(details.clone()));
        assert_eq!(read(b"\x07\0\0\0a-nov"), None);
        assert!(details.is_needed() && !Details::default().is_needed());
    }
}
