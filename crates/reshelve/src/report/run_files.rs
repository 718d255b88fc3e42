//! What the files of a run tell a comparison and a report.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use super::{QUOTED_BYTES_MAX, withheld};
use crate::ends::OnExisting;
use crate::parity::{LISTED_MAX, Reading, RejectedByTarget, VerifyRequest};
use crate::pass::{REJECTS_FILE, RejectReason, RejectRecord, read_rejects};
use crate::run::preflight::check_followed;
use crate::run::{Checkpoint, RunError, RunFolder};
use crate::store::{At, Lines, OpenFile, Scratch, StateError};

/// Compares what a run read with what it wrote.
///
/// # Errors
/// If a file of the run cannot be used.
pub(super) fn verify_request(folder: &RunFolder) -> Result<VerifyRequest, RunError> {
    let plan = folder.plan()?;
    check_followed(&plan, &folder.checkpoint()?)?;
    let reading = Reading {
        rejected: rejected_by_target(folder)?,
        only_rejects: plan.only_rejects,
        limit: plan.limit,
        ..Reading::new(plan.options.mapping())
    };
    let allow_existing = plan.on_existing != OnExisting::Refuse;
    Ok(VerifyRequest { allow_existing, ..VerifyRequest::new(reading) })
}

/// Documents that the mapping takes and the target did not: only the run knows them.
pub(super) fn rejected_by_target(folder: &RunFolder) -> Result<RejectedByTarget, RunError> {
    let checkpoint = folder.checkpoint()?;
    let mut listed: BTreeMap<String, u64> = BTreeMap::new();
    let mut jobs = RejectedByTarget::default();
    for record in reject_records(folder, &checkpoint)? {
        let record = record?;
        if record.code == RejectReason::TargetConflict.as_str() {
            jobs.conflicts.insert(record.job_key());
        } else if record.code == RejectReason::TargetRefused.as_str() {
            jobs.refused.insert(record.job_key());
        } else if record.is_repeated() {
            jobs.repeated.extend(record.hash.map(|hash| (record.position, hash)));
        }
        *listed.entry(record.code).or_default() += 1;
    }
    check_listed(folder, &checkpoint, &listed)?;
    Ok(jobs)
}

/// What is not compared because the list says so has to be what the run counted.
fn check_listed(
    folder: &RunFolder,
    checkpoint: &Checkpoint,
    listed: &BTreeMap<String, u64>,
) -> Result<(), RunError> {
    let counted = &checkpoint.totals.rejects;
    for code in counted.keys().chain(listed.keys()) {
        let counted = counted.get(code).map_or(0, |tally| tally.count);
        let listed = listed.get(code).copied().unwrap_or(0);
        if counted != listed {
            let path = folder.path().join(REJECTS_FILE);
            let detail = format!(
                "it lists {listed} documents as {code}, and checkpoint.json counts {counted}: one \
                 of them was changed after the run"
            );
            return Err(RunError::State { path, detail });
        }
    }
    Ok(())
}

/// The first rejects, cut to a length that can be quoted.
pub(super) fn first_rejects(
    folder: &RunFolder,
    checkpoint: &Checkpoint,
) -> Result<Vec<RejectRecord>, RunError> {
    let mut first = Vec::new();
    for record in reject_records(folder, checkpoint)?.take(LISTED_MAX) {
        first.push(quoted(record?));
    }
    Ok(first)
}

/// A reject cut to a length that can be quoted.
pub(super) fn quoted(mut record: RejectRecord) -> RejectRecord {
    record.message = cut(&record.message);
    let id = record.id.to_string();
    if id.len() > QUOTED_BYTES_MAX {
        record.id = cut(&id).into();
    }
    record
}

/// The list of rejects without anybody's text, in a file without a name; none if there is no list.
///
/// # Errors
/// If a file of the run cannot be used, or the file cannot be written.
pub fn withheld_rejects(
    folder: &RunFolder,
    scratch: &Scratch,
) -> Result<Option<Box<dyn OpenFile>>, RunError> {
    let checkpoint = folder.checkpoint()?;
    let lines = match read_rejects(folder.files(), folder.path(), checkpoint.rejects.jsonl) {
        Ok(lines) => lines,
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let file = scratch.file()?;
    let path = file.path().to_owned();
    let mut out = BufWriter::new(file);
    for record in lines {
        let mut record: RejectRecord = record?;
        withheld::withhold_reject(&mut record);
        let line = serde_json::to_vec(&record).map_err(io::Error::from);
        let written =
            line.and_then(|line| out.write_all(&line).and_then(|()| out.write_all(b"\n")));
        written.at("writing", &path)?;
    }
    let file = out.into_inner().map_err(io::IntoInnerError::into_error).at("writing", &path)?;
    Ok(Some(file))
}

/// The rejects of a run, in source order; a run that had nothing to do wrote no list.
pub(super) fn reject_records(
    folder: &RunFolder,
    checkpoint: &Checkpoint,
) -> Result<impl Iterator<Item = Result<RejectRecord, StateError>> + use<>, RunError> {
    let lines = read_rejects(folder.files(), folder.path(), checkpoint.rejects.jsonl);
    let lines: Option<Lines<RejectRecord>> = match lines {
        Ok(lines) => Some(lines),
        Err(error) if error.is_absent() => None,
        Err(error) => return Err(error.into()),
    };
    Ok(lines.into_iter().flatten())
}

/// A text of at most [`QUOTED_BYTES_MAX`] bytes; a document may have an `_id` of any length.
fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(QUOTED_BYTES_MAX);
    if end == text.len() { text.to_owned() } else { format!("{}…", &text[..end]) }
}
