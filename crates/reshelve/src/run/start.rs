//! Beginning a run, going on with one, and ending it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use super::checkpoint::{Checkpoint, Finishing, SourceHash, State};
use super::engine::{Context, Ended, Engine, Outturn};
use super::lock::{Abandoned, Holder, Lock};
use super::plan::{OnExisting, PLAN_SCHEMA, Plan, PlannedSource, RunRequest};
use super::preflight::{self, Before};
use super::rejects::OnlyRejects;
use super::run_folder::RunFolder;
use super::{Observer, RunError, pipeline};
use crate::disk::At;
use crate::dump::{self, Opened};
use crate::folder::{Existing, FolderSink, Replacing, TargetFolder, finish_collection, take_up};
use crate::mapping::{COLLECTIONS, Options, VERSION};
use crate::raw::iso;
use crate::sink::{NullSink, Sink, SinkPosition};
use crate::sorted::Key;
use crate::source::{Batch, BatchLimits, Damage, DamageKind, SourceSpec};

/// How a run ended.
#[derive(Debug)]
pub enum Stop {
    /// It is done.
    Done,
    /// It was stopped from outside, and can be resumed.
    Interrupted,
    /// It was stopped at the first reject, as asked, and can be resumed.
    FirstReject,
    /// The source is damaged; mended, it can be resumed.
    Damaged(Damage),
}

/// What a run leaves to be told.
#[derive(Debug)]
pub struct Report {
    /// What it was told.
    pub plan: Plan,
    /// Its folder.
    pub folder: RunFolder,
    /// The last checkpoint.
    pub checkpoint: Checkpoint,
    /// How it ended.
    pub stop: Stop,
}

/// What `resume` is asked to do.
#[derive(Clone, Debug)]
pub struct ResumeRequest {
    /// The run.
    pub folder: RunFolder,
    /// The folder of run folders.
    pub runs_folder: PathBuf,
    /// Another place where the source is now.
    pub source: Option<PathBuf>,
    /// Limits of a batch.
    pub batch: BatchLimits,
    /// Mapping threads.
    pub jobs: usize,
    /// A checkpoint is due after so many target bytes.
    pub checkpoint_bytes: u64,
}

/// Begins a run.
///
/// # Errors
/// [`RunError::Refused`] where the preflight finds a reason not to start; others where disk or
/// target fail: the run can be resumed then.
pub fn start(
    request: &RunRequest,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    let opened = dump::open(&request.source)?;
    let Before { seen, base, documents, existing } = preflight::look_at_target(request)?;
    preflight::check_in_flight(request, &opened)?;
    preflight::check_disk(request, &opened)?;
    let only = request.only_rejects.as_deref().map(OnlyRejects::read).transpose()?;
    let mut plan = plan_of(request, &opened);
    plan.base = base;
    plan.base_documents = documents;
    let folder = RunFolder::create(&request.runs_folder, &plan)?;
    let abandoned = if request.take_over { Abandoned::TakeOver } else { Abandoned::Keep };
    let lock = match lock_target(&plan, &folder, abandoned, seen) {
        Ok(lock) => lock,
        Err(error) => {
            folder.remove()?;
            return Err(error);
        }
    };
    let context = Context {
        plan: &plan,
        folder: &folder,
        batch: request.batch,
        jobs: request.jobs,
        checkpoint_bytes: request.checkpoint_bytes,
        stop,
        bytes_total: opened.description.bytes_total,
        only,
    };
    let from = Checkpoint::start(base);
    let _present = folder.hold()?;
    observer.begun(&plan, &folder, opened.description.bytes_total);
    let result = execute(&context, opened, existing, from, lock, observer);
    note_failure(&folder, result)
}

