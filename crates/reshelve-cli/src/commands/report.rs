//! `reshelve report`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reshelve::parity::Texts;
use reshelve::report::{RunReport, Word};
use reshelve_app::report::{self, Dashboard, Request, Written};
use reshelve_app::text::plain;
use reshelve_app::{ExitCode, Failure, Handle};

use crate::cli::{ReportArgs, is_asked};
use crate::next;
use crate::printer::{Notes, Printer, Tone, toned};

pub(crate) fn run(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let named = |flag, place: &Option<PathBuf>| place.clone().filter(|_| is_asked(flag));
    let (source, target) = (named("--source", &args.source), named("--target", &args.target));
    let request = Request {
        runs: args.run.iter().map(|name| args.runs.run(name)).collect(),
        source: source.clone(),
        target: target.clone(),
        live: [args.source.clone(), args.target.clone()],
        out: args.out.clone(),
        bundle: args.bundle,
        texts: if args.with_texts { Texts::Quoted } else { Texts::Withheld },
        answers: args.answers,
        crosscheck: args.crosscheck.clone(),
        dashboard: args.dashboard.as_deref().map(Dashboard::new).transpose()?,
    };
    let handle = args.password.handle(Handle::new(Arc::new(Notes)));
    let outcome = report::report(&request, &handle)?;
    printer.text(&page(&outcome.report, &outcome.written));
    printer.json(&outcome);
    if let Some(hint) = outcome.hint {
        printer.hint(hint);
    }
    let holds = [Word::Holds, Word::HoldsWithExceptions].contains(&outcome.report.verdict.word);
    if outcome.written.bundle.is_none() && holds {
        let next = next::report(&args.run, &args.runs.runs_dir);
        let next = if args.answers { next.flag("--answers") } else { next };
        printer.next(
            &next
                .with("--source", source.as_ref())
                .with("--target", target.as_ref())
                .with("--crosscheck", args.crosscheck.as_ref())
                .with("--out", args.out.as_ref()),
        );
    }
    Ok(ExitCode::Done)
}

pub(crate) fn page(report: &RunReport, written: &Written) -> String {
    let (tone, word) = match report.verdict.word {
        Word::Holds => (Tone::Good, "Parity holds."),
        Word::HoldsWithExceptions => (Tone::Careful, "Parity holds, with exceptions."),
        Word::DoesNotHold => (Tone::Bad, "Parity does NOT hold."),
        Word::NotChecked => (Tone::Careful, "Parity was not checked."),
        Word::DryRun => (Tone::Careful, "A dry run."),
    };
    let mut lines = vec![format!("{} {}", toned(tone, word), plain(&report.verdict.sentence))];
    for caution in &report.cautions {
        lines.push(format!("\n  note: {}", plain(caution)));
    }
    lines.push(String::new());
    let mut row = |name: &str, path: &Path| lines.push(format!("  {name:<12} {}", path.display()));
    row("page", &written.html);
    row("Markdown", &written.markdown);
    row("JSON", &written.json);
    if let Some(bundle) = &written.bundle {
        row("evidence", bundle);
    }
    if let Some(earlier) = &written.earlier {
        lines.push(format!("\n  note: the report that was there is in {}", earlier.display()));
    }
    lines.join("\n")
}
