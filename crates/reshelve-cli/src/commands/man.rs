//! `reshelve man`: manual pages, made from the definition of the command line.

use std::io;

use clap::CommandFactory;
use reshelve_app::{ExitCode, Failure};

use crate::cli::{Cli, ManArgs};
use crate::next::Next;
use crate::printer::Printer;

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode, Failure> {
    let failed = |error: io::Error| {
        Failure::failed(format!("writing man pages to {}: {error}", args.dir.display()))
    };
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    clap_mangen::generate_to(with_variables(Cli::command()), &args.dir).map_err(failed)?;
    let page = args.dir.join("reshelve.1");
    Printer::new(false).next(&Next::of(&["man"]).place(&page));
    Ok(ExitCode::Done)
}

/// The pages do not show environment variables by themselves, as the help does.
fn with_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| {
        let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
        match (variable, argument.get_help().map(ToString::to_string)) {
            (Some(variable), Some(help)) => argument.help(format!("{help} [env: {variable}]")),
            _ => argument,
        }
    });
    let names: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, with_variables))
}
