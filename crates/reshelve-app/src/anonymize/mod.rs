//! `anonymize`: the same migration problem without anybody's text.

mod key;
mod outcome;
mod output;

use std::path::PathBuf;

use reshelve::anonymize::{
    AnonymizeError, Copies, Copying, FirstPass, Key, Policy, Reading, Wanted, Weaker, first_pass,
};
use reshelve::dump::COLLECTION_DEFAULT;
use reshelve::ends::{Origin, Source};
use reshelve::generate::Output;
use reshelve::store::{Disk, Scratch};

use crate::failure::Failure;
use crate::handle::{self, Handle};
use crate::hints;
use crate::options::{MappingOptions, threads};
use crate::overlap;
use crate::places::{self, SourcePlace, TARGET_DB_DEFAULT};

pub use key::new_key;
pub use outcome::{Documents, LeftOut, Outcome, ScanOutcome, SharedLeak};
pub use reshelve::anonymize::Changed;

/// What happens to a path that the policy does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// Nothing is written.
    #[default]
    Refuse,
    /// Names of fields and all text below it are replaced.
    Redact,
}

/// Which rules apply, beside the table that is compiled in.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// A file with more of them.
    pub file: Option<PathBuf>,
    /// Whether it may make rules weaker.
    pub weaker: Weaker,
    /// What happens to a path that they do not know.
    pub unknown: Unknown,
}

/// What `anonymize` is asked.
#[derive(Clone)]
pub struct Request {
    /// The source.
    pub source: SourcePlace,
    /// Where the copy goes: nothing may be there.
    pub out: PathBuf,
    /// The form of the copy; none for the one that the name of `out` shows.
    pub form: Option<String>,
    /// The file with the key.
    pub key_file: Option<PathBuf>,
    /// Which rules apply.
    pub rules: Rules,
    /// How the copy is made.
    pub copying: Copying,
    /// How many documents are chosen; none for all.
    pub sample: Option<usize>,
    /// The decisions of a run, for the comparison of both sides.
    pub mapping: MappingOptions,
    /// Threads; none for one per core.
    pub threads: Option<usize>,
}

/// The rules that apply: the table, and what a file adds.
///
/// # Errors
/// If the file cannot be read, or one of its lines cannot be followed.
pub fn policy(rules: &Rules) -> Result<Policy, Failure> {
    /// The longest policy file.
    const BYTES_MAX: u64 = 1 << 20;
    let mut policy = Policy::new();
    let Some(file) = &rules.file else { return Ok(policy) };
    crate::outside::check("--policy", file)?;
    let bytes = Disk.read_handed_over(file, BYTES_MAX)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::usage(format!("{} is not text", file.display()), hints::anonymize::POLICY_FILE)
    })?;
    policy.add(&text, rules.weaker).map_err(|error| {
        let hint = if error.is_weaker {
            hints::anonymize::ALLOW_WEAKER
        } else {
            hints::anonymize::POLICY_FILE
        };
        Failure::usage(format!("{}: {error}", file.display()), hint)
    })?;
    Ok(policy)
}

/// Makes a copy, and proves that it is true to life and holds nothing of the source.
///
/// # Errors
/// If there is no key, the source cannot be read, or the copy cannot be written. Refused if
/// something is where the copy should go, or the policy does not know a path of the source. In all
/// these cases nothing is left.
pub fn anonymize(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    handle.check_may_write("`anonymize`")?;
    let key = key::read(request.key_file.as_deref())?;
    let policy = policy(&request.rules)?;
    places::refuse_live(&request.out)?;
    overlap::refuse_copy(&request.source.name, &request.out)?;
    overlap::refuse_snapshot(&request.out)?;
    output::refuse_existing(&request.out, hints::anonymize::COPY_ELSEWHERE)?;
    let mut output = Output::new(&request.out);
    if let Some(form) = &request.form {
        output.form = form.parse().map_err(crate::generate::failed)?;
    }
    output.database = TARGET_DB_DEFAULT.to_owned();
    output.collection = COLLECTION_DEFAULT.to_owned();
    output.sessions = 0;
    let origin = places::origin(&request.source, handle)?;
    handle.watcher().ready();
    let reading = reading(&policy, request.mapping, request.threads, handle);
    let twice = Twice { origin: origin.as_ref(), handle };
    let mut first = twice.first(Some(&key), &reading, request.sample)?;
    refuse_unknown(&first, request.rules.unknown)?;
    let source = twice.second(&mut first)?;
    let mut copies = Copies::new(source, &key, &first, &reading, request.copying);
    let mut tell = |documents, bytes| handle.watcher().reading(reading_of(documents, bytes, None));
    let written = output::write(&mut copies, &output, &mut tell)?;
    let summary = copies.summary().clone();
    let outcome = Outcome::new(request, &output, &first.unknown, summary);
    if outcome.is_fit() {
        output::keep(written, &request.out)?;
    }
    Ok(outcome)
}

/// What a scan is asked.
#[derive(Clone)]
pub struct ScanRequest {
    /// The source.
    pub source: SourcePlace,
    /// The copy.
    pub copy: SourcePlace,
    /// Which rules the copy was made with.
    pub rules: Rules,
    /// Threads; none for one per core.
    pub threads: Option<usize>,
}

