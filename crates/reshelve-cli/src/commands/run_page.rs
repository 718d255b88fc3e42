//! How a run ended, for people: of `run`, `resume` and `demo`.

use std::collections::BTreeMap;

use reshelve::ends::DamageKind;
use reshelve::run::{Part, Report, Stop, Tally};
use reshelve_app::plan::{PlanNote, PlanState};
use reshelve_app::run::Outcome;
use reshelve_app::text::{bytes_per_second, counted, number, plain, size, span};
use reshelve_app::{ExitCode, rejected_by_parent};

use crate::next::Next;
use crate::printer::{Printer, Tone, toned};

/// Prints how a run ended, and how to resume it if it is not finished.
pub(super) fn print(outcome: &Outcome, printer: Printer, next: &Next) -> ExitCode {
    printer.text(&page(outcome));
    printer.json(outcome);
    match &outcome.report.stop {
        Stop::Damaged(damage) => printer.error(&damage.to_string()),
        Stop::InFlight { .. } => {
            let reason = outcome.report.checkpoint.reason.as_deref().unwrap_or_default();
            printer.error(&plain(reason));
        }
        _ => {}
    }
    if let Some(PlanNote { hash, state: PlanState::Missed(differences), .. }) = &outcome.plan {
        let lines: String = differences.iter().map(|it| format!("\n  {it}")).collect();
        printer.error(&format!("the plan {hash} was not reached{lines}"));
    }
    if let Some(hint) = outcome.hint() {
        printer.hint(&hint);
    }
    // A run that is not finished has its hint.
    if matches!(outcome.report.stop, Stop::Done) {
        printer.next(next);
    }
    outcome.exit_code()
}

/// The outcome for people.
pub(super) fn page(outcome: &Outcome) -> String {
    let report = &outcome.report;
    let checkpoint = &report.checkpoint;
    let totals = &checkpoint.totals;
    let documents = totals.documents;
    let mut lines = vec![String::new(), toned(tone(report), &verdict(report)), String::new()];
    let mut row = |name: &str, value: String| lines.push(format!("  {name:<12} {value}"));
    row("read", format!("{}, {}", counted(documents.read, "document"), size(totals.bytes_read)));
    row(
        "mapped",
        format!(
            "{}, each proved to come back byte for byte; {}",
            counted(documents.mapped, "document"),
            counted(totals.events, "event")
        ),
    );
    if report.plan.apply {
        let mut written =
            format!("{}, {}", counted(documents.written, "job"), size(totals.bytes_written));
        if totals.replaced > 0 {
            written.push_str(&format!("; {} replaced", number(totals.replaced)));
        }
        row("written", written);
    }
    if documents.unchanged > 0 {
        row("unchanged", counted(documents.unchanged, "job"));
    }
    if documents.skipped > 0 {
        row("skipped", format!("{} in flight", counted(documents.skipped, "document")));
    }
    if report.plan.options.in_flight.is_none() && totals.in_flight > 0 {
        let jobs = counted(totals.in_flight, "job");
        row(
            "in flight",
            format!(
                "{jobs}, included here; --apply needs a decision: --in-flight include, as-failed or skip"
            ),
        );
    }
    if documents.rejected > 0 {
        row("rejected", toned(Tone::Careful, &counted(documents.rejected, "document")));
    }
    if let Some(left) = rejects_left(report) {
        row("rejects left", toned(Tone::Careful, &left));
    }
    let per_1k_docs_ms = checkpoint.elapsed_ms.saturating_mul(1000) / documents.read.max(1);
    row(
        "took",
        format!(
            "{} ({}, {} per 1 000 documents), {} of memory",
            span(checkpoint.elapsed_ms),
            bytes_per_second(totals.bytes_read, checkpoint.elapsed_ms),
            span(per_1k_docs_ms),
            size(checkpoint.peak_rss_bytes)
        ),
    );
    push_tallies(&mut lines, "warnings", &totals.warnings);
    push_tallies(&mut lines, "rejects", &totals.rejects);
    push_where(&mut lines, outcome);
    lines.join("\n")
}

/// Whether a verdict is good news.
fn tone(report: &Report) -> Tone {
    let documents = report.checkpoint.totals.documents;
    match &report.stop {
        Stop::Damaged(_) => Tone::Bad,
        Stop::Done if documents.read > 0 && documents.rejected == documents.read => Tone::Bad,
        Stop::Done if documents.rejected > 0 => Tone::Careful,
        Stop::Done if report.plan.part(documents.read).is_some() => Tone::Careful,
        Stop::Done => Tone::Good,
        Stop::Interrupted | Stop::Cancelled | Stop::FirstReject | Stop::InFlight { .. } => {
            Tone::Careful
        }
    }
}

