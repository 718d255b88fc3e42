//! The command line: one definition for the parser, the help, the man pages and the completions.

mod generate;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::FalseyValueParser};
use reshelve_core::mapping;

pub(crate) use generate::{FaultName, GenerateArgs, MetadataName, Preset, SizeName, StageName};

/// Moves a shelf of novels: carries the legacy `jobs` collection into the four normalised
/// collections of the new stack, and proves that nothing was lost.
#[derive(Debug, Parser)]
#[command(name = "reshelve", version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done · 1 could not finish · 2 usage · 3 refused before \
    starting · 4 run done, but with rejects · 5 parity does not hold · 6 interrupted, can be resumed")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows what reshelve does, on a small dump that it makes itself; needs no set-up
    Demo(DemoArgs),
    /// Tells what is there: databases, collections, sizes, indexes
    Inspect(InspectArgs),
    /// Tells what the documents are like: fields, types, sizes, statuses, and what a run would say
    Profile(ProfileArgs),
    /// Maps every document and proves that it comes back; with --apply, writes the target
    Run(Box<RunArgs>),
    /// Lists the runs
    Runs(RunsArgs),
    /// Shows one run, the newest unless named
    Status(StatusArgs),
    /// Goes on with a run that was interrupted
    Resume(ResumeArgs),
    /// Shows where every field of one document goes
    Explain(ExplainArgs),
    /// Rebuilds the legacy collection from a target folder
    Restore(RestoreArgs),
    /// Compares source and target, document by document; exit code 5 where parity does not hold
    Verify(VerifyArgs),
    /// Counts and checksums of the target, for the change record
    Checksums(ChecksumsArgs),
    /// Writes the report of a run: a page to sign, Markdown for a pull request, JSON
    Report(ReportArgs),
    /// The target's collections and indexes: what is there, make them, drop them
    Indexes(IndexesArgs),
    /// Makes synthetic legacy data
    Generate(GenerateArgs),
    /// Prints a script that completes this command line in a shell
    Completions(CompletionsArgs),
    /// Writes the man pages
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RunsDir {
    /// The folder of run folders
    #[arg(long, value_name = "DIR", env = "RESHELVE_RUNS_DIR", default_value = ".reshelve/runs")]
    pub(crate) runs_dir: PathBuf,
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

/// The target's database where neither a flag nor the connection string names one.
pub(crate) const TARGET_DB_DEFAULT: &str = "letswriteabook";

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

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// The target: a folder, or a mongodb:// connection string
    #[arg(value_name = "TARGET", env = "TARGET_MONGODB_URI")]
    pub(crate) target: PathBuf,
    /// Write the target; without it nothing is written but the run's own folder
    #[arg(long, env = "RESHELVE_APPLY")]
    pub(crate) apply: bool,
    /// Write nothing, whatever else is said; together with --apply it is refused
    #[arg(long, env = "DRY_RUN", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_name = "BOOL", value_parser = FalseyValueParser::new())]
    pub(crate) dry_run: Option<bool>,
    #[command(flatten)]
    pub(crate) mapping: MappingArgs,
    /// Add to a target that holds documents, and leave those as they are
    #[arg(long, env = "RESHELVE_ALLOW_EXISTING")]
    pub(crate) allow_existing: bool,
    /// Replace jobs that the target holds with other content; their earlier version is kept
    #[arg(long, env = "RESHELVE_REPLACE")]
    pub(crate) replace: bool,
    /// Take only the documents that this run rejected
    #[arg(long, value_name = "RUN", env = "RESHELVE_ONLY_REJECTS")]
    pub(crate) only_rejects: Option<String>,
    /// Break the lock of a run that was cut off, and start anew
    #[arg(long, env = "RESHELVE_TAKE_OVER")]
    pub(crate) take_over: bool,
    /// The target's database [default: the one in the connection string, else letswriteabook]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB")]
    pub(crate) target_db: Option<String>,
    /// Compress the target as mongodump --gzip does
    #[arg(long, env = "RESHELVE_GZIP", conflicts_with = "zstd")]
    pub(crate) gzip: bool,
    /// Compress the target with zstd, for this tool only
    #[arg(long, env = "RESHELVE_ZSTD")]
    pub(crate) zstd: bool,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    /// Read so many documents at the most
    #[arg(long, value_name = "N", env = "RESHELVE_LIMIT")]
    pub(crate) limit: Option<u64>,
    /// Stop at the first reject; the run can be resumed
    #[arg(long, env = "RESHELVE_FAIL_FAST")]
    pub(crate) fail_fast: bool,
    /// Start even where the disk looks too small
    #[arg(long, env = "RESHELVE_SKIP_DISK_CHECK")]
    pub(crate) skip_disk_check: bool,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The run: its id, or its folder
    #[arg(value_name = "RUN", env = "RESHELVE_RUN")]
    pub(crate) run: String,
    /// Where the source is now, if it has moved; its connection string, if that has a password
    #[arg(long, value_name = "SOURCE", env = "LEGACY_MONGODB_URI")]
    pub(crate) source: Option<PathBuf>,
    /// The target's connection string, if that has a password
    #[arg(long, value_name = "TARGET", env = "TARGET_MONGODB_URI")]
    pub(crate) target: Option<PathBuf>,
    /// Which member of a replica set to read from [default: that of the connection string]
    #[arg(long, value_name = "MODE", env = "RESHELVE_READ_PREFERENCE")]
    pub(crate) read_preference: Option<ReadPreference>,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The run: its id, or its folder [default: the newest]
    #[arg(value_name = "RUN", env = "RESHELVE_RUN")]
    pub(crate) run: Option<String>,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Print a role with just the privileges that reading needs, or with `target` writing
    #[arg(long, value_name = "ROLE", env = "RESHELVE_PRINT_ROLE", num_args = 0..=1,
        require_equals = false, default_missing_value = "source")]
    pub(crate) print_role: Option<Role>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) mapping: MappingArgs,
    /// Show every path, however far down
    #[arg(long, env = "RESHELVE_ALL")]
    pub(crate) all: bool,
    /// Mapping threads [default: one for each core]
    #[arg(long, value_name = "N", env = "RESHELVE_JOBS",
        value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Role {
    /// For a user that reads the legacy collection
    Source,
    /// For a user that writes the target and makes its indexes
    Target,
}

