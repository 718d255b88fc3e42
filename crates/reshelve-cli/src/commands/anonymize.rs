//! `reshelve anonymize`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reshelve_app::anonymize::{self, Changed, Outcome, ScanOutcome, SharedLeak};
use reshelve_app::text::{counted, number, plain, size};
use reshelve_app::{ExitCode, Failure, Handle, hints};

use crate::cli::{AnonymizeAction, AnonymizeArgs, AnonymizeScanArgs};
use crate::next::Next;
use crate::printer::{Printer, Tone, columns, has_terminal, note, toned};
use crate::progress::View;

/// How many documents and leaks a page names.
const NAMED_MAX: usize = 20;

pub(crate) fn run(args: &AnonymizeArgs) -> Result<ExitCode, Failure> {
    if let Some(AnonymizeAction::Scan(args)) = &args.action {
        return scan(args);
    }
    if let Some(file) = &args.new_key {
        anonymize::new_key(file, &args.dry_run.handle(Handle::silent()))?;
        note(&format!("a new key is in {}; keep it apart from every copy", file.display()));
        return Ok(ExitCode::Done);
    }
    let Some(source) = &args.source else {
        if args.rules.is_asked_for() {
            let text = anonymize::policy(&args.rules.rules())?.to_text();
            Printer::new(false).raw(text.as_bytes());
            return Ok(ExitCode::Done);
        }
        return Err(Failure::usage("SOURCE and OUT are missing", hints::LIST_OF_FLAGS));
    };
    if let Some(job) = &args.preview {
        return preview(args, source, job);
    }
    let Some(out) = &args.out else {
        return Err(Failure::usage("OUT is missing: where the copy goes", hints::LIST_OF_FLAGS));
    };
    let view = Arc::new(View::default());
    let handle = args.password.handle(args.dry_run.handle(view.handle()));
    let copied = anonymize::anonymize(&args.request(source, out.clone()), &handle);
    view.end();
    let outcome = copied?;
    let printer = Printer::new(args.json.json);
    printer.text(&page(&outcome));
    printer.json(&outcome);
    printer.next(&match &outcome.out {
        Some(out) => Next::new("profile").place(out.as_ref()),
        None => Next::nothing(),
    });
    Ok(outcome.exit_code())
}

fn page(outcome: &Outcome) -> String {
    let (documents, bytes) = (&outcome.documents, &outcome.bytes);
    let mut lines = Vec::new();
    match &outcome.out {
        Some(out) => lines.push(format!(
            "{}, {} as BSON, in {} ({})",
            counted(
                documents.written,
                if outcome.is_sample { "chosen document" } else { "document" }
            ),
            size(bytes.written),
            plain(out),
            outcome.form
        )),
        None => lines.push(toned(Tone::Bad, "No copy was kept.")),
    }
    let checked = match outcome.is_checked {
        true => "both sides were mapped: verdicts, warnings, events and statuses are the same",
        false => "not checked: --no-check says so",
    };
    lines.push(format!("  true to life  {checked}"));
    let found = match outcome.leaks_found {
        0 => "nothing of the source stands in the copy".to_owned(),
        found => toned(Tone::Bad, &format!("{} found", counted(found, "leak"))),
    };
    lines.push(format!("  leak scan     {found}"));
    if !outcome.unknown.is_empty() {
        let paths = u64::try_from(outcome.unknown.len()).unwrap_or(u64::MAX);
        lines.push(format!(
            "  redacted      {} that the policy does not know",
            counted(paths, "path")
        ));
    }
    if documents.left_out > 0 {
        let text = format!("{} of {}", number(documents.left_out), number(documents.read));
        lines.push(format!("  left out      {}", toned(Tone::Careful, &text)));
        for it in outcome.left_out.iter().take(NAMED_MAX) {
            lines.push(format!("    {}  {}", it.reason, plain(&it.job)));
        }
    }
    lines.extend(leaks(&outcome.leaks));
    lines.join("\n")
}

fn leaks(leaks: &[SharedLeak]) -> impl Iterator<Item = String> {
    leaks
        .iter()
        .take(NAMED_MAX)
        .map(|leak| format!("    {:<8}  {}  {}", leak.rule, plain(&leak.job), plain(&leak.path)))
}

fn scan(args: &AnonymizeScanArgs) -> Result<ExitCode, Failure> {
    let view = Arc::new(View::default());
    let handle = args.password.handle(view.handle());
    let scanned = anonymize::scan(&args.request(), &handle);
    view.end();
    let outcome = scanned?;
    let printer = Printer::new(args.json.json);
    printer.text(&scan_page(&outcome));
    printer.json(&outcome);
    Ok(outcome.exit_code())
}

fn scan_page(outcome: &ScanOutcome) -> String {
    let documents = counted(outcome.documents, "document");
    if outcome.leaks_found == 0 {
        return format!("{documents}: nothing of the source stands in the copy");
    }
    let found = counted(outcome.leaks_found, "leak");
    let mut lines = vec![format!("{documents}: {}", toned(Tone::Bad, &format!("{found} found")))];
    lines.extend(leaks(&outcome.leaks));
    lines.join("\n")
}

/// Values of the source are shown to a person who may read it, and go into no file.
fn preview(args: &AnonymizeArgs, source: &Path, job: &str) -> Result<ExitCode, Failure> {
    let Some(width) = columns().filter(|_| has_terminal()) else {
        let message = "a preview shows texts of the source, and is shown on a terminal only";
        return Err(Failure::usage(message, hints::LIST_OF_FLAGS));
    };
    let view = Arc::new(View::default());
    let handle = args.password.handle(view.handle());
    let rows = anonymize::preview(&args.request(source, PathBuf::new()), job, &handle);
    view.end();
    let printer = Printer::new(false);
    for Changed { path, before, after } in rows? {
        let room = usize::from(width).saturating_sub(4).max(20);
        let cut = |text: &str| plain(text).chars().take(room).collect::<String>();
        printer.line(&plain(&path));
        if before == after {
            printer.line(&format!("  = {}", cut(&before)));
        } else {
            printer.line(&format!("  - {}", cut(&before)));
            printer.line(&format!("  + {}", cut(&after)));
        }
    }
    Ok(ExitCode::Done)
}
