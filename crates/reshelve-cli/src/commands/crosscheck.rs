//! `reshelve crosscheck`.

use std::sync::Arc;

use reshelve_app::crosscheck::{self, Outcome};
use reshelve_app::text::{agree, counted, number, plain};
use reshelve_app::{ExitCode, Failure, Watcher};
use reshelve_serve::application::{CrossChecked, Group, SIDES};
use reshelve_serve::sides::RouteName;

use super::differences;
use super::table::{plain_table, right_align};
use crate::cli::CrosscheckArgs;
use crate::printer::{Printer, Tone, toned};
use crate::progress::View;

/// How many groups of differences a page shows.
const GROUPS_SHOWN_MAX: usize = 20;

pub(crate) fn run(args: &CrosscheckArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let view = Arc::new(View::default());
    let handle = args.password.handle(view.handle());
    view.ready();
    let outcome = crosscheck::crosscheck(&args.request(), &handle);
    view.end();
    let outcome = outcome?;
    let mut lines = vec![verdict(&outcome.checked), String::new()];
    push(&mut lines, &outcome);
    printer.text(&lines.join("\n"));
    printer.json(&outcome);
    Ok(outcome.exit_code())
}

/// Whether all agrees, in a sentence.
pub(super) fn verdict(checked: &CrossChecked) -> String {
    let all = checked.all();
    let part = match checked.jobs_asked < checked.jobs_in_place {
        true => format!(
            " This is a sample, {} of {}; --all asks about every job.",
            number(checked.jobs_asked),
            counted(checked.jobs_in_place, "job")
        ),
        false => String::new(),
    };
    let answers = counted(checked.compared(), "answer");
    match (all.different, all.failed) {
        (0, 0) if part.is_empty() => {
            toned(Tone::Good, &format!("All {answers} of the application agree."))
        }
        (0, 0) => toned(
            Tone::Careful,
            &format!("All {answers} of the application that were asked for agree.{part}"),
        ),
        (0, failed) => toned(
            Tone::Bad,
            &format!("{} could not be had: this says nothing.", counted(failed, "answer")),
        ),
        (different, _) => toned(
            Tone::Bad,
            &format!(
                "{} of {answers} of the application {} from what {} should be.{part}",
                number(different),
                agree(different, "differs", "differ"),
                agree(different, "it", "they")
            ),
        ),
    }
}

/// What was asked, and what came of it.
pub(super) fn push(lines: &mut Vec<String>, outcome: &Outcome) {
    let (checked, mapped) = (&outcome.checked, if outcome.is_legacy { ", mapped" } else { "" });
    lines.push(format!("  application  {}", plain(&outcome.api)));
    lines.push(format!("  expected     as in {}{mapped}", plain(&outcome.place)));
    lines.push(format!(
        "  jobs         {} of {} asked about: {} agree, {} differ, {} failed; {} rejected, {} skipped",
        number(checked.jobs_asked),
        number(checked.jobs_in_place),
        number(checked.jobs.agreed),
        number(checked.jobs.different),
        number(checked.jobs.failed),
        number(checked.rejected),
        number(checked.skipped)
    ));
    let requests = checked.requests;
    lines.push(format!(
        "  requests     {} GET; {} sent again, {} waits because it was busy",
        number(requests.sent),
        number(requests.retried),
        number(requests.waited)
    ));
    if checked.unaskable > 0 {
        let answers = counted(checked.unaskable, "answer");
        lines.push(format!("               {answers} that no request can ask for"));
    }
    lines.push(format!("\n{}", routes(checked)));
    for failure in &checked.failures {
        lines.push(format!("  failed: {}", plain(failure)));
    }
    if checked.groups.is_empty() {
        return;
    }
    if checked.jobs_in_place == 0 {
        let text =
            "there are no jobs in what the answers are compared with: is it the right place?";
        lines.push(format!("\n  {}", toned(Tone::Bad, text)));
    }
    if checked.knows_no_job() {
        let text = "the application knows none of these jobs: does it read another database?";
        lines.push(format!("\n  {}", toned(Tone::Bad, text)));
    }
    lines.push(format!("\n  {}", toned(Tone::Bad, "what differs, each difference once")));
    for group in checked.groups.iter().take(GROUPS_SHOWN_MAX) {
        push_group(lines, group);
    }
    if checked.groups.len() > GROUPS_SHOWN_MAX || checked.ungrouped > 0 {
        lines.push("    … --out DIR writes all of them to a file".into());
    }
}

fn routes(checked: &CrossChecked) -> String {
    let mut table = plain_table();
    table.set_header(["  route", "agree", "differ", "failed"]);
    for route in RouteName::ALL {
        let of = checked.of_route(route);
        let counts = [of.agreed, of.different, of.failed].map(number);
        table.add_row([format!("  {}", route.as_str())].into_iter().chain(counts));
    }
    right_align(&mut table, &[1, 2, 3]);
    table.trim_fmt()
}

fn push_group(lines: &mut Vec<String>, group: &Group) {
    let Some(example) = group.examples.first() else { return };
    let (answers, target) = (counted(group.answers, "answer"), plain(&example.target));
    lines.push(format!("    {:<8} {answers}, such as {target}", group.route.as_str()));
    let told = differences::lines(example, SIDES);
    if told.is_empty() {
        lines.push("      the same values, in another text".to_owned());
    }
    lines.extend(told);
}
