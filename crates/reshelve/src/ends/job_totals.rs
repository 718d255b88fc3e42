//! What the jobs of a place add up to: by time, status, genre, era, model and stage.

use super::JobMark;

/// The stages of a novel whose cost, tokens and time are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStage {
    /// The analysis of the premise.
    Analysis,
    /// The outline.
    Outline,
    /// The chapters.
    Chapters,
    /// What the recorded total has beyond the sum of the stages; it may be less than nothing.
    Beyond,
}

impl JobStage {
    /// All of them, in their order.
    pub const ALL: [JobStage; 4] =
        [JobStage::Analysis, JobStage::Outline, JobStage::Chapters, JobStage::Beyond];

    /// Its place in [`JobTotals::stages`].
    pub fn index(self) -> usize {
        match self {
            JobStage::Analysis => 0,
            JobStage::Outline => 1,
            JobStage::Chapters => 2,
            JobStage::Beyond => 3,
        }
    }
}

/// Where the groups of [`JobTotals::responses`] end, in milliseconds: each has the average response
/// times below its bound and not below the one before; the last has all others.
pub const RESPONSE_BOUNDS_MS: [f64; 5] = [1_000.0, 2_000.0, 5_000.0, 10_000.0, 30_000.0];

/// The group of an average response time.
pub fn response_group(ms: f64) -> usize {
    RESPONSE_BOUNDS_MS.iter().position(|bound| ms < *bound).unwrap_or(RESPONSE_BOUNDS_MS.len())
}

/// What some jobs add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct JobSums {
    /// The jobs.
    pub jobs: u64,
    /// Those of them whose status is `failed`.
    pub failed: u64,
    /// What they cost, in US dollars. What is no finite number counts as nothing.
    pub cost_usd: f64,
    /// Their tokens.
    pub tokens: f64,
}

impl std::ops::AddAssign for JobSums {
    fn add_assign(&mut self, more: JobSums) {
        self.jobs += more.jobs;
        self.failed += more.failed;
        self.cost_usd += more.cost_usd;
        self.tokens += more.tokens;
    }
}

/// What is left without some of the jobs. Jobs may be in several parts: never fewer than none.
impl std::ops::SubAssign for JobSums {
    fn sub_assign(&mut self, part: JobSums) {
        self.jobs = self.jobs.saturating_sub(part.jobs);
        self.failed = self.failed.saturating_sub(part.failed);
        self.cost_usd -= part.cost_usd;
        self.tokens -= part.tokens;
    }
}

/// What a stage adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageSums {
    /// Jobs with a cost or tokens in it, and what those are.
    pub sums: JobSums,
    /// Jobs of which it is known how long it took.
    pub timed: u64,
    /// How long it took for all of them together, in milliseconds.
    pub elapsed_ms: f64,
}

/// Jobs with alerts of a severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlertSums {
    /// The jobs.
    pub jobs: u64,
    /// The alerts.
    pub alerts: u64,
}

/// Jobs whose average response time is in one group.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ResponseSums {
    /// The jobs.
    pub jobs: u64,
    /// The sum of their average response times, in milliseconds.
    pub sum_ms: f64,
}

/// What the jobs of a place add up to. Where there are too many names or days to tell apart, the
/// lists have not all of them; what is missing there is in [`all`](Self::all).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobTotals {
    /// All jobs.
    pub all: JobSums,
    /// By the day on which they were created, in days since 1970, by time.
    pub days: Vec<(i64, JobSums)>,
    /// Jobs of which that is not known.
    pub undated: JobSums,
    /// By status, by name.
    pub statuses: Vec<(String, JobSums)>,
    /// By genre, by name; long ones are cut.
    pub genres: Vec<(String, JobSums)>,
    /// By the era of the legacy application that wrote them.
    pub eras: Vec<(u8, JobSums)>,
    /// By model, by name: what the stages cost for which it was used. A job is in as many as it
    /// used. An empty name is what was spent without a recorded model.
    pub models: Vec<(String, JobSums)>,
    /// By stage, in the order of [`JobStage::ALL`]. The time of [`JobStage::Beyond`] is that of
    /// whole jobs, from begin to end.
    pub stages: [StageSums; 4],
    /// By severity of continuity alerts: critical, warning, all others.
    pub alerts: [AlertSums; 3],
    /// By average response time, in the groups of [`RESPONSE_BOUNDS_MS`].
    pub responses: [ResponseSums; 6],
    /// Jobs with failed chapters.
    pub with_failed_chapters: u64,
    /// Failed chapters.
    pub failed_chapters: u64,
    /// Jobs of which a chapter or the job failed.
    pub with_failures: u64,
    /// Jobs with continuity alerts.
    pub with_alerts: u64,
    /// Jobs in flight.
    pub in_flight: u64,
}

impl JobTotals {
    /// Jobs with a mark.
    pub fn with_mark(&self, mark: JobMark) -> u64 {
        match mark {
            JobMark::InFlight => self.in_flight,
            JobMark::Failures => self.with_failures,
            JobMark::FailedChapters => self.with_failed_chapters,
            JobMark::Alerts => self.with_alerts,
            JobMark::Critical => self.alerts[0].jobs,
            JobMark::Warning => self.alerts[1].jobs,
            JobMark::Notice => self.alerts[2].jobs,
        }
    }
}
