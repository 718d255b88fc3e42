//! `shadow --offline`: what both sides would answer, compared before anybody asks.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use reshelve::ends::JobLookup;
use reshelve_core::mapping::Options;
use reshelve_serve::comparison::{Compared, Offline, Texts};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::{Comparing, Handle};
use crate::hints;
use crate::options::{MappingOptions, ReadPreference};
use crate::places::{self, SourcePlace, TargetPlace};
use crate::sides;
use crate::unfinished;

/// What `shadow --offline` is asked.
pub struct Request {
    /// The legacy side.
    pub source: SourcePlace,
    /// The normalised side.
    pub target: TargetPlace,
    /// How legacy documents are mapped; jobs in flight are carried over unless told otherwise.
    pub mapping: MappingOptions,
    /// Mapping threads for the first reading of a legacy file; none for one per core.
    pub threads: Option<usize>,
    /// Which member of a replica set is read from; none for the primary.
    pub read_preference: Option<ReadPreference>,
    /// Where runs are looked for that are not done.
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
    let sides = sides::open(
        &sides::Request {
            place: None,
            legacy: Some(request.source.clone()),
            normalized: Some(request.target.clone()),
            mapping: request.mapping,
            threads: request.threads,
            read_preference: request.read_preference,
        },
        handle,
    )?;
    let (Some(legacy), Some(normalized)) = (sides.legacy, sides.normalized) else {
        return Err(Failure::failed("a side is missing"));
    };
    let (planned, _) = places::planned_reader(&request.target, request.read_preference, handle)?;
    let runs = unfinished::runs_of(&planned, &request.runs_folder)?;
    let is_unfinished = !unfinished::note(&planned, &runs, handle).is_empty();
    let texts = if request.with_texts { Texts::Shown } else { Texts::Hidden };
    let two = [&legacy, &normalized];
    let compared = compared(two, request.mapping.options(), texts, is_unfinished, handle)?;
    Ok(Outcome { compared, legacy: legacy.name(), normalized: normalized.name() })
}

/// The comparison of a legacy and a normalised side.
pub(crate) fn compared(
    [legacy, normalized]: [&Arc<dyn JobLookup>; 2],
    options: Options,
    texts: Texts,
    is_unfinished: bool,
    handle: &Handle,
) -> Result<Compared, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    let offline = Offline {
        legacy: &**legacy,
        normalized: &**normalized,
        options,
        texts,
        is_unfinished,
        now_ms,
    };
    let mut progress = |jobs: u64, of: u64| {
        handle.watcher().comparing(Comparing { jobs, of });
        if handle.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let interrupted = Failure {
        code: ExitCode::Interrupted,
        hint: Some(hints::COMPARE_AGAIN.into()),
        ..Failure::failed("the comparison was interrupted: it says nothing")
    };
    offline.compare(&mut progress)?.ok_or(interrupted)
}
