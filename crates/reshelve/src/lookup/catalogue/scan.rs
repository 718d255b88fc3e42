//! One look at all records of a catalogue: which match, and which of those are on the page.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::Traces;
use super::order::Rank;
use super::record::{LENGTH_BYTES, Record, bit};
use crate::ends::{
    CursorSide, EndError, JobCursor, JobEntry, JobPage, JobQuery, JobTrace, PAGE_JOBS_MAX,
};
use crate::store::OpenFile;

/// Bytes of records that are read at a time.
const READ_BYTES: usize = 1 << 18;
/// How many jobs are looked up at a time because only the beginnings of their texts are known.
const UNSURE_MAX: usize = 256;

/// A job whose texts are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'r> {
    /// Its id.
    pub job_id: &'r [u8],
    /// Where its document lies, in bytes, where the place is a file.
    pub offset: u64,
    /// The length of its document, in bytes, where the place is a file.
    pub length: u32,
}

/// The whole texts of a job that a search looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobTexts {
    /// Its id.
    pub job_id: Vec<u8>,
    /// Its title.
    pub title: Vec<u8>,
    /// Its premise.
    pub premise: Vec<u8>,
}

/// Gives the texts of jobs, in their order; nothing for a job that is no longer there.
pub type ReadTexts<'t> = dyn Fn(&[Wanted<'_>]) -> Result<Vec<Option<JobTexts>>, EndError> + 't;

/// Whether a job matches.
enum Match {
    Yes,
    No,
    /// That depends on texts of which only the beginnings are known.
    Unsure,
}

/// Which model is asked for.
enum Model {
    Any,
    /// The one with this place in the list, from 1.
    At(u8),
    NotRecorded,
    /// One that no job used.
    Unknown,
}

pub(super) struct Scan<'q> {
    query: &'q JobQuery,
    read: &'q ReadTexts<'q>,
    search: String,
    model: Model,
    cursor: Option<(CursorSide, Rank)>,
    limit: usize,
    traces: Option<&'q Traces>,
    unsure: Vec<(u64, Vec<u8>)>,
    /// The page, and one job more.
    kept: BTreeMap<Rank, Vec<u8>>,
    matched: u64,
    /// Those of them that stand before the cursor.
    before: u64,
}

impl<'q> Scan<'q> {
    /// `models` are those by which records name them, in their order.
    pub(super) fn new(
        query: &'q JobQuery,
        read: &'q ReadTexts<'q>,
        models: &[String],
        traces: Option<&'q Traces>,
    ) -> Self {
        let model = match &query.model {
            None => Model::Any,
            Some(name) if name.is_empty() => Model::NotRecorded,
            Some(name) => {
                let at = models.iter().position(|known| known == name);
                let at = at.and_then(|at| u8::try_from(at + 1).ok());
                at.map_or(Model::Unknown, Model::At)
            }
        };
        Scan {
            query,
            read,
            search: query.search.trim().to_lowercase(),
            model,
            cursor: query.cursor.as_ref().map(|cursor| (cursor.side, Rank::at(cursor))),
            limit: query.limit.clamp(1, PAGE_JOBS_MAX),
            traces,
            unsure: Vec::new(),
            kept: BTreeMap::new(),
            matched: 0,
            before: 0,
        }
    }

