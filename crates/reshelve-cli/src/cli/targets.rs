//! The command line of `restore`, `verify`, `checksums` and `indexes`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reshelve_app::crosscheck::Asked;
use reshelve_app::places::TargetPlace;
use reshelve_app::verify::Api;

use super::password::{BothPasswords, TargetPassword};
use super::shared::{DryRun, GivenMappingArgs, Json, OnlyTargetArgs, RunsDir, SourceArgs, only};

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Target: a folder, or a mongodb:// connection string
    #[arg(value_name = "TARGET", env = "TARGET_MONGODB_URI")]
    pub(crate) target: PathBuf,
    /// Where the legacy collection goes: a .bson file, or a folder
    #[arg(value_name = "OUT", env = "RESHELVE_OUT", required_unless_present = "out_flag")]
    out: Option<PathBuf>,
    /// The same as OUT
    #[arg(short = 'o', long = "out", value_name = "OUT")]
    out_flag: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, env = "RESHELVE_OVERWRITE")]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    /// Database of the target [default: the one there]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB", help_heading = "Target")]
    pub(crate) target_db: Option<String>,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) password: TargetPassword,
    #[command(flatten)]
    pub(crate) json: Json,
}

impl RestoreArgs {
    pub(crate) fn out(&self) -> PathBuf {
        only(self.out_flag.as_ref(), self.out.as_ref())
    }

    pub(crate) fn target(&self) -> TargetPlace {
        TargetPlace { name: self.target.clone(), db: self.target_db.clone() }
    }
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Target: a folder, or a mongodb:// connection string
    #[arg(value_name = "TARGET", env = "TARGET_MONGODB_URI")]
    pub(crate) target: PathBuf,
    /// Take options and rejects of a run [default: the last]
    ///
    /// Repeat it for the retries of the run: they count as one. Without it, the last run from SOURCE into TARGET counts.
    #[arg(long, value_name = "RUN", env = "RESHELVE_RUN")]
    pub(crate) run: Vec<String>,
    #[command(flatten)]
    pub(crate) mapping: GivenMappingArgs,
    /// Ignore target documents that have no legacy document
    #[arg(long, env = "RESHELVE_ALLOW_EXISTING", help_heading = "Target")]
    pub(crate) allow_existing: bool,
    /// Tolerance for the stored cost, per job, in USD
    #[arg(
        long,
        value_name = "USD",
        env = "RESHELVE_TOLERANCE_USD",
        help_heading = "Comparison",
        default_value_t = 0.005
    )]
    pub(crate) tolerance_usd: f64,
    /// Tolerance for the stored tokens, in total
    #[arg(
        long,
        value_name = "N",
        env = "RESHELVE_TOLERANCE_TOKENS",
        help_heading = "Comparison",
        default_value_t = 0.0
    )]
    pub(crate) tolerance_tokens: f64,
    /// Compare at most this many documents: no proof
    #[arg(long, value_name = "N", env = "RESHELVE_SAMPLE", help_heading = "Comparison",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) sample: Option<u32>,
    /// Write all mismatches to mismatches.jsonl in this folder
    ///
    /// What was found of answers goes there too.
    #[arg(short, long, value_name = "DIR", env = "RESHELVE_OUT")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    /// Database of the target [default: the one that is there]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB", help_heading = "Target")]
    pub(crate) target_db: Option<String>,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) password: BothPasswords,
    #[command(flatten)]
    pub(crate) json: Json,
}

impl VerifyArgs {
    pub(crate) fn target(&self) -> TargetPlace {
        TargetPlace { name: self.target.clone(), db: self.target_db.clone() }
    }
}

/// Which answers `verify` compares.
#[derive(Debug, Args)]
pub(crate) struct ApiArgs {
    /// Compare answers of both sides too
    ///
    /// With an address, also those of the application there. Without a value, write it last: a word after it is taken for the address.
    #[arg(long, value_name = "API_URL", env = "RESHELVE_VERIFY_API", help_heading = "Comparison",
        num_args = 0..=1, default_missing_value = "", require_equals = false)]
    api: Option<String>,
    /// File with the token that the application asks for
    #[arg(
        long,
        value_name = "FILE",
        env = "RESHELVE_API_TOKEN_FILE",
        help_heading = "Comparison",
        requires = "api"
    )]
    api_token_file: Option<PathBuf>,
}

impl VerifyArgs {
    /// Which answers are compared, if any. A sample of documents is one of jobs too.
    pub(crate) fn api(&self) -> Option<Api> {
        let address = self.api.api.as_deref()?;
        let asked = || Asked {
            token_file: self.api.api_token_file.clone(),
            sample: self.sample.map(u64::from),
            out: self.out.clone(),
            ..Asked::new(address)
        };
        Some(Api { application: (!address.is_empty()).then(asked) })
    }
}

#[derive(Debug, Args)]
pub(crate) struct ChecksumsArgs {
    #[command(flatten)]
    target: OnlyTargetArgs,
    /// Database of the target [default: the one that is there]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB", help_heading = "Target")]
    pub(crate) target_db: Option<String>,
    #[command(flatten)]
    pub(crate) password: TargetPassword,
    #[command(flatten)]
    pub(crate) json: Json,
}

impl ChecksumsArgs {
    pub(crate) fn target(&self) -> TargetPlace {
        self.target.place(self.target_db.as_ref())
    }
}

#[derive(Debug, Args)]
pub(crate) struct IndexesArgs {
    #[command(subcommand)]
    pub(crate) action: IndexesAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexesAction {
    /// Show which collections and indexes of the target exist
    Status(IndexesTargetArgs),
    /// Create those that are missing
    Up(IndexesTargetArgs),
    /// Drop the collections of the target, unless they hold documents that this tool did not write
    Down(IndexesDownArgs),
}

#[derive(Debug, Args)]
pub(crate) struct IndexesTargetArgs {
    #[command(flatten)]
    target: OnlyTargetArgs,
    /// Database of the target [default: the one in the connection string, else letswriteabook]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB", help_heading = "Target")]
    pub(crate) target_db: Option<String>,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) password: TargetPassword,
    #[command(flatten)]
    pub(crate) json: Json,
}

impl IndexesTargetArgs {
    pub(crate) fn target(&self) -> TargetPlace {
        self.target.place(self.target_db.as_ref())
    }
}

#[derive(Debug, Args)]
pub(crate) struct IndexesDownArgs {
    #[command(flatten)]
    pub(crate) target: IndexesTargetArgs,
    /// Drop this collection whatever it holds; can be repeated
    #[arg(long, value_name = "COLLECTION", env = "RESHELVE_FORCE", value_delimiter = ',')]
    pub(crate) force: Vec<String>,
}
