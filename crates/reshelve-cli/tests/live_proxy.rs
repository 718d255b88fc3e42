//! A run into a live target, seen and disturbed from the network: what a proxy's log says was sent
//! is what the target holds, parts are acknowledged before their job is sent, and a run ends well
//! or refuses clearly whatever happens to a single command.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Child;
use std::time::Duration;

use mongodb::bson::{Bson, RawDocument, doc};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/proxy.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod proxy;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use common::counts::{Ended, count};
use live::{Database, Server};
use proxy::{Act, Exchange, Log, Matching, Proxy, Rule, Turn, What, any, on};
use rehearsal::{APPLY, Rehearsal, json};

const JOBS: &str = "novel_jobs";
const PARTS: [&str; 3] = ["novel_job_events", "novel_job_metrics", "novel_job_metadata"];

/// A run of a few batches from a file, through a proxy, into a target of its own.
struct Disturbed<'r> {
    rehearsal: &'r Rehearsal,
    target: Database,
    proxy: Proxy,
}

impl<'r> Disturbed<'r> {
    fn new(rehearsal: &'r Rehearsal, server: &Server) -> Option<Disturbed<'r>> {
        let target = rehearsal.target(server);
        let proxy = Proxy::start(&target.uri_of_one_server()?);
        Some(Disturbed { rehearsal, target, proxy })
    }

    fn run(&self) -> Child {
        let args = ["run", "jobs.bson", self.proxy.uri(), "--batch-docs", "20"];
        self.rehearsal.place.call(&[&args[..], &APPLY].concat()).spawn(false)
    }

    fn resume(&self) -> Child {
        let run = self.rehearsal.place.runs().pop().unwrap();
        self.rehearsal.place.call(&["resume", &run]).spawn(false)
    }

    /// Expects that a process ends well, and that the target is as if nothing had happened.
    fn expect_whole(&self, child: Child, what: &str) {
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{what}: {said}");
        self.rehearsal.expect_whole(&self.target, what);
        assert!(!self.target.has_lease(), "{what}: the lease is given back");
        expect_same_as_log(&self.proxy.log(), &self.target, what);
    }
}

/// The value of a field, as text that tells types apart.
fn text_of(document: &[u8], field: &str) -> String {
    let value = RawDocument::from_bytes(document).unwrap().get(field).unwrap().unwrap();
    Bson::try_from(value).unwrap().to_string()
}

/// The ids that a request inserts.
fn ids(exchange: &Exchange) -> Vec<String> {
    let id = |write: &proxy::Write| match &write.what {
        What::Insert(id) => id.to_string(),
        other => panic!("no insert: {other:?}"),
    };
    exchange.request.writes.iter().map(id).collect()
}

/// What was sent is what the target holds: no document that no request has named, and none missing
/// of those that a request has named.
fn expect_same_as_log(log: &Log, target: &Database, what: &str) {
    for name in PARTS.iter().chain([&JOBS]) {
        let inserts = log.of("insert", name);
        let sent: BTreeSet<String> =
            inserts.iter().filter(|insert| !insert.sent.is_empty()).flat_map(ids).collect();
        let found: BTreeSet<String> =
            target.dump(name).iter().map(|document| text_of(document, "_id")).collect();
        assert!(sent == found, "{what}: {} sent, {} found in {name}", sent.len(), found.len());
    }
}

/// Whether every part of a job was acknowledged before a request with the job came.
fn expect_parts_first(log: &Log, target: &Database) {
    // When each part was acknowledged first, by its id.
    let mut acknowledged: HashMap<String, usize> = HashMap::new();
    for name in PARTS {
        for insert in log.of("insert", name) {
            if insert.reply.as_ref().is_some_and(proxy::Reply::is_success) {
                for id in ids(&insert) {
                    acknowledged.entry(id).or_insert(insert.answered.unwrap());
                }
            }
        }
    }
    let mut parts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for document in PARTS.iter().flat_map(|name| target.dump(name)) {
        let of_job = parts.entry(text_of(&document, "jobId")).or_default();
        of_job.push(text_of(&document, "_id"));
    }
    let jobs: HashMap<String, String> =
        target.dump(JOBS).iter().map(|job| (text_of(job, "_id"), text_of(job, "jobId"))).collect();
    for insert in log.of("insert", JOBS) {
        for id in ids(&insert) {
            for part in &parts[&jobs[&id]] {
                let when = acknowledged.get(part).copied().unwrap_or(usize::MAX);
                assert!(when < insert.asked, "the job {id} was sent before its part {part}");
            }
        }
    }
}

#[test]
fn the_log_names_what_the_target_holds_and_parts_come_before_their_job() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(100, "small");
    let Some(run) = Disturbed::new(&rehearsal, &server) else { return };
    let all = run.proxy.rule(on("insert"), Turn::Every, Act::Pass);
    // Acknowledgements that are late show who does not wait for them.
    for name in PARTS {
        let late = Act::DelayReply(Duration::from_millis(30));
        run.proxy.rule(on("insert").of(name), Turn::Every, late);
    }
    run.expect_whole(run.run(), "undisturbed");
    let log = run.proxy.log();
    let inserts: Vec<Exchange> = log
        .exchanges()
        .into_iter()
        .filter(|exchange| exchange.request.command == "insert")
        .collect();
    assert_eq!(all.acted(), inserts.len());
    for insert in &inserts {
        let reply = insert.reply.as_ref().expect("every insert is answered");
        let count = i64::try_from(insert.request.writes.len()).unwrap();
        assert!(reply.is_success(), "{reply:?}");
        assert_eq!(reply.n, Some(count));
        assert_eq!(insert.request.db, run.target.name());
        assert!(insert.returned > insert.answered && insert.sent.len() == 1);
    }
    assert_eq!(log.of("insert", JOBS).len(), 5, "a batch each");
    expect_parts_first(&log, &run.target);
    for exchange in log.exchanges() {
        let writes = &exchange.request.writes;
        let is_own = |write: &proxy::Write| write.namespace.ends_with(".reshelve_runs");
        let is_insert = exchange.request.command == "insert";
        assert!(is_insert || writes.iter().all(is_own), "{:?}", exchange.request);
    }
}

