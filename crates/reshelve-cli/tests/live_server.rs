//! The servers that live tests use keep what those tests rely on: bytes come back as they went in,
//! what was acknowledged outlives a kill, failpoints fail what they are set on, roles are obeyed.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mongodb::bson::{Bson, RawDocument, doc};
use mongodb::error::{Error, ErrorKind};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;

use common::{Place, split};
use live::Server;

/// The code of a command that was refused.
fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(error) => Some(error.code),
        _ => None,
    }
}

fn id(document: &[u8]) -> Bson {
    let document = RawDocument::from_bytes(document).unwrap();
    document.get("_id").unwrap().unwrap().try_into().unwrap()
}

/// A document of numbers with these names, which may repeat.
fn numbers(fields: &[(&str, i32)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, number) in fields {
        body.push(0x10);
        body.extend(name.as_bytes());
        body.push(0);
        body.extend(number.to_le_bytes());
    }
    let length = i32::try_from(body.len() + 5).unwrap().to_le_bytes();
    [&length, body.as_slice(), &[0]].concat()
}

/// The name and version of what listens, for the summary of `cargo xtask test`.
#[test]
fn the_server_tells_what_it_is() {
    let Some(server) = Server::shared() else { return };
    let told = server.database().admin(doc! { "buildInfo": 1 }).unwrap();
    let version = told.get_str("version").unwrap();
    let line = match told.get_str("secantusVersion") {
        Ok(own) => format!("SecantusDB {own}, which speaks as MongoDB {version}"),
        Err(_) => format!("MongoDB {version}"),
    };
    println!("{line}");
    if let Ok(file) = std::env::var("RESHELVE_TEST_SERVER_TOLD") {
        std::fs::write(file, line).unwrap();
    }
}

#[test]
fn documents_come_back_byte_for_byte() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    let args = ["generate", "jobs.bson", "--preset", "lifecycle", "--documents", "60"];
    place.expect(0, &[args.as_slice(), &["--size", "small"]].concat());
    let mut documents = split(&place.read("jobs.bson"));
    // Names that repeat, an order that is not the alphabet's, names that other tools refuse.
    documents.push(numbers(&[("_id", 1), ("z", 1), ("a", 2), ("z", 3)]));
    documents.push(numbers(&[("_id", 2), ("", 1), ("$a", 2), ("a.b", 3)]));
    let database = server.database();
    database.seed("jobs", &documents);
    let found = database.dump("jobs");
    assert_eq!(found.len(), documents.len());
    for document in &documents {
        let id = id(document);
        let same = found.iter().find(|found| self::id(found) == id).expect("it is there");
        assert!(same == document, "{id} came back with other bytes");
    }
}

#[test]
fn databases_are_apart_and_go_with_their_test() {
    let Some(server) = Server::shared() else { return };
    let (one, other) = (server.database(), server.database());
    assert_ne!(one.name(), other.name());
    one.seed("jobs", &[numbers(&[("_id", 1)])]);
    assert_eq!((one.count("jobs"), other.count("jobs")), (1, 0));
    let name = one.name().to_owned();
    drop(one);
    assert_eq!(server.database_named("", &name).collections(), Vec::<String>::new());
}

#[test]
fn failpoints_fail_the_commands_of_one_database() {
    let Some(server) = Server::shared() else { return };
    let (one, other) = (server.database(), server.database());
    let document = [numbers(&[("_id", 1)])];
    let Some(fault) = one.fail(&["insert"], doc! { "times": 1 }, doc! { "errorCode": 13 }) else {
        return;
    };
    other.seed("jobs", &document);
    let error = one.insert("jobs", &document).unwrap_err();
    assert_eq!(code(&error), Some(13), "{error}");
    // Once is over.
    one.seed("jobs", &document);
    drop(fault);
    let closed = doc! { "closeConnection": true };
    let fault = one.fail(&["insert"], "alwaysOn", closed).expect("there are failpoints");
    let error = one.insert("jobs", &[numbers(&[("_id", 2)])]).unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::Io(_)), "{error}");
    drop(fault);
    assert_eq!(one.count("jobs"), 1, "a failed insert writes nothing");
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let Some(mut server) = Server::start(&[]) else { return };
    let acknowledged = Arc::new(AtomicU32::new(0));
    for round in 0..3 {
        let database = server.database_named("", "kills");
        let told = Arc::clone(&acknowledged);
        let before = told.load(Ordering::SeqCst);
        let writer = std::thread::spawn(move || {
            // Only the kill ends it.
            for number in before.. {
                let document = numbers(&[("_id", i32::try_from(number).unwrap()), ("a", 1)]);
                if database.insert("jobs", &[document]).is_err() {
                    return;
                }
                told.store(number + 1, Ordering::SeqCst);
            }
        });
        let start = Instant::now();
        while acknowledged.load(Ordering::SeqCst) < before + 20 {
            assert!(start.elapsed() < Duration::from_secs(60), "nothing is acknowledged");
            std::thread::sleep(Duration::from_millis(1));
        }
        server.kill();
        writer.join().unwrap();
        server.restart(&[]);
        let found = server.database_named("", "kills").dump("jobs");
        let ids: Vec<i32> = found.iter().map(|document| id(document).as_i32().unwrap()).collect();
        let expected: Vec<i32> = (0..).take(ids.len()).collect();
        assert_eq!(ids, expected, "round {round}");
        let count = u32::try_from(ids.len()).unwrap();
        assert!(count >= acknowledged.load(Ordering::SeqCst), "round {round}: {count} found");
        // The last one may be there without its acknowledgement.
        acknowledged.store(count, Ordering::SeqCst);
    }
}

#[test]
fn a_server_may_stand_alone() {
    let Some(server) = Server::start(&["--standalone"]) else { return };
    let database = server.database();
    let told = database.admin(doc! { "hello": 1 }).unwrap();
    assert!(!told.contains_key("setName"), "{told}");
    database.seed("jobs", &[numbers(&[("_id", 1)])]);
    assert_eq!(database.count("jobs"), 1);
}

#[test]
fn roles_are_obeyed() {
    let Some(server) = Server::start(&["--auth"]) else { return };
    // The first user can be made by anybody on the same machine.
    let user = doc! { "createUser": "root", "pwd": "first", "roles": ["root"] };
    server.database_named("", "moving").admin(user).unwrap();
    let root = server.database_named("root:first", "moving");
    let role = doc! { "role": "read", "db": "moving" };
    root.admin(doc! { "createUser": "reader", "pwd": "second", "roles": [role] }).unwrap();
    root.seed("jobs", &[numbers(&[("_id", 1)])]);
    let reader = server.database_named("reader:second", "moving");
    assert_eq!(reader.count("jobs"), 1);
    let error = reader.insert("jobs", &[numbers(&[("_id", 2)])]).unwrap_err();
    assert_eq!(code(&error), Some(13), "{error}");
}
