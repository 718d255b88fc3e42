//! `docs/reliability.md`: counts, where they come from, and what was not tried.

use std::collections::BTreeSet;

use super::SUITES;
use super::tried::Tried;
use crate::machine::{Fact, commit, hardware, rust, unknown};
use crate::tools::told;

/// What nobody should take for tried.
const NOT_TRIED: &[&str] = &[
    "A real `mongod`: the live tests run on [SecantusDB](https://github.com/jdrumgoole/SecantusDB), \
     which speaks the same protocol and stores documents in another engine. `RESHELVE_TEST_MONGODB_URI` \
     runs them on yours.",
    "Sharded clusters, and replica sets of several members: an election is played by errors that a \
     server gives when another one leads.",
    "A real loss of power: what one leaves is played by a file system in memory, which loses what \
     was not synced.",
    "A real disk that says that it has synced and has not: it is played by the file system in \
     memory, up to the end of a run; what it loses after that, no run can know.",
    "Network file systems.",
];

/// How the list of suites is marked on the page.
const SUITE: &str = "- suite `";

/// The suites that there are, as the page names them.
pub(super) fn suites() -> BTreeSet<String> {
    SUITES.iter().map(|(_, suite, _)| (*suite).to_owned()).collect()
}

/// The suites that a page lists.
pub(super) fn suites_in(page: &str) -> BTreeSet<String> {
    let name = |line: &str| Some(line.strip_prefix(SUITE)?.split_once('`')?.0.to_owned());
    page.lines().filter_map(name).collect()
}

/// The page.
pub(super) fn write(tried: &Tried, is_long: bool) -> String {
    let command =
        if is_long { "cargo xtask reliability --long" } else { "cargo xtask reliability" };
    let mut page = format!(
        "# Reliability\n\n\
         What was tried to make the tool lose something, and how it ended. This page is written by \
         `{command}` from what the tests counted while they ran, and the same command repeats it. \
         Every row ended well: a test that finds anything else fails, and then the page is not \
         written.\n\n\
         - *same bytes*: the target ended with the bytes that it has without the fault (after a \
         rollback: with the bytes of before the run), if need be after a second command, `resume` \
         or `rollback`.\n\
         - *refused*: the command stopped with an error that says what happened and what to do, \
         and nothing was lost.\n\n\
         {}.\n\n",
        tried.words()
    );
    let missing: Vec<&str> =
        SUITES.iter().map(|(_, suite, _)| *suite).filter(|suite| !tried.has(suite)).collect();
    if !missing.is_empty() {
        page += &format!("**Not counted on this page:** {}.\n\n", missing.join(", "));
    }
    page += "## Where\n\n| | |\n|---|---|\n";
    for (name, value) in facts() {
        page += &format!("| {name} | {value} |\n");
    }
    let ends: BTreeSet<&String> = tried.rows.keys().map(|(ends, _)| ends).collect();
    for ends in ends {
        page += &format!(
            "\n## {}\n\n| fault | tried | same bytes | refused | tests |\n|---|---:|---:|---:|---|\n",
            upper(ends)
        );
        for ((of, fault), row) in &tried.rows {
            if of != ends {
                continue;
            }
            let tests: Vec<String> = row.tests.iter().map(|test| format!("`{test}`")).collect();
            let (tried, tests) = (row.tried(), tests.join(", "));
            page += &format!("| {fault} | {tried} | {} | {} | {tests} |\n", row.same, row.refused);
        }
    }
    page += "\n## What was not tried\n\n";
    for line in NOT_TRIED {
        page += &format!("- {line}\n");
    }
    page += "\n## How to repeat a part\n\n\
             A test is named `FILE::NAME`. One that begins with `live_` needs a server: put \
             `cargo xtask server` before the command. `RESHELVE_FAULTS=all` is what `--long` sets.\n\n";
    for (package, suite, what) in SUITES {
        let server = if suite.starts_with("live_") { "cargo xtask server " } else { "" };
        page +=
            &format!("{SUITE}{suite}`: {what}: `{server}cargo test -p {package} --test {suite}`\n");
    }
    page
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What it was tried on.
fn facts() -> Vec<Fact> {
    let date = told("date", &["--utc", "+%Y-%m-%d"]).unwrap_or_else(unknown);
    let mut facts = Vec::from(hardware());
    facts.extend([rust(), commit(), ("date", date)]);
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lists_the_suites_that_there_are() {
        let page = write(&Tried::default(), true);
        assert_eq!(suites_in(&page), suites());
        assert_eq!(suites().len(), SUITES.len(), "each once");
        assert!(page.contains("**Not counted on this page:** faults, sequences,"));
    }

    #[test]
    fn every_suite_is_a_test_binary() {
        for (package, suite, _) in SUITES {
            let tests = crate::tools::root().join("crates").join(package).join("tests");
            let file = tests.join(format!("{suite}.rs"));
            assert!(file.is_file() || tests.join(suite).is_dir(), "{}", file.display());
        }
    }
}
