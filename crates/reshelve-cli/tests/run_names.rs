//! How a run is named: by its id, a unique beginning of it, `latest`, or its folder, for every
//! command that takes one.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, with};

/// A place with two applied runs, each with one reject; their ids, oldest first.
fn two_runs() -> (Place, String, String) {
    let place = Place::new();
    place.write("mixed.bson", &common::mixed_source(&place, 12, "small"));
    let run = ["run", "mixed.bson", "target", "--apply", "--in-flight", "include"];
    place.expect(4, &run);
    place.expect(4, &with(&run, &["--allow-existing"]));
    let runs = place.runs();
    let [first, second] = runs.as_slice() else { panic!("{runs:?}") };
    (place, first.clone(), second.clone())
}

/// The shortest beginning of an id that another id does not share.
fn beginning<'i>(id: &'i str, other: &str) -> &'i str {
    let shared = id.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    &id[..=shared]
}

/// Every command that takes a run, with where its name goes.
const COMMANDS: [(&[&str], i32); 5] = [
    (&["status", "RUN"], 0),
    (&["resume", "RUN"], 4),
    (&["report", "RUN"], 0),
    (&["verify", "mixed.bson", "target", "--run", "RUN"], 0),
    (&["run", "mixed.bson", "target", "--allow-existing", "--only-rejects", "RUN"], 4),
];

fn naming<'a>(command: &[&'a str], name: &'a str) -> Vec<&'a str> {
    command.iter().map(|word| if *word == "RUN" { name } else { word }).collect()
}

#[test]
fn every_command_takes_every_name_of_a_run() {
    let (place, first, second) = two_runs();
    let folder = format!(".reshelve/runs/{first}");
    for (command, code) in COMMANDS {
        for name in [first.as_str(), beginning(&first, &second), &folder, "latest"] {
            place.expect(code, &naming(command, name));
        }
    }
}

#[test]
fn a_name_leads_to_the_run_that_is_meant() {
    let (place, first, second) = two_runs();
    let copied = format!(".reshelve/runs/{second}-copy");
    common::plant(&place.tree(&format!(".reshelve/runs/{second}")), &place.path(&copied));
    let cases = [
        (beginning(&first, &second), &first),
        // An id is no beginning of another name, and a copy is not the newest run.
        (second.as_str(), &second),
        ("latest", &second),
    ];
    for (name, expected) in cases {
        let told = place.expect(0, &["status", name, "--json"]);
        let status: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(status["folder"], format!(".reshelve/runs/{expected}"), "{name}");
    }
}

#[test]
fn a_name_that_may_mean_several_runs_is_refused_with_all_of_them() {
    let (place, first, second) = two_runs();
    let shared = &first[..beginning(&first, &second).len() - 1];
    let before = place.tree("");
    for (command, _) in COMMANDS {
        let told = place.expect(2, &naming(command, shared));
        told.says(&["error:", "2 runs", &first, &second, "hint:"]);
        place.expect(2, &naming(command, "")).says(&["error:", "hint:"]);
        place.expect(2, &naming(command, "nobody")).says(&["there is no run nobody", "hint:"]);
        let elsewhere = with(&naming(command, "latest"), &["--runs-dir", "elsewhere"]);
        place.expect(2, &elsewhere).says(&["there are no runs in elsewhere", "--runs-dir"]);
    }
    common::assert_same(&before, &place.tree(""), "everything");
}

