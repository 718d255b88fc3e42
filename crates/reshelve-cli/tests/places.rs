//! Where commands read and write: places that overlap, places that cannot be written to, answers that
//! are lost, targets that are not whole.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::fs;
use std::os::unix::fs::symlink;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, left_out, mixed_source, refused, strace_is_there, with};

const RUN: [&str; 6] = ["run", "jobs.bson", "target", "--apply", "--in-flight", "skip"];

fn place() -> Place {
    let place = Place::new();
    place.write("jobs.bson", &mixed_source(&place, 40, "small"));
    place
}

#[test]
fn a_run_does_not_write_where_it_reads() {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "5"]);
    fs::create_dir_all(place.path("around/inside")).unwrap();
    fs::rename(place.path("dump"), place.path("around/dump")).unwrap();
    symlink(place.path("around/dump"), place.path("link")).unwrap();
    let pairs = [
        ("around/dump", "around/dump"),
        ("around/dump", "around/dump/letswriteabook/out"),
        ("around/dump", "around"),
        ("around/dump", "link"),
        ("link", "around/dump/new/er"),
        ("around/dump/letswriteabook", "around/dump"),
        ("around/dump/letswriteabook/jobs.bson", "around/dump"),
        ("around/dump/letswriteabook/jobs.bson", "link"),
        ("around/../link/letswriteabook/jobs.bson", "around/inside/../dump"),
    ];
    for (source, target) in pairs {
        for more in [&[][..], &["--apply", "--in-flight", "include", "--allow-existing"]] {
            let args = with(&["run", source, target], more);
            refused(&place, &args, &["are the same place, or one lies in the other"]);
        }
    }
    let beside = ["run", "around/dump/letswriteabook/jobs.bson", "around", "--apply"];
    place.expect(0, &with(&beside, &["--in-flight", "include"]));
}

#[test]
fn a_restore_stays_away_from_what_it_is_made_of() {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "5"]);
    let run = ["run", "dump", "target", "--apply", "--in-flight", "include"];
    place.expect(0, &run);
    symlink(place.path("dump"), place.path("link")).unwrap();
    fs::hard_link(place.path("dump/letswriteabook/jobs.bson"), place.path("same.bson")).unwrap();
    let outs = ["target", "target/letswriteabook/jobs.bson", "target/back", "target/back.bson"];
    let outs = outs.into_iter().chain([".", "dump", "link", "dump/deep/er"]);
    for out in outs.chain(["link/letswriteabook/jobs.bson"]) {
        for more in [&[][..], &["--overwrite"]] {
            let args = with(&["restore", "target", out], more);
            refused(&place, &args, &["are the same place, or one lies in the other"]);
        }
    }
    // A run of one file: that file, by any name.
    place.expect(0, &["run", "same.bson", "other", "--apply", "--in-flight", "include"]);
    let args = ["restore", "other", "dump/letswriteabook/jobs.bson", "--overwrite"];
    refused(&place, &args, &["are the same place", "same.bson"]);
    place.expect(0, &["restore", "other", "elsewhere"]);
}

#[test]
fn reading_back_an_unfinished_target_says_so() {
    let place = place();
    let source = place.read("jobs.bson");
    place.call(&with(&["run", "-"], &RUN[2..])).stdin(&source[..source.len() / 2]).expect(1);
    let id = place.run();
    let told = place.expect(0, &["restore", "target", "back.bson"]);
    let words = format!("the run {id} is not done");
    assert!(told.stdout.contains(" of "), "{}", told.stdout);
    told.says(&["warning:", &words]);
    let told = place.expect(0, &["restore", "target", "again.bson", "--json"]);
    let restored: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(restored["unfinished"], serde_json::json!([id]));
    // Whatever the runs folder is called: the lock knows where the run is.
    let args = ["restore", "target", "third.bson", "--runs-dir", "elsewhere"];
    place.expect(0, &args).says(&[&words]);
    place.expect(4, &["resume", &id, "--source", "jobs.bson"]);
    let told = place.expect(0, &["restore", "target", "whole.bson"]);
    assert!(!told.stderr.contains("warning"), "{}", told.stderr);
}

/// What would stop an applied run stops the dry run before it.
#[test]
fn a_dry_run_refuses_what_an_applied_run_would_refuse() {
    let place = place();
    place.write("file", b"");
    let dry = ["run", "jobs.bson", "target"];
    for target in ["file", "file/deeper", "jobs.bson"] {
        for more in [&[][..], &["--apply", "--in-flight", "skip"]] {
            let args = with(&["run", "jobs.bson", target], more);
            place.expect(3, &args).says(&["hint:"]);
        }
    }
    assert!(place.runs().is_empty());
    if !strace_is_there() {
        return;
    }
    let refusals = [
        ("access,faccessat,faccessat2", "EACCES", "may not be written to"),
        ("access,faccessat,faccessat2", "EROFS", "may not be written to"),
    ];
    for (call, error, words) in refusals {
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error={error}"));
        let strace = ["strace", "-f", "-qq", "-o", "log", "-e", &trace, "-e", &inject];
        for args in [&dry[..], &RUN] {
            let told = place.call_through(&strace, args).finish();
            assert_eq!(told.code, Some(3), "{}", told.stderr);
            told.says(&[words, "hint:"]);
        }
    }
    assert!(place.runs().is_empty() && !place.path("target").exists());
}

