//! `restore`: the legacy collection out of a target.

use std::fs;
use std::path::{Path, PathBuf};

use reshelve::ends::{LastWriter, TargetReader};
use reshelve::restore::{self, RestoreFolderError, RestoreSummary};
use reshelve::run::RunFolder;
use reshelve::store::absolute;
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::family::Known;
use crate::handle::Handle;
use crate::hints;
use crate::last_run::run_of;
use crate::overlap;
use crate::places::{self, TargetPlace};
use crate::served_runs::RUNS_FOLDER_USUAL;
use crate::unfinished::{self, runs_of};

/// The collection that comes back.
const COLLECTION: &str = "jobs";

/// What files of other forms are called, which `restore` does not write.
const OTHER_FORMS: [&str; 7] = ["json", "jsonl", "ndjson", "archive", "gz", "zst", "csv"];

/// What `restore` is asked.
pub struct Request {
    /// The target.
    pub target: TargetPlace,
    /// A `.bson` file, or a folder that gets a database folder.
    pub out: PathBuf,
    /// Whether a file that is there may be replaced.
    pub overwrite: bool,
    /// The folder of run folders: the sources of runs that wrote this target are not written over.
    pub runs_folder: PathBuf,
}

/// What came back; as JSON, `reshelve.restore/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    schema: &'static str,
    /// The file.
    pub out: String,
    /// Its documents.
    #[serde(flatten)]
    pub summary: RestoreSummary,
    /// Ids of runs that write this target and are not done: it does not hold all they read.
    pub unfinished: Vec<String>,
}

/// Where runs are usually kept that were begun beside a place.
pub(crate) fn beside(place: &Path) -> PathBuf {
    let parent = absolute(place).parent().map(Path::to_owned).unwrap_or_default();
    parent.join(RUNS_FOLDER_USUAL)
}

/// The runs of these folders. One whose plan cannot be read says nothing.
pub(crate) fn known_runs(
    folders: impl IntoIterator<Item = PathBuf>,
) -> Result<Vec<Known>, Failure> {
    let mut known = Vec::new();
    for folder in folders {
        let runs = RunFolder::list(&folder)?.into_iter();
        known.extend(runs.filter_map(|run| run.plan().ok().map(|plan| (run, plan))));
    }
    Ok(known)
}

/// The run that the target names as the last one, where it is none of these: it may have been begun
/// in another directory.
fn last_elsewhere(target: &dyn TargetReader, runs: &[Known]) -> Result<Option<Known>, Failure> {
    let writer = target.last_writer()?;
    let is_known = |writer: &LastWriter| runs.iter().any(|(_, plan)| plan.run == writer.run);
    Ok(writer.filter(|writer| !is_known(writer)).as_ref().and_then(run_of))
}

/// Restores the legacy collection.
///
/// # Errors
/// If the target cannot be read, or the file cannot be written. Refused if the file is there, and
/// may not be replaced: it may be the only copy of a legacy collection. Refused always if it would
/// lie where the target is, or the source of a run that wrote the target.
pub fn restore(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    handle.check_may_write("`restore`")?;
    let (planned, target) = places::planned_reader(&request.target, None, handle)?;
    places::refuse_live(&request.out)?;
    let out = out_file(&request.out, target.database())?;
    let mut runs = runs_of(&planned, &request.runs_folder)?;
    runs.extend(last_elsewhere(target.as_ref(), &runs)?);
    let named = &request.target.name;
    let mut known = known_runs([request.runs_folder.clone(), beside(named), beside(&request.out)])?;
    known.extend(runs.iter().cloned());
    overlap::refuse_restore(&request.out, &out, named, &planned, &known)?;
    if !request.overwrite && out.symlink_metadata().is_ok() {
        let message = format!("{} already exists", out.display());
        return Err(Failure::refused(message, hints::RESTORE_ELSEWHERE));
    }
    let unfinished = unfinished::note(&planned, &runs, handle);
    create(out.parent().unwrap_or(Path::new(".")))?;
    handle.watcher().ready();
    let summary =
        restore::restore(target.as_ref(), &out, handle.stop()).map_err(|error| match error {
            RestoreFolderError::Target(error) => Failure::from(error),
            error @ RestoreFolderError::Nothing { .. } => {
                Failure::refused(error.to_string(), hints::METADATA_LOST)
            }
            error @ RestoreFolderError::LessThanThere { .. } => {
                Failure::refused(error.to_string(), hints::RESTORE_BESIDE)
            }
            error @ RestoreFolderError::Interrupted => Failure {
                code: ExitCode::Interrupted,
                ..Failure::failed(error.to_string()).hinting(hints::COMPARE_AGAIN)
            },
            error => Failure::failed(error.to_string()),
        })?;
    if let Some(folder) = out.parent().filter(|_| out != request.out) {
        restore::write_legacy_metadata(folder, COLLECTION)?;
    }
    let out = out.display().to_string();
    Ok(Outcome { schema: "reshelve.restore/1", out, summary, unfinished })
}

/// A name that ends in `.bson` is the file; anything else is a folder that gets a database folder,
/// unless it is the name of a file of another form.
fn out_file(out: &Path, db: &str) -> Result<PathBuf, Failure> {
    let extension = out.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if extension == "bson" {
        return Ok(out.to_owned());
    }
    if OTHER_FORMS.contains(&extension) && !out.is_dir() {
        let message = format!("{}: `restore` writes plain .bson", out.display());
        return Err(Failure::usage(message, hints::NAME_A_BSON_FILE));
    }
    Ok(out.join(db).join(format!("{COLLECTION}.bson")))
}

fn create(folder: &Path) -> Result<(), Failure> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| {
        Failure::failed(format!("creating the folder {}: {error}", folder.display()))
    })
}
