//! Accidents to files: a damaged target, links, files that vanish, places that overlap, strangers
//! who write along. Nothing is lost, and what is not certain is refused.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::{Child, ChildStdin};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{
    Place, Told, assert_same, left_out, mixed_source, plant, refused, split, split_whole,
    strace_is_there, until, with,
};

const RUN: [&str; 6] = ["run", "jobs.bson", "target", "--apply", "--in-flight", "skip"];
const JOBS: &str = "target/letswriteabook/novel_jobs.bson";
const EVENTS: &str = "target/letswriteabook/novel_job_events.bson";
const METADATA: &str = "target/letswriteabook/novel_job_metadata.bson";

/// A document that no run wrote.
const STRANGER: &[u8] = b"\x23\0\0\0\x02_id\0\x02\0\0\0x\0\x02jobId\0\x08\0\0\0foreign\0\0";

fn place() -> Place {
    let place = Place::new();
    place.write("jobs.bson", &mixed_source(&place, 40, "small"));
    place
}

/// The length of the third document says more than there is, or cuts it short.
fn damage(place: &Place, file: &str, length: i32) {
    let bytes = place.read(file);
    let before: usize = split(&bytes)[..2].iter().map(Vec::len).sum();
    let mut damaged = bytes;
    damaged[before..before + 4].copy_from_slice(&length.to_le_bytes());
    place.write(file, &damaged);
}

#[test]
fn a_damaged_target_is_never_cut() {
    for file in [JOBS, EVENTS, METADATA] {
        for length in [0, 7, 1_000_000] {
            let place = place();
            place.expect(4, &RUN);
            damage(&place, file, length);
            for more in ["--take-over", "--allow-existing", "--replace"] {
                refused(&place, &with(&RUN, &[more]), &["is damaged at byte", file]);
                let dry = ["run", "jobs.bson", "target", more];
                refused(&place, &dry, &["is damaged at byte", file]);
            }
        }
    }
}

/// A run that was killed lends nobody the right to cut what it had vouched for, or what stood there
/// before it.
#[test]
fn taking_over_cuts_only_what_the_killed_run_had_not_vouched_for() {
    let place = place();
    let source = place.read("jobs.bson");
    let half = source.len() / 2;
    let cut = ["run", "-", "target", "--apply", "--in-flight", "skip"];
    place.call(&cut).stdin(&source[..half]).expect(1);
    damage(&place, JOBS, 1_000_000);
    refused(&place, &with(&RUN, &["--take-over"]), &["is damaged at byte", JOBS]);
}

#[test]
fn a_run_is_not_resumed_on_a_damaged_base() {
    let place = place();
    let source = place.read("jobs.bson");
    let documents = split(&source);
    place.write("first.bson", &documents[..10].concat());
    place.expect(0, &["run", "first.bson", "target", "--apply", "--in-flight", "include"]);
    let cut = ["run", "-", "target", "--apply", "--in-flight", "include", "--allow-existing"];
    place.call(&cut).stdin(&source[..source.len() / 2]).expect(1);
    let run = place.runs().pop().unwrap();
    let sound = place.tree("target");
    for length in [7, 1_000_000] {
        damage(&place, EVENTS, length);
        let before = place.tree("target");
        let args = ["resume", &run, "--source", "jobs.bson"];
        place.expect(3, &args).says(&["is damaged at byte", "novel_job_events.bson", "hint:"]);
        let mut after = place.tree("target");
        let mut expected = before;
        for tree in [&mut after, &mut expected] {
            tree.remove("letswriteabook/.reshelve.lock");
        }
        assert_same(&expected, &after, "the target");
        plant(&sound, &place.path("target"));
    }
    place.expect(4, &["resume", &run, "--source", "jobs.bson"]);
}

#[test]
fn a_target_file_is_what_its_name_says() {
    let place = place();
    place.expect(4, &with(&RUN, &["--gzip"]));
    for name in ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"] {
        let file = place.path("target/letswriteabook").join(format!("{name}.bson"));
        fs::rename(file.with_extension("bson.gz"), file).unwrap();
    }
    for more in ["--allow-existing", "--replace", "--take-over"] {
        refused(&place, &with(&RUN, &[more]), &["named like plain BSON, and holds gzip"]);
    }
    let place = self::place();
    place.expect(4, &RUN);
    fs::rename(place.path(JOBS), place.path(&format!("{JOBS}.zst"))).unwrap();
    for name in ["novel_job_events", "novel_job_metrics", "novel_job_metadata"] {
        fs::remove_file(place.path(&format!("target/letswriteabook/{name}.bson"))).unwrap();
    }
    let args = with(&RUN, &["--zstd", "--allow-existing"]);
    refused(&place, &args, &["named like zstd, and holds plain BSON"]);
}

