//! The parts of the report that are about money and tokens.

use reshelve::parity::{Bucket, Histogram, Measure, StageTotals};
use reshelve::report::RunReport;

use super::page::{Block, Cell, Job, Section, Standing, Table};
use super::text::decimal;
use crate::text::{agree, counted, number};

/// How many jobs of a bucket are named; `report-data.json` has more.
const NAMED_MAX: usize = 4;

/// Cost and tokens three ways.
pub(super) fn totals(report: &RunReport) -> Option<Section> {
    let totals = &report.survey.as_ref()?.totals;
    let blocks = vec![
        Block::Text(
            "What legacy recorded besides the parts (for the jobs that have a record), what the parts \
             of all jobs add up to, what the mapping says should be stored, and what is stored. Only \
             the last two have to agree. \
             The application itself recorded 0 in its totals, and retries changed only the parts: \
             wrong records of legacy are shown here, and are not a failure."
                .into(),
        ),
        totals_table("Cost, in USD", &totals.cost_usd, 4),
        totals_table("Tokens", &totals.tokens, 0),
    ];
    let title = "Cost and tokens, three ways";
    let mut stages = totals.cost_usd.named().into_iter().chain(totals.tokens.named());
    let standing = match report.parity {
        None => Standing::Recorded,
        Some(_) if stages.all(|(_, total)| total.within_tolerance) => Standing::Holds,
        Some(_) => Standing::Fails,
    };
    Some(Section::new(title, standing, blocks))
}

fn totals_table(caption: &'static str, measure: &Measure<StageTotals>, decimals: usize) -> Block {
    let has_target = measure.total.stored.is_some();
    let mut columns =
        vec!["stage", "jobs with a record", "legacy recorded", "by the parts", "should be stored"];
    if has_target {
        columns.extend(["stored", "stored as it should be"]);
    }
    let rows = measure.named().into_iter().map(|(stage, total)| {
        let figure = |number: f64| Cell::Number(decimal(number, decimals));
        let recorded = match total.recorded_jobs {
            0 => Cell::text("not recorded"),
            _ => figure(total.recorded),
        };
        let mut row = vec![
            Cell::text(stage),
            Cell::count(total.recorded_jobs),
            recorded,
            figure(total.recomputed),
            figure(total.mapped),
        ];
        if let Some(stored) = total.stored {
            let good = total.within_tolerance;
            let words = if good { "within tolerance" } else { "out of tolerance" };
            row.extend([figure(stored), Cell::Flag { good, words }]);
        }
        row
    });
    Block::Table(Table { caption, columns, rows: rows.collect(), more: None })
}

/// How records and parts differ.
pub(super) fn deltas(report: &RunReport) -> Option<Section> {
    let survey = report.survey.as_ref()?;
    let cost = &survey.deltas.cost_usd;
    let zero = survey.totals.cost_usd.total.recorded_zero;
    let mut text = format!(
        "For each job that has a record: what legacy recorded, minus what the parts add up to. {} \
         {} a recorded total cost, {} {} none.",
        counted(cost.total.recorded(), "job"),
        agree(cost.total.recorded(), "has", "have"),
        number(cost.total.unrecorded),
        agree(cost.total.unrecorded, "has", "have"),
    );
    if zero > 0 {
        text.push_str(&format!(
            " {} recorded 0 although the parts add up to more: they count as recorded less.",
            number(zero)
        ));
    }
    let blocks = vec![
        Block::Text(text),
        histogram(&cost.total),
        by_stage("By stage: cost in USD, number of jobs", cost),
        by_stage("By stage: tokens, number of jobs", &survey.deltas.tokens),
    ];
    let buckets = cost.total.buckets.iter().filter(|bucket| !bucket.is_equal());
    let differ = buckets.map(|bucket| bucket.count).sum();
    let standing = if differ > 0 { Standing::Noted } else { Standing::Holds };
    let brief = match differ {
        0 => "the same".to_owned(),
        differ => format!("{} {}", counted(differ, "job"), agree(differ, "differs", "differ")),
    };
    Some(Section::new("Recorded against recomputed", standing, blocks).brief(brief))
}

/// The histogram of the total cost, with the jobs in each bucket.
fn histogram(histogram: &Histogram) -> Block {
    let most = histogram.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0).max(1);
    let rows = histogram.buckets.iter().map(|bucket| {
        let named: Vec<Job> = bucket.jobs.iter().take(NAMED_MAX).map(Job::new).collect();
        let more = bucket.count - u64::try_from(named.len()).unwrap_or(bucket.count);
        vec![
            Cell::text(bucket_name(bucket)),
            Cell::count(bucket.count),
            Cell::Bar(bucket.count * 1000 / most),
            Cell::Jobs(named, more),
        ]
    });
    Block::Table(Table {
        caption: "Total cost, in USD: legacy recorded …",
        columns: vec!["… USD", "jobs", "", "which"],
        rows: rows.collect(),
        more: None,
    })
}

fn by_stage(caption: &'static str, measure: &Measure<Histogram>) -> Block {
    let stages = measure.named();
    let places = stages[0].1.buckets.len();
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for place in 0..places {
        let buckets: Vec<_> =
            stages.iter().filter_map(|(_, histogram)| histogram.buckets.get(place)).collect();
        if buckets.iter().all(|bucket| bucket.count == 0) {
            continue;
        }
        let name = buckets.first().map(|bucket| bucket_name(bucket)).unwrap_or_default();
        let counts = buckets.iter().map(|bucket| Cell::count(bucket.count));
        rows.push(std::iter::once(Cell::Text(name)).chain(counts).collect());
    }
    let unrecorded = stages.iter().map(|(_, histogram)| Cell::count(histogram.unrecorded));
    rows.push(std::iter::once(Cell::text("not recorded")).chain(unrecorded).collect());
    let columns =
        std::iter::once("legacy recorded").chain(stages.iter().map(|(name, _)| *name)).collect();
    Block::Table(Table { caption, columns, rows, more: None })
}

/// A bucket of a histogram in words: how much more or less was recorded than the parts add up to.
pub fn bucket_name(bucket: &Bucket) -> String {
    let edge = |edge: f64| match edge {
        1_000.0 => "1 000".to_owned(),
        10_000.0 => "10 000".to_owned(),
        edge => edge.to_string(),
    };
    let range = |low: f64, high: f64, word: &str| match low {
        0.0 => format!("up to {} {word}", edge(high)),
        _ => format!("{} to {} {word}", edge(low), edge(high)),
    };
    match (bucket.above, bucket.below) {
        _ if bucket.is_equal() => "the same".into(),
        (None, Some(below)) => format!("over {} less", edge(-below)),
        (Some(above), None) => format!("over {} more", edge(above)),
        (Some(above), Some(below)) if above < 0.0 => range(below.abs(), -above, "less"),
        (Some(above), Some(below)) => range(above, below, "more"),
        (None, None) => "any".into(),
    }
}
