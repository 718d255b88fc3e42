//! `verify`: a source against a target.

mod answers;
mod basis;
mod opening;

use std::path::PathBuf;

use reshelve::ends::Origin;
use reshelve::parity::{
    self, Agreement, Reading, Retry, RetryRequest, Verification, VerifyError, VerifyRequest,
};
use reshelve::run::RunError;
use reshelve_core::mapping::Options;
use reshelve_serve::comparison::Others;
use serde::{Serialize, Serializer};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::lines::Lines;
use crate::options::{GivenOptions, RunName};
use crate::places::{self, SourcePlace, TargetPlace};
use crate::retries::origins;
pub use answers::{Answers, Api};
use basis::Followed;
pub use basis::{Basis, OptionsFrom, Unfinished};
use opening::Opening;

/// What `verify` is asked.
pub struct Request {
    /// The source.
    pub source: SourcePlace,
    /// The target.
    pub target: TargetPlace,
    /// Take the options of this run, and the rejects that only it knows of; with it, retries of it
    /// in any order: what they carried over is no reject.
    pub runs: Vec<RunName>,
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
    /// The folder that gets `mismatches.jsonl`, and what was found of answers.
    pub out: Option<PathBuf>,
    /// Which answers are compared too; none for documents alone.
    pub api: Option<Api>,
}

impl Request {
    /// Compares all of a source with a target, with the usual options.
    pub fn new(source: SourcePlace, target: TargetPlace) -> Self {
        let usual = VerifyRequest::new(Reading::new(Options::default()));
        Request {
            source,
            target,
            runs: Vec::new(),
            runs_folder: None,
            mapping: GivenOptions::default(),
            allow_existing: usual.allow_existing,
            tolerance_usd: usual.tolerance_usd,
            tolerance_tokens: usual.tolerance_tokens,
            sample: None,
            out: None,
            api: None,
        }
    }

    /// What to compare, and what is known of each retry.
    fn request(&self, followed: &Followed) -> Result<(VerifyRequest, Vec<RetryRequest>), Failure> {
        let (mut request, mut of_retries) = followed.request()?;
        request.reading.options = self.mapping.or(request.reading.options);
        for retry in &mut of_retries {
            let options = self.mapping.or(retry.reading.options);
            // With other options it may well carry over less.
            retry.carried_over = retry.carried_over.filter(|_| options == retry.reading.options);
            retry.reading.options = options;
        }
        request.allow_existing |= self.allow_existing;
        request.tolerance_usd = self.tolerance_usd;
        request.tolerance_tokens = self.tolerance_tokens;
        request.sample = self.sample;
        Ok((request, of_retries))
    }
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
    /// What came of comparing answers, if that was asked for.
    pub api: Option<Answers>,
    /// The run that wrote the target, if it has stopped and can be continued.
    pub unfinished: Option<Unfinished>,
}

impl Outcome {
    /// The exit code: parity holds, or it does not.
    pub fn exit_code(&self) -> ExitCode {
        match &self.api {
            _ if !self.verification.is_clean() => ExitCode::NoParity,
            Some(answers) => answers.exit_code(),
            None => ExitCode::Done,
        }
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
            api: self.api.as_ref(),
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
    api: Option<&'v Answers>,
    exit: u8,
}

/// Reads both sides and compares them.
///
/// # Errors
/// If one of them cannot be read to its end.
pub fn verify(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let origin = places::origin(&request.source, handle)?;
    verify_from(request, origin.as_ref(), handle)
}

/// The same with the source at hand.
pub(crate) fn verify_from(
    request: &Request,
    origin: &dyn Origin,
    handle: &Handle,
) -> Result<Outcome, Failure> {
    let application = answers::ready(request, handle)?;
    answers::check_rewindable(request, origin.is_rewindable())?;
    let preference = request.source.read_preference;
    let (planned, target) = places::planned_reader(&request.target, preference, handle)?;
    let followed = Followed::of(request, &planned, target.as_ref(), handle)?;
    if followed.reads_again() && !origin.is_rewindable() {
        let message = "standard input or a pipe can be read only once, and a retry read it too";
        return Err(Failure::usage(message, hints::NAME_A_FILE));
    }
    let (asked, of_retries) = request.request(&followed)?;
    let basis = followed.basis(request.mapping);
    if let Some(note) = basis.note(request.mapping, &asked) {
        handle.watcher().note(&note);
    }
    let unfinished = followed.tell_unfinished(handle)?;
    let log = request.out.as_deref().map(|out| Lines::new(out, "mismatches.jsonl"));
    let opening = Opening { origin, log: log.as_ref() };
    let origins = origins(followed.own_origins(), origin);
    let retries = of_retries.iter().zip(origins);
    let retries: Vec<_> = retries.map(|(request, origin)| Retry { request, origin }).collect();
    let verified = parity::verify(&asked, &opening, &retries, target.as_ref(), &mut |mismatch| {
        if let Some(log) = &log {
            log.add(mismatch);
        }
    });
    let verification = verified.map_err(failure)?;
    if let Some(log) = log {
        log.finish()?;
    }
    let options = asked.reading.options;
    let api = match &request.api {
        Some(_) => {
            // What a retry carried over is not in the source as it is in the target.
            let has_others = asked.allow_existing || followed.has_retries();
            let others = if has_others { Others::LeftAlone } else { Others::Differ };
            Some(answers::answers(request, (options, others), application, handle)?)
        }
        None => None,
    };
    Ok(Outcome { verification, basis, options, api, unfinished })
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
        VerifyError::OfRetry { .. } => Failure {
            hint: Some(hints::RETRY_SOURCE_CHANGED.into()),
            ..Failure::failed(error.to_string())
        },
        VerifyError::Target(ref target) => Failure {
            hint: target.hint.as_ref().map(hints::of_end),
            ..Failure::failed(error.to_string())
        },
        error => Failure::failed(error.to_string()),
    }
}
