//! How to undo what a run wrote.

use std::path::PathBuf;

use serde::Serialize;

use super::{Member, counted};
use crate::ends::{OnExisting, PlannedTarget};
use crate::folder::Lengths;
use crate::run::{RunError, RunFolder, State};
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

pub(super) fn of(runs: &[Member], undo: &[PathBuf]) -> Option<Rollback> {
    let Member { plan, checkpoint } = runs.first().filter(|first| first.plan.apply)?;
    if checkpoint.state == State::RolledBack {
        let steps = vec![
            "The run was rolled back: what it wrote is gone, but for jobs that were kept because \
             somebody had changed them (`--edited keep`)."
                .to_owned(),
        ];
        return Some(Rollback { steps, files: Vec::new(), undo: None });
    }
    // What a retry wrote comes after what the run wrote.
    let ids = runs.iter().rev().map(|member| member.plan.run.as_str());
    let commands = |flag: &str| {
        let commands = ids.clone().map(|run| format!("`reshelve rollback {run}{flag}`"));
        commands.collect::<Vec<_>>().join(", then ")
    };
    let replaced: u64 = runs.iter().map(|member| member.checkpoint.totals.replaced).sum();
    let put_back = match replaced {
        0 => String::new(),
        _ => {
            format!(", and puts the earlier versions of {} back", counted(replaced, "replaced job"))
        }
    };
    let steps = vec![
        format!("Look at what would be taken back: {}. Nothing is changed.", commands("")),
        format!(
            "Take it back: {}. This deletes what was written, and nothing else{put_back}. If jobs \
             were changed since, nothing is done until you decide what becomes of these.",
            commands(" --apply")
        ),
        "The legacy collection was only read. If it is lost, `reshelve restore TARGET OUT` \
         rebuilds it from the target alone: before a rollback."
            .to_owned(),
    ];
    let PlannedTarget::Folder(target) = &plan.target else {
        return Some(Rollback { steps, files: Vec::new(), undo: None });
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
    Some(Rollback { steps, files: files.collect(), undo: undo.last().cloned() })
}
