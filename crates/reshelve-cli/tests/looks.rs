//! How much is said, whether progress is shown, and when there is colour.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/terminal.rs"]
mod terminal;

use std::io::Write;

use common::{Place, until, with};
use terminal::{Shown, Terminal};

fn scene() -> Place {
    let place = Place::new();
    place.write("mixed.bson", &common::mixed_source(&place, 12, "small"));
    place.expect(0, &["generate", "jobs.bson", "--documents", "80", "--no-in-flight"]);
    place
}

const RUN: [&str; 5] = ["run", "mixed.bson", "target", "--in-flight", "include"];

#[test]
fn quiet_leaves_errors_and_the_result() {
    let place = scene();
    let normal = place.expect(4, &RUN);
    assert!(normal.stderr.contains("dry run 2"), "{}", normal.stderr);
    for more in ["-q", "--quiet"] {
        let told = place.expect(4, &with(&RUN, &[more]));
        assert_eq!(told.stderr, "", "{more}");
        assert!(told.stdout.contains("The dry run is done, with rejects."), "{}", told.stdout);
    }
    let told = place.call(&RUN).env("RESHELVE_QUIET", "yes").expect(4);
    assert_eq!(told.stderr, "");
    place.expect(2, &["-q", "status", "nobody"]).says(&["error: there is no run", "hint:"]);
    place.expect(2, &["-q", "status", "--nothing"]).says(&["error: unexpected argument"]);
    // A run that stops at damage has a result, and an error too.
    let whole = place.read("jobs.bson");
    place.write("cut.bson", &whole[..whole.len() - 9]);
    place.expect(1, &["run", "cut.bson", "other", "-q"]).says(&["error: ", "hint: "]);
}

#[test]
fn a_variable_that_is_no_setting_is_told() {
    let place = scene();
    let told = place.call(&RUN).env("RESHELVE_APLY", "1").env("RESHELVE_JOBS", "1").expect(4);
    assert_eq!(told.stderr.matches("no effect").count(), 1, "{}", told.stderr);
    told.says(&["warning: the variable RESHELVE_APLY is no setting, and has no effect"]);
}

#[test]
fn verbose_says_where_settings_come_from_and_shows_no_password() {
    let place = scene();
    place.write("reshelve.toml", b"[run]\nstatus-policy = \"evidence\"\n");
    let told = place.call(&with(&RUN, &["-v"])).env("BATCH_SIZE", "7").expect(4);
    told.says(&[
        "setting: SOURCE mixed.bson (command line)",
        "setting: --in-flight include (command line)",
        "setting: --batch-docs 7 (variable BATCH_SIZE)",
        "setting: --status-policy evidence (settings file)",
        "took ",
    ]);
    let told = place.call(&[
        "-v",
        "verify",
        "mongodb://user:secret@127.0.0.1:1/db?serverSelectionTimeoutMS=10",
        "nowhere",
    ]);
    let told = told
        .env(
            "TARGET_MONGODB_URI",
            "mongodb://user:secret@127.0.0.1:1/db?serverSelectionTimeoutMS=10",
        )
        .finish();
    assert!(told.stderr.contains("setting: SOURCE *** (command line)"), "{}", told.stderr);
    assert!(!(told.stdout + &told.stderr).contains("secret"));
    // The command line comes before the variables, here too.
    let told = place.call(&with(&RUN, &["-q"])).env("RESHELVE_VERBOSE", "1").expect(4);
    assert_eq!(told.stderr, "");
    let told = place.call(&with(&RUN, &["-v"])).env("RESHELVE_QUIET", "1").expect(4);
    assert!(told.stderr.contains("setting: "), "{}", told.stderr);
}

const CODE: char = '\u{1b}';

