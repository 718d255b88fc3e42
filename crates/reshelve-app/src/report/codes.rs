//! Warnings and rejects, by code, with examples.

use reshelve::report::RunReport;
use reshelve::run::{Example, RejectReason, Tally};

use super::page::{Block, Cell, ROWS_MAX, Section, Standing, Table, more};
use super::text::plain_id;
use crate::text::{counted, number};

/// How many examples of a code are named.
const EXAMPLES_MAX: usize = 5;

/// Warnings by code, with examples.
pub(super) fn warnings(report: &RunReport) -> Section {
    let warnings = &report.checkpoint.totals.warnings;
    let mut blocks = vec![Block::Text(match warnings.len() {
        0 => "None.".into(),
        _ => {
            "Warnings do not stop a run. Each names a place in a legacy document that differs from \
              the schema, or from what the mapping shows elsewhere."
                .into()
        }
    })];
    if !warnings.is_empty() {
        let rows = warnings.iter().map(|(code, tally)| {
            let (examples, more) = examples(tally);
            vec![
                Cell::code(code),
                Cell::text(meaning(code)),
                Cell::count(tally.count),
                Cell::Codes(examples, more),
            ]
        });
        let columns = vec!["code", "means", "places", "examples"];
        blocks.push(Table::whole(columns, rows.collect()));
    }
    let count = warnings.values().map(|tally| tally.count).sum();
    let standing = if count > 0 { Standing::Noted } else { Standing::Holds };
    let brief = if count > 0 { counted(count, "place") } else { "none".into() };
    Section::new("Warnings", standing, blocks).brief(brief)
}

fn examples(tally: &Tally) -> (Vec<String>, u64) {
    let text = |example: &Example| match example.path.as_str() {
        "" => example.job.clone(),
        path => format!("{} {path}", example.job),
    };
    let named = tally.examples.iter().filter(|example| !example.job.is_empty());
    let named: Vec<String> = named.take(EXAMPLES_MAX).map(text).collect();
    let more = tally.count - u64::try_from(named.len()).unwrap_or(tally.count);
    (named, more)
}

fn meaning(code: &str) -> &'static str {
    match code {
        "alert-id-collision" => "an alert got a suffix, because another one has the same id",
        "alert-merged" => "an alert equal to an earlier one was merged into it",
        "cost-drift" => "the tracked total cost differs from the parts by more than half a cent",
        "duplicate-chapter-number" => "a chapter has the number of an earlier one",
        "invalid-date" => "a date out of range, or a number that is not a date",
        "invalid-number" => "NaN, an infinity, or a negative count",
        "key-escaped" => "a map key was written in another form",
        "over-display-limit" => "more entries than the new application shows",
        "progress-drift" => "the recorded progress differs from the chapters",
        "status-conflict" => "the stored status contradicts the chapters",
        "time-missing" => "no date says when the job was created",
        "type-mismatch" => "a value of a type that its rule does not expect",
        "unknown-chapter-status" => "a chapter status that the mapping does not know",
        "unknown-severity" => "an alert severity that the mapping does not know",
        "unknown-status" => "a status that the mapping does not know, treated as failed",
        "unreadable-part" => "a part that a JavaScript reader may not read is in the residue only",
        _ => "see the mapping contract",
    }
}

/// Rejected documents, by code and the first ones by position.
pub(super) fn rejects(report: &RunReport) -> Section {
    let rejects = &report.checkpoint.totals.rejects;
    if rejects.is_empty() {
        let blocks = vec![Block::Text("None.".into())];
        return Section::new("Rejects", Standing::Holds, blocks).brief("none".into());
    }
    let rows = rejects.iter().map(|(code, tally)| {
        let (examples, more) = examples(tally);
        vec![Cell::code(code), Cell::count(tally.count), Cell::Codes(examples, more)]
    });
    let by_code = Table {
        caption: "By code",
        columns: vec!["code", "documents", "examples"],
        rows: rows.collect(),
        more: None,
    };
    let rows = report.rejects.iter().take(ROWS_MAX).map(|record| {
        vec![
            Cell::count(record.position),
            Cell::Number(number(record.offset)),
            Cell::code(plain_id(&record.id.to_string())),
            Cell::code(&record.code),
            Cell::Foreign(record.message.clone()),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let rejected = report.checkpoint.totals.documents.rejected;
    let more = more(rejected, rows.len(), "rejects.jsonl in the run folder has them");
    let first = Table {
        caption: "The first ones",
        columns: vec!["position", "byte", "_id", "code", "reason"],
        rows,
        more,
    };
    let of_target = rejects.keys().filter(|code| RejectReason::is_of_target(code)).count();
    let text = match of_target {
        0 => {
            "These documents are not in the target. The run folder holds them: repair them and run \
             them again."
        }
        all if all == rejects.len() => {
            "The target did not take these documents: it holds others in their places \
             (`target-conflict`), or refuses them (`target-refused`). The run folder holds them."
        }
        _ => {
            "These documents are not in the target, or it holds others in their places \
             (`target-conflict`). The run folder holds them: what is damaged can be repaired and \
             run again."
        }
    };
    let blocks = vec![Block::Text(text.into()), Block::Table(by_code), Block::Table(first)];
    Section::new("Rejects", Standing::Open, blocks).brief(counted(rejected, "document"))
}
