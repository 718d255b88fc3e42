//! `crosscheck`: the running application asked, and each answer compared with what a place says.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reshelve::ends::JobLookup;
use reshelve::run::{now_iso, now_ms};
use reshelve::store::absolute;
use reshelve_serve::application::{
    Address, Application, CrossCheck, CrossCheckError, CrossChecked, SIDES, Token, Told,
};
use reshelve_serve::comparison::{Example, Texts};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::{Comparing, Handle};
use crate::hints;
use crate::lines::{self, Lines};
use crate::options::MappingOptions;
use crate::places::{self, SourcePlace};
use crate::secret_file;
use crate::sides;

/// How many jobs are asked about if nobody says how many.
pub const SAMPLE_USUAL: u64 = 100;
/// How long one answer may take if nobody says how long.
pub const TIME_USUAL: Duration = Duration::from_secs(30);
/// How many requests are on the way at a time if nobody says how many.
pub const AT_ONCE_USUAL: usize = 4;

/// The files that `--out` gets: what was found, and all answers that differ.
const FOUND_FILE: &str = "crosscheck.json";
const DIFFERENCES_FILE: &str = "crosscheck.jsonl";

/// The application, and how it is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its address: `http://HOST:PORT`, perhaps with a path.
    pub address: String,
    /// A file with the token that it asks for.
    pub token_file: Option<PathBuf>,
    /// How long one answer may take.
    pub time_max: Duration,
    /// How many requests are on the way at a time, at most.
    pub at_once: usize,
    /// At most so many jobs, spread evenly; none for all.
    pub sample: Option<u64>,
    /// The folder that gets what was found, and all answers that differ.
    pub out: Option<PathBuf>,
}

impl Asked {
    /// Asks about every job, at the usual pace, and leaves nothing behind.
    pub fn new(address: &str) -> Self {
        Asked {
            address: address.to_owned(),
            token_file: None,
            time_max: TIME_USUAL,
            at_once: AT_ONCE_USUAL,
            sample: None,
            out: None,
        }
    }
}

/// What `crosscheck` is asked.
pub struct Request {
    /// The application.
    pub asked: Asked,
    /// What says how each answer should be: a target or a legacy source; its content says which.
    pub place: SourcePlace,
    /// How legacy documents are mapped; jobs in flight are carried over unless told otherwise.
    pub mapping: MappingOptions,
    /// Mapping threads for the first reading of a legacy file; none for one per core.
    pub threads: Option<usize>,
    /// Whether what is found shows what texts say.
    pub texts: Texts,
}

/// What was found; as JSON, `reshelve.crosscheck/1`.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The address that was asked.
    pub api: String,
    /// What messages call the place.
    pub place: String,
    /// Where it is, if it is files.
    pub at: Option<PathBuf>,
    /// Whether the place holds legacy documents, mapped when they were asked for.
    pub is_legacy: bool,
    /// When it began, as ISO text.
    pub begun: String,
    /// What came of it.
    pub checked: CrossChecked,
}

impl Outcome {
    /// The exit code: an answer differs, could not be had, or all agree.
    pub fn exit_code(&self) -> ExitCode {
        let all = self.checked.all();
        match (all.different, all.failed) {
            (0, 0) => ExitCode::Done,
            (0, _) => ExitCode::Failed,
            _ => ExitCode::NoParity,
        }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let side = if self.is_legacy { "legacy" } else { "normalized" };
        let mut out: Map<String, Value> = Map::new();
        out.insert("schema".to_owned(), json!("reshelve.crosscheck/1"));
        out.insert("api".to_owned(), json!(self.api));
        out.insert("place".to_owned(), json!(self.place));
        out.insert("at".to_owned(), json!(self.at));
        out.insert("side".to_owned(), json!(side));
        out.insert("begun".to_owned(), json!(self.begun));
        out.extend(self.checked.json());
        out.insert("exit".to_owned(), json!(self.exit_code().number()));
        out.serialize(serializer)
    }
}

