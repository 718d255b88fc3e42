//! `report`: what a reviewer signs. One content, as a page, as Markdown, as JSON, and packed as
//! evidence.

mod answers;
mod bundle;
mod checks;
mod codes;
mod comparison;
mod dashboard;
mod decisions;
mod diff;
mod figures;
mod files;
mod html;
mod html_cell;
mod jobs;
mod markdown;
mod page;
mod record;
mod rehearsal;
mod sign_off;
mod source;
mod text;
mod what_was_run;
mod words;

use std::path::{Path, PathBuf};

use reshelve::ends::TargetFolder;
use reshelve::parity::Texts;
use reshelve::report::{ReportRequest, RunReport, Sides, Verified};
use reshelve::run::{Plan, RunFolder, now_ms};
use reshelve::store::absolute;
use serde::{Serialize, Serializer};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::family::{Known, beside, family, other_retries, reported_with};
use crate::handle::Handle;
use crate::hints;
use crate::options::RunName;
use crate::places::{self, SourceAgain};
use crate::rehearse;
use crate::retries::{origins, own_origins};
use crate::text::moment;

pub(crate) use answers::{Found, OfRoute};
pub use dashboard::Dashboard;
pub use figures::bucket_name;
pub(crate) use rehearsal::pages as rehearsal_pages;

/// What `report` is asked.
pub struct Request {
    /// The run, or the run and its retries in any order: they are reported as one.
    pub runs: Vec<RunName>,
    /// Where the source is now, if it has moved.
    pub source: Option<PathBuf>,
    /// Where the target is now, if it has moved.
    pub target: Option<PathBuf>,
    /// Connection strings of source and target that were not given for this run: they count where
    /// its own are live, as it keeps none with a password.
    pub live: [Option<PathBuf>; 2],
    /// The folder that the report goes to; none for `report` in the run's folder.
    pub out: Option<PathBuf>,
    /// Whether to write the evidence pack too.
    pub bundle: bool,
    /// Whether it quotes the texts of the documents, such as titles.
    pub texts: Texts,
    /// Whether the answers of both sides are compared too.
    pub answers: bool,
    /// What `crosscheck --out` left, if the application was asked.
    pub crosscheck: Option<PathBuf>,
    /// The dashboard that jobs lead to.
    pub dashboard: Option<Dashboard>,
}

impl Request {
    /// The report of a run whose ends are where they were, into its folder, without texts.
    pub fn new(run: RunName) -> Self {
        Request {
            runs: vec![run],
            source: None,
            target: None,
            live: [None, None],
            out: None,
            bundle: false,
            texts: Texts::Withheld,
            answers: false,
            crosscheck: None,
            dashboard: None,
        }
    }

    /// Where source and target of a run are, if that is not what the run keeps.
    fn elsewhere(&self, plan: &Plan) -> [Option<&Path>; 2] {
        let [live_source, live_target] = &self.live;
        let source = live_source.as_deref().filter(|_| plan.source.live.is_some());
        let target = live_target.as_deref().filter(|_| plan.target.folder().is_none());
        [self.source.as_deref().or(source), self.target.as_deref().or(target)]
    }
}

/// A report, and where it is; as JSON, `reshelve.report/1`.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What there is to say about the run.
    pub report: RunReport,
    /// The files.
    pub written: Written,
    /// How more could be said, if that is known.
    pub hint: Option<&'static str>,
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ReportDocument::of(&self.report).serialize(serializer)
    }
}

/// The files of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub html: PathBuf,
    /// The same for a pull request.
    pub markdown: PathBuf,
    /// The same for programs.
    pub json: PathBuf,
    /// The evidence pack.
    pub bundle: Option<PathBuf>,
    /// Where an earlier report of that folder was moved to: somebody may have signed it.
    pub earlier: Option<PathBuf>,
}

/// The report in every form.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// A page that needs no network and no script.
    pub html: String,
    /// Markdown for a pull request.
    pub markdown: String,
    /// `reshelve.report/1`.
    pub json: String,
}

