//! The parts of the report, one function each.

use reshelve::ends::OnExisting;
use reshelve::folder::Compression;
use reshelve::parity::{JobList, Mismatch, Verification};
use reshelve::report::{RunReport, Word};
use reshelve::run::Tally;
use reshelve_core::mapping::{InFlight, OnUnknownStatus, StatusPolicy};

use super::page::{Block, Cell, Section, Table};
use super::text::decimal;
use crate::printer::{number, size, span};

/// How many rows a list has; the files that it names hold the rest.
const ROWS_MAX: usize = 20;
/// How many examples of a code are named.
const EXAMPLES_MAX: usize = 5;

/// The figures at the top.
pub(super) fn first_figures(report: &RunReport) -> Vec<(&'static str, String)> {
    let documents = report.checkpoint.totals.documents;
    let mut figures = Vec::new();
    if let Some(parity) = &report.parity {
        let jobs = parity.survey.counts.jobs();
        let restored = format!("{} of {}", number(parity.restored.identical), number(jobs));
        figures.push(("restored byte for byte", restored));
        figures.push(("mismatches", number(parity.mismatches_total)));
    } else if report.verdict.word == Word::DryRun {
        let mapped = format!("{} of {}", number(documents.mapped), number(documents.read));
        figures.push(("would be mapped", mapped));
    } else {
        figures.push(("documents read", number(documents.read)));
        figures.push(("jobs written", number(documents.written)));
    }
    let warnings = report.checkpoint.totals.warnings.values().map(|tally| tally.count).sum();
    figures.push(("rejected", number(documents.rejected)));
    figures.push(("left out, in flight", number(documents.skipped)));
    figures.push(("warnings", number(warnings)));
    figures
}

/// What was run on what.
pub(super) fn run(report: &RunReport) -> Section {
    let plan = &report.plan;
    let source = match (&plan.source.db, &plan.source.collection) {
        (None, None) => String::new(),
        (db, collection) => format!(
            "database {}, collection {}",
            db.as_deref().unwrap_or("the only one"),
            collection.as_deref().unwrap_or("jobs")
        ),
    };
    let mut facts = vec![
        ("run", Cell::code(&plan.run)),
        ("begun", Cell::code(&plan.begun_at)),
        ("written", Cell::text(if plan.apply { "yes (--apply)" } else { "no, a dry run" })),
        ("state", Cell::text(report.checkpoint.state.as_str())),
        ("tool", Cell::Text(format!("reshelve {}, mapping {}", plan.tool_version, plan.mapping))),
        ("source", Cell::code(plan.source.path.display())),
    ];
    if !source.is_empty() {
        facts.push(("picked", Cell::Foreign(source)));
    }
    let bytes = plan.source.bytes.map_or_else(String::new, |bytes| format!(", {}", size(bytes)));
    facts.push(("form", Cell::Text(format!("{}{bytes}", plan.source.form))));
    facts.push(("target", Cell::code(plan.target.name())));
    if let Some(folder) = plan.target.folder() {
        facts.push((
            "compression",
            Cell::text(match folder.compression {
                Compression::None => "none",
                Compression::Gzip => "gzip",
                Compression::Zstd => "zstd",
            }),
        ));
    }
    facts.push((
        "jobs in flight",
        Cell::text(match plan.options.in_flight {
            InFlight::Include => "carried over as they are (include)",
            InFlight::Skip => "left out (skip)",
            InFlight::AsFailed => "carried over as failed (as-failed)",
        }),
    ));
    facts.push((
        "status conflicts",
        Cell::text(match plan.options.status_policy {
            StatusPolicy::Legacy => "the stored status counts (legacy)",
            StatusPolicy::Evidence => "the chapters count (evidence)",
        }),
    ));
    facts.push((
        "unknown statuses",
        Cell::text(match plan.options.on_unknown_status {
            OnUnknownStatus::Reject => "rejected (reject)",
            OnUnknownStatus::Failed => "carried over as failed (failed)",
        }),
    ));
    facts.push((
        "existing documents",
        Cell::text(match plan.on_existing {
            OnExisting::Refuse => "refused: the target had to be empty",
            OnExisting::Keep => "left as they are (--allow-existing)",
            OnExisting::Replace => "replaced where they differ (--replace)",
        }),
    ));
    if let Some(limit) = plan.limit {
        facts.push(("at most", Cell::Text(format!("{} documents (--limit)", number(limit)))));
    }
    if let Some(rejects) = &plan.only_rejects {
        facts.push(("only the rejects of", Cell::code(rejects.display())));
    }
    Section { title: "What was run on what", blocks: vec![Block::Facts(facts)] }
}

