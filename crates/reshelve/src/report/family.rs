//! A run and its retries, the runs that took again what it rejected: what they are all together.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use serde::Serialize;

use super::run_files::{reject_records, rejected_by_target, verify_request};
use crate::parity::{
    LISTED_MAX, Reading, RejectedByTarget, RetryRequest, Verification, VerifyRequest,
};
use crate::pass::{EXAMPLES_MAX, Example, RejectRecord, Tallies, Tally};
use crate::run::{Checkpoint, Plan, RunError, RunFolder, Totals};
use crate::store::Key;

/// One of several runs that are reported as one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    /// What was run on what: its `run.json`.
    pub plan: Plan,
    /// How it went: its `checkpoint.json`.
    pub checkpoint: Checkpoint,
}

/// What to compare for a run and its retries, oldest first: the request of the run, and what is known
/// of each retry.
///
/// # Errors
/// If a file of one of the runs cannot be used.
pub fn family_request(
    first: &RunFolder,
    retries: &[RunFolder],
) -> Result<(VerifyRequest, Vec<RetryRequest>), RunError> {
    let mut request = verify_request(first)?;
    let mut folders = vec![(first.plan()?.run, first)];
    let mut requests = Vec::new();
    let known = known_ids(first)?;
    for folder in retries {
        let plan = folder.plan()?;
        let parent = folders.iter().find(|(run, _)| Some(run.as_str()) == plan.parent());
        let parent = parent.map(|(_, folder)| folder.path().to_owned());
        let rejected = rejected_by_target(folder)?;
        // What a retry met with a target that refused it is no document that the first run wrote.
        let RejectedByTarget { conflicts, refused, .. } = &mut request.reading.rejected;
        conflicts.extend(rejected.conflicts.intersection(&known));
        refused.extend(rejected.refused.intersection(&known));
        let checkpoint = folder.checkpoint()?;
        let carried_over = checkpoint.totals.documents.mapped;
        requests.push(RetryRequest {
            run: plan.run.clone(),
            reading: Reading {
                rejected,
                only_rejects: parent.or(plan.only_rejects.map(|was| moved_with(folder, was))),
                limit: plan.limit,
                ..Reading::new(plan.options.mapping())
            },
            carried_over: checkpoint.state.is_ended().then_some(carried_over),
        });
        folders.push((plan.run, folder));
    }
    Ok((request, requests))
}

/// The folder of the run whose rejects a run took again, which is not among those that are reported:
/// where it was, or beside the run if all of them were moved.
fn moved_with(folder: &RunFolder, was: PathBuf) -> PathBuf {
    let beside = folder.path().parent().zip(was.file_name()).map(|(runs, name)| runs.join(name));
    beside.filter(|beside| !was.exists() && beside.exists()).unwrap_or(was)
}

/// The jobs that a run rejected, by their keys; not those that it had carried over with another
/// document of the same `_id`.
fn known_ids(folder: &RunFolder) -> Result<HashSet<Key>, RunError> {
    let mut known = HashSet::new();
    for record in reject_records(folder, &folder.checkpoint()?)? {
        let record = record?;
        if record.is_known_by_id() {
            known.insert(record.job_key());
        }
    }
    Ok(known)
}

/// What is left of the rejects of a run and its retries.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) tallies: Tallies,
    pub(super) first: Vec<RejectRecord>,
}

/// Of how many rejects of retries the texts are kept, of which the first are shown.
const TEXTS_MAX: usize = 1_000;

/// The rejects of a run without those that a retry carried over, each as the last retry says that
/// took it.
pub(super) fn left(
    folders: &[RunFolder],
    checkpoints: &[Checkpoint],
    verification: &Verification,
) -> Result<Left, RunError> {
    let mut runs = folders.iter().zip(checkpoints);
    let Some((first, of_first)) = runs.next() else { return Ok(Left::default()) };
    // Codes are few; the texts of the first ones are all that is shown.
    let mut codes: Vec<String> = Vec::new();
    let mut later: HashMap<Key, usize> = HashMap::new();
    let mut texts: HashMap<Key, (String, String)> = HashMap::new();
    for (folder, checkpoint) in runs {
        for record in reject_records(folder, checkpoint)? {
            let record = record?;
            let key = record.job_key();
            if !record.is_known_by_id() || verification.carried_over.contains(&key) {
                continue;
            }
            let record = super::run_files::quoted(record);
            let known = codes.iter().position(|code| *code == record.code);
            let at = known.unwrap_or_else(|| {
                codes.push(record.code);
                codes.len() - 1
            });
            later.insert(key, at);
            if texts.len() < TEXTS_MAX || texts.contains_key(&key) {
                texts.insert(key, (record.path, record.message));
            }
        }
    }
    let mut left = Left::default();
    for record in reject_records(first, of_first)? {
        let mut record = record?;
        if record.is_known_by_id() {
            let key = record.job_key();
            if verification.carried_over.contains(&key) {
                continue;
            }
            if let Some(at) = later.get(&key) {
                record.code.clone_from(&codes[*at]);
            }
            if let Some((path, message)) = texts.get(&key) {
                record.path.clone_from(path);
                record.message.clone_from(message);
            }
        }
        let tally = left.tallies.entry(record.code.clone()).or_default();
        tally.count += 1;
        if tally.examples.len() < EXAMPLES_MAX {
            tally.examples.push(Example { job: record.job(), path: record.path.clone() });
        }
        if left.first.len() < LISTED_MAX {
            left.first.push(super::run_files::quoted(record));
        }
    }
    Ok(left)
}

/// The checkpoint of a run and its retries all together; without a comparison, what each of them
/// counted.
pub(super) fn together(
    checkpoints: &[Checkpoint],
    verification: Option<&Verification>,
) -> Checkpoint {
    let mut all = checkpoints.first().cloned().unwrap_or_default();
    for retry in checkpoints.iter().skip(1) {
        add(&mut all.totals, &retry.totals);
        all.elapsed_ms += retry.elapsed_ms;
        all.peak_rss_bytes = all.peak_rss_bytes.max(retry.peak_rss_bytes);
        all.in_doubt |= retry.in_doubt;
        all.target = retry.target.clone();
        if all.reason.is_none() {
            all.reason.clone_from(&retry.reason);
        }
        if all.state.is_ended() && !retry.state.is_ended() {
            all.state = retry.state;
        }
    }
    if let Some(verification) = verification {
        let counts = &verification.survey.counts;
        let documents = &mut all.totals.documents;
        documents.mapped = counts.jobs();
        documents.unchanged = counts.jobs().saturating_sub(documents.written);
        documents.skipped = counts.skipped;
        documents.rejected = counts.rejected;
    }
    all
}

/// Adds what a retry counted. What it read, the first run had read.
fn add(all: &mut Totals, retry: &Totals) {
    all.documents.mapped += retry.documents.mapped;
    all.documents.written += retry.documents.written;
    all.documents.unchanged += retry.documents.unchanged;
    all.documents.skipped += retry.documents.skipped;
    all.events += retry.events;
    all.bytes_read += retry.bytes_read;
    all.bytes_mapped += retry.bytes_mapped;
    all.bytes_written += retry.bytes_written;
    all.residue_bytes += retry.residue_bytes;
    all.replaced += retry.replaced;
    for (code, tally) in &retry.warnings {
        let Tally { count, examples } = all.warnings.entry(code.clone()).or_default();
        *count += tally.count;
        let room = EXAMPLES_MAX.saturating_sub(examples.len());
        examples.extend(tally.examples.iter().take(room).cloned());
    }
}