#[derive(Debug, Args)]
pub(crate) struct IndexesArgs {
    #[command(subcommand)]
    pub(crate) action: IndexesAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexesAction {
    /// Tells which of the target's collections and indexes are there
    Status(IndexesTargetArgs),
    /// Makes those that are missing
    Up(IndexesTargetArgs),
    /// Drops the target's collections, unless they hold documents that this tool did not write
    Down(IndexesDownArgs),
}

#[derive(Debug, Args)]
pub(crate) struct IndexesTargetArgs {
    /// The target: a folder, or a mongodb:// connection string
    #[arg(value_name = "TARGET", env = "TARGET_MONGODB_URI")]
    pub(crate) target: PathBuf,
    /// The target's database [default: the one in the connection string, else letswriteabook]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB")]
    pub(crate) target_db: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct IndexesDownArgs {
    #[command(flatten)]
    pub(crate) target: IndexesTargetArgs,
    /// Drop this collection whatever it holds; may be given more than once
    #[arg(long, value_name = "COLLECTION", env = "RESHELVE_FORCE", value_delimiter = ',')]
    pub(crate) force: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// The document: its `_id`, as hex where it is an ObjectId
    #[arg(long, value_name = "ID", env = "RESHELVE_JOB")]
    pub(crate) job: String,
    #[command(flatten)]
    pub(crate) mapping: MappingArgs,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The target: a folder, or a mongodb:// connection string
    #[arg(value_name = "TARGET", env = "TARGET_MONGODB_URI")]
    pub(crate) target: PathBuf,
    /// Where the legacy collection goes: a .bson file, or a folder
    #[arg(value_name = "OUT", env = "RESHELVE_OUT")]
    pub(crate) out: PathBuf,
    /// The target's database [default: the one that is there]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB")]
    pub(crate) target_db: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// The target: a folder, or a mongodb:// connection string
    #[arg(value_name = "TARGET", env = "TARGET_MONGODB_URI")]
    pub(crate) target: PathBuf,
    /// Take the options of this run, and the rejects that only it knows of
    #[arg(long, value_name = "RUN", env = "RESHELVE_RUN")]
    pub(crate) run: Option<String>,
    #[command(flatten)]
    pub(crate) mapping: MappingArgs,
    /// Leave target documents alone that belong to no legacy document
    #[arg(long, env = "RESHELVE_ALLOW_EXISTING")]
    pub(crate) allow_existing: bool,
    /// How far the stored cost may be off, per job, in USD
    #[arg(long, value_name = "USD", env = "RESHELVE_TOLERANCE_USD", default_value_t = 0.005)]
    pub(crate) tolerance_usd: f64,
    /// How far the stored tokens may be off in all
    #[arg(long, value_name = "N", env = "RESHELVE_TOLERANCE_TOKENS", default_value_t = 0.0)]
    pub(crate) tolerance_tokens: f64,
    /// Compare only so many documents, always the same ones: a quick look, and no proof
    #[arg(long, value_name = "N", env = "RESHELVE_SAMPLE",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) sample: Option<u32>,
    /// Write all mismatches to mismatches.jsonl in this folder
    #[arg(long, value_name = "DIR", env = "RESHELVE_OUT")]
    pub(crate) out: Option<PathBuf>,
    /// The target's database [default: the one that is there]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB")]
    pub(crate) target_db: Option<String>,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct ChecksumsArgs {
    /// The target: a folder, or a mongodb:// connection string
    #[arg(value_name = "TARGET", env = "TARGET_MONGODB_URI")]
    pub(crate) target: PathBuf,
    /// The target's database [default: the one that is there]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB")]
    pub(crate) target_db: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run: its id, or its folder
    #[arg(value_name = "RUN", env = "RESHELVE_RUN")]
    pub(crate) run: String,
    /// Where the source is now, if it has moved
    #[arg(long, value_name = "SOURCE", env = "LEGACY_MONGODB_URI")]
    pub(crate) source: Option<PathBuf>,
    /// Where the target is now, if it has moved
    #[arg(long, value_name = "TARGET", env = "TARGET_MONGODB_URI")]
    pub(crate) target: Option<PathBuf>,
    /// The folder that the report goes to [default: report in the run's folder]
    #[arg(long, value_name = "DIR", env = "RESHELVE_OUT")]
    pub(crate) out: Option<PathBuf>,
    /// Also write the evidence pack: one archive for the change record
    #[arg(long, env = "RESHELVE_BUNDLE")]
    pub(crate) bundle: bool,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where everything goes
    #[arg(long, value_name = "DIR", env = "RESHELVE_DEMO_DIR", default_value = "reshelve-demo")]
    pub(crate) dir: PathBuf,
    /// How many legacy documents
    #[arg(long, value_name = "N", env = "RESHELVE_DOCUMENTS", default_value_t = 200)]
    pub(crate) documents: u64,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", env = "RESHELVE_SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder that gets a page for every command
    #[arg(value_name = "DIR", env = "RESHELVE_OUT")]
    pub(crate) dir: PathBuf,
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
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_an_environment_variable() {
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(
                    argument.get_env().is_some() || ["help", "version"].contains(&id),
                    "{} {id}",
                    command.get_name()
                );
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("4MiB"), Ok(4 << 20));
        assert_eq!(parse_size("64 KB"), Ok(64_000));
        assert_eq!(parse_size("7"), Ok(7));
        assert!(parse_size("0").is_err());
        assert!(parse_size("4 parsecs").is_err());
    }
}
