//! What is known of the parity of runs: what their reports say, which compared both sides.

use reshelve::parity::{CostAndTokenTotals, Deltas, RestoredCounts, StatusConflicts};
use reshelve::report::Verdict;
use reshelve_core::extjson::parse_iso;
use reshelve_serve::runs::{Answers, Checked, DeltaBucket, Figures, RouteAnswers, Said};
use serde::Deserialize;

use super::known::{self, Known};
use super::{ServedRuns, files};
use crate::report::{Found, OfRoute, bucket_name};
use crate::status::status_of;

/// The longest report that is read for a page, in bytes: reports name at most some hundred
/// documents.
const REPORT_BYTES_MAX: u64 = 8 << 20;

/// `reshelve.report/1`, as far as it is about parity.
#[derive(Deserialize)]
struct Report {
    verdict: Verdict,
    cautions: Vec<String>,
    made_at: String,
    survey: Option<Survey>,
    parity: Option<Parity>,
    answers: Option<serde_json::Value>,
    crosscheck: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Survey {
    /// In the order in which they are written.
    counts: serde_json::Map<String, serde_json::Value>,
    totals: CostAndTokenTotals,
    deltas: Deltas,
    status_conflicts: StatusConflicts,
}

#[derive(Deserialize)]
struct Parity {
    restored: RestoredCounts,
    mismatches_total: u64,
}

impl ServedRuns {
    pub(super) fn checked_runs(&self, count: usize) -> Vec<Checked> {
        let runs = known::all(&self.places, self.target.as_ref(), &mut Vec::new());
        let applied = runs.iter().rev().filter(|known| known.plan.apply);
        applied.take(count).filter_map(|known| self.checked_of(known).ok()).collect()
    }

    pub(super) fn checked_of(&self, known: &Known) -> Result<Checked, String> {
        let status = status_of(&known.folder).map_err(|failure| failure.message)?;
        let run = self.summary(known, status);
        let said = files::report(&known.folder, REPORT_BYTES_MAX)
            .and_then(|bytes| bytes.map(|bytes| said(&bytes, run.progressed_at_ms)).transpose());
        let (said, unreadable) = match said {
            Ok(said) => (said.map(Box::new), None),
            Err(why) => (None, Some(why)),
        };
        let check_with = known.command_line("report", &[]);
        Ok(Checked { run, said, unreadable, check_with })
    }
}

/// What a report says, of a run that last went on then.
fn said(report: &[u8], progressed_at_ms: Option<i64>) -> Result<Said, String> {
    let report: Report = serde_json::from_slice(report)
        .map_err(|error| format!("the report cannot be read: {error}"))?;
    let Report { verdict, cautions, made_at, survey, parity, answers, crosscheck } = report;
    let made_at_ms = parse_iso(made_at.as_bytes());
    let is_outdated = progressed_at_ms.zip(made_at_ms).is_some_and(|(went, made)| went > made);
    let restored = parity.as_ref().map(|parity| parity.restored);
    let mismatches = parity.map(|parity| parity.mismatches_total);
    let figures = survey.map(figures);
    let answers = [answers, crosscheck].into_iter().flatten();
    let answers = answers.filter_map(|found| Found::of(&found).map(answers_of)).collect();
    Ok(Said { made_at, is_outdated, verdict, cautions, figures, restored, mismatches, answers })
}

fn answers_of(found: Found) -> Answers {
    let of_route = |it: OfRoute| RouteAnswers {
        route: it.route,
        agreed: it.agreed,
        different: it.different,
        missing: it.failed + it.skipped,
    };
    let routes = found.by_route().map(of_route).collect();
    let Found { api, begun, compared, agreed, .. } = found;
    Answers { api, begun, compared, agreed, routes }
}

fn figures(survey: Survey) -> Figures {
    let Survey { counts, totals, deltas, status_conflicts } = survey;
    let histogram = deltas.cost_usd.total;
    let unrecorded = histogram.unrecorded;
    let bucket = |bucket: reshelve::parity::Bucket| DeltaBucket {
        words: bucket_name(&bucket),
        is_equal: bucket.is_equal(),
        count: bucket.count,
        jobs: bucket.jobs,
    };
    let cost_deltas = histogram.buckets.into_iter().map(bucket).collect();
    let counts = counts.into_iter().filter_map(|(what, number)| Some((what, number.as_u64()?)));
    let counts = counts.collect();
    Figures { counts, totals, cost_deltas, unrecorded, conflicts: status_conflicts }
}
