//! How every command prints: arguments that all of them take.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use crate::printer::{Colour, Format, Looks, Progress, Voice};

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Print only errors and the result
    #[arg(short, long, global = true, env = "RESHELVE_QUIET", help_heading = "Output")]
    quiet: bool,
    /// Also print which settings are in force and where they come from, and the time it took
    #[arg(short, long, global = true, env = "RESHELVE_VERBOSE", help_heading = "Output")]
    verbose: bool,
    /// Show no progress
    #[arg(long, global = true, env = "RESHELVE_NO_PROGRESS", help_heading = "Output")]
    no_progress: bool,
    /// When to use colour
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        env = "RESHELVE_COLOR",
        help_heading = "Output",
        default_value = "auto"
    )]
    color: Colour,
}

/// What was asked for. Of `--quiet` and `--verbose` the one on the command line counts; of two
/// there, the quiet one.
pub(crate) fn looks(matches: &ArgMatches) -> Looks {
    let is_on = |id: &str| matches.get_flag(id);
    let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let voice = match (is_on("quiet"), is_on("verbose")) {
        (true, true) if is_given("verbose") && !is_given("quiet") => Voice::Verbose,
        (true, _) => Voice::Quiet,
        (false, true) => Voice::Verbose,
        (false, false) => Voice::Normal,
    };
    Looks {
        voice,
        progress: if is_on("no_progress") { Progress::Hidden } else { Progress::Shown },
        colour: matches.get_one("color").copied().unwrap_or_default(),
        failures: if asks_for_json(matches) { Format::Json } else { Format::Text },
    }
}

/// Whether the command that is called was asked for an answer in JSON.
fn asks_for_json(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some((_, below)) => asks_for_json(below),
        None => matches!(matches.try_get_one("json"), Ok(Some(true))),
    }
}
