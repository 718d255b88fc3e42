//! Cost and tokens from three sides: what legacy recorded, what its parts add up to, and what the
//! target stores; and how far the first two differ, job by job.

use serde::{Deserialize, Serialize};

use reshelve_core::raw::{Document, Value};

/// How many jobs of a bucket, or of a list, are named.
pub const LISTED_MAX: usize = 20;
/// Sums of the same numbers in another order differ by less than this.
const SAME: f64 = 1e-9;
/// Where the buckets for differences of cost end, in USD. The mapping warns of differences above
/// half a cent.
const USD_EDGES: [f64; 4] = [0.005, 0.01, 0.1, 1.0];
/// Where the buckets for differences of tokens end.
const TOKEN_EDGES: [f64; 4] = [10.0, 100.0, 1_000.0, 10_000.0];
/// Buckets on each side of the one for equal numbers.
const SIDE: usize = USD_EDGES.len() + 1;
/// Where each number is in a metrics document: the stage, then the field of `cost` and of `tokens`.
const FIELDS: [[&str; 4]; 2] = [
    ["totalUsd", "analysisUsd", "outlineUsd", "chaptersUsd"],
    ["total", "analysis", "outline", "chapters"],
];
const RECOMPUTED: [&str; 2] = ["recomputedUsd", "recomputed"];
/// The parts of `modelUsage`, by stage.
const USAGE: [&str; 3] = ["premiseAnalysis", "outlineGeneration", "chapterGeneration"];

/// One number, summed over all jobs, from every side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StageTotals {
    /// Σ of what legacy recorded.
    pub recorded: f64,
    /// How many jobs have a record at all.
    pub recorded_jobs: u64,
    /// How many of these recorded 0 although the parts add up to more: the application never filled
    /// in its totals.
    pub recorded_zero: u64,
    /// Σ of what the parts of each job add up to.
    pub recomputed: f64,
    /// Σ over fresh mappings: what should be stored.
    pub mapped: f64,
    /// Σ over the target; null if no target was read.
    pub stored: Option<f64>,
    /// Whether stored and mapped are within the tolerance.
    pub within_tolerance: bool,
}

/// The three stages of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stages<T> {
    /// Analysis of the premise.
    pub analysis: T,
    /// Creation of the outline.
    pub outline: T,
    /// Writing of the chapters.
    pub chapters: T,
}

/// A total and its stages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measure<T> {
    /// The total.
    #[serde(flatten)]
    pub total: T,
    /// The stages.
    pub stages: Stages<T>,
}

impl<T> Measure<T> {
    /// The total and the stages, with their names, in order.
    pub fn named(&self) -> [(&'static str, &T); 4] {
        let Stages { analysis, outline, chapters } = &self.stages;
        [
            ("total", &self.total),
            ("analysis", analysis),
            ("outline", outline),
            ("chapters", chapters),
        ]
    }

    fn each(&mut self) -> [&mut T; 4] {
        let Stages { analysis, outline, chapters } = &mut self.stages;
        [&mut self.total, analysis, outline, chapters]
    }
}

/// The same for cost and for tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CostAndTokens<T> {
    /// Cost in USD.
    pub cost_usd: T,
    /// Tokens.
    pub tokens: T,
}

/// The sums over all jobs.
pub type CostAndTokenTotals = CostAndTokens<Measure<StageTotals>>;
/// How far records and parts differ.
pub type Deltas = CostAndTokens<Measure<Histogram>>;

/// The jobs by the difference *recorded − recomputed*.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// From far below to far above.
    pub buckets: Vec<Bucket>,
    /// Jobs without a record.
    pub unrecorded: u64,
}

/// Jobs with similar differences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Differences are above this; null if there is no bound.
    pub above: Option<f64>,
    /// And at most this, or below this if the difference is negative.
    pub below: Option<f64>,
    /// How many jobs.
    pub count: u64,
    /// The first of them, at most [`LISTED_MAX`].
    pub jobs: Vec<String>,
}

