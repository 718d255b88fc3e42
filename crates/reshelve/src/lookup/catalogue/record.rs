//! What is written down of a job for lists: at most [`RECORD_BYTES_MAX`] bytes.

use crate::ends::{JobEntry, JobMark};

/// The longest record, with its length.
pub(super) const RECORD_BYTES_MAX: usize = 512;
/// The length of a record, in front of it.
pub(super) const LENGTH_BYTES: usize = 2;

/// How much of each text is kept. Job ids have at most 128 bytes; statuses are words.
const JOB_ID_BYTES: usize = 128;
pub(super) const TITLE_BYTES: usize = 128;
const PREMISE_BYTES: usize = 112;
const STATUS_BYTES: usize = 16;
const GENRE_BYTES: usize = 43;
/// All that is not text, and the lengths of the texts.
const FIXED_BYTES: usize = 73;
const TEXTS: usize = 5;

const _: () = assert!(
    LENGTH_BYTES
        + FIXED_BYTES
        + TEXTS
        + JOB_ID_BYTES
        + TITLE_BYTES
        + PREMISE_BYTES
        + STATUS_BYTES
        + GENRE_BYTES
        <= RECORD_BYTES_MAX
);

/// Bits of [`Record::bits`].
pub(super) mod bit {
    pub(in super::super) const IN_FLIGHT: u16 = 1;
    pub(in super::super) const FAILURES: u16 = 1 << 1;
    pub(in super::super) const FAILED_CHAPTERS: u16 = 1 << 2;
    pub(in super::super) const ALERTS: u16 = 1 << 3;
    /// Something was spent without a recorded model.
    pub(in super::super) const NO_MODEL: u16 = 1 << 4;
    /// A text is only the beginning of what the document has.
    pub(in super::super) const TITLE_CUT: u16 = 1 << 5;
    pub(in super::super) const PREMISE_CUT: u16 = 1 << 6;
    pub(in super::super) const JOB_ID_CUT: u16 = 1 << 7;
    /// Something was spent in the first stage; the other stages have the bits above.
    pub(in super::super) const FIRST_STAGE: u16 = 1 << 8;
    /// The mapping that was just made of it has warnings.
    pub(in super::super) const WARNED: u16 = 1 << 12;
}

/// [`Record::response`] of a job without an average response time.
pub(super) const NO_RESPONSE: u8 = u8::MAX;

/// A record, read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Record<'r> {
    /// Where the document lies: offset and length, where that means something.
    pub(super) offset: u64,
    pub(super) length: u32,
    /// 0 for none.
    pub(super) era: u8,
    pub(super) bits: u16,
    /// `i64::MIN` for none.
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) activity_ms: i64,
    pub(super) cost_usd: f64,
    pub(super) words: u64,
    pub(super) chapters: u32,
    pub(super) planned: u32,
    pub(super) alerts: [u16; 3],
    /// Places in the list of models, from 1; 0 for none, or none that is told apart.
    pub(super) models: [u8; 3],
    /// The group of its average response time.
    pub(super) response: u8,
    pub(super) job_id: &'r [u8],
    pub(super) title: &'r [u8],
    pub(super) premise: &'r [u8],
    pub(super) status: &'r [u8],
    pub(super) genre: &'r [u8],
}

