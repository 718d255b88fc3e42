//! What a comparison is based on: the run that it follows, and where its options come from.

use std::path::{Path, PathBuf};

use reshelve::ends::{Origin, PlannedTarget, TargetReader};
use reshelve::parity::{Reading, RejectedByTarget, RetryRequest, VerifyRequest};
use reshelve::report;
use reshelve::run::State;
use reshelve_core::mapping::Options;
use serde::Serialize;

use super::Request;
use crate::failure::Failure;
use crate::family::{Known, beside, family, is_into_another_target, other_retries, reported_with};
use crate::handle::Handle;
use crate::hints;
use crate::last_run::{LastRun, last_run};
use crate::options::{GivenOptions, flags};
use crate::outside;
use crate::overlap::is_same_target;
use crate::retries::{own_origin, own_origins};
use crate::text::counted;

/// Where the options of a comparison come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptionsFrom {
    /// From the request; what it leaves open, from the run that the comparison follows, or from
    /// the defaults.
    Flags,
    /// From the run that was named.
    Run,
    /// From the last run from this source into this target.
    LastRun,
    /// From nowhere: no such run is known for certain.
    Defaults,
}

/// The run that a comparison follows, with its retries.
pub(super) struct Followed {
    from: OptionsFrom,
    /// The run, then its retries; nothing if none is followed.
    family: Vec<Known>,
    /// The source of each retry; none if it is that of the run.
    own: Vec<Option<Box<dyn Origin>>>,
    /// Why no run is followed.
    why: String,
    /// Whether the run wrote another target: what that did not take says nothing of this one.
    is_of_another_target: bool,
}

impl Followed {
    /// Finds the run that is named, or the last one.
    pub(super) fn of(
        request: &Request,
        planned: &PlannedTarget,
        target: &dyn TargetReader,
        handle: &Handle,
    ) -> Result<Followed, Failure> {
        let nothing = |why: String| {
            let (family, own) = (Vec::new(), Vec::new());
            let from = OptionsFrom::Defaults;
            Followed { from, family, own, why, is_of_another_target: false }
        };
        if !request.runs.is_empty() {
            let followed = Followed {
                from: OptionsFrom::Run,
                family: family(&request.runs, handle)?,
                ..nothing(String::new())
            };
            let [(_, first), retries @ ..] = &followed.family[..] else { return Ok(followed) };
            let own = own_origins(first, retries, handle)?;
            tell_others(&followed.family, handle);
            let is_of_another_target = !is_same_target(&first.target, planned);
            if is_of_another_target {
                handle.watcher().note(&format!(
                    "note: the run {} wrote another target, {}: what that did not take counts as \
                     missing here",
                    first.run,
                    first.target.name()
                ));
            }
            return Ok(Followed { own, is_of_another_target, ..followed });
        }
        let Some(runs) = &request.runs_folder else { return Ok(nothing(String::new())) };
        outside::check("--runs-dir", runs)?;
        Ok(match last_run(&request.source, planned, target, runs) {
            LastRun::Unknown(why) => nothing(why),
            LastRun::Known(family) => {
                let (family, own) = readable(family, handle)?;
                Followed { from: OptionsFrom::LastRun, family, own, ..nothing(String::new()) }
            }
        })
    }

    /// Says that one of the runs has not carried over all of its source: the rest counts as missing
    /// here. Returns that run if it has stopped and can be continued.
    pub(super) fn tell_unfinished(&self, handle: &Handle) -> Result<Option<Unfinished>, Failure> {
        for run in &self.family {
            if let Some((why, unfinished)) = why_unfinished(run)? {
                let note =
                    format!("warning: what is not carried over yet counts as missing: {why}");
                handle.watcher().note(&note);
                return Ok(unfinished.filter(|_| !self.is_of_another_target));
            }
        }
        Ok(None)
    }

    /// What to compare for these runs, and what is known of each retry.
    pub(super) fn request(&self) -> Result<(VerifyRequest, Vec<RetryRequest>), Failure> {
        let Some(((first, _), retries)) = self.family.split_first() else {
            return Ok((VerifyRequest::new(Reading::new(Options::default())), Vec::new()));
        };
        let retries: Vec<_> = retries.iter().map(|(folder, _)| folder.clone()).collect();
        let (mut request, mut of_retries) = report::family_request(first, &retries)?;
        if self.is_of_another_target {
            request.reading.rejected = RejectedByTarget::default();
            for retry in &mut of_retries {
                retry.reading.rejected = RejectedByTarget::default();
            }
        }
        // The run may have read a part of its source: what is compared here is all of the source
        // that was named.
        request.reading.limit = None;
        request.reading.only_rejects = None;
        Ok((request, of_retries))
    }

    /// Whether a retry read the same source as the run.
    pub(super) fn reads_again(&self) -> bool {
        self.own.iter().any(Option::is_none)
    }

    /// Whether retries of the run are followed too.
    pub(super) fn has_retries(&self) -> bool {
        self.family.len() > 1
    }

    pub(super) fn own_origins(&self) -> &[Option<Box<dyn Origin>>] {
        &self.own
    }

    /// Where the options come from, with these decisions in the request.
    pub(super) fn basis(&self, given: GivenOptions) -> Basis {
        Basis {
            options_from: if given.is_empty() { self.from } else { OptionsFrom::Flags },
            runs: self.family.iter().map(|(_, plan)| plan.run.clone()).collect(),
            why: self.why.clone(),
        }
    }
}

