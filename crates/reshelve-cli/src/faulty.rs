//! A faulty command line as a failure like any other: what is wrong, and what to do about it.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use reshelve_app::{Failure, hints};

use crate::config;

/// The failure that the parser describes in a page of text.
pub(crate) fn failure(kind: ErrorKind, text: &str) -> Failure {
    let is_help = kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_help || kind == ErrorKind::MissingSubcommand {
        return Failure::usage("no command is named", hints::LIST_OF_COMMANDS);
    }
    let mut paragraphs = text.split("\n\n").map(one_line);
    let message = paragraphs.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(&message).to_owned();
    let hint: Vec<String> = paragraphs
        .filter_map(|paragraph| match paragraph.strip_prefix("tip: ") {
            Some(tip) => Some(tip.to_owned()),
            None => paragraph.starts_with("Usage: ").then_some(paragraph),
        })
        .collect();
    match hint.as_slice() {
        [] => Failure::usage(message, hints::LIST_OF_FLAGS),
        hint => Failure::usage(message, hint.join("; ")),
    }
}

/// The same page without tips that mislead: a flag that the command does not have is hardly meant as
/// a value.
pub(crate) fn without_useless_tips(text: &str) -> String {
    let is_useless = |line: &&str| line.trim_start().starts_with("tip: to pass ");
    let mut lines: Vec<&str> = text.lines().filter(|line| !is_useless(line)).collect();
    lines.dedup_by(|one, other| one.is_empty() && other.is_empty());
    lines.join("\n")
}

/// Where a value that the parser refuses was found, if not on the command line: the parser names a
/// flag that nobody may have given.
pub(crate) fn origin(
    error: &clap::Error,
    command: &clap::Command,
    line: &[OsString],
) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let (argument, value) = (text(ContextKind::InvalidArg)?, text(ContextKind::InvalidValue)?);
    let is_given = |word: &OsString| {
        let word = word.to_string_lossy();
        word == value || word.strip_suffix(value).is_some_and(|flag| flag.starts_with('-'))
    };
    if line.iter().any(is_given) {
        return None;
    }
    let argument = named(command, argument, line)?;
    let of = |name: &&OsStr| std::env::var_os(name).is_some_and(|set| set == value);
    if let Some(name) = argument.get_env().filter(of) {
        return Some(format!("the value is that of the variable {}", name.to_string_lossy()));
    }
    let is_setting = argument.get_default_values().iter().any(|set| *set == value);
    is_setting.then(|| format!("the value stands in {}", config::path().display()))
}

/// The argument that the parser calls so, of the command that was called.
fn named<'c>(command: &'c clap::Command, name: &str, line: &[OsString]) -> Option<&'c clap::Arg> {
    let called = command.get_subcommands().filter(|sub| line.iter().any(|it| it == sub.get_name()));
    let below = called.filter_map(|sub| named(sub, name, line)).next();
    below.or_else(|| command.get_arguments().find(|argument| argument.to_string() == name))
}

fn one_line(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tip_that_takes_a_flag_for_a_value_is_left_out() {
        let page = "error: unexpected argument '--docs' found\n\n  tip: to pass '--docs' as a value, use \
                    '-- --docs'\n\nUsage: reshelve generate <OUT>";
        let expected =
            "error: unexpected argument '--docs' found\n\nUsage: reshelve generate <OUT>";
        assert_eq!(without_useless_tips(page), expected);
    }

    #[test]
    fn the_parsers_page_becomes_a_sentence_and_a_hint() {
        let text = "error: unexpected argument '--aply' found\n\n  tip: a similar argument exists: \
                    '--apply'\n\nUsage: reshelve run --apply <SOURCE> <TARGET>\n\nFor more \
                    information, try '--help'.\n";
        let told = failure(ErrorKind::UnknownArgument, text);
        assert_eq!(told.message, "unexpected argument '--aply' found");
        assert_eq!(
            told.hint.as_deref(),
            Some(
                "a similar argument exists: '--apply'; Usage: reshelve run --apply <SOURCE> <TARGET>"
            )
        );
        let text = "error: invalid value 'x' for '--in-flight <WHAT>'\n  [possible values: include]\n\n\
                    For more information, try '--help'.\n";
        let told = failure(ErrorKind::InvalidValue, text);
        assert!(told.message.ends_with("[possible values: include]"), "{told}");
        assert!(told.hint.is_some());
    }
}
