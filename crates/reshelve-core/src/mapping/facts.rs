//! What the rules derive from a legacy document before anything is written: status, times, counts.

use super::ids::{self, Identity};
use super::legacy::{ChapterStatus, Legacy, NumberSet};
use super::options::{InFlight, OnUnknownStatus, Options, StatusPolicy};
use super::read::{float, sum, text};
use super::reject::{Reject, RejectCode};
use super::warning::{Path, WarningCode, Warnings};

/// The status of a job in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Requested, not started.
    Queued,
    /// Being written.
    Running,
    /// Written.
    Completed,
    /// Given up.
    Failed,
}

impl Status {
    /// The text in the target.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Running => "running",
            Status::Completed => "completed",
            Status::Failed => "failed",
        }
    }

    /// The status that a legacy status becomes; none for an unknown one.
    pub fn of_legacy(status: &[u8]) -> Option<Status> {
        match status {
            b"planning" | b"pending" | b"queued" => Some(Status::Queued),
            b"outlining" | b"writing" | b"recovering" | b"processing" | b"analyzing"
            | b"running" => Some(Status::Running),
            b"completed" => Some(Status::Completed),
            b"failed" | b"cancelled" => Some(Status::Failed),
            _ => None,
        }
    }

    /// Whether a job with this status is in flight.
    pub fn is_in_flight(self) -> bool {
        matches!(self, Status::Queued | Status::Running)
    }
}

/// The outcome of the status rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decided {
    pub(crate) status: Status,
    /// Whether it is failed only because it was in flight.
    pub(crate) cut_off: bool,
    /// Whether the document is left out.
    pub(crate) skipped: bool,
}

/// Applies table, unknown status, evidence and in flight, in this order.
pub(crate) fn decide_status(
    legacy: &Legacy<'_>,
    options: &Options,
    warnings: &mut Warnings,
) -> Result<Decided, Reject> {
    let root = Path::ROOT;
    let path = root.name("status");
    let mut status = match legacy.status.and_then(Status::of_legacy) {
        Some(status) => status,
        None if options.on_unknown_status == OnUnknownStatus::Failed => {
            warnings.add(WarningCode::UnknownStatus, &path);
            Status::Failed
        }
        None => return Err(unknown_status(legacy)),
    };
    if !status.is_in_flight()
        && let Some(evidence) = evidence(legacy)
        && evidence != status
    {
        warnings.add(WarningCode::StatusConflict, &path);
        if options.status_policy == StatusPolicy::Evidence {
            status = evidence;
        }
    }
    let in_flight = status.is_in_flight();
    let cut_off = in_flight && options.in_flight == InFlight::AsFailed;
    Ok(Decided {
        status: if cut_off { Status::Failed } else { status },
        cut_off,
        skipped: in_flight && options.in_flight == InFlight::Skip,
    })
}

fn unknown_status(legacy: &Legacy<'_>) -> Reject {
    let message = match legacy.status {
        Some(status) => {
            format!("the status {:?} is not known", String::from_utf8_lossy(status))
        }
        None => "the document has no status, or one that is not a string".into(),
    };
    Reject::new(RejectCode::UnknownStatus, message)
}

/// The status that the chapters are evidence of, where they are of any.
fn evidence(legacy: &Legacy<'_>) -> Option<Status> {
    let chapters = &legacy.chapters;
    if chapters.is_empty() {
        return None;
    }
    if chapters.iter().all(|chapter| chapter.status == ChapterStatus::Failed) {
        return Some(Status::Failed);
    }
    if chapters.iter().any(|chapter| chapter.status != ChapterStatus::Completed) {
        return None;
    }
    let written: NumberSet = chapters.iter().map(|chapter| chapter.number).collect();
    let all = legacy.outline.iter().all(|entry| written.contains(entry.number));
    all.then_some(Status::Completed)
}