impl Bucket {
    /// Whether it is the bucket of correct records.
    pub fn is_equal(&self) -> bool {
        self.above.is_some_and(|above| above == 0.0) && self.below.is_some_and(|below| below == 0.0)
    }
}

impl Histogram {
    fn new(edges: [f64; 4]) -> Self {
        let up: Vec<f64> = std::iter::once(0.0).chain(edges).collect();
        let side = |index: usize| (Some(up[index]), up.get(index + 1).copied());
        let bucket = |(above, below)| Bucket { above, below, count: 0, jobs: Vec::new() };
        let negative = (0..SIDE).rev().map(side).map(|(above, below)| {
            let minus = |edge: f64| if edge == 0.0 { 0.0 } else { -edge };
            (below.map(minus), above.map(minus))
        });
        let equal = std::iter::once((Some(0.0), Some(0.0)));
        let buckets = negative.chain(equal).chain((0..SIDE).map(side)).map(bucket).collect();
        Histogram { buckets, unrecorded: 0 }
    }

    fn add(&mut self, edges: [f64; 4], delta: f64, job: &str) {
        let over = edges.iter().filter(|edge| delta.abs() > **edge).count();
        let place = match () {
            () if delta.abs() <= SAME => SIDE,
            () if delta < 0.0 => SIDE - 1 - over,
            () => SIDE + 1 + over,
        };
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.count += 1;
            if bucket.jobs.len() < LISTED_MAX {
                bucket.jobs.push(job.to_owned());
            }
        }
    }

    /// How many jobs have a record.
    pub fn recorded(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.count).sum()
    }
}

/// Histograms with no job in them.
pub(crate) fn empty_deltas() -> Deltas {
    let measure = |edges| {
        let new = || Histogram::new(edges);
        Measure {
            total: new(),
            stages: Stages { analysis: new(), outline: new(), chapters: new() },
        }
    };
    CostAndTokens { cost_usd: measure(USD_EDGES), tokens: measure(TOKEN_EDGES) }
}

/// Adds one job: its record, and its freshly mapped metrics.
pub(crate) fn add_job(
    totals: &mut CostAndTokenTotals,
    deltas: &mut Deltas,
    job: &str,
    legacy: &[u8],
    metrics: &[u8],
) {
    let records = recorded(legacy);
    let sides = [
        (&mut totals.cost_usd, &mut deltas.cost_usd, USD_EDGES),
        (&mut totals.tokens, &mut deltas.tokens, TOKEN_EDGES),
    ];
    for (measure, (totals, deltas, edges)) in sides.into_iter().enumerate() {
        let stages = totals.each().into_iter().zip(deltas.each());
        for (stage, (total, histogram)) in stages.enumerate() {
            let mapped = stored_number(metrics, measure, FIELDS[measure][stage]);
            let parts = match stage {
                0 => stored_number(metrics, measure, RECOMPUTED[measure]),
                _ => mapped,
            };
            total.mapped = more(total.mapped, mapped);
            total.recomputed = more(total.recomputed, parts);
            let Some(record) = records[measure][stage] else {
                histogram.unrecorded += 1;
                continue;
            };
            total.recorded = more(total.recorded, record);
            total.recorded_jobs += 1;
            total.recorded_zero += u64::from(record == 0.0 && parts > SAME);
            histogram.add(edges, record - parts, job);
        }
    }
}

/// Adds what the target holds of a job's metrics; nothing if they are missing.
pub(crate) fn add_stored(totals: &mut CostAndTokenTotals, metrics: Option<&[u8]>) {
    for (measure, totals) in [&mut totals.cost_usd, &mut totals.tokens].into_iter().enumerate() {
        for (stage, total) in totals.each().into_iter().enumerate() {
            let number = metrics
                .map_or(0.0, |metrics| stored_number(metrics, measure, FIELDS[measure][stage]));
            total.stored = Some(more(total.stored.unwrap_or(0.0), number));
        }
    }
}

