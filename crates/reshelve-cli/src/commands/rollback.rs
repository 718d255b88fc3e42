//! `reshelve rollback`.

use std::sync::Arc;

use reshelve_app::rollback::{self, Ended, LISTED_MAX, OnEdited, Outcome, Request};
use reshelve_app::text::{counted, length, number, plain};
use reshelve_app::{ExitCode, Failure, hints};

use crate::cli::RollbackArgs;
use crate::next::Next;
use crate::printer::{Printer, Tone, toned};
use crate::progress::View;

/// How many edited jobs a page names.
const NAMED_MAX: usize = 20;

pub(crate) fn run(args: &RollbackArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let request = Request {
        run: args.runs.run(&args.run),
        apply: args.apply,
        edited: args.edited,
        target: args.target.clone(),
        throttle: args.limits.throttle(),
    };
    let view = Arc::new(View::default());
    let handle = args.password.handle(args.dry_run.handle(view.handle()));
    let ran = rollback::rollback(&request, &handle);
    view.end();
    let outcome = ran?;
    printer.text(&page(&outcome));
    printer.json(&outcome);
    if outcome.report.ended == Ended::Undecided {
        say_undecided(args.edited, &outcome, printer);
    }
    if outcome.report.ended == Ended::Dry && !args.dry_run.is_asked() {
        printer.next(&Next::same_with("--apply"));
    }
    Ok(outcome.exit_code())
}

/// Why it waits for a decision, and how to make one.
fn say_undecided(given: Option<OnEdited>, outcome: &Outcome, printer: Printer) {
    let report = &outcome.report;
    let edited = report.jobs.edited;
    match given {
        Some(OnEdited::Discard { jobs }) if jobs != edited => {
            let changed = match edited {
                1 => "1 job was".to_owned(),
                jobs => format!("{} jobs were", number(jobs)),
            };
            let given = number(jobs);
            printer.error(&format!("--edited discard={given} was given, and {changed} changed"));
            printer.hint(&hints::wrong_number(&report.plan.run, edited));
        }
        _ => printer.hint(&hints::on_edited(edited)),
    }
}

fn page(outcome: &Outcome) -> String {
    let report = &outcome.report;
    let run = &report.plan.run;
    let target = report.plan.target.name();
    let (tone, verdict) = match report.ended {
        Ended::Dry => {
            (Tone::Good, format!("Nothing was changed: this is what would be taken back of {run}."))
        }
        Ended::RolledBack => (Tone::Good, format!("The run {run} is rolled back.")),
        Ended::Already => (Tone::Good, format!("The run {run} was rolled back already.")),
        Ended::Undecided => (
            Tone::Careful,
            format!(
                "Nothing was changed: {} changed since {run} wrote them.",
                match report.jobs.edited {
                    1 => "1 job was".to_owned(),
                    jobs => format!("{} jobs were", number(jobs)),
                }
            ),
        ),
        Ended::Interrupted => (Tone::Careful, "The rollback was interrupted.".to_owned()),
    };
    let mut lines = vec![toned(tone, &verdict), String::new()];
    let mut row = |name: &str, what: String| lines.push(format!("  {name:<12} {what}"));
    let (jobs, documents) = (report.jobs, report.documents);
    row("target", plain(&target));
    row("deleted", counted(jobs.deleted, "job"));
    if jobs.put_back > 0 {
        row("put back", format!("the earlier versions of {}", counted(jobs.put_back, "job")));
    }
    if jobs.gone > 0 {
        row("gone", format!("{}, not in the target any more", counted(jobs.gone, "job")));
    }
    if outcome.is_applied() {
        let put_back = match documents.put_back {
            0 => String::new(),
            count => format!(", {} put back", number(count)),
        };
        row("documents", format!("{} deleted{put_back}", number(documents.deleted)));
    }
    if jobs.edited > 0 {
        let what = match report.ended {
            _ if jobs.kept > 0 => ", and left as they are",
            Ended::RolledBack => {
                ", and taken back too: copies are in discarded.bson in the run folder"
            }
            _ => "",
        };
        row("edited", format!("{} changed since{what}", counted(jobs.edited, "job")));
    }
    for (at, edited) in report.edited.iter().take(NAMED_MAX).enumerate() {
        let (collection, what) = (edited.edit.collection, edited.edit.what);
        let path = outcome.paths.get(at).and_then(Option::as_deref);
        let path = path.map(|path| format!(": {}", plain(path))).unwrap_or_default();
        lines.push(format!("    {}  {collection} {what}{path}", plain(&edited.job)));
    }
    let shown = report.edited.len().min(NAMED_MAX);
    if length(&report.edited) > length(&report.edited[..shown]) {
        let more = jobs.edited.saturating_sub(length(&report.edited[..shown]));
        lines.push(format!("    and {} more; --json lists the first {LISTED_MAX}", number(more)));
    }
    lines.join("\n")
}
