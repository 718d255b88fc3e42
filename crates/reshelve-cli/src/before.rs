//! What must be known of the command line before it is parsed: how help is coloured, and how an
//! error in it is printed.

use std::ffi::{OsStr, OsString};

use clap::ValueEnum;
use clap::builder::{FalseyValueParser, TypedValueParser};

use crate::printer::{Colour, Format, Looks};

/// How everything is printed as long as nothing is parsed.
pub(crate) fn looks() -> Looks {
    let failures = if asks_for_json() { Format::Json } else { Format::Text };
    Looks { colour: colour(), failures, ..Looks::default() }
}

/// The same once the settings file is read, which may ask for JSON too.
pub(crate) fn looks_with(command: &clap::Command) -> Looks {
    let looks = looks();
    let mut called = command;
    for word in std::env::args_os().skip(1) {
        called = called.find_subcommand(word).unwrap_or(called);
    }
    let json = called.get_arguments().find(|argument| argument.get_id() == "json");
    match json.and_then(|json| json.get_default_values().first()) {
        Some(value) if is_on(value) => Looks { failures: Format::Json, ..looks },
        _ => looks,
    }
}

fn asks_for_json() -> bool {
    let words = std::env::args_os().skip(1).take_while(|word| word != "--");
    let mut words = words.map(|word| word.to_string_lossy().into_owned());
    words.any(|word| word == "--json" || word.starts_with("--json="))
        || std::env::var_os("RESHELVE_JSON").is_some_and(|value| is_on(&value))
}

/// Whether the value of a flag, from a variable or the settings file, switches it on.
fn is_on(value: &OsStr) -> bool {
    let command = clap::Command::new("");
    FalseyValueParser::new().parse_ref(&command, None, value).unwrap_or(false)
}

/// The value of `--color`, as far as it is one: the parser reports others.
fn colour() -> Colour {
    let given = value_of("--color", std::env::args_os().skip(1));
    let given = given.or_else(|| std::env::var_os("RESHELVE_COLOR"));
    let named = given.and_then(|value| Colour::from_str(value.to_str()?, false).ok());
    named.unwrap_or_default()
}

/// The last value of a flag.
fn value_of(flag: &str, words: impl Iterator<Item = OsString>) -> Option<OsString> {
    let mut found = None;
    let mut words = words.take_while(|word| word != "--");
    while let Some(word) = words.next() {
        if word == flag {
            found = words.next();
        } else if let Some(value) = word.to_str().and_then(|word| word.strip_prefix(flag)) {
            found = value.strip_prefix('=').map(OsString::from).or(found);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_none_after_two_dashes() {
        let value = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            value_of("--color", words.into_iter()).map(|value| value.into_string().unwrap())
        };
        assert_eq!(value(&["run", "--color", "never"]).as_deref(), Some("never"));
        let twice = ["--color=always", "run", "--color=never", "--colors=x"];
        assert_eq!(value(&twice).as_deref(), Some("never"));
        assert_eq!(value(&["run", "--", "--color", "never"]), None);
        assert_eq!(value(&["run", "--color"]), None);
    }
}
