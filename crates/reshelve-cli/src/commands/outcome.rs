//! How a run ended, told: as JSON, as a page for people, in the run's `report.json`, and as an
//! exit code.

use std::collections::BTreeMap;
use std::path::Path;

use reshelve::ends::DamageKind;
use reshelve::ends::EndErrorKind;
use reshelve::run::{Checkpoint, DocumentCounts, Plan, Report, RunError, Stop, Tally};
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number, plain, size, span};

/// The last line of `run --json` and `resume --json`.
#[derive(Debug, Serialize)]
struct Summary<'s> {
    schema: &'static str,
    run: &'s str,
    applied: bool,
    documents: DocumentCounts,
    events: u64,
    warnings: BTreeMap<&'s str, u64>,
    rejects: BTreeMap<&'s str, u64>,
    bytes: Bytes,
    /// Jobs whose earlier version was replaced.
    replaced: u64,
    elapsed_ms: u64,
    docs_per_s: f64,
    ms_per_1k_docs: f64,
    peak_rss_bytes: u64,
    exit: u8,
}

#[derive(Debug, Serialize)]
struct Bytes {
    read: u64,
    written: u64,
    /// What the target documents have, written or not.
    mapped: u64,
    /// How much of that is residue.
    residue: u64,
}

/// `report.json` in the run folder.
#[derive(Debug, Serialize)]
struct ReportFile<'s> {
    schema: &'static str,
    summary: &'s Summary<'s>,
    state: &'static str,
    reason: Option<&'s str>,
    plan: &'s Plan,
    warning_examples: &'s BTreeMap<String, Tally>,
    reject_examples: &'s BTreeMap<String, Tally>,
}

/// The exit code that says how a run ended.
pub(crate) fn exit_code(report: &Report) -> ExitCode {
    match &report.stop {
        Stop::Damaged(_) => ExitCode::Failed,
        Stop::Interrupted => ExitCode::Interrupted,
        Stop::FirstReject => ExitCode::Rejects,
        Stop::Done if report.checkpoint.totals.documents.rejected > 0 => ExitCode::Rejects,
        Stop::Done => ExitCode::Done,
    }
}

/// An error of `run` or `resume`; where the run had begun, it says how to go on.
pub(crate) fn failure(error: RunError, begun: Option<&Path>) -> Failure {
    let before = match &error {
        RunError::Disk(error) if error.is_full() => Some("make room on the disk, then".to_owned()),
        RunError::Disk(_) => Some("once that is put right,".to_owned()),
        RunError::End(error) => match (error.kind, &error.hint) {
            (EndErrorKind::Lost | EndErrorKind::Refused | EndErrorKind::Usage, _) => None,
            (EndErrorKind::Full, _) => Some("make room on the disk, then".to_owned()),
            (_, Some(hint)) => Some(format!("{}; then", hint.text())),
            _ => Some("once that is put right,".to_owned()),
        },
        _ => None,
    };
    let hint = before.zip(begun).map(|(before, folder)| {
        format!("{before} `reshelve resume {}` goes on with it", folder.display())
    });
    let failure = Failure::from(error);
    Failure { hint: hint.or(failure.hint), ..failure }
}

/// Tells the outcome, and writes it down.
pub(crate) fn tell(report: &Report, printer: Printer) -> Result<ExitCode, Failure> {
    write_report(report)?;
    let code = exit_code(report);
    printer.text(&page(report));
    printer.json(&summary(report, code));
    tell_stop(report, printer);
    Ok(code)
}

/// Writes the run's `report.json`.
pub(crate) fn write_report(report: &Report) -> Result<(), Failure> {
    let checkpoint = &report.checkpoint;
    let file = ReportFile {
        schema: "reshelve.outcome/1",
        summary: &summary(report, exit_code(report)),
        state: checkpoint.state.as_str(),
        reason: checkpoint.reason.as_deref(),
        plan: &report.plan,
        warning_examples: &checkpoint.totals.warnings,
        reject_examples: &checkpoint.totals.rejects,
    };
    let text = serde_json::to_string_pretty(&file).unwrap_or_default();
    Ok(report.folder.write_report(text.as_bytes())?)
}

fn summary(report: &Report, code: ExitCode) -> Summary<'_> {
    let Checkpoint { totals, elapsed_ms, peak_rss_bytes, .. } = &report.checkpoint;
    let read = totals.documents.read;
    Summary {
        schema: "reshelve.run/1",
        run: &report.plan.run,
        applied: report.plan.apply,
        documents: totals.documents,
        events: totals.events,
        warnings: counts(&totals.warnings),
        rejects: counts(&totals.rejects),
        bytes: Bytes {
            read: totals.bytes_read,
            written: totals.bytes_written,
            mapped: totals.bytes_mapped,
            residue: totals.residue_bytes,
        },
        replaced: totals.replaced,
        elapsed_ms: *elapsed_ms,
        docs_per_s: ratio(read * 1000, *elapsed_ms),
        ms_per_1k_docs: ratio(*elapsed_ms * 1000, read),
        peak_rss_bytes: *peak_rss_bytes,
        exit: code.number(),
    }
}

fn counts(tallies: &BTreeMap<String, Tally>) -> BTreeMap<&str, u64> {
    tallies.iter().map(|(code, tally)| (code.as_str(), tally.count)).collect()
}

