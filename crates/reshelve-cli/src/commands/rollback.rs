//! `reshelve rollback`.

use std::sync::Arc;

use reshelve_app::rollback::{self, Ended, Outcome, Request};
use reshelve_app::states::Command;
use reshelve_app::{ExitCode, Failure};

use crate::cli::{RollbackArgs, target_again};
use crate::next::{self, Next};
use crate::printer::{Printer, Tone, toned};
use crate::progress::View;

/// How many edited jobs a page names.
const NAMED_MAX: usize = 20;

pub(crate) fn run(args: &RollbackArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let request = Request {
        run: args.runs.run_for(&args.run, Command::Rollback),
        apply: args.apply,
        edited: args.edited,
        target: target_again(args.target.as_ref()),
        throttle: args.limits.throttle(),
    };
    let view = Arc::new(View::default());
    let handle = args.password.handle(args.dry_run.handle(view.handle()));
    let ran = rollback::rollback(&request, &handle);
    view.end();
    let outcome = ran?;
    printer.text(&page(&outcome));
    printer.json(&outcome);
    if let Some((wrong, hint)) = outcome.undecided(args.edited) {
        wrong.iter().for_each(|wrong| printer.error(wrong));
        printer.hint(&hint);
    }
    let run = &outcome.report.plan.run;
    match outcome.report.ended {
        Ended::Dry if !args.dry_run.is_asked() => {
            printer.next(&Next::same_with("--apply").for_latest(run));
        }
        Ended::Interrupted => {
            printer.next(&next::to_run("rollback", run, &args.runs.runs_dir).flag("--apply"));
        }
        Ended::RolledBack => printer.next(&next::to_run("status", run, &args.runs.runs_dir)),
        Ended::Dry | Ended::Already | Ended::Undecided => {}
    }
    Ok(outcome.exit_code())
}

fn page(outcome: &Outcome) -> String {
    let tone = match outcome.report.ended {
        Ended::Dry | Ended::RolledBack | Ended::Already => Tone::Good,
        Ended::Undecided | Ended::Interrupted => Tone::Careful,
    };
    let mut lines = vec![toned(tone, &outcome.verdict()), String::new()];
    lines.extend(outcome.rows().iter().map(|(name, what)| format!("  {name:<12} {what}")));
    let edited = outcome.edited_lines(NAMED_MAX);
    lines.extend(edited.iter().map(|line| format!("    {line}")));
    lines.join("\n")
}
