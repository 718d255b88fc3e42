//! Standard input and pipes by other names: read once, refused where two passes are needed or
//! nothing comes, and left at once on Ctrl-C however silent they are.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::fs;
use std::io::Write;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, Told, assert_same};

const APPLY: [&str; 4] = ["out", "--apply", "--in-flight", "include"];

/// A place with a file of 12 documents and the target of a run on it.
fn scene() -> (Place, Vec<u8>) {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "12", "--size", "small"]);
    place.expect(0, &["run", "jobs.bson", "target", "--apply", "--in-flight", "include"]);
    fs::remove_dir_all(place.path(".reshelve")).unwrap();
    let bytes = place.read("jobs.bson");
    (place, bytes)
}

/// Runs a command on the bytes: on standard input by this name, or through a named pipe.
fn piped(place: &Place, name: &str, args: &[&str], bytes: &[u8]) -> Told {
    let named: Vec<&str> =
        args.iter().map(|arg| if *arg == "SOURCE" { name } else { arg }).collect();
    if name != "fifo" {
        return place.call(&named).stdin(bytes).finish();
    }
    let path = place.path("fifo");
    if !path.exists() {
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    }
    // A reader and writer at once opens without waiting, and keeps what is written for the reader.
    let mut pipe = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    assert!(bytes.len() < 60_000, "what a pipe holds");
    let child = place.call(&named).spawn(false);
    pipe.write_all(bytes).unwrap();
    // It has to be read before this end is closed.
    let opened = |child: &Child| {
        let files = fs::read_dir(format!("/proc/{}/fd", child.id())).into_iter().flatten();
        files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|to| to == path))
    };
    let mut child = child;
    while !opened(&child) && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(pipe);
    Told::of(format!("{args:?} through {name}"), child.wait_with_output().unwrap())
}

const NAMES: [&str; 3] = ["-", "/dev/stdin", "fifo"];

#[test]
fn a_pipe_by_any_name_is_read_once() {
    let (place, bytes) = scene();
    for name in NAMES {
        piped(&place, name, &[&["run", "SOURCE"], &APPLY[..]].concat(), &bytes).expect(0);
        assert_same(&place.tree("target"), &place.tree("out"), name);
        piped(&place, name, &["verify", "SOURCE", "target"], &bytes).expect(0);
        piped(&place, name, &["profile", "SOURCE"], &bytes).expect(0);
        // The report would have to read it again.
        place.expect(0, &["report", &place.run(), "--out", "page"]);
        let page = String::from_utf8(place.read("page/report.md")).unwrap();
        assert!(page.contains("came through standard input or a pipe"), "{name}: {page}");
        for folder in [".reshelve", "out", "page"] {
            fs::remove_dir_all(place.path(folder)).unwrap();
        }
    }
}

#[test]
fn what_needs_two_passes_is_refused_by_any_name() {
    let (place, bytes) = scene();
    for name in NAMES {
        let told = piped(&place, name, &["inspect", "SOURCE"], &bytes).expect(2);
        told.says(&["cannot be read twice", "hint: save it to a file first"]);
        let sample = ["verify", "SOURCE", "target", "--sample", "3"];
        let told = piped(&place, name, &sample, &bytes).expect(2);
        assert!(told.stdout.is_empty(), "{name}: {}", told.stdout);
        told.says(&["can be read only once", "hint: leave out --sample"]);
        let told = piped(&place, name, &["run", "SOURCE", "out", "--apply"], &bytes).expect(3);
        told.says(&["in flight in advance", "hint:", "--in-flight"]);
        assert!(!place.path("out").exists() && !place.path(".reshelve").exists(), "{name}");
    }
}

#[test]
fn nothing_at_all_is_refused_unless_it_may_be() {
    let (place, _) = scene();
    let gzip_of_nothing = b"\x1F\x8B\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0";
    for name in ["-", "/dev/stdin", "fifo", "/dev/null"] {
        for bytes in [&b""[..], b"\n", gzip_of_nothing] {
            if name == "/dev/null" && !bytes.is_empty() {
                continue;
            }
            let run = [&["run", "SOURCE"], &APPLY[..]].concat();
            for args in [&run[..], &["verify", "SOURCE", "target"], &["profile", "SOURCE"]] {
                let told = piped(&place, name, args, bytes).expect(2);
                told.says(&["is empty", "hint:", "--allow-empty"]);
            }
            assert!(!place.path("out").exists() && !place.path(".reshelve").exists(), "{name}");
            let allowed = [&run[..], &["--allow-empty"]].concat();
            piped(&place, name, &allowed, bytes).expect(0);
            fs::remove_dir_all(place.path("out")).unwrap();
            fs::remove_dir_all(place.path(".reshelve")).unwrap();
        }
    }
    let allowed = place.call(&["profile", "-"]).env("RESHELVE_ALLOW_EMPTY", "true");
    allowed.stdin(b"").expect(0);
    // A file says by being there that it is what was dumped; an archive is never empty.
    place.write("empty.bson", b"");
    place.expect(0, &["profile", "empty.bson"]);
    for (name, bytes) in [("x.archive", &b""[..]), ("x.archive.gz", gzip_of_nothing)] {
        place.write(name, bytes);
        for args in [&["profile", name][..], &["inspect", name], &["run", name, "out"]] {
            place.expect(2, args).says(&["an archive never is", "hint:"]);
        }
    }
}

/// Sends the signal of Ctrl-C as soon as the process listens for it, and waits for its end.
fn interrupted(mut child: Child) -> Option<i32> {
    let id = child.id().to_string();
    let caught = || {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?.trim().to_owned();
        u64::from_str_radix(&mask, 16).ok()
    };
    while caught().is_none_or(|mask| mask & 0b10 == 0) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    // A process that does not notice must not hold up the other tests.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap().code()
}

#[test]
fn a_silent_pipe_does_not_hold_up_ctrl_c() {
    for given in [0, 2_000] {
        for packed in ["plain", "gzip"] {
            let (place, mut bytes) = scene();
            if packed == "gzip" {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&bytes).unwrap();
                bytes = encoder.finish().unwrap();
            }
            let mut child = place.call(&[&["run", "-"], &APPLY[..]].concat()).spawn(true);
            let mut pipe = child.stdin.take().unwrap();
            pipe.write_all(&bytes[..given]).unwrap();
            pipe.flush().unwrap();
            assert_eq!(interrupted(child), Some(6), "{packed}, {given} bytes");
            drop(pipe);
            // As every run that was interrupted, it can be resumed.
            let run = place.run();
            place.call(&["resume", &run]).stdin(&bytes).expect(0);
            assert_same(&place.tree("target"), &place.tree("out"), packed);
        }
    }
}

/// A shell gives `<(…)` a name that leads nowhere when the command has ended.
#[test]
fn a_pipe_that_is_gone_is_given_again() {
    let (place, bytes) = scene();
    let script = "\"$0\" run <(head -c 9000 jobs.bson) out --apply --in-flight include";
    place.call_through(&["bash", "-c", script], &[]).expect(1).says(&["truncated"]);
    let run = place.run();
    let told = place.expect(2, &["resume", &run]);
    told.says(&["the run read a pipe of this name, and it is gone", "hint:", "--source FILE"]);
    place.call(&["resume", &run, "--source", "-"]).stdin(&bytes).expect(0);
    assert_same(&place.tree("target"), &place.tree("out"), "resumed from another pipe");
}
