//! Everything that was given from outside goes through here before a command sees it: no argument,
//! variable or setting may hold a password unless it is a SOURCE or a TARGET.

use std::ffi::{OsStr, OsString};

use clap::ArgMatches;
use clap::parser::ValueSource;
use reshelve_app::outside::{self, Outside};
use reshelve_app::{Failure, hints};

/// Arguments that take a connection string. A malformed one is refused here too.
const PLACES: [&str; 7] = ["source", "target", "scratch", "uri", "place", "legacy", "normalized"];
/// Arguments that name what lies in files, and may lie elsewhere one day.
const KEPT: [&str; 2] = ["dest", "folder"];
/// Arguments that name a file or a folder, and have their own words for a connection string.
const FILES: [&str; 2] = ["out", "out_flag"];
/// Arguments that may be any text, such as the id of a document.
const VALUES: [&str; 1] = ["job"];
/// Arguments that are an address of web pages.
const ORIGINS: [&str; 1] = ["client_origin"];
/// Arguments that are the address of a server, and have their own words for what they hold.
const ADDRESSES: [&str; 2] = ["api", "dashboard"];
/// What is shown in place of a text that may hold a password.
const MASK: &str = "***";

/// Checks the value of every argument, wherever it comes from.
///
/// # Errors
/// If one of them is a malformed connection string, or a connection string in the wrong place.
pub(crate) fn check(command: &clap::Command, matches: &ArgMatches) -> Result<(), Failure> {
    refuse_a_place_given_twice(command, matches)?;
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        let Ok(Some(values)) = matches.try_get_raw(id) else { continue };
        let is_file = FILES.contains(&id) && (argument.is_positional() || id == "out_flag");
        for value in values {
            let outside = match id {
                _ if VALUES.contains(&id) => Outside::of_value(value),
                _ if [&ORIGINS[..], &ADDRESSES].concat().contains(&id) => Outside::of_origin(value),
                _ => Outside::of(value),
            };
            let may_be_stored = PLACES.contains(&id) || KEPT.contains(&id);
            if outside == Outside::NearMiss
                && may_be_stored
                && let Some(failure) = outside::in_object_storage(value)
            {
                return Err(failure);
            }
            match outside {
                Outside::Plain => {}
                Outside::NearMiss if PLACES.contains(&id) => {
                    return Err(match Outside::of_origin(value) {
                        Outside::Plain => outside::address_as_place(&name_of(argument)),
                        _ => outside::malformed(),
                    });
                }
                Outside::ConnectionString if PLACES.contains(&id) || is_file => {}
                _ if ADDRESSES.contains(&id) => {
                    return Err(outside::not_an_address(&name_of(argument)));
                }
                _ => return Err(outside::misplaced(&name_of(argument))),
            }
        }
    }
    match matches.subcommand() {
        Some((name, matches)) => match command.find_subcommand(name) {
            Some(command) => check(command, matches),
            None => Ok(()),
        },
        None => Ok(()),
    }
}

/// `--uri` and `--out` are other ways to give a place of a command: given both ways, it is not clear
/// which one is meant. A variable is no such contradiction, because the command line comes first.
fn refuse_a_place_given_twice(
    command: &clap::Command,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let is_given = |id: &str| {
        let is_known = command.get_arguments().any(|argument| argument.get_id() == id);
        is_known && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    let pairs = [
        ("source", "uri", "SOURCE is given twice: in its place, and with --uri"),
        ("target", "uri", "TARGET is given twice: in its place, and with --uri"),
        ("out", "out_flag", "OUT is given twice: in its place, and with --out"),
    ];
    for (place, flag, message) in pairs {
        if is_given(flag) && is_given(place) {
            return Err(Failure::usage(message, hints::LEAVE_ONE_OUT));
        }
    }
    Ok(())
}

/// How people know an argument: `--runs-dir`, or `SOURCE`.
fn name_of(argument: &clap::Arg) -> String {
    match (argument.get_long(), argument.get_value_names()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some([name, ..])) => name.to_string(),
        (None, _) => argument.get_id().to_string(),
    }
}

/// A message of the parser without what may hold a password: it quotes command lines, variables and
/// settings.
pub(crate) fn masked(text: &str, command: &clap::Command) -> String {
    let mut given: Vec<OsString> = std::env::args_os().skip(1).collect();
    from_elsewhere(command, &mut given);
    let mut secrets: Vec<String> = given
        .iter()
        .flat_map(|text| parts_of(&text.to_string_lossy()))
        .filter(|text| match Outside::of(OsStr::new(text)) {
            Outside::Plain => false,
            Outside::ConnectionString => text.contains('@'),
            Outside::NearMiss => true,
        })
        .collect();
    secrets.sort_by_key(|text| std::cmp::Reverse(text.len()));
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), MASK))
}

/// What variables and the settings file give.
fn from_elsewhere(command: &clap::Command, given: &mut Vec<OsString>) {
    for argument in command.get_arguments() {
        given.extend(argument.get_env().and_then(std::env::var_os));
        given.extend(argument.get_default_values().iter().map(|value| value.to_os_string()));
    }
    command.get_subcommands().for_each(|command| from_elsewhere(command, given));
}

/// An argument, and the value in `--flag=value`.
fn parts_of(text: &str) -> Vec<String> {
    let value = text.split_once('=').filter(|_| text.starts_with('-'));
    std::iter::once(text.to_owned()).chain(value.map(|(_, value)| value.to_owned())).collect()
}