/// Everything derived that several target documents share.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) identity: Identity,
    pub(crate) decided: Decided,
    pub(crate) created: i64,
    pub(crate) started: i64,
    pub(crate) end: i64,
    /// Legacy `updatedAt`, else `end`.
    pub(crate) updated: i64,
    /// `durationMs`, where the job has one.
    pub(crate) duration_ms: Option<f64>,
    pub(crate) chapters_completed: f64,
    pub(crate) chapters_failed: f64,
    pub(crate) total_words: f64,
    /// `summary.totalChaptersPlanned`.
    pub(crate) chapters_planned: f64,
    pub(crate) outline_written: bool,
}

impl Facts {
    pub(crate) fn new(
        legacy: &Legacy<'_>,
        identity: Identity,
        decided: Decided,
        warnings: &mut Warnings,
    ) -> Facts {
        let created = created(legacy, &identity, warnings);
        let started = phase_starts(legacy).filter(|at| *at >= created).min().unwrap_or(created);
        let end = end(legacy, created).max(started);
        let finished = !decided.status.is_in_flight();
        let count = |status| {
            float(legacy.chapters.iter().filter(|chapter| chapter.status == status).count())
        };
        let completed =
            || legacy.chapters.iter().filter(|chapter| chapter.status == ChapterStatus::Completed);
        Facts {
            identity,
            decided,
            created,
            started,
            end,
            updated: legacy.updated_at.unwrap_or(end),
            duration_ms: finished.then(|| milliseconds(end - started)),
            chapters_completed: count(ChapterStatus::Completed),
            chapters_failed: count(ChapterStatus::Failed),
            total_words: sum(completed().filter_map(|chapter| chapter.word_count)),
            chapters_planned: planned(legacy),
            outline_written: !legacy.outline.is_empty(),
        }
    }

    pub(crate) fn has_failed_chapters(&self) -> bool {
        self.chapters_failed > 0.0
    }
}

/// A span between two dates of the contract as the number that is written.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53")]
fn milliseconds(span: i64) -> f64 {
    span as f64
}

fn created(legacy: &Legacy<'_>, identity: &Identity, warnings: &mut Warnings) -> i64 {
    let inside_id = identity.seconds.map(|seconds| i64::from(seconds) * 1_000);
    legacy.created_at.or(inside_id).or(legacy.updated_at).unwrap_or_else(|| {
        let root = Path::ROOT;
        warnings.add(WarningCode::TimeMissing, &root.name("createdAt"));
        0
    })
}

fn phase_starts(legacy: &Legacy<'_>) -> impl Iterator<Item = i64> {
    legacy.metadata.iter().flat_map(|metadata| metadata.phase_start_times.iter().map(|(_, at)| *at))
}

fn end(legacy: &Legacy<'_>, created: i64) -> i64 {
    let last_activity = legacy.progress.last_activity;
    let last_chapter = || {
        legacy
            .chapters
            .iter()
            .filter(|chapter| chapter.status == ChapterStatus::Completed)
            .filter_map(|chapter| chapter.generated_at)
            .max()
    };
    // An administrator's clean-up of failed jobs touches only `updatedAt`.
    let touched = if legacy.status == Some(b"failed") {
        last_activity.max(legacy.updated_at)
    } else {
        last_activity.or(legacy.updated_at)
    };
    legacy.completed_at.or(touched).or_else(last_chapter).unwrap_or(created)
}

fn planned(legacy: &Legacy<'_>) -> f64 {
    if !legacy.outline.is_empty() {
        return float(legacy.outline.len());
    }
    legacy
        .progress
        .total_chapters
        .or_else(|| legacy.target_chapters_count())
        .unwrap_or_else(|| float(legacy.chapters.len()))
}

/// The stage at which a job failed: where the error was, else the last phase; `completed` is no
/// stage.
pub(crate) fn failure_stage<'a>(legacy: &Legacy<'a>) -> Option<&'a [u8]> {
    legacy.error.phase.or(text(legacy.current_phase)).filter(|stage| *stage != b"completed")
}

/// When the first outline entry was created, according to its ObjectId.
pub(crate) fn outline_made_at(legacy: &Legacy<'_>) -> Option<i64> {
    ids::object_id_ms(legacy.outline.first().and_then(|entry| entry.id))
}
