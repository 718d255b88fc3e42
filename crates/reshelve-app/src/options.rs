//! What several commands are asked alike: the decisions of the mapping, the size of batches, which
//! run is meant.

use std::path::PathBuf;

use reshelve::ends::{BATCH_BYTES_DEFAULT, BATCH_DOCS_DEFAULT, BatchLimits};
use reshelve::run::{CHECKPOINT_BYTES_DEFAULT, RunError, RunFolder, State};
use reshelve_core::mapping::{InFlight, OnUnknownStatus, Options, StatusPolicy};
use serde_json::json;

use crate::failure::Failure;
use crate::hints;
use crate::outside;
use crate::states::{self, Answer, Command};

/// A live target is asked a few questions for each batch: there, larger ones are faster.
pub const LIVE_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The decisions of the mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MappingOptions {
    /// What to do with jobs in flight; none if nobody decided.
    pub in_flight: Option<InFlight>,
    /// What counts if the status contradicts the chapters.
    pub status_policy: StatusPolicy,
    /// What to do with documents that have an unknown status.
    pub on_unknown_status: OnUnknownStatus,
}

impl From<Options> for MappingOptions {
    fn from(options: Options) -> Self {
        MappingOptions {
            in_flight: Some(options.in_flight),
            status_policy: options.status_policy,
            on_unknown_status: options.on_unknown_status,
        }
    }
}

impl MappingOptions {
    /// The same for a command that needs no decision on jobs in flight.
    pub(crate) fn options(self) -> Options {
        Options {
            on_unknown_status: self.on_unknown_status,
            status_policy: self.status_policy,
            in_flight: self.in_flight.unwrap_or_default(),
        }
    }
}

/// The decisions of the mapping that were made; the others are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenOptions {
    /// What to do with jobs in flight.
    pub in_flight: Option<InFlight>,
    /// What counts if the status contradicts the chapters.
    pub status_policy: Option<StatusPolicy>,
    /// What to do with documents that have an unknown status.
    pub on_unknown_status: Option<OnUnknownStatus>,
}

impl GivenOptions {
    /// Whether no decision was made.
    pub(crate) fn is_empty(self) -> bool {
        self == GivenOptions::default()
    }

    /// Whether none is open.
    pub(crate) fn is_whole(self) -> bool {
        self.in_flight.is_some() && self.status_policy.is_some() && self.on_unknown_status.is_some()
    }

    /// These decisions, and for those that are open the others.
    pub(crate) fn or(self, others: Options) -> Options {
        Options {
            on_unknown_status: self.on_unknown_status.unwrap_or(others.on_unknown_status),
            status_policy: self.status_policy.unwrap_or(others.status_policy),
            in_flight: self.in_flight.unwrap_or(others.in_flight),
        }
    }
}

/// Decisions as the flags that make them.
pub(crate) fn flags(options: Options) -> String {
    let Options { on_unknown_status, status_policy, in_flight } = options;
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    format!(
        "--in-flight {} --status-policy {} --on-unknown-status {}",
        word(json!(in_flight)),
        word(json!(status_policy)),
        word(json!(on_unknown_status))
    )
}

/// How a run divides its work; none of it changes a byte of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// Most documents in a batch.
    pub docs_max: usize,
    /// Most bytes in a batch; none for what suits the target.
    pub bytes_max: Option<usize>,
    /// Mapping threads; none for one per core.
    pub threads: Option<usize>,
    /// A checkpoint is due after this many target bytes.
    pub checkpoint_bytes: u64,
}

impl Default for BatchOptions {
    fn default() -> Self {
        BatchOptions {
            docs_max: BATCH_DOCS_DEFAULT,
            bytes_max: None,
            threads: None,
            checkpoint_bytes: CHECKPOINT_BYTES_DEFAULT,
        }
    }
}

impl BatchOptions {
    pub(crate) fn limits(self, is_live: bool) -> BatchLimits {
        let usual = if is_live { LIVE_BATCH_BYTES } else { BATCH_BYTES_DEFAULT };
        BatchLimits { docs_max: self.docs_max, bytes_max: self.bytes_max.unwrap_or(usual) }
    }

    pub(crate) fn threads(self) -> usize {
        threads(self.threads)
    }
}

/// As many mapping threads as were asked for, else one for each core.
pub(crate) fn threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Which member of a replica set is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadPreference {
    /// The primary.
    Primary,
    /// The primary, else a secondary.
    PrimaryPreferred,
    /// A secondary.
    Secondary,
    /// A secondary, else the primary.
    SecondaryPreferred,
    /// The member that answers fastest.
    Nearest,
}

impl From<ReadPreference> for reshelve_mongo::ReadPreference {
    fn from(value: ReadPreference) -> Self {
        let options = None;
        match value {
            ReadPreference::Primary => Self::Primary,
            ReadPreference::PrimaryPreferred => Self::PrimaryPreferred { options },
            ReadPreference::Secondary => Self::Secondary { options },
            ReadPreference::SecondaryPreferred => Self::SecondaryPreferred { options },
            ReadPreference::Nearest => Self::Nearest { options },
        }
    }
}

