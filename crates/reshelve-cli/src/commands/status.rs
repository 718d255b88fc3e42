//! `reshelve status`.

use std::sync::Arc;

use reshelve_app::status::{self, Outcome, Request, RollbackStatus, RunStatus};
use reshelve_app::text::{
    bytes_per_second, counted, limits, moment, number, per_second, plain, shell_word, size, span,
    waiting,
};
use reshelve_app::{ExitCode, Failure, Handle, Watcher};

use super::watch::Watch;
use crate::cli::StatusArgs;
use crate::next;
use crate::printer::{Printer, Tone, toned};
use crate::progress::View;

pub(crate) fn run(args: &StatusArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let run = match &args.run {
        Some(name) => args.runs.run(name),
        None => args.runs.run("latest"),
    };
    let request = Request { run };
    let outcome = match args.watch {
        true => watched(&request, printer)?,
        false => status::status(&request, &Handle::silent())?,
    };
    printer.text(&page(&outcome.status));
    printer.json(&outcome);
    let status = &outcome.status;
    // A run that can be resumed says so itself.
    if !status.can_be_resumed {
        printer.next(&next::of_run(status, &args.runs.runs_dir));
    }
    Ok(ExitCode::Done)
}

/// Shows the run until it has ended; then, or after Ctrl-C, returns how it was found last.
fn watched(request: &Request, printer: Printer) -> Result<Outcome, Failure> {
    let view = Arc::new(View::default());
    let handle = view.handle();
    view.ready();
    let mut watch = Watch::new(printer);
    let watched = status::watch(request, &handle, &mut |outcome| watch.show(outcome));
    watch.end();
    watched
}

/// Whether a state is good news.
fn tone(status: &RunStatus) -> Tone {
    match status.state {
        "done" | "running" | "pausing" => Tone::Good,
        "failed" | "killed" => Tone::Bad,
        _ => Tone::Careful,
    }
}

fn page(status: &RunStatus) -> String {
    let what = if status.applied { "run" } else { "dry run" };
    let documents = status.documents;
    let mut lines = vec![format!("{what} {}: {}", status.run, toned(tone(status), status.state))];
    let mut row = |name: &str, value: String| lines.push(format!("  {name:<12} {value}"));
    if let Some(reason) = &status.reason {
        row("reason", plain(reason));
    }
    rows_of_others(status, &mut row);
    if let Some(asked) = status.asked {
        row("told", format!("to {asked}, between two batches"));
    }
    if let Some(held) = &status.waiting {
        row("waits", format!("{}, since {}", waiting(held), moment(held.since_ms)));
    }
    if !status.throttle.is_off() {
        row("throttle", limits(&status.throttle));
    }
    if let Some(plan) = &status.plan {
        row("plan", plain(plan));
    }
    row("started", status.begun_at.clone());
    row("source", status.source_name.clone());
    row("target", status.target.clone());
    row("read", format!("{}, {}", counted(documents.read, "document"), size(status.bytes_read)));
    row("mapped", counted(documents.mapped, "document"));
    row("written", written(status));
    row("unchanged", number(documents.unchanged));
    row("skipped", number(documents.skipped));
    row(
        "rejected",
        match documents.rejected {
            0 => number(0),
            rejected => format!(
                "{}; `reshelve report` and rejects.jsonl in the run folder name each",
                toned(Tone::Careful, &number(rejected))
            ),
        },
    );
    if let Some(back) = &status.rollback {
        rows_of_rollback(back, &mut row);
        row("run folder", status.folder.clone());
        return lines.join("\n");
    }
    row("took", span(status.elapsed_ms));
    row(
        "rate",
        format!(
            "{} documents/s, {}",
            per_second(documents.read, status.elapsed_ms),
            bytes_per_second(status.bytes_read, status.elapsed_ms)
        ),
    );
    if let Some(left_ms) = status.left_ms {
        row("left", format!("about {}", span(left_ms)));
    }
    row("run folder", status.folder.clone());
    if status.can_be_resumed {
        let folder = shell_word(status.folder.as_ref()).unwrap_or_else(|| "RUN".to_owned());
        row("next", format!("reshelve resume {folder}"));
    }
    lines.join("\n")
}

fn written(status: &RunStatus) -> String {
    let jobs = counted(status.documents.written, "job");
    let since = match (status.state, status.kept) {
        ("rolled-back", 0) => "; taken back since".to_owned(),
        ("rolled-back", kept) => {
            format!("; taken back since, but for {} that somebody edited", counted(kept, "job"))
        }
        _ => String::new(),
    };
    format!("{jobs}, {}{since}", size(status.bytes_written))
}

/// How it stands to other runs.
fn rows_of_others(status: &RunStatus, row: &mut dyn FnMut(&str, String)) {
    if let Some(parent) = &status.retry_of {
        match status.is_into_another_target {
            true => row("rejects of", format!("{}, into another target", plain(parent))),
            false => row("retry of", plain(parent)),
        }
    }
    if let Some(by) = &status.taken_over_by {
        row("taken over", format!("by {}, which counts what it found as its own", plain(by)));
    }
}

fn rows_of_rollback(back: &RollbackStatus, row: &mut dyn FnMut(&str, String)) {
    let of = counted(back.of, "document");
    row("taken back", format!("{} of about {of}", number(back.documents)));
    row("rate", format!("{} documents/s", per_second(back.documents, back.elapsed_ms)));
    if let Some(left_ms) = back.left_ms {
        row("left", format!("about {}", span(left_ms)));
    }
}
