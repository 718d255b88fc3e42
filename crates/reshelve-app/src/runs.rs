//! `runs`: all runs of a folder.

use std::collections::HashSet;
use std::path::PathBuf;

use reshelve::run::RunFolder;
use serde::Serialize;

use crate::failure::Failure;
use crate::family::without_copies;
use crate::handle::Handle;
use crate::status::{RunStatus, status_of};

/// What `runs` is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// The folder of run folders.
    pub runs_folder: PathBuf,
}

/// The runs, oldest first; as JSON, `reshelve.runs/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    schema: &'static str,
    /// The runs.
    pub runs: Vec<RunStatus>,
}

/// Lists the runs. A run folder that cannot be read, or is a copy of another one, is left out, with
/// a note: the others are listed all the same.
///
/// # Errors
/// If the folder of runs cannot be read.
pub fn runs(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let listed = RunFolder::list(&request.runs_folder)?;
    let planned = |folder: &RunFolder| folder.plan().ok().map(|plan| (folder.clone(), plan));
    let own = without_copies(listed.iter().filter_map(planned).collect()).into_iter();
    let own: HashSet<PathBuf> = own.map(|(folder, _)| folder.path().to_owned()).collect();
    let mut runs = Vec::new();
    for folder in listed {
        match status_of(&folder) {
            Ok(status) if !own.contains(folder.path()) => {
                let path = folder.path().display();
                let note = format!("warning: {path} is a copy of the run {}", status.run);
                handle.watcher().note(&note);
            }
            Ok(status) => runs.push(status),
            Err(failure) => handle.watcher().note(&format!("warning: {failure}")),
        }
    }
    Ok(Outcome { schema: "reshelve.runs/1", runs })
}