/// Goes on with a run.
///
/// # Errors
/// As for [`start`]; refused too where the run is done, or the source is not the one it has read.
pub fn resume(
    request: &ResumeRequest,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    let folder = &request.folder;
    let mut plan = folder.plan()?;
    let mut from = folder.checkpoint()?;
    if let Some(path) = &request.source {
        plan.source.path = path.clone();
    }
    let spec = plan.source_spec();
    if from.state == State::Done {
        return tidy(plan, folder, from, observer);
    }
    let left = Lock::look(&plan.target.lock_file())?.and_then(|(holder, _)| holder);
    let was_locked = left.is_some_and(|holder| holder.run == plan.run);
    let lock = take_lock(&plan, folder, Abandoned::Keep)?;
    if plan.apply && !was_locked {
        // A run loses its lock to nobody but one that took over: what is in the target now, that
        // one wrote.
        if let Err(error) = preflight::check_target_lengths(&plan.target, from.target, true) {
            lock.map_or(Ok(()), Lock::remove)?;
            return Err(error);
        }
    }
    if from.state == State::Finishing {
        // All that is left to do needs no source.
        let _present = folder.hold()?;
        observer.begun(&plan, folder, None);
        return note_failure(folder, finish(&plan, folder, from, lock));
    }
    let only = plan.only_rejects.as_deref().map(OnlyRejects::read).transpose()?;
    let opened = dump::open(&spec)?;
    let context = Context {
        plan: &plan,
        folder,
        batch: request.batch,
        jobs: request.jobs,
        checkpoint_bytes: request.checkpoint_bytes,
        stop,
        bytes_total: opened.description.bytes_total,
        only,
    };
    let _present = folder.hold()?;
    observer.begun(&plan, folder, opened.description.bytes_total);
    // What can be read once only cannot be compared beforehand.
    if from.in_doubt && !(opened.description.rewindable && still_agrees(&from, &spec)?) {
        observer.note(
            "the damage had cast doubt on documents before it, and these differ now, or cannot be \
             read twice: the run begins again",
        );
        from = Checkpoint { elapsed_ms: from.elapsed_ms, ..Checkpoint::start(plan.base) };
        from.write(&folder.checkpoint_file())?;
    }
    from.state = State::Running;
    from.reason = None;
    let existing = match plan.on_existing {
        OnExisting::Refuse => None,
        _ => preflight::reopen_existing(&plan.target, plan.base, &request.runs_folder)?,
    };
    let result = execute(&context, opened, existing, from, lock, observer);
    note_failure(folder, result)
}

/// A run that failed says why, as far as the disk still takes it.
fn note_failure(folder: &RunFolder, result: Result<Report, RunError>) -> Result<Report, RunError> {
    if let Err(error @ (RunError::Disk(_) | RunError::Sink(_))) = &result
        && let Ok(mut checkpoint) = folder.checkpoint()
    {
        if checkpoint.state != State::Finishing {
            checkpoint.state = State::Stopped;
        }
        checkpoint.reason = Some(error.to_string());
        // The first error is the one to tell.
        drop(checkpoint.write(&folder.checkpoint_file()));
    }
    result
}

/// A run that was done, but perhaps cut off before it had cleared up behind itself.
fn tidy(
    plan: Plan,
    folder: &RunFolder,
    checkpoint: Checkpoint,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    observer.note("the run was done already");
    let left = Lock::look(&plan.target.lock_file())?.and_then(|(holder, _)| holder);
    if left.is_some_and(|holder| holder.run == plan.run)
        && let Some(lock) = take_lock(&plan, folder, Abandoned::Keep)?
    {
        lock.remove()?;
    }
    remove_lists(folder)?;
    Ok(Report { plan, folder: folder.clone(), checkpoint, stop: Stop::Done })
}

/// Takes the lock for a new run; under it, the target must still be as it was looked at.
fn lock_target(
    plan: &Plan,
    folder: &RunFolder,
    abandoned: Abandoned,
    seen: SinkPosition,
) -> Result<Option<Lock>, RunError> {
    let Some(lock) = take_lock(plan, folder, abandoned)? else { return Ok(None) };
    match preflight::check_target_lengths(&plan.target, seen, true) {
        Ok(()) => Ok(Some(lock)),
        Err(error) => {
            lock.remove()?;
            Err(error)
        }
    }
}

