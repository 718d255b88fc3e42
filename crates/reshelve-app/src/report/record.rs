//! What a change record keeps: time, memory, error rate, checksums, the way back.

use reshelve::report::RunReport;

use super::page::{Block, Cell, Section, Standing, Table};
use super::text::decimal;
use crate::text::{counted, number, percent, size, span};

/// Time, memory, errors.
pub(super) fn effort(report: &RunReport) -> Section {
    let checkpoint = &report.checkpoint;
    let totals = &checkpoint.totals;
    let documents = totals.documents;
    let rate = totals.bytes_read.saturating_mul(1000) / checkpoint.elapsed_ms.max(1);
    let facts = vec![
        (
            "read",
            Cell::Text(format!(
                "{}, {}",
                counted(documents.read, "document"),
                size(totals.bytes_read)
            )),
        ),
        (
            "mapped",
            Cell::Text(format!(
                "{} with {}, {} of target, {} of it residue",
                counted(documents.mapped, "job"),
                counted(totals.events, "event"),
                size(totals.bytes_mapped),
                size(totals.residue_bytes)
            )),
        ),
        (
            "written",
            Cell::Text(format!(
                "{}, {}; {} unchanged, {} replaced",
                counted(documents.written, "job"),
                size(totals.bytes_written),
                number(documents.unchanged),
                number(totals.replaced)
            )),
        ),
        ("time", Cell::Text(span(checkpoint.elapsed_ms))),
        (
            "throughput",
            Cell::Text(format!(
                "{} documents/s, {}/s",
                decimal(report.rates.docs_per_s, 1),
                size(rate)
            )),
        ),
        (
            "per 1 000 documents",
            Cell::Text(format!("{} ms", decimal(report.rates.ms_per_1k_docs, 1))),
        ),
        ("peak memory", Cell::Text(size(checkpoint.peak_rss_bytes))),
        (
            "error rate",
            Cell::Text(format!(
                "{} ({} of {} rejected)",
                percent(report.rates.error_percent),
                number(documents.rejected),
                counted(documents.read, "document")
            )),
        ),
    ];
    let blocks = vec![Block::Facts(facts)];
    let title = "Time, memory, error rate";
    Section::new(title, Standing::Recorded, blocks).brief(span(checkpoint.elapsed_ms))
}

/// Fingerprints of both sides.
pub(super) fn fingerprints(report: &RunReport) -> Section {
    let mut facts =
        vec![("source, as the run read it", Cell::code(&report.checkpoint.source_hash))];
    if let Some(survey) = &report.survey {
        facts.push(("source, as it is now", Cell::code(&survey.source.hash)));
    }
    let mut blocks = vec![
        Block::Text(
            "The source's fingerprint is a running BLAKE3 hash over its documents. A collection's \
             checksum is the sum, modulo 2^256, of the SHA-256 hashes of its documents: it does not \
             depend on their order, and anybody can compute it again."
                .into(),
        ),
        Block::Facts(facts),
    ];
    if let Some(checksums) = &report.checksums {
        let rows = checksums.iter().map(|(collection, checksum)| {
            vec![
                Cell::code(collection),
                Cell::count(checksum.documents),
                Cell::count(checksum.bytes),
                Cell::code(&checksum.checksum),
            ]
        });
        let columns = vec!["collection", "documents", "bytes", "checksum"];
        let rows = rows.collect();
        blocks.push(Block::Table(Table {
            caption: "The target, as it is now",
            columns,
            rows,
            more: None,
        }));
    } else if report.plan.apply {
        blocks.push(Block::Text("The target could not be read: there are no checksums.".into()));
    }
    Section::new("Fingerprints and checksums", Standing::Recorded, blocks)
}

/// How to roll the run back.
pub(super) fn rollback(report: &RunReport) -> Section {
    let title = "How to roll back";
    let Some(rollback) = &report.rollback else {
        let text = "There is nothing to roll back: nothing was written.";
        return Section::new(title, Standing::Recorded, vec![Block::Text(text.into())]);
    };
    let rows = rollback.files.iter().map(|file| {
        vec![
            Cell::code(file.path.display()),
            Cell::count(file.bytes_before),
            Cell::count(file.bytes_after),
        ]
    });
    let table = Table {
        caption: "The target's files, in bytes",
        columns: vec!["file", "before the run", "after the run"],
        rows: rows.collect(),
        more: None,
    };
    let mut blocks = vec![Block::Steps(rollback.steps.clone())];
    // A live target has no files.
    if !table.rows.is_empty() {
        blocks.push(Block::Table(table));
    }
    Section::new(title, Standing::Recorded, blocks)
}
