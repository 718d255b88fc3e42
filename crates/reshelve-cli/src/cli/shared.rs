//! Arguments that several commands share, and what they become.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use reshelve_app::places::SourcePlace;
use reshelve_app::{BatchOptions, MappingOptions, RunName};
use reshelve_core::mapping;

#[derive(Debug, Args)]
pub(crate) struct RunsDir {
    /// The folder of run folders
    #[arg(long, value_name = "DIR", env = "RESHELVE_RUNS_DIR", default_value = ".reshelve/runs")]
    pub(crate) runs_dir: PathBuf,
}

impl RunsDir {
    pub(crate) fn run(&self, name: &str) -> RunName {
        RunName { name: name.to_owned(), runs_folder: self.runs_dir.clone() }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Json {
    /// Answer with one JSON document
    #[arg(long, env = "RESHELVE_JSON")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// The legacy data: a .bson, .archive or .json file (also .gz, .zst), a mongodump folder, -, or
    /// a mongodb:// connection string
    #[arg(value_name = "SOURCE", env = "LEGACY_MONGODB_URI")]
    pub(crate) source: PathBuf,
    #[command(flatten)]
    pub(crate) pick: PickArgs,
}

impl SourceArgs {
    pub(crate) fn place(&self) -> SourcePlace {
        SourcePlace {
            name: self.source.clone(),
            db: self.pick.db.clone(),
            collection: self.pick.collection.clone(),
            read_preference: self.pick.read_preference.map(Into::into),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PickArgs {
    /// The database to read from, inside the source
    #[arg(long, value_name = "NAME", env = "RESHELVE_DB")]
    pub(crate) db: Option<String>,
    /// The collection to read [default: jobs]
    #[arg(long, value_name = "NAME", env = "RESHELVE_COLLECTION")]
    pub(crate) collection: Option<String>,
    /// Which member of a replica set to read from [default: that of the connection string]
    #[arg(long, value_name = "MODE", env = "RESHELVE_READ_PREFERENCE")]
    pub(crate) read_preference: Option<ReadPreference>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "camelCase")]
pub(crate) enum ReadPreference {
    /// The primary
    Primary,
    /// The primary, else a secondary
    PrimaryPreferred,
    /// A secondary
    Secondary,
    /// A secondary, else the primary
    SecondaryPreferred,
    /// The member that answers fastest
    Nearest,
}

impl From<ReadPreference> for reshelve_app::ReadPreference {
    fn from(value: ReadPreference) -> Self {
        match value {
            ReadPreference::Primary => Self::Primary,
            ReadPreference::PrimaryPreferred => Self::PrimaryPreferred,
            ReadPreference::Secondary => Self::Secondary,
            ReadPreference::SecondaryPreferred => Self::SecondaryPreferred,
            ReadPreference::Nearest => Self::Nearest,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct MappingArgs {
    /// What becomes of jobs that were queued or running
    #[arg(long, value_name = "WHAT", env = "RESHELVE_IN_FLIGHT")]
    pub(crate) in_flight: Option<InFlight>,
    /// Who is right where the status contradicts the chapters
    #[arg(long, value_name = "WHO", env = "RESHELVE_STATUS_POLICY", default_value = "legacy")]
    pub(crate) status_policy: StatusPolicy,
    /// What becomes of documents with an unknown status
    #[arg(long, value_name = "WHAT", env = "RESHELVE_ON_UNKNOWN_STATUS", default_value = "reject")]
    pub(crate) on_unknown_status: OnUnknownStatus,
}

impl MappingArgs {
    pub(crate) fn options(&self) -> MappingOptions {
        MappingOptions {
            in_flight: self.in_flight.map(Into::into),
            status_policy: self.status_policy.into(),
            on_unknown_status: self.on_unknown_status.into(),
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum InFlight {
    /// Carried over as they are
    Include,
    /// Left out
    Skip,
    /// Carried over as failed
    AsFailed,
}

impl From<InFlight> for mapping::InFlight {
    fn from(value: InFlight) -> Self {
        match value {
            InFlight::Include => mapping::InFlight::Include,
            InFlight::Skip => mapping::InFlight::Skip,
            InFlight::AsFailed => mapping::InFlight::AsFailed,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StatusPolicy {
    /// The stored status
    Legacy,
    /// The chapters
    Evidence,
}

impl From<StatusPolicy> for mapping::StatusPolicy {
    fn from(value: StatusPolicy) -> Self {
        match value {
            StatusPolicy::Legacy => mapping::StatusPolicy::Legacy,
            StatusPolicy::Evidence => mapping::StatusPolicy::Evidence,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OnUnknownStatus {
    /// Rejected
    Reject,
    /// Carried over as failed
    Failed,
}

impl From<OnUnknownStatus> for mapping::OnUnknownStatus {
    fn from(value: OnUnknownStatus) -> Self {
        match value {
            OnUnknownStatus::Reject => mapping::OnUnknownStatus::Reject,
            OnUnknownStatus::Failed => mapping::OnUnknownStatus::Failed,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct BatchArgs {
    /// Most documents in a batch
    #[arg(long, value_name = "N", env = "BATCH_SIZE", default_value_t = 1000,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_docs: u32,
    /// Most bytes in a batch, such as 2MiB [default: 1MiB; into a live target 4MiB]
    #[arg(long, value_name = "SIZE", env = "RESHELVE_BATCH_BYTES", value_parser = parse_size)]
    pub(crate) batch_bytes: Option<u64>,
    /// Mapping threads [default: one for each core]
    #[arg(long, value_name = "N", env = "RESHELVE_JOBS",
        value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    /// Make a checkpoint after so many target bytes: for tests, which want many of them
    #[arg(long, value_name = "SIZE", env = "RESHELVE_CHECKPOINT_BYTES", hide = true,
        default_value_t = reshelve::run::CHECKPOINT_BYTES_DEFAULT, value_parser = parse_size)]
    pub(crate) checkpoint_bytes: u64,
}

impl BatchArgs {
    pub(crate) fn options(&self) -> BatchOptions {
        let most = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        BatchOptions {
            docs_max: most(self.batch_docs.into()),
            bytes_max: self.batch_bytes.map(most),
            threads: self.jobs.map(usize::from),
            checkpoint_bytes: self.checkpoint_bytes,
        }
    }
}

/// A size such as `500000`, `64KiB`, `4MB`.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim();
    let number: u64 = digits.parse().map_err(|_| format!("{text:?} is no size"))?;
    let unit = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "kb" => 1_000,
        "m" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        "g" | "gib" => 1 << 30,
        "gb" => 1_000_000_000,
        unit => return Err(format!("{unit:?} is no unit of size; KiB, MiB, GiB, KB, MB, GB are")),
    };
    match number.checked_mul(unit) {
        Some(0) | None => Err(format!("{text:?} is no size that can be used")),
        Some(size) => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("4MiB"), Ok(4 << 20));
        assert_eq!(parse_size("64 KB"), Ok(64_000));
        assert_eq!(parse_size("7"), Ok(7));
        assert!(parse_size("0").is_err());
        assert!(parse_size("4 parsecs").is_err());
    }
}
