//! The seam where all jobs of a place are listed: searched, filtered, sorted, page by page.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::{EndError, JobStage, JobTotals};

/// How many jobs a page has, at most.
pub const PAGE_JOBS_MAX: usize = 200;

/// All jobs of a place, as lists show them.
///
/// All of it may be called from many threads at once, and may wait for a disk or a server.
pub trait JobCatalogue: Send + Sync {
    /// A page of the jobs that a query matches.
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn page(&self, query: &JobQuery) -> Result<JobPage, EndError>;

    /// What all jobs add up to, as of the same look at the place as its pages.
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn totals(&self) -> Result<Arc<JobTotals>, EndError>;

    /// Gives the id of each job, each at least once, until `give` breaks off. Places with many jobs
    /// do so without looking at all of them for every page.
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn each_id(&self, give: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Result<(), EndError> {
        let mut query = JobQuery { limit: PAGE_JOBS_MAX, ..JobQuery::default() };
        loop {
            let page = self.page(&query)?;
            if page.jobs.iter().try_for_each(|job| give(&job.job_id)).is_break() {
                return Ok(());
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                return Ok(());
            }
        }
    }
}

/// Which jobs are asked for, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobQuery {
    /// Text that the title, the premise or the job id contains, whatever the case. The job id of a
    /// migrated job is the text of its legacy `_id`. Empty for all jobs.
    pub search: String,
    /// Only jobs with this status.
    pub status: Option<String>,
    /// Only jobs of this genre, as [`JobFacets::genres`] has it.
    pub genre: Option<String>,
    /// Only jobs that were written in this era of the legacy application.
    pub era: Option<u8>,
    /// Only jobs that have all of these marks.
    pub marks: Vec<JobMark>,
    /// Only jobs whose mapping left all of these. Where a place cannot tell, no job passes.
    pub traces: Vec<JobTrace>,
    /// Only jobs that were created then, in milliseconds since 1970. Jobs without such a time
    /// count as created at `i64::MIN`.
    pub created_ms: Option<Range<i64>>,
    /// Only jobs that used this model, as [`JobTotals::models`] has it.
    pub model: Option<String>,
    /// Only jobs with a cost or tokens in this stage.
    pub stage: Option<JobStage>,
    /// Only jobs whose average response time is in this group of
    /// [`RESPONSE_BOUNDS_MS`](super::RESPONSE_BOUNDS_MS).
    pub response: Option<usize>,
    /// Only jobs in flight without any activity since this time, in milliseconds since 1970.
    pub idle_since_ms: Option<i64>,
    /// What decides the order.
    pub sort: JobSort,
    /// The other way round: the least first.
    pub order: SortOrder,
    /// Where the page begins or ends; without, it is the first one.
    pub cursor: Option<JobCursor>,
    /// How many jobs the page has, at most; and at most [`PAGE_JOBS_MAX`].
    pub limit: usize,
}

impl Default for JobQuery {
    /// All jobs, those that were created last first, 50 at a time.
    fn default() -> Self {
        JobQuery {
            search: String::new(),
            status: None,
            genre: None,
            era: None,
            marks: Vec::new(),
            traces: Vec::new(),
            created_ms: None,
            model: None,
            stage: None,
            response: None,
            idle_since_ms: None,
            sort: JobSort::Created,
            order: SortOrder::Descending,
            cursor: None,
            limit: 50,
        }
    }
}

/// What a job may be marked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobMark {
    /// It is queued or running.
    InFlight,
    /// A chapter or the job failed.
    Failures,
    /// A chapter failed.
    FailedChapters,
    /// It has continuity alerts.
    Alerts,
    /// It has critical ones.
    Critical,
    /// It has warnings.
    Warning,
    /// It has others.
    Notice,
}

impl JobMark {
    /// All of them.
    pub const ALL: [JobMark; 7] = [
        JobMark::InFlight,
        JobMark::Failures,
        JobMark::FailedChapters,
        JobMark::Alerts,
        JobMark::Critical,
        JobMark::Warning,
        JobMark::Notice,
    ];
}

/// What can be told of a job by mapping its legacy document again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobTrace {
    /// The mapping has warnings about its legacy document.
    Warned,
    /// Its target documents are no longer what the mapping wrote.
    Edited,
}

