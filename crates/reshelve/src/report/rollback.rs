//! How to take back what a run wrote.

use std::path::PathBuf;

use serde::Serialize;

use crate::ends::{LivePlace, OnExisting, PlannedTarget};
use crate::folder::Lengths;
use crate::run::{Checkpoint, Plan, RunFolder};
use crate::target_schema::Collection;

/// A file of the target, before and after the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetFile {
    /// The collection.
    pub collection: Collection,
    /// The file.
    pub path: PathBuf,
    /// How many bytes it had before the run; 0 where it was not there.
    pub bytes_before: u64,
    /// How many bytes it had when the run ended.
    pub bytes_after: u64,
}

/// How to take back what a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rollback {
    /// What to do, in order: sentences.
    pub steps: Vec<String>,
    /// The files, before and after.
    pub files: Vec<TargetFile>,
    /// Where earlier versions of replaced jobs are; null where none was replaced.
    pub undo: Option<PathBuf>,
}

pub(super) fn of(plan: &Plan, checkpoint: &Checkpoint, folder: &RunFolder) -> Option<Rollback> {
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
    let undo =
        (plan.on_existing == OnExisting::Replace && replaced > 0).then(|| folder.undo_folder());
    let mut steps = vec![
        "Nothing else may have written to the target since: each file still has the length that \
         it had after the run."
            .to_owned(),
    ];
    let cut = "Cut each of the files below back to the length that it had before the run \
               (`truncate --size=BYTES FILE`): what it held then is untouched.";
    steps.push(match (&undo, plan.base.documents) {
        (Some(undo), _) => format!(
            "The run replaced {replaced} jobs, so its files were rewritten and cannot be cut back. \
             Take these jobs out of the target by their `jobId`, and put their earlier versions \
             back: {} holds them, a file for each collection.",
            undo.display()
        ),
        (None, 0) => format!(
            "The target was empty before the run: remove the folder {}.",
            target.database().display()
        ),
        (None, _) => cut.to_owned(),
    });
    steps.push(match plan.base.documents {
        0 => "Where the target was restored into a database that was empty before, drop the four \
              collections there."
            .into(),
        _ => "Where the target was restored into a database, remove the documents there by the \
              `jobId`s of this run."
            .into(),
    });
    steps.push(
        "The legacy collection was only read. Should it be lost, `reshelve restore TARGET OUT` \
         rebuilds it from the target alone."
            .into(),
    );
    Some(Rollback { steps, files: files.collect(), undo })
}

/// In a live database there are no files to cut back.
fn of_database(plan: &Plan, checkpoint: &Checkpoint, place: &LivePlace) -> Rollback {
    let db = &place.db;
    let mut steps = vec![match plan.base.documents {
        0 => format!(
            "The four collections were empty before the run: `reshelve indexes down` drops them \
             from the database {db}, unless they hold documents that this tool did not write."
        ),
        _ => format!(
            "The database {db} held {} documents before the run: remove the documents of its jobs \
             from the four collections by their `jobId`.",
            plan.base.documents
        ),
    }];
    if checkpoint.totals.replaced > 0 {
        steps.push(format!(
            "The run replaced {} jobs: `reshelve_undo` in the same database holds their earlier \
             versions, each as `document`, with run, collection and id in its `_id`.",
            checkpoint.totals.replaced
        ));
    }
    steps.push(
        "The legacy collection was only read. Should it be lost, `reshelve restore TARGET OUT` \
         rebuilds it from the target alone."
            .into(),
    );
    Rollback { steps, files: Vec::new(), undo: None }
}
