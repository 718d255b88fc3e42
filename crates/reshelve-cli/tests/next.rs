//! The line `Next: …` at the end of a command: it can be copied as it is, and loses nothing.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::process::Command;

use common::{Place, Told};

/// The command that the last line on standard error names.
fn next(told: &Told) -> Option<String> {
    let last = told.stderr.lines().last()?;
    last.strip_prefix("Next: ").map(str::to_owned)
}

/// Runs a line as a person would who copied it.
fn copied(place: &Place, line: &str) -> Told {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_reshelve"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", binary.parent().unwrap().display());
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(place.path("")).env_clear().env("PATH", path);
    Told::of(line.to_owned(), shell.output().unwrap())
}

#[test]
fn one_command_leads_to_the_next_until_the_evidence_is_packed() {
    let place = Place::new();
    let args = ["generate", "it's my dump", "--documents", "12", "--no-in-flight"];
    let mut told = place.expect(0, &args);
    let mut steps = Vec::new();
    while let Some(line) = next(&told) {
        steps.push(line.split(' ').nth(1).unwrap().to_owned());
        let before = place.tree("");
        told = copied(&place, &line).expect(0);
        // What was there is there.
        let after = place.tree("");
        for (name, bytes) in before.iter().filter(|(name, _)| !name.contains(".reshelve/")) {
            assert!(after.get(name) == Some(bytes), "{line}: {name} has changed");
        }
    }
    assert_eq!(steps, ["profile", "run", "run", "verify", "report"]);
    assert!(told.stdout.contains("evidence"), "{}", told.stdout);
}

#[test]
fn what_each_command_names_works() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "12", "--no-in-flight"]);
    place.expect(0, &["run", "jobs.bson", "out", "--apply", "--runs-dir", "my runs"]);
    let runs = ["--runs-dir", "my runs"];
    for (args, command) in [
        (&["inspect", "jobs.bson"][..], "profile"),
        (&["indexes", "status", "new"], "indexes up"),
        (&["indexes", "up", "new"], "indexes status"),
        (&["inspect", "out"], "checksums"),
        (&["checksums", "out"], "restore"),
        (&["restore", "out", "back", runs[0], runs[1]], "inspect"),
        (&["runs", runs[0], runs[1]], "report"),
        (&["status", runs[0], runs[1]], "report"),
        (&["report", "latest", runs[0], runs[1]], "report"),
        (&["resume", "latest", runs[0], runs[1]], "verify"),
        (&["verify", "jobs.bson", "out"], "checksums"),
        (&["rehearse", "jobs.bson", "--in-flight", "skip"], "run"),
        (&["generate", "cut.bson", "--documents", "9", "--fault", "truncate"], "inspect"),
    ] {
        let told = place.expect(0, args);
        let line = next(&told).unwrap_or_else(|| panic!("{args:?}: {}", told.stderr));
        assert!(line.starts_with(&format!("reshelve {command} ")), "{args:?}: {line}");
        assert!(!told.stdout.contains("Next:"), "{args:?}");
        let damaged = if args[0] == "generate" { 1 } else { 0 };
        copied(&place, &line).expect(damaged);
    }
    // This one serves until it is stopped.
    let told = place.expect(0, &["shadow", "--offline", "jobs.bson", "out"]);
    let serve = "reshelve serve --legacy jobs.bson --normalized out --shadow";
    assert_eq!(next(&told).as_deref(), Some(serve));
    let told = place.expect(0, &["rollback", "latest", "--apply", runs[0], runs[1]]);
    let shown = copied(&place, &next(&told).unwrap()).expect(0).stdout;
    assert!(shown.contains("taken back since"), "{shown}");
}

