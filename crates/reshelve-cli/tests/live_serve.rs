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
use mongodb::bson::{Bson, DateTime, Document, bson, doc};
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

/// The library finds what was edited in a live target, and what its mapping warned of.
#[test]
fn a_live_target_tells_which_novels_were_edited_and_have_warnings() {
    let Some(server) = Server::shared() else { return };
    let target = server.database();
    let place = Place::new();
    let line = |number: usize| {
        let status = if number == 4 { "odd" } else { "completed" };
        format!(
            "{{\"_id\":\"job-{number:02}\",\"status\":\"completed\",\
             \"createdAt\":{{\"$date\":\"2025-01-01T00:00:00Z\"}},\"chapters\":[\
             {{\"chapterNumber\":1,\"status\":\"{status}\",\"content\":\"x\"}}]}}\n"
        )
    };
    // More than are read at a time.
    place.write("legacy.json", (0..45).map(line).collect::<String>().as_bytes());
    place.expect(0, &["indexes", "up", &target.uri]);
    place.expect(0, &["run", "legacy.json", &target.uri, "--apply"]);
    let listed = |served: &Served, mark: &str| {
        let page = served.get(&format!("/ui/novels?sort=oldest&mark={mark}")).body;
        let links = page.split("<h2><a href=\"/ui/novels/").skip(1);
        let mut ids: Vec<String> =
            links.map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    let before = Served::new(&place, &[&target.uri]);
    assert_eq!(listed(&before, "mapping-warnings"), ["job-04"]);
    assert!(listed(&before, "edited").is_empty());
    let change = doc! { "q": { "jobId": "job-07" }, "u": { "$set": { "status": "failed" } } };
    target.command(doc! { "update": "novel_jobs", "updates": [change] });
    let gone = doc! { "q": { "jobId": "job-44" }, "limit": 1 };
    target.command(doc! { "delete": "novel_job_metadata", "deletes": [gone] });
    let more = doc! { "_id": "x", "jobId": "job-21", "kind": "domain", "emittedAt": "2030" };
    target.command(doc! { "insert": "novel_job_events", "documents": [more] });
    let served = Served::new(&place, &[&target.uri]);
    assert_eq!(listed(&served, "edited"), ["job-07", "job-21", "job-44"]);
    assert_eq!(listed(&served, "mapping-warnings"), ["job-04"]);
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

/// Chapters, outlines and failures that no mapping writes, in jobs of a status each.
fn odd_jobs(job: &Document) -> Vec<Document> {
    let chapter = doc! { "chapterNumber": 1, "status": "completed", "content": "A text." };
    let outlined = doc! { "chapterNumber": 1, "keyEvents": ["a"], "summary": "A text." };
    // Without its own time, an attempt has that of the request.
    let attempt = doc! { "attemptNumber": 1, "createdAt": DateTime::from_millis(0) };
    let chapters: [Bson; 13] = [
        Bson::Null,
        "text".into(),
        chapter.clone().into(),
        Bson::Array(Vec::new()),
        bson!([chapter.clone(), "text", 1, [chapter.clone()]]),
        bson!([chapter.clone(), null]),
        bson!([chapter.clone(), { "status": "failed", "attempts": 3 }]),
        bson!([chapter.clone(), { "status": "failed", "attempts": [null] }]),
        bson!([chapter.clone(), { "status": "failed", "attempts": [attempt] }]),
        bson!([chapter.clone(), { "status": "failed", "attempts": {} }]),
        bson!([chapter.clone(), { "status": "failed", "attempts": { "0": 1 } }]),
        bson!([chapter.clone(), { "status": "failed", "attempts": null }]),
        bson!([[{ "attempts": 3 }], { "attempts": true }]),
    ];
    let outlines: [Bson; 12] = [
        Bson::Null,
        "text".into(),
        outlined.clone().into(),
        bson!([outlined.clone(), null]),
        bson!([outlined.clone(), "text"]),
        bson!([outlined.clone(), {}]),
        bson!([outlined.clone(), { "keyEvents": "text" }, [1]]),
        bson!([outlined.clone(), { "keyEvents": null }]),
        bson!([outlined.clone(), { "keyEvents": 3 }]),
        bson!([outlined.clone(), { "keyEvents": {} }]),
        bson!([outlined.clone(), { "keyEvents": [null, 1, {}] }]),
        bson!([[outlined.clone()]]),
    ];
    let failures = [Bson::Null, bson!([null]), bson!([{ "stage": "x" }, 1])];
    let named = |name: &'static str, all: Vec<Bson>| all.into_iter().map(move |it| (name, it));
    let all = named("chapters", chapters.into())
        .chain(named("outline", outlines.into()))
        .chain(named("failures", failures.into()));
    let mut jobs = vec![job.clone()];
    jobs.extend(all.map(|(name, value)| {
        let mut job = job.clone();
        job.insert(name, value);
        job
    }));
    for name in ["chapters", "outline", "failures"] {
        let mut job = job.clone();
        job.remove(name);
        jobs.push(job);
    }
    for (at, job) in jobs.iter_mut().enumerate() {
        job.insert("_id", format!("odd-{at}"));
        job.insert("jobId", format!("odd-{at}"));
        job.insert("status", format!("odd-{at}"));
    }
    jobs
}

/// What a server leaves out of a list does not change the answer, whatever lies in the arrays.
#[test]
fn odd_jobs_are_listed_from_a_live_target_as_from_files() {
    let Some(server) = Server::shared() else { return };
    let target = server.database();
    let Some(upstream) = target.uri_of_one_server() else { return };
    let place = Place::new();
    place.write("legacy.json", SOURCE);
    place.expect(0, &["run", "legacy.json", "files", "--apply", "--in-flight", "include"]);
    let file = "files/letswriteabook/novel_jobs.bson";
    let job = Document::from_reader(&mut &place.read(file)[..]).unwrap();
    let jobs: Vec<Vec<u8>> = odd_jobs(&job).iter().map(|job| job.to_vec().unwrap()).collect();
    place.write(file, &jobs.concat());
    place.expect(0, &["indexes", "up", &target.uri]);
    target.seed("novel_jobs", &jobs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let proxy = Proxy::start(&upstream);
    let (files, live) = (Served::new(&place, &["files"]), Served::new(&place, &[proxy.uri()]));
    let mut statuses = std::collections::BTreeSet::new();
    for at in 0..jobs.len() {
        let job = format!("/api/novel/odd-{at}");
        let list = format!("/api/novel?status=odd-{at}");
        for target in [list, job.clone(), format!("{job}/events"), format!("{job}/metrics")] {
            let expected = files.get(&target);
            let answer = live.get(&target);
            assert_eq!((answer.status, answer.body), (expected.status, expected.body), "{target}");
            statuses.insert(expected.status);
        }
    }
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [200, 500]);
    // Of a job as the mapping writes it, only that is asked; of another one, its card too.
    let asked = |target: &str| {
        let before = proxy.log().exchanges().len();
        live.get(target);
        let all = proxy.log().exchanges().split_off(before);
        all.iter().filter(|it| it.request.collection == "novel_jobs").count()
    };
    assert_eq!([asked("/api/novel/odd-0/metrics"), asked("/api/novel/odd-9/metrics")], [1, 2]);
    // A server that computes nothing in a projection.
    let refusal = Act::Refuse { code: 2, message: "unsupported projection" };
    proxy.rule(on("find").of("novel_jobs"), Turn::Nth(1), refusal);
    let list = "/api/novel?status=odd-0";
    assert_eq!(live.get(list).body, files.get(list).body);
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
