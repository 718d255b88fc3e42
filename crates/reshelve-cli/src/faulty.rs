//! A faulty command line as a failure like any other: what is wrong, and what to do about it.

use clap::error::ErrorKind;
use reshelve_app::{Failure, hints};

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
            // A flag that the command does not have is hardly meant as a value.
            Some(tip) if tip.starts_with("to pass ") => None,
            Some(tip) => Some(tip.to_owned()),
            None => paragraph.starts_with("Usage: ").then_some(paragraph),
        })
        .collect();
    match hint.as_slice() {
        [] => Failure::usage(message, hints::LIST_OF_FLAGS),
        hint => Failure::usage(message, hint.join("; ")),
    }
}

fn one_line(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

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
