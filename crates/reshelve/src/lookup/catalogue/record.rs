//! What is written down of a job for lists: at most [`RECORD_BYTES_MAX`] bytes.

use crate::ends::{JobEntry, JobMark};

/// The longest record, with its length.
pub(super) const RECORD_BYTES_MAX: usize = 512;
/// The length of a record, in front of it.
pub(super) const LENGTH_BYTES: usize = 2;

/// How much of each text is kept. Job ids have at most 128 bytes; statuses are words.
const JOB_ID_BYTES: usize = 128;
pub(super) const TITLE_BYTES: usize = 128;
const PREMISE_BYTES: usize = 128;
const STATUS_BYTES: usize = 16;
const GENRE_BYTES: usize = 43;
/// All that is not text, and the lengths of the texts.
const FIXED_BYTES: usize = 60;
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
    pub(in super::super) const IN_FLIGHT: u8 = 1;
    pub(in super::super) const FAILURES: u8 = 1 << 1;
    pub(in super::super) const ALERTS: u8 = 1 << 2;
    /// A text is only the beginning of what the document has.
    pub(in super::super) const TITLE_CUT: u8 = 1 << 3;
    pub(in super::super) const PREMISE_CUT: u8 = 1 << 4;
    pub(in super::super) const JOB_ID_CUT: u8 = 1 << 5;
}

/// A record, read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Record<'r> {
    /// Where the document lies: offset and length, where that means something.
    pub(super) offset: u64,
    pub(super) length: u32,
    /// 0 for none.
    pub(super) era: u8,
    pub(super) bits: u8,
    /// `i64::MIN` for none.
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) cost_usd: f64,
    pub(super) words: u64,
    pub(super) chapters: u32,
    pub(super) planned: u32,
    pub(super) alerts: [u16; 3],
    pub(super) job_id: &'r [u8],
    pub(super) title: &'r [u8],
    pub(super) premise: &'r [u8],
    pub(super) status: &'r [u8],
    pub(super) genre: &'r [u8],
}

impl<'r> Record<'r> {
    /// The same with texts that fit, and with the bits that say which were cut.
    pub(super) fn fitted(mut self) -> Self {
        let mut fit = |text: &'r [u8], bytes_max, bit| {
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
        out.extend_from_slice(&[self.era, self.bits]);
        out.extend_from_slice(&self.created_ms.to_le_bytes());
        out.extend_from_slice(&self.updated_ms.to_le_bytes());
        out.extend_from_slice(&self.cost_usd.to_le_bytes());
        out.extend_from_slice(&self.words.to_le_bytes());
        out.extend_from_slice(&self.chapters.to_le_bytes());
        out.extend_from_slice(&self.planned.to_le_bytes());
        for count in self.alerts {
            out.extend_from_slice(&count.to_le_bytes());
        }
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
            bits: take::<1>(from)?[0],
            created_ms: i64::from_le_bytes(take(from)?),
            updated_ms: i64::from_le_bytes(take(from)?),
            cost_usd: f64::from_le_bytes(take(from)?),
            words: u64::from_le_bytes(take(from)?),
            chapters: u32::from_le_bytes(take(from)?),
            planned: u32::from_le_bytes(take(from)?),
            alerts: [
                u16::from_le_bytes(take(from)?),
                u16::from_le_bytes(take(from)?),
                u16::from_le_bytes(take(from)?),
            ],
            job_id: text(from)?,
            title: text(from)?,
            premise: text(from)?,
            status: text(from)?,
            genre: text(from)?,
        })
    }

    pub(super) fn has(&self, bits: u8) -> bool {
        self.bits & bits == bits
    }

    /// What a list shows of it.
    pub(super) fn entry(&self) -> JobEntry {
        let shown = |text: &[u8], cut| {
            let mut text = String::from_utf8_lossy(text).into_owned();
            if self.has(cut) {
                text.push('…');
            }
            text
        };
        let marks = [
            (JobMark::InFlight, bit::IN_FLIGHT),
            (JobMark::Failures, bit::FAILURES),
            (JobMark::Alerts, bit::ALERTS),
        ];
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
            words: self.words,
            chapters: self.chapters,
            chapters_planned: self.planned,
            cost_usd: self.cost_usd,
            alerts: self.alerts,
            marks: marks.iter().filter(|(_, bit)| self.has(*bit)).map(|(mark, _)| *mark).collect(),
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
