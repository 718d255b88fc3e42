//! What has to hold before a run may start, and what to do where it does not.

use std::path::{Path, PathBuf};

use super::RunError;
use super::plan::{OnExisting, RunRequest};
use crate::ends::SinkPosition;
use crate::ends::{Opened, Origin, SourceDescription};
use crate::folder::{Compression, Existing, Held, TargetFolder};
use crate::folder::{Holder, Lock};
use crate::store::DiskError;
use reshelve_core::mapping::{COLLECTIONS, Status};

/// How many examples a refusal names.
const NAMED_MAX: usize = 5;

/// A reason not to start. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The target holds documents, and nobody said what to do with them.
    #[error("the target already holds documents: {}", list(.files))]
    TargetNotEmpty {
        /// The files that hold them.
        files: Vec<PathBuf>,
    },
    /// The target holds documents in another compression.
    #[error("the target already holds {} and would get files of another form beside it", .file.display())]
    OtherCompression {
        /// A file in the other compression.
        file: PathBuf,
    },
    /// A target file does not end with a whole document.
    #[error("the target file {} is damaged, or ends in the middle of a document", .file.display())]
    TargetTorn {
        /// The file.
        file: PathBuf,
    },
    /// A run that replaces was cut off in this target.
    #[error("the target {} holds earlier and later versions of the same jobs", .folder.display())]
    TargetRepeats {
        /// The database folder.
        folder: PathBuf,
    },
    /// Jobs are in flight, and nobody said what to do with them.
    #[error(
        "{count} documents are in flight (queued or running), and no --in-flight decision was made"
    )]
    InFlight {
        /// How many.
        count: u64,
    },
    /// Standard input cannot be read twice to look for jobs in flight.
    #[error("standard input cannot be looked through for documents in flight beforehand")]
    InFlightUnknown,
    /// Another run is writing to the target.
    #[error("another run is writing to this target{} (lock: {})", holder_text(.holder), .path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it.
        holder: Option<Holder>,
    },
    /// A run that wrote to the target was cut off.
    #[error("a run on this target has not finished: {} (lock: {})", .holder.run, .path.display())]
    Abandoned {
        /// The lock file.
        path: PathBuf,
        /// Who left it.
        holder: Holder,
    },
    /// The disk is too small.
    #[error("the target needs about {needed_bytes} bytes, and {free_bytes} are free at {}", .path.display())]
    DiskTooSmall {
        /// The target.
        path: PathBuf,
        /// What the target is estimated to need.
        needed_bytes: u64,
        /// What is free.
        free_bytes: u64,
    },
    /// The target is not as the run left or found it.
    #[error("the target file {} has {found_bytes} bytes, and {expected_bytes} were expected", .path.display())]
    TargetChanged {
        /// The file.
        path: PathBuf,
        /// What it has.
        found_bytes: u64,
        /// What it should have: at least, where the run goes on.
        expected_bytes: u64,
    },
    /// A process is at work on the run.
    #[error("a process is at work on the run {run}")]
    AtWork {
        /// The run.
        run: String,
    },
    /// The source is not the one that the run has read.
    #[error("the source is not the one that this run has read: {detail}")]
    OtherSource {
        /// What differs.
        detail: String,
    },
}

impl Refusal {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Refusal::TargetNotEmpty { .. } => "--allow-existing adds to what is there and leaves \
                it as it is; --replace also replaces jobs that differ"
                .into(),
            Refusal::OtherCompression { .. } => {
                "use the same --gzip or --zstd as before, or another target folder".into()
            }
            Refusal::TargetTorn { .. } => "where a run was cut off there, resume it or use \
                --take-over; else the folder has to be mended or made anew"
                .into(),
            Refusal::TargetRepeats { .. } => {
                "a run with --replace was cut off there: resume it, and it takes the earlier \
                 versions out"
                    .into()
            }
            Refusal::InFlight { .. } => "--in-flight include carries them over as they are, \
                --in-flight as-failed as failed, --in-flight skip leaves them out"
                .into(),
            Refusal::InFlightUnknown => {
                "say --in-flight include, --in-flight as-failed or --in-flight skip".into()
            }
            Refusal::Locked { .. } => "wait for it to end; `reshelve runs` shows it".into(),
            Refusal::Abandoned { holder, .. } => format!(
                "`reshelve resume {}` goes on with it; --take-over breaks its lock and starts anew",
                holder.folder.display()
            ),
            Refusal::DiskTooSmall { .. } => {
                "make room, or use --gzip; --skip-disk-check starts all the same".into()
            }
            Refusal::TargetChanged { .. } => {
                "look what else writes there; a run whose target is gone has to be started anew"
                    .into()
            }
            Refusal::AtWork { .. } => {
                "`reshelve status` shows how far it is; Ctrl-C there stops it".into()
            }
            Refusal::OtherSource { .. } => {
                "give the source as it was, mended where it was damaged, with --source; or start \
                 a new run"
                    .into()
            }
        }
    }
}

fn list(files: &[PathBuf]) -> String {
    let names: Vec<String> =
        files.iter().take(NAMED_MAX).map(|file| file.display().to_string()).collect();
    names.join(", ")
}

fn holder_text(holder: &Option<Holder>) -> String {
    holder
        .as_ref()
        .map_or(String::new(), |holder| format!(": {}, process {}", holder.run, holder.pid))
}

/// What a target holds before a run.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// The lengths of its files.
    pub(crate) seen: SinkPosition,
    pub(crate) base: SinkPosition,
    pub(crate) documents: u64,
    pub(crate) existing: Option<Existing>,
}

