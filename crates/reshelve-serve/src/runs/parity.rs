//! What is known of the parity of a run: what its newest report says.

use reshelve::parity::{CostAndTokenTotals, RestoredCounts, StatusConflicts};
use reshelve::report::Verdict;

use super::Run;

/// A run that wrote something, and whether anybody compared its two sides.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The run.
    pub run: Run,
    /// What its report says; none if there is no report.
    pub said: Option<Box<Said>>,
    /// Why its report cannot be read, if so.
    pub unreadable: Option<String>,
    /// The command line that compares its two sides and keeps what it finds; none if it cannot be
    /// shown.
    pub check_with: Option<String>,
}

/// What a report says of parity.
#[derive(Clone, Debug)]
pub struct Said {
    /// When the two sides were read for it, as ISO text.
    pub made_at: String,
    /// Whether the run went on since.
    pub is_outdated: bool,
    /// The conclusion.
    pub verdict: Verdict,
    /// What a reader must know before believing the rest: sentences.
    pub cautions: Vec<String>,
    /// What was found in the source, and in the target if that was read; none if not even the
    /// source was read.
    pub figures: Option<Figures>,
    /// How many jobs were restored; none if the sides were not compared.
    pub restored: Option<RestoredCounts>,
    /// How many mismatches there are; as above.
    pub mismatches: Option<u64>,
    /// The answers that were compared for it: of both sides, of the running application, or none.
    pub answers: Vec<Answers>,
}

/// Answers that were compared for a report.
#[derive(Clone, Debug)]
pub struct Answers {
    /// The address of the running application that gave them; none if both sides of the run did.
    pub api: Option<String>,
    /// When the application was asked, as ISO text.
    pub begun: Option<String>,
    /// How many were compared.
    pub compared: u64,
    /// How many of them agree.
    pub agreed: u64,
    /// What came of each route, in the order of the API.
    pub routes: Vec<RouteAnswers>,
}

/// What came of the answers of a route.
#[derive(Clone, Debug)]
pub struct RouteAnswers {
    /// The word for the route.
    pub route: &'static str,
    /// How many agree.
    pub agreed: u64,
    /// How many differ.
    pub different: u64,
    /// How many could not be had, or are about jobs that the target lacks.
    pub missing: u64,
}

/// The figures of both sides.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Documents on both sides: what is counted, in the words of the report, and how many there are.
    pub counts: Vec<(String, u64)>,
    /// Cost and tokens: recorded, recomputed, as they should be stored, as they are stored.
    pub totals: CostAndTokenTotals,
    /// Jobs by the difference of the recorded and the recomputed total cost.
    pub cost_deltas: Vec<DeltaBucket>,
    /// Jobs without a recorded total cost.
    pub unrecorded: u64,
    /// Statuses that contradict the chapters.
    pub conflicts: StatusConflicts,
}

/// Jobs with similar differences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaBucket {
    /// Which differences, in words.
    pub words: String,
    /// Whether it is the one of equal numbers.
    pub is_equal: bool,
    /// How many jobs.
    pub count: u64,
    /// The first of them.
    pub jobs: Vec<String>,
}