#[test]
fn a_command_that_is_held_is_waited_for() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    for act in [Act::Hold, Act::HoldReply] {
        let what = format!("{act:?}");
        let Some(run) = Disturbed::new(&rehearsal, &server) else { return };
        let is_reply = matches!(act, Act::HoldReply);
        let held = run.proxy.rule(on("insert").of(JOBS), Turn::Nth(2), act);
        let mut child = run.run();
        held.wait_until_acted();
        let insert = || run.proxy.log().of("insert", JOBS).pop().unwrap();
        while is_reply && insert().answered.is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        // A batch is there with its end, and not before.
        assert_eq!(run.target.count(JOBS), 20, "{what}: nothing more is there");
        assert!(child.try_wait().unwrap().is_none(), "{what}: it is waited for");
        assert_eq!(insert().returned, None, "{what}");
        held.release();
        run.expect_whole(child, &what);
    }
}

#[test]
fn a_write_that_arrives_after_its_process_was_killed_is_found_by_resume() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    for name in PARTS.iter().chain([&JOBS]) {
        let Some(run) = Disturbed::new(&rehearsal, &server) else { return };
        let held = run.proxy.rule(on("insert").of(name), Turn::Nth(2), Act::Hold);
        let mut child = run.run();
        held.wait_until_acted();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(run.proxy.log().of("insert", name)[1].sent.is_empty());
        held.release();
        while run.proxy.log().of("insert", name)[1].answered.is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        run.expect_whole(run.resume(), name);
    }
}

/// Runs through a rule, and expects that the run ends well.
fn passes_well(
    rehearsal: &Rehearsal,
    server: &Server,
    (matching, turn): (Matching, Turn),
    act: Act,
) -> Option<(Proxy, Rule)> {
    let what = format!("{act:?} of {matching:?}");
    let fault = match &act {
        Act::Delay(_) | Act::DelayReply(_) => "a command or its reply is late",
        Act::CutBefore | Act::CutAfter => "a connection is cut before or after a command",
        Act::Duplicate => "a command arrives twice",
        Act::TruncateReply(_) => "a reply breaks off",
        _ => "a slow network",
    };
    let run = Disturbed::new(rehearsal, server)?;
    let rule = run.proxy.rule(matching, turn, act);
    run.expect_whole(run.run(), &what);
    assert!(rule.acted() > 0, "{what}: it came to that");
    count(fault, "live", Ended::same(1));
    Some((run.proxy, rule))
}

/// Single commands that matter most: the lease taken and given back, a part, a job.
fn single_commands() -> [(Matching, Turn); 4] {
    [
        (on("findAndModify"), Turn::Nth(1)),
        (on("insert").of("novel_job_metrics"), Turn::Nth(2)),
        (on("insert").of(JOBS), Turn::Nth(2)),
        (on("delete"), Turn::Nth(1)),
    ]
}

#[test]
fn late_commands_and_late_replies_change_nothing() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let late = Duration::from_millis(300);
    for command in single_commands() {
        for act in [Act::Delay(late), Act::DelayReply(late)] {
            if passes_well(&rehearsal, &server, command, act).is_none() {
                return;
            }
        }
    }
}

#[test]
fn a_connection_that_is_cut_before_a_command_changes_nothing() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    for command in single_commands() {
        let passed = passes_well(&rehearsal, &server, command, Act::CutBefore);
        let Some((proxy, _)) = passed else { return };
        let unsent = |exchange: &Exchange| exchange.sent.is_empty();
        assert_eq!(proxy.log().exchanges().into_iter().filter(unsent).count(), 1);
    }
}

#[test]
fn a_connection_that_is_cut_after_a_command_changes_nothing() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    for command in single_commands() {
        let passed = passes_well(&rehearsal, &server, command, Act::CutAfter);
        let Some((proxy, _)) = passed else { return };
        let lost = |exchange: &Exchange| exchange.answered.is_some() && exchange.returned.is_none();
        assert_eq!(proxy.log().exchanges().into_iter().filter(lost).count(), 1);
    }
}

