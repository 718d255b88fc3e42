//! A run whose journal was damaged before its checkpoint is not resumed: it could not be taken back.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/taken_back.rs"]
mod taken_back;

use common::documents::spoiled;
use common::{Place, assert_same, split};
use taken_back::{applied, document, place};

/// A run that stopped at its first reject, and its folder.
fn stopped() -> (Place, String) {
    let place = place();
    let mut documents = split(&place.read("jobs.bson"));
    // An id that is no ObjectId goes into the details.
    documents[1] = renamed(&documents[1]);
    documents[9] = spoiled(&documents[9]);
    place.write("jobs.bson", &documents.concat());
    let run = applied(&place, 4, "jobs.bson", &["--fail-fast", "--batch-docs", "2"]);
    let folder = format!(".reshelve/runs/{run}");
    (place, folder)
}

/// The document with a string of eleven letters as its `_id`, which takes the place of an ObjectId.
fn renamed(document: &[u8]) -> Vec<u8> {
    let name = b"\x07_id\0";
    let at = document.windows(name.len()).position(|window| window == name).unwrap();
    let id = [&b"\x02_id\0"[..], &12_i32.to_le_bytes(), b"a-novel-too\0"].concat();
    let mut renamed = [&document[..at], &id, &document[at + name.len() + 12..]].concat();
    let length = i32::try_from(renamed.len()).unwrap().to_le_bytes();
    renamed[..4].copy_from_slice(&length);
    renamed
}

#[test]
fn a_journal_that_is_damaged_before_its_checkpoint_stops_a_resume() {
    let (place, folder) = stopped();
    let path = format!("{folder}/journal.bin");
    let whole = place.read(&path);
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        Some(bytes)
    };
    let damages = [
        flipped(3),
        flipped(128),
        flipped(128 * 4 + 70),
        flipped(whole.len() - 1),
        Some(whole[..whole.len() - 128].to_vec()),
        Some(whole[..whole.len() - 1].to_vec()),
        Some(Vec::new()),
        None,
    ];
    let run = folder.rsplit('/').next().unwrap();
    for (at, damage) in damages.into_iter().enumerate() {
        match damage {
            Some(bytes) => place.write(&path, &bytes),
            None => std::fs::remove_file(place.path(&path)).unwrap(),
        }
        let before = place.tree("");
        let told = place.expect(3, &["resume", run]);
        told.says(&["journal.bin", "before the checkpoint", "hint:", "from a copy"]);
        assert_same(&place.tree(""), &before, &format!("damage {at}"));
    }
    place.write(&path, &whole);
    place.expect(4, &["resume", run]);
    let told = document(&place.expect(0, &["rollback", run, "--apply", "--json"]));
    assert_eq!(told["jobs"]["edited"], 0);
}

#[test]
fn so_do_details_that_are_damaged() {
    let (place, folder) = stopped();
    let path = format!("{folder}/journal-details.bin");
    let whole = place.read(&path);
    let at = whole.windows(11).position(|window| window == b"a-novel-too").unwrap();
    let mut flipped = whole.clone();
    flipped[at + 3] ^= 1;
    let run = folder.rsplit('/').next().unwrap();
    for damage in [Some(flipped), Some(whole[..at + 4].to_vec()), None] {
        match damage {
            Some(bytes) => place.write(&path, &bytes),
            None => std::fs::remove_file(place.path(&path)).unwrap(),
        }
        let before = place.tree("");
        place.expect(3, &["resume", run]).says(&["journal", "before the checkpoint", "hint:"]);
        assert_same(&place.tree(""), &before, "nothing is changed");
    }
    place.write(&path, &whole);
    place.expect(4, &["resume", run]);
}
