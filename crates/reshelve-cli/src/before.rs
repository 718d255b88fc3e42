//! What must be known of the command line before it is parsed: how help is coloured, and how an
//! error in it is printed.

use std::ffi::OsString;

use clap::ValueEnum;

use crate::printer::Colour;

/// The value of `--color`, as far as it is one: the parser reports others.
pub(crate) fn colour() -> Colour {
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