fn take_lock(
    plan: &Plan,
    folder: &RunFolder,
    abandoned: Abandoned,
) -> Result<Option<Lock>, RunError> {
    if !plan.apply {
        return Ok(None);
    }
    let folder = absolute(folder.path());
    let holder = Holder { run: plan.run.clone(), folder, pid: std::process::id() };
    let lock = Lock::take(&plan.target.lock_file(), &holder, abandoned)?;
    Ok(Some(lock))
}

/// Whether the documents that a run has read are still the same in a source that was in doubt.
fn still_agrees(from: &Checkpoint, spec: &SourceSpec) -> Result<bool, RunError> {
    let mut source = dump::open(spec)?.source;
    let mut batch = Batch::default();
    let mut hash = SourceHash::default();
    let mut left = usize::try_from(from.documents).unwrap_or(usize::MAX);
    let mut bson = Vec::new();
    while left > 0 {
        batch.clear();
        let limits = BatchLimits { docs_max: left.min(1_000), ..BatchLimits::default() };
        match source.fill(&mut batch, limits) {
            Ok(true) => {}
            Ok(false) | Err(_) => return Ok(false),
        }
        for item in &batch.items {
            hash.add(&pipeline::fingerprint(&batch, item, &mut bson));
        }
        left -= batch.items.len();
    }
    Ok(hash.hex() == from.source_hash)
}

