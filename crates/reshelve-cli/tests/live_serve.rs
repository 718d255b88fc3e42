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
    legacy.seed("jobs", &split(&place.read("legacy.bson")));
    expect_recorded(&Served::new(&place, &[&target.uri]), None, "target");
    expect_recorded(&Served::new(&place, &[&legacy.uri]), None, "legacy");
    let both = ["--legacy", &legacy.uri, "--normalized", &target.uri, "--persistence", "legacy"];
    let served = Served::new(&place, &both);
    expect_recorded(&served, Some("legacy"), "both");

    // What changes there is served at once.
    let change = doc! { "q": { "_id": "rich" }, "u": { "$set": { "title": "Another title" } } };
    legacy.command(doc! { "update": "jobs", "updates": [change] });
    assert!(served.get("/api/novel/rich").body.contains("Another title"));
    let gone = doc! { "q": { "_id": "rich" }, "limit": 1 };
    legacy.command(doc! { "delete": "jobs", "deletes": [gone] });
    assert_eq!(served.get("/api/novel/rich").status, 404);
}