#[test]
fn a_command_that_arrives_twice_is_done_once() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    for command in single_commands() {
        let passed = passes_well(&rehearsal, &server, command, Act::Duplicate);
        let Some((proxy, _)) = passed else { return };
        let twice = |exchange: &Exchange| exchange.sent.len() == 2;
        assert_eq!(proxy.log().exchanges().into_iter().filter(twice).count(), 1);
    }
}

#[test]
fn a_reply_that_breaks_off_changes_nothing() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    for command in single_commands() {
        // Within the header, and within the answer.
        for bytes in [7, 25] {
            let act = Act::TruncateReply(bytes);
            if passes_well(&rehearsal, &server, command, act).is_none() {
                return;
            }
        }
    }
}

#[test]
fn a_slow_network_changes_nothing() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let throttled = (on("insert"), Turn::Every);
    let passed = passes_well(&rehearsal, &server, throttled, Act::Throttle(1_000_000));
    let Some((_, rule)) = passed else { return };
    assert_eq!(rule.acted(), 12, "four collections in three batches");
}

#[test]
fn a_command_that_is_refused_is_a_clear_stop_and_can_be_resumed() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    for (command, turn) in single_commands() {
        let what = format!("{command:?}");
        let before = rehearsal.place.runs().len();
        let Some(run) = Disturbed::new(&rehearsal, &server) else { return };
        let refused = Act::Refuse { code: 13, message: "not you" };
        let rule = run.proxy.rule(command, turn, refused);
        let ended = run.run().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{what}: {said}");
        assert!(said.contains("not you") && said.contains("code 13"), "{what}: {said}");
        assert_eq!(rule.acted(), 1, "{what}");
        let fault = "a command that the server refuses, each once";
        if rehearsal.place.runs().len() == before {
            assert_eq!(run.target.count(JOBS), 0, "{what}: it did not begin");
            count(fault, "live", Ended::refused(1));
            continue;
        }
        run.expect_whole(run.resume(), &what);
        count(fault, "live", Ended::same(1));
    }
}

#[test]
fn a_server_without_transactions_is_taken_for_a_standalone_one() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let Some(run) = Disturbed::new(&rehearsal, &server) else { return };
    run.proxy.pose_as_standalone();
    let told = json(&rehearsal.place.expect(0, &["inspect", run.proxy.uri(), "--json"]));
    assert_eq!(told["topology"], "standalone");
    run.expect_whole(run.run(), "standalone");
    let numbered = |exchange: &Exchange| exchange.request.txn_number.is_some();
    assert!(!run.proxy.log().exchanges().iter().any(numbered), "nothing needs a replica set");
    // Transactions that are tried all the same are refused as by a real one.
    let posed = Proxy::start(&run.target.uri_of_one_server().unwrap());
    let first = any().when(|request| request.starts_transaction);
    let refused = posed.rule(first, Turn::Every, Act::Refuse { code: 20, message: "no" });
    let client = live::wait(mongodb::Client::with_uri_str(posed.uri())).unwrap();
    let tried = live::wait(async {
        let mut session = client.start_session().await?;
        session.start_transaction().await?;
        let jobs = client.database(run.target.name()).collection(JOBS);
        jobs.insert_one(mongodb::bson::doc! { "_id": 1 }).session(&mut session).await
    });
    assert!(tried.unwrap_err().to_string().contains("no"));
    assert_eq!(refused.acted(), 1);
    let log = posed.log();
    let begun = log.of("insert", JOBS).pop().unwrap();
    assert!(begun.request.starts_transaction && begun.request.in_transaction);
    assert!(begun.sent.is_empty() && begun.returned.is_some());
}

/// Has the server refuse the second document of an insert.
fn refuse_the_second(reply: &mut mongodb::bson::Document, code: i32) {
    let error = doc! { "index": 1, "code": code, "errmsg": "says the server" };
    reply.insert("writeErrors", vec![error]);
}

#[test]
fn one_document_of_a_batch_is_rejected_for_its_own_faults_only() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let validation: fn(&mut _) = |reply| refuse_the_second(reply, 121);
    let blocked: fn(&mut _) = |reply| refuse_the_second(reply, 371);
    let unknown: fn(&mut _) = |reply| refuse_the_second(reply, 99_999);
    // The document is there: it is looked up, and counts as written whatever was said of it.
    for (edit, code) in [(validation, 0), (blocked, 1), (unknown, 1)] {
        let Some(disturbed) = Disturbed::new(&rehearsal, &server) else { return };
        let inserts = on("insert").of("novel_job_metrics");
        disturbed.proxy.rule(inserts, Turn::Nth(2), Act::EditReply(edit));
        let ended = disturbed.run().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{said}");
        if code == 1 {
            for words in ["says the server", "the document with _id", "reshelve resume"] {
                assert!(said.contains(words), "{words}: {said}");
            }
            disturbed.expect_whole(disturbed.resume(), "resumed");
        }
        rehearsal.expect_whole(&disturbed.target, "ended");
    }
}