/// Documents on both sides.
pub(super) fn counts(report: &RunReport) -> Option<Section> {
    let counts = &report.survey.as_ref()?.counts;
    let row = |what: &str, count: u64| vec![Cell::text(what), Cell::count(count)];
    let mut rows = vec![
        row("legacy documents", counts.legacy),
        row("− rejected", counts.rejected),
        row("− left out, in flight", counts.skipped),
        row("= belong into the target", counts.jobs()),
    ];
    for (collection, documents) in &counts.collections {
        rows.push(vec![Cell::code(collection), Cell::count(*documents)]);
    }
    if counts.left_alone > 0 {
        rows.push(row("of others, left alone", counts.left_alone));
    }
    let text = match &report.parity {
        Some(_) => {
            "Counted now, from both sides. Jobs, metrics and metadata have to be as many as the \
             documents that belong into the target."
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
                blocks.push(mismatches(parity));
            }
        }
        None if report.verdict.word == Word::DryRun => {
            let documents = report.checkpoint.totals.documents;
            blocks.push(Block::Text(format!(
                "{proved} The dry run did so with {} of {} documents. There is no target to compare \
                 with.",
                number(documents.mapped),
                number(documents.read)
            )));
        }
        None => blocks.push(Block::Text(format!(
            "{} Nothing is said about parity here.",
            report.verdict.sentence
        ))),
    }
    Section { title: "Parity and lossless proof", blocks }
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
    Block::Table(Table { caption: "Mismatches", columns, rows, more })
}

/// What a list leaves out.
fn more(count: u64, shown: usize, place: &str) -> Option<String> {
    let rest = count.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX));
    (rest > 0).then(|| format!("and {} more: {place}", number(rest)))
}

/// Statuses that contradict the chapters.
pub(super) fn status_conflicts(report: &RunReport) -> Option<Section> {
    let conflicts = &report.survey.as_ref()?.status_conflicts;
    let sides = [
        ("Novels behind `failed`: every chapter is written", &conflicts.novels_behind_failed),
        ("Failures behind `completed`: every chapter failed", &conflicts.failures_behind_completed),
    ];
    let mut blocks = vec![Block::Text(format!(
        "The stored status contradicts the chapters: {} novels hide behind `failed`, {} failures \
         behind `completed`. {}",
        number(conflicts.novels_behind_failed.count),
        number(conflicts.failures_behind_completed.count),
        match report.plan.options.status_policy {
            StatusPolicy::Legacy => "The target keeps the stored status (--status-policy legacy).",
            StatusPolicy::Evidence =>
                "The target believes the chapters (--status-policy evidence).",
        }
    ))];
    let tables = sides.into_iter().filter(|(_, list)| list.count > 0);
    blocks.extend(tables.map(|(caption, list)| jobs(caption, list)));
    Some(Section { title: "Status conflicts", blocks })
}

/// Jobs that were queued or running.
pub(super) fn in_flight(report: &RunReport) -> Option<Section> {
    let list = &report.survey.as_ref()?.in_flight;
    let decided = match report.plan.options.in_flight {
        InFlight::Include => "They are carried over as they are.",
        InFlight::Skip => "They are left out.",
        InFlight::AsFailed => "They are carried over as failed.",
    };
    let mut blocks = vec![Block::Text(match list.count {
        0 => "No job was queued or running when the data was taken.".into(),
        count => format!(
            "{} jobs were queued or running when the data was taken. {decided}",
            number(count)
        ),
    })];
    if list.count > 0 {
        blocks.push(jobs("", list));
    }
    Some(Section { title: "In flight", blocks })
}

fn jobs(caption: &'static str, list: &JobList) -> Block {
    let row = |job: &reshelve::parity::ListedJob| {
        vec![Cell::code(&job.job), Cell::Foreign(job.title.clone()), Cell::code(&job.status)]
    };
    let rows: Vec<_> = list.jobs.iter().take(ROWS_MAX).map(row).collect();
    let rest = list.count - u64::try_from(rows.len()).unwrap_or(list.count);
    let more = (rest > 0).then(|| format!("and {} more", number(rest)));
    Block::Table(Table { caption, columns: vec!["job", "title", "legacy status"], rows, more })
}

