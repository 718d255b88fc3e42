//! `reshelve report`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use reshelve::report::{self, ReportRequest, RunReport, Sides, Word};
use reshelve::run::RunFolder;

use super::ends;
use crate::cli::ReportArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::report::{Rendered, render, write_bundle};

/// The files of a report.
pub(crate) struct Written {
    pub(crate) html: PathBuf,
    pub(crate) markdown: PathBuf,
    pub(crate) json: PathBuf,
    pub(crate) bundle: Option<PathBuf>,
}

pub(crate) fn run(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let folder = RunFolder::find(&args.runs.runs_dir, &args.run)?;
    let report = gather(args, &folder)?;
    let rendered = render(&report);
    let out = args.out.clone().unwrap_or_else(|| folder.path().join("report"));
    let written = write(&report, &rendered, &out, args.bundle.then_some(folder.path()))?;
    printer.text(&page(&report, &written));
    if printer.is_json() {
        printer.line(&rendered.json);
    }
    // What the report says is not what the command did: `verify` is the one that judges.
    Ok(ExitCode::Done)
}

/// A side that cannot be reached is no reason not to report: the report says so. What was named on
/// the command line has to make sense.
fn gather(args: &ReportArgs, folder: &RunFolder) -> Result<RunReport, Failure> {
    let plan = folder.plan()?;
    let named = |failure: &Failure| failure.code != ExitCode::Failed;
    let origin = match ends::origin_again(
        &plan.source,
        args.source.as_deref(),
        None,
        &reshelve_mongo::Patience::default(),
    ) {
        Ok(origin) => Ok(origin),
        Err(failure) if named(&failure) && args.source.is_some() => return Err(failure),
        Err(failure) => Err(failure.message),
    };
    let target = match ends::reader_again(&plan.target, args.target.as_deref()) {
        Ok(target) => Ok(target),
        Err(failure) if named(&failure) && args.target.is_some() => return Err(failure),
        Err(failure) => Err(failure.message),
    };
    let request = ReportRequest {
        folder: folder.clone(),
        no_source: origin.as_ref().err().cloned(),
        no_target: target.as_ref().err().cloned(),
    };
    let sides = Sides {
        origin: origin.as_ref().ok().map(AsRef::as_ref),
        target: target.as_ref().ok().map(AsRef::as_ref),
    };
    Ok(report::gather(&request, &sides)?)
}

/// Writes the report in every form; with a run's folder, the evidence pack too.
pub(crate) fn write(
    report: &RunReport,
    rendered: &Rendered,
    out: &Path,
    run_folder: Option<&Path>,
) -> Result<Written, Failure> {
    fs::create_dir_all(out).map_err(|error| failed("creating the folder", out, &error))?;
    let whole = |name: &str, text: &str| {
        let path = out.join(name);
        replace(&path, |file| file.write_all(text.as_bytes()))?;
        Ok::<PathBuf, Failure>(path)
    };
    let html = whole("report.html", &rendered.html)?;
    let markdown = whole("report.md", &rendered.markdown)?;
    let json = whole("report.json", &rendered.json)?;
    let bundle = match run_folder {
        Some(run_folder) => {
            let path = out.join(format!("evidence-{}.tar.gz", report.plan.run));
            replace(&path, |file| write_bundle(report, rendered, run_folder, file))?;
            Some(path)
        }
        None => None,
    };
    Ok(Written { html, markdown, json, bundle })
}

/// Replaces a file in one step: nobody finds half a report.
fn replace(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), Failure> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = path.with_file_name(format!(".{name}.tmp"));
    let made = File::create(&temporary).and_then(|mut file| {
        fill(&mut file)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    made.map_err(|error| failed("writing", path, &error))
}

fn failed(action: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("{action} {}: {error}", path.display()))
}

pub(crate) fn page(report: &RunReport, written: &Written) -> String {
    let word = match report.verdict.word {
        Word::Holds => "Parity holds.",
        Word::DoesNotHold => "Parity does NOT hold.",
        Word::NotChecked => "Parity was not checked.",
        Word::DryRun => "A dry run.",
    };
    let mut lines = vec![format!("{word} {}", crate::printer::plain(&report.verdict.sentence))];
    for caution in &report.cautions {
        lines.push(format!("\n  note: {}", crate::printer::plain(caution)));
    }
    lines.push(String::new());
    let mut row = |name: &str, path: &Path| lines.push(format!("  {name:<12} {}", path.display()));
    row("page", &written.html);
    row("Markdown", &written.markdown);
    row("JSON", &written.json);
    if let Some(bundle) = &written.bundle {
        row("evidence", bundle);
    }
    lines.join("\n")
}