impl<'r> Record<'r> {
    /// The same with texts that fit, and with the bits that say which were cut.
    pub(super) fn fitted(mut self) -> Self {
        let mut fit = |text: &'r [u8], bytes_max, bit: u16| {
            let kept = beginning(text, bytes_max);
            if kept.len() < text.len() {
                self.bits |= bit;
            }
            kept
        };
        let job_id = fit(self.job_id, JOB_ID_BYTES, bit::JOB_ID_CUT);
        let title = fit(self.title, TITLE_BYTES, bit::TITLE_CUT);
        let premise = fit(self.premise, PREMISE_BYTES, bit::PREMISE_CUT);
        let status = fit(self.status, STATUS_BYTES, 0);
        let genre = fit(self.genre, GENRE_BYTES, 0);
        Record { job_id, title, premise, status, genre, ..self }
    }

    /// Writes a fitted record down, with its length in front.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let begin = out.len();
        out.extend_from_slice(&[0; LENGTH_BYTES]);
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.push(self.era);
        out.extend_from_slice(&self.bits.to_le_bytes());
        out.extend_from_slice(&self.created_ms.to_le_bytes());
        out.extend_from_slice(&self.updated_ms.to_le_bytes());
        out.extend_from_slice(&self.activity_ms.to_le_bytes());
        out.extend_from_slice(&self.cost_usd.to_le_bytes());
        out.extend_from_slice(&self.words.to_le_bytes());
        out.extend_from_slice(&self.chapters.to_le_bytes());
        out.extend_from_slice(&self.planned.to_le_bytes());
        for count in self.alerts {
            out.extend_from_slice(&count.to_le_bytes());
        }
        out.extend_from_slice(&self.models);
        out.push(self.response);
        for text in [self.job_id, self.title, self.premise, self.status, self.genre] {
            out.push(u8::try_from(text.len()).unwrap_or(0));
            out.extend_from_slice(text);
        }
        let length = u16::try_from(out.len() - begin - LENGTH_BYTES).unwrap_or(0);
        out[begin..begin + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    }

    /// Reads what [`write`](Self::write) wrote, without the length; nothing if it is anything else.
    pub(super) fn read(mut bytes: &'r [u8]) -> Option<Self> {
        let from = &mut bytes;
        Some(Record {
            offset: u64::from_le_bytes(take(from)?),
            length: u32::from_le_bytes(take(from)?),
            era: take::<1>(from)?[0],
            bits: u16::from_le_bytes(take(from)?),
            created_ms: i64::from_le_bytes(take(from)?),
            updated_ms: i64::from_le_bytes(take(from)?),
            activity_ms: i64::from_le_bytes(take(from)?),
            cost_usd: f64::from_le_bytes(take(from)?),
            words: u64::from_le_bytes(take(from)?),
            chapters: u32::from_le_bytes(take(from)?),
            planned: u32::from_le_bytes(take(from)?),
            alerts: [
                u16::from_le_bytes(take(from)?),
                u16::from_le_bytes(take(from)?),
                u16::from_le_bytes(take(from)?),
            ],
            models: take(from)?,
            response: take::<1>(from)?[0],
            job_id: text(from)?,
            title: text(from)?,
            premise: text(from)?,
            status: text(from)?,
            genre: text(from)?,
        })
    }

    pub(super) fn has(&self, bits: u16) -> bool {
        self.bits & bits == bits
    }

    pub(super) fn is_marked(&self, mark: JobMark) -> bool {
        match mark {
            JobMark::InFlight => self.has(bit::IN_FLIGHT),
            JobMark::Failures => self.has(bit::FAILURES),
            JobMark::FailedChapters => self.has(bit::FAILED_CHAPTERS),
            JobMark::Alerts => self.has(bit::ALERTS),
            JobMark::Critical => self.alerts[0] > 0,
            JobMark::Warning => self.alerts[1] > 0,
            JobMark::Notice => self.alerts[2] > 0,
        }
    }

    /// What a list shows of it.
    pub(super) fn entry(&self) -> JobEntry {
        let shown = |text: &[u8], cut: u16| {
            let mut text = String::from_utf8_lossy(text).into_owned();
            if self.has(cut) {
                text.push('…');
            }
            text
        };
        let date = |ms: i64| (ms != i64::MIN).then_some(ms);
        JobEntry {
            job_id: String::from_utf8_lossy(self.job_id).into_owned(),
            title: shown(self.title, bit::TITLE_CUT),
            premise: shown(self.premise, bit::PREMISE_CUT),
            status: String::from_utf8_lossy(self.status).into_owned(),
            genre: String::from_utf8_lossy(self.genre).into_owned(),
            era: (self.era != 0).then_some(self.era),
            created_ms: date(self.created_ms),
            updated_ms: date(self.updated_ms),
            activity_ms: date(self.activity_ms),
            words: self.words,
            chapters: self.chapters,
            chapters_planned: self.planned,
            cost_usd: self.cost_usd,
            alerts: self.alerts,
            marks: JobMark::ALL.into_iter().filter(|mark| self.is_marked(*mark)).collect(),
            traces: Vec::new(),
        }
    }
}

/// The beginning of a text that has at most so many bytes, and whole characters.
pub(super) fn beginning(text: &[u8], bytes_max: usize) -> &[u8] {
    if text.len() <= bytes_max {
        return text;
    }
    let is_inside = |at: &usize| text[*at] & 0xC0 == 0x80;
    let mut end = bytes_max;
    while end > 0 && is_inside(&end) {
        end -= 1;
    }
    &text[..end]
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn text<'r>(bytes: &mut &'r [u8]) -> Option<&'r [u8]> {
    let length = usize::from(take::<1>(bytes)?[0]);
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_texts_fit_and_come_back_cut_at_a_character() {
        let long = "ä".repeat(1_000);
        let long = long.as_bytes();
        let record = Record {
            offset: u64::MAX,
            created_ms: i64::MIN,
            updated_ms: -1,
            activity_ms: 7,
            bits: bit::FIRST_STAGE << 3,
            models: [1, 0, u8::MAX],
            alerts: [1, u16::MAX, 3],
            job_id: long,
            title: long,
            premise: long,
            status: long,
            genre: &long[..42],
            ..Record::default()
        };
        let fitted = record.fitted();
        let mut bytes = Vec::new();
        fitted.write(&mut bytes);
        assert!(bytes.len() <= RECORD_BYTES_MAX, "{}", bytes.len());
        let read = Record::read(&bytes[LENGTH_BYTES..]).unwrap();
        assert_eq!(read, fitted);
        assert!(read.has(bit::TITLE_CUT | bit::PREMISE_CUT | bit::JOB_ID_CUT));
        assert_eq!(read.entry().title, "ä".repeat(64) + "…");
        assert_eq!(read.entry().genre, "ä".repeat(21));
        assert_eq!(Record::read(&bytes[LENGTH_BYTES..bytes.len() - 1]), None);
    }
}