/// Warnings by code, with examples.
pub(super) fn warnings(report: &RunReport) -> Section {
    let warnings = &report.checkpoint.totals.warnings;
    let mut blocks =
        vec![Block::Text(match warnings.len() {
        0 => "None.".into(),
        _ => "Noticed, and gone on from: each is a place in a legacy document that is not what the \
              schema says, or not what the mapping shows elsewhere."
            .into(),
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
        blocks.push(Block::Table(Table { caption: "", columns, rows: rows.collect(), more: None }));
    }
    Section { title: "Warnings", blocks }
}

fn examples(tally: &Tally) -> (Vec<String>, u64) {
    let text = |example: &reshelve::run::Example| match example.path.as_str() {
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
        "alert-id-collision" => "an alert took a suffix, because another one has its id",
        "alert-merged" => "an alert equal to an earlier one was merged into it",
        "cost-drift" => "the tracked total cost differs from the parts by more than half a cent",
        "duplicate-chapter-number" => "a chapter has a number that came before",
        "invalid-date" => "a date that cannot be shown, or a number that is no date",
        "invalid-number" => "NaN, an infinity, or a negative count",
        "key-escaped" => "a map key was written in another form",
        "over-display-limit" => "more entries than the new application shows",
        "progress-drift" => "the recorded progress differs from the chapters",
        "status-conflict" => "the stored status contradicts the chapters",
        "time-missing" => "no date tells when the job was made",
        "type-mismatch" => "a value of another type than its rule expects",
        "unknown-chapter-status" => "a chapter status that the mapping does not know",
        "unknown-severity" => "an alert severity that the mapping does not know",
        "unknown-status" => "a status that the mapping does not know, taken as failed",
        "unreadable-part" => {
            "a part that a JavaScript reader may fail on travels in the residue only"
        }
        _ => "see the mapping contract",
    }
}

/// Documents that did not make it.
pub(super) fn rejects(report: &RunReport) -> Section {
    let rejects = &report.checkpoint.totals.rejects;
    if rejects.is_empty() {
        let blocks = vec![Block::Text("None.".into())];
        return Section { title: "Rejects", blocks };
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
            Cell::code(&record.id),
            Cell::code(&record.code),
            Cell::Foreign(record.message.clone()),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let more = more(
        report.checkpoint.totals.documents.rejected,
        rows.len(),
        "see rejects.jsonl in the run's folder",
    );
    let first = Table {
        caption: "The first ones",
        columns: vec!["position", "byte", "_id", "code", "why"],
        rows,
        more,
    };
    let text = "These documents are not in the target. The run's folder holds them, to be mended and \
                run again.";
    let blocks = vec![Block::Text(text.into()), Block::Table(by_code), Block::Table(first)];
    Section { title: "Rejects", blocks }
}

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
                "{} documents, {}",
                number(documents.read),
                size(totals.bytes_read)
            )),
        ),
        (
            "mapped",
            Cell::Text(format!(
                "{} jobs with {} events, {} of target, {} of it residue",
                number(documents.mapped),
                number(totals.events),
                size(totals.bytes_mapped),
                size(totals.residue_bytes)
            )),
        ),
        (
            "written",
            Cell::Text(format!(
                "{} jobs, {}; {} unchanged, {} replaced",
                number(documents.written),
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
                "{} % ({} of {} documents rejected)",
                decimal(report.rates.error_percent, 1),
                number(documents.rejected),
                number(documents.read)
            )),
        ),
    ];
    Section { title: "Time, memory, error rate", blocks: vec![Block::Facts(facts)] }
}

/// Both sides, told from any other.
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
    Section { title: "Fingerprints and checksums", blocks }
}

/// How to take it back.
pub(super) fn rollback(report: &RunReport) -> Section {
    let title = "How to roll back";
    let Some(rollback) = &report.rollback else {
        let text = "There is nothing to take back: nothing was written.";
        return Section { title, blocks: vec![Block::Text(text.into())] };
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
    Section { title, blocks }
}
