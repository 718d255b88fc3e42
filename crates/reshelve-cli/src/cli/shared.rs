//! Arguments that several commands share, and what they become.

use std::path::{Path, PathBuf};

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use reshelve_app::places::{SourcePlace, TargetPlace};
use reshelve_app::states::Command;
use reshelve_app::{BatchOptions, GivenOptions, Handle, MappingOptions, RunName};
use reshelve_core::mapping;

use crate::printer;

#[derive(Debug, Args)]
pub(crate) struct RunsDir {
    /// Folder of the run folders
    #[arg(long, value_name = "DIR", env = "RESHELVE_RUNS_DIR", default_value = ".reshelve/runs")]
    pub(crate) runs_dir: PathBuf,
}

impl RunsDir {
    /// A run of that name; says what should be known of it.
    pub(crate) fn run(&self, name: &str) -> RunName {
        let run = RunName { name: name.to_owned(), runs_folder: self.runs_dir.clone() };
        if let Some(remark) = run.remark() {
            printer::note(&remark);
        }
        run
    }

    /// The same for a command that may have nothing to do with the newest run.
    pub(crate) fn run_for(&self, name: &str, command: Command) -> RunName {
        let run = self.run(name);
        let Some((meant, note)) = run.latest_for(command) else { return run };
        printer::note(&note);
        meant
    }
}

#[derive(Debug, Args)]
pub(crate) struct Json {
    /// Print one JSON document
    #[arg(long, env = "RESHELVE_JSON", help_heading = "Output")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DryRun {
    /// Write nothing: refuse a command that would
    #[arg(long, env = "DRY_RUN", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_name = "BOOL", value_parser = FalseyValueParser::new())]
    dry_run: Option<bool>,
}

impl DryRun {
    /// Whether somebody said that nothing is to be written.
    pub(crate) fn is_asked(&self) -> bool {
        self.dry_run == Some(true)
    }

