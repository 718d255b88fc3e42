//! All jobs of a place, for lists: a short record of each in a file without a name, which is read
//! from front to end for every page. Memory holds one page.

mod facts;
mod order;
mod record;
mod scan;
mod totals;
mod traces;

use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use reshelve_core::mapping::Outcome;

use crate::ends::{EndError, JobFacets, JobMark, JobPage, JobQuery, JobSums, JobTotals, Told};
use crate::store::{At, OpenFile, Scratch};
use crate::target_schema;

use super::kept::Extent;
use record::{RECORD_BYTES_MAX, Record, bit};
use totals::TotalsMaker;

pub use facts::{Extras, ExtrasByJob, ExtrasMaker};
pub use scan::{JobTexts, ReadTexts, Wanted};
pub use traces::Traces;

/// How many statuses, genres, eras or models are told apart. Others are found, but not offered.
const NAMES_MAX: usize = 200;
/// Bytes that are written at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// A catalogue that is being made.
#[derive(Debug)]
pub struct CatalogueMaker {
    out: BufWriter<Box<dyn OpenFile>>,
    bytes: u64,
    record: Vec<u8>,
    totals: TotalsMaker,
    rejected: u64,
    skipped: u64,
    /// Jobs whose mapping has warnings, where jobs are added as they are mapped.
    warned: Option<u64>,
}

impl CatalogueMaker {
    /// Records go to a file without a name.
    ///
    /// # Errors
    /// Where there is none to be had.
    pub fn new(scratch: &Scratch) -> Result<Self, EndError> {
        Ok(CatalogueMaker {
            out: BufWriter::with_capacity(BUFFER_BYTES, scratch.file()?),
            bytes: 0,
            record: Vec::with_capacity(RECORD_BYTES_MAX),
            totals: TotalsMaker::default(),
            rejected: 0,
            skipped: 0,
            warned: None,
        })
    }

    /// The same, of jobs that are added with the [warnings](Extras::take_warnings) of their mapping.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn of_mapped(scratch: &Scratch) -> Result<Self, EndError> {
        Ok(CatalogueMaker { warned: Some(0), ..CatalogueMaker::new(scratch)? })
    }

    /// Adds a job, in the order of the place.
    ///
    /// # Errors
    /// Where its record cannot be written.
    pub fn add(&mut self, job: &[u8], extras: &Extras) -> Result<(), EndError> {
        self.add_at(job, extras, Extent { offset: 0, length: 0 })
    }

    /// Adds a job whose other documents were collected before.
    ///
    /// # Errors
    /// Where its record cannot be written.
    pub fn add_with(&mut self, job: &[u8], extras: &ExtrasByJob) -> Result<(), EndError> {
        self.add_with_at(job, extras, Extent { offset: 0, length: 0 })
    }

    pub(super) fn add_with_at(
        &mut self,
        job: &[u8],
        extras: &ExtrasByJob,
        extent: Extent,
    ) -> Result<(), EndError> {
        let extras = extras.of(target_schema::job_id(job))?;
        self.add_at(job, &extras, extent)
    }

    pub(super) fn add_at(
        &mut self,
        job: &[u8],
        extras: &Extras,
        extent: Extent,
    ) -> Result<(), EndError> {
        let facts = facts::facts(job, extras);
        let Extent { offset, length } = extent;
        let mut record = Record { offset, length, ..facts.record }.fitted();
        record.models = self.totals.add(&record, &facts, extras);
        if let Some(warned) = &mut self.warned {
            *warned += u64::from(record.has(bit::WARNED));
        }
        self.record.clear();
        record.write(&mut self.record);
        self.out.write_all(&self.record).at("writing", self.out.get_ref().path())?;
        self.bytes += u64::try_from(self.record.len()).unwrap_or(0);
        Ok(())
    }

    /// Counts a legacy document that is no job, or no further one; a document that maps is added
    /// instead.
    pub fn leave_out(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Skipped => self.skipped += 1,
            // Of several documents for one job, a run takes the first, and rejects the others.
            Outcome::Rejected(_) | Outcome::Mapped(_) => self.rejected += 1,
        }
    }

    /// Ends the making.
    ///
    /// # Errors
    /// Where the last records cannot be written.
    pub fn finish(self) -> Result<Catalogue, EndError> {
        let CatalogueMaker { mut out, bytes, totals, rejected, skipped, warned, .. } = self;
        out.flush().at("writing", out.get_ref().path())?;
        let (totals, models) = totals.finish();
        let traces = [warned.map_or(Told::Never, Told::Jobs), Told::Never];
        let facets = JobFacets { rejected, skipped, traces, ..facets(&totals) };
        let (file, totals) = (out.get_ref().try_clone()?, Arc::new(totals));
        Ok(Catalogue { file, bytes, facets, totals, models })
    }
}

/// What there is to choose from.
fn facets(totals: &JobTotals) -> JobFacets {
    fn counts<K: Clone>(all: &[(K, JobSums)]) -> Vec<(K, u64)> {
        all.iter().map(|(name, sums)| (name.clone(), sums.jobs)).collect()
    }
    JobFacets {
        jobs: totals.all.jobs,
        statuses: counts(&totals.statuses),
        genres: counts(&totals.genres),
        eras: counts(&totals.eras),
        in_flight: totals.with_mark(JobMark::InFlight),
        failures: totals.with_mark(JobMark::Failures),
        alerts: totals.with_mark(JobMark::Alerts),
        traces: [Told::Never; 2],
        rejected: 0,
        skipped: 0,
    }
}

/// All jobs of a place, as it was when they were written down.
#[derive(Debug)]
pub struct Catalogue {
    file: Box<dyn OpenFile>,
    bytes: u64,
    facets: JobFacets,
    totals: Arc<JobTotals>,
    /// The models by which records name them: the first is 1.
    models: Vec<String>,
}

impl Catalogue {
    /// What all jobs add up to.
    pub fn totals(&self) -> Arc<JobTotals> {
        Arc::clone(&self.totals)
    }

    /// A page of the jobs that a query matches. `read` gives the whole texts of jobs of which only
    /// the beginnings were written down.
    ///
    /// # Errors
    /// Where records or texts cannot be read.
    pub fn page(&self, query: &JobQuery, read: &ReadTexts<'_>) -> Result<JobPage, EndError> {
        self.page_with(query, read, None)
    }

    /// The same of a place that looks for what the mapping left when it is asked: `traces` is what
    /// it found, if it has looked.
    ///
    /// # Errors
    /// As for [`page`](Self::page).
    pub fn page_with(
        &self,
        query: &JobQuery,
        read: &ReadTexts<'_>,
        traces: Option<&Traces>,
    ) -> Result<JobPage, EndError> {
        let scan = scan::Scan::new(query, read, &self.models, traces);
        let mut page = scan.over(&*self.file, self.bytes)?;
        page.facets = self.facets.clone();
        Ok(page)
    }

    /// Gives the id of each job, in the order of the place. `read` gives the whole ids of which only
    /// the beginnings were written down.
    ///
    /// # Errors
    /// Where records or ids cannot be read.
    pub fn each_id(
        &self,
        read: &ReadTexts<'_>,
        give: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), EndError> {
        scan::each_id(&*self.file, self.bytes, read, give)
    }
}
