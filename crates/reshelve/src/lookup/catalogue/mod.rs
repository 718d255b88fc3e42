//! All jobs of a place, for lists: a short record of each in a file without a name, which is read
//! from front to end for every page. Memory holds one page.

mod facts;
mod order;
mod record;
mod scan;

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

use reshelve_core::mapping::Outcome;

use crate::ends::{EndError, JobFacets, JobPage, JobQuery};
use crate::store::{At, OpenFile, Scratch};

use super::kept::Extent;
use record::{RECORD_BYTES_MAX, Record, bit};

pub use facts::{Extras, ExtrasByJob, ExtrasMaker};
pub use scan::{JobTexts, ReadTexts, Wanted};

/// How many statuses, genres or eras are told apart. Others are found, but not offered.
const NAMES_MAX: usize = 200;
/// Bytes that are written at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// A catalogue that is being made.
#[derive(Debug)]
pub struct CatalogueMaker {
    out: BufWriter<Box<dyn OpenFile>>,
    bytes: u64,
    record: Vec<u8>,
    facets: JobFacets,
    statuses: BTreeMap<String, u64>,
    genres: BTreeMap<String, u64>,
    eras: BTreeMap<u8, u64>,
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
            facets: JobFacets::default(),
            statuses: BTreeMap::new(),
            genres: BTreeMap::new(),
            eras: BTreeMap::new(),
        })
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
        let extras = extras.of(facts::job_id_of(job))?;
        self.add_at(job, &extras, extent)
    }

    pub(super) fn add_at(
        &mut self,
        job: &[u8],
        extras: &Extras,
        extent: Extent,
    ) -> Result<(), EndError> {
        let record = facts::record(job, extras);
        let record = Record { offset: extent.offset, length: extent.length, ..record }.fitted();
        self.count(&record);
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
            Outcome::Skipped => self.facets.skipped += 1,
            // Of several documents for one job, a run takes the first, and rejects the others.
            Outcome::Rejected(_) | Outcome::Mapped(_) => self.facets.rejected += 1,
        }
    }

    fn count(&mut self, record: &Record<'_>) {
        let facets = &mut self.facets;
        facets.jobs += 1;
        facets.in_flight += u64::from(record.has(bit::IN_FLIGHT));
        facets.failures += u64::from(record.has(bit::FAILURES));
        facets.alerts += u64::from(record.has(bit::ALERTS));
        add(&mut self.statuses, String::from_utf8_lossy(record.status).into_owned());
        add(&mut self.genres, String::from_utf8_lossy(record.genre).into_owned());
        if record.era != 0 {
            add(&mut self.eras, record.era);
        }
    }

    /// Ends the making.
    ///
    /// # Errors
    /// Where the last records cannot be written.
    pub fn finish(self) -> Result<Catalogue, EndError> {
        let CatalogueMaker { mut out, bytes, mut facets, statuses, genres, eras, .. } = self;
        out.flush().at("writing", out.get_ref().path())?;
        facets.statuses = statuses.into_iter().collect();
        facets.genres = genres.into_iter().collect();
        facets.eras = eras.into_iter().collect();
        Ok(Catalogue { file: out.get_ref().try_clone()?, bytes, facets })
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, name: K) {
    if let Some(count) = counts.get_mut(&name) {
        *count += 1;
    } else if counts.len() < NAMES_MAX {
        counts.insert(name, 1);
    }
}

/// All jobs of a place, as it was when they were written down.
#[derive(Debug)]
pub struct Catalogue {
    file: Box<dyn OpenFile>,
    bytes: u64,
    facets: JobFacets,
}

impl Catalogue {
    /// A page of the jobs that a query matches. `read` gives the whole texts of jobs of which only
    /// the beginnings were written down.
    ///
    /// # Errors
    /// Where records or texts cannot be read.
    pub fn page(&self, query: &JobQuery, read: &ReadTexts<'_>) -> Result<JobPage, EndError> {
        let mut page = scan::Scan::new(query, read).over(&*self.file, self.bytes)?;
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
