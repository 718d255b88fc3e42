//! A dump to keep safe, and what commands say of it.

use serde_json::Value;

use crate::common::{Place, mixed_source};

/// Options and indexes that no generated dump has.
pub(crate) const METADATA: &str = r#"{"options":{"validator":{"jobId":{"$type":"string"}}},"indexes":[{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"},{"v":{"$numberInt":"2"},"key":{"jobId":{"$numberInt":"1"}},"name":"jobId_1","unique":true}],"uuid":"00112233445566778899aabbccddeeff","collectionName":"jobs","type":"collection"}"#;

/// A dump with everything in it, and metadata of its own.
pub(crate) fn dump(place: &Place) -> Vec<u8> {
    let documents = mixed_source(place, 30, "small");
    std::fs::create_dir_all(place.path("dump/letswriteabook")).unwrap();
    place.write("dump/letswriteabook/jobs.bson", &documents);
    place.write("dump/letswriteabook/jobs.metadata.json", METADATA.as_bytes());
    let prelude = br#"{"ServerVersion":"8.0.4","ToolVersion":"100.10.0"}"#;
    place.write("dump/letswriteabook/prelude.json", prelude);
    documents
}

/// What a command prints.
pub(crate) fn json(place: &Place, code: i32, args: &[&str]) -> Value {
    let told = place.expect(code, &[args, &["--json"]].concat());
    serde_json::from_str(&told.stdout).unwrap()
}