/// A full disk behind standard output: half an answer is no answer.
#[test]
fn an_answer_that_is_lost_is_an_error() {
    if !std::path::Path::new("/dev/full").exists() {
        return left_out("there is no /dev/full");
    }
    let place = place();
    place.expect(4, &RUN);
    let id = place.run();
    let commands: [&[&str]; 15] = [
        &["--version"],
        &["--help"],
        &["run", "--help"],
        &["inspect", "jobs.bson"],
        &["inspect", "jobs.bson", "--json"],
        &["profile", "jobs.bson", "--json", "--all"],
        &["run", "jobs.bson", "other"],
        &["runs"],
        &["status", "--json"],
        &["verify", "jobs.bson", "target", "--in-flight", "skip"],
        &["checksums", "target", "--json"],
        &["report", &id],
        &["restore", "target", "back.bson"],
        &["indexes", "status", "target"],
        &["completions", "bash"],
    ];
    for args in commands {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let told = place.call(args).stdout(full).finish();
        assert_eq!(told.code, Some(1), "{args:?}: {}", told.stderr);
        told.says(&["error: standard output cannot be written", "hint:"]);
    }
    // A reader that has had enough is none.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    place.call(&["profile", "jobs.bson", "--json", "--all"]).stdout(writer).expect(0);
}

/// What is a dump, or the target of another run, is not taken for the target.
#[test]
fn a_target_that_is_another_place_is_refused() {
    let place = place();
    place.expect(0, &["generate", "dump", "--documents", "5"]);
    let before = place.tree("dump");
    for args in [&["indexes", "status", "dump"][..], &["indexes", "up", "dump/letswriteabook"]] {
        refused(&place, args, &["this is no target", "jobs.bson", "hint:"]);
    }
    assert!(place.tree("dump") == before, "nothing is written into a dump");
    place.expect(4, &RUN);
    let run = place.run();
    for other in ["dump", "nowhere"] {
        let args = ["rollback", &run, "--target", other];
        refused(&place, &args, &["--target names another place", "hint:"]);
    }
    // What a variable holds was not said of this run: a folder, or a live place of other runs.
    for held in ["dump", "mongodb://127.0.0.1:9/other"] {
        let with = |args: &[&str]| place.call(args).env("TARGET_MONGODB_URI", held);
        with(&["rollback", &run]).expect(0);
        let told = with(&["report", &run]).env("LEGACY_MONGODB_URI", held).expect(0);
        assert!(told.stdout.contains("Parity holds"), "{held}: {}", told.stdout);
    }
    for same in ["target", "target/letswriteabook", "./target/../target"] {
        place.expect(0, &["rollback", &run, "--target", same]);
    }
    place.expect(1, &["verify", "jobs.bson", "nowhere"]).says(&["there is no such folder"]);
    for args in [&["checksums", "jobs.bson"][..], &["verify", "jobs.bson", "jobs.bson"]] {
        place.expect(2, args).says(&["jobs.bson: a file, and a target is a folder", "hint:"]);
    }
    place.expect(2, &["restore", "target", "back.json"]).says(&["writes plain .bson", "hint:"]);
    place.expect(2, &["inspect", "dump", "--db", "nowhere"]).says(&["no database nowhere"]);
}

/// Messages name the database folder of a target, and people name it too.
#[test]
fn a_target_is_not_written_inside_another_one() {
    let place = place();
    place.expect(4, &RUN);
    let inside = "target/letswriteabook";
    let before = place.tree("target");
    for more in [&[][..], &["--apply", "--in-flight", "skip"], &["--apply", "--replace"]] {
        let told = place.expect(3, &with(&["run", "jobs.bson", inside], more));
        told.says(&["is the database folder of a target", "hint: name the folder above it"]);
    }
    assert!(place.tree("target") == before);
    // What lies there all the same: empty files are no target, and of two nobody knows which.
    let sums = || place.expect(0, &["checksums", inside]).stdout;
    let expected = sums();
    let nested = format!("{inside}/letswriteabook");
    std::fs::create_dir(place.path(&nested)).unwrap();
    for name in ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"] {
        place.write(&format!("{nested}/{name}.bson"), b"");
    }
    assert_eq!(sums(), expected);
    place.write(&format!("{nested}/novel_jobs.bson"), &place.read("jobs.bson"));
    place.expect(3, &["checksums", inside]).says(&["and so does", "hint:"]);
}

/// A collection in two forms: nothing tells which is meant.
#[test]
fn a_target_in_two_forms_is_not_read() {
    let place = place();
    place.expect(4, &RUN);
    place.expect(4, &["run", "jobs.bson", "packed", "--apply", "--in-flight", "skip", "--gzip"]);
    let packed = place.path("packed/letswriteabook/novel_jobs.bson.gz");
    fs::copy(packed, place.path("target/letswriteabook/novel_jobs.bson.gz")).unwrap();
    let words = ["two forms", "novel_jobs.bson and ", "novel_jobs.bson.gz", "hint:"];
    for args in [
        &["verify", "jobs.bson", "target"][..],
        &["checksums", "target"],
        &["restore", "target", "back.bson"],
        &["serve", "target"],
    ] {
        refused(&place, args, &words);
    }
}

/// Empty files that a rollback has left are not the target where a later run wrote another form.
#[test]
fn a_target_beside_empty_files_of_another_form_is_the_one_that_is_read() {
    for form in ["--gzip", "--zstd"] {
        let place = place();
        place.expect(4, &RUN);
        place.expect(0, &["rollback", "latest", "--apply"]);
        place.expect(4, &with(&RUN, &[form]));
        place.expect(0, &["verify", "jobs.bson", "target", "--in-flight", "skip"]);
        let told = place.expect(0, &["restore", "target", "back.bson"]);
        assert!(!told.stdout.contains("0 of 0") && !place.read("back.bson").is_empty());
    }
}
