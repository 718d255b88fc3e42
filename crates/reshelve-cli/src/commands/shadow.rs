//! `reshelve shadow`.

use std::sync::Arc;

use reshelve_app::shadow::{self, Outcome};
use reshelve_app::text::{counted, number, plain};
use reshelve_app::{ExitCode, Failure, Watcher, hints};
use reshelve_core::mapping::Options;
use reshelve_serve::comparison::{Compared, Example, Fate};
use reshelve_serve::sides::RouteName;
use serde_json::{Value, json};

use super::differences;
use super::table::{plain_table, right_align};
use crate::cli::ShadowArgs;
use crate::next::Next;
use crate::printer::{Printer, Tone, toned};
use crate::progress::View;

/// How many examples a page shows.
const SHOWN_MAX: usize = 10;

pub(crate) fn run(args: &ShadowArgs) -> Result<ExitCode, Failure> {
    if !args.offline {
        let message = "shadow compares without a server only with --offline";
        return Err(Failure::usage(message, hints::SHADOW_IS_OFFLINE));
    }
    let printer = Printer::new(args.json.json);
    let view = Arc::new(View::default());
    let handle = args.password.handle(view.handle());
    view.ready();
    let request = args.request();
    let outcome = shadow::shadow(&request, &handle);
    view.end();
    let outcome = outcome?;
    printer.text(&page(&outcome));
    printer.json(&outcome);
    if outcome.compared.is_agreed() {
        let next = Next::new("serve").flag("--legacy").place(&request.source.name);
        let next = next.with("--db", request.source.db.as_ref());
        let next = next.with("--collection", request.source.collection.as_ref());
        let next = next.flag("--normalized").place(&request.target.name);
        let next = next.with("--target-db", request.target.db.as_ref());
        let next = decided(next.flag("--shadow"), outcome.options);
        printer.next(&next.runs(&request.runs_folder));
    }
    Ok(outcome.exit_code())
}

/// A command with the decisions that are not the usual ones.
fn decided(next: Next, options: Options) -> Next {
    let usual = Options::default();
    let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let given = |is_usual: bool, value: Value| Some(word(value)).filter(|_| !is_usual);
    let Options { on_unknown_status, status_policy, in_flight } = options;
    next.with("--in-flight", given(in_flight == usual.in_flight, json!(in_flight)).as_ref())
        .with(
            "--status-policy",
            given(status_policy == usual.status_policy, json!(status_policy)).as_ref(),
        )
        .with(
            "--on-unknown-status",
            given(on_unknown_status == usual.on_unknown_status, json!(on_unknown_status)).as_ref(),
        )
}

fn page(outcome: &Outcome) -> String {
    let mut lines = vec![verdict(&outcome.compared), String::new()];
    lines.push(format!("  legacy       {}", plain(&outcome.legacy)));
    lines.push(format!("  normalised   {}", plain(&outcome.normalized)));
    push_comparison(&mut lines, &outcome.compared);
    lines.join("\n")
}

/// Whether all agrees, in a sentence.
pub(super) fn verdict(compared: &Compared) -> String {
    let jobs = &compared.jobs;
    let answers = counted(compared.tally.compared(), "answer");
    if !compared.is_agreed() {
        return toned(Tone::Bad, "Not all answers agree.");
    }
    let left_out = jobs.rejected + jobs.skipped;
    match left_out {
        0 => toned(Tone::Good, &format!("All {answers} agree.")),
        _ => toned(
            Tone::Careful,
            &format!(
                "All {answers} agree, with exceptions: {} rejected, {} left out, in flight.",
                counted(jobs.rejected, "document"),
                counted(jobs.skipped, "document")
            ),
        ),
    }
}

/// What came of jobs and routes, and examples of what differs.
pub(super) fn push_comparison(lines: &mut Vec<String>, compared: &Compared) {
    let jobs = &compared.jobs;
    lines.push(format!(
        "  jobs         {} agree, {} differ, {} failed, {} unfinished; {} rejected, {} skipped",
        number(jobs.agreed),
        number(jobs.different),
        number(jobs.failed),
        number(jobs.unfinished),
        number(jobs.rejected),
        number(jobs.skipped)
    ));
    if jobs.only_legacy + jobs.only_normalized > 0 {
        lines.push(format!(
            "               {} only on the legacy side, {} only on the normalised side",
            number(jobs.only_legacy),
            number(jobs.only_normalized)
        ));
    }
    lines.push(format!("\n{}", routes(compared)));
    for failure in &compared.failures {
        lines.push(format!("  failed: {}", plain(failure)));
    }
    if compared.examples.is_empty() {
        return;
    }
    lines.push(format!("\n  {}", toned(Tone::Bad, "answers that differ, a few of each kind")));
    for example in compared.examples.iter().take(SHOWN_MAX) {
        push_example(lines, example);
    }
    if compared.examples.len() > SHOWN_MAX {
        lines.push("    … --json lists more of them".into());
    }
}

fn routes(compared: &Compared) -> String {
    let mut table = plain_table();
    table.set_header([
        "  route",
        "agree",
        "lag",
        "edit",
        "mapping",
        "presenter",
        "failed",
        "unfinished",
    ]);
    for route in RouteName::ALL {
        let of = Fate::ALL.into_iter().filter(|fate| *fate != Fate::Dropped);
        let counts = of.map(|fate| number(compared.tally.of(route, fate)));
        table.add_row([format!("  {}", route.as_str())].into_iter().chain(counts));
    }
    right_align(&mut table, &[1, 2, 3, 4, 5, 6, 7]);
    table.trim_fmt()
}

fn push_example(lines: &mut Vec<String>, example: &Example) {
    let cause = example.cause.map_or("", |cause| cause.as_str());
    lines.push(format!("    {cause:<10} {}", plain(&example.target)));
    lines.extend(differences::lines(example, ["legacy", "normalised"]));
}