fn plan_of(request: &RunRequest, opened: &Opened) -> Plan {
    let description = &opened.description;
    Plan {
        schema: PLAN_SCHEMA.to_owned(),
        run: new_run_id(),
        begun_at: now_iso(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        mapping: VERSION.to_owned(),
        source: PlannedSource {
            path: match request.source.path.as_os_str() == dump::STANDARD_INPUT {
                true => request.source.path.clone(),
                false => absolute(&request.source.path),
            },
            db: request.source.db.clone(),
            collection: request.source.collection.clone(),
            form: description.form.clone(),
            bytes: description.bytes_total,
        },
        target: TargetFolder { root: absolute(&request.target.root), ..request.target.clone() },
        apply: request.apply,
        options: Options {
            on_unknown_status: request.on_unknown_status,
            status_policy: request.status_policy,
            in_flight: request.in_flight.unwrap_or_default(),
        },
        on_existing: request.on_existing,
        only_rejects: request.only_rejects.as_deref().map(absolute),
        limit: request.limit,
        fail_fast: request.fail_fast,
        base: Default::default(),
        base_documents: 0,
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn now_iso() -> String {
    iso(now_ms()).as_str().to_owned()
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// The date for people, and a part that no other run of the same second has.
fn new_run_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let unique = blake3::hash(format!("{}/{}", std::process::id(), now.as_nanos()).as_bytes());
    let stamp: String = now_iso().chars().filter(char::is_ascii_digit).take(17).collect();
    format!("{}-{}-{}", &stamp[..8], &stamp[8..], &unique.to_hex()[..6])
}

/// Runs the engine with the sink that the plan asks for, and ends the run.
fn execute(
    context: &Context<'_>,
    mut opened: Opened,
    existing: Option<Existing>,
    from: Checkpoint,
    lock: Option<Lock>,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    let source = opened.source.as_mut();
    if !context.plan.apply {
        let mut sink = NullSink { existing };
        let outturn = Engine::new(context, &mut sink, observer, from)?.run(source)?;
        return end(context, outturn, lock);
    }
    preflight::check_target_lengths(&context.plan.target, from.target, false)?;
    let mut sink = FolderSink::open(&context.plan.target, from.target, existing)?;
    let mut outturn = Engine::new(context, &mut sink, observer, from)?.run(source)?;
    if matches!(outturn.ended, Ended::AtEnd) {
        sink.finish()?;
        outturn.checkpoint.target = sink.position();
    }
    end(context, outturn, lock)
}

/// Writes down how the engine ended.
fn end(context: &Context<'_>, outturn: Outturn, lock: Option<Lock>) -> Result<Report, RunError> {
    let Outturn { ended, mut checkpoint, mut saving } = outturn;
    let stop = match ended {
        Ended::AtEnd if context.plan.apply && checkpoint.totals.replaced > 0 => {
            checkpoint.state = State::Finishing;
            saving.save(&checkpoint)?;
            return finish(context.plan, context.folder, checkpoint, lock);
        }
        Ended::AtEnd => {
            saving.save(&checkpoint)?;
            return close(context.plan, context.folder, checkpoint, lock);
        }
        Ended::Interrupted => Stop::Interrupted,
        Ended::FirstReject => Stop::FirstReject,
        Ended::Damaged(damage) => Stop::Damaged(damage),
    };
    checkpoint.state = State::Interrupted;
    if let Stop::Damaged(damage) = &stop {
        checkpoint.state = State::Stopped;
        checkpoint.reason = Some(damage.to_string());
        checkpoint.in_doubt = damage.earlier_in_doubt && damage.kind != DamageKind::Io;
    }
    saving.save(&checkpoint)?;
    Ok(Report { plan: context.plan.clone(), folder: context.folder.clone(), checkpoint, stop })
}

/// Takes the earlier versions of replaced jobs out of the target. Can be gone on with after a
/// kill: the checkpoint says which file is next, and whether its new form is ready.
fn finish(
    plan: &Plan,
    folder: &RunFolder,
    mut checkpoint: Checkpoint,
    lock: Option<Lock>,
) -> Result<Report, RunError> {
    let file = folder.checkpoint_file();
    let replaced = read_replaced(folder)?;
    if let Some(length) = checkpoint.finishing.length {
        take_up(&plan.target, checkpoint.finishing.collections, length)?;
        next_collection(&mut checkpoint, length, &file)?;
    }
    while checkpoint.finishing.collections < COLLECTIONS.len() {
        let collection = checkpoint.finishing.collections;
        let what = Replacing {
            folder: &plan.target,
            collection,
            base: plan.base.lengths[collection],
            replaced: &replaced,
            undo: &folder.undo_folder(),
        };
        let mut length = 0;
        finish_collection(&what, &mut |new_length| {
            length = new_length;
            checkpoint.finishing.length = Some(new_length);
            checkpoint.write(&file)
        })?;
        next_collection(&mut checkpoint, length, &file)?;
    }
    close(plan, folder, checkpoint, lock)
}

fn next_collection(checkpoint: &mut Checkpoint, length: u64, file: &Path) -> Result<(), RunError> {
    checkpoint.target.lengths[checkpoint.finishing.collections] = length;
    let collections = checkpoint.finishing.collections + 1;
    checkpoint.finishing = Finishing { collections, length: None };
    checkpoint.write(file)
}

fn read_replaced(folder: &RunFolder) -> Result<HashSet<Key>, RunError> {
    let path = folder.replaced_file();
    let bytes = std::fs::read(&path).at("reading", &path)?;
    Ok(bytes.chunks_exact(16).filter_map(|key| key.try_into().ok()).collect())
}

/// The run is done: nothing of it is needed to go on any more.
fn close(
    plan: &Plan,
    folder: &RunFolder,
    mut checkpoint: Checkpoint,
    lock: Option<Lock>,
) -> Result<Report, RunError> {
    checkpoint.state = State::Done;
    checkpoint.reason = None;
    checkpoint.in_doubt = false;
    checkpoint.write(&folder.checkpoint_file())?;
    remove_lists(folder)?;
    if let Some(lock) = lock {
        lock.remove()?;
    }
    Ok(Report { plan: plan.clone(), folder: folder.clone(), checkpoint, stop: Stop::Done })
}

/// The lists that only a run that goes on needs.
fn remove_lists(folder: &RunFolder) -> Result<(), RunError> {
    for path in [folder.ids_file(), folder.replaced_file()] {
        if path.exists() {
            std::fs::remove_file(&path).at("removing", &path)?;
        }
    }
    Ok(())
}
