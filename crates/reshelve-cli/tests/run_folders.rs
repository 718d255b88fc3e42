//! Run folders that somebody copies, moves, cuts off or edits: a command that relies on one ends as
//! without that, or refuses and takes nothing from the target that a checkpoint vouches
//! for.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/killing.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod killing;

use common::counts::{Ended, count};
use common::{Outcome, Place, Tree, mixed_source, plant, strace_is_there};
use killing::{killer, points};

const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

const RUN: [&str; 11] = [
    "run",
    "jobs.bson",
    "target",
    "--apply",
    "--in-flight",
    "skip",
    "--batch-docs",
    "3",
    "--jobs",
    "2",
    "--checkpoint-bytes=4KiB",
];

/// How many bytes of each collection the last checkpoint vouches for.
fn vouched_for(runs: &Tree, run: &str) -> Vec<usize> {
    let Some(checkpoint) = runs.get(&format!("runs/{run}/checkpoint.json")) else {
        return Vec::new();
    };
    let checkpoint: serde_json::Value = serde_json::from_slice(checkpoint).unwrap();
    let lengths = checkpoint["target"]["opaque"]["lengths"].as_array().unwrap();
    lengths.iter().map(|it| it.as_u64().unwrap().try_into().unwrap()).collect()
}

/// A run that was killed in the middle.
struct Scene {
    place: Place,
    expected: Outcome,
    target: Tree,
    runs: Tree,
    run: String,
}

impl Scene {
    fn new() -> Scene {
        let place = Place::new();
        place.write("jobs.bson", &mixed_source(&place, 40, "small"));
        place.expect(4, &RUN);
        let expected = place.outcome("target");
        let clear = || {
            for name in ["target", ".reshelve"] {
                std::fs::remove_dir_all(place.path(name)).unwrap();
            }
        };
        clear();
        // Which thread makes which call differs from run to run, so the same number may kill too early.
        let writes = points(&place, &RUN, 4)["write"].iter().copied().collect::<Vec<_>>();
        for &point in &writes[writes.len() * 3 / 4..] {
            clear();
            if place.call_through(&killer("write", point).line(), &RUN).finish().code.is_some() {
                continue;
            }
            let (target, runs, run) = (place.tree("target"), place.tree(".reshelve"), place.run());
            if vouched_for(&runs, &run).iter().sum::<usize>() > 10_000 {
                return Scene { place, expected, target, runs, run };
            }
        }
        panic!("no kill comes after a checkpoint that vouches for something");
    }

    /// The state after the kill, with another run folder.
    fn reset(&self, runs: &Tree) {
        for (name, tree) in [("target", &self.target), (".reshelve", runs)] {
            std::fs::remove_dir_all(self.place.path(name)).unwrap();
            plant(tree, &self.place.path(name));
        }
    }

    /// Everything stands that the last checkpoint vouches for: what came after it may be cut off.
    fn expect_vouched_for(&self, what: &str) {
        let lengths = vouched_for(&self.runs, &self.run);
        let now = self.place.tree("target");
        for (name, length) in COLLECTIONS.into_iter().zip(lengths) {
            let name = format!("letswriteabook/{name}.bson");
            let (now, before) = (&now[&name], &self.target[&name]);
            let is_kept = before.starts_with(now) && now.len() >= length;
            assert!(is_kept, "{what}: {name} has {} bytes of {}", now.len(), before.len());
        }
    }

    /// Whether the command, told of this run folder, ended as without the damage; else it refused.
    fn ends_well(&self, args: &[&str], what: &str) -> bool {
        let told = self.place.call(args).finish();
        let is_rollback = args[0] == "rollback";
        match told.code {
            Some(0) if is_rollback => {
                let told = self.place.expect(0, &["checksums", "target", "--json"]);
                let told: serde_json::Value = serde_json::from_str(told.stdout.trim()).unwrap();
                let collections = told["collections"].as_object().unwrap();
                let is_empty = collections.values().all(|it| it["documents"] == 0);
                assert!(is_empty, "{what}: {told}");
                true
            }
            Some(4) if !is_rollback => {
                let target = self.place.tree("target");
                common::assert_same(&target, &self.expected.target, what);
                true
            }
            Some(1..=3) => {
                assert!(told.stderr.contains("error:"), "{what}: {}", told.stderr);
                self.expect_vouched_for(what);
                false
            }
            code => panic!("{what}: {code:?}, {}", told.stderr),
        }
    }
}

