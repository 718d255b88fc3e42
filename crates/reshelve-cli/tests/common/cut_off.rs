//! What a run leaves that was killed while it wrote.

use reshelve_core::raw::{Document, Value};

use crate::common::{Outcome, Place, Tree, split_whole};

/// What the only run left, after it was killed while it wrote: it may have kept a part of the events
/// of a job, as nothing told whose they were.
pub(crate) fn outcome_after_kills(place: &Place, target: &str) -> Outcome {
    let mut outcome = place.outcome(target);
    outcome.kept.retain(|name, bytes| !is_cut_off_write(name, bytes, &outcome.target));
    outcome
}

/// Whether this is such a part: the target has the same bytes now, and more events of the last job.
fn is_cut_off_write(name: &str, bytes: &[u8], target: &Tree) -> bool {
    let is_of_events = |name: &str| name.contains("novel_job_events.bson");
    if name == "cut-off/" {
        return true;
    }
    let mut events = target.iter().filter(|(name, _)| is_of_events(name));
    name.starts_with("cut-off/")
        && is_of_events(name)
        && events.any(|(file, now)| {
            let has_it = now.windows(bytes.len().max(1)).any(|it| it == bytes);
            has_it
                && (file.ends_with(".gz")
                    || last_job(bytes).is_some_and(|job| job.1 < events_of(now, &job.0)))
        })
}

/// The job of the last whole event, and how many events of it there are.
fn last_job(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let job = split_whole(bytes).0.last().and_then(|event| job_id(event))?.to_vec();
    let events = events_of(bytes, &job);
    Some((job, events))
}

fn events_of(bytes: &[u8], job: &[u8]) -> usize {
    split_whole(bytes).0.iter().filter(|event| job_id(event) == Some(job)).count()
}

fn job_id(document: &[u8]) -> Option<&[u8]> {
    Document::new(document).get("jobId").and_then(Value::string)
}
