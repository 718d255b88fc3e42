//! What a run leaves does not depend on how it was run: threads, batches, a limit reached in two
//! steps, a stop at every reject, Ctrl-C.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::io::Write;
use std::process::{Child, Command};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Outcome, Place, Told, assert_same, mixed_source};

const APPLY: [&str; 5] = ["run", "source", "target", "--apply", "--in-flight"];

/// A place with a source in it; `name` tells the form.
fn place(documents: u32, name: &str) -> Place {
    let place = Place::new();
    if name == "source.bson" {
        place.write("source", &mixed_source(&place, documents, "small"));
    } else {
        let count = documents.to_string();
        let args = ["generate", name, "--preset", "lifecycle", "--documents", &count];
        place.expect(0, &[args.as_slice(), &["--size", "small", "--lies"]].concat());
        std::fs::rename(place.path(name), place.path("source")).unwrap();
    }
    place
}

/// Runs in a place that is as if nothing had been run there before.
fn run(place: &Place, code: i32, more: &[&str]) -> (Outcome, Told) {
    for name in ["target", ".reshelve"] {
        if place.path(name).exists() {
            std::fs::remove_dir_all(place.path(name)).unwrap();
        }
    }
    let told = place.expect(code, &[&APPLY[..], &["skip"], more].concat());
    (place.outcome("target"), told)
}

#[test]
fn threads_and_batches_leave_no_trace() {
    for (name, code) in [("source.bson", 4), ("x.jsonl", 0), ("x.archive.gz", 0)] {
        let place = place(120, name);
        for compression in [&[][..], &["--gzip"], &["--zstd"]] {
            let (expected, _) = run(&place, code, compression);
            for jobs in ["1", "2", "7"] {
                for batch in [["1", "4MiB"], ["3", "4MiB"], ["1000", "1"], ["1000", "10KB"]] {
                    let how = ["--jobs", jobs, "--batch-docs", batch[0], "--batch-bytes", batch[1]];
                    let (outcome, _) = run(&place, code, &[compression, &how].concat());
                    outcome.expect_same(&expected, &format!("{name} {compression:?} {how:?}"));
                }
            }
        }
    }
}

#[test]
fn json_tells_what_the_report_tells() {
    let place = place(60, "source.bson");
    let (outcome, told) = run(&place, 4, &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["schema"], "reshelve.run/1");
    for name in ["applied", "documents", "events", "warnings", "rejects", "bytes", "exit"] {
        assert_eq!(told[name], outcome.totals[name], "{name}");
    }
    let documents = &told["documents"];
    let count = |name: &str| documents[name].as_u64().unwrap();
    assert_eq!(count("read"), count("mapped") + count("skipped") + count("rejected"));
    assert_eq!(count("mapped"), count("written") + count("unchanged"));
    assert_eq!((count("read"), count("rejected")), (63, 3));
    let rejects = place.read(&format!(".reshelve/runs/{}/rejects.jsonl", place.run()));
    assert_eq!(String::from_utf8(rejects).unwrap().lines().count(), 3);
}

#[test]
fn a_limit_counts_documents_read() {
    let place = place(60, "source.bson");
    let (whole, _) = run(&place, 4, &[]);
    for (limit, read) in [("0", 0), ("1", 1), ("7", 7), ("63", 63), ("1000", 63)] {
        let (expected, _) = run(&place, if read < 20 { 0 } else { 4 }, &["--limit", limit]);
        assert_eq!(expected.documents("read"), read, "{limit}");
        for (name, bytes) in &expected.target {
            assert!(whole.target[name].starts_with(bytes), "{limit}: {name}");
        }
        for how in [["--batch-docs", "1"], ["--batch-docs", "5"], ["--batch-bytes", "9000"]] {
            let code = if read < 20 { 0 } else { 4 };
            let (outcome, _) = run(&place, code, &[&["--limit", limit], &how[..]].concat());
            outcome.expect_same(&expected, &format!("{limit} {how:?}"));
        }
    }
}

