//! The command line of `anonymize`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use reshelve::anonymize::{Copying, Weaker};
use reshelve_app::anonymize::{Request, Rules, ScanRequest, Unknown};
use reshelve_app::places::SourcePlace;

use super::password::SourcePassword;
use super::shared::{DryRun, Json, MappingArgs, PickArgs, SourceArgs};
use super::threads::ThreadsArgs;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AnonymizeArgs {
    #[command(subcommand)]
    pub(crate) action: Option<AnonymizeAction>,
    /// Legacy data: a .bson, .archive or .json file (also .gz, .zst), a mongodump folder, - for
    /// standard input, or a mongodb:// connection string
    #[arg(value_name = "SOURCE", env = "LEGACY_MONGODB_URI")]
    pub(crate) source: Option<PathBuf>,
    /// Where the copy goes: a file or folder that is not there yet
    #[arg(value_name = "OUT", env = "RESHELVE_OUT")]
    pub(crate) out: Option<PathBuf>,
    /// Make a file with a new key, and do nothing else
    #[arg(long, value_name = "FILE", env = "RESHELVE_NEW_KEY", help_heading = "Key",
        conflicts_with_all = ["source", "policy", "preview"])]
    pub(crate) new_key: Option<PathBuf>,
    /// File with the key that everything is drawn with
    #[arg(long, value_name = "FILE", env = "RESHELVE_KEY_FILE", help_heading = "Key")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
    /// Form of the copy [default: by the name of OUT, else a plain mongodump folder]
    #[arg(long, value_name = "FORM", env = "RESHELVE_FORM")]
    form: Option<String>,
    /// Copy at most N documents, with every kind among them
    #[arg(long, value_name = "N", env = "RESHELVE_SAMPLE",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    sample: Option<u32>,
    /// Show one job before and after, on a terminal, and write nothing
    #[arg(long, value_name = "JOB", env = "RESHELVE_PREVIEW", conflicts_with = "out")]
    pub(crate) preview: Option<String>,
    /// Shift the dates of all jobs alike: their order stays, and so do the gaps between them
    #[arg(long, env = "RESHELVE_KEEP_ORDER")]
    keep_order: bool,
    /// Do not map both sides to prove that the copy is true to life
    #[arg(long, env = "RESHELVE_NO_CHECK")]
    no_check: bool,
    #[command(flatten)]
    mapping: MappingArgs,
    /// Take an empty standard input, or an empty pipe, for an empty collection
    #[arg(long, env = "RESHELVE_ALLOW_EMPTY", help_heading = "Source")]
    allow_empty: bool,
    #[command(flatten)]
    pick: PickArgs,
    #[command(flatten)]
    threads: ThreadsArgs,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) password: SourcePassword,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AnonymizeAction {
    /// Look for anything of a source in a copy of it
    Scan(Box<AnonymizeScanArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct AnonymizeScanArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// The copy: a file or a folder
    #[arg(value_name = "OUT", env = "RESHELVE_OUT")]
    out: PathBuf,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    threads: ThreadsArgs,
    #[command(flatten)]
    pub(crate) password: SourcePassword,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// Print the policy; with FILE, take more rules from there
    #[arg(long, value_name = "FILE", env = "RESHELVE_POLICY", help_heading = "Policy",
        num_args = 0..=1)]
    policy: Option<Option<PathBuf>>,
    /// Take rules of the file that let through more than the table does
    #[arg(long, env = "RESHELVE_ALLOW_WEAKER", help_heading = "Policy")]
    allow_weaker: bool,
    /// What to do with paths that the policy does not know [default: refuse]
    #[arg(long, value_name = "WHAT", env = "RESHELVE_UNKNOWN", help_heading = "Policy")]
    unknown: Option<UnknownName>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum UnknownName {
    /// Write nothing, and list them
    Refuse,
    /// Replace the names of fields and all text in them and below
    Redact,
}

impl RulesArgs {
    /// Whether the policy is to be printed, if there is nothing else to do.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.policy.is_some()
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            file: self.policy.clone().flatten(),
            weaker: if self.allow_weaker { Weaker::Allowed } else { Weaker::Refused },
            unknown: match self.unknown {
                Some(UnknownName::Redact) => Unknown::Redact,
                Some(UnknownName::Refuse) | None => Unknown::Refuse,
            },
        }
    }
}

impl AnonymizeArgs {
    /// The request of a copy of that source.
    pub(crate) fn request(&self, source: &Path, out: PathBuf) -> Request {
        Request {
            source: self.pick.place(source, self.allow_empty),
            out,
            form: self.form.clone(),
            key_file: self.key_file.clone(),
            rules: self.rules.rules(),
            copying: Copying { check: !self.no_check, keep_order: self.keep_order },
            sample: self.sample.and_then(|documents| usize::try_from(documents).ok()),
            mapping: self.mapping.options(),
            threads: self.threads.threads(),
        }
    }
}

impl AnonymizeScanArgs {
    pub(crate) fn request(&self) -> ScanRequest {
        ScanRequest {
            source: self.source.place(),
            copy: SourcePlace::new(&self.out),
            rules: self.rules.rules(),
            threads: self.threads.threads(),
        }
    }
}
