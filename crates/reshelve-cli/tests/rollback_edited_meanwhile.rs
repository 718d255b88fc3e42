//! A rollback that was killed, and somebody who writes to what it had taken back already: that is
//! decided on like any other edit, and the rollback can end.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/killing.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod killing;
#[path = "common/taken_back.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod taken_back;

use common::{Place, Tree, plant, split, strace_is_there};
use killing::{killer, points};
use serde_json::Value;
use taken_back::{applied, checksums, place, store, stored, text};

/// A target that a run wrote to, and what it held before that.
struct Scene {
    place: Place,
    run: String,
    before: Value,
    /// The earlier versions of jobs that the run replaced.
    earlier: Vec<Vec<u8>>,
    target: Tree,
    runs: Tree,
}

impl Scene {
    /// Of each job that stands in the target, `change` may take something away before the run.
    fn new(first: &str, change: impl Fn(&Place), more: &[&str]) -> Scene {
        let place = place();
        applied(&place, 0, first, &[]);
        change(&place);
        let (before, mut earlier) = (checksums(&place), stored(&place, "novel_jobs"));
        let run = applied(&place, 0, "jobs.bson", more);
        let after = stored(&place, "novel_jobs");
        earlier.retain(|job| !after.contains(job));
        let (target, runs) = (place.tree("target"), place.tree(".reshelve"));
        Scene { place, run, before, earlier, target, runs }
    }

    /// The place as the run left it.
    fn put_back(&self) {
        for (name, tree) in [("target", &self.target), (".reshelve", &self.runs)] {
            std::fs::remove_dir_all(self.place.path(name)).unwrap();
            plant(tree, &self.place.path(name));
        }
    }

    fn back(&self, more: &[&str]) -> common::Told {
        let args = ["rollback", &self.run, "--apply", "--json"];
        self.place.call(&[&args[..], more].concat()).finish()
    }

    /// Rolls back until nothing but a decision is missing.
    fn back_again(&self, what: &str) -> Option<i32> {
        let mut told = self.back(&[]);
        if told.code == Some(1) {
            told.says(&["not as they were before the run", "the same command looks again"]);
            told = self.back(&[]);
        }
        assert!(matches!(told.code, Some(0 | 3)), "{what}: {:?} {}", told.code, told.stderr);
        told.code
    }

    /// One of the documents that were put back is changed; nothing if none is back.
    fn edit(&self) -> Option<Vec<u8>> {
        let mut jobs = stored(&self.place, "novel_jobs");
        let edited = jobs.iter_mut().find(|job| self.earlier.contains(job))?;
        let title = edited.windows(6).rposition(|it| it == b"title\0").unwrap();
        edited[title + 6 + 4] ^= 1;
        let edited = edited.clone();
        store(&self.place, "novel_jobs", &jobs);
        Some(edited)
    }

    /// Kills before each rename and each cut, has a document edited that was put back, and rolls back
    /// with this decision.
    fn kill_and_edit(&self, decision: &str) -> usize {
        self.put_back();
        let args = ["rollback", &self.run, "--apply", "--json"];
        let all = points(&self.place, &args, 0);
        let mut decided = 0;
        for effect in ["rename", "ftruncate"] {
            for point in all.get(effect).into_iter().flatten().copied() {
                self.put_back();
                let what = format!("{decision}, killed at {effect} {point}");
                self.place.call_through(&killer(effect, point).line(), &args).finish();
                let edited = self.edit();
                if self.back_again(&what) == Some(0) {
                    // It was killed after its end, or nothing had been put back.
                    continue;
                }
                let edited = edited.expect("nothing was edited");
                let told = self.back(&["--edited", decision]);
                assert_eq!(told.code, Some(0), "{what}: {}", told.stderr);
                decided += 1;
                let jobs = stored(&self.place, "novel_jobs");
                let is_kept = decision == "keep";
                assert_eq!(jobs.contains(&edited), is_kept, "{what}");
                if !is_kept {
                    assert_eq!(checksums(&self.place), self.before, "{what}");
                    let copies =
                        self.place.read(&format!(".reshelve/runs/{}/discarded.bson", self.run));
                    assert!(split(&copies).contains(&edited), "{what}: no copy");
                }
            }
        }
        println!("{decision}: {decided} decisions");
        decided
    }
}

#[test]
fn what_was_put_back_and_edited_is_kept_or_discarded() {
    if strace_is_there() {
        let scene = Scene::new("old.bson", |_| {}, &["--replace"]);
        assert!(scene.kill_and_edit("keep") > 3);
        assert!(scene.kill_and_edit("discard=1") > 3);
    }
}

/// What a run added to a job is gone, and the job is changed: it was there before, and stays.
#[test]
fn what_was_completed_and_edited_stays() {
    if !strace_is_there() {
        return;
    }
    let lacks_parts = |place: &Place| {
        let first = text(&stored(place, "novel_jobs")[0], "jobId").to_vec();
        for collection in ["novel_job_metrics", "novel_job_events"] {
            let mut parts = stored(place, collection);
            let mut at = 0;
            parts.retain(|it| {
                at += usize::from(text(it, "jobId") == first);
                text(it, "jobId") != first || at == 1 && collection == "novel_job_events"
            });
            store(place, collection, &parts);
        }
    };
    let scene = Scene::new("first.bson", lacks_parts, &["--allow-existing"]);
    let args = ["rollback", &scene.run, "--apply", "--json"];
    let all = points(&scene.place, &args, 0);
    for effect in ["rename", "ftruncate"] {
        for point in all.get(effect).into_iter().flatten().copied() {
            scene.put_back();
            let what = format!("killed at {effect} {point}");
            scene.place.call_through(&killer(effect, point).line(), &args).finish();
            assert_eq!(scene.back_again(&what), Some(0), "{what}");
            assert_eq!(checksums(&scene.place), scene.before, "{what}");
        }
    }
}
