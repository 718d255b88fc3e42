//! What people read, word for word: the help of every command, the main messages, the report of a
//! run in Markdown.
//!
//! A change of a text shows up here as a change of `tests/snapshots/`, to be read like code.
//! `INSTA_UPDATE=always cargo test --package reshelve-cli --test snapshots` records them anew.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::{Place, Told, mixed_source, split};

/// What differs between two runs that did the same, and what stands in its place.
const FILTERS: [(&str, &str); 8] = [
    (r"(/[\w.~-]+)+/reshelve-\w{6}\b", "[folder]"),
    (r"\b\d{8}-\d{9}-[0-9a-f]{6}\b", "[run]"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z)?", "[time]"),
    (r"\bprocess \d+\b", "process [id]"),
    (r"(?m)^(  took +).*$", "$1[time, speed, memory]"),
    (
        r"; [\d.]+ [KMGT]iB are free on the disk; about .*",
        "; [size] are free on the disk; about [time]",
    ),
    // The figures of a report that depend on the machine.
    (r"(?m)^(- (?:time|throughput|per 1 000 documents): ).*$", "$1[measured]"),
    (r"(?m)^(- peak memory: ).*$", "$1[measured]"),
];

/// Compares with the snapshot of this name, without what differs between two runs.
fn expect(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, replacement) in FILTERS {
        settings.add_filter(pattern, replacement);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The commands that a page of help lists.
fn subcommands(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    // Two spaces, the name, and more spaces; continued descriptions are further in.
    list.lines()
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|&name| name != "help")
        .map(str::to_owned)
        .collect()
}

/// The name of a command's snapshot, and its help, the program's own first.
fn help_pages() -> Vec<(String, String)> {
    let place = Place::new();
    let mut open = vec![Vec::new()];
    let mut pages = Vec::new();
    while let Some(command) = open.pop() {
        let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
        args.push("--help");
        let help = place.expect(0, &args).stdout;
        for name in subcommands(&help) {
            open.push([command.clone(), vec![name]].concat());
        }
        pages.push((
            ["help".to_owned()].into_iter().chain(command).collect::<Vec<_>>().join("_"),
            help,
        ));
    }
    pages.sort();
    pages
}

#[test]
fn help_of_every_command() {
    let pages = help_pages();
    let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["help", "help_run", "help_generate", "help_indexes_down"] {
        assert!(names.contains(&name), "no {name} among {names:?}");
    }
    for (name, help) in &pages {
        expect(name, help);
    }
}

/// A refusal, an error or an outcome: what has to be there before, and the call.
struct Message {
    name: &'static str,
    prepare: fn(&Place),
    args: &'static [&'static str],
}

const MESSAGES: &[Message] = &[
    Message { name: "source_missing", prepare: nothing, args: &["run", "nowhere.bson", "target"] },
    Message { name: "form_unknown", prepare: prose, args: &["inspect", "prose.txt"] },
    Message {
        name: "connection_string_malformed",
        prepare: nothing,
        args: &["inspect", "mongodb://reader:secret@/letswriteabook"],
    },
    Message { name: "flag_unknown", prepare: nothing, args: &["run", "--aply"] },
    Message {
        name: "setting_unknown",
        prepare: |place| place.write("reshelve.toml", b"runs-dri = \"mine\"\n"),
        args: &["runs"],
    },
    Message {
        name: "apply_and_dry_run",
        prepare: sources,
        args: &["run", "finished.bson", "target", "--apply", "--dry-run"],
    },
    Message {
        name: "in_flight_undecided",
        prepare: sources,
        args: &["run", "mixed.bson", "target", "--apply"],
    },
    Message {
        name: "target_holds_documents",
        prepare: applied,
        args: &["run", "finished.bson", "target", "--apply"],
    },
    Message {
        name: "target_in_conflict",
        prepare: changed,
        args: &["run", "changed.bson", "target", "--apply", "--allow-existing"],
    },
    Message {
        name: "target_locked_by_a_stopped_run",
        prepare: stopped,
        args: &["run", "mixed.bson", "target", "--apply", "--in-flight", "skip"],
    },
    Message {
        name: "run_with_rejects",
        prepare: sources,
        args: &["run", "mixed.bson", "target", "--apply", "--in-flight", "skip"],
    },
    Message {
        name: "run_dry",
        prepare: sources,
        args: &["run", "mixed.bson", "target", "--in-flight", "as-failed"],
    },
    Message {
        name: "run_stopped_at_a_reject",
        prepare: sources,
        args: &["run", "mixed.bson", "target", "--apply", "--in-flight", "skip", "--fail-fast"],
    },
    Message {
        name: "source_damaged",
        prepare: damaged,
        args: &["run", "damaged.bson", "target", "--apply", "--in-flight", "include"],
    },
    Message { name: "run_unknown", prepare: applied, args: &["status", "20260101-000000-abcdef"] },
    Message { name: "no_runs", prepare: nothing, args: &["runs"] },
    Message {
        name: "document_unknown",
        prepare: sources,
        args: &["explain", "finished.bson", "--job", "nobody"],
    },
    Message {
        name: "parity_does_not_hold",
        prepare: changed,
        args: &["verify", "changed.bson", "target"],
    },
    Message {
        name: "parity_holds",
        prepare: applied,
        args: &["verify", "finished.bson", "target"],
    },
    Message {
        name: "target_missing",
        prepare: nothing,
        args: &["restore", "nowhere", "legacy.bson"],
    },
    Message { name: "restored", prepare: applied, args: &["restore", "target", "legacy.bson"] },
    Message { name: "output_exists", prepare: sources, args: &["generate", "finished.bson"] },
    Message {
        name: "form_not_known_to_generate",
        prepare: nothing,
        args: &["generate", "x", "--form", "parchment"],
    },
];

