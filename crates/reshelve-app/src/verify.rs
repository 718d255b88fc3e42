//! `verify`: a source against a target.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use reshelve::parity::{
    self, Agreement, Mismatch, Reading, Verification, VerifyError, VerifyRequest,
};
use reshelve::report;
use reshelve::run::RunError;
use serde::{Serialize, Serializer};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::options::{MappingOptions, RunName};
use crate::places::{self, SourcePlace, TargetPlace};

/// What `verify` is asked.
pub struct Request {
    /// The source.
    pub source: SourcePlace,
    /// The target.
    pub target: TargetPlace,
    /// Take the options of this run, and the rejects that only it knows of.
    pub run: Option<RunName>,
    /// The decisions of the mapping, if no run is named.
    pub mapping: MappingOptions,
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
        let usual = VerifyRequest::new(Reading::new(MappingOptions::default().options()));
        Request {
            source,
            target,
            run: None,
            mapping: MappingOptions::default(),
            allow_existing: usual.allow_existing,
            tolerance_usd: usual.tolerance_usd,
            tolerance_tokens: usual.tolerance_tokens,
            sample: None,
            out: None,
        }
    }

    fn request(&self) -> Result<VerifyRequest, Failure> {
        let mut request = match &self.run {
            Some(run) => {
                let of_run = report::verify_request(&run.find()?)?;
                // The run may have read a part of its source: what is compared here is all of the
                // source that was named.
                let reading = Reading { limit: None, only_rejects: None, ..of_run.reading };
                VerifyRequest { reading, ..of_run }
            }
            None => VerifyRequest::new(Reading::new(self.mapping.options())),
        };
        request.allow_existing |= self.allow_existing;
        request.tolerance_usd = self.tolerance_usd;
        request.tolerance_tokens = self.tolerance_tokens;
        request.sample = self.sample;
        Ok(request)
    }
}

/// What was found; as JSON, `reshelve.verify/1`.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The comparison.
    pub verification: Verification,
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
    #[serde(flatten)]
    verification: &'v Verification,
    exit: u8,
}

/// Reads both sides and compares them.
///
/// # Errors
/// If one of them cannot be read to its end.
pub fn verify(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let asked = request.request()?;
    let origin = places::origin(&request.source, handle)?;
    let target = places::reader(&request.target, request.source.read_preference, handle)?;
    let mut log = request.out.as_deref().map(Log::create).transpose()?;
    let verified = parity::verify(&asked, origin.as_ref(), target.as_ref(), &mut |mismatch| {
        if let Some(log) = &mut log {
            log.add(mismatch);
        }
    });
    let verification = verified.map_err(failure)?;
    if let Some(log) = log {
        log.finish()?;
    }
    Ok(Outcome { verification })
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

/// All mismatches, as JSON lines.
struct Log {
    path: PathBuf,
    out: BufWriter<File>,
    /// The first line that could not be written: reported when the comparison is done.
    failed: Option<io::Error>,
}

impl Log {
    fn create(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("mismatches.jsonl");
        let file = fs::create_dir_all(folder).and_then(|()| File::create(&path));
        let file =
            file.map_err(|error| Failure::failed(format!("creating {}: {error}", path.display())))?;
        Ok(Log { path, out: BufWriter::new(file), failed: None })
    }

    fn add(&mut self, mismatch: &Mismatch) {
        let line = serde_json::to_string(mismatch).unwrap_or_default();
        if let Err(error) = writeln!(self.out, "{line}") {
            self.failed.get_or_insert(error);
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        let written = self.out.flush();
        let written = self.failed.map_or(written, Err);
        written
            .map_err(|error| Failure::failed(format!("writing {}: {error}", self.path.display())))
    }
}
