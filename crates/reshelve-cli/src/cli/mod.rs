//! The command line: one definition for the parser, the help, the man pages and the completions.

mod anonymize;
mod control;
mod crosscheck;
mod generate;
mod help;
mod output;
mod password;
mod rehearse;
mod runs;
mod serve;
mod shadow;
mod shared;
mod snapshot;
mod sources;
mod targets;
mod threads;
mod tool;

use clap::{CommandFactory, Parser, Subcommand};

pub(crate) use anonymize::{AnonymizeAction, AnonymizeArgs, AnonymizeScanArgs};
pub(crate) use control::{ControlArgs, ThrottleArgs};
pub(crate) use crosscheck::CrosscheckArgs;
pub(crate) use generate::GenerateArgs;
pub(crate) use output::looks;
pub(crate) use rehearse::RehearseArgs;
pub(crate) use runs::{
    PlanAction, PlanArgs, PlanShowArgs, ReportArgs, ResumeArgs, RollbackArgs, RunArgs, RunsArgs,
    StatusArgs,
};
pub(crate) use serve::ServeArgs;
pub(crate) use shadow::ShadowArgs;
pub(crate) use shared::{is_asked, target_again};
pub(crate) use snapshot::{SnapshotAction, SnapshotArgs, SnapshotListArgs, SnapshotVerifyArgs};
pub(crate) use sources::{ExplainArgs, InspectArgs, ProfileArgs};
pub(crate) use targets::{ChecksumsArgs, IndexesAction, IndexesArgs, RestoreArgs, VerifyArgs};
pub(crate) use tool::{CompletionsArgs, DemoArgs, ManArgs};

/// Moves a shelf of novels to the new stack, and proves that nothing was lost.
#[derive(Debug, Parser)]
#[command(name = "reshelve", version, arg_required_else_help = true)]
#[command(after_long_help = help::ALL)]
pub(crate) struct Cli {
    #[command(flatten)]
    output: output::OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The definition, with everything that its help says.
pub(crate) fn command() -> clap::Command {
    command_for(&|_| true)
}

/// The same with the help of those commands alone that may be called: that of all others takes more
/// time than a short command.
pub(crate) fn command_for(may_be_called: &dyn Fn(&str) -> bool) -> clap::Command {
    help::dressed(Cli::command(), may_be_called)
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what reshelve does, on a small generated dump
    #[command(after_long_help = help::DEMO)]
    Demo(DemoArgs),
    /// List what a source holds: databases, collections, sizes, indexes
    #[command(after_long_help = help::INSPECT)]
    Inspect(InspectArgs),
    /// Describe a source: fields, types, sizes, statuses, warnings
    #[command(after_long_help = help::PROFILE)]
    Profile(ProfileArgs),
    /// Map and prove every document; with --apply, write the target
    #[command(after_long_help = help::RUN)]
    Run(Box<RunArgs>),
    /// Show a plan that `run --save-plan` saved
    #[command(after_long_help = help::PLAN)]
    Plan(PlanArgs),
    /// List the runs
    #[command(after_long_help = help::RUNS)]
    Runs(RunsArgs),
    /// Show the state of one run, by default the newest
    #[command(after_long_help = help::STATUS)]
    Status(StatusArgs),
    /// Resume a run that is not finished, or is paused
    #[command(after_long_help = help::RESUME)]
    Resume(ResumeArgs),
    /// Have a run wait between two batches, and keep its lock
    #[command(after_long_help = help::PAUSE)]
    Pause(ControlArgs),
    /// Stop a run between two batches for good
    #[command(after_long_help = help::CANCEL)]
    Cancel(ControlArgs),
    /// Change how much a run may take, or show it
    #[command(after_long_help = help::THROTTLE)]
    Throttle(ThrottleArgs),
    /// Take back what a run wrote, and nothing else, with --apply
    #[command(after_long_help = help::ROLLBACK)]
    Rollback(RollbackArgs),
    /// Rehearse the whole move, and its way back, in a scratch place
    #[command(after_long_help = help::REHEARSE)]
    Rehearse(Box<RehearseArgs>),
    /// Show where every field of one document goes
    #[command(after_long_help = help::EXPLAIN)]
    Explain(ExplainArgs),
    /// Rebuild the legacy collection from a target
    #[command(after_long_help = help::RESTORE)]
    Restore(RestoreArgs),
    /// Compare source and target, document by document
    #[command(after_long_help = help::VERIFY)]
    Verify(VerifyArgs),
    /// Print counts and checksums of a target
    #[command(after_long_help = help::CHECKSUMS)]
    Checksums(ChecksumsArgs),
    /// Write the report of a run: a page to sign, Markdown, JSON
    #[command(after_long_help = help::REPORT)]
    Report(ReportArgs),
    /// Serve the read API of the new stack, from either side
    #[command(after_long_help = help::SERVE)]
    Serve(Box<ServeArgs>),
    /// Compare what both sides would answer, before the first request
    #[command(after_long_help = help::SHADOW)]
    Shadow(Box<ShadowArgs>),
    /// Compare what the running application answers with what it should
    #[command(after_long_help = help::CROSSCHECK)]
    Crosscheck(Box<CrosscheckArgs>),
    /// Keep a safe copy of the legacy data, and prove it
    #[command(after_long_help = help::SNAPSHOT)]
    Snapshot(Box<SnapshotArgs>),
    /// Show, create or drop the collections and indexes of a target
    #[command(after_long_help = help::INDEXES)]
    Indexes(IndexesArgs),
    /// Generate synthetic legacy data
    #[command(after_long_help = help::GENERATE)]
    Generate(GenerateArgs),
    /// Copy legacy data without anybody's text, and prove it
    #[command(after_long_help = help::ANONYMIZE)]
    Anonymize(Box<AnonymizeArgs>),
    /// Print a completion script for a shell
    #[command(after_long_help = help::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Write the man pages
    #[command(after_long_help = help::MAN)]
    Man(ManArgs),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_flag_has_an_environment_variable() {
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(
                    argument.get_env().is_some()
                        || ["help", "version", "uri", "out_flag"].contains(&id),
                    "{} {id}",
                    command.get_name()
                );
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
