//! `serve` answers as the application does, from places of every kind that are files, and from the
//! side that the switch stands on.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use std::fs;

use common::Place;
use serving::{SOURCE, Served, expect_recorded};

const APPLY: [&str; 3] = ["--apply", "--in-flight", "include"];

/// The documents of the records as legacy JSON, and a target of them.
fn recorded() -> Place {
    let place = Place::new();
    place.write("legacy.json", SOURCE);
    place.expect(0, &[&["run", "legacy.json", "target"], &APPLY[..]].concat());
    place
}

#[test]
fn a_target_folder_answers_in_every_compression() {
    let place = recorded();
    expect_recorded(&Served::new(&place, &["target"]), None, "plain");
    for compression in ["--gzip", "--zstd"] {
        let run = ["run", "legacy.json", compression, compression];
        let target = compression.trim_start_matches('-');
        let run = [&[run[0], run[1], target, compression], &APPLY[..]].concat();
        place.expect(0, &run);
        expect_recorded(&Served::new(&place, &[target]), None, compression);
        expect_recorded(&Served::new(&place, &[&format!("{target}/letswriteabook")]), None, target);
    }
}

#[test]
fn legacy_files_answer_the_same() {
    let place = recorded();
    place.expect(0, &["restore", "target", "legacy.bson"]);
    expect_recorded(&Served::new(&place, &["legacy.json"]), None, "json");
    expect_recorded(&Served::new(&place, &["legacy.bson"]), None, "bson");
    let whole = place.read("legacy.bson");
    place.write("legacy.bson.zst", &zstd_of(&whole));
    expect_recorded(&Served::new(&place, &["legacy.bson.zst"]), None, "zst");
    fs::create_dir_all(place.path("dump/letswriteabook")).unwrap();
    place.write("dump/letswriteabook/jobs.bson", &whole);
    expect_recorded(&Served::new(&place, &["dump"]), None, "folder");
    expect_recorded(&Served::new(&place, &["--legacy", "dump"]), None, "named");
}

/// One frame of raw blocks, as a program without a compressor may write it.
fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58];
    let mut chunks = bytes.chunks(1 << 16).peekable();
    while let Some(chunk) = chunks.next() {
        let is_last = u32::from(chunks.peek().is_none());
        let header = is_last | u32::try_from(chunk.len()).unwrap() << 3;
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.extend_from_slice(chunk);
    }
    frame
}

#[test]
fn a_pipe_is_served_too() {
    let place = recorded();
    place.expect(0, &["restore", "target", "legacy.bson"]);
    let shell = ["sh", "-c", "exec \"$0\" \"$@\" < legacy.bson"];
    let call = place.call_through(&shell, &["serve", "--listen", "127.0.0.1:0", "-"]);
    expect_recorded(&Served::of(call), None, "standard input");
}

#[test]
fn the_switch_chooses_the_side() {
    let place = recorded();
    let both = ["--legacy", "legacy.json", "--normalized", "target"];
    let serve = |more: &[&str]| Served::new(&place, &[&both[..], more].concat());
    expect_recorded(&serve(&[]), Some("normalized"), "by default");
    expect_recorded(&serve(&["--persistence", "legacy"]), Some("legacy"), "legacy");
    let args = [&["serve", "--listen", "127.0.0.1:0"], &both[..]].concat();
    for (value, side) in [("true", "normalized"), ("false", "legacy")] {
        let call = place.call(&args).env("USE_NORMALIZED_PERSISTENCE", value);
        let served = Served::of(call);
        assert_eq!(served.get("/api/novel").side.as_deref(), Some(side));
    }
    // One route, and a share of jobs, which are always the same ones.
    let served = serve(&["--persistence", "legacy", "--persistence-of", "list=normalized"]);
    assert_eq!(served.get("/api/novel").side.as_deref(), Some("normalized"));
    assert_eq!(served.get("/api/novel/rich").side.as_deref(), Some("legacy"));
    let sides = |share: &str| -> Vec<bool> {
        let served = serve(&["--persistence", "legacy", "--normalized-share", share]);
        let of = |number: u32| served.get(&format!("/api/novel/job-{number}/metrics")).side;
        (0..100).map(|number| of(number).as_deref() == Some("normalized")).collect()
    };
    let (ten, again, half) = (sides("10"), sides("10"), sides("50"));
    assert_eq!(ten, again);
    let count = |sides: &[bool]| sides.iter().filter(|is_normalized| **is_normalized).count();
    assert!((1..30).contains(&count(&ten)) && count(&ten) < count(&half), "{}", count(&ten));
    assert!(ten.iter().zip(&half).all(|(ten, half)| !ten || *half));
    assert_eq!(count(&sides("100")), 100);
}

