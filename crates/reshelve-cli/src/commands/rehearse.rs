//! `reshelve rehearse`.

use std::sync::Arc;

use reshelve_app::rehearse::{self, Ended, Outcome, Request};
use reshelve_app::text::{plain, span};
use reshelve_app::{ExitCode, Failure};

use super::run::compression;
use crate::cli::RehearseArgs;
use crate::next;
use crate::printer::{Printer, Tone, toned};
use crate::progress::View;

pub(crate) fn run(args: &RehearseArgs) -> Result<ExitCode, Failure> {
    let request = request(args)?;
    let view = Arc::new(View::default());
    let handle = args.password.handle(args.dry_run.handle(view.handle()));
    let ran = rehearse::rehearse(&request, &handle);
    view.end();
    let outcome = ran?;
    let printer = Printer::new(args.json.json);
    printer.text(&page(&outcome));
    printer.json(&outcome);
    if outcome.record.outcome == Ended::Passed {
        let in_flight = request.mapping.in_flight.map(|in_flight| in_flight.as_str());
        let next = next::dry_run(&request.source).with("--in-flight", in_flight);
        printer.next(&match (args.gzip, args.zstd) {
            (true, _) => next.flag("--gzip"),
            (_, true) => next.flag("--zstd"),
            _ => next,
        });
    }
    if let Some(failure) = &outcome.failure {
        printer.error(&plain(&failure.message));
        if let Some(hint) = &failure.hint {
            printer.hint(hint);
        }
        let scratch = &outcome.record.scratch;
        if let Some(remove) = &scratch.remove {
            printer.hint(&format!("the scratch is kept, {}: {remove}", scratch.place));
        }
    }
    Ok(outcome.exit_code())
}

fn request(args: &RehearseArgs) -> Result<Request, Failure> {
    Ok(Request {
        scratch: args.scratch.clone(),
        compression: compression((args.gzip, args.zstd))?.unwrap_or_default(),
        mapping: args.mapping.options(),
        batch: args.batch.options(),
        throttle: args.limits.throttle(),
        skip_disk_check: args.skip_disk_check,
        ignore_oplog: args.ignore_oplog,
        keep_scratch: args.keep_scratch,
        ..Request::new(args.source.place(), &args.runs.runs_dir)
    })
}

fn page(outcome: &Outcome) -> String {
    let record = &outcome.record;
    let (tone, verdict) = match record.outcome {
        Ended::Passed => (Tone::Good, "The rehearsal passed."),
        Ended::Interrupted | Ended::Running => (Tone::Careful, "The rehearsal was interrupted."),
        Ended::Failed => (Tone::Bad, "The rehearsal FAILED."),
    };
    let mut lines = vec![toned(tone, verdict), String::new()];
    for step in &record.steps {
        let mark = match step.outcome.as_str() {
            "done" => "",
            outcome => outcome,
        };
        let detail = match mark {
            "" => plain(&step.detail),
            mark => format!("{mark}: {}", plain(&step.detail)),
        };
        lines.push(format!("  {:<12} {:>9}  {detail}", step.step, span(step.elapsed_ms)));
    }
    lines.push(String::new());
    let mut row = |name: &str, what: String| lines.push(format!("  {name:<12} {what}"));
    row("took", span(record.elapsed_ms));
    if let Some(window) = record.window {
        let live = match record.scratch.form.as_str() {
            "folder" => "; a live target takes longer",
            _ => "",
        };
        let (from, to) = (span(window.from_ms), span(window.to_ms));
        let text = "the maintenance window will need";
        row("window", format!("{text} {from} to {to}, for run, verify and report{live}"));
    }
    if record.outcome == Ended::Passed && record.scratch.kept {
        row("scratch", format!("kept: {}", plain(&record.scratch.place)));
    }
    row("page", outcome.written.html.display().to_string());
    row("Markdown", outcome.written.markdown.display().to_string());
    row("JSON", outcome.written.json.display().to_string());
    if !record.would_refuse.is_empty() {
        lines.push(String::new());
        lines.push(toned(Tone::Careful, "What would have been refused:"));
        for it in &record.would_refuse {
            lines.push(format!("  {:<12} {}", it.code, plain(&it.what)));
        }
    }
    lines.join("\n")
}
