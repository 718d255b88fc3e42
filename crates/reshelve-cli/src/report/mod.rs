//! How the report of a run looks: one content, as a page, as Markdown, as JSON, and packed as
//! evidence.

mod bundle;
mod figures;
mod html;
mod markdown;
mod page;
mod sections;
mod source;
mod text;

use reshelve::parity::Bucket;
use reshelve::report::RunReport;
use serde::Serialize;

pub(crate) use bundle::write as write_bundle;

/// The report in every form.
pub(crate) struct Rendered {
    pub(crate) html: String,
    pub(crate) markdown: String,
    pub(crate) json: String,
}

/// `report.json` beside the page, and what `report --json` prints.
#[derive(Debug, Serialize)]
struct ReportDocument<'r> {
    schema: &'static str,
    #[serde(flatten)]
    report: &'r RunReport,
}

pub(crate) fn render(report: &RunReport) -> Rendered {
    let page = page::Page::of(report);
    let document = ReportDocument { schema: "reshelve.report/1", report };
    Rendered {
        html: html::render(&page),
        markdown: markdown::render(&page),
        json: serde_json::to_string(&document).unwrap_or_default(),
    }
}

/// A bucket of a histogram in words: how much more or less was recorded than the parts add up to.
pub(crate) fn bucket_name(bucket: &Bucket) -> String {
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