    /// Looks at all records of a file.
    pub(super) fn over(mut self, file: &dyn OpenFile, bytes: u64) -> Result<JobPage, EndError> {
        let mut ordinal = 0;
        each(file, bytes, |record| {
            self.take(record, ordinal)?;
            ordinal += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        self.look_up()?;
        self.page()
    }

    fn take(&mut self, bytes: &[u8], ordinal: u64) -> Result<(), EndError> {
        let Some(record) = Record::read(bytes) else { return Ok(()) };
        match self.judge(&record, ordinal) {
            Match::No => {}
            Match::Yes => self.keep(&record, bytes, ordinal),
            Match::Unsure => {
                self.unsure.push((ordinal, bytes.to_vec()));
                if self.unsure.len() >= UNSURE_MAX {
                    self.look_up()?;
                }
            }
        }
        Ok(())
    }

    fn judge(&self, record: &Record<'_>, ordinal: u64) -> Match {
        let has = |trace: &JobTrace| self.has_trace(record, ordinal, *trace);
        if !self.passes(record) || !self.query.traces.iter().all(has) {
            return Match::No;
        }
        if self.finds(&[record.title, record.premise, record.job_id]) {
            return Match::Yes;
        }
        let is_cut = [bit::TITLE_CUT, bit::PREMISE_CUT, bit::JOB_ID_CUT];
        match is_cut.iter().any(|cut| record.has(*cut)) {
            true => Match::Unsure,
            false => Match::No,
        }
    }

    /// Whether a job passes all filters.
    fn passes(&self, record: &Record<'_>) -> bool {
        let JobQuery { status, genre, era, marks, created_ms, stage, response, .. } = self.query;
        let is = |asked: &Option<String>, text: &[u8]| {
            asked.as_ref().is_none_or(|asked| asked.as_bytes() == text)
        };
        let is_idle = |since_ms: i64| record.has(bit::IN_FLIGHT) && record.activity_ms < since_ms;
        is(status, record.status)
            && is(genre, record.genre)
            && era.is_none_or(|era| era == record.era)
            && marks.iter().all(|mark| record.is_marked(*mark))
            && created_ms.as_ref().is_none_or(|created| created.contains(&record.created_ms))
            && stage.is_none_or(|stage| record.has(bit::FIRST_STAGE << stage.index()))
            && response.is_none_or(|group| usize::from(record.response) == group)
            && self.query.idle_since_ms.is_none_or(is_idle)
            && match self.model {
                Model::Any => true,
                Model::At(index) => record.models.contains(&index),
                Model::NotRecorded => record.has(bit::NO_MODEL),
                Model::Unknown => false,
            }
    }

    /// Whether the mapping left that of a job, as far as the place has told.
    fn has_trace(&self, record: &Record<'_>, ordinal: u64, trace: JobTrace) -> bool {
        let is_recorded = trace == JobTrace::Warned && record.has(bit::WARNED);
        is_recorded || self.traces.is_some_and(|traces| traces.has(ordinal, trace))
    }

    fn finds(&self, texts: &[&[u8]]) -> bool {
        let contains =
            |text: &&[u8]| String::from_utf8_lossy(text).to_lowercase().contains(&self.search);
        self.search.is_empty() || texts.iter().any(contains)
    }

    /// Settles those that depend on whole texts.
    fn look_up(&mut self) -> Result<(), EndError> {
        let unsure = std::mem::take(&mut self.unsure);
        let records: Vec<(u64, &[u8], Record<'_>)> = unsure
            .iter()
            .filter_map(|(ordinal, bytes)| Some((*ordinal, &bytes[..], Record::read(bytes)?)))
            .collect();
        if records.is_empty() {
            return Ok(());
        }
        let wanted: Vec<Wanted<'_>> = records.iter().map(|(_, _, record)| wanted(record)).collect();
        for ((ordinal, bytes, record), texts) in records.iter().zip((self.read)(&wanted)?) {
            let Some(JobTexts { job_id, title, premise }) = texts else { continue };
            if self.finds(&[&title, &premise, &job_id]) {
                self.keep(record, bytes, *ordinal);
            }
        }
        Ok(())
    }

    fn keep(&mut self, record: &Record<'_>, bytes: &[u8], ordinal: u64) {
        self.matched += 1;
        let rank = Rank::of(record, ordinal, self.query.sort, self.query.order);
        let is_backward = match &self.cursor {
            Some((CursorSide::After, at)) if rank <= *at => {
                self.before += 1;
                return;
            }
            Some((CursorSide::Before, at)) if rank >= *at => return,
            Some((CursorSide::Before, _)) => {
                self.before += 1;
                true
            }
            _ => false,
        };
        self.kept.insert(rank, bytes.to_vec());
        if self.kept.len() > self.limit + 1 {
            let _ = if is_backward { self.kept.pop_first() } else { self.kept.pop_last() };
        }
    }

    fn page(mut self) -> Result<JobPage, EndError> {
        let is_backward = matches!(self.cursor, Some((CursorSide::Before, _)));
        if self.kept.len() > self.limit {
            let _ = if is_backward { self.kept.pop_first() } else { self.kept.pop_last() };
        }
        let count = u64::try_from(self.kept.len()).unwrap_or(0);
        let first = if is_backward { self.before.saturating_sub(count) } else { self.before };
        let cursor =
            |side, rank: &Rank| JobCursor { side, key: rank.key.clone(), ordinal: rank.ordinal };
        let last = self.kept.last_key_value().filter(|_| first + count < self.matched);
        let next = last.map(|(rank, _)| cursor(CursorSide::After, rank));
        let previous = self.kept.first_key_value().filter(|_| first > 0);
        let previous = previous.map(|(rank, _)| cursor(CursorSide::Before, rank));
        let mut jobs = Vec::with_capacity(self.kept.len());
        for (rank, bytes) in &self.kept {
            if let Some(record) = Record::read(bytes) {
                jobs.push(self.entry(&record, rank.ordinal)?);
            }
        }
        let matched = self.matched;
        Ok(JobPage { jobs, first, matched, next, previous, ..JobPage::default() })
    }

    /// What is shown of a job, by its whole id.
    fn entry(&self, record: &Record<'_>, ordinal: u64) -> Result<JobEntry, EndError> {
        let mut entry = record.entry();
        let has = |trace: &JobTrace| self.has_trace(record, ordinal, *trace);
        entry.traces = JobTrace::ALL.into_iter().filter(has).collect();
        if record.has(bit::JOB_ID_CUT)
            && let Some(Some(texts)) = (self.read)(&[wanted(record)])?.into_iter().next()
        {
            entry.job_id = String::from_utf8_lossy(&texts.job_id).into_owned();
        }
        Ok(entry)
    }
}

/// Gives each record of a file, until `give` breaks off.
fn each(
    file: &dyn OpenFile,
    bytes: u64,
    mut give: impl FnMut(&[u8]) -> Result<ControlFlow<()>, EndError>,
) -> Result<(), EndError> {
    let (mut buffer, mut at) = (Vec::new(), 0);
    while at < bytes {
        let held = buffer.len();
        let left = usize::try_from(bytes - at).unwrap_or(usize::MAX);
        buffer.resize(held + left.min(READ_BYTES), 0);
        file.read_exact_at(&mut buffer[held..], at)?;
        at += u64::try_from(buffer.len() - held).unwrap_or(0);
        let mut rest = &buffer[..];
        while let Some((record, after)) = next(rest) {
            if give(record)?.is_break() {
                return Ok(());
            }
            rest = after;
        }
        let used = buffer.len() - rest.len();
        buffer.drain(..used);
    }
    Ok(())
}

/// Gives the id of each job.
pub(super) fn each_id(
    file: &dyn OpenFile,
    bytes: u64,
    read: &ReadTexts<'_>,
    give: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<(), EndError> {
    each(file, bytes, |record| {
        let Some(record) = Record::read(record) else { return Ok(ControlFlow::Continue(())) };
        if !record.has(bit::JOB_ID_CUT) {
            return Ok(give(&String::from_utf8_lossy(record.job_id)));
        }
        let texts = read(&[wanted(&record)])?.into_iter().next().flatten();
        let id = texts.map_or_else(|| record.job_id.to_vec(), |texts| texts.job_id);
        Ok(give(&String::from_utf8_lossy(&id)))
    })
}

fn wanted<'r>(record: &Record<'r>) -> Wanted<'r> {
    Wanted { job_id: record.job_id, offset: record.offset, length: record.length }
}

/// The first record, and what follows it; nothing where it is not whole.
fn next(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}
