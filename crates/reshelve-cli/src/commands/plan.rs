//! `reshelve plan`.

use reshelve::ends::CollectionChecksum;
use reshelve::plan::Collections;
use reshelve_app::plan::{self, KeysFound, Show, Shown};
use reshelve_app::text::{counted, number, plain, size, span};
use reshelve_app::{ExitCode, Failure, Handle};

use super::table::plain_table;
use crate::cli::{PlanAction, PlanArgs, PlanShowArgs};
use crate::next;
use crate::printer::{Printer, Tone, note, toned};

pub(crate) fn run(args: &PlanArgs) -> Result<ExitCode, Failure> {
    let PlanAction::Show(PlanShowArgs { file, json }) = &args.action;
    let printer = Printer::new(json.json);
    let shown = plan::show(&Show { file: file.clone() }, &Handle::silent())?;
    if let KeysFound::Wrong { problem } = &shown.keys {
        note(&format!("warning: the plan cannot be carried out: {}", plain(problem)));
    }
    printer.text(&page(&shown));
    printer.json(&shown);
    if shown.used.is_none() && shown.keys == KeysFound::AsSaved {
        printer.next(&next::carry_out(&shown.plan, file));
    }
    Ok(ExitCode::Done)
}

fn page(shown: &Shown) -> String {
    let plan = &shown.plan;
    let used = match &shown.used {
        None => toned(Tone::Good, "no use is recorded beside it"),
        Some(used) => toned(Tone::Careful, &format!("used by the run {}", plain(&used.run))),
    };
    let mut lines = vec![format!("plan {}: {used}", plan.hash)];
    let mut row = |name: &str, value: String| lines.push(format!("  {name:<12} {value}"));
    row("saved", format!("{}, by the dry run {}", plan.saved_at, plain(&plan.dry_run)));
    row("tool", format!("reshelve {}, mapping {}", plan.tool.tool_version, plan.tool.mapping));
    row("build", plan.tool.build.clone());
    let sums = &plan.source.sums;
    row("source", plain(&shown.source()));
    row("", format!("{}, {}", counted(sums.documents, "document"), size(sums.bytes)));
    row("", format!("set hash {}", sums.set_hash));
    if let Some(time) = plan.source.place.live.as_ref().and_then(|it| it.operation_time.as_ref()) {
        row("", format!("cluster time {time}"));
    }
    row("target", plain(&shown.target()));
    for option in shown.options() {
        row("option", option);
    }
    let forecast = &plan.forecast;
    let documents = forecast.documents;
    row(
        "forecast",
        format!(
            "{} to write, {} unchanged, {} replaced, {} skipped, {} rejected",
            counted(forecast.jobs_to_write, "job"),
            number(documents.unchanged),
            number(forecast.replaced),
            number(documents.skipped),
            number(documents.rejected)
        ),
    );
    let free = forecast.free_bytes;
    let free = free.map_or_else(String::new, |free| format!(" ({} were free)", size(free)));
    row(
        "",
        format!(
            "{} of target{free}, about {}",
            size(forecast.target_bytes),
            span(forecast.elapsed_ms)
        ),
    );
    for (title, codes) in [("warnings", &plan.warnings), ("rejects", &plan.rejects)] {
        for (code, count) in codes {
            row(title, format!("{:>9}  {}", number(*count), plain(code)));
        }
    }
    lines.push("\nThe target when the plan was saved:\n".to_owned());
    lines.push(table(&plan.target.collections));
    lines.push("\nThe target when the plan is carried out:\n".to_owned());
    lines.push(table(&plan.reaches));
    lines.join("\n")
}

fn table(collections: &Collections) -> String {
    let mut table = plain_table();
    table.set_header(["collection", "documents", "bytes", "checksum"]);
    for (name, CollectionChecksum { documents, bytes, checksum }) in collections {
        table.add_row([name.clone(), number(*documents), number(*bytes), checksum.clone()]);
    }
    table.trim_fmt()
}