#[test]
fn the_other_side_answers_where_one_is_damaged() {
    let place = recorded();
    let both = ["--legacy", "legacy.json", "--normalized", "target"];
    let plain = Served::new(&place, &both);
    let falling_back = Served::new(&place, &[&both[..], &["--fallback"]].concat());
    let file = "target/letswriteabook/novel_job_metadata.bson";
    let mut bytes = place.read(file);
    bytes.rotate_left(5);
    place.write(file, &bytes);
    let target = "/api/novel/rich/metadata";
    let answer = falling_back.get(target);
    assert_eq!((answer.status, answer.side.as_deref()), (200, Some("legacy")));
    assert_eq!(plain.get(target).status, 500);
    let (code, told) = plain.end();
    assert_eq!(code, Some(0));
    assert!(told.contains("novel_job_metadata"), "{told}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let place = recorded();
    for (args, words) in [
        (&["serve"][..], "PLACE"),
        (&["serve", "target", "--legacy", "legacy.json"], "--legacy"),
        (&["serve", "target", "--persistence", "legacy"], "only a normalized side"),
        (&["serve", "legacy.json", "--fallback"], "only a legacy side"),
        (&["serve", "target", "--listen", "nowhere"], "--listen nowhere"),
        (&["serve", "target", "--host", "novels.example:8080"], "without a port"),
        (&["serve", "target", "--host", "novels.example/x"], "--host novels.example/x: not a name"),
        (&["serve", "target", "--client-origin", "http://user:pw@host"], "connection string"),
        (&["serve", "mongodb//user:pw@host/db"], "malformed connection string"),
        (&["serve", "--normalized", "legacy.json"], "no target collections"),
        (
            &[
                "serve",
                "--legacy",
                "legacy.json",
                "--normalized",
                "target",
                "--persistence-of",
                "x=legacy",
            ],
            "is not one of list, detail, events, metrics, metadata",
        ),
    ] {
        let told = place.expect(2, args).stderr;
        assert!(told.contains(words), "{args:?}\n{told}");
        assert!(!told.contains("pw"), "{told}");
    }
    let file = "target/letswriteabook/novel_jobs.bson";
    let whole = place.read(file);
    place.write(file, &whole[..whole.len() - 3]);
    let told = place.expect(3, &["serve", "target"]).stderr;
    assert!(told.contains("novel_jobs.bson") && told.contains("hint: "), "{told}");
    place.write("other.tar", &[b'x'; 4096]);
    assert!(place.expect(2, &["serve", "other.tar"]).stderr.contains("hint: "));
}

#[test]
fn the_variable_of_the_switch_takes_words_and_names_all_that_count() {
    let place = recorded();
    let both = ["serve", "--legacy", "legacy.json", "--normalized", "target"];
    for wrong in ["TRUE", " true", "2", "Normalized"] {
        let told = place.call(&both).env("USE_NORMALIZED_PERSISTENCE", wrong).expect(2).stderr;
        let all = "legacy, false, 0, off, no, normalized, true, 1, on, yes";
        assert!(told.contains(all), "{wrong:?}: {told}");
        assert!(told.contains("USE_NORMALIZED_PERSISTENCE"), "{wrong:?}: {told}");
    }
    let args = [&both[..], &["--listen", "127.0.0.1:0"]].concat();
    for (word, side) in [("1", "normalized"), ("0", "legacy"), ("true", "normalized")] {
        let served = Served::of(place.call(&args).env("USE_NORMALIZED_PERSISTENCE", word));
        assert_eq!(served.get("/api/novel").side.as_deref(), Some(side), "{word}");
    }
}

#[test]
fn it_follows_a_run_and_its_rollback() {
    let place = recorded();
    let served = Served::new(&place, &["target"]);
    assert_eq!(served.get("/api/novel/rich").status, 200);
    place.expect(0, &["rollback", "latest", "--apply"]);
    let begun = std::time::Instant::now();
    while served.get("/api/novel/rich").status == 200 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "it never noticed");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_share_leaves_the_other_jobs_to_the_legacy_side() {
    let place = recorded();
    let both = ["--legacy", "legacy.json", "--normalized", "target"];
    let served = Served::new(&place, &[&both[..], &["--normalized-share", "10"]].concat());
    let of = |number: u32| served.get(&format!("/api/novel/job-{number}/metrics")).side;
    let normalized = (0..100).filter(|number| of(*number).as_deref() == Some("normalized"));
    let count = normalized.count();
    assert!((1..30).contains(&count), "{count} of 100");
}

#[test]
fn a_target_that_is_gone_is_not_an_empty_one() {
    let place = recorded();
    let both = ["--legacy", "legacy.json", "--normalized", "target"];
    let plain = Served::new(&place, &both);
    let falling_back = Served::new(&place, &[&both[..], &["--fallback"]].concat());
    assert_eq!(plain.get("/readyz").status, 200);
    let jobs = "target/letswriteabook/novel_jobs.bson";
    for (from, to) in [("target", "moved"), (jobs, "jobs.bson")] {
        std::fs::rename(place.path(from), place.path(to)).unwrap();
        common::until("the server has looked", || plain.get("/readyz").status == 503);
        assert_eq!(plain.get("/api/novel").status, 500, "{from}");
        common::until("the other side answers", || {
            let answer = falling_back.get("/api/novel/rich");
            assert_eq!(answer.status, 200, "{from}");
            answer.side.as_deref() == Some("legacy")
        });
        std::fs::rename(place.path(to), place.path(from)).unwrap();
        common::until("it is there again", || {
            let side = falling_back.get("/api/novel/rich").side;
            plain.get("/readyz").status == 200 && side.as_deref() == Some("normalized")
        });
    }
}