/// One decimal is enough for people and for comparisons.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "rates, not counts")]
fn ratio(dividend: u64, divisor: u64) -> f64 {
    if divisor == 0 {
        return 0.0;
    }
    (dividend as f64 / divisor as f64 * 10.0).round() / 10.0
}

/// The outcome for people.
pub(crate) fn page(report: &Report) -> String {
    let checkpoint = &report.checkpoint;
    let totals = &checkpoint.totals;
    let documents = totals.documents;
    let mut lines = vec![String::new(), verdict(report), String::new()];
    let mut row = |name: &str, value: String| lines.push(format!("  {name:<12} {value}"));
    row("read", format!("{} documents, {}", number(documents.read), size(totals.bytes_read)));
    row(
        "mapped",
        format!(
            "{} documents, each proved to come back byte for byte; {} events",
            number(documents.mapped),
            number(totals.events)
        ),
    );
    if report.plan.apply {
        let mut written =
            format!("{} jobs, {}", number(documents.written), size(totals.bytes_written));
        if totals.replaced > 0 {
            written.push_str(&format!("; {} replaced", number(totals.replaced)));
        }
        row("written", written);
    }
    if documents.unchanged > 0 {
        row("unchanged", format!("{} jobs", number(documents.unchanged)));
    }
    if documents.skipped > 0 {
        row("skipped", format!("{} documents in flight", number(documents.skipped)));
    }
    if documents.rejected > 0 {
        row("rejected", format!("{} documents", number(documents.rejected)));
    }
    let rate = totals.bytes_read.saturating_mul(1000) / checkpoint.elapsed_ms.max(1);
    row(
        "took",
        format!(
            "{} ({}/s, {} ms per 1 000 documents), {} of memory",
            span(checkpoint.elapsed_ms),
            size(rate),
            ratio(checkpoint.elapsed_ms * 1000, documents.read),
            size(checkpoint.peak_rss_bytes)
        ),
    );
    push_tallies(&mut lines, "warnings", &totals.warnings);
    push_tallies(&mut lines, "rejects", &totals.rejects);
    push_where(&mut lines, report);
    lines.join("\n")
}

fn verdict(report: &Report) -> String {
    let what = if report.plan.apply { "run" } else { "dry run" };
    match &report.stop {
        Stop::Done if report.checkpoint.totals.documents.rejected > 0 => {
            format!("The {what} is done, with rejects.")
        }
        Stop::Done => format!("The {what} is done."),
        Stop::Interrupted => format!("The {what} was interrupted."),
        Stop::FirstReject => format!("The {what} stopped at its first reject, as asked."),
        Stop::Damaged(damage) if damage.kind == DamageKind::Io => {
            format!("The {what} stopped: the source cannot be read on.")
        }
        Stop::Damaged(_) => format!("The {what} stopped where the source is damaged."),
    }
}

fn push_tallies(lines: &mut Vec<String>, title: &str, tallies: &BTreeMap<String, Tally>) {
    if tallies.is_empty() {
        return;
    }
    lines.push(format!("\n  {title}"));
    for (code, tally) in tallies {
        let named = tally.examples.iter().find(|example| !example.job.is_empty());
        let example = named.map_or(String::new(), |example| {
            let at = if example.path.is_empty() { "" } else { " at " };
            format!("   such as {}{at}{}", plain(&example.job), plain(&example.path))
        });
        lines.push(format!("    {:>9}  {code:<26}{example}", number(tally.count)));
    }
}

fn push_where(lines: &mut Vec<String>, report: &Report) {
    let folder = report.folder.path().display();
    lines.push(String::new());
    if report.plan.apply {
        lines.push(format!("  target       {}", report.plan.target.name()));
    } else {
        lines.push(forecast(report));
    }
    lines.push(format!("  run folder   {folder}"));
    if report.checkpoint.totals.documents.rejected > 0 {
        lines.push(format!("  rejects      {folder}/rejects.jsonl says why; rejects.bson holds them, rejects.json those that are no BSON"));
    }
}

/// What an applied run would need.
fn forecast(report: &Report) -> String {
    let bytes = report.checkpoint.totals.bytes_mapped;
    let totals = &report.checkpoint.totals;
    // A live target writes down everything twice: as documents, and for the other members.
    let live = || " and as much of oplog".to_owned();
    let free = report.plan.target.folder().map_or_else(live, |folder| {
        let free = reshelve::folder::free_bytes(&folder.root);
        let free = free.map_or_else(|_| "unknown".to_owned(), size);
        format!("; {free} are free on the disk")
    });
    format!(
        "  forecast     with --apply: {} jobs and {} events, {} of target{free}; about {}",
        number(totals.documents.mapped),
        number(totals.events),
        size(bytes),
        span(report.checkpoint.elapsed_ms + bytes / 200_000),
    )
}

/// What to do next, where the run did not come to its end.
fn tell_stop(report: &Report, printer: Printer) {
    let resume = format!("`reshelve resume {}` goes on with it", report.folder.path().display());
    match &report.stop {
        Stop::Done => {}
        Stop::Interrupted => printer.note(&format!("hint: {resume}")),
        Stop::FirstReject => {
            printer.note(&format!("hint: {resume}, behind the document that was rejected"));
        }
        Stop::Damaged(damage) => {
            printer.note(&format!("error: {damage}"));
            printer.note(&format!(
                "hint: everything before that place is kept; once the source {}, {resume}",
                match damage.kind {
                    DamageKind::Io => "can be read again",
                    _ => "is mended",
                }
            ));
        }
    }
}
