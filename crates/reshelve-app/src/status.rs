//! `status`: the state of one run.

use reshelve::run::{DocumentCounts, RunFolder, State};
use serde::Serialize;

use crate::failure::Failure;
use crate::handle::Handle;
use crate::options::RunName;
use crate::states;

/// What `status` is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// The run.
    pub run: RunName,
}

/// The state of a run; as JSON, `reshelve.status/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    schema: &'static str,
    /// The state.
    #[serde(flatten)]
    pub status: RunStatus,
}

/// The state of a run.
#[derive(Clone, Debug, Serialize)]
pub struct RunStatus {
    /// Its id.
    pub run: String,
    /// Its folder.
    pub folder: String,
    /// Whether it writes.
    pub applied: bool,
    /// The state in a word: `killed` if a run has not ended and no process is at work on it.
    pub state: &'static str,
    /// Whether it covers a part of its source only, so far or by its options.
    pub partial: bool,
    /// Why it stopped.
    pub reason: Option<String>,
    /// Whether `resume` would continue it.
    pub can_be_resumed: bool,
    /// When it began, as ISO text.
    pub begun_at: String,
    /// The source, without credentials.
    pub source: String,
    /// The target, without credentials.
    pub target: String,
    /// What became of its documents, up to the last checkpoint.
    pub documents: DocumentCounts,
    /// Events of the mapped documents.
    pub events: u64,
    /// Bytes of the source documents read.
    pub bytes_read: u64,
    /// Bytes of the target documents written.
    pub bytes_written: u64,
    /// Time spent, in all processes of the run.
    pub elapsed_ms: u64,
}

/// Looks at a run.
///
/// # Errors
/// If there is no such run, or its files cannot be used.
pub fn status(request: &Request, _handle: &Handle) -> Result<Outcome, Failure> {
    let folder = request.run.find()?;
    Ok(Outcome { schema: "reshelve.status/1", status: status_of(&folder)? })
}

pub(crate) fn status_of(folder: &RunFolder) -> Result<RunStatus, Failure> {
    let plan = folder.plan()?;
    let checkpoint = folder.checkpoint()?;
    let state = checkpoint.state.found(folder.is_held());
    let totals = checkpoint.totals;
    Ok(RunStatus {
        folder: folder.path().display().to_string(),
        applied: plan.apply,
        state: state.as_str(),
        partial: state != State::Done,
        reason: checkpoint.reason,
        can_be_resumed: states::is_resumable(state),
        begun_at: plan.begun_at,
        source: plan.source.path.display().to_string(),
        target: plan.target.name(),
        documents: totals.documents,
        events: totals.events,
        bytes_read: totals.bytes_read,
        bytes_written: totals.bytes_written,
        elapsed_ms: checkpoint.elapsed_ms,
        run: plan.run,
    })
}
