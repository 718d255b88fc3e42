//! Running the engine, and ending a run.

use super::checkpoint::{Checkpoint, Totals};
use super::engine::{Context, Ended, Engine, Outturn};
use super::journal;
use super::plan::Plan;
use super::run_folder::RunFolder;
use super::start::{Report, Stop};
use super::states::State;
use super::{Observer, RunError};
use crate::ends::{
    Action, DamageKind, Destination, EndError, Held, Opened, Position, WrittenJob, WrittenJobs,
};

/// Runs the engine with the sink that the plan asks for, and ends the run.
pub(super) fn execute(
    context: &Context<'_>,
    mut opened: Opened,
    destination: &mut dyn Destination,
    from: Checkpoint,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    let claim = context.plan.claim(context.folder);
    let members = destination.members();
    let mut sink = destination.sink(&claim, &from.target, context.jobs)?;
    let from = (from, opened.first);
    let engine = Engine::new(context, sink.as_mut(), observer, from, members)?;
    let mut outturn = engine.run(&mut opened)?;
    if context.plan.apply && matches!(outturn.ended, Ended::AtEnd) {
        sink.finish()?;
        outturn.checkpoint.target = sink.position();
    }
    drop(sink);
    end(context, outturn, destination)
}

/// Writes down how the engine ended.
fn end(
    context: &Context<'_>,
    outturn: Outturn,
    destination: &mut dyn Destination,
) -> Result<Report, RunError> {
    let Outturn { ended, mut checkpoint, mut saving } = outturn;
    let stop = match ended {
        Ended::AtEnd => {
            let replaced = context.plan.apply && checkpoint.totals.replaced > 0;
            checkpoint.is_finishing = replaced && destination.finishes();
            saving.save(&checkpoint)?;
            return finish(context.plan, context.folder, checkpoint, destination);
        }
        Ended::Interrupted => Stop::Interrupted,
        Ended::Cancelled => Stop::Cancelled,
        Ended::FirstReject => Stop::FirstReject,
        Ended::InFlight { job } => Stop::InFlight { job },
        Ended::Damaged(damage) => Stop::Damaged(damage),
    };
    match &stop {
        Stop::Damaged(damage) => {
            checkpoint.enter(State::Failed)?;
            checkpoint.reason = Some(damage.to_string());
            checkpoint.in_doubt = damage.earlier_in_doubt && damage.kind != DamageKind::Io;
        }
        Stop::InFlight { job } => {
            checkpoint.enter(State::Interrupted)?;
            checkpoint.reason = Some(undecided(job));
        }
        Stop::Cancelled => checkpoint.enter(State::Cancelled)?,
        _ => checkpoint.enter(State::Interrupted)?,
    }
    saving.save(&checkpoint)?;
    if context.plan.apply {
        destination.leave()?;
    }
    Ok(Report { plan: context.plan.clone(), folder: context.folder.clone(), checkpoint, stop })
}

/// Why a run stopped before a job in flight.
pub(super) fn undecided(job: &str) -> String {
    format!("the job {job} is in flight (queued or running), and no --in-flight decision was made")
}

/// Does what is left to do when all documents are written, and closes the run: nothing of it is
/// needed to go on any more.
pub(super) fn finish(
    plan: &Plan,
    folder: &RunFolder,
    mut checkpoint: Checkpoint,
    destination: &mut dyn Destination,
) -> Result<Report, RunError> {
    if checkpoint.is_finishing {
        take_out_replaced(plan, folder, &mut checkpoint, destination)?;
    }
    if plan.apply {
        let Totals { documents, events, .. } = checkpoint.totals;
        let jobs = documents.written + documents.unchanged;
        let held = Held { position: checkpoint.target.clone(), jobs, events };
        let written = Written { folder, end: checkpoint.journal.records };
        let claim = plan.claim(folder);
        destination.check_held(&claim, &held, &written)?;
        destination.note_end(&claim, documents.written)?;
    }
    let part = plan.part(checkpoint.totals.documents.read);
    checkpoint.enter(if part.is_some() { State::Partial } else { State::Done })?;
    checkpoint.is_finishing = false;
    checkpoint.reason = None;
    checkpoint.in_doubt = false;
    folder.write_checkpoint(&checkpoint)?;
    remove_ids(folder)?;
    if plan.apply {
        destination.unlock()?;
    }
    Ok(Report { plan: plan.clone(), folder: folder.clone(), checkpoint, stop: Stop::Done })
}

/// The jobs that a run wrote, by its journal.
struct Written<'r> {
    folder: &'r RunFolder,
    end: u64,
}

impl WrittenJobs for Written<'_> {
    fn each(
        &self,
        give: &mut dyn FnMut(WrittenJob) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        journal::written(self.folder, self.end)?.each(|job| {
            let events = (job.action != Action::Replace).then_some(job.events);
            give(WrittenJob { id: job.id, events })
        })
    }
}

/// Has the target take out what was replaced; each step of it is checkpointed.
fn take_out_replaced(
    plan: &Plan,
    folder: &RunFolder,
    checkpoint: &mut Checkpoint,
    destination: &mut dyn Destination,
) -> Result<(), RunError> {
    let replaced = journal::replaced(folder, checkpoint.journal.records)?;
    let from = checkpoint.target.clone();
    let mut save = |position: &Position| {
        checkpoint.target = position.clone();
        Ok(folder.write_checkpoint(checkpoint)?)
    };
    let finished = destination.finish(&plan.claim(folder), &replaced, &from, &mut save)?;
    checkpoint.target = finished;
    Ok(())
}

/// A run that failed says why, as far as the disk still takes it.
pub(super) fn note_failure(
    folder: &RunFolder,
    destination: &mut dyn Destination,
    result: Result<Report, RunError>,
) -> Result<Report, RunError> {
    if let Err(error) = &result {
        if let RunError::Disk(_) | RunError::End(_) = error
            && let Ok(mut checkpoint) = folder.checkpoint()
            // A process was at work on it. A run that is done takes no step any more, whatever
            // tidying up met: its list of ids may be gone.
            && checkpoint.enter(State::Running).is_ok()
            && checkpoint.enter(State::Failed).is_ok()
        {
            checkpoint.reason = Some(error.to_string());
            // The first error is the one to tell.
            drop(folder.write_checkpoint(&checkpoint));
        }
        drop(destination.leave());
    }
    result
}

/// A run that was done, but perhaps killed before it had tidied up.
pub(super) fn tidy(
    plan: Plan,
    folder: &RunFolder,
    checkpoint: Checkpoint,
    destination: &mut dyn Destination,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    observer.note("the run was done already");
    folder.remove_leftovers()?;
    if plan.apply {
        destination.tidy(&plan.claim(folder))?;
    }
    remove_ids(folder)?;
    Ok(Report { plan, folder: folder.clone(), checkpoint, stop: Stop::Done })
}

/// The list of ids that only a run that is resumed needs.
fn remove_ids(folder: &RunFolder) -> Result<(), RunError> {
    let path = folder.ids_file();
    if folder.files().exists(&path)? {
        folder.files().remove_file(&path)?;
    }
    Ok(())
}
