//! The three decisions that the contract leaves to the person who migrates.

use serde::{Deserialize, Serialize};

/// What the mapping is told. The defaults are the contract's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// What happens to a status that the contract does not know, or that is missing.
    pub on_unknown_status: OnUnknownStatus,
    /// Who is right where the status contradicts the chapters.
    pub status_policy: StatusPolicy,
    /// What happens to a job that was queued or running.
    pub in_flight: InFlight,
}

/// What happens to an unknown status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnUnknownStatus {
    /// The document is rejected.
    #[default]
    Reject,
    /// The job counts as failed, with a warning.
    Failed,
}

/// Who is right where status and chapters contradict each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatusPolicy {
    /// The stored status.
    #[default]
    Legacy,
    /// The chapters.
    Evidence,
}

/// What happens to a job in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InFlight {
    /// It is carried over as it is.
    #[default]
    Include,
    /// It is left out of the target.
    Skip,
    /// It is carried over as failed.
    AsFailed,
}
