//! `verify`: a source against a target.

mod log;

use std::path::PathBuf;

use reshelve::ends::{PlannedTarget, TargetReader};
use reshelve::parity::{self, Agreement, Reading, Verification, VerifyError, VerifyRequest};
use reshelve::report;
use reshelve::run::{RunError, RunFolder};
use reshelve_core::mapping::Options;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::last_run::{LastRun, last_run};
use crate::options::{GivenOptions, RunName};
use crate::outside;
use crate::places::{self, SourcePlace, TargetPlace};
use log::{Log, Opening};

/// What `verify` is asked.
pub struct Request {
    /// The source.
    pub source: SourcePlace,
    /// The target.
    pub target: TargetPlace,
    /// Take the options of this run, and the rejects that only it knows of.
    pub run: Option<RunName>,
    /// The folder of run folders, in which the last run from this source into this target is
    /// looked for if none is named; none to take the defaults instead.
    pub runs_folder: Option<PathBuf>,
    /// Decisions of the mapping that count in place of those of a run.
    pub mapping: GivenOptions,
    /// Whether target documents that belong to no legacy document are left alone.
    pub allow_existing: bool,
    /// How far the stored cost may be off, per job, in USD.
    pub tolerance_usd: f64,
    /// How far the stored tokens may be off in all.
    pub tolerance_tokens: f64,
    /// Compare only this many documents: a quick look, and no proof.
    pub sample: Option<usize>,
    /// The folder that gets `mismatches.jsonl`.
    pub out: Option<PathBuf>,
}

impl Request {
    /// Compares all of a source with a target, with the usual options.
    pub fn new(source: SourcePlace, target: TargetPlace) -> Self {
        let usual = VerifyRequest::new(Reading::new(Options::default()));
        Request {
            source,
            target,
            run: None,
            runs_folder: None,
            mapping: GivenOptions::default(),
            allow_existing: usual.allow_existing,
            tolerance_usd: usual.tolerance_usd,
            tolerance_tokens: usual.tolerance_tokens,
            sample: None,
            out: None,
        }
    }

    /// Which run is followed, and whether it was named; else why none is.
    fn followed(
        &self,
        planned: &PlannedTarget,
        target: &dyn TargetReader,
    ) -> Result<Result<(OptionsFrom, Vec<RunFolder>), String>, Failure> {
        if let Some(run) = &self.run {
            return Ok(Ok((OptionsFrom::Run, vec![run.find()?])));
        }
        let Some(runs) = &self.runs_folder else { return Ok(Err(String::new())) };
        outside::check("--runs-dir", runs)?;
        Ok(match last_run(&self.source, planned, target, runs) {
            LastRun::Known(family) => Ok((OptionsFrom::LastRun, family)),
            LastRun::Unknown(why) => Err(why),
        })
    }

    /// What to compare, and what that is based on.
    fn request(
        &self,
        planned: &PlannedTarget,
        target: &dyn TargetReader,
        handle: &Handle,
    ) -> Result<(VerifyRequest, Basis), Failure> {
        let (mut request, mut basis) = match self.followed(planned, target)? {
            Ok((options_from, family)) => {
                let run = &family[0];
                let mut of_run = report::verify_request(run)?;
                if family.len() > 1 {
                    of_run.reading.rejected.clear();
                }
                // The run may have read a part of its source: what is compared here is all of the
                // source that was named.
                let reading = Reading { limit: None, only_rejects: None, ..of_run.reading };
                let basis = Basis { options_from, runs: vec![run.plan()?.run], why: String::new() };
                (VerifyRequest { reading, ..of_run }, basis)
            }
            Err(why) => {
                let reading = Reading::new(Options::default());
                let basis = Basis { options_from: OptionsFrom::Defaults, runs: Vec::new(), why };
                (VerifyRequest::new(reading), basis)
            }
        };
        if !self.mapping.is_empty() {
            basis.options_from = OptionsFrom::Flags;
        }
        request.reading.options = self.mapping.or(request.reading.options);
        request.allow_existing |= self.allow_existing;
        request.tolerance_usd = self.tolerance_usd;
        request.tolerance_tokens = self.tolerance_tokens;
        request.sample = self.sample;
        if let Some(note) = basis.note(self.mapping, &request) {
            handle.watcher().note(&note);
        }
        Ok((request, basis))
    }
}

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