/// The name that means the newest run.
const LATEST: &str = "latest";

/// How many runs a message names, if a name may mean several.
const NAMED_MAX: usize = 5;

/// A run, as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunName {
    /// Its id, a unique beginning of its id, `latest` for the newest, or its folder.
    pub name: String,
    /// The folder of run folders.
    pub runs_folder: PathBuf,
}

impl RunName {
    /// The newest run of a folder.
    pub fn latest(runs_folder: impl Into<PathBuf>) -> RunName {
        RunName { name: LATEST.to_owned(), runs_folder: runs_folder.into() }
    }

    /// Finds the run. A name that is an id, or leads to a folder, is no beginning of another id.
    pub(crate) fn find(&self) -> Result<RunFolder, Failure> {
        outside::check("--runs-dir", &self.runs_folder)?;
        outside::check("RUN", &self.name)?;
        match self.name.trim() {
            "" => Err(Failure::usage("the name of the run is empty", hints::NAME_A_RUN)),
            LATEST => self.newest(),
            _ => match RunFolder::find(&self.runs_folder, &self.name) {
                Err(RunError::NoSuchRun { .. }) => self.begun_with(),
                found => Ok(found?),
            },
        }
    }

    /// The newest run whose folder has the name that the run was given: a folder with another name
    /// is a copy, and where it stands among the others says nothing of its age.
    fn newest(&self) -> Result<RunFolder, Failure> {
        for folder in RunFolder::list(&self.runs_folder)?.into_iter().rev() {
            if id_of(&folder) == folder.plan()?.run {
                return Ok(folder);
            }
        }
        let message = format!("there are no runs in {}", self.runs_folder.display());
        Err(Failure::usage(message, hints::WHERE_RUNS_ARE))
    }

    /// What should be known of the run that `latest` names, if that may surprise: another run has a
    /// later date in its id.
    pub fn remark(&self) -> Option<String> {
        if self.name.trim() != LATEST {
            return None;
        }
        let newest = id_of(&self.newest().ok()?);
        let is_own = |folder: &RunFolder| folder.plan().is_ok_and(|plan| plan.run == id_of(folder));
        let own = RunFolder::list(&self.runs_folder).ok()?.into_iter().filter(is_own);
        let other = own.map(|folder| id_of(&folder)).max().filter(|other| *other > newest)?;
        Some(format!(
            "note: latest is {newest}, which was begun after {other}: the clock was set back between \
             them"
        ))
    }

    /// The run that `latest` means for a command that has nothing to do with the newest one: a dry run
    /// that has ended, or, for its rejects, a retry that was dry, or a run that was rolled back; and
    /// what should be known of that. None if it is the newest one.
    pub fn latest_for(&self, command: Command) -> Option<(RunName, String)> {
        if self.name.trim() != LATEST {
            return None;
        }
        let mut passed = None;
        for folder in RunFolder::list(&self.runs_folder).ok()?.into_iter().rev() {
            let plan = folder.plan().ok()?;
            if id_of(&folder) != plan.run {
                continue;
            }
            let state = folder.found(&folder.checkpoint().ok()?);
            let is_dry_retry = !plan.apply && plan.parent().is_some();
            let is_idle = match command {
                Command::OnlyRejects => state == State::RolledBack || is_dry_retry,
                Command::Rollback => !plan.apply,
                _ => !plan.apply && states::answer(command, state) != Answer::Legal,
            };
            if is_idle {
                let why = match command {
                    Command::OnlyRejects if is_dry_retry => "carried nothing over".to_owned(),
                    Command::OnlyRejects => "is rolled back".to_owned(),
                    _ => format!("cannot be {}", command.participle()),
                };
                let what = if plan.apply { "run" } else { "dry run" };
                passed.get_or_insert((format!("the {what} {}", plan.run), why));
                continue;
            }
            let (what, why) = passed?;
            let note =
                format!("note: latest is {} here: {what} was begun after it, and {why}", plan.run);
            return Some((RunName { name: plan.run, ..self.clone() }, note));
        }
        None
    }

    /// The only run whose id begins like this.
    fn begun_with(&self) -> Result<RunFolder, Failure> {
        let mut runs = RunFolder::list(&self.runs_folder)?;
        runs.retain(|folder| id_of(folder).starts_with(&self.name));
        match (runs.len(), runs.pop()) {
            (1, Some(found)) => Ok(found),
            (_, None) => {
                let (name, runs) = (self.name.clone(), self.runs_folder.clone());
                Err(RunError::NoSuchRun { name, runs }.into())
            }
            (several, Some(last)) => {
                runs.push(last);
                let named: Vec<_> = runs.iter().rev().take(NAMED_MAX).map(id_of).collect();
                let more = if several > NAMED_MAX { ", …" } else { "" };
                let message = format!(
                    "{} is the beginning of {several} runs in {}: {}{more}",
                    self.name,
                    self.runs_folder.display(),
                    named.join(", ")
                );
                Err(Failure::usage(message, hints::NAME_ONE_RUN))
            }
        }
    }
}

/// The name of a run's folder: the id of the run, unless somebody has renamed it.
fn id_of(folder: &RunFolder) -> String {
    folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
}
