//! The `reshelve` command.

mod before;
mod cli;
mod commands;
mod config;
mod faulty;
mod gate;
mod interrupt;
mod memory;
mod next;
mod printer;
mod progress;
mod progress_line;
mod reread;
mod verbose;

use std::ffi::OsString;
use std::time::Instant;

use clap::FromArgMatches;
use reshelve_app::{ExitCode, Failure};

use cli::{Cli, Command};

fn main() -> std::process::ExitCode {
    let fail = |failure: Failure| {
        printer::failure(&failure);
        failure.code
    };
    let begun = Instant::now();
    memory::keep_freed_for_live_ends();
    let code = run().unwrap_or_else(fail);
    let code = printer::finish().map_or_else(fail, |()| code);
    if printer::is_verbose() {
        printer::note(&verbose::spent(begun.elapsed()));
    }
    code.number().into()
}

fn run() -> Result<ExitCode, Failure> {
    printer::set(before::looks());
    let mut command = config::command()?;
    let looks = before::looks_with(&command);
    printer::set(looks);
    command = command.color(looks.colour.of_help());
    config::unknown_variables(&command).iter().for_each(|note| printer::note(note));
    let matches = match command.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) => return print_parser_error(&error, &command),
    };
    printer::set(cli::looks(&matches));
    gate::check(&command, &matches)?;
    if printer::is_verbose() {
        verbose::settings(&matches).iter().for_each(|line| printer::note(line));
    }
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return print_parser_error(&error, &command),
    };
    match cli.command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Profile(args) => commands::profile::run(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Plan(args) => commands::plan::run(&args),
        Command::Runs(args) => commands::runs::run(&args),
        Command::Status(args) => commands::status::run(&args),
        Command::Resume(args) => commands::resume::run(&args),
        Command::Pause(args) => commands::control::pause(&args),
        Command::Cancel(args) => commands::control::cancel(&args),
        Command::Throttle(args) => commands::control::throttle(&args),
        Command::Rollback(args) => commands::rollback::run(&args),
        Command::Rehearse(args) => commands::rehearse::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Restore(args) => commands::restore::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Checksums(args) => commands::checksums::run(&args),
        Command::Report(args) => commands::report::run(&args),
        Command::Serve(args) => commands::serve::run(&args),
        Command::Shadow(args) => commands::shadow::run(&args),
        Command::Crosscheck(args) => commands::crosscheck::run(&args),
        Command::Snapshot(args) => commands::snapshot::run(&args),
        Command::Indexes(args) => commands::indexes::run(&args),
        Command::Generate(args) => commands::generate::run(&args),
        Command::Anonymize(args) => commands::anonymize::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
        Command::Man(args) => commands::man::run(&args),
    }
}

/// Help and version go to standard output; a faulty command line is quoted without the credentials
/// that it may hold.
fn print_parser_error(error: &clap::Error, command: &clap::Command) -> Result<ExitCode, Failure> {
    if !error.use_stderr() {
        printer::help(error);
        return Ok(ExitCode::Done);
    }
    let text = printer::masked(&gate::masked(&error.render().to_string(), command));
    let text = faulty::without_useless_tips(&text);
    let mut failure = faulty::failure(error.kind(), &text);
    let line: Vec<OsString> = std::env::args_os().skip(1).collect();
    let origin = faulty::origin(error, command, &line);
    if let Some(origin) = &origin {
        failure.hint =
            Some(failure.hint.map_or(origin.clone(), |hint| format!("{origin}; {hint}")));
    }
    printer::faulty_command_line(text.trim_end(), origin.as_deref(), &failure);
    Ok(failure.code)
}
