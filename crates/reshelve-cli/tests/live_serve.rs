//! `serve` answers from live databases as from files.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/proxy.rs"]
#[expect(dead_code, unused_imports, reason = "each of these files uses a part of it")]
mod proxy;
#[path = "common/serving.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod serving;

use common::{Place, split};
use live::Server;
use mongodb::bson::doc;
use proxy::{Act, Proxy, Turn, on};
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

/// A list that several wait for is read once for them, after they have asked.
#[test]
fn requests_for_a_list_that_is_being_read_share_the_next_reading() {
    let Some(server) = Server::shared() else { return };
    let target = server.database();
    let Some(upstream) = target.uri_of_one_server() else { return };
    let place = Place::new();
    place.write("legacy.json", SOURCE);
    place.expect(0, &["indexes", "up", &target.uri]);
    place.expect(0, &["run", "legacy.json", &target.uri, "--apply", "--in-flight", "include"]);
    let proxy = Proxy::start(&upstream);
    let served = Served::new(&place, &[proxy.uri()]);
    let list = "/api/novel?status=completed";
    let before = served.get(list);
    let lists = || {
        let all = proxy.log().exchanges().into_iter();
        all.filter(|it| it.request.command == "find" && it.request.collection == "novel_jobs")
            .count()
    };
    let read_before = lists();
    let held = proxy.rule(on("find"), Turn::Nth(1), Act::Hold);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| served.get(list));
        held.wait_until_acted();
        let others: Vec<_> = (0..8).map(|_| scope.spawn(|| served.get(list))).collect();
        // Each of them has a connection by the time that later requests are answered.
        for _ in 0..8 {
            assert_eq!(served.get("/api/novel/nobody").status, 404);
        }
        held.release();
        for answer in others.into_iter().chain([first]) {
            assert_eq!(answer.join().unwrap(), before);
        }
    });
    let read = lists() - read_before - 8;
    assert!(read < 9, "{read} readings of 9 requests");
}

/// What differs is named over live places as over files.
#[test]
fn live_sides_are_compared_without_requests() {
    let Some(server) = Server::shared() else { return };
    let (legacy, target) = (server.database(), server.database());
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "20", "--size", "small"]);
    legacy.seed("jobs", &split(&place.read("jobs.bson")));
    place.expect(0, &["indexes", "up", &target.uri]);
    let run = ["run", &legacy.uri, &target.uri, "--apply", "--in-flight", "include"];
    place.expect(0, &run);
    let compare = ["shadow", "--offline", &legacy.uri, &target.uri];
    place.expect(0, &compare);
    let job = target.dump("novel_jobs").pop().unwrap();
    let job = mongodb::bson::RawDocument::from_bytes(job.as_slice()).unwrap();
    let id = job.get_str("jobId").unwrap();
    let change = doc! { "q": { "jobId": id }, "u": { "$set": { "payload.title": "Another" } } };
    target.command(doc! { "update": "novel_jobs", "updates": [change] });
    let told = place.expect(5, &compare);
    assert!(told.stdout.contains(id) && told.stdout.contains("payload.title"), "{}", told.stdout);
}