    /// The handle for a command that may write, or may not.
    pub(crate) fn handle(&self, handle: Handle) -> Handle {
        match self.dry_run {
            Some(true) => handle.without_writes(),
            _ => handle,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// Legacy data: a .bson, .archive or .json file (also .gz, .zst), a mongodump folder, - for
    /// standard input, or a mongodb:// connection string
    #[arg(value_name = "SOURCE", env = "LEGACY_MONGODB_URI")]
    pub(crate) source: PathBuf,
    /// Take an empty standard input, or an empty pipe, for an empty collection
    #[arg(long, env = "RESHELVE_ALLOW_EMPTY", help_heading = "Source")]
    pub(crate) allow_empty: bool,
    #[command(flatten)]
    pub(crate) pick: PickArgs,
}

impl SourceArgs {
    pub(crate) fn place(&self) -> SourcePlace {
        self.pick.place(&self.source, self.allow_empty)
    }
}

/// The source of a command that takes no other place: `--uri` can mean nothing else.
#[derive(Debug, Args)]
pub(crate) struct OnlySourceArgs {
    /// Legacy data: a .bson, .archive or .json file (also .gz, .zst), a mongodump folder, - for
    /// standard input, or a mongodb:// connection string
    #[arg(value_name = "SOURCE", env = "LEGACY_MONGODB_URI", required_unless_present = "uri")]
    source: Option<PathBuf>,
    /// The same as SOURCE, by the name that mongodump has for it
    #[arg(long, value_name = "SOURCE", help_heading = "Source")]
    uri: Option<PathBuf>,
    /// Take an empty standard input, or an empty pipe, for an empty collection
    #[arg(long, env = "RESHELVE_ALLOW_EMPTY", help_heading = "Source")]
    allow_empty: bool,
    #[command(flatten)]
    pick: PickArgs,
}

impl OnlySourceArgs {
    pub(crate) fn place(&self) -> SourcePlace {
        self.pick.place(&only(self.uri.as_ref(), self.source.as_ref()), self.allow_empty)
    }
}

/// The target of a command that takes no other place.
#[derive(Debug, Args)]
pub(crate) struct OnlyTargetArgs {
    /// Target: a folder, or a mongodb:// connection string
    #[arg(value_name = "TARGET", env = "TARGET_MONGODB_URI", required_unless_present = "uri")]
    target: Option<PathBuf>,
    /// The same as TARGET, by the name that mongorestore has for it
    #[arg(long, value_name = "TARGET", help_heading = "Target")]
    uri: Option<PathBuf>,
}

impl OnlyTargetArgs {
    pub(crate) fn place(&self, db: Option<&String>) -> TargetPlace {
        TargetPlace { name: only(self.uri.as_ref(), self.target.as_ref()), db: db.cloned() }
    }
}

/// A place that has a flag too: the flag can be given on the command line alone, and so comes before
/// what may be a variable.
pub(super) fn only(flag: Option<&PathBuf>, positional: Option<&PathBuf>) -> PathBuf {
    flag.or(positional).cloned().unwrap_or_default()
}

#[derive(Debug, Args)]
pub(crate) struct PickArgs {
    /// Database to read, inside the source
    #[arg(short, long, value_name = "NAME", env = "RESHELVE_DB", help_heading = "Source")]
    pub(crate) db: Option<String>,
    /// Collection to read [default: jobs]
    #[arg(short, long, value_name = "NAME", env = "RESHELVE_COLLECTION", help_heading = "Source")]
    pub(crate) collection: Option<String>,
    /// Member of a replica set to read from [default: as in the connection string]
    #[arg(long, value_name = "MODE", env = "RESHELVE_READ_PREFERENCE", help_heading = "Source")]
    pub(crate) read_preference: Option<ReadPreference>,
}

impl PickArgs {
    pub(super) fn place(&self, name: &Path, allow_empty: bool) -> SourcePlace {
        SourcePlace {
            name: name.to_owned(),
            db: self.db.clone(),
            collection: self.collection.clone(),
            read_preference: self.read_preference.map(Into::into),
            allow_empty,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "camelCase")]
pub(crate) enum ReadPreference {
    /// The primary
    Primary,
    /// The primary, or a secondary if there is none
    PrimaryPreferred,
    /// A secondary
    Secondary,
    /// A secondary, or the primary if there is none
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
    /// What to do with jobs that were queued or running
    #[arg(long, value_name = "WHAT", env = "RESHELVE_IN_FLIGHT", help_heading = "Mapping")]
    pub(crate) in_flight: Option<InFlight>,
    /// What counts if the status contradicts the chapters [default: legacy]
    #[arg(long, value_name = "WHO", env = "RESHELVE_STATUS_POLICY", help_heading = "Mapping")]
    status_policy: Option<StatusPolicy>,
    /// What to do with documents that have an unknown status [default: reject]
    #[arg(long, value_name = "WHAT", env = "RESHELVE_ON_UNKNOWN_STATUS", help_heading = "Mapping")]
    on_unknown_status: Option<OnUnknownStatus>,
}

impl MappingArgs {
    pub(crate) fn options(&self) -> MappingOptions {
        MappingOptions {
            in_flight: self.in_flight.map(Into::into),
            status_policy: self.status_policy.map(Into::into).unwrap_or_default(),
            on_unknown_status: self.on_unknown_status.map(Into::into).unwrap_or_default(),
        }
    }

    /// Those that were given, in any way.
    pub(crate) fn given(&self) -> GivenOptions {
        GivenOptions {
            in_flight: self.in_flight.map(Into::into),
            status_policy: self.status_policy.map(Into::into),
            on_unknown_status: self.on_unknown_status.map(Into::into),
        }
    }
}

/// The same flags, for a command that takes what is not given from a run.
#[derive(Debug, Args)]
pub(crate) struct GivenMappingArgs {
    /// What was done with jobs that were queued or running [default: as in the run]
    #[arg(long, value_name = "WHAT", env = "RESHELVE_IN_FLIGHT", help_heading = "Mapping")]
    in_flight: Option<InFlight>,
    /// What counted if the status contradicts the chapters [default: as in the run]
    #[arg(long, value_name = "WHO", env = "RESHELVE_STATUS_POLICY", help_heading = "Mapping")]
    status_policy: Option<StatusPolicy>,
    /// What was done with documents that have an unknown status [default: as in the run]
    #[arg(long, value_name = "WHAT", env = "RESHELVE_ON_UNKNOWN_STATUS", help_heading = "Mapping")]
    on_unknown_status: Option<OnUnknownStatus>,
}

impl GivenMappingArgs {
    pub(crate) fn options(&self) -> GivenOptions {
        GivenOptions {
            in_flight: self.in_flight.map(Into::into),
            status_policy: self.status_policy.map(Into::into),
            on_unknown_status: self.on_unknown_status.map(Into::into),
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum InFlight {
    /// Carry them over as they are
    Include,
    /// Leave them out
    Skip,
    /// Carry them over as failed
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
    /// Reject them
    Reject,
    /// Carry them over as failed
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

/// How fast a place of legacy documents is read for the first time.
#[derive(Debug, Args)]
pub(crate) struct FirstReading {
    /// Number of mapping threads for the first reading [default: one per core]
    #[arg(long, value_name = "N", env = "RESHELVE_JOBS", help_heading = "Speed",
        value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

impl FirstReading {
    pub(crate) fn threads(&self) -> Option<usize> {
        self.jobs.map(usize::from)
    }
}

#[derive(Debug, Args)]
pub(crate) struct BatchArgs {
    /// Maximum number of documents in a batch
    #[arg(long, value_name = "N", env = "BATCH_SIZE", help_heading = "Speed", default_value_t = 1000,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_docs: u32,
    /// Maximum size of a batch, such as 2MiB [default: 1MiB; 4MiB into a live target]
    #[arg(long, value_name = "SIZE", env = "RESHELVE_BATCH_BYTES", help_heading = "Speed", value_parser = parse_size)]
    pub(crate) batch_bytes: Option<u64>,
    /// Number of mapping threads [default: one per core]
    #[arg(long, value_name = "N", env = "RESHELVE_JOBS", help_heading = "Speed",
        value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    /// Write a checkpoint after this many target bytes: for tests, which need many of them
    #[arg(long, value_name = "SIZE", env = "RESHELVE_CHECKPOINT_BYTES", help_heading = "Speed", hide = true,
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
    let number: u64 = digits.parse().map_err(|_| format!("{text:?} is not a size"))?;
    let unit = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "kb" => 1_000,
        "m" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        "g" | "gib" => 1 << 30,
        "gb" => 1_000_000_000,
        unit => {
            return Err(format!("{unit:?} is not a unit of size; use KiB, MiB, GiB, KB, MB or GB"));
        }
    };
    match number.checked_mul(unit) {
        Some(0) | None => Err(format!("{text:?} is out of range")),
        Some(size) => Ok(size),
    }
}

/// Whether a flag stands on the command line. What a variable or the settings file holds was not
/// given for this one command.
pub(crate) fn is_asked(flag: &str) -> bool {
    std::env::args_os().any(|word| {
        let word = word.to_string_lossy();
        word.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}

/// The target of a run again: what the flag names, or the connection string that a variable holds.
/// A folder in a variable is the target of another command: that of a run stays where it is.
pub(crate) fn target_again(given: Option<&PathBuf>) -> Option<PathBuf> {
    let is_live = |place: &&PathBuf| place.to_string_lossy().contains("://");
    given.filter(|place| is_asked("--target") || is_live(place)).cloned()
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