/// A clock that was set back makes no older run the newest one: what counts is which was begun last.
#[test]
fn latest_is_the_run_that_was_begun_last() {
    let (place, first, second) = two_runs();
    let status = |name: &str| {
        let told = place.expect(0, &["status", name, "--json"]);
        let status: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        (status["run"].as_str().unwrap().to_owned(), told.stderr)
    };
    assert_eq!(status("latest"), (second.clone(), String::new()));
    // As the clock of the first run would have written it, were it ten years ahead.
    let ahead = format!("2036{}", &first[4..]);
    rename(&place, &first, &ahead);
    let (newest, said) = status("latest");
    assert_eq!(newest, second);
    assert!(said.contains("note: latest is") && said.contains(&ahead), "{said}");
    let told = place.expect(0, &["runs", "--json"]);
    let runs: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    let listed: Vec<&str> =
        runs["runs"].as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap()).collect();
    assert_eq!(listed, [&ahead, &second], "oldest first");
    // The next run comes after both.
    let run = ["run", "mixed.bson", "target", "--allow-existing"];
    place.expect(4, &run);
    let third = place.runs().into_iter().find(|run| *run != ahead && *run != second).unwrap();
    assert_eq!(status("latest").0, third);
    assert!(status(&third).1.is_empty(), "only latest has to be explained");
    // Folders of earlier versions have no numbers: their dates tell.
    for run in [&second, &third] {
        unnumber(&place, run);
    }
    unnumber(&place, &ahead);
    assert_eq!(status("latest"), (ahead, String::new()));
}

/// A dry run that has ended is not what somebody means who resumes, holds or takes back a run.
#[test]
fn latest_passes_over_dry_runs_that_a_command_can_do_nothing_with() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "60", "--size", "small"]);
    let source = place.read("jobs.bson");
    let run = ["run", "-", "target", "--apply", "--in-flight", "include"];
    place.call(&run).stdin(&source[..source.len() / 2]).expect(1);
    let applied = place.run();
    place.expect(0, &["run", "jobs.bson", "other", "--in-flight", "include"]);
    let dry = place.runs().into_iter().find(|run| *run != applied).unwrap();
    let note = format!("note: latest is {applied} here: the dry run {dry} was begun after it");
    let told = place.expect(0, &["rollback", "latest"]);
    let told = told.says(&[&note, "cannot be rolled back", &format!("rollback {applied} --apply")]);
    // Nothing is done yet.
    assert!(told.stdout.contains("to delete "), "{}", told.stdout);
    assert!(!told.stdout.contains("deleted"), "{}", told.stdout);
    let told = place.expect(0, &["resume", "latest", "--source", "jobs.bson"]);
    let told = told.says(&[&note, "cannot be resumed"]);
    assert_eq!(told.stderr.matches("note: latest is").count(), 1, "{}", told.stderr);
    assert!(told.stdout.contains(&applied), "{}", told.stdout);
    // What can do something with it takes it.
    for args in [&["status", "latest"][..], &["report", "latest"]] {
        let told = place.expect(0, args);
        assert!(!told.stderr.contains("note: latest"), "{}", told.stderr);
    }
    assert!(place.expect(0, &["status", "latest"]).stdout.contains(&dry));
    // Where there is no other run, it is that one.
    std::fs::remove_dir_all(place.path(&format!(".reshelve/runs/{applied}"))).unwrap();
    let told = place.expect(3, &["rollback", "latest"]);
    assert!(!told.stderr.contains("note: latest"), "{}", told.stderr);
}

/// Gives a run another id, and its folder that name.
fn rename(place: &Place, from: &str, to: &str) {
    let [from_path, to_path] = [from, to].map(|run| place.path(&format!(".reshelve/runs/{run}")));
    std::fs::rename(&from_path, &to_path).unwrap();
    for name in ["run.json", "control.json"] {
        let path = to_path.join(name);
        if let Ok(text) = std::fs::read_to_string(&path) {
            std::fs::write(&path, text.replace(from, to)).unwrap();
        }
    }
}

fn unnumber(place: &Place, run: &str) {
    let path = place.path(&format!(".reshelve/runs/{run}/run.json"));
    let mut plan: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(plan.as_object_mut().unwrap().remove("number").is_some());
    std::fs::write(&path, serde_json::to_vec_pretty(&plan).unwrap()).unwrap();
}