/// Looks for anything of the source in a copy.
///
/// # Errors
/// If one of them cannot be read.
pub fn scan(request: &ScanRequest, handle: &Handle) -> Result<ScanOutcome, Failure> {
    let policy = policy(&request.rules)?;
    let origin = places::origin(&request.source, handle)?;
    let copy = places::origin(&request.copy, handle)?;
    handle.watcher().ready();
    let reading = reading(&policy, MappingOptions::default(), request.threads, handle);
    let twice = Twice { origin: origin.as_ref(), handle };
    let mut first = twice.first(None, &reading, None)?;
    let source = twice.second(&mut first)?;
    let mut tell = |documents, bytes| handle.watcher().reading(reading_of(documents, bytes, None));
    let copy = copy.open()?.source;
    let summary = reshelve::anonymize::scan(source, copy, &first, &reading, &mut tell);
    Ok(ScanOutcome::new(summary.map_err(failure)?))
}

/// What a preview is asked: the request of a copy, and a job.
///
/// # Errors
/// As for [`anonymize`]; also if there is no such job.
pub fn preview(request: &Request, job: &str, handle: &Handle) -> Result<Vec<Changed>, Failure> {
    let key = key::read(request.key_file.as_deref())?;
    let policy = policy(&request.rules)?;
    let origin = places::origin(&request.source, handle)?;
    handle.watcher().ready();
    let reading = reading(&policy, request.mapping, request.threads, handle);
    let twice = Twice { origin: origin.as_ref(), handle };
    let mut first = twice.first(Some(&key), &reading, None)?;
    refuse_unknown(&first, request.rules.unknown)?;
    let source = twice.second(&mut first)?;
    let rows = reshelve::anonymize::preview(
        source,
        job.as_bytes(),
        &key,
        (&first, &reading),
        request.copying,
    );
    rows.map_err(failure)?
        .ok_or_else(|| Failure::usage(format!("the source has no job {job}"), hints::JOB_IS_THE_ID))
}

fn reading<'r>(
    policy: &'r Policy,
    mapping: MappingOptions,
    asked: Option<usize>,
    handle: &'r Handle,
) -> Reading<'r> {
    Reading {
        policy,
        options: mapping.options(),
        threads: threads(asked),
        scratch: Scratch::from(&std::env::temp_dir()),
        stop: handle.stop(),
    }
}

fn reading_of(documents: u64, file_bytes: u64, file_bytes_total: Option<u64>) -> handle::Reading {
    handle::Reading { documents, file_bytes, file_bytes_total }
}

/// A source that is read twice.
struct Twice<'t> {
    origin: &'t dyn Origin,
    handle: &'t Handle,
}

impl Twice<'_> {
    fn first(
        &self,
        key: Option<&Key>,
        reading: &Reading<'_>,
        sample: Option<usize>,
    ) -> Result<FirstPass, Failure> {
        let mut source = self.origin.open()?.source;
        let total = source.bytes_total();
        let wanted = Wanted { sample, spool: !self.origin.is_rewindable() };
        let watcher = self.handle.watcher();
        let mut tell = |documents, bytes| watcher.reading(reading_of(documents, bytes, total));
        first_pass(source.as_mut(), key, reading, wanted, &mut tell).map_err(failure)
    }

    fn second(&self, first: &mut FirstPass) -> Result<Box<dyn Source>, Failure> {
        if let Some(spooled) = first.take_spooled() {
            return Ok(spooled);
        }
        if !self.origin.is_rewindable() {
            // It held nothing at all.
            return Ok(Box::new(reshelve::ends::MemorySource::default()));
        }
        Ok(self.origin.open()?.source)
    }
}

fn refuse_unknown(first: &FirstPass, unknown: Unknown) -> Result<(), Failure> {
    if first.unknown.is_empty() || unknown == Unknown::Redact {
        return Ok(());
    }
    Err(failure(AnonymizeError::Unknown(first.unknown.clone())))
}

/// Why no copy was made, in words.
fn failure(error: AnonymizeError) -> Failure {
    match error {
        AnonymizeError::Unknown(paths) => {
            let listed: Vec<String> = paths.iter().map(|path| format!("\n  {path}")).collect();
            let message = format!("{}:{}", AnonymizeError::Unknown(paths), listed.concat());
            Failure::refused(message, hints::anonymize::DECIDE_ON_UNKNOWN)
        }
        AnonymizeError::Source(damage) => {
            Failure { hint: hints::of_damage(damage.kind), ..Failure::failed(damage.to_string()) }
        }
        AnonymizeError::Interrupted => Failure {
            code: crate::ExitCode::Interrupted,
            hint: Some(hints::anonymize::COPY_AGAIN.to_owned()),
            ..Failure::failed("interrupted: no copy was made")
        },
        AnonymizeError::Changed => {
            Failure::failed(error.to_string()).hinting(hints::anonymize::COPY_A_STILL_SOURCE)
        }
        _ => Failure::failed(error.to_string()),
    }
}
