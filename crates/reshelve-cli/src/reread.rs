//! The settings of a server, read again while it runs.

use std::path::PathBuf;

use clap::FromArgMatches;
use reshelve_app::Failure;
use reshelve_serve::sides::Turn;

use crate::cli::{Cli, Command};
use crate::{config, gate, printer};

/// A command line with places, which the parser asks for: none of it is used.
const LINE: [&str; 6] = ["reshelve", "serve", "--legacy", "x", "--normalized", "y"];

/// What the settings file says of the switch, and which file it is.
///
/// # Errors
/// If there is no such file, or it could not be used to start a server either.
pub(crate) fn turn() -> Result<(Turn, PathBuf), Failure> {
    let (mut command, path) = config::of_file_alone()?;
    let faulty = |error: &clap::Error, command: &clap::Command| {
        let text = printer::masked(&gate::masked(&error.to_string(), command));
        let text = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Failure::failed(format!("{}: {text}", path.display()))
    };
    let matches = match command.try_get_matches_from_mut(LINE) {
        Ok(matches) => matches,
        Err(error) => return Err(faulty(&error, &command)),
    };
    gate::check(&command, &matches)?;
    match Cli::from_arg_matches(&matches) {
        Ok(Cli { command: Command::Serve(args), .. }) => Ok((args.turn(), path)),
        Ok(_) => Ok((Turn::default(), path)),
        Err(error) => Err(faulty(&error, &command)),
    }
}
