//! `serve` answers from live databases as from files.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/serving.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod serving;

use common::{Place, split};
use live::Server;
use mongodb::bson::doc;
use serving::{SOURCE, Served, expect_recorded};

#[test]
fn live_databases_answer_as_recorded() {
    let Some(server) = Server::shared() else { return };
    let (legacy, target) = (server.database(), server.database());
    let place = Place::new();
    place.write("legacy.json", SOURCE);
    place.expect(0, &["run", "legacy.json", "files", "--apply", "--in-flight", "include"]);
    place.expect(0, &["restore", "files", "legacy.bson"]);
    place.expect(0, &["indexes", "up", &target.uri]);
    let run = ["run", "legacy.json", &target.uri, "--apply", "--in-flight", "include"];
    place.expect(0, &run);
    legacy.insert("jobs", &split(&place.read("legacy.bson")));
    expect_recorded(&Served::new(&place, &[&target.uri]), None, "target");
    expect_recorded(&Served::new(&place, &[&legacy.uri]), None, "legacy");
    let both = ["--legacy", &legacy.uri, "--normalized", &target.uri, "--persistence", "legacy"];
    let served = Served::new(&place, &both);
    expect_recorded(&served, Some("legacy"), "both");

    // What changes there is served at once.
    let changed = live::wait(
        legacy
            .collection("jobs")
            .update_one(doc! { "_id": "rich" }, doc! { "$set": { "title": "Another title" } }),
    );
    assert_eq!(changed.unwrap().modified_count, 1);
    assert!(served.get("/api/novel/rich").body.contains("Another title"));
    live::wait(legacy.collection("jobs").delete_one(doc! { "_id": "rich" })).unwrap();
    assert_eq!(served.get("/api/novel/rich").status, 404);
}
