//! Colour: for what is good or bad news, on a terminal or where it was asked for. Everything can be
//! understood without it.

use std::ffi::OsString;
use std::io::IsTerminal;

use super::looks;

/// When colour is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb; anywhere if CLICOLOR_FORCE is set
    #[default]
    Auto,
    /// Always, in pipes and files too
    Always,
    /// Never
    Never,
}

impl Colour {
    /// Whether colour is used where there is a terminal, or none.
    fn is_used(self, is_terminal: bool, variable: &dyn Fn(&str) -> Option<OsString>) -> bool {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        match self {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto if given("NO_COLOR").is_some() => false,
            Colour::Auto if given("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            Colour::Auto => is_terminal && given("TERM").is_some_and(|term| term != "dumb"),
        }
    }

    /// The same for help, which the parser prints.
    pub(crate) fn of_help(self) -> clap::ColorChoice {
        match self.is_used(std::io::stdout().is_terminal(), &|name| std::env::var_os(name)) {
            true => clap::ColorChoice::Always,
            false => clap::ColorChoice::Never,
        }
    }
}

/// What kind of news a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Worth a look.
    Careful,
    /// Something is wrong.
    Bad,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Tone::Good => "\x1b[1;32m",
            Tone::Careful => "\x1b[1;33m",
            Tone::Bad => "\x1b[1;31m",
        }
    }
}

/// A piece of the answer in the colour of its tone.
pub(crate) fn toned(tone: Tone, text: &str) -> String {
    painted(tone, text, std::io::stdout().is_terminal())
}

/// The same for standard error.
pub(super) fn toned_note(tone: Tone, text: &str) -> String {
    painted(tone, text, std::io::stderr().is_terminal())
}

fn painted(tone: Tone, text: &str, is_terminal: bool) -> String {
    match looks().colour.is_used(is_terminal, &|name| std::env::var_os(name)) {
        true => format!("{}{text}\x1b[0m", tone.code()),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_counts_more_than_variables_and_these_more_than_the_terminal() {
        let used = |colour: Colour, is_terminal: bool, set: &[(&str, &str)]| {
            colour.is_used(is_terminal, &|name| {
                let found = set.iter().find(|(set, _)| *set == name);
                found.map(|(_, value)| OsString::from(value))
            })
        };
        let xterm = ("TERM", "xterm");
        assert!(used(Colour::Auto, true, &[xterm]));
        assert!(!used(Colour::Auto, false, &[xterm]));
        assert!(!used(Colour::Auto, true, &[]));
        assert!(!used(Colour::Auto, true, &[("TERM", "dumb")]));
        assert!(!used(Colour::Auto, true, &[xterm, ("NO_COLOR", "1")]));
        assert!(used(Colour::Auto, true, &[xterm, ("NO_COLOR", "")]));
        assert!(used(Colour::Auto, false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!used(Colour::Auto, false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!used(Colour::Auto, false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(used(Colour::Always, false, &[("NO_COLOR", "1"), ("TERM", "dumb")]));
        assert!(!used(Colour::Never, true, &[xterm, ("CLICOLOR_FORCE", "1")]));
    }
}