/// The file for programs beside the page, and what `report --json` prints.
#[derive(Debug, Serialize)]
struct ReportDocument<'r> {
    schema: &'static str,
    #[serde(flatten)]
    report: &'r RunReport,
}

impl<'r> ReportDocument<'r> {
    fn of(report: &'r RunReport) -> Self {
        ReportDocument { schema: "reshelve.report/1", report }
    }
}

/// Reads both sides of a run again, and writes its report in every form. What the report says is
/// not what the command did: `verify` is the one that judges.
///
/// # Errors
/// If the run's own files cannot be used, the report cannot be written, or an end was named that
/// makes no sense; also if the folder holds a file of another kind under a name of the report. A side
/// that cannot be read is not an error: the report says so.
pub fn report(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    report_of(request, None, handle)
}

/// The same after a comparison: what that found is not looked for again.
pub(crate) fn report_of(
    request: &Request,
    verified: Option<Verified>,
    handle: &Handle,
) -> Result<Outcome, Failure> {
    let family = family(&request.runs, handle)?;
    let (first, plan) = family.first().ok_or_else(no_run)?;
    let out = request.out.clone().unwrap_or_else(|| first.path().join("report"));
    // What cannot be written there is told before hours of reading.
    files::expect_free(&out, &plan.run)?;
    // A file that is none is told before anything is read.
    let crosscheck = request.crosscheck.as_deref().map(answers::crosscheck).transpose()?;
    let mut report = gather(request, &family, verified, handle)?;
    report.rehearsal = rehearse::newest_of(&family, &report);
    report.crosscheck = crosscheck;
    if request.answers {
        compare_answers(&mut report, request, &family, handle)?;
    }
    answers::judge(&mut report);
    if request.texts == Texts::Withheld {
        let found = [&mut report.answers, &mut report.crosscheck];
        found.into_iter().flatten().for_each(answers::without_texts);
    }
    let rendered = render(&report, request.dashboard.as_ref());
    let folders: Vec<RunFolder> = family.iter().map(|(folder, _)| folder.clone()).collect();
    let written = files::write(&report, &rendered, &out, request.bundle.then_some(&folders))?;
    let hint = if report.parity.is_none() { missing_side(request, plan) } else { None };
    Ok(Outcome { report, written, hint })
}

/// What to do where source and target were not compared because one of them is not where the run
/// found it.
fn missing_side(request: &Request, plan: &Plan) -> Option<&'static str> {
    let is_of_files = plan.source.live.is_none() && request.source.is_none();
    let is_gone = |folder: &TargetFolder| !folder.database().exists();
    match plan.target.folder() {
        _ if is_of_files && plan.source.bytes.is_none() => Some(hints::report::NAME_THE_SOURCE),
        _ if is_of_files && !plan.source.path.exists() => Some(hints::report::SOURCE_HAS_MOVED),
        Some(folder) if request.target.is_none() && is_gone(folder) => {
            Some(hints::report::TARGET_HAS_MOVED)
        }
        _ => None,
    }
}

fn no_run() -> Failure {
    Failure::usage("no run is named", hints::RETRIES_OF_ONE_RUN)
}

/// A side that cannot be reached does not prevent the report: the report says so. What was named
/// must make sense.
fn gather(
    request: &Request,
    family: &[Known],
    verified: Option<Verified>,
    handle: &Handle,
) -> Result<RunReport, Failure> {
    let ((folder, plan), retries) = family.split_first().ok_or_else(no_run)?;
    let [source, target] = request.elsewhere(plan);
    let again = SourceAgain { given: source, ..SourceAgain::default() };
    let origin = places::origin_again(&plan.source, &again, handle);
    let origin = or_why(origin, source)?;
    let reader = places::reader_again(&plan.target, target, handle);
    let target = or_why(reader, target)?;
    let own = own_origins(plan, retries, handle);
    let asked = ReportRequest {
        folder: folder.clone(),
        retries: retries.iter().map(|(folder, _)| folder.clone()).collect(),
        other_retries: other_retries(family),
        one_with: reported_with(plan, beside(folder)),
        no_source: origin.as_ref().err().cloned(),
        no_target: target.as_ref().err().cloned(),
        texts: request.texts,
        made_at: made_at(),
        verified,
    };
    let shared = origin.as_ref().ok().map(AsRef::as_ref);
    let sides = Sides {
        origin: shared,
        retries: match (&own, shared) {
            (Ok(own), Some(shared)) => Ok(origins(own, shared)),
            (Ok(_), None) => Ok(Vec::new()),
            (Err(failure), _) => Err(failure.message.clone()),
        },
        target: target.as_ref().ok().map(AsRef::as_ref),
    };
    let mut report = reshelve::report::gather(&asked, &sides)?;
    tell_other_places(&mut report, request);
    Ok(report)
}