/// A run that has stopped and can be continued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it is being taken back.
    pub is_rolling_back: bool,
}

/// Runs, and the source of each but the first; none if it is that of the first.
type Readable = (Vec<Known>, Vec<Option<Box<dyn Origin>>>);

/// The run and those of its retries whose sources can be read again. Nobody has named them.
///
/// # Errors
/// If one that carried something over is not among these.
fn readable(family: Vec<Known>, handle: &Handle) -> Result<Readable, Failure> {
    let (mut kept, mut own): (Vec<Known>, Vec<_>) = (Vec::new(), Vec::new());
    for (folder, plan) in family {
        let Some((_, first)) = kept.first() else {
            kept.push((folder, plan));
            continue;
        };
        match own_origin(first, &plan, handle) {
            Ok(origin) => {
                own.push(origin);
                kept.push((folder, plan));
            }
            // What it carried over would be checked by nobody.
            Err(failure) if folder.checkpoint()?.totals.documents.written > 0 => {
                return Err(failure);
            }
            Err(failure) => handle.watcher().note(&format!(
                "warning: {}; what that retry carried over counts as missing or extra",
                failure.message
            )),
        }
    }
    Ok((kept, own))
}

/// Why a run has not carried over all of its source, and the run if it has stopped and can be
/// continued.
fn why_unfinished((folder, plan): &Known) -> Result<Option<(String, Option<Unfinished>)>, Failure> {
    let checkpoint = folder.checkpoint()?;
    let run = &plan.run;
    let state = folder.found(&checkpoint);
    let path = folder.path();
    let mut unfinished = None;
    let why = match state {
        State::Done => return Ok(None),
        State::Partial => match plan.limit {
            Some(limit) => {
                let limit = counted(limit, "document");
                format!("the run {run} took only the first {limit} (--limit)")
            }
            None => return Ok(None),
        },
        State::Cancelled => format!("the run {run} was cancelled"),
        State::RolledBack => format!("the run {run} is rolled back"),
        State::Planned | State::Running | State::Pausing => {
            format!("the run {run} is at work ({state})")
        }
        State::RollingBack => {
            unfinished = Some(Unfinished { folder: path.to_owned(), is_rolling_back: true });
            format!("the run {run} is half rolled back; {}", hints::go_on_rolling_back(path))
        }
        State::Paused | State::Interrupted | State::Failed | State::Killed => {
            unfinished = Some(Unfinished { folder: path.to_owned(), is_rolling_back: false });
            format!("the run {run} is not done ({state}); {}", hints::resume(path))
        }
    };
    Ok(Some((why, unfinished)))
}

/// Says that there are retries that nobody named.
fn tell_others(family: &[Known], handle: &Handle) {
    if let Some((folder, first)) = family.first()
        && let Some(parent) = first.parent()
        && !is_into_another_target(first, folder.path().parent().unwrap_or(Path::new(".")))
    {
        let run = &first.run;
        let together = reported_with(first, beside(folder));
        let follow = match together.as_slice() {
            [] | [_] => String::new(),
            [_, _] => format!(": {} follows both", hints::follow(&together)),
            _ => format!(": {} follows all of them", hints::follow(&together)),
        };
        handle
            .watcher()
            .note(&format!("note: the run {run} took only what {parent} had rejected{follow}"));
    }
    let others = other_retries(family);
    if !others.is_empty() {
        handle.watcher().note(&format!(
            "note: what was rejected was run again by {}, and is not followed here: {} does so",
            others.join(", "),
            hints::follow(&others)
        ));
    }
}

/// What a comparison is based on.
#[derive(Clone, Debug)]
pub struct Basis {
    /// Where its options come from.
    pub options_from: OptionsFrom,
    /// The ids of the runs that it follows: one, and its retries.
    pub runs: Vec<String>,
    /// Why it follows none.
    why: String,
}

impl Basis {
    /// The options, and where they come from, in a sentence; none if nobody asked for a run.
    pub(super) fn note(&self, given: GivenOptions, request: &VerifyRequest) -> Option<String> {
        let runs = match self.runs.split_first() {
            Some((run, [])) => run.clone(),
            Some((run, retries)) => format!("{run} with its retries {}", retries.join(", ")),
            None => String::new(),
        };
        let origin = match (self.options_from, self.runs.is_empty()) {
            (OptionsFrom::Run, _) => format!("those of the run {runs}"),
            (OptionsFrom::LastRun, _) => {
                format!("those of the run {runs}, the last one from this source into this target")
            }
            (OptionsFrom::Flags, false) if given.is_whole() => {
                format!("as given; rejects that only a run knows: those of the run {runs}")
            }
            (OptionsFrom::Flags, false) => format!("as given, the others those of the run {runs}"),
            (OptionsFrom::Flags, true) if given.is_whole() => "as given".to_owned(),
            (OptionsFrom::Flags, true) => format!("as given, else the defaults{}", self.because()),
            (OptionsFrom::Defaults, _) if self.why.is_empty() => return None,
            (OptionsFrom::Defaults, _) => format!("the defaults{}", self.because()),
        };
        Some(format!("note: options: {origin} ({})", words(request)))
    }

    fn because(&self) -> String {
        match self.why.as_str() {
            "" => String::new(),
            why => format!(", because {why}; {}", hints::NAME_THE_RUN),
        }
    }
}

/// The options of a comparison, as flags.
fn words(request: &VerifyRequest) -> String {
    let mut words = flags(request.reading.options);
    if request.allow_existing {
        words.push_str(" --allow-existing");
    }
    words
}
