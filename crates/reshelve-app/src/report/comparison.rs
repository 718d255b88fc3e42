//! Source and target compared: counts, parity, mismatches.

use reshelve::parity::{Group, Mismatch, Verification};
use reshelve::report::{RunReport, Word};

use super::page::{Block, Cell, ROWS_MAX, Section, Table, more};
use crate::text::{counted, length, number};
use crate::{groups, hints};

/// Documents on both sides.
pub(super) fn counts(report: &RunReport) -> Option<Section> {
    let counts = &report.survey.as_ref()?.counts;
    let row = |what: &str, count: u64| vec![Cell::text(what), Cell::count(count)];
    let mut rows = vec![
        row("legacy documents", counts.legacy),
        row("− rejected", counts.rejected),
        row("− left out, in flight", counts.skipped),
        row("= belong in the target", counts.jobs()),
    ];
    if counts.retried > 0 {
        rows.push(row("of these, rejected at first and carried over by a retry", counts.retried));
    }
    if counts.repaired > 0 {
        rows.push(row(
            "of these, repaired; the source still holds the rejected one",
            counts.repaired,
        ));
    }
    if counts.not_in_source > 0 {
        rows.push(row("carried over by a retry, and not in the source", counts.not_in_source));
    }
    for (collection, documents) in &counts.collections {
        rows.push(vec![Cell::code(collection), Cell::count(*documents)]);
    }
    if counts.left_alone > 0 {
        rows.push(row("of others, left alone", counts.left_alone));
    }
    let text = match &report.parity {
        Some(_) => {
            "Counted now, on both sides. There must be as many jobs, metrics and metadata as \
             documents that belong in the target."
        }
        None => "Counted now, from the source.",
    };
    let table = Table { caption: "", columns: vec!["what", "documents"], rows, more: None };
    Some(Section { title: "Counts", blocks: vec![Block::Text(text.into()), Block::Table(table)] })
}

/// The comparison, and the proof that nothing was lost.
pub(super) fn parity(report: &RunReport) -> Section {
    let proved = "Lossless proof: before anything is written, each legacy document is rebuilt from \
                  its four target documents alone and compared byte for byte.";
    let mut blocks = Vec::new();
    match &report.parity {
        Some(parity) => {
            let jobs = parity.survey.counts.jobs();
            blocks.push(Block::Text(format!(
                "{proved} For this report it was done again with what the target holds now: {} of \
                 {} restored. Every target document was compared with a fresh mapping of its \
                 legacy document, byte for byte.",
                number(parity.restored.identical),
                number(jobs)
            )));
            let restored = parity.restored;
            blocks.push(Block::Facts(vec![
                ("restored", Cell::count(restored.identical)),
                ("different", Cell::count(restored.different)),
                ("missing", Cell::count(restored.missing)),
                ("extra", Cell::count(restored.extra.unwrap_or(0))),
                ("mismatches", Cell::count(parity.mismatches_total)),
            ]));
            if parity.mismatches_total > 0 {
                blocks.push(groups(parity));
                let causes = parity.causes.iter().map(|cause| Block::Text(hints::of_cause(cause)));
                blocks.extend(causes);
                blocks.push(mismatches(parity));
            }
        }
        None if report.verdict.word == Word::DryRun => {
            let documents = report.checkpoint.totals.documents;
            blocks.push(Block::Text(format!(
                "{proved} The dry run did so for {} of {}. There is no target to compare with.",
                number(documents.mapped),
                counted(documents.read, "document")
            )));
        }
        None => blocks.push(Block::Text(format!(
            "{} This report makes no statement about parity.",
            report.verdict.sentence
        ))),
    }
    Section { title: "Parity and lossless proof", blocks }
}

/// What differs, each difference once.
fn groups(parity: &Verification) -> Block {
    let row = |group: &Group| {
        vec![
            Cell::Text(groups::amount(group)),
            Cell::code(groups::place(group)),
            Cell::code(groups::difference(group)),
            Cell::code(&group.example),
        ]
    };
    let rows: Vec<_> = parity.groups.iter().take(ROWS_MAX).map(row).collect();
    let more = more(length(&parity.groups), rows.len(), "`report-data.json` has all of them");
    let columns = vec!["how many", "where", "expected → actual", "such as"];
    Block::Table(Table { caption: "What differs, each difference once", columns, rows, more })
}

fn mismatches(parity: &Verification) -> Block {
    let value = |value: &Option<String>| match value {
        Some(value) => Cell::code(value),
        None => Cell::text("nothing"),
    };
    let row = |mismatch: &Mismatch| {
        vec![
            Cell::code(&mismatch.job),
            Cell::code(mismatch.collection),
            Cell::code(&mismatch.path),
            value(&mismatch.expected),
            value(&mismatch.actual),
        ]
    };
    let rows: Vec<_> = parity.mismatches.iter().take(ROWS_MAX).map(row).collect();
    let more =
        more(parity.mismatches_total, rows.len(), "`reshelve verify --out DIR` writes all of them");
    let columns = vec!["job", "collection", "path", "expected", "actual"];
    Block::Table(Table { caption: "Mismatches, one by one", columns, rows, more })
}
