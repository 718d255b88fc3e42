//! What `--verbose` says before a command works: which settings differ from the defaults, and where
//! they come from.

use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;
use reshelve::run::millis;
use reshelve_app::outside::Outside;
use reshelve_app::text::{plain, size, span};

use crate::cli;

/// A line for each setting of the command that is called, the program's own first.
pub(crate) fn settings(matches: &ArgMatches) -> Vec<String> {
    let mut lines = Vec::new();
    let command = cli::command();
    let mut here = (&command, matches);
    loop {
        let (command, matches) = here;
        for argument in command.get_arguments() {
            lines.extend(setting(argument, matches));
        }
        let below = matches.subcommand();
        match below.and_then(|(name, below)| Some((command.find_subcommand(name)?, below))) {
            Some(below) => here = below,
            None => return lines,
        }
    }
}

/// A setting that differs from its default, with its origin. Values that may hold a password are
/// not shown.
fn setting(argument: &clap::Arg, matches: &ArgMatches) -> Option<String> {
    let id = argument.get_id().as_str();
    let values: Vec<_> = matches.try_get_raw(id).ok()??.collect();
    let origin = match matches.value_source(id)? {
        ValueSource::CommandLine => "command line".to_owned(),
        ValueSource::EnvVariable => format!("variable {}", argument.get_env()?.display()),
        // The settings file stands in for the defaults.
        _ if values.iter().eq(argument.get_default_values().iter()) => return None,
        _ if values.iter().all(|value| *value == "false") => return None,
        _ => "settings file".to_owned(),
    };
    let shown = values.iter().map(|value| match Outside::of(value) {
        Outside::Plain => value.to_string_lossy().into_owned(),
        _ => "***".to_owned(),
    });
    let shown = shown.collect::<Vec<_>>().join(" ");
    let name = match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => argument.get_value_names()?.first()?.to_string(),
    };
    Some(format!("setting: {name} {} ({origin})", plain(&shown)))
}

/// What the command took.
pub(crate) fn spent(elapsed: Duration) -> String {
    let elapsed_ms = millis(elapsed);
    let memory = size(reshelve::run::peak_rss_bytes());
    format!("took {} and {memory} of memory", span(elapsed_ms))
}
