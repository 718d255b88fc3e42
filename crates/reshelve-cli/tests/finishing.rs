//! A run with `--replace` that was killed while it took the earlier versions out, and a target that
//! was changed before the run went on.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/killing.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod killing;
#[path = "common/taken_back.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod taken_back;

use common::{Place, Tree, plant, strace_is_there};
use killing::{killer, points};
use mongodb::bson::{RawDocumentBuf, doc};
use taken_back::{COLLECTIONS, applied, place, stored};

const RUN: [&str; 6] = ["run", "jobs.bson", "target", "--apply", "--in-flight", "include"];

/// A target with older versions, and how it is where nothing happens to the run.
struct Scene {
    place: Place,
    before: Tree,
    after: Vec<Vec<Vec<u8>>>,
    renames: Vec<usize>,
}

impl Scene {
    fn new() -> Scene {
        let place = place();
        applied(&place, 0, "old.bson", &[]);
        let before = place.tree("target");
        let args = [&RUN[..], &["--replace"]].concat();
        let renames = points(&place, &args, 0)["rename"].iter().copied().collect();
        let after = COLLECTIONS.iter().map(|name| stored(&place, name)).collect();
        Scene { place, before, after, renames }
    }

    /// Kills the run before that rename; tells whether it was finishing, and its id.
    fn killed(&self, rename: usize) -> Option<String> {
        let place = &self.place;
        std::fs::remove_dir_all(place.path("target")).unwrap();
        std::fs::remove_dir_all(place.path(".reshelve")).unwrap();
        plant(&self.before, &place.path("target"));
        let args = [&RUN[..], &["--replace"]].concat();
        place.call_through(&killer("rename", rename).line(), &args).finish();
        let run = place.runs().pop()?;
        let path = format!(".reshelve/runs/{run}/checkpoint.json");
        let checkpoint = place.path(&path).exists().then(|| place.read(&path))?;
        let checkpoint: serde_json::Value = serde_json::from_slice(&checkpoint).unwrap();
        let is_finishing = checkpoint["is_finishing"] == true && checkpoint["state"] == "running";
        is_finishing.then_some(run)
    }

    fn change(&self, collection: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let file = format!("target/letswriteabook/{collection}.bson");
        let mut bytes = self.place.read(&file);
        change(&mut bytes);
        self.place.write(&file, &bytes);
    }
}

#[test]
fn documents_of_others_stay_and_damage_waits() {
    if !strace_is_there() {
        return;
    }
    let scene = Scene::new();
    let other = doc! { "_id": "of others", "jobId": "of others" };
    let other = RawDocumentBuf::try_from(&other).unwrap().into_bytes();
    let mut tried = 0;
    for &rename in &scene.renames {
        for (at, collection) in COLLECTIONS.into_iter().enumerate() {
            let Some(run) = scene.killed(rename) else { continue };
            tried += 1;
            let what = format!("rename {rename}, {collection}");
            let resume = ["resume", &run];
            scene.change(collection, |bytes| bytes.extend_from_slice(b"garbage"));
            scene.place.expect(3, &resume).says(&["is damaged at byte offset", "hint:"]);
            scene.change(collection, |bytes| bytes.truncate(bytes.len() - 7));
            let mut last = Vec::new();
            scene.change(collection, |bytes| last = bytes.split_off(bytes.len() - 20));
            scene.place.expect(3, &resume).says(&["were expected", "hint:"]);
            scene.change(collection, |bytes| bytes.extend_from_slice(&last));
            scene.change(collection, |bytes| bytes.extend_from_slice(&other));
            scene.place.expect(0, &resume);
            let mut after = scene.after.clone();
            after[at].push(other.clone());
            for (name, after) in COLLECTIONS.into_iter().zip(&after) {
                assert!(stored(&scene.place, name) == *after, "{what}: {name}");
            }
        }
    }
    assert!(tried >= 8, "{tried}");
}

/// Files that were put back from a copy, or lie on a disk that has another number since, are other
/// files to the system.
#[test]
fn a_target_that_was_put_back_meanwhile_is_finished() {
    if !strace_is_there() {
        return;
    }
    let scene = Scene::new();
    let mut tried = 0;
    for &rename in &scene.renames {
        let Some(run) = scene.killed(rename) else { continue };
        tried += 1;
        let copy = scene.place.tree("target");
        std::fs::rename(scene.place.path("target"), scene.place.path("earlier")).unwrap();
        plant(&copy, &scene.place.path("target"));
        scene.place.expect(0, &["resume", &run]);
        for (name, after) in COLLECTIONS.into_iter().zip(&scene.after) {
            assert!(stored(&scene.place, name) == *after, "rename {rename}: {name}");
        }
        std::fs::remove_dir_all(scene.place.path("earlier")).unwrap();
    }
    assert!(tried >= 2, "{tried}");
}
