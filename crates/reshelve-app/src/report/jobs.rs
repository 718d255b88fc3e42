//! Jobs that need a second look: statuses that contradict the chapters, and jobs in flight.

use reshelve::parity::{JobList, ListedJob};
use reshelve::report::RunReport;
use reshelve::run::Decisions;
use reshelve_core::mapping::{InFlight, StatusPolicy};

use super::page::{Block, Cell, ROWS_MAX, Section, Standing, Table};
use crate::text::{agree, counted, number};

/// Statuses that contradict the chapters.
pub(super) fn status_conflicts(report: &RunReport) -> Option<Section> {
    let conflicts = &report.survey.as_ref()?.status_conflicts;
    let sides = [
        ("Novels behind `failed`: every chapter is written", &conflicts.novels_behind_failed),
        ("Failures behind `completed`: every chapter failed", &conflicts.failures_behind_completed),
    ];
    let mut blocks = vec![Block::Text(format!(
        "The stored status contradicts the chapters: {} behind `failed`, {} behind `completed`. {}",
        counted(conflicts.novels_behind_failed.count, "novel"),
        counted(conflicts.failures_behind_completed.count, "failure"),
        decided(report, |options| match options.status_policy {
            StatusPolicy::Legacy => "The target keeps the stored status (--status-policy legacy).",
            StatusPolicy::Evidence => "The target follows the chapters (--status-policy evidence).",
        })
    ))];
    let tables = sides.into_iter().filter(|(_, list)| list.count > 0);
    blocks.extend(tables.map(|(caption, list)| jobs(caption, list)));
    let count = conflicts.novels_behind_failed.count + conflicts.failures_behind_completed.count;
    let standing = if count > 0 { Standing::Noted } else { Standing::Holds };
    let brief = if count > 0 { counted(count, "job") } else { "none".into() };
    Some(Section::new("Status conflicts", standing, blocks).brief(brief))
}

/// Jobs that were queued or running.
pub(super) fn in_flight(report: &RunReport) -> Option<Section> {
    let list = &report.survey.as_ref()?.in_flight;
    let decided = decided(report, |options| match options.in_flight.unwrap_or_default() {
        InFlight::Include => "They are carried over as they are.",
        InFlight::Skip => "They are left out.",
        InFlight::AsFailed => "They are carried over as failed.",
    });
    let mut blocks = vec![Block::Text(match list.count {
        0 => "No job was queued or running when the data was taken.".into(),
        count => format!(
            "{} {} queued or running when the data was taken. {decided}",
            counted(count, "job"),
            agree(count, "was", "were")
        ),
    })];
    if list.count > 0 {
        blocks.push(jobs("", list));
    }
    let standing = match report.plan.options.in_flight.unwrap_or_default() {
        _ if list.count == 0 => Standing::Holds,
        InFlight::Skip => Standing::Open,
        InFlight::Include | InFlight::AsFailed => Standing::Noted,
    };
    let brief = if list.count > 0 { counted(list.count, "job") } else { "none".into() };
    Some(Section::new("In flight", standing, blocks).brief(brief))
}

/// What the run decided on such jobs, and, where a retry decided otherwise, what that did.
fn decided(report: &RunReport, of: impl Fn(&Decisions) -> &'static str) -> String {
    let first = of(&report.plan.options);
    let retries = report.runs.iter().skip(1).map(|retry| &retry.plan);
    let others = retries.filter(|plan| of(&plan.options) != first);
    let others =
        others.map(|plan| format!(" Of what the retry {} took: {}", plan.run, of(&plan.options)));
    format!("{first}{}", others.collect::<String>())
}

fn jobs(caption: &'static str, list: &JobList) -> Block {
    let row = |job: &ListedJob| {
        vec![Cell::job(&job.job), Cell::Foreign(job.title.clone()), Cell::code(&job.status)]
    };
    let rows: Vec<_> = list.jobs.iter().take(ROWS_MAX).map(row).collect();
    let rest = list.count - u64::try_from(rows.len()).unwrap_or(list.count);
    let place =
        if caption.is_empty() { ": `reshelve profile --json` lists the first 1 000" } else { "" };
    let more = (rest > 0).then(|| format!("and {} more{place}", number(rest)));
    Block::Table(Table { caption, columns: vec!["job", "title", "legacy status"], rows, more })
}