/// Compares the answers of both sides. Where that cannot be done, the verdict says so.
fn compare_answers(
    report: &mut RunReport,
    request: &Request,
    family: &[Known],
    handle: &Handle,
) -> Result<(), Failure> {
    let texts = match request.texts {
        Texts::Quoted => reshelve_serve::comparison::Texts::Shown,
        Texts::Withheld => reshelve_serve::comparison::Texts::Hidden,
    };
    let found = match report.parity {
        Some(_) => {
            let [source, target] = request.elsewhere(&report.plan);
            let source = places::source_again(&report.plan.source, source);
            let target = places::target_again(&report.plan.target, target);
            answers::offline(family, (&source, &target), texts, handle)
        }
        None => Err(Failure::failed("source and target were not compared")),
    };
    match found {
        Ok(found) => report.answers = Some(found),
        Err(failure) if failure.code == ExitCode::Interrupted => return Err(failure),
        Err(failure) => {
            let sentence = format!("The answers were not compared: {}.", failure.message);
            report.verdict = report.verdict.clone().except(Some(&sentence));
            report.cautions.push(sentence);
        }
    }
    Ok(())
}

/// The time now, or the one that `SOURCE_DATE_EPOCH` fixes, so that the same report can be made
/// twice; as ISO text.
fn made_at() -> String {
    let fixed = std::env::var("SOURCE_DATE_EPOCH").ok();
    let fixed = fixed.and_then(|seconds| seconds.parse::<i64>().ok()?.checked_mul(1000));
    moment(fixed.unwrap_or_else(now_ms))
}

/// What was compared is not always where the run had it: whoever signs has to know.
fn tell_other_places(report: &mut RunReport, request: &Request) {
    let other = |named: Option<&Path>, known: Option<&Path>| {
        let named =
            named.filter(|path| places::connection_string(path).is_ok_and(|it| it.is_none()))?;
        let named = absolute(named);
        (known.map(Path::to_owned) != Some(named.clone())).then_some(named)
    };
    let root = report.plan.target.folder().map(|folder| folder.root.clone());
    if let Some(named) = other(request.target.as_deref(), root.as_deref()) {
        let caution = format!(
            "The target that was read is {}, named with --target. The run wrote to {}.",
            named.display(),
            report.plan.target.name()
        );
        report.cautions.insert(0, caution);
    }
    let source = report.plan.source.path.clone();
    if let Some(named) = other(request.source.as_deref(), Some(&source)) {
        let caution = format!(
            "The source that was read is {}, named with --source. The run was begun on {}.",
            named.display(),
            source.display()
        );
        report.cautions.insert(0, caution);
    }
}

/// One side of a report, or why it cannot be read.
fn or_why<T>(
    opened: Result<T, Failure>,
    named: Option<&Path>,
) -> Result<Result<T, String>, Failure> {
    match opened {
        Ok(side) => Ok(Ok(side)),
        Err(failure) if named.is_some() && failure.code != ExitCode::Failed => Err(failure),
        Err(failure) => Ok(Err(failure.message)),
    }
}

/// The report in every form; its jobs lead to a dashboard, if there is one.
pub fn render(report: &RunReport, dashboard: Option<&Dashboard>) -> Rendered {
    let page = page::Page::of(report, dashboard);
    Rendered {
        html: html::render(&page),
        markdown: markdown::render(&page),
        json: serde_json::to_string(&ReportDocument::of(report)).unwrap_or_default(),
    }
}
