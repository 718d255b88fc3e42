//! Help and man pages: the examples work, the short help fits on a screen, the man pages say what
//! the help says.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::Place;

const COMMANDS: [&str; 23] = [
    "demo",
    "inspect",
    "profile",
    "run",
    "plan",
    "runs",
    "status",
    "resume",
    "pause",
    "cancel",
    "throttle",
    "rollback",
    "explain",
    "restore",
    "verify",
    "checksums",
    "report",
    "shadow",
    "snapshot",
    "indexes",
    "generate",
    "completions",
    "man",
];

/// How many lines a screen has, at 80 columns.
const SCREEN_LINES: usize = 36;
/// How many lines the list of all commands may take: it scrolls on a small screen.
const COMMANDS_LINES: usize = 40;

/// The lines below a title.
fn section<'h>(help: &'h str, title: &str) -> Vec<&'h str> {
    let lines = help.lines().skip_while(|line| *line != title).skip(1);
    lines.take_while(|line| line.starts_with("  ")).map(str::trim).collect()
}

#[test]
fn every_example_works() {
    let mut count = 0;
    for command in [&[][..], &["demo"]].into_iter().chain(COMMANDS[1..].chunks(1)) {
        // These need a run that is at work.
        if ["pause", "cancel", "throttle"].contains(command.first().unwrap_or(&"")) {
            continue;
        }
        let place = Place::new();
        let made = ["generate", "dump", "--documents", "200", "--preset", "lifecycle"];
        place.expect(0, &made);
        if [
            "resume",
            "rollback",
            "runs",
            "status",
            "report",
            "shadow",
            "verify",
            "restore",
            "checksums",
            "indexes",
        ]
        .contains(command.first().unwrap_or(&""))
        {
            place.expect(0, &["run", "dump", "out", "--apply", "--in-flight", "include"]);
        }
        let help = place.expect(0, &[command, &["--help"]].concat()).stdout;
        let examples = section(&help, "Examples:");
        assert!(!examples.is_empty() || command == ["completions"], "{command:?}");
        for example in examples.into_iter().filter(|example| !example.contains("mongodb://")) {
            let words: Vec<&str> = example.split(' ').skip(1).collect();
            place.expect(0, &words);
            count += 1;
        }
    }
    assert!(count > 30, "only {count} examples: their form has changed");
}

#[test]
fn the_short_help_fits_on_a_screen() {
    let place = Place::new();
    for command in [&[][..]].into_iter().chain(COMMANDS.chunks(1)) {
        let call = |help: &'static str| {
            place.call(&[command, &[help]].concat()).env("COLUMNS", "80").expect(0).stdout
        };
        let (short, long) = (call("-h"), call("--help"));
        let count = short.lines().count();
        let lines_max = if command.is_empty() { COMMANDS_LINES } else { SCREEN_LINES };
        assert!(count <= lines_max, "{command:?} has {count} lines:\n{short}");
        assert!(short.lines().all(|line| line.chars().count() <= 80), "{short}");
        assert!(!short.contains("[env:"), "{short}");
        assert!(long.contains("[env: RESHELVE_QUIET]"), "{long}");
        // Where runs are is no rare question.
        assert_eq!(short.contains("--runs-dir"), long.contains("--runs-dir"), "{short}");
    }
}

#[test]
fn a_rehearsal_does_not_offer_standard_input() {
    let place = Place::new();
    for (command, is_offered) in [("rehearse", false), ("run", true)] {
        for help in ["-h", "--help"] {
            let told = place.expect(0, &[command, help]).stdout;
            let words: Vec<&str> = told.split_whitespace().collect();
            assert_eq!(words.join(" ").contains("standard input"), is_offered, "{told}");
        }
    }
    place.expect(0, &["generate", "jobs.bson", "--documents", "3"]);
    let told = place.call(&["rehearse", "-"]).stdin(&place.read("jobs.bson")).expect(2);
    told.says(&["hint:"]);
}

#[test]
fn options_are_in_groups() {
    let place = Place::new();
    let help = place.expect(0, &["run", "--help"]).stdout;
    for (group, option) in [
        ("Options:", "--apply"),
        ("Source:", "--collection"),
        ("Mapping:", "--in-flight"),
        ("Target:", "--replace"),
        ("Speed:", "--batch-docs"),
        ("Passwords:", "--password-prompt"),
        ("Output:", "--json"),
        ("Exit codes:", "rejects"),
    ] {
        let lines = help.lines().skip_while(|line| *line != group).skip(1);
        let mut lines = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
        assert!(lines.any(|line| line.contains(option)), "no {option} in {group}\n{help}");
    }
}

#[test]
fn man_pages_and_completions_say_how_they_are_installed() {
    let place = Place::new();
    place.expect(0, &["man", "pages"]);
    let page = |name: &str| std::fs::read_to_string(place.path("pages").join(name)).unwrap();
    let all = page("reshelve.1");
    let sections = ["EXAMPLES", "ENVIRONMENT", "FILES", "EXIT CODES"];
    for words in sections.map(|title| format!(".SH \"{title}\"")) {
        assert!(all.contains(&words), "no {words} in {all}");
    }
    for words in ["LEGACY_MONGODB_URI", "reshelve.toml", "reshelve demo"] {
        assert!(all.contains(words), "{all}");
    }
    let run = page("reshelve-run.1");
    assert!(run.contains("BATCH_SIZE") && run.contains("EXIT CODES"), "{run}");
    assert!(page("reshelve-man.1").contains("man1"));
    let help = place.expect(0, &["completions", "--help"]).stdout;
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(help.contains(&format!("reshelve completions {shell} >")), "{help}");
    }
    // The scripts are read by shells: nothing else is printed beside them.
    assert_eq!(place.expect(0, &["completions", "bash"]).stderr, "");
}
