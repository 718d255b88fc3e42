//! `plan show FILE`: a plan for the one who approves it.

use std::path::PathBuf;

use reshelve::ends::OnExisting;
use reshelve::plan::{PlanError, PlanOptions, SavedPlan, UsedBy, check_keys, used_by};
use reshelve::store::Disk;
use serde::Serialize;

use super::parts::{source_words, target_words};
use super::read;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::outside;

/// What `plan show` is asked.
pub struct Show {
    /// The plan.
    pub file: PathBuf,
}

/// Whether the file beside a plan is the one that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeysFound {
    /// It is: the plan can be carried out.
    AsSaved,
    /// It is not there, or was changed; says which.
    #[serde(untagged)]
    Wrong {
        /// What is wrong.
        problem: String,
    },
}

/// A plan; as JSON, `reshelve.plan/1` with what is beside the file.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// The plan.
    #[serde(flatten)]
    pub plan: SavedPlan,
    /// Who has used it; null if nobody has.
    pub used: Option<UsedBy>,
    /// Whether its keys are there.
    pub keys: KeysFound,
    exit: u8,
}

impl Shown {
    /// The source for people.
    pub fn source(&self) -> String {
        source_words(&self.plan.source.place)
    }

    /// What decides what is written, as flags.
    pub fn options(&self) -> Vec<String> {
        let PlanOptions { decisions, on_existing, take_over, .. } = &self.plan.options;
        let PlanOptions { only_rejects, limit, fail_fast, ignore_oplog, .. } = &self.plan.options;
        let mut list = vec![match decisions.in_flight {
            Some(decision) => format!("--in-flight {decision}"),
            None => "no --in-flight decision: the dry run included jobs in flight".to_owned(),
        }];
        list.push(format!("--status-policy {}", decisions.status_policy));
        list.push(format!("--on-unknown-status {}", decisions.on_unknown_status));
        let switches = [
            ("--allow-existing", *on_existing == OnExisting::Keep),
            ("--replace", *on_existing == OnExisting::Replace),
            ("--take-over", *take_over),
            ("--fail-fast", *fail_fast),
            ("--ignore-oplog", *ignore_oplog),
        ];
        list.extend(switches.into_iter().filter(|it| it.1).map(|(flag, _)| flag.to_owned()));
        list.extend(limit.map(|limit| format!("--limit {limit}")));
        list.extend(only_rejects.as_ref().map(|run| format!("--only-rejects {}", run.display())));
        list
    }

    /// The target for people.
    pub fn target(&self) -> String {
        target_words(&self.plan.target.place)
    }
}

/// Reads a plan and what is beside it.
///
/// # Errors
/// If the file is no plan, or was edited.
pub fn show(request: &Show, _handle: &Handle) -> Result<Shown, Failure> {
    outside::check("FILE", &request.file)?;
    let plan = read(&request.file)?;
    let keys = match check_keys(&Disk, &request.file, &plan.source.keys) {
        Ok(()) => KeysFound::AsSaved,
        Err(PlanError::Edited { detail, .. }) => KeysFound::Wrong { problem: detail },
        Err(error) => return Err(error.into()),
    };
    let used = used_by(&Disk, &request.file)?;
    Ok(Shown { plan, used, keys, exit: 0 })
}
