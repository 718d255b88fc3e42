//! `verify --api`: the answers of both sides, and those of the running application.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[path = "common/asked.rs"]
mod asked;
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use asked::{alter_title, json, place};
use common::{Place, with};
use serde_json::{Value, json};
use serving::Served;

const VERIFY: [&str; 3] = ["verify", "legacy.jsonl", "target"];

fn verify(place: &Place, code: i32, more: &[&str]) -> Value {
    let told = place.expect(code, &[&VERIFY[..], &["--json"], more].concat());
    serde_json::from_str(&told.stdout).unwrap()
}

#[test]
fn both_sides_are_compared_and_an_application_that_is_named() {
    let place = place();
    assert_eq!(verify(&place, 0, &[])["api"], Value::Null);
    let found = verify(&place, 0, &["--api"]);
    let offline = &found["api"]["offline"];
    assert_eq!((&offline["schema"], &offline["exit"]), (&json!("reshelve.shadow/1"), &json!(0)));
    assert_eq!((&offline["jobs"]["agreed"], &found["exit"]), (&json!(20), &json!(0)));
    assert_eq!(found["api"]["application"], Value::Null);
    let served = Served::new(&place, &["target"]);
    let found = verify(&place, 0, &["--out", "found", "--api", &served.url()]);
    let application = &found["api"]["application"];
    assert_eq!(application["schema"], "reshelve.crosscheck/1");
    // A proof asks about every job.
    assert_eq!((&application["jobs"]["asked"], &application["sample"]), (&json!(20), &Value::Null));
    assert_eq!(json(&place, "found/answers.json"), *offline, "it was compared again");
    assert_eq!(json(&place, "found/crosscheck.json")["jobs"], application["jobs"]);
    let told = place.expect(0, &[&VERIFY[..], &["--api", &served.url()]].concat()).stdout;
    for words in ["Parity holds.", "answers agree.", "of the application agree."] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let sample = verify(&place, 0, &["--sample", "4", "--api", &served.url()]);
    assert_eq!(sample["api"]["offline"]["jobs"]["agreed"], 4);
    assert_eq!(sample["api"]["application"]["jobs"]["asked"], 4);
}

#[test]
fn answers_that_differ_are_no_parity() {
    let place = place();
    // The application serves what the target held before it was altered.
    place.expect(0, &["run", "legacy.jsonl", "other", "--apply", "--in-flight", "include"]);
    let served = Served::new(&place, &["other"]);
    alter_title(&place);
    let found = verify(&place, 5, &["--api", &served.url()]);
    assert_eq!(found["api"]["offline"]["routes"]["detail"]["edit"], 1, "{found}");
    assert_eq!(found["api"]["application"]["routes"]["detail"]["different"], 1, "{found}");
    // Documents agree, and the application serves other ones.
    let served = Served::new(&place, &["target"]);
    let args = ["verify", "legacy.jsonl", "other", "--json", "--api", &served.url()];
    let found: Value = serde_json::from_str(&place.expect(5, &args).stdout).unwrap();
    assert_eq!((&found["verdict"], &found["exit"]), (&json!("holds"), &json!(5)));
    assert_eq!(found["api"]["offline"]["exit"], 0);
}

#[test]
fn what_cannot_be_asked_is_told_before_anything_is_read() {
    let place = place();
    place.expect(2, &with(&VERIFY, &["--api", "https://h"])).says(&["https://", "hint:"]);
    place.expect(2, &with(&VERIFY, &["--api", "http://u:s3cret@h"])).says(&["--api", "hint:"]);
    place.expect(2, &with(&VERIFY, &["--api-token-file", "token"])).says(&["--api"]);
    place.expect(1, &with(&VERIFY, &["--api", "http://127.0.0.1:1"])).says(&["hint:"]);
    let call = place.call(&["verify", "-", "target", "--api"]);
    call.stdin(&place.read("legacy.jsonl")).expect(2).says(&["standard input", "hint:"]);
}

#[test]
fn jobs_of_others_are_left_alone_where_documents_are() {
    let place = place();
    let first = String::from_utf8(place.read("legacy.jsonl")).unwrap();
    let kept: Vec<&str> = first.lines().skip(1).collect();
    place.write("legacy.jsonl", format!("{}\n", kept.join("\n")).as_bytes());
    let found = verify(&place, 5, &["--api"]);
    assert_eq!(found["api"]["offline"]["jobs"]["onlyNormalized"], 1, "{found}");
    let found = verify(&place, 0, &["--allow-existing", "--api"]);
    assert_eq!(found["api"]["offline"]["jobs"]["agreed"], 19, "{found}");
}
