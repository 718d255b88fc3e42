//! `reshelve generate`.

use std::sync::Arc;

use reshelve_app::generate::{self, Outcome};
use reshelve_app::text::{counted, number, size};
use reshelve_app::{ExitCode, Failure};

use crate::cli::GenerateArgs;
use crate::next::Next;
use crate::printer::Printer;
use crate::progress::View;

pub(crate) fn run(args: &GenerateArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let handle = Arc::new(View::default()).handle();
    let outcome = generate::generate(&args.request(), &args.dry_run.handle(handle))?;
    printer.text(&page(&outcome));
    printer.json(&outcome);
    // A fault may be one that a profile cannot get past.
    let look = if outcome.fault.is_some() { "inspect" } else { "profile" };
    printer.next(&Next::new(look).place(&args.out()));
    Ok(ExitCode::Done)
}

fn page(outcome: &Outcome) -> String {
    let Outcome { out, form, documents, bson_bytes, fault, .. } = outcome;
    let mut text = format!(
        "{}, {} as BSON, in {out} ({form})",
        counted(*documents, "document"),
        size(*bson_bytes)
    );
    if let Some(fault) = fault {
        text.push_str(&format!("\ndamaged {} at byte {}", fault.path, number(fault.offset)));
    }
    text
}
