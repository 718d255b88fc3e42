//! What exports hold that JSON does not know, through the binary.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, assert_same};

/// Lines of an export with this value of `cost` in each.
fn lines(values: &[&str]) -> String {
    let line = |(at, value): (usize, &&str)| {
        format!(
            "{{\"_id\":{{\"$oid\":\"68c742c37a78e16545d97e{at:02}\"}},\"status\":\"completed\",\
             \"premise\":\"NaN, +Infinity: -Infinity\",\"cost\":{value},\"list\":[{value}]}}\n"
        )
    };
    values.iter().enumerate().map(line).collect()
}

#[test]
fn bare_words_of_version_1_are_the_doubles_that_they_stand_for() {
    let place = Place::new();
    place.write("v1.jsonl", lines(&["NaN", "Infinity", "+Infinity", "-Infinity"]).as_bytes());
    let double = |word: &str| format!("{{\"$numberDouble\":\"{word}\"}}");
    let values = ["NaN", "Infinity", "Infinity", "-Infinity"].map(double);
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    place.write("canonical.jsonl", lines(&values).as_bytes());
    for name in ["v1", "canonical"] {
        let source = format!("{name}.jsonl");
        place.expect(0, &["run", &source, name, "--apply", "--in-flight", "include"]);
    }
    assert_same(&place.tree("v1"), &place.tree("canonical"), "version 1 and canonical");
    place.expect(0, &["verify", "v1.jsonl", "canonical"]);
    place.expect(0, &["restore", "v1", "back.bson"]);
    let nan = [&b"\x01cost\0"[..], &f64::NAN.to_le_bytes()].concat();
    assert!(place.read("back.bson").windows(nan.len()).any(|it| it == nan));
}

#[test]
fn a_later_document_in_shell_notation_is_a_reject_that_says_so() {
    let place = Place::new();
    let shell = "{\"_id\":ObjectId(\"68c742c37a78e16545d97e01\")}\n";
    place.write("x.jsonl", [&lines(&["1"]), shell, &lines(&["-1"])].concat().as_bytes());
    place.expect(4, &["run", "x.jsonl", "out", "--apply", "--in-flight", "include"]);
    let rejects = place.tree(".reshelve");
    let (_, rejects) = rejects.iter().find(|(name, _)| name.ends_with("rejects.jsonl")).unwrap();
    let rejects = String::from_utf8(rejects.clone()).unwrap();
    assert!(rejects.contains("malformed-json") && rejects.contains("mongo shell"), "{rejects}");
}
