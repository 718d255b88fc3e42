//! `reshelve explain`.

use std::sync::Arc;

use reshelve_app::explain::{self, Outcome, Request};
use reshelve_app::text::{number, plain};
use reshelve_app::{ExitCode, Failure, Handle};

use super::table::plain_table;
use crate::cli::ExplainArgs;
use crate::next;
use crate::printer::{Notes, Printer};

pub(crate) fn run(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let request = Request {
        source: args.source.place(),
        job: args.job.clone(),
        mapping: args.mapping.options(),
    };
    let outcome = explain::explain(&request, &args.password.handle(Handle::new(Arc::new(Notes))))?;
    printer.text(&page(&outcome));
    printer.json(&outcome);
    printer.next(&next::dry_run(&args.source.place()));
    Ok(ExitCode::Done)
}

fn page(outcome: &Outcome) -> String {
    let mut table = plain_table();
    table.set_header(["legacy path", "fields", "target", "rule"]);
    for field in &outcome.fields {
        table.add_row([
            plain(&field.path),
            number(field.occurrences),
            field.target.clone().unwrap_or_else(|| "residue only".into()),
            field.rule.clone(),
        ]);
    }
    let mut lines = vec![format!("job {}", plain(&outcome.job)), String::new(), table.trim_fmt()];
    if let Some(reject) = &outcome.reject {
        lines.push(format!("\nrejected: {}: {}", reject.code, plain(&reject.message)));
    }
    if !outcome.warnings.is_empty() {
        lines.push("\nwarnings".into());
        for warning in &outcome.warnings {
            lines.push(format!("  {:<26} {}", warning.code.as_str(), plain(&warning.path)));
        }
    }
    lines.push(
        "\nThe residue keeps what the target does not hold as it is: restoring gives back every byte."
            .into(),
    );
    lines.join("\n")
}
