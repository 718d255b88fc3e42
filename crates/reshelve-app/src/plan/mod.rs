//! Plans: a dry run is saved to be approved, and carried out as it was approved.

mod build;
mod carry_out;
mod options;
mod parts;
mod save;
mod show;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reshelve::ends::{self, CollectionChecksum, Destination, TargetReader};
use reshelve::plan::{Carrying, PlanDestination, PlanError, Role, SavedPlan, state_of};
use reshelve::run::{FromPlan, Stop};
use reshelve::store::Disk;
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::{Handle, Reading};
use crate::hints;
use crate::run::Outcome;
use crate::text::{counted, number};

pub use carry_out::{CarryOut, carry_out};
pub use options::Given;
pub(crate) use save::refuse_resume;
pub use save::save;
pub use show::{KeysFound, Show, Shown, show};

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "differences")]
#[non_exhaustive]
pub enum PlanState {
    /// It was saved.
    Saved,
    /// The run that carries it out is not done.
    Pending,
    /// The target holds what the plan says.
    Reached,
    /// It does not.
    Missed(Vec<Difference>),
}

/// A part of a plan, as it was saved and as it is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which part.
    pub part: String,
    /// What the plan says.
    pub planned: String,
    /// What is found.
    pub found: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Difference { part, planned, found } = self;
        write!(formatter, "{part}: {planned} in the plan, {found} now")
    }
}

/// The plan that a run made, or carries out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanNote {
    /// Its hash, which is its name.
    pub hash: String,
    /// Its file.
    pub file: PathBuf,
    /// What became of it.
    #[serde(flatten)]
    pub state: PlanState,
}

impl PlanNote {
    pub(crate) fn pending(from_plan: &FromPlan) -> PlanNote {
        let FromPlan { hash, file, .. } = from_plan;
        PlanNote { hash: hash.clone(), file: file.clone(), state: PlanState::Pending }
    }

    /// Whether the run is done, and the target does not hold what the plan says.
    pub fn is_missed(&self) -> bool {
        matches!(self.state, PlanState::Missed(_))
    }
}

/// The target of a run that is resumed, and carries a plan out.
pub(crate) fn again<'p>(
    from_plan: &FromPlan,
    destination: &'p mut dyn Destination,
) -> PlanDestination<'p> {
    let carrying = Carrying { files: Arc::new(Disk), from_plan: from_plan.clone(), expected: None };
    PlanDestination { inner: destination, role: Role::Carrying(carrying) }
}

/// Compares what a run has reached with the plan that it carries out, if it is done.
///
/// # Errors
/// If the target cannot be read: the run is done all the same, and resuming it compares again.
pub(crate) fn compared(outcome: Outcome, target: &dyn TargetReader) -> Result<Outcome, Failure> {
    let report = &outcome.report;
    let Some(from_plan) = report.plan.from_plan.clone() else { return Ok(outcome) };
    if !matches!(report.stop, Stop::Done) {
        return Ok(outcome);
    }
    let found = state_of(target).map_err(|error| {
        let folder = report.folder.path();
        let message = format!("the run is done, and what it has reached cannot be read: {error}");
        Failure { hint: Some(hints::plans::compare_again(folder)), ..Failure::failed(message) }
    })?;
    let mut differences = differences_of(&from_plan.reaches, &found);
    let read = &report.checkpoint.source_hash;
    if let Some(checked) = from_plan.source_hash.clone().filter(|checked| checked != read) {
        differences.push(Difference {
            part: "the documents that were read".to_owned(),
            planned: format!("running hash {checked}"),
            found: format!("running hash {read}"),
        });
    }
    let state = match differences.is_empty() {
        true => PlanState::Reached,
        false => PlanState::Missed(differences),
    };
    outcome.with_plan(PlanNote { state, ..PlanNote::pending(&from_plan) })
}

/// Which collections do not hold what a plan says.
fn differences_of(
    planned: &reshelve::plan::Collections,
    found: &reshelve::plan::Collections,
) -> Vec<Difference> {
    let differences = ends::differences(planned, found).into_iter();
    let for_people = differences.map(|it| Difference {
        part: it.collection.to_owned(),
        planned: words(it.planned),
        found: words(&it.found),
    });
    for_people.collect()
}

/// A checksum for people.
fn words(checksum: &CollectionChecksum) -> String {
    let CollectionChecksum { documents, bytes, checksum } = checksum;
    format!("{}, {} bytes, checksum {checksum}", counted(*documents, "document"), number(*bytes))
}

/// `--plan` with `--save-plan`.
pub fn both() -> Failure {
    let message = "--plan carries a plan out, and --save-plan saves one";
    Failure::usage(message, hints::plans::PLAN_OR_SAVE)
}

/// `--plan` without `--apply`.
pub fn without_apply() -> Failure {
    let message = "--plan carries a plan out, and writes: it needs --apply";
    Failure::usage(message, hints::plans::PLAN_NEEDS_APPLY)
}

/// Reads a plan, which must be as it was saved.
fn read(file: &Path) -> Result<SavedPlan, Failure> {
    SavedPlan::read(&Disk, file).map_err(|error| match &error {
        PlanError::Disk(disk) if disk.is_absent() => {
            Failure::usage(error.to_string(), hints::plans::NO_PLAN)
        }
        _ => error.into(),
    })
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let message = error.to_string();
        match error {
            PlanError::End(error) => error.into(),
            PlanError::Disk(error) => error.into(),
            PlanError::NotAPlan { .. } => Failure::usage(message, hints::plans::NO_PLAN),
            PlanError::Edited { .. } => Failure::refused(message, hints::plans::EDITED),
            PlanError::Interrupted => Failure {
                code: ExitCode::Interrupted,
                hint: Some(hints::plans::NOTHING_WRITTEN.to_owned()),
                message: "interrupted while the source was read for the plan".to_owned(),
            },
            _ => Failure::failed(message),
        }
    }
}

/// Tells how far a source is read.
fn tell(handle: &Handle) -> impl FnMut(u64, u64, Option<u64>) {
    |documents, file_bytes, file_bytes_total| {
        handle.watcher().reading(Reading { documents, file_bytes, file_bytes_total });
    }
}
