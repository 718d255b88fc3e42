//! `runs`: all runs of a folder.

use std::path::PathBuf;

use reshelve::run::RunFolder;
use serde::Serialize;

use crate::failure::Failure;
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

/// Lists the runs. A run folder that cannot be read is left out, with a note: the others are
/// listed all the same.
///
/// # Errors
/// If the folder of runs cannot be read.
pub fn runs(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let mut runs = Vec::new();
    for folder in RunFolder::list(&request.runs_folder)? {
        match status_of(&folder) {
            Ok(status) => runs.push(status),
            Err(failure) => handle.watcher().note(&format!("warning: {failure}")),
        }
    }
    Ok(Outcome { schema: "reshelve.runs/1", runs })
}
