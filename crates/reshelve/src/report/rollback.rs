//! How to undo what a run wrote.

use std::path::PathBuf;

use serde::Serialize;

use super::counted;
use crate::ends::{LivePlace, OnExisting, PlannedTarget};
use crate::folder::Lengths;
use crate::run::{Checkpoint, Plan, RunError, RunFolder};
use crate::target_schema::Collection;

/// A file of the target, before and after the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetFile {
    /// The collection.
    pub collection: Collection,
    /// The file.
    pub path: PathBuf,
    /// How many bytes it had before the run; 0 if it did not exist.
    pub bytes_before: u64,
    /// How many bytes it had when the run ended.
    pub bytes_after: u64,
}

/// How to undo what a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rollback {
    /// What to do, in order: sentences.
    pub steps: Vec<String>,
    /// The files, before and after.
    pub files: Vec<TargetFile>,
    /// Where the earlier versions of replaced jobs are; null if none was replaced.
    pub undo: Option<PathBuf>,
}

/// Where these runs kept earlier versions of replaced jobs.
pub(super) fn undo_folders(folders: &[RunFolder]) -> Result<Vec<PathBuf>, RunError> {
    let mut undo = Vec::new();
    for folder in folders {
        let replaces = folder.plan()?.on_existing == OnExisting::Replace;
        if replaces && folder.checkpoint()?.totals.replaced > 0 {
            undo.push(folder.undo_folder());
        }
    }
    Ok(undo)
}

pub(super) fn of(plan: &Plan, checkpoint: &Checkpoint, undo: &[PathBuf]) -> Option<Rollback> {
    if !plan.apply {
        return None;
    }
    let target = match &plan.target {
        PlannedTarget::Folder(folder) => folder,
        PlannedTarget::Live(place) => return Some(of_database(plan, checkpoint, place)),
    };
    let [before, after] = [&plan.base.position, &checkpoint.target]
        .map(|position| Lengths::of(position).unwrap_or_default().0);
    let lengths = before.into_iter().zip(after);
    let files =
        Collection::ALL.into_iter().zip(lengths).map(|(collection, (before, after))| TargetFile {
            collection,
            path: target.file(collection),
            bytes_before: before,
            bytes_after: after,
        });
    let replaced = checkpoint.totals.replaced;
    let mut steps = vec![
        "Check that nothing else has written to the target since: each file must still have the \
         length that it had after the run."
            .to_owned(),
    ];
    let cut = "Cut each of the files below back to the length that it had before the run \
               (`truncate --size=BYTES FILE`): its earlier content is unchanged.";
    steps.push(match (undo, plan.base.documents) {
        ([_, ..], _) => format!(
            "The run replaced {}, so its files were rewritten and cannot be cut back. Remove these \
             jobs from the target by their `jobId`, and restore their earlier versions: {} holds \
             them, one file for each collection.",
            counted(replaced, "job"),
            undo.iter().map(|undo| undo.display().to_string()).collect::<Vec<_>>().join(", ")
        ),
        ([], 0) => format!(
            "The target was empty before the run: remove the folder {}.",
            target.database().display()
        ),
        ([], _) => cut.to_owned(),
    });
    steps.push(match plan.base.documents {
        0 => "If the target was restored into a database that was empty before, drop the four \
              collections there."
            .into(),
        _ => "If the target was restored into a database, remove the documents of this run there \
              by their `jobId`."
            .into(),
    });
    steps.push(
        "The legacy collection was only read. If it is lost, `reshelve restore TARGET OUT` \
         rebuilds it from the target alone."
            .into(),
    );
    Some(Rollback { steps, files: files.collect(), undo: undo.last().cloned() })
}

/// A live database has no files to cut back.
fn of_database(plan: &Plan, checkpoint: &Checkpoint, place: &LivePlace) -> Rollback {
    let db = &place.db;
    let mut steps = vec![match plan.base.documents {
        0 => format!(
            "The four collections were empty before the run: `reshelve indexes down` drops them \
             from the database {db}, unless they hold documents that this tool did not write."
        ),
        _ => format!(
            "The database {db} held {} before the run: remove the documents of this run from the \
             four collections by their `jobId`.",
            counted(plan.base.documents, "document")
        ),
    }];
    if checkpoint.totals.replaced > 0 {
        steps.push(format!(
            "The run replaced {}: `reshelve_undo` in the same database holds the earlier versions, \
             each as `document`, with run, collection and id in its `_id`.",
            counted(checkpoint.totals.replaced, "job")
        ));
    }
    steps.push(
        "The legacy collection was only read. If it is lost, `reshelve restore TARGET OUT` \
         rebuilds it from the target alone."
            .into(),
    );
    Rollback { steps, files: Vec::new(), undo: None }
}