/// A retry into a copy of the target is a run of its own there.
#[test]
fn what_is_named_after_a_retry_into_a_copy_works() {
    let place = Place::new();
    place.write("jobs.bson", &common::mixed_source(&place, 12, "small"));
    let apply = ["--apply", "--in-flight", "include"];
    place.expect(4, &common::with(&["run", "jobs.bson", "out"], &apply));
    let first = place.run();
    common::plant(&place.tree("out"), &place.path("copy"));
    let retry = ["run", "jobs.bson", "copy", "--only-rejects", &first];
    let told = place.expect(4, &common::with(&retry, &apply));
    let line = next(&told).unwrap();
    assert!(line.starts_with("reshelve report ") && !line.contains(&first), "{line}");
    copied(&place, &line).expect(0);
    let told = place.expect(0, &["status"]);
    assert!(told.stdout.contains("into another target"), "{}", told.stdout);
    assert_eq!(next(&told).unwrap(), line);
    assert!(!place.expect(0, &["runs"]).stdout.contains("a retry of"));
    // One into the same target is reported with its run.
    let told = place
        .expect(4, &common::with(&["run", "jobs.bson", "out", "--only-rejects", &first], &apply));
    let line = next(&told).unwrap();
    assert!(line.contains(&first), "{line}");
    copied(&place, &line).expect(0);
    assert!(place.expect(0, &["status"]).stdout.contains("retry of"));
}

/// It cannot be resumed, and not be taken back: what it wrote is a part of another one.
#[test]
fn a_run_that_was_taken_over_names_the_other_one() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "60", "--size", "small"]);
    let source = place.read("jobs.bson");
    let run = ["run", "-", "out", "--apply", "--in-flight", "include"];
    place.call(&run).stdin(&source[..source.len() / 2]).expect(1);
    let first = place.run();
    let status = ["status", first.as_str()];
    assert!(place.expect(0, &status).stdout.contains("reshelve resume"));
    let told = place.expect(0, &["throttle", &first, "--max-docs-per-s", "50"]);
    assert_eq!(next(&told).unwrap(), format!("reshelve resume {first}"));
    let over = ["run", "jobs.bson", "out", "--apply", "--in-flight", "include", "--take-over"];
    place.expect(0, &over);
    let by = place.runs().into_iter().find(|run| *run != first).unwrap();
    let told = place.expect(0, &status);
    assert!(told.stdout.contains(&format!("taken over   by {by}")), "{}", told.stdout);
    assert!(!told.stdout.contains("reshelve resume"), "{}", told.stdout);
    assert_eq!(next(&told).unwrap(), format!("reshelve status {by}"));
    copied(&place, &next(&told).unwrap()).expect(0);
    let told = place.expect(0, &["status", &first, "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&told["taken_over_by"], &told["can_be_resumed"]), (&by.into(), &false.into()));
    // Once that one is taken back, this one is its own again.
    place.expect(0, &["rollback", "latest", "--apply"]);
    assert!(place.expect(0, &status).stdout.contains("reshelve resume"));
}

#[test]
fn it_is_for_people_who_read_an_answer() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "12", "--no-in-flight"]);
    for more in [&["--json"][..], &["-q"]] {
        let told = place.expect(0, &[&["profile", "jobs.bson"], more].concat());
        assert!(!told.stderr.contains("Next:"), "{}", told.stderr);
    }
    // A command that could not do its work has a hint instead.
    let told = place.expect(2, &["status", "nobody"]);
    assert!(!told.stderr.contains("Next:"), "{}", told.stderr);
}

#[test]
fn nothing_is_named_that_replaces_or_cannot_be_repeated() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "12", "--no-in-flight"]);
    place.expect(0, &["run", "jobs.bson", "out", "--apply"]);
    for args in [
        &["run", "jobs.bson", "out", "--replace"][..],
        &["run", "jobs.bson", "out", "--allow-existing", "--take-over"],
        &["run", "jobs.bson", "other", "--limit", "3"],
    ] {
        let told = place.expect(0, args);
        assert_eq!(next(&told), None, "{}", told.stderr);
    }
    let told = place.call(&["run", "jobs.bson", "new"]).env("DRY_RUN", "true").expect(0);
    assert_eq!(next(&told), None, "{}", told.stderr);
    // What came through a pipe is gone: the report needs no source.
    let run = ["run", "-", "piped", "--apply", "--in-flight", "include"];
    let told = place.call(&run).stdin(&place.read("jobs.bson")).expect(0);
    let line = next(&told).unwrap();
    assert!(line.starts_with("reshelve report "), "{line}");
    // It says how more could be said.
    let told = copied(&place, &line).expect(0);
    told.says(&["hint:", "--source FILE"]);
    let told = copied(&place, &format!("{line} --source jobs.bson")).expect(0);
    assert!(!told.stderr.contains("hint:"), "{}", told.stderr);
    assert!(told.stdout.contains("Parity holds."), "{}", told.stdout);
}