#[test]
fn there_is_no_colour_in_pipes_unless_it_is_asked_for() {
    let place = scene();
    let told = place.call(&RUN).env("TERM", "xterm").expect(4);
    assert!(!told.stdout.contains(CODE) && !told.stderr.contains(CODE), "{}", told.stdout);
    let always = with(&RUN, &["--color", "always"]);
    for (call, coloured) in [
        (place.call(&always), true),
        (place.call(&always).env("NO_COLOR", "1"), true),
        (place.call(&RUN).env("CLICOLOR_FORCE", "1"), true),
        (place.call(&RUN).env("RESHELVE_COLOR", "always"), true),
        (place.call(&RUN).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"), false),
        (place.call(&with(&RUN, &["--color=never"])).env("CLICOLOR_FORCE", "1"), false),
    ] {
        let told = call.expect(4);
        assert_eq!(told.stdout.contains("\u{1b}[1;33mThe dry run is done, with"), coloured);
        assert_eq!(told.stdout.contains(CODE), coloured);
    }
    // Errors, help, and errors in the command line too.
    for (code, args) in
        [(2, &["status", "nobody"][..]), (2, &["status", "--nothing"]), (0, &["status", "--help"])]
    {
        for (choice, coloured) in [("always", true), ("never", false)] {
            let told = place.expect(code, &with(args, &["--color", choice]));
            assert_eq!((told.stdout + &told.stderr).contains(CODE), coloured, "{args:?}");
        }
    }
    let told = place.expect(4, &with(&RUN, &["--color", "always", "--json"]));
    assert!(!told.stdout.contains(CODE), "{}", told.stdout);
}

/// A dry run on a terminal, which has shown how far it is before it gets the rest of its source.
fn on_a_terminal(columns: u16, more: &[&str], term: &str, shown_before: &str) -> Shown {
    let place = scene();
    let bytes = place.read("jobs.bson");
    let (first, rest) = bytes.split_at(bytes.len() * 3 / 4);
    let args = ["run", "-", "target", "--batch-docs", "5", "--checkpoint-bytes", "1"];
    let terminal = Terminal::new(columns);
    let mut child = terminal.spawn_as(term, place.call(&with(&args, more)));
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(first).unwrap();
    until("it shows something", || terminal.written().contains(shown_before));
    pipe.write_all(rest).unwrap();
    drop(pipe);
    assert!(child.wait().unwrap().success());
    terminal.end()
}

#[test]
fn the_progress_line_never_wraps_and_leaves_nothing_behind() {
    for columns in [40, 80, 120] {
        let shown = on_a_terminal(columns, &[], "xterm", " documents");
        let lines = shown.written.split(['\r', '\n']).filter(|line| line.contains("/s"));
        for line in lines.filter(|line| !line.contains("  took")) {
            let text: String = line.split(CODE).filter_map(|part| part.split('m').next()).collect();
            assert!(text.chars().count() <= usize::from(columns) + 4, "{columns}: {line:?}");
        }
        let rows = shown.rows.join("\n");
        assert!(!rows.contains("batch "), "{rows}");
        assert!(rows.contains("The dry run is done."), "{rows}");
        assert!(shown.written.contains(CODE), "in colour");
    }
}

#[test]
fn pages_fit_a_narrow_terminal_and_are_whole_in_a_pipe() {
    let place = scene();
    for columns in [40, 80] {
        let terminal = Terminal::new(columns);
        let mut child = terminal.spawn(place.call(&with(&RUN, &["--color", "never"])));
        assert_eq!(child.wait().unwrap().code(), Some(4));
        let shown = terminal.end();
        // What is to be copied, and what comes before the answer, stays in one piece.
        let page = shown.rows.iter().skip_while(|row| !row.starts_with("The dry run"));
        for row in page.take_while(|row| !row.starts_with("Next:")) {
            // A path that is longer than what a row leaves for it stays whole too.
            let last = row.rsplit(' ').next().map_or(0, |word| word.chars().count());
            let fits = row.chars().count() <= usize::from(columns);
            assert!(fits || last > usize::from(columns) / 2, "{columns}: {row}");
        }
    }
    let told = place.expect(4, &RUN);
    assert!(told.stdout.lines().any(|line| line.chars().count() > 80), "{}", told.stdout);
}

#[test]
fn checksums_stay_in_one_piece() {
    let place = scene();
    let apply = ["run", "jobs.bson", "target", "--apply", "--in-flight", "include"];
    place.expect(0, &apply);
    let whole = |text: &str| {
        let is_checksum =
            |word: &&str| word.len() == 64 && word.bytes().all(|it| it.is_ascii_hexdigit());
        text.split_whitespace().filter(is_checksum).map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = whole(&place.expect(0, &["checksums", "target"]).stdout);
    assert_eq!(expected.len(), 4);
    for columns in [80, 200] {
        let terminal = Terminal::new(columns);
        let mut child = terminal.spawn(place.call(&["checksums", "target", "--color", "never"]));
        assert!(child.wait().unwrap().success());
        let shown = terminal.end();
        let rows: Vec<&String> = shown.rows.iter().filter(|row| row.contains("novel_")).collect();
        assert_eq!(whole(&shown.rows.join("\n")), expected, "{columns}");
        assert_eq!(rows.iter().all(|row| whole(row).is_empty()), columns == 80, "{rows:?}");
    }
}

#[test]
fn progress_can_be_left_out_and_colour_too() {
    for more in ["--no-progress", "--quiet"] {
        let place = scene();
        let terminal = Terminal::new(80);
        let args = ["run", "jobs.bson", "target", "--color", "never", more];
        assert!(terminal.spawn(place.call(&args)).wait().unwrap().success());
        let shown = terminal.end();
        assert!(!shown.written.contains(CODE), "{:?}", shown.written);
        assert!(shown.rows.join("\n").contains("The dry run is done."), "{:?}", shown.rows);
    }
    let place = scene();
    for (term, variable) in [("dumb", "UNRELATED"), ("xterm", "NO_COLOR")] {
        let terminal = Terminal::new(80);
        let call = place.call(&["status", "nobody"]).env(variable, "1");
        assert_eq!(terminal.spawn_as(term, call).wait().unwrap().code(), Some(2));
        assert!(!terminal.end().written.contains(CODE), "{term} {variable}");
    }
    let terminal = Terminal::new(80);
    let call = place.call(&["status", "nobody"]);
    assert_eq!(terminal.spawn_as("xterm", call).wait().unwrap().code(), Some(2));
    assert!(terminal.end().written.contains("\u{1b}[1;31merror:"));
}