#[test]
fn fail_fast_stops_at_every_reject_and_goes_on_behind_it() {
    for compression in [&[][..], &["--gzip"]] {
        let place = place(60, "source.bson");
        let (expected, _) = run(&place, 4, compression);
        let more = [compression, &["--fail-fast", "--batch-docs", "4"]].concat();
        let (first, told) = run(&place, 4, &more);
        // A compressed target counts what lies before its last cut.
        let counts = compression.is_empty();
        assert!(!counts || first.documents("rejected") == 1);
        told.says(&["hint:", "reshelve resume", "after the rejected document"]);
        let run = place.run();
        for rejected in [2, 3] {
            place.expect(4, &["resume", &run]);
            assert!(!counts || place.outcome("target").documents("rejected") == rejected);
        }
        place.expect(4, &["resume", &run]);
        place.outcome("target").expect_same(&expected, "fail fast");
        place.expect(4, &["resume", &run]).says(&["done already"]);
    }
}

#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    for (compression, signal) in [(&[][..], "-INT"), (&["--gzip"], "-TERM")] {
        let place = Place::new();
        place.write("source", &mixed_source(&place, 200, "large"));
        let source = place.read("source");
        let (expected, _) = run(&place, 4, compression);
        std::fs::remove_dir_all(place.path("target")).unwrap();
        std::fs::remove_dir_all(place.path(".reshelve")).unwrap();
        let args = ["run", "-", "target", "--apply", "--in-flight", "skip", "--batch-docs", "5"];
        let mut child = place.call(&[args.as_slice(), compression].concat()).spawn(true);
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(&source[..source.len() / 2]).unwrap();
        wait_until(&mut child, || {
            let tree = place.tree("target");
            tree.iter().any(|(name, bytes)| name.contains(".bson") && !bytes.is_empty())
        });
        send(signal, &child);
        // What it waits for comes, and more: the rest is not taken any more.
        let rest = source[source.len() / 2..].to_vec();
        let feeder = std::thread::spawn(move || drop(pipe.write_all(&rest)));
        let told = Told::of("Ctrl-C".to_owned(), child.wait_with_output().unwrap()).expect(6);
        feeder.join().unwrap();
        let run = place.run();
        told.says(&["hint:", &format!("reshelve resume .reshelve/runs/{run}")]);
        assert_eq!(place.outcome("target").totals["state"], "interrupted");
        place.call(&["resume", &run]).stdin(&source).expect(4);
        place.outcome("target").expect_same(&expected, signal);
    }
}

#[test]
fn ctrl_c_while_a_resume_reads_what_it_knows_loses_nothing() {
    let place = Place::new();
    place.write("source", &mixed_source(&place, 200, "large"));
    let source = place.read("source");
    let (expected, _) = run(&place, 4, &[]);
    std::fs::remove_dir_all(place.path("target")).unwrap();
    std::fs::remove_dir_all(place.path(".reshelve")).unwrap();
    let args = ["run", "-", "target", "--apply", "--in-flight", "skip"];
    place.call(&args).stdin(&source[..source.len() * 3 / 4]).expect(1);
    let run = place.run();
    let before = place.tree("target");
    let mut child = place.call(&["resume", &run, "--batch-docs", "3"]).spawn(true);
    let mut pipe = child.stdin.take().unwrap();
    // The pipe takes less than this: when it is written, most of it has been read.
    pipe.write_all(&source[..source.len() / 2]).unwrap();
    send("-INT", &child);
    let rest = source[source.len() / 2..].to_vec();
    let feeder = std::thread::spawn(move || drop(pipe.write_all(&rest)));
    Told::of("Ctrl-C".to_owned(), child.wait_with_output().unwrap()).expect(6);
    feeder.join().unwrap();
    assert_same_but_for_the_lock(&place, before);
    place.call(&["resume", &run]).stdin(&source).expect(4);
    place.outcome("target").expect_same(&expected, "interrupted twice");
}

fn assert_same_but_for_the_lock(place: &Place, mut before: common::Tree) {
    let mut after = place.tree("target");
    for tree in [&mut before, &mut after] {
        tree.remove("letswriteabook/.reshelve.lock");
    }
    assert_same(&before, &after, "the target");
}

fn send(signal: &str, child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

/// Waits for something that happens, unless the process ends.
fn wait_until(child: &mut Child, mut condition: impl FnMut() -> bool) {
    while !condition() {
        assert!(child.try_wait().unwrap().is_none(), "the process ended");
        std::thread::yield_now();
    }
}
