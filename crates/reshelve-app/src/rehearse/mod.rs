//! `rehearse`: the whole move and the way back, in a place where nothing can be lost, with a record
//! of what happened and how long it took.
//!
//! What it does are the commands themselves. A pass over the documents is what costs time, so each
//! is made once: the run that is rolled back is the one that was interrupted, and the report uses
//! what the comparison before it has found.

mod comparison;
mod record;
mod refused;
mod scratch;
mod stage;
mod steps;
mod watched;

use std::path::{Path, PathBuf};

use reshelve::ends::{Compression, Opened, SourceDescription, SourceForm};
use reshelve::run::{Decisions, Throttle};
use serde::{Serialize, Serializer};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::options::{BatchOptions, MappingOptions};
use crate::places::{self, SourcePlace};
use crate::run;
use scratch::Scratch;
use stage::Stage;

pub use record::{Ended, Record, RecordedFailure, RestoredRecord, ScratchRecord, WouldRefuse};
pub(crate) use record::{file_of, newest_of};

/// What `rehearse` is asked.
pub struct Request {
    /// Where the legacy documents come from: a file, a folder, or a live collection.
    pub source: SourcePlace,
    /// A folder that is new or empty, or a connection string; none for a new folder beside the run
    /// folders.
    pub scratch: Option<PathBuf>,
    /// How the files of the target folder are compressed.
    pub compression: Compression,
    /// The decisions of the mapping; jobs in flight are included if nobody decided.
    pub mapping: MappingOptions,
    /// How the work is divided.
    pub batch: BatchOptions,
    /// How much the runs and the rollback may take, each by itself. Of the rollback, documents and
    /// bytes are those of the target.
    pub throttle: Throttle,
    /// Whether to start even if the disk looks too small.
    pub skip_disk_check: bool,
    /// Whether somebody decided to take the documents of a dump without its oplog.
    pub ignore_oplog: bool,
    /// Whether the scratch stays when everything went well.
    pub keep_scratch: bool,
    /// The folder of run folders: the record is in it, out of their sight.
    pub runs_folder: PathBuf,
}

impl Request {
    /// A rehearsal in a new folder, with the usual options.
    pub fn new(source: SourcePlace, runs_folder: impl Into<PathBuf>) -> Self {
        Request {
            source,
            scratch: None,
            compression: Compression::None,
            mapping: MappingOptions::default(),
            batch: BatchOptions::default(),
            throttle: Throttle::default(),
            skip_disk_check: false,
            ignore_oplog: false,
            keep_scratch: false,
            runs_folder: runs_folder.into(),
        }
    }

    /// The decisions as a run keeps them.
    fn decisions(&self) -> Decisions {
        let MappingOptions { in_flight, status_policy, on_unknown_status } = self.mapping;
        Decisions { on_unknown_status, status_policy, in_flight }
    }

    /// The run that is rehearsed. What a person would have to decide for it is decided, and listed.
    fn run(&self, scratch: &Scratch) -> run::Request {
        let in_flight = Some(self.mapping.in_flight.unwrap_or_default());
        run::Request {
            compression: self.compression,
            apply: true,
            mapping: MappingOptions { in_flight, ..self.mapping },
            batch: self.batch,
            throttle: self.throttle,
            skip_disk_check: self.skip_disk_check,
            ignore_oplog: true,
            ..run::Request::new(self.source.clone(), scratch.target(), scratch.runs())
        }
    }
}

/// How a rehearsal ended, and where its record is; as JSON, the record.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What happened.
    pub record: Record,
    /// Why it did not pass.
    pub failure: Option<Failure>,
    /// The files of the record.
    pub written: Written,
}

/// The files of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub html: PathBuf,
    /// The same for a pull request.
    pub markdown: PathBuf,
    /// The same for programs.
    pub json: PathBuf,
}

impl Outcome {
    /// The exit code: that of the step that failed.
    pub fn exit_code(&self) -> ExitCode {
        self.failure.as_ref().map_or(ExitCode::Done, |failure| failure.code)
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.record.serialize(serializer)
    }
}

/// What was looked at before anything was written.
struct Prepared {
    id: String,
    scratch: Scratch,
    run: run::Request,
    description: SourceDescription,
    source: reshelve::ends::PlannedSource,
}

/// Rehearses the move of a source: runs, compares, reports, takes back, runs again, restores, and
/// drops what it has made. A step that fails ends it; its outcome says so, and the scratch stays.
///
/// # Errors
/// If it is refused before it begins, or its record cannot be written.
pub fn rehearse(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    handle.check_may_write("`rehearse`")?;
    let prepared = prepare(request, handle)?;
    for killed in record::killed(&request.runs_folder) {
        let ScratchRecord { place, .. } = &killed.scratch;
        let record = killed.record.display();
        handle.watcher().note(&format!(
            "warning: the rehearsal {} did not end, and its scratch may still be there: {place}. Look \
             at it before you remove anything, as it may be somebody else's by now; then remove its \
             record, {record}",
            killed.rehearsal,
        ));
    }
    let mut stage = Stage::begin(request, prepared, handle)?;
    handle.watcher().ready();
    let played = stage.play();
    stage.end(played)
}

/// Refuses what makes no sense, and what would not be safe. Nothing is written.
fn prepare(request: &Request, handle: &Handle) -> Result<Prepared, Failure> {
    let origin = places::origin(&request.source, handle)?;
    if !origin.is_rewindable() {
        let message = "standard input or a pipe can be read only once";
        return Err(Failure::usage(message, hints::REHEARSE_A_FILE));
    }
    let id = reshelve::run::new_id();
    let scratch = Scratch::look(request, &id, handle)?;
    let run = request.run(&scratch);
    run.request()?;
    // Says what makes no target, such as a compressed database.
    places::destination(&run.target, run.compression, handle)?;
    let Opened { description, .. } = origin.open()?;
    let source = origin.planned(&description);
    Ok(Prepared { id, scratch, run, description, source })
}

/// The file that the restored collection should be, byte for byte; none if the source is stored in
/// another way.
fn plain_file(description: &SourceDescription) -> Option<&Path> {
    let is_plain = description.compression == Compression::None
        && matches!(description.form, SourceForm::BsonFile | SourceForm::DumpFolder);
    is_plain.then_some(description.path.as_path())
}