/// Looks at the target; changes nothing.
pub(crate) fn look_at_target(
    request: &RunRequest,
    target: &TargetFolder,
) -> Result<Before, RunError> {
    if let Some((holder, held)) = Lock::look(&target.lock_file())? {
        let path = target.lock_file();
        match holder {
            _ if held => return Err(Refusal::Locked { path, holder }.into()),
            Some(holder) if !request.take_over && !holder.is_done() => {
                return Err(Refusal::Abandoned { path, holder }.into());
            }
            _ => {}
        }
    }
    let held = target.held()?;
    if let Some(other) = held.iter().find(|held| held.compression != target.compression)
        && other.bytes > 0
    {
        return Err(Refusal::OtherCompression { file: other.path.clone() }.into());
    }
    let seen = lengths(&held, target.compression);
    if held.iter().all(|held| held.bytes == 0) {
        return Ok(Before { seen, ..Before::default() });
    }
    let survey = Existing::survey(target, None, &scratch(&request.runs_folder)?)?;
    if survey.documents > 0 && request.on_existing == OnExisting::Refuse {
        let files = held.into_iter().filter(|held| held.bytes > 0).map(|held| held.path);
        return Err(Refusal::TargetNotEmpty { files: files.collect() }.into());
    }
    // What a killed run left behind may end in the middle of a document: whoever takes over cuts
    // that off. A compressed file has no such place to be cut at.
    if let Some(file) = survey.torn
        && (!request.take_over || target.compression != Compression::None)
    {
        return Err(Refusal::TargetTorn { file }.into());
    }
    if survey.repeated {
        return Err(Refusal::TargetRepeats { folder: target.database() }.into());
    }
    let base = if survey.documents == 0 { SinkPosition::default() } else { survey.position };
    Ok(Before { seen, base, documents: survey.documents, existing: Some(survey.existing) })
}

fn lengths(held: &[Held], compression: Compression) -> SinkPosition {
    let length = |collection| {
        held.iter()
            .find(|held| held.collection == collection && held.compression == compression)
            .map_or(0, |held| held.bytes)
    };
    SinkPosition { lengths: COLLECTIONS.map(length) }
}

/// Under the lock: the target must still be as it was looked at, and hold what the run wrote.
pub(crate) fn check_target_lengths(
    target: &TargetFolder,
    position: SinkPosition,
    exactly: bool,
) -> Result<(), RunError> {
    use crate::store::At;
    for (collection, &expected_bytes) in position.lengths.iter().enumerate() {
        let path = target.file(collection);
        let found_bytes = match std::fs::metadata(&path) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error).at("reading", &path).map_err(Into::into),
        };
        if found_bytes < expected_bytes || (exactly && found_bytes > expected_bytes) {
            return Err(Refusal::TargetChanged { path, found_bytes, expected_bytes }.into());
        }
    }
    Ok(())
}

/// Opens what the target held before a run that is being resumed.
pub(crate) fn reopen_existing(
    target: &TargetFolder,
    base: SinkPosition,
    runs: &Path,
) -> Result<Option<Existing>, RunError> {
    if base == SinkPosition::default() {
        return Ok(None);
    }
    Ok(Some(Existing::survey(target, Some(base), &scratch(runs)?)?.existing))
}

/// Where large indexes spill: files without a name, which are gone with the process.
fn scratch(runs: &Path) -> Result<PathBuf, DiskError> {
    use crate::store::At;
    std::fs::create_dir_all(runs).at("creating the folder", runs)?;
    Ok(runs.to_owned())
}

/// Where documents are in flight, a run that writes needs a decision.
pub(crate) fn check_in_flight(
    request: &RunRequest,
    origin: &dyn Origin,
    opened: &Opened,
) -> Result<(), RunError> {
    if !request.apply || request.in_flight.is_some() {
        return Ok(());
    }
    if !opened.description.rewindable {
        return Err(Refusal::InFlightUnknown.into());
    }
    let mut count = 0;
    origin.for_each_status(&mut |status| {
        let in_flight = status.and_then(Status::of_legacy).is_some_and(Status::is_in_flight);
        count += u64::from(in_flight);
    })?;
    if count > 0 { Err(Refusal::InFlight { count }.into()) } else { Ok(()) }
}

/// The target bytes that a source is likely to become: finished novels grow by a few per cent,
/// small documents by more; a compressed source by what text is usually compressed to.
pub fn estimated_target_bytes(source_bytes: u64, compressed: bool) -> u64 {
    let documents = if compressed { source_bytes.saturating_mul(4) } else { source_bytes };
    documents.saturating_add(documents / 4)
}

/// Whether the disk is likely to hold the target.
pub(crate) fn check_disk(
    request: &RunRequest,
    target: &TargetFolder,
    source: &SourceDescription,
) -> Result<(), RunError> {
    if !request.apply || request.skip_disk_check {
        return Ok(());
    }
    let Some(source_bytes) = source.bytes_total else { return Ok(()) };
    let compressed_source = source.form.contains(',');
    let mut needed_bytes = estimated_target_bytes(source_bytes, compressed_source);
    if target.compression != Compression::None {
        needed_bytes /= 2;
    }
    let path = target.root.clone();
    let free_bytes = crate::folder::free_bytes(&path)?;
    if free_bytes < needed_bytes {
        return Err(Refusal::DiskTooSmall { path, needed_bytes, free_bytes }.into());
    }
    Ok(())
}
