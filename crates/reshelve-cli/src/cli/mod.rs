//! The command line: one definition for the parser, the help, the man pages and the completions.

mod generate;
mod runs;
mod shared;
mod sources;
mod targets;
mod tool;

use clap::{Parser, Subcommand};

pub(crate) use generate::GenerateArgs;
pub(crate) use runs::{ReportArgs, ResumeArgs, RunArgs, RunsArgs, StatusArgs};
pub(crate) use sources::{ExplainArgs, InspectArgs, ProfileArgs};
pub(crate) use targets::{ChecksumsArgs, IndexesAction, IndexesArgs, RestoreArgs, VerifyArgs};
pub(crate) use tool::{CompletionsArgs, DemoArgs, ManArgs};

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
}
