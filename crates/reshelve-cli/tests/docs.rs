//! Keeps the documentation honest: links lead somewhere, commands and flags exist, exit codes are
//! those of the program.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The pages at the top, below `docs`, and the introductions of the test folders.
fn pages() -> Vec<(PathBuf, String)> {
    let folders = [
        "",
        "docs",
        "docs/decisions",
        "tests/cases",
        "tests/samples",
        "tests/clients",
        "tests/oracle",
        "bench/node",
    ];
    let mut pages = Vec::new();
    for folder in folders {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path).unwrap();
                pages.push((path, text));
            }
        }
    }
    pages.sort();
    assert!(pages.len() > 10, "the pages have moved");
    pages
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The lines inside fences, or those outside.
fn lines(text: &str, inside: bool) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && fenced == inside
    })
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let kept =
        heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

fn targets(text: &str) -> Vec<&str> {
    let after = lines(text, false).flat_map(|line| line.split("](").skip(1));
    after.filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in pages() {
        for target in targets(&text).into_iter().filter(|target| !target.contains("://")) {
            let (file, wanted) = target.split_once('#').unwrap_or((target, ""));
            let linked = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            let found = linked.exists()
                && (wanted.is_empty()
                    || lines(&fs::read_to_string(&linked).unwrap(), false)
                        .filter_map(|line| line.strip_prefix('#'))
                        .any(|line| anchor(line.trim_start_matches('#')) == wanted));
            if !found {
                broken.push(format!("{}: {target}", name(&path)));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

fn help(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_reshelve"))
        .args(command.split_whitespace())
        .arg("--help")
        // A settings file where the test happens to run is none of its business.
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `reshelve <command> …` in a line of a fence or between backticks: the command and its flags.
fn calls(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let code = lines(text, true).map(|line| line.split(" #").next().unwrap_or(line));
    let spans = lines(text, false).flat_map(|line| line.split('`').skip(1).step_by(2));
    let mut calls = Vec::new();
    for piece in code.chain(spans) {
        let piece = piece.trim_start_matches("$ ");
        // Hints inside shown output hold their command between backticks.
        for part in piece.split('`') {
            let Some(rest) = part.strip_prefix("reshelve ") else { continue };
            let mut words = rest.split_whitespace();
            let command = words.next().unwrap_or_default();
            let is_word = |word: &str| word.chars().all(|c| c.is_ascii_lowercase());
            if command.is_empty() || !is_word(command) {
                continue;
            }
            let flags = words.filter(|word| word.starts_with("--"));
            let flags = flags.map(|flag| flag.split('=').next().unwrap_or(flag).to_owned());
            calls.push((command.to_owned(), flags.collect()));
        }
    }
    calls
}

#[test]
fn every_command_and_flag_that_is_shown_exists() {
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    let mut unknown = Vec::new();
    let mut seen = 0;
    for (path, text) in pages() {
        for (command, flags) in calls(&text) {
            let help = helps.entry(command.clone()).or_insert_with(|| help(&command));
            seen += 1;
            if help.is_empty() {
                unknown.push(format!("{}: reshelve {command}", name(&path)));
            }
            let known = self::flags(help);
            for flag in flags.iter().filter(|flag| !known.contains(flag.as_str())) {
                unknown.push(format!("{}: reshelve {command} {flag}", name(&path)));
            }
        }
    }
    assert!(seen > 20, "only {seen} calls were found: their form has changed");
    assert!(unknown.is_empty(), "shown, but not there:\n{}", unknown.join("\n"));
}

/// The flags in a text.
fn flags(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .collect()
}

#[test]
fn hints_name_commands_and_flags_that_exist() {
    let hints = fs::read_to_string(root().join("crates/reshelve-app/src/hints.rs")).unwrap();
    let overview = help("");
    let (_, list) = overview.split_once("\nCommands:\n").expect("a list of commands");
    let commands: Vec<&str> = list
        .lines()
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .chain(["indexes up", "indexes down"])
        .collect();
    let helps: String = commands.iter().map(|command| help(command)).collect();
    let known = flags(&helps);
    let unknown: Vec<&str> =
        flags(&hints).into_iter().filter(|flag| !known.contains(flag)).collect();
    assert!(unknown.is_empty(), "hints name flags that no command has: {unknown:?}");
    let named: Vec<&str> = hints.split("`reshelve ").skip(1).collect();
    assert!(named.len() > 5, "only {} commands were found: their form has changed", named.len());
    for rest in named {
        let name = rest.split(|c: char| !c.is_ascii_lowercase()).next().unwrap();
        assert!(commands.contains(&name), "a hint names the command {name}");
    }
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let code = fs::read_to_string(root().join("crates/reshelve-app/src/exit_code.rs")).unwrap();
    let in_code: BTreeSet<u8> = code
        .lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = ")?.1.parse().ok())
        .collect();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = readme.split_once("## Exit codes").expect("a section on exit codes");
    let section = section.split("\n## ").next().unwrap();
    let in_readme: BTreeSet<u8> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next()?.parse().ok())
        .collect();
    assert!(!in_code.is_empty());
    assert_eq!(in_readme, in_code, "README and exit_code.rs list different exit codes");
}