/// How many documents the run before had rejected that a retry did not come to, if there are any.
fn rejects_left(report: &Report) -> Option<String> {
    let parent = report.plan.parent()?;
    let runs = report.folder.path().parent()?;
    let rejected = rejected_by_parent(&report.plan, runs)?;
    let left =
        rejected.checked_sub(report.checkpoint.totals.documents.read).filter(|it| *it > 0)?;
    Some(format!(
        "{} of the {} that {} had rejected: not in this source, or not reached",
        number(left),
        number(rejected),
        plain(parent)
    ))
}

/// Whether everything was rejected, where that is not what a retry tries again.
pub(super) fn is_wrong_collection(report: &Report) -> bool {
    let documents = report.checkpoint.totals.documents;
    let is_retry = report.plan.only_rejects.is_some();
    !is_retry && documents.read > 0 && documents.rejected == documents.read
}

fn verdict(report: &Report) -> String {
    let what = if report.plan.apply { "run" } else { "dry run" };
    let documents = report.checkpoint.totals.documents;
    match &report.stop {
        Stop::Done if report.checkpoint.totals.is_all_rejected_by_target() => format!(
            "The {what} rejected every document: the target holds other versions of them, or does \
             not take them. Is this the right target?"
        ),
        Stop::Done if is_wrong_collection(report) => format!(
            "The {what} rejected every document that it read. Is this the right collection?"
        ),
        Stop::Done if let Some(part) = report.plan.part(documents.read) => {
            let rejects = if documents.rejected > 0 { ", with rejects" } else { "" };
            let part = match part {
                Part::First(limit) => format!("the first {}", counted(limit, "document")),
                Part::RejectsOf(_) => "only what an earlier run had rejected".to_owned(),
            };
            format!("The {what} is partial{rejects}: it took {part}.")
        }
        Stop::Done if report.checkpoint.totals.documents.rejected > 0 => {
            format!("The {what} is done, with rejects.")
        }
        Stop::Done => format!("The {what} is done."),
        Stop::Interrupted => format!("The {what} was interrupted."),
        Stop::Cancelled => format!("The {what} was cancelled."),
        Stop::FirstReject => format!("The {what} stopped at its first reject, as requested."),
        Stop::InFlight { .. } => {
            format!("The {what} stopped before a job in flight: it needs a decision.")
        }
        Stop::Damaged(damage) if damage.kind == DamageKind::Changed => {
            format!("The {what} stopped: its source changed while it was read.")
        }
        Stop::Damaged(damage) if damage.kind == DamageKind::Io => {
            format!("The {what} stopped: the source cannot be read any further.")
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
        let line = format!("    {:>9}  {code:<26}{example}", number(tally.count));
        lines.push(line.trim_end().to_owned());
    }
}

fn push_where(lines: &mut Vec<String>, outcome: &Outcome) {
    let Outcome { report, plan, .. } = outcome;
    let folder = report.folder.path().display();
    lines.push(String::new());
    if report.plan.apply {
        lines.push(format!("  target       {}", report.plan.target.name()));
    } else {
        lines.push(forecast(outcome));
    }
    if let Some(note) = plan {
        let what = match &note.state {
            PlanState::Saved => "saved",
            PlanState::Reached => "reached: the target holds what it says",
            PlanState::Missed(_) => "not reached",
            _ => "not done yet",
        };
        lines.push(format!("  plan         {}, {what}", note.file.display()));
        lines.push(format!("               {}", note.hash));
    }
    lines.push(format!("  run folder   {folder}"));
    if report.checkpoint.totals.documents.rejected > 0 {
        lines.push(format!("  rejects      {folder}/rejects.jsonl has the reasons; rejects.bson has the documents, rejects.json those that are not BSON"));
    }
}

/// What an applied run would need.
fn forecast(outcome: &Outcome) -> String {
    let report = &outcome.report;
    let bytes = report.checkpoint.totals.bytes_mapped;
    let totals = &report.checkpoint.totals;
    // A live target writes everything twice: as documents, and into the oplog.
    let live = || " and as much of oplog".to_owned();
    let free = report.plan.target.folder().map_or_else(live, |folder| {
        let free = reshelve::folder::free_bytes(&folder.root);
        let free = free.map_or_else(|_| "unknown".to_owned(), size);
        format!("; {free} are free on the disk")
    });
    let documents = totals.documents;
    let jobs = counted(documents.mapped.saturating_sub(documents.unchanged), "job");
    let written = match documents.unchanged {
        0 => format!("{jobs} and {}, {}", counted(totals.events, "event"), size(bytes)),
        // Only all of it was measured.
        _ => format!("{jobs} (the others are there already), at most {}", size(bytes)),
    };
    format!(
        "  forecast     with --apply: {written} of target{free}; about {}",
        span(outcome.forecast_ms()),
    )
}