/// Asks the application about the jobs of a place.
///
/// # Errors
/// If the place cannot be read, the application does not answer, or the command is interrupted.
pub fn crosscheck(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let name = &request.place.name;
    let is_live = places::connection_string(name)?.is_some();
    let at = (!is_live).then(|| absolute(name));
    let ready = ready(&request.asked, handle)?;
    let sides = sides::open(
        &sides::Request {
            place: Some(request.place.clone()),
            legacy: None,
            normalized: None,
            mapping: request.mapping,
            threads: request.threads,
            read_preference: request.place.read_preference,
        },
        handle,
    )?;
    let is_legacy = sides.legacy.is_some();
    if is_legacy {
        sides::tell_open_decision(request.mapping, handle);
    }
    let place = sides.legacy.or(sides.normalized);
    let place = place.ok_or_else(|| Failure::failed("there is nothing to compare with"))?;
    ready.ask((&place, at), is_legacy, request.texts, handle)
}

/// An application that can be asked: its address and its token make sense.
pub(crate) struct Ready {
    application: Application,
    sample: Option<u64>,
    out: Option<PathBuf>,
}

/// Looks at what was said of the application, before anything is read.
pub(crate) fn ready(asked: &Asked, handle: &Handle) -> Result<Ready, Failure> {
    let address: Address = asked.address.parse().map_err(|error| {
        // The address may hold a password: it is not quoted.
        Failure::usage(format!("API_URL: {error}"), hints::crosscheck::of_address(error))
    })?;
    let token = asked.token_file.as_deref().map(|path| token(path, &address, handle));
    let application = Application {
        address,
        token: token.transpose()?,
        time_max: asked.time_max,
        at_once: asked.at_once,
    };
    Ok(Ready { application, sample: asked.sample, out: asked.out.clone() })
}

/// The token of a file; what should be known of it is said.
fn token(path: &Path, address: &Address, handle: &Handle) -> Result<Token, Failure> {
    let file = secret_file::token(path)?;
    if let Some(warning) = file.warning(path) {
        handle.watcher().note(&warning);
    }
    if !address.is_loopback() {
        let note = format!("warning: the token goes to {address} as it is: http:// hides nothing");
        handle.watcher().note(&note);
    }
    let token = Token::new(&file.token);
    token.ok_or_else(|| Failure::usage("no header can carry the token", hints::TOKEN_FILE))
}

impl Ready {
    /// Asks about the jobs of a place that is open; files are there.
    pub(crate) fn ask(
        self,
        (place, at): (&Arc<dyn JobLookup>, Option<PathBuf>),
        is_legacy: bool,
        texts: Texts,
        handle: &Handle,
    ) -> Result<Outcome, Failure> {
        let log = self.out.as_deref().map(|out| Lines::new(out, DIFFERENCES_FILE));
        if let Some(log) = &log {
            log.begin().map_err(Failure::failed)?;
        }
        let (api, begun) = (self.application.address.to_string(), now_iso());
        let check = CrossCheck {
            place: &**place,
            application: self.application,
            texts,
            sample: self.sample,
            now_ms: now_ms(),
            stop: handle.stop(),
        };
        let mut listener = Listener { log: log.as_ref(), handle };
        let checked = check.check(&mut listener).map_err(failure)?;
        if let Some(log) = log {
            log.finish()?;
        }
        let checked = checked.ok_or_else(|| Failure {
            code: ExitCode::Interrupted,
            hint: Some(hints::COMPARE_AGAIN.into()),
            ..Failure::failed("the cross-check was interrupted: it says nothing")
        })?;
        let outcome = Outcome { api, place: place.name(), at, is_legacy, begun, checked };
        if let Some(out) = &self.out {
            lines::write_whole(out, FOUND_FILE, &outcome)?;
        }
        Ok(outcome)
    }
}

/// Passes on what a check finds.
struct Listener<'l> {
    log: Option<&'l Lines>,
    handle: &'l Handle,
}

impl Told for Listener<'_> {
    fn progress(&mut self, jobs: u64, of: u64) {
        self.handle.watcher().comparing(Comparing { jobs, of });
    }

    fn differs(&mut self, example: &Example) {
        if let Some(log) = self.log {
            log.add(&example.json(SIDES));
        }
    }
}

fn failure(error: CrossCheckError) -> Failure {
    let hint = match &error {
        CrossCheckError::First { error, .. } | CrossCheckError::Ended { error, .. } => {
            hints::crosscheck::of_ask(error)
        }
        CrossCheckError::NoSuchRoute { .. } => hints::crosscheck::NO_SUCH_ROUTE,
        CrossCheckError::Place(error) => return error.clone().into(),
        _ => hints::COMPARE_AGAIN,
    };
    Failure::failed(error.to_string()).hinting(hint)
}
