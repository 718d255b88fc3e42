//! What a run checks itself before it starts: the source.

use super::checkpoint::Checkpoint;
use super::{Plan, Refusal, RunError, RunRequest, State};
use crate::ends::{Opened, Oplog, Origin};
use reshelve_core::mapping::{InFlight, Status};

/// Where documents are in flight, a run that writes needs a decision.
pub(super) fn check_in_flight(
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

/// A run that is resumed keeps to what was decided, as documents before may have followed it. A dry
/// run for which nothing was decided has included them.
pub(super) fn check_decision(plan: &Plan, asked: Option<InFlight>) -> Result<(), RunError> {
    let assumed = if plan.apply { None } else { Some(InFlight::default()) };
    match (plan.options.in_flight.or(assumed), asked) {
        (Some(decided), Some(asked)) if decided != asked => {
            Err(Refusal::InFlightDecided { decided, asked }.into())
        }
        _ => Ok(()),
    }
}

/// The decision of a run is what its documents followed.
pub(crate) fn check_followed(plan: &Plan, from: &Checkpoint) -> Result<(), RunError> {
    let decided = plan.options.in_flight;
    match from.in_flight {
        Some(followed) if decided != Some(followed) => {
            Err(Refusal::DecisionLost { followed }.into())
        }
        _ => Ok(()),
    }
}

/// Where the dump has an oplog with entries of the collection, its documents may be older than the
/// data: a run that writes needs a decision.
pub(super) fn check_oplog(request: &RunRequest, opened: &Opened) -> Result<(), RunError> {
    if !request.apply || request.ignore_oplog {
        return Ok(());
    }
    match opened.description.oplog {
        Oplog::Absent | Oplog::Entries(0) => Ok(()),
        Oplog::Entries(count) => Err(Refusal::Oplog { count }.into()),
        Oplog::Unknown => Err(Refusal::OplogUnknown.into()),
    }
}

/// A source of the same form that is smaller than it was may have lost documents that nobody would
/// miss: none of them were read. If the run stopped because something was wrong, it may have been
/// mended meanwhile.
pub(super) fn check_size(
    plan: &Plan,
    had_failed: bool,
    opened: Opened,
) -> Result<Opened, RunError> {
    match lengths(plan, had_failed, &opened) {
        Some((before, now)) if now < before => {
            let detail = format!("it has {now} bytes, and had {before} when the run began");
            Err(Refusal::OtherSource { detail }.into())
        }
        _ => Ok(opened),
    }
}

/// What people have to know of a source that has another length than when the run began, though what
/// was read of it may be the same.
pub(super) fn other_size(plan: &Plan, had_failed: bool, opened: &Opened) -> Option<String> {
    let (before, now) = lengths(plan, had_failed, opened)?;
    (now != before).then(|| {
        format!(
            "warning: the source has {now} bytes, and had {before} when the run began: the part that \
             was read before is checked, the rest cannot be"
        )
    })
}

/// How many bytes the source had when the run began, and has now, where these can be compared: not
/// after the run `had_failed`, as it may have been mended.
fn lengths(plan: &Plan, had_failed: bool, opened: &Opened) -> Option<(u64, u64)> {
    let planned = &plan.source;
    let is_same_form = planned.live.is_none() && planned.form == opened.description.form_words();
    let lengths = planned.bytes.zip(opened.description.bytes_total);
    lengths.filter(|_| is_same_form && !had_failed)
}

/// Refuses a step that the table of states does not have.
pub(crate) fn check_step(plan: &Plan, state: State, to: State) -> Result<(), RunError> {
    if state != to && state.step_to(to).is_none() {
        return Err(Refusal::Step { run: plan.run.clone(), state, to }.into());
    }
    Ok(())
}