/// A file that was damaged; none if there is nothing to damage.
type Damage = (&'static str, fn(&[u8]) -> Option<Vec<u8>>);

fn flipped(bytes: &[u8], at: usize) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    *bytes.get_mut(at)? ^= 1;
    Some(bytes)
}

const DAMAGES: [Damage; 6] = [
    ("emptied", |bytes| (!bytes.is_empty()).then(Vec::new)),
    ("cut in half", |bytes| (bytes.len() > 1).then(|| bytes[..bytes.len() / 2].to_vec())),
    ("cut by a byte", |bytes| bytes.split_last().map(|(_, rest)| rest.to_vec())),
    ("edited near its beginning", |bytes| flipped(bytes, bytes.len() / 5)),
    ("edited in its middle", |bytes| flipped(bytes, bytes.len() / 2)),
    ("edited near its end", |bytes| flipped(bytes, bytes.len().checked_sub(2)?)),
];

#[test]
fn a_damaged_file_of_a_run_folder_costs_nothing_in_the_target() {
    if !strace_is_there() {
        return;
    }
    let scene = Scene::new();
    for name in scene.runs.keys().filter(|name| !name.ends_with('/')) {
        let file = name.rsplit('/').next().unwrap();
        let mut damages: Vec<(&str, Tree)> = vec![("removed", {
            let mut runs = scene.runs.clone();
            runs.remove(name);
            runs
        })];
        for (word, damage) in DAMAGES {
            if let Some(bytes) = damage(&scene.runs[name]) {
                let mut runs = scene.runs.clone();
                runs.insert(name.clone(), bytes);
                damages.push((word, runs));
            }
        }
        for (word, runs) in damages {
            for args in [&["resume", &scene.run][..], &["rollback", &scene.run, "--apply"]] {
                let what = format!("{} after {file} was {word}", args[0]);
                scene.reset(&runs);
                let is_well = scene.ends_well(args, &what);
                println!("{what}: {}", if is_well { "as without it" } else { "refused" });
                let ended = if is_well { Ended::same(1) } else { Ended::refused(1) };
                count(
                    &format!("a file of the run folder was damaged, then {}", args[0]),
                    "folder",
                    ended,
                );
            }
        }
    }
}

#[test]
fn a_run_folder_may_be_moved_and_of_two_copies_one_is_refused() {
    if !strace_is_there() {
        return;
    }
    let scene = Scene::new();
    let place = &scene.place;
    let (there, elsewhere) = (format!(".reshelve/runs/{}", scene.run), "elsewhere");
    // Moved.
    std::fs::rename(place.path(&there), place.path(elsewhere)).unwrap();
    assert!(scene.ends_well(&["resume", elsewhere], "moved"));
    count("a run folder was moved, then resume", "folder", Ended::same(1));
    // Copied: the copy is resumed, then the first one is asked to.
    std::fs::remove_dir_all(place.path(elsewhere)).unwrap();
    for args in [["resume", &scene.run, ""], ["rollback", &scene.run, "--apply"]] {
        let args: Vec<&str> = args.into_iter().filter(|arg| !arg.is_empty()).collect();
        scene.reset(&scene.runs);
        let copy: Tree = place.tree(&there);
        plant(&copy, &place.path(elsewhere));
        assert!(scene.ends_well(&["resume", elsewhere], "the copy"));
        let before = place.tree("target");
        place.expect(3, &args).says(&["error:", "hint:"]);
        assert!(place.tree("target") == before, "{args:?} of the other copy changed the target");
        std::fs::remove_dir_all(place.path(elsewhere)).unwrap();
    }
    count("a run folder was copied, and both are used", "folder", Ended { same: 2, refused: 2 });
}
