//! The answers of both sides, and those of the running application: compared, read, and shown.

mod found;
mod withheld;

use std::path::Path;

use reshelve::report::{RunReport, family_request};
use reshelve::run::Plan;
use reshelve::store::{Disk, absolute};
use reshelve_serve::comparison::{Others, Scope, Texts};
use serde_json::Value;

pub(super) use withheld::without_texts;

use super::page::Section;
use crate::failure::Failure;
use crate::family::Known;
use crate::handle::Handle;
use crate::hints;
use crate::options::MappingOptions;
use crate::places::{SourcePlace, TargetPlace};
use crate::text::{agree, counted, number};
use crate::{outside, shadow, sides};

pub(crate) use found::{Found, OfRoute};

/// The longest result of a cross-check that is read.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Compares the answers of both sides of a run, where they are now.
///
/// # Errors
/// If a side cannot be looked up.
pub(super) fn offline(
    family: &[Known],
    (source, target): (&SourcePlace, &TargetPlace),
    texts: Texts,
    handle: &Handle,
) -> Result<Value, Failure> {
    let Some(((folder, _), retries)) = family.split_first() else {
        return Err(Failure::failed("no run is named"));
    };
    let folders: Vec<_> = retries.iter().map(|(folder, _)| folder.clone()).collect();
    let (compared, _) = family_request(folder, &folders)?;
    let options = compared.reading.options;
    let [legacy, normalized] =
        sides::both(source, target, MappingOptions::from(options), None, handle)?;
    // What a retry carried over is not in the source as it is in the target.
    let has_others = compared.allow_existing || !retries.is_empty();
    let scope = Scope {
        texts,
        // What the target lacks is for the comparison of documents, which knows what it refused.
        is_unfinished: true,
        sample: None,
        others: if has_others { Others::LeftAlone } else { Others::Differ },
    };
    let outcome = shadow::compared([&legacy, &normalized], options, scope, handle)?;
    serde_json::to_value(outcome).map_err(|error| Failure::failed(error.to_string()))
}

/// What `crosscheck --out` left.
///
/// # Errors
/// If it is not that.
pub(super) fn crosscheck(path: &Path) -> Result<Value, Failure> {
    outside::check("--crosscheck", path)?;
    let bytes = Disk.read_handed_over(path, FILE_BYTES_MAX)?;
    let found: Option<Value> = serde_json::from_slice(&bytes).ok();
    let is_one = |it: &Value| it["schema"] == "reshelve.crosscheck/1" && Found::of(it).is_some();
    found.filter(is_one).ok_or_else(|| {
        let message = format!("{} is not what a cross-check found", path.display());
        Failure::usage(message, hints::crosscheck::CROSSCHECK_FILE)
    })
}

/// Lets the verdict, and what has to be read first, tell of what was found.
pub(super) fn judge(report: &mut RunReport) {
    for (found, whose) in [
        (report.answers.as_ref(), "both sides"),
        (report.crosscheck.as_ref(), "the running application"),
    ] {
        let Some(found) = found.and_then(Found::of) else { continue };
        let (different, of) = (found.different(), counted(found.compared, "answer"));
        let verdict = report.verdict.clone();
        let missing = found.missing();
        report.verdict = match (different, missing) {
            (0, 0) => verdict,
            (0, _) => verdict.except(Some(&format!(
                "{} of {whose} could not be compared.",
                counted(missing, "answer")
            ))),
            _ => verdict.against(&format!(
                "{} of {of} of {whose} {}.",
                number(different),
                agree(different, "differs", "differ")
            )),
        };
        for doubt in doubts(&report.plan, &found) {
            report.verdict = report.verdict.clone().except(Some(&doubt));
            report.cautions.push(doubt);
        }
    }
}

/// Why what was found may say nothing of a run.
fn doubts(plan: &Plan, found: &Found) -> Vec<String> {
    let mut doubts = Vec::new();
    if found.begun.as_ref().is_some_and(|begun| *begun < plan.begun_at) {
        let doubt = "The application was asked before this run began: what it answered then says \
                     nothing of this run.";
        doubts.push(doubt.to_owned());
    }
    let is_of_it = |at: &Path| {
        let target = plan.target.folder().map(|folder| &folder.root);
        [Some(&plan.source.path), target].into_iter().flatten().any(|end| {
            let end = absolute(end);
            end.starts_with(at) || at.starts_with(&end)
        })
    };
    if found.at.as_deref().is_some_and(|at| !is_of_it(at)) {
        let doubt = "The application was compared with another place than the source and the \
                     target of this run.";
        doubts.push(doubt.to_owned());
    }
    doubts
}

/// What a person accepts who accepts the run, beside what source and target show.
pub(super) fn exceptions(report: &RunReport) -> Vec<String> {
    let found = [(&report.answers, "both sides"), (&report.crosscheck, "the running application")];
    let found = found.into_iter().filter_map(|(found, whose)| {
        let found = Found::of(found.as_ref()?)?;
        let (missing, mut exceptions) = (found.missing(), doubts(&report.plan, &found));
        let answers = counted(missing, "answer");
        if missing > 0 {
            exceptions.push(format!("{answers} of {whose} could not be compared"));
        }
        Some(exceptions)
    });
    found.flatten().collect()
}

/// What both sides would answer; none if that was not compared.
pub(super) fn of_both_sides(report: &RunReport) -> Option<Section> {
    let text = "Everything that a reader can ask was asked of both sides: each job by each route, \
                its events in all pages, and the lists by every status.";
    let found = Found::of(report.answers.as_ref()?)?;
    Some(found.section("Answers of both sides", text, ["legacy", "target"]))
}

/// What the running application answered; none if that is not known.
pub(super) fn of_application(report: &RunReport) -> Option<Section> {
    let text = "The running application was asked over HTTP, and each answer was compared with what \
                the documents say: `reshelve crosscheck`.";
    let found = Found::of(report.crosscheck.as_ref()?)?;
    Some(found.section("Answers of the running application", text, ["expected", "application"]))
}
