//! A target whose answers are compared, and one that is altered.

use std::fs;

use serde_json::Value;

use crate::common::{Place, split};

/// Jobs with all that a document may hold, and a target of them.
pub(crate) fn place() -> Place {
    let place = Place::new();
    let made = ["generate", "legacy.jsonl", "--documents", "20", "--preset", "populated"];
    place.expect(0, &made);
    place.expect(0, &["run", "legacy.jsonl", "target", "--apply", "--in-flight", "include"]);
    place
}

/// Changes a byte of a document in a target collection: the one so many bytes after the first piece
/// like this. Gives the collection as it was.
pub(crate) fn alter(place: &Place, collection: &str, after: &[u8], step: usize) -> Vec<u8> {
    let file = format!("target/letswriteabook/{collection}.bson");
    let sound = place.read(&file);
    let mut documents = split(&sound);
    let found = documents.iter_mut().find_map(|document| {
        let at = document.windows(after.len()).position(|bytes| bytes == after)?;
        Some(&mut document[at + after.len() + step])
    });
    let byte = found.expect("no document has it");
    *byte = byte.wrapping_add(1);
    place.write(&file, &documents.concat());
    sound
}

/// Changes the title of a job.
pub(crate) fn alter_title(place: &Place) {
    alter(place, "novel_jobs", b"\x02title\0", 4);
}

/// A file as JSON.
pub(crate) fn json(place: &Place, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(place.path(name)).unwrap()).unwrap()
}
