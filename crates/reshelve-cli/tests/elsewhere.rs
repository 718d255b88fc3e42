//! Commands that are given in another folder than the run was, or of places that were moved.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::fs;
use std::process::Command;

use common::{Place, Told};

const RUN: [&str; 6] = ["run", "src.bson", "out", "--apply", "--in-flight", "include"];

fn place() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "src.bson", "--documents", "20", "--size", "small"]);
    place
}

/// The same command in another folder.
fn elsewhere(place: &Place, args: &[&str]) -> Told {
    let folder = place.path("elsewhere");
    fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_reshelve"));
    command.args(args).current_dir(folder).env_clear();
    Told::of(args.join(" "), command.output().unwrap())
}

fn folder_of(place: &Place, run: &str) -> String {
    place.path(&format!(".reshelve/runs/{run}")).to_str().unwrap().to_owned()
}

#[test]
fn a_run_that_is_named_by_its_folder_is_not_taken_back_under_a_later_one() {
    let place = place();
    place.expect(0, &RUN);
    fs::remove_dir_all(place.path("out")).unwrap();
    place.expect(0, &RUN);
    let before = place.tree("out");
    let runs = place.runs();
    let first = folder_of(&place, &runs[0]);
    for more in [&[][..], &["--apply"]] {
        let told = elsewhere(&place, &[&["rollback", first.as_str()], more].concat());
        told.expect(3).says(&["has written again 20 jobs", &runs[1], "hint:"]);
    }
    assert!(place.tree("out") == before);
    // One that cannot be read may be such a run.
    let plan = format!(".reshelve/runs/{}/run.json", runs[1]);
    place.write(&plan, br#"{"schema":"of another version"}"#);
    let told = place.expect(3, &["rollback", &runs[0], "--apply"]);
    told.says(&["cannot be read", &runs[1], "hint:"]);
    assert!(place.tree("out") == before);
}

/// What a run that was stopped has written is found by where it began.
#[test]
fn a_run_is_not_taken_back_under_a_later_one_that_is_not_done() {
    let place = place();
    place.expect(0, &RUN);
    place.expect(0, &["generate", "b.bson", "--documents", "60", "--seed", "9", "--size", "small"]);
    let line = format!(
        "ulimit -f 300; trap '' XFSZ; {} run b.bson out --apply --in-flight include \
         --allow-existing --batch-docs 2",
        env!("CARGO_BIN_EXE_reshelve")
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", &line]).current_dir(place.path("")).env_clear();
    Told::of(line, shell.output().unwrap()).expect(1);
    let runs = place.runs();
    let told = place.expect(3, &["rollback", &runs[0], "--apply"]);
    told.says(&["is not done", &format!("reshelve rollback {}", runs[1])]);
    for run in runs.iter().rev() {
        place.expect(0, &["rollback", run, "--apply"]);
    }
    let files = place.tree("out");
    let is_empty =
        |(name, bytes): (&String, &Vec<u8>)| !name.ends_with(".bson") || bytes.is_empty();
    assert!(files.iter().all(is_empty), "{:?}", files.keys());
}

#[test]
fn the_source_of_a_run_is_not_restored_over_from_anywhere() {
    let place = place();
    place.expect(0, &["run", "src.bson", "out", "--apply", "--in-flight", "skip"]);
    let source = place.read("src.bson");
    let told = elsewhere(&place, &["restore", "../out", "../src.bson", "--overwrite"]);
    told.expect(3).says(&["the source of the run", "hint:"]);
    fs::rename(place.path("out"), place.path("moved")).unwrap();
    let told = place.expect(3, &["restore", "moved", "src.bson", "--overwrite"]);
    told.says(&["the source of the run", "hint:"]);
    assert!(place.read("src.bson") == source);
    place.expect(0, &["restore", "moved", "other.bson"]);
}

/// It is known by itself, wherever it was moved.
#[test]
fn the_source_of_a_run_that_was_moved_is_not_restored_over() {
    let place = place();
    place.expect(0, &RUN);
    fs::rename(place.path("src.bson"), place.path("kept.bson")).unwrap();
    let before = place.read("kept.bson");
    let told = place.expect(3, &["restore", "out", "kept.bson", "--overwrite"]);
    told.says(&["kept.bson is the source of the run", "src.bson then", "hint:"]);
    assert!(place.read("kept.bson") == before);
    // A dump, and a file in it.
    place.expect(0, &["generate", "dump", "--documents", "9", "--size", "small"]);
    place.expect(0, &["run", "dump", "of-dump", "--apply", "--in-flight", "include"]);
    fs::rename(place.path("dump"), place.path("moved")).unwrap();
    let before = place.tree("moved");
    for out in ["moved", "moved/letswriteabook/jobs.bson"] {
        let told = place.expect(3, &["restore", "of-dump", out, "--overwrite"]);
        told.says(&["is the source of the run"]);
    }
    assert!(place.tree("moved") == before);
    place.expect(0, &["restore", "out", "back.bson", "--overwrite"]);
    place.expect(0, &["restore", "out", "back.bson", "--overwrite"]);
}

#[test]
fn the_name_of_a_database_leads_nowhere_else() {
    let place = place();
    for db in ["..", ".", "a/b", "/tmp"] {
        let args = ["run", "src.bson", "out", "--target-db", db, "--in-flight", "include"];
        place.expect(2, &args).says(&["not the name of a database", "hint:"]);
        assert!(place.runs().is_empty());
    }
}

/// What a run had read is not replaced by less, whatever is known of the run.
#[test]
fn a_source_is_not_restored_over_by_a_part_of_it() {
    let place = Place::new();
    place.expect(0, &["generate", "src.bson", "--documents", "60", "--preset", "lifecycle"]);
    let source = place.read("src.bson");
    // A part, by a run that nothing names here.
    let part = ["run", "src.bson", "part", "--apply", "--in-flight", "include", "--limit", "5"];
    place.expect(0, &[&part[..], &["--runs-dir", "kept"]].concat());
    let told = place.expect(3, &["restore", "part", "src.bson", "--overwrite"]);
    told.says(&["src.bson has 60 documents", "is not replaced by less", "hint:", "another file"]);
    assert!(place.read("src.bson") == source);
    // A run that is not done: the target names it.
    let source = &source[..source.len() - 5];
    place.write("src.bson", source);
    place.expect(1, &[&RUN[..], &["--runs-dir", "kept"]].concat());
    let told = place.expect(3, &["restore", "out", "src.bson", "--overwrite"]);
    told.says(&["the source of the run", "hint:"]);
    assert!(place.read("src.bson") == source);
    let told = place.expect(0, &["restore", "out", "back.bson"]);
    told.says(&["is not done"]);
    // The same again is no loss.
    place.expect(0, &["restore", "out", "back.bson", "--overwrite"]);
}

#[test]
fn a_report_does_not_write_through_what_lies_in_its_way() {
    let place = place();
    place.expect(0, &RUN);
    let precious = place.path("precious");
    let names = ["report.html", "report.md", "report-data.json"];
    for name in names {
        place.write("precious", b"mine");
        let _ = fs::remove_dir_all(place.path("rep"));
        fs::create_dir_all(place.path("rep")).unwrap();
        std::os::unix::fs::symlink(&precious, place.path(&format!("rep/.{name}.tmp"))).unwrap();
        place.expect(0, &["report", "latest", "--out", "rep"]);
        assert_eq!(place.read("precious"), b"mine", "{name}");
    }
    fs::create_dir_all(place.path("api")).unwrap();
    fs::hard_link(&precious, place.path("api/answers.json")).unwrap();
    place.expect(0, &["verify", "src.bson", "out", "--api", "--out", "api"]);
    assert_eq!(place.read("precious"), b"mine");
    assert!(place.read("api/answers.json").starts_with(b"{"));
}

#[test]
fn a_lock_that_is_somebody_elses_file_is_not_written() {
    let place = place();
    fs::create_dir_all(place.path("out/letswriteabook")).unwrap();
    place.write("precious", b"mine");
    fs::hard_link(place.path("precious"), place.path("out/letswriteabook/.reshelve.lock")).unwrap();
    place.expect(1, &RUN).says(&[".reshelve.lock", "hard link"]);
    assert_eq!(place.read("precious"), b"mine");
    fs::remove_file(place.path("out/letswriteabook/.reshelve.lock")).unwrap();
    place.expect(0, &RUN);
}
