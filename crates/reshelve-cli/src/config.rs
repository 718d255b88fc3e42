//! `reshelve.toml`: the same settings as the flags, below the environment and above the defaults.
//!
//! Every key is the name of a long flag. Keys at the top hold for every command that has the flag,
//! those in a table for the command of that name.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::builder::{FalseyValueParser, Resettable};
use reshelve_app::outside::{self, Outside};
use reshelve_app::{ExitCode, Failure, hints};

use crate::cli;

/// The file, in the folder where the command is run.
const FILE: &str = "reshelve.toml";
/// The variable that names another one.
const CONFIG: &str = "RESHELVE_CONFIG";

/// The command line, with what the file says as defaults.
pub(crate) fn command() -> Result<clap::Command, Failure> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let may_be_called = |name: &str| words.iter().any(|word| word == name);
    let command = hide_values_of(cli::command_for(&may_be_called), &may_be_called);
    match text()? {
        Some((path, text)) => applied(command, &path, &text),
        None => Ok(command),
    }
}

/// A command line on which nothing counts but what the file says: neither the environment, which
/// cannot change while a process runs, nor what it was started with. Also which file it is.
pub(crate) fn of_file_alone() -> Result<(clap::Command, PathBuf), Failure> {
    let Some((path, text)) = text()? else {
        return Err(Failure::usage(format!("there is no {FILE}"), hints::SETTINGS_KEYS));
    };
    let command = without_variables(hide_values(cli::command()));
    Ok((applied(command, &path, &text)?, path))
}

fn without_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| argument.env(Resettable::Reset));
    let names: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, without_variables))
}

/// Where the file is.
pub(crate) fn path() -> PathBuf {
    std::env::var_os(CONFIG).map_or_else(|| FILE.into(), PathBuf::from)
}

/// What the file holds; none where there is none and none was named.
fn text() -> Result<Option<(PathBuf, String)>, Failure> {
    let named = std::env::var_os(CONFIG);
    named.iter().try_for_each(|path| outside::check(CONFIG, path))?;
    let path = path();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(error) => {
            let message = format!("reading {}: {error}", path.display());
            Err(Failure { code: ExitCode::Usage, ..Failure::failed(message) })
        }
    }
}

fn applied(command: clap::Command, path: &Path, text: &str) -> Result<clap::Command, Failure> {
    apply(command, text).map_err(|detail| {
        Failure::usage(format!("{}: {detail}", path.display()), hints::SETTINGS_KEYS)
    })
}

/// The environment may hold credentials: the help names variables, but never shows their values.
fn hide_values(command: clap::Command) -> clap::Command {
    hide_values_of(command, &|_| true)
}

/// The same for those of its commands alone that may be called.
fn hide_values_of(command: clap::Command, may_be_called: &dyn Fn(&str) -> bool) -> clap::Command {
    let command = command.mut_args(|argument| {
        let argument = argument.hide_env_values(true);
        match argument.get_action() {
            // `1`, `yes` and `on` switch a flag on; `0`, `no`, `off` and nothing do not.
            clap::ArgAction::SetTrue => argument.value_parser(FalseyValueParser::new()),
            _ => argument,
        }
    });
    let names = command.get_subcommands().map(clap::Command::get_name);
    let names: Vec<String> = names.filter(|name| may_be_called(name)).map(str::to_owned).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, hide_values))
}

/// How variables of this program begin.
const PREFIX: &str = "RESHELVE_";
/// Those of its tests begin like this.
const TESTS: [&str; 2] = ["RESHELVE_TEST_", "RESHELVE_FAULT"];

/// Says of each variable that looks like one of this program and is none that it has no effect.
pub(crate) fn unknown_variables(command: &clap::Command) -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let ours = names.filter(|name| name.starts_with(PREFIX) && name != CONFIG);
    let ours = ours.filter(|name| !TESTS.iter().any(|prefix| name.starts_with(prefix)));
    let mut unknown: Vec<String> = ours.filter(|name| !is_variable(command, name)).collect();
    unknown.sort();
    let note = |name: &String| {
        let name = shown(name);
        format!(
            "warning: the variable {name} is no setting, and has no effect: the help of each command \
             names those that it takes"
        )
    };
    unknown.iter().map(note).collect()
}

/// Whether an argument of a command, or of one below it, is set by a variable.
fn is_variable(command: &clap::Command, name: &str) -> bool {
    let is_of = |argument: &clap::Arg| argument.get_env().is_some_and(|variable| variable == name);
    command.get_arguments().any(is_of)
        || command.get_subcommands().any(|sub| is_variable(sub, name))
}

fn apply(mut command: clap::Command, text: &str) -> Result<clap::Command, String> {
    let table: toml::Table = text.parse().map_err(|error| without_quoting(&error, text))?;
    let names: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for (key, value) in table {
        if let toml::Value::Table(settings) = value {
            if !names.contains(&key) {
                return Err(format!("there is no command {}", shown(&key)));
            }
            for (key_inside, value) in settings {
                let sub = command.find_subcommand(&key);
                if !sub.is_some_and(|sub| has_flag(sub, &key_inside)) {
                    let Some(of_all) = flag_of_all(&command, &key_inside).cloned() else {
                        return Err(format!("{key} has no flag {}", shown(&key_inside)));
                    };
                    command = command.mut_subcommand(&key, |sub| sub.arg(of_all));
                }
                command = set(command, &key, &key_inside, &value)?;
            }
        } else if flag_of_all(&command, &key).is_some() {
            let text = text_of(&key, &value)?;
            command = command.mut_args(|argument| with_default_if(argument, &key, &text));
        } else {
            let with: Vec<&String> = names
                .iter()
                .filter(|name| command.find_subcommand(name).is_some_and(|sub| has_flag(sub, &key)))
                .collect();
            if with.is_empty() {
                return Err(format!("no command has a flag {}", shown(&key)));
            }
            for name in with {
                command = set(command, name, &key, &value)?;
            }
        }
    }
    Ok(command)
}

