//! Snapshots of a live collection: documents, indexes and the server's clock; a connection that
//! breaks meanwhile.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::doc;
use serde_json::Value;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/proxy.rs"]
#[expect(dead_code, unused_imports, reason = "each of these files uses a part of it")]
mod proxy;

use common::{Place, split};
use live::Server;
use proxy::{Act, Proxy, Turn, on};

/// More than one reply of a server.
const DOCUMENTS: &str = "2500";

fn taken(place: &Place, args: &[&str]) -> Value {
    let told = place.expect(0, &[&["snapshot"][..], args, &["--json"]].concat());
    serde_json::from_str(&told.stdout).unwrap()
}

#[test]
fn a_live_collection_is_kept_with_its_indexes_through_a_connection_that_breaks() {
    let Some(server) = Server::shared() else { return };
    let (place, database) = (Place::new(), server.database());
    let plan = ["--documents", DOCUMENTS, "--size", "small", "--stage", "completed"];
    place.expect(0, &[&["generate", "jobs.bson"][..], &plan].concat());
    database.command(doc! { "create": "jobs", "validationAction": "warn" });
    database.seed_file("jobs", &place.path("jobs.bson"));
    let index = doc! { "key": { "status": 1 }, "name": "by status", "sparse": true };
    database.command(doc! { "createIndexes": "jobs", "indexes": [index] });
    let Some(uri) = database.uri_of_one_server() else { return };
    let proxy = Proxy::start(&uri);
    proxy.rule(on("find").of("jobs"), Turn::Nth(1), Act::CutBefore);
    proxy.rule(on("getMore").of("jobs"), Turn::Nth(1), Act::CutAfter);
    let manifest = taken(&place, &[proxy.uri(), "copy"])["manifest"].clone();
    let expected = split(&place.read("jobs.bson"));
    assert_eq!(manifest["content"]["documents"], expected.len());
    assert_eq!(manifest["db"], database.name());
    assert!(manifest["source"]["server_version"].is_string(), "{manifest}");
    assert_eq!(manifest["source"]["has_metadata"], true);
    assert!(manifest["source"]["cluster_time"].is_string(), "{manifest}");
    // What it holds is what the file holds, and where a dump would have it.
    let file = taken(&place, &["jobs.bson", "of-file"]);
    assert_eq!(file["manifest"]["content"], manifest["content"]);
    let looked = place.expect(0, &["inspect", "copy", "--json"]).stdout;
    let looked: Value = serde_json::from_str(&looked).unwrap();
    let indexes = looked["collections"][0]["indexes"].as_array().unwrap();
    let sparse = indexes.iter().find(|index| index["name"] == "by status").expect("it is there");
    assert_eq!(sparse["options"]["sparse"], "true", "{sparse}");
    // And it can be carried over as the collection itself.
    let flags = ["--apply", "--runs-dir"];
    place.expect(0, &[&["run", "copy", "target"][..], &flags, &["one"]].concat());
    place.expect(0, &["verify", &uri, "target", "--runs-dir", "one"]);
}

#[test]
fn a_place_of_its_own_is_enough_where_the_variable_has_the_source() {
    let Some(server) = Server::shared() else { return };
    let (place, database) = (Place::new(), server.database());
    place.expect(0, &["generate", "jobs.bson", "--documents", "5"]);
    database.seed_file("jobs", &place.path("jobs.bson"));
    place.call(&["snapshot", "copy"]).env("LEGACY_MONGODB_URI", &database.uri).expect(0);
    let told = place.expect(0, &["snapshot", "verify", "copy"]);
    assert!(told.stdout.contains("5 documents"), "{}", told.stdout);
}