/// A source of which half is more than a reader takes before it gives anything away.
fn large_place() -> Place {
    let place = Place::new();
    place.write("jobs.bson", &mixed_source(&place, 400, "small"));
    place
}

/// A run that waits for its source, with the files of its target open.
struct Waiting {
    child: Child,
    pipe: ChildStdin,
}

fn waiting(place: &Place, target: &str) -> Waiting {
    waiting_after(place, target, &["--checkpoint-bytes", "1"])
}

fn waiting_after(place: &Place, target: &str, more: &[&str]) -> Waiting {
    let args = ["run", "-", target, "--apply", "--in-flight", "skip", "--batch-docs", "1"];
    let mut child = place.call(&with(&args, more)).spawn(true);
    let mut pipe = child.stdin.take().unwrap();
    let source = place.read("jobs.bson");
    pipe.write_all(&source[..source.len() / 2]).unwrap();
    let jobs = place.path(target).join("letswriteabook/novel_jobs.bson");
    until("something is written", || {
        assert!(child.try_wait().unwrap().is_none());
        fs::metadata(&jobs).is_ok_and(|jobs| jobs.len() > 0)
    });
    Waiting { child, pipe }
}

impl Waiting {
    fn go_on(mut self, place: &Place) -> Told {
        let source = place.read("jobs.bson");
        // It may have stopped already.
        drop(self.pipe.write_all(&source[source.len() / 2..]));
        drop(self.pipe);
        Told::of("the waiting run".to_owned(), self.child.wait_with_output().unwrap())
    }
}

#[test]
fn one_folder_by_two_names_has_one_lock() {
    let place = large_place();
    fs::create_dir_all(place.path("real/letswriteabook")).unwrap();
    symlink(place.path("real"), place.path("one")).unwrap();
    fs::create_dir(place.path("two")).unwrap();
    symlink(place.path("real/letswriteabook"), place.path("two/letswriteabook")).unwrap();
    let run = waiting(&place, "one");
    for target in ["real", "one", "two"] {
        for more in [&[][..], &["--allow-existing"], &["--take-over"]] {
            let args = ["run", "jobs.bson", target, "--apply", "--in-flight", "skip"];
            place.expect(3, &with(&args, more)).says(&["another run is writing"]);
        }
    }
    run.go_on(&place).expect(4);
    place.expect(0, &["verify", "jobs.bson", "real", "--in-flight", "skip"]);
}

/// Folders apart, whose files are one: the lock of the folder does not tell, and what one of them
/// gets or loses, the other one does.
#[test]
fn a_file_with_two_names_is_not_written() {
    let place = large_place();
    let run = waiting(&place, "one");
    let first = place.run();
    fs::create_dir_all(place.path("two/letswriteabook")).unwrap();
    let jobs = |root: &str| place.path(root).join("letswriteabook/novel_jobs.bson");
    fs::hard_link(jobs("one"), jobs("two")).unwrap();
    let args = ["run", "jobs.bson", "two", "--apply", "--in-flight", "skip", "--allow-existing"];
    // While the first one still writes, its file may grow between look and lock: refused too.
    until("the second run meets the lock of the file", || {
        place.call(&args).finish().stderr.contains("another run is writing to this target")
    });
    run.go_on(&place).expect(4);
    assert!(place.call(&args).finish().stderr.contains("a hard link"));
    place.expect(0, &["verify", "jobs.bson", "one", "--in-flight", "skip"]);
    fs::remove_file(jobs("two")).unwrap();
    fs::create_dir(place.path("copy")).unwrap();
    fs::hard_link(place.path("one/letswriteabook/novel_jobs.bson"), place.path("copy/jobs"))
        .unwrap();
    let before = place.read("copy/jobs");
    let told = place.expect(1, &["rollback", &first, "--apply"]);
    told.says(&["a hard link"]);
    assert!(place.read("copy/jobs") == before, "a copy by links is nobody's to empty");
    fs::remove_file(place.path("copy/jobs")).unwrap();
    place.expect(0, &["rollback", &first, "--apply"]);
}

