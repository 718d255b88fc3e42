//! What the operator decided, and how many jobs are in the target as they are because of it.

use reshelve::ends::OnExisting;
use reshelve::report::{Member, RunReport};
use reshelve::run::Part;
use reshelve_core::mapping::{InFlight, OnUnknownStatus, StatusPolicy};

use super::page::{Block, Cell, Section, Standing, Table};
use crate::text::{counted, length, number};

/// A decision that changed data, or left some out.
pub(super) struct Decision {
    /// The option of the command line.
    flag: String,
    /// What it did.
    what: String,
    /// How much of it there was; none if the source could not be read again.
    count: Option<u64>,
}

/// How many decisions changed something.
pub(super) fn count(report: &RunReport) -> u64 {
    length(&decisions(report))
}

/// The decisions that changed something, each as its option and what it did.
pub(super) fn sentences(report: &RunReport) -> Vec<String> {
    let sentence = |decision: Decision| {
        let Decision { flag, what, count } = decision;
        let count = count.map_or_else(String::new, |count| format!(" ({})", number(count)));
        format!("`{flag}`: {what}{count}")
    };
    decisions(report).into_iter().map(sentence).collect()
}

pub(super) fn section(report: &RunReport) -> Section {
    let title = "Decisions that changed data";
    let decisions = decisions(report);
    if decisions.is_empty() {
        let text = "None: no option changed a document, left one out, or replaced one.";
        let blocks = vec![Block::Text(text.into())];
        return Section::new(title, Standing::Decided, blocks).brief("none".into());
    }
    let brief = counted(length(&decisions), "decision");
    let rows = decisions.into_iter().map(|decision| {
        let count = decision.count.map_or_else(|| "not known".to_owned(), number);
        vec![Cell::Code(decision.flag), Cell::Text(decision.what), Cell::Number(count)]
    });
    let columns = vec!["option", "what it did", "how many"];
    let blocks = vec![
        Block::Text(
            "These documents are in the target in another form than in the source, or not at all, \
             because the operator chose so."
                .into(),
        ),
        Table::whole(columns, rows.collect()),
    ];
    Section::new(title, Standing::Decided, blocks).brief(brief)
}

fn decisions(report: &RunReport) -> Vec<Decision> {
    let mut decisions = by_mapping(report);
    decisions.extend(report.runs.iter().skip(1).flat_map(of_retry));
    decisions.retain(|decision| decision.count != Some(0));
    let plan = &report.plan;
    let totals = &report.checkpoint.totals;
    let mut add = |flag: &str, what: &str, count: u64| {
        let (flag, what) = (flag.to_owned(), what.to_owned());
        decisions.push(Decision { flag, what, count: Some(count) });
    };
    if plan.on_existing == OnExisting::Replace && totals.replaced > 0 {
        add(
            "--replace",
            "jobs of the target were replaced; earlier versions are kept",
            totals.replaced,
        );
    }
    if let Some(entries) = plan.source.oplog_entries.filter(|entries| plan.apply && *entries > 0) {
        let what = "later changes in the oplog of the dump were not applied";
        add("--ignore-oplog", what, entries);
    }
    match plan.part(totals.documents.read) {
        None => {}
        Some(Part::First(limit)) => {
            add(&format!("--limit {limit}"), "only the first documents were read", limit);
        }
        Some(Part::RejectsOf(_)) => {
            let what = "only what an earlier run had rejected was read";
            add("--only-rejects", what, totals.documents.read);
        }
    }
    decisions
}

/// The decisions of a retry.
fn of_retry(retry: &Member) -> Vec<Decision> {
    let Member { plan, checkpoint } = retry;
    let (options, totals) = (&plan.options, &checkpoint.totals);
    let mut decisions = Vec::new();
    let mut add = |flag: &str, what: &str, count| {
        let flag = flag.to_owned();
        let what = format!("{what}, in the retry {}", plan.run);
        decisions.push(Decision { flag, what, count });
    };
    match options.in_flight.unwrap_or_default() {
        InFlight::Include => {}
        InFlight::Skip => {
            let what = "jobs in flight were left out";
            add("--in-flight skip", what, Some(totals.documents.skipped));
        }
        // How many of the retried documents were in flight is not counted.
        InFlight::AsFailed => {
            add("--in-flight as-failed", "jobs in flight were carried over as failed", None);
        }
    }
    if options.status_policy == StatusPolicy::Evidence {
        let what = "jobs got the status that their chapters show, not the stored one";
        let conflicts = totals.warnings.get("status-conflict").map_or(0, |tally| tally.count);
        add("--status-policy evidence", what, Some(conflicts));
    }
    if options.on_unknown_status == OnUnknownStatus::Failed {
        let count = totals.warnings.get("unknown-status").map_or(0, |tally| tally.count);
        let what = "documents with a status that the mapping does not know became failed jobs";
        add("--on-unknown-status failed", what, Some(count));
    }
    if plan.on_existing == OnExisting::Replace {
        let what = "jobs of the target were replaced; earlier versions are kept";
        add("--replace", what, Some(totals.replaced));
    }
    decisions
}

/// Decisions of the mapping's options.
fn by_mapping(report: &RunReport) -> Vec<Decision> {
    let options = &report.plan.options;
    let totals = &report.checkpoint.totals;
    let survey = report.survey.as_ref();
    let mut decisions = Vec::new();
    let mut add = |flag: &str, what: &str, count| {
        decisions.push(Decision { flag: flag.to_owned(), what: what.to_owned(), count });
    };
    match options.in_flight.unwrap_or_default() {
        InFlight::Include => {}
        InFlight::Skip => {
            let count = Some(totals.documents.skipped);
            add("--in-flight skip", "jobs in flight were left out", count);
        }
        InFlight::AsFailed => {
            let count = survey.map(|survey| survey.in_flight.count);
            add("--in-flight as-failed", "jobs in flight were carried over as failed", count);
        }
    }
    if options.status_policy == StatusPolicy::Evidence {
        let count = survey.map(|survey| {
            let conflicts = &survey.status_conflicts;
            conflicts.novels_behind_failed.count + conflicts.failures_behind_completed.count
        });
        let what = "jobs got the status that their chapters show, not the stored one";
        add("--status-policy evidence", what, count);
    }
    if options.on_unknown_status == OnUnknownStatus::Failed {
        let count = totals.warnings.get("unknown-status").map_or(0, |tally| tally.count);
        let what = "documents with a status that the mapping does not know became failed jobs";
        add("--on-unknown-status failed", what, Some(count));
    }
    decisions
}
