//! The command line: one definition for the parser, the help, the man pages and the completions.

mod generate;
mod output;
mod password;
mod runs;
mod shared;
mod sources;
mod targets;
mod tool;

use clap::{Parser, Subcommand};

pub(crate) use generate::GenerateArgs;
pub(crate) use output::looks;
pub(crate) use runs::{ReportArgs, ResumeArgs, RunArgs, RunsArgs, StatusArgs};
pub(crate) use sources::{ExplainArgs, InspectArgs, ProfileArgs};
pub(crate) use targets::{ChecksumsArgs, IndexesAction, IndexesArgs, RestoreArgs, VerifyArgs};
pub(crate) use tool::{CompletionsArgs, DemoArgs, ManArgs};

/// Moves a shelf of novels: migrates the legacy `jobs` collection to the four normalised
/// collections of the new stack, and proves that nothing was lost.
#[derive(Debug, Parser)]
#[command(name = "reshelve", version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done · 1 could not finish · 2 usage · 3 refused before \
    starting · 4 run done, but with rejects · 5 parity does not hold · 6 interrupted, can be resumed")]
pub(crate) struct Cli {
    #[command(flatten)]
    output: output::OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what reshelve does, on a small generated dump; needs no set-up
    Demo(DemoArgs),
    /// List what a source holds: databases, collections, sizes, indexes
    Inspect(InspectArgs),
    /// Describe the documents of a source: fields, types, sizes, statuses, and what a run would report
    Profile(ProfileArgs),
    /// Map every document and prove that it can be restored; with --apply, write the target
    Run(Box<RunArgs>),
    /// List the runs
    Runs(RunsArgs),
    /// Show the state of one run, by default the newest
    Status(StatusArgs),
    /// Resume a run that is not finished
    Resume(ResumeArgs),
    /// Show where every field of one document goes
    Explain(ExplainArgs),
    /// Rebuild the legacy collection from a target
    Restore(RestoreArgs),
    /// Compare source and target, document by document; exit code 5 if parity does not hold
    Verify(VerifyArgs),
    /// Print counts and checksums of a target, for the change record
    Checksums(ChecksumsArgs),
    /// Write the report of a run: a page to sign, Markdown for a pull request, JSON
    Report(ReportArgs),
    /// Show, create or drop the collections and indexes of a target
    Indexes(IndexesArgs),
    /// Generate synthetic legacy data
    Generate(GenerateArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Write the man pages
    Man(ManArgs),
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
                    argument.get_env().is_some() || ["help", "version", "uri"].contains(&id),
                    "{} {id}",
                    command.get_name()
                );
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
