//! `shadow --offline`: what both sides would answer, compared before anybody asks.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use reshelve::ends::JobLookup;
use reshelve::run::now_ms;
use reshelve_core::mapping::Options;
use reshelve_serve::comparison::{Compared, Offline, Others, Scope, Texts};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::{Comparing, Handle};
use crate::hints;
use crate::options::GivenOptions;
use crate::places::{self, SourcePlace, TargetPlace};
use crate::sides;
use crate::unfinished;

/// What `shadow --offline` is asked.
pub struct Request {
    /// The legacy side.
    pub source: SourcePlace,
    /// The normalised side.
    pub target: TargetPlace,
    /// How legacy documents are mapped; what is open, as the last run between the two did.
    pub mapping: GivenOptions,
    /// Mapping threads for the first reading of a legacy file; none for one per core.
    pub threads: Option<usize>,
    /// Where runs are looked for: those that are not done, and the last one.
    pub runs_folder: PathBuf,
    /// Whether examples show what texts say.
    pub with_texts: bool,
}

/// What was found; as JSON, `reshelve.shadow/1`.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The comparison.
    pub compared: Compared,
    /// What messages call the legacy side.
    pub legacy: String,
    /// What messages call the normalised side.
    pub normalized: String,
    /// How legacy documents were mapped.
    pub options: Options,
}

impl Outcome {
    /// The exit code: all answers agree, or not.
    pub fn exit_code(&self) -> ExitCode {
        if self.compared.is_agreed() { ExitCode::Done } else { ExitCode::NoParity }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out: Map<String, Value> = Map::new();
        out.insert("schema".to_owned(), json!("reshelve.shadow/1"));
        out.insert("legacy".to_owned(), json!(self.legacy));
        out.insert("normalized".to_owned(), json!(self.normalized));
        out.extend(self.compared.json());
        out.insert("exit".to_owned(), json!(self.exit_code().number()));
        out.serialize(serializer)
    }
}

/// Compares every answer of both sides.
///
/// # Errors
/// If a side cannot be read, or the command is interrupted.
pub fn shadow(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let (source, target) = (&request.source, &request.target);
    let mapping =
        sides::decisions(request.mapping, (source, target), &request.runs_folder, handle)?;
    let [legacy, normalized] = sides::both(source, target, mapping, request.threads, handle)?;
    let preference = request.source.read_preference;
    let (planned, _) = places::planned_reader(&request.target, preference, handle)?;
    let runs = unfinished::runs_of(&planned, &request.runs_folder)?;
    let is_unfinished = !unfinished::note(&planned, &runs, handle).is_empty();
    let texts = Texts::of(request.with_texts);
    let scope = Scope { texts, is_unfinished, sample: None, others: Others::Differ };
    compared([&legacy, &normalized], mapping.options(), scope, handle)
}

/// The comparison of a legacy and a normalised side.
pub(crate) fn compared(
    [legacy, normalized]: [&Arc<dyn JobLookup>; 2],
    options: Options,
    scope: Scope,
    handle: &Handle,
) -> Result<Outcome, Failure> {
    let offline =
        Offline { legacy: &**legacy, normalized: &**normalized, options, scope, now_ms: now_ms() };
    let mut progress = |jobs: u64, of: u64| {
        handle.watcher().comparing(Comparing { jobs, of });
        if handle.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let interrupted = Failure {
        code: ExitCode::Interrupted,
        hint: Some(hints::COMPARE_AGAIN.into()),
        ..Failure::failed("the comparison was interrupted: it says nothing")
    };
    let compared = offline.compare(&mut progress)?.ok_or(interrupted)?;
    Ok(Outcome { compared, legacy: legacy.name(), normalized: normalized.name(), options })
}