#[test]
fn nothing_is_written_through_a_planted_link() {
    for name in ["novel_jobs.bson", "novel_job_events.bson", ".reshelve.lock"] {
        let place = place();
        fs::create_dir_all(place.path("target/letswriteabook")).unwrap();
        place.write("foreign", b"");
        symlink(place.path("foreign"), place.path("target/letswriteabook").join(name)).unwrap();
        let told = place.call(&RUN).finish();
        assert_eq!(told.code, Some(1), "{name}: {}", told.stderr);
        told.says(&["it is a symbolic link", name]);
        assert_eq!(place.read("foreign"), b"", "{name}");
    }
}

#[test]
fn a_target_that_changes_under_a_run_is_noticed() {
    type Accident = fn(&Place);
    let accidents: [(&str, Accident); 5] = [
        ("was removed or replaced", |place| fs::remove_file(place.path(EVENTS)).unwrap()),
        ("was removed or replaced", |place| {
            fs::rename(place.path(JOBS), place.path("aside")).unwrap();
            fs::copy(place.path("aside"), place.path(JOBS)).unwrap();
        }),
        ("was removed or replaced", |place| {
            fs::rename(place.path("target"), place.path("moved")).unwrap();
        }),
        ("bytes while it was being written", |place| {
            fs::File::options().write(true).open(place.path(JOBS)).unwrap().set_len(10).unwrap();
        }),
        ("something else changes the target", |place| {
            let mut file = fs::File::options().append(true).open(place.path(METADATA)).unwrap();
            let stranger = b"\x16\0\0\0\x02_id\0\x08\0\0\0foreign\0\0";
            file.write_all(stranger).unwrap();
        }),
    ];
    for (words, accident) in accidents {
        let place = large_place();
        let run = waiting(&place, "target");
        // Nothing is at work on the target while the run waits for the rest of its source.
        wait_for_checkpoints(&place);
        accident(&place);
        let told = run.go_on(&place);
        assert_eq!(told.code, Some(1), "{words}: {}", told.stderr);
        assert!(!told.stdout.contains("is done"), "{}", told.stdout);
        told.says(&[words]);
        let status = place.expect(0, &["status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
        assert_eq!(status["state"], "failed", "{words}");
    }
}

/// Waits until what was written to the target is checkpointed.
fn wait_for_checkpoints(place: &Place) {
    let read = || -> Option<u64> {
        let run = place.runs().pop()?;
        let text = fs::read(place.path(".reshelve/runs").join(run).join("checkpoint.json")).ok()?;
        let checkpoint: serde_json::Value = serde_json::from_slice(&text).ok()?;
        checkpoint["target"]["opaque"]["lengths"][0].as_u64()
    };
    until("a checkpoint knows of the target", || read().is_some_and(|length| length > 0));
}

/// Between a kill and `resume`, somebody appended a document. It is cut off like all that the
/// checkpoint does not know, but not lost.
#[test]
fn what_strangers_appended_after_a_kill_is_kept() {
    let place = large_place();
    let run = waiting(&place, "target");
    wait_for_checkpoints(&place);
    kill(run);
    place.write(JOBS, &[&split_whole(&place.read(JOBS)).0.concat(), STRANGER].concat());
    let id = place.run();
    let told = place.call(&["resume", &id]).stdin(&place.read("jobs.bson")).expect(4);
    told.says(&["does not name as they are (1)", "cut-off", "warning:"]);
    let kept = place.tree(&format!(".reshelve/runs/{id}/cut-off"));
    assert!(kept.iter().any(|(name, it)| name.contains("novel_jobs.") && it.ends_with(STRANGER)));
    place.expect(0, &["verify", "jobs.bson", "target", "--in-flight", "skip"]);
}

/// Kills a run that waits.
fn kill(Waiting { mut child, pipe }: Waiting) {
    child.kill().unwrap();
    child.wait().unwrap();
    drop(pipe);
}

/// Between a kill and `resume`, somebody made a document longer or shorter that was written before
/// the checkpoint. Nothing is cut through the middle of another one.
#[test]
fn a_target_whose_documents_moved_is_not_cut() {
    for is_longer in [true, false] {
        let place = large_place();
        let run = waiting(&place, "target");
        wait_for_checkpoints(&place);
        kill(run);
        let sound = place.read(JOBS);
        let (mut documents, torn) = split_whole(&sound);
        let end = documents[0].len() - 1;
        if is_longer {
            documents[0].splice(end..end, *b"\x0Ax\0");
        } else {
            documents[0].drain(end - 3..end);
        }
        let length = i32::try_from(documents[0].len()).unwrap().to_le_bytes();
        documents[0][..4].copy_from_slice(&length);
        place.write(JOBS, &[&documents.concat(), torn].concat());
        let files = || [JOBS, EVENTS, METADATA].map(|file| place.read(file));
        let before = files();
        let id = place.run();
        let resume = || place.call(&["resume", &id]).stdin(&place.read("jobs.bson"));
        let told = resume().expect(3);
        let words = if is_longer { "was changed since this run" } else { "the target file" };
        told.says(&[words]);
        assert!(files() == before, "nothing is changed");
        place.expect(3, &["rollback", &id, "--apply"]);
        assert!(files() == before, "nothing is changed");
        place.write(JOBS, &sound);
        resume().expect(4);
        place.expect(0, &["verify", "jobs.bson", "target", "--in-flight", "skip"]);
    }
}

/// Between a kill and `resume`, somebody changed a document that no checkpoint knows of. It is cut
/// off like all of these, but not lost.
#[test]
fn what_was_changed_after_a_kill_is_kept() {
    let place = large_place();
    kill(waiting_after(&place, "target", &["--checkpoint-bytes", "1GB"]));
    let mut documents = place.read(JOBS);
    let title = b"\x02title\0";
    let at = documents.windows(title.len()).position(|it| it == title).unwrap() + title.len() + 4;
    documents[at] ^= 1;
    place.write(JOBS, &documents);
    let id = place.run();
    let told = place.call(&["resume", &id]).stdin(&place.read("jobs.bson")).expect(4);
    told.says(&["does not name as they are (1)", "cut-off"]);
    let kept = place.tree(&format!(".reshelve/runs/{id}/cut-off"));
    assert!(kept.values().next().unwrap().starts_with(&documents[..=at]));
    place.expect(0, &["verify", "jobs.bson", "target", "--in-flight", "skip"]);
}

/// A run that was killed and has lost its lock, to a run that took over and was taken back, or to
/// somebody who removed it, goes on and is taken back as before: all that lies there is its own.
#[test]
fn a_run_that_lost_its_lock_knows_what_is_its_own() {
    for (is_taken_over, is_resumed) in [true, false].map(|it| [(it, true), (it, false)]).concat() {
        let place = large_place();
        kill(waiting_after(&place, "target", &["--checkpoint-bytes", "1GB"]));
        let id = place.run();
        if is_taken_over {
            place.expect(4, &with(&RUN, &["--take-over"]));
            place.expect(0, &["rollback", "latest", "--apply"]);
        } else {
            fs::remove_file(place.path("target/letswriteabook/.reshelve.lock")).unwrap();
            let sound = place.read(JOBS);
            place.write(JOBS, &[&split_whole(&sound).0.concat(), STRANGER].concat());
            let resume = ["resume", &id, "--source", "jobs.bson"];
            for args in [&["rollback", &id][..], &["rollback", &id, "--apply"], &resume] {
                refused(&place, args, &["novel_jobs.bson", "journal", "hint:"]);
            }
            place.write(JOBS, &sound);
        }
        if is_resumed {
            place.call(&["resume", &id]).stdin(&place.read("jobs.bson")).expect(4);
            place.expect(0, &["verify", "jobs.bson", "target", "--in-flight", "skip"]);
        } else {
            place.expect(0, &["rollback", &id, "--apply"]);
            assert!(place.read(JOBS).is_empty());
        }
    }
}

/// Folders that were made on the way are durable too, up to the first one that was there.
#[test]
fn every_folder_that_was_made_is_synced() {
    if !strace_is_there() {
        return;
    }
    let place = place();
    let run = ["run", "jobs.bson", "new/er/target", "--apply", "--in-flight", "skip"];
    let args = with(&run, &["--runs-dir", "runs/deep/er"]);
    let strace = ["strace", "-f", "-qq", "-y", "-o", "log", "-e", "trace=fsync,fdatasync"];
    if place.call_through(&strace, &args).finish().code != Some(4) {
        return left_out("strace cannot trace here");
    }
    let log = String::from_utf8(place.read("log")).unwrap();
    let root = place.path("").canonicalize().unwrap();
    for folder in ["", "new", "new/er", "new/er/target", "runs", "runs/deep", "runs/deep/er"] {
        let path = root.join(folder);
        let name = format!("<{}>", path.display().to_string().trim_end_matches('/'));
        assert!(log.contains(&name), "{folder:?} was not synced: {log}");
    }
}
