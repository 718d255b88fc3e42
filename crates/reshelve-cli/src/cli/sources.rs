//! The command line of `inspect`, `profile` and `explain`.

use clap::{Args, ValueEnum};

use super::password::SourcePassword;
use super::shared::{Json, MappingArgs, OnlySourceArgs};

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) source: OnlySourceArgs,
    /// Print a role with only the privileges that reading needs, or, with `target`, that writing needs
    #[arg(long, value_name = "ROLE", env = "RESHELVE_PRINT_ROLE", num_args = 0..=1,
        require_equals = false, default_missing_value = "source")]
    pub(crate) print_role: Option<Role>,
    #[command(flatten)]
    pub(crate) password: SourcePassword,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Role {
    /// For a user that reads the legacy collection
    Source,
    /// For a user that writes the target and creates its indexes
    Target,
}

impl From<Role> for reshelve_app::inspect::Role {
    fn from(value: Role) -> Self {
        match value {
            Role::Source => Self::Source,
            Role::Target => Self::Target,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    #[command(flatten)]
    pub(crate) source: OnlySourceArgs,
    #[command(flatten)]
    pub(crate) mapping: MappingArgs,
    /// Show every path, however deep
    #[arg(long, env = "RESHELVE_ALL")]
    pub(crate) all: bool,
    /// Number of mapping threads [default: one per core]
    #[arg(long, value_name = "N", env = "RESHELVE_JOBS", help_heading = "Speed",
        value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    #[command(flatten)]
    pub(crate) password: SourcePassword,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) source: OnlySourceArgs,
    /// `_id` of the document, as hex if it is an ObjectId
    #[arg(long, value_name = "ID", env = "RESHELVE_JOB")]
    pub(crate) job: String,
    #[command(flatten)]
    pub(crate) mapping: MappingArgs,
    #[command(flatten)]
    pub(crate) password: SourcePassword,
    #[command(flatten)]
    pub(crate) json: Json,
}
