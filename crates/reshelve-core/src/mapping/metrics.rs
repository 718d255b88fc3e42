//! `novel_job_metrics`: cost, tokens and latency of a job.

use super::facts::Facts;
use super::legacy::{Legacy, Usage};
use super::read::sum;
use super::warning::{Path, WarningCode, Warnings};
use crate::raw::Writer;

/// How far the tracked total may differ from the sum of its parts without a warning, in USD.
const COST_DRIFT_USD: f64 = 0.005;

/// Cost in USD, or tokens: a total and its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Totals {
    /// The tracked total where that is > 0, else `recomputed`.
    pub(crate) total: f64,
    /// Analysis of the premise.
    pub(crate) analysis: f64,
    /// Creation of the outline.
    pub(crate) outline: f64,
    /// Writing of the chapters.
    pub(crate) chapters: f64,
    /// The sum of the three.
    pub(crate) recomputed: f64,
}

impl Totals {
    fn new(parts: [f64; 3], tracked: Option<f64>) -> Totals {
        let [analysis, outline, chapters] = parts;
        let recomputed = sum(parts);
        let total = tracked.filter(|total| *total > 0.0).unwrap_or(recomputed);
        Totals { total, analysis, outline, chapters, recomputed }
    }
}

/// The larger of a sum and a value: the sum unless the value is greater.
fn larger(sum: f64, value: Option<f64>) -> f64 {
    value.filter(|value| *value > sum).unwrap_or(sum)
}

fn cost(legacy: &Legacy<'_>) -> Totals {
    let tracked = legacy.metadata.as_ref().map(|metadata| &metadata.tracked);
    let part = |usage: &Usage<'_>, tracked: Option<f64>| usage.cost.or(tracked).unwrap_or(0.0);
    let written = sum(legacy.chapters.iter().filter_map(|chapter| chapter.cost));
    let chapters = larger(written, legacy.chapter_usage.cost);
    let chapters = if chapters == 0.0 {
        tracked.and_then(|tracked| tracked.chapters).unwrap_or(0.0)
    } else {
        chapters
    };
    let parts = [
        part(&legacy.premise_usage, tracked.and_then(|tracked| tracked.analysis)),
        part(&legacy.outline_usage, tracked.and_then(|tracked| tracked.outline)),
        chapters,
    ];
    Totals::new(parts, tracked.and_then(|tracked| tracked.total_cost))
}

fn tokens(legacy: &Legacy<'_>) -> Totals {
    let tracked = legacy.metadata.as_ref().and_then(|metadata| metadata.tracked.tokens_used);
    let written = sum(legacy.chapters.iter().filter_map(|chapter| chapter.tokens_used));
    let parts = [
        legacy.premise_usage.tokens_used.unwrap_or(0.0),
        legacy.outline_usage.tokens_used.unwrap_or(0.0),
        larger(written, legacy.chapter_usage.tokens_used),
    ];
    Totals::new(parts, tracked)
}

/// Writes the metrics document.
pub(crate) fn write(out: &mut Writer, legacy: &Legacy<'_>, facts: &Facts, warnings: &mut Warnings) {
    let cost = cost(legacy);
    let tracked = legacy.metadata.as_ref().and_then(|metadata| metadata.tracked.total_cost);
    if let Some(tracked) = tracked.filter(|tracked| *tracked > 0.0)
        && (tracked - cost.recomputed).abs() > COST_DRIFT_USD
    {
        let root = Path::ROOT;
        let metadata = root.name("metadata");
        let tracking = metadata.name("costTracking");
        warnings.add(WarningCode::CostDrift, &tracking.name("totalCost"));
    }
    let document = out.begin();
    out.object_id("_id", facts.identity.object_id);
    out.string("jobId", &facts.identity.job_id);
    write_totals(
        out,
        "cost",
        ["totalUsd", "analysisUsd", "outlineUsd", "chaptersUsd", "recomputedUsd"],
        cost,
    );
    let names = ["total", "analysis", "outline", "chapters", "recomputed"];
    write_totals(out, "tokens", names, tokens(legacy));
    write_latency(out, legacy, facts);
    out.date("createdAt", facts.created);
    out.date("updatedAt", facts.updated);
    out.end(document);
}

fn write_totals(out: &mut Writer, name: &str, names: [&str; 5], totals: Totals) {
    let Totals { total, analysis, outline, chapters, recomputed } = totals;
    let document = out.begin_document(name);
    for (name, number) in names.iter().zip([total, analysis, outline, chapters, recomputed]) {
        out.number(name, number);
    }
    out.end(document);
}

fn write_latency(out: &mut Writer, legacy: &Legacy<'_>, facts: &Facts) {
    let parts = [&legacy.premise_usage, &legacy.outline_usage, &legacy.chapter_usage]
        .map(|usage| usage.duration.unwrap_or(0.0));
    let document = out.begin_document("latencyMs");
    for (name, number) in ["analysis", "outline", "chapters"].iter().zip(parts) {
        out.number(name, number);
    }
    out.number("total", facts.duration_ms.unwrap_or_else(|| sum(parts)));
    out.end(document);
}