/// What a comparison is based on.
#[derive(Clone, Debug)]
pub struct Basis {
    /// Where its options come from.
    pub options_from: OptionsFrom,
    /// The ids of the runs that it follows.
    pub runs: Vec<String>,
    /// Why it follows none.
    why: String,
}

impl Basis {
    /// The options, and where they come from, in a sentence; none if nobody asked for a run.
    fn note(&self, given: GivenOptions, request: &VerifyRequest) -> Option<String> {
        let runs = self.runs.join(", ");
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
    let Options { on_unknown_status, status_policy, in_flight } = request.reading.options;
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut words = format!(
        "--in-flight {} --status-policy {} --on-unknown-status {}",
        word(json!(in_flight)),
        word(json!(status_policy)),
        word(json!(on_unknown_status))
    );
    if request.allow_existing {
        words.push_str(" --allow-existing");
    }
    words
}

/// What was found; as JSON, `reshelve.verify/1`.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The comparison.
    pub verification: Verification,
    /// What it is based on.
    pub basis: Basis,
    /// The options that it was made with.
    pub options: Options,
}

impl Outcome {
    /// The exit code: parity holds, or it does not.
    pub fn exit_code(&self) -> ExitCode {
        if self.verification.is_clean() { ExitCode::Done } else { ExitCode::NoParity }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = VerifyDocument {
            schema: "reshelve.verify/1",
            verdict: self.verification.agreement(),
            options_from: self.basis.options_from,
            runs: &self.basis.runs,
            options: self.options,
            verification: &self.verification,
            exit: self.exit_code().number(),
        };
        document.serialize(serializer)
    }
}

#[derive(Debug, Serialize)]
struct VerifyDocument<'v> {
    schema: &'static str,
    verdict: Agreement,
    options_from: OptionsFrom,
    runs: &'v [String],
    options: Options,
    #[serde(flatten)]
    verification: &'v Verification,
    exit: u8,
}

/// Reads both sides and compares them.
///
/// # Errors
/// If one of them cannot be read to its end.
pub fn verify(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let origin = places::origin(&request.source, handle)?;
    let preference = request.source.read_preference;
    let (planned, target) = places::planned_reader(&request.target, preference, handle)?;
    let (asked, basis) = request.request(&planned, target.as_ref(), handle)?;
    let log = request.out.as_deref().map(Log::new);
    // Nothing is written for a source that cannot be read at all.
    let origin = Opening { origin: origin.as_ref(), log: log.as_ref() };
    let verified = parity::verify(&asked, &origin, &[], target.as_ref(), &mut |mismatch| {
        if let Some(log) = &log {
            log.add(mismatch);
        }
    });
    let verification = verified.map_err(failure)?;
    if let Some(log) = log {
        log.finish()?;
    }
    Ok(Outcome { verification, basis, options: asked.reading.options })
}

/// Why the two sides cannot be compared.
fn failure(error: VerifyError) -> Failure {
    match error {
        VerifyError::SampleOfStdin => Failure::usage(error.to_string(), hints::SAMPLE_OF_STDIN),
        VerifyError::Rejects(error) => RunError::from(error).into(),
        VerifyError::Open(error) => error.into(),
        VerifyError::Source(ref damage) => {
            Failure { hint: hints::of_damage(damage.kind), ..Failure::failed(error.to_string()) }
        }
        VerifyError::Target(ref target) => Failure {
            hint: target.hint.as_ref().map(hints::of_end),
            ..Failure::failed(error.to_string())
        },
        error => Failure::failed(error.to_string()),
    }
}
