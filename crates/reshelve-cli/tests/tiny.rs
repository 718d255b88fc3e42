//! Memory does not depend on how small documents are: what is held of each beside its own bytes is
//! counted too.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::Place;

const DOCUMENTS: u64 = 100_000;
/// Well above what a run takes, and well below what these documents would take all at once.
const MEMORY_MAX: u64 = 96 * 1024 * 1024;

/// Documents with nothing but an id and a status.
fn tiny(status: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for number in 0..DOCUMENTS {
        let mut body = b"\x07_id\0\x65\0\0\0".to_vec();
        body.extend_from_slice(&number.to_be_bytes());
        body.extend_from_slice(b"\x02status\0");
        body.extend_from_slice(&(u32::try_from(status.len()).unwrap() + 1).to_le_bytes());
        body.extend_from_slice(status.as_bytes());
        body.extend_from_slice(&[0, 0]);
        all.extend_from_slice(&(u32::try_from(body.len()).unwrap() + 4).to_le_bytes());
        all.extend_from_slice(&body);
    }
    all
}

#[test]
fn many_tiny_documents_are_held_a_few_at_a_time() {
    let place = Place::new();
    place.write("tiny.bson", &tiny("completed"));
    place.write("odd.bson", &tiny("odd"));
    let failed = ["--on-unknown-status", "failed"];
    let apply = ["--apply", "--in-flight", "include"];
    let cases: [(i32, &str, &[&str]); 4] = [
        (0, "tiny.bson", &[]),
        (0, "tiny.bson", &apply),
        // Each with warnings, and all rejected.
        (0, "odd.bson", &failed),
        (4, "odd.bson", &[]),
    ];
    for (at, (code, source, more)) in cases.into_iter().enumerate() {
        let target = format!("target-{at}");
        let told = place.expect(code, &[&["run", source, &target, "--json"], more].concat());
        let ended: serde_json::Value =
            serde_json::from_str(told.stdout.lines().last().unwrap()).unwrap();
        assert_eq!(ended["documents"]["read"], DOCUMENTS);
        let peak = ended["peak_rss_bytes"].as_u64().unwrap();
        assert!(peak > 0 && peak < MEMORY_MAX, "{source} {more:?}: {peak} bytes");
    }
}