fn nothing(_: &Place) {}

fn prose(place: &Place) {
    place.write("prose.txt", b"It was a dark and stormy night.\n");
}

/// Finished novels, and a source with everything in it.
fn sources(place: &Place) {
    let mixed = mixed_source(place, 24, "small");
    place.write("mixed.bson", &mixed);
    let args = ["generate", "finished.bson", "--documents", "12", "--size", "small"];
    place.expect(0, &[&args[..], &["--no-in-flight"]].concat());
}

fn applied(place: &Place) {
    sources(place);
    place.expect(0, &["run", "finished.bson", "target", "--apply"]);
}

/// A target, and the same source with another title in one document.
fn changed(place: &Place) {
    applied(place);
    let mut documents = split(&place.read("finished.bson"));
    let name = b"\x02title\0";
    // After the name and a length comes the text, of which one letter is another one now.
    let letters = documents.iter_mut().map(|document| {
        let at = document.windows(name.len()).position(|window| window == name);
        &mut document[at.expect("there is a title") + name.len() + 4]
    });
    let letter = letters
        .into_iter()
        .find(|letter| letter.is_ascii_lowercase() || letter.is_ascii_uppercase());
    let letter = letter.expect("there is a title that begins with a letter");
    *letter = if *letter == b'Q' { b'R' } else { b'Q' };
    place.write("changed.bson", &documents.concat());
}

fn stopped(place: &Place) {
    sources(place);
    let run = ["run", "mixed.bson", "target", "--apply", "--in-flight", "skip", "--fail-fast"];
    place.expect(4, &run);
}

fn damaged(place: &Place) {
    sources(place);
    let whole = place.read("mixed.bson");
    place.write("damaged.bson", &whole[..whole.len() / 2]);
}

fn shown(args: &[&str], told: &Told) -> String {
    let mut text = format!("$ reshelve {}\nexit code {}\n", args.join(" "), told.code.unwrap());
    for (name, said) in [("standard output", &told.stdout), ("standard error", &told.stderr)] {
        if !said.is_empty() {
            text += &format!("\n== {name}\n{said}");
        }
    }
    text
}

#[test]
fn messages() {
    for Message { name, prepare, args } in MESSAGES {
        let place = Place::new();
        prepare(&place);
        let told = place.call(args).finish();
        expect(name, &shown(args, &told));
    }
}

#[test]
fn the_report_in_markdown() {
    let place = Place::new();
    sources(&place);
    let run = ["run", "mixed.bson", "target", "--apply", "--in-flight", "include"];
    place.expect(4, &run);
    place.expect(0, &["report", &place.run(), "--out", "report"]);
    expect("report", &String::from_utf8(place.read("report/report.md")).unwrap());
}

/// A text that nobody says any more must not stay among the snapshots.
#[test]
fn no_snapshot_is_left_over() {
    let mut expected: BTreeSet<String> =
        MESSAGES.iter().map(|message| format!("{}.snap", message.name)).collect();
    expected.extend(help_pages().into_iter().map(|(name, _)| format!("{name}.snap")));
    expected.insert("report.snap".to_owned());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let found = fs::read_dir(&folder).expect("snapshots are recorded");
    for entry in found {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(expected.contains(&name), "{} belongs to no test", folder.join(name).display());
    }
}