/// Checks the stored sums against the mapped ones, for every stage and for the total.
pub(crate) fn judge(totals: &mut CostAndTokenTotals, tolerance_usd: f64, tolerance_tokens: f64) {
    let sides = [(&mut totals.cost_usd, tolerance_usd), (&mut totals.tokens, tolerance_tokens)];
    for (totals, tolerance) in sides {
        for total in totals.each() {
            let stored = *total.stored.get_or_insert(0.0);
            total.within_tolerance = (stored - total.mapped).abs() <= tolerance;
        }
    }
}

/// A sum that stays finite.
fn more(sum: f64, number: f64) -> f64 {
    (sum + number).clamp(f64::MIN, f64::MAX)
}

fn stored_number(metrics: &[u8], measure: usize, field: &str) -> f64 {
    let breakdown = ["cost", "tokens"][measure];
    at(Document::new(metrics), &[breakdown, field]).and_then(Value::numeric).unwrap_or(0.0)
}

/// What legacy recorded of cost and tokens: in total, and by stage. If a stage has two records
/// (chapters), the one of the part itself counts.
fn recorded(legacy: &[u8]) -> [[Option<f64>; 4]; 2] {
    let legacy = Document::new(legacy);
    let tracked = at(legacy, &["metadata", "costTracking"]).and_then(Value::document);
    let tracked = tracked.unwrap_or(Document::EMPTY);
    let breakdown = |stage: &str| count(at(tracked, &["breakdown", stage]));
    let chapters = |field: &str| count(at(legacy, &["modelUsage", USAGE[2], field]));
    [
        [
            count(tracked.get("totalCost")),
            breakdown("analysis"),
            breakdown("outline"),
            chapters("cost").or_else(|| breakdown("chapters")),
        ],
        [count(tracked.get("tokensUsed")), None, None, chapters("tokensUsed")],
    ]
}

/// The value at the end of these names.
fn at<'d>(document: Document<'d>, names: &[&str]) -> Option<Value<'d>> {
    let (last, above) = names.split_last()?;
    let mut document = document;
    for name in above {
        document = document.get(name).and_then(Value::document)?;
    }
    document.get(last)
}

/// A number that is a count, as for the mapping: finite, and not negative.
fn count(value: Option<Value<'_>>) -> Option<f64> {
    value.and_then(Value::numeric).filter(|number| number.is_finite() && *number >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_has_its_bucket() {
        let mut histogram = Histogram::new(USD_EDGES);
        let bounds = |histogram: &Histogram| -> Vec<_> {
            histogram.buckets.iter().map(|bucket| (bucket.above, bucket.below)).collect()
        };
        let places = bounds(&histogram);
        assert_eq!(places.len(), 2 * SIDE + 1);
        assert_eq!(places[0], (None, Some(-1.0)));
        assert_eq!(places[4], (Some(-0.005), Some(0.0)));
        assert_eq!(places[5], (Some(0.0), Some(0.0)));
        assert_eq!(places[6], (Some(0.0), Some(0.005)));
        assert_eq!(places[10], (Some(1.0), None));
        let deltas = [-7.0, -0.5, -0.05, -0.007, -0.001, 0.0, 0.001, 0.007, 0.05, 0.5, 7.0];
        for delta in deltas {
            histogram.add(USD_EDGES, delta, &delta.to_string());
        }
        for (bucket, delta) in histogram.buckets.iter().zip(deltas) {
            assert_eq!(bucket.jobs, [delta.to_string()]);
        }
        assert!(histogram.buckets[5].is_equal());
        assert_eq!(histogram.recorded(), 11);
    }

    #[test]
    fn buckets_name_the_first_jobs_only() {
        let mut histogram = Histogram::new(USD_EDGES);
        for job in 0..100 {
            histogram.add(USD_EDGES, 0.0, &job.to_string());
        }
        assert_eq!(histogram.buckets[SIDE].count, 100);
        assert_eq!(histogram.buckets[SIDE].jobs.len(), LISTED_MAX);
    }
}