/// What is wrong with the text, and where. The parser's own message quotes the line, which may hold
/// a password.
fn without_quoting(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    // Some messages name a key.
    let message = error.message().lines().next().unwrap_or_default();
    match Outside::of(OsStr::new(message)) {
        Outside::Plain => format!("line {line}, column {column}: {message}"),
        _ => format!("line {line}, column {column} cannot be read"),
    }
}

/// A key as it may be shown.
fn shown(key: &str) -> &str {
    match Outside::of(OsStr::new(key)) {
        Outside::Plain => key,
        _ => "***",
    }
}

/// The key of an argument: its long flag, or its name if it is positional.
fn key_of(argument: &clap::Arg) -> String {
    argument
        .get_long()
        .map_or_else(|| argument.get_id().as_str().replace('_', "-"), ToOwned::to_owned)
}

/// A flag that every command has.
fn flag_of_all<'c>(command: &'c clap::Command, key: &str) -> Option<&'c clap::Arg> {
    command.get_arguments().find(|argument| key_of(argument) == key)
}

/// Whether an argument is another name of a place, on the command line alone: in the file it would
/// come before the command line.
fn is_other_name(argument: &clap::Arg) -> bool {
    ["uri", "out_flag"].contains(&argument.get_id().as_str())
}

/// Whether a command, or a command below it, has a flag.
fn has_flag(command: &clap::Command, key: &str) -> bool {
    command.get_arguments().any(|argument| key_of(argument) == key && !is_other_name(argument))
        || command.get_subcommands().any(|sub| has_flag(sub, key))
}

fn set(
    command: clap::Command,
    sub: &str,
    key: &str,
    value: &toml::Value,
) -> Result<clap::Command, String> {
    let text = text_of(key, value)?;
    Ok(command.mut_subcommand(sub, |sub| with_default(sub, key, &text)))
}

/// A setting as it would be written on the command line.
fn text_of(key: &str, value: &toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
        _ => Err(format!("{key} must be a string, a whole number or a boolean")),
    }
}

fn with_default(command: clap::Command, key: &str, text: &str) -> clap::Command {
    let command = command.mut_args(|argument| with_default_if(argument, key, text));
    let names: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| with_default(sub, key, text))
    })
}

/// An argument with what the file says, if it is the one that is meant.
fn with_default_if(argument: clap::Arg, key: &str, text: &str) -> clap::Arg {
    if key_of(&argument) != key || is_other_name(&argument) {
        return argument;
    }
    // An argument that the file sets need not be given any more.
    let argument = argument.required(false).required_unless_present(Resettable::Reset);
    argument.default_value(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, line: &[&str], id: &str) -> Option<String> {
        let command = apply(hide_values(cli::command()), text).unwrap();
        let matches = command.try_get_matches_from(line).unwrap();
        let (_, matches) = matches.subcommand().unwrap();
        matches.get_raw(id)?.next().map(|raw| raw.to_string_lossy().into_owned())
    }

    #[test]
    fn the_file_sets_defaults_and_the_command_line_wins() {
        let text = "runs-dir = \"elsewhere\"\n[run]\nbatch-docs = 7\nin-flight = \"skip\"\n";
        let line = ["reshelve", "run", "a", "b"];
        assert_eq!(value(text, &line, "runs_dir").as_deref(), Some("elsewhere"));
        assert_eq!(value(text, &line, "batch_docs").as_deref(), Some("7"));
        assert_eq!(value(text, &line, "in_flight").as_deref(), Some("skip"));
        let line = ["reshelve", "run", "a", "b", "--batch-docs", "8"];
        assert_eq!(value(text, &line, "batch_docs").as_deref(), Some("8"));
        let line = ["reshelve", "run"];
        let text = "source = \"s\"\ntarget = \"t\"\n";
        assert_eq!(value(text, &line, "target").as_deref(), Some("t"));
    }

    #[test]
    fn flags_of_all_commands_can_be_set_for_all_or_for_one() {
        let line = ["reshelve", "run", "a", "b"];
        assert_eq!(value("color = \"never\"\n", &line, "color").as_deref(), Some("never"));
        let text = "color = \"never\"\n[run]\ncolor = \"always\"\nquiet = true\n";
        assert_eq!(value(text, &line, "color").as_deref(), Some("always"));
        assert_eq!(value(text, &line, "quiet").as_deref(), Some("true"));
        assert_eq!(value(text, &["reshelve", "runs"], "color").as_deref(), Some("never"));
        let line = ["reshelve", "--color", "auto", "run", "a", "b"];
        assert_eq!(value(text, &line, "color").as_deref(), Some("auto"));
    }

    #[test]
    fn a_flag_can_be_switched_on() {
        let line = ["reshelve", "run", "a", "b"];
        assert_eq!(value("[run]\ngzip = true\n", &line, "gzip").as_deref(), Some("true"));
    }

    #[test]
    fn unknown_keys_are_errors() {
        let command = || hide_values(cli::command());
        assert!(apply(command(), "bach-docs = 7").is_err());
        assert!(apply(command(), "[ran]\njobs = 7").is_err());
        assert!(apply(command(), "[run]\njbos = 7").is_err());
        assert!(apply(command(), "[run]\njobs = [7]").is_err());
        assert!(apply(command(), "[indexes]\ntarget-db = \"t\"").is_ok());
    }
}