impl JobTrace {
    /// All of them.
    pub const ALL: [JobTrace; 2] = [JobTrace::Warned, JobTrace::Edited];

    /// Its place in [`JobFacets::traces`].
    pub fn index(self) -> usize {
        match self {
            JobTrace::Warned => 0,
            JobTrace::Edited => 1,
        }
    }
}

/// How many jobs have a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// The place cannot tell.
    #[default]
    Never,
    /// It tells when it is asked for such jobs, and has not been asked yet.
    WhenAsked,
    /// So many.
    Jobs(u64),
}

/// What jobs are sorted by. Equal ones stand in the order of the place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobSort {
    /// When they were created.
    #[default]
    Created,
    /// When they were last changed.
    Updated,
    /// When they last showed any activity.
    Activity,
    /// The beginning of their title, whatever the case.
    Title,
    /// Their words.
    Words,
    /// What they cost.
    Cost,
}

/// Which end of an order comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// The least first.
    Ascending,
    /// The greatest first.
    #[default]
    Descending,
}

/// A place between two jobs of an order. It stays valid while jobs come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobCursor {
    /// Which side of the place is asked for.
    pub side: CursorSide,
    /// By what the job stands where it does; opaque.
    pub key: Vec<u8>,
    /// Its place among equal ones.
    pub ordinal: u64,
}

/// A side of a [`JobCursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorSide {
    /// The jobs after it.
    After,
    /// The jobs before it, the nearest ones.
    Before,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobPage {
    /// Its jobs, in order.
    pub jobs: Vec<JobEntry>,
    /// How many jobs that match stand before it.
    pub first: u64,
    /// How many jobs match.
    pub matched: u64,
    /// Where the next page begins, if there is one.
    pub next: Option<JobCursor>,
    /// Where the previous page ends, if there is one.
    pub previous: Option<JobCursor>,
    /// What there is in the whole place.
    pub facets: JobFacets,
}

/// What there is in a place, to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFacets {
    /// All jobs.
    pub jobs: u64,
    /// Statuses with their jobs, by name. A place with too many to tell apart has not all of them.
    pub statuses: Vec<(String, u64)>,
    /// Genres with their jobs, by name; long ones are cut. As for statuses.
    pub genres: Vec<(String, u64)>,
    /// Eras with their jobs.
    pub eras: Vec<(u8, u64)>,
    /// Jobs in flight.
    pub in_flight: u64,
    /// Jobs with failures.
    pub failures: u64,
    /// Jobs with continuity alerts.
    pub alerts: u64,
    /// Jobs with each trace, in the order of [`JobTrace::ALL`].
    pub traces: [Told; 2],
    /// Legacy documents that are no jobs because the mapping rejects them.
    pub rejected: u64,
    /// Legacy documents that are no jobs because they are in flight, and such are left out.
    pub skipped: u64,
}

/// What a list shows of a job. All texts are as they are stored: they may be anything.
#[derive(Clone, Debug, PartialEq)]
pub struct JobEntry {
    /// Its id; that of a migrated job is the text of the legacy `_id`.
    pub job_id: String,
    /// The beginning of its title, with `…` where it goes on.
    pub title: String,
    /// The beginning of its premise, with `…` where it goes on.
    pub premise: String,
    /// Its status.
    pub status: String,
    /// Its genre.
    pub genre: String,
    /// The era of the legacy application that wrote it, where that is known.
    pub era: Option<u8>,
    /// When it was created, in milliseconds since 1970.
    pub created_ms: Option<i64>,
    /// When it was last changed, in milliseconds since 1970.
    pub updated_ms: Option<i64>,
    /// When it last showed any activity, in milliseconds since 1970: the later one of its last
    /// change and the last activity that it recorded.
    pub activity_ms: Option<i64>,
    /// The words of its completed chapters.
    pub words: u64,
    /// Its completed chapters.
    pub chapters: u32,
    /// How many chapters it was to have.
    pub chapters_planned: u32,
    /// What it cost, in US dollars.
    pub cost_usd: f64,
    /// Its continuity alerts: critical, warning, all others.
    pub alerts: [u16; 3],
    /// What it is marked with.
    pub marks: Vec<JobMark>,
    /// What its mapping left, as far as the place has told yet.
    pub traces: Vec<JobTrace>,
}
