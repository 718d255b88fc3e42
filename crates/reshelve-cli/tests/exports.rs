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

/// The lines of `rejects.jsonl` of the only run, in short: id, code, path.
fn rejects(place: &Place) -> Vec<(String, String, String)> {
    let kept = place.tree(".reshelve");
    let (_, lines) = kept.iter().find(|(name, _)| name.ends_with("rejects.jsonl")).unwrap();
    let lines = String::from_utf8(lines.clone()).unwrap();
    let short = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        (line["_id"].to_string(), text("code"), text("path"))
    };
    lines.lines().map(short).collect()
}

#[test]
fn a_malformed_document_can_be_found_again() {
    const ID: &str = r#"{"$oid":"68c742c37a78e16545d97e01"}"#;
    let place = Place::new();
    let bad = |rest: &str| format!("{{\"_id\":{ID},\"status\":\"completed\",{rest}}}\n");
    let texts = [
        bad("\"error\":{\"list\":[1,{\"when\":{\"$date\":\"never\"}}]}"),
        bad("\"cost\":0x10"),
        bad("\"title\":\"\\ud800\""),
        "{\"a\":{\"$oid\":\"x\"},\"_id\":\"later\"}\n".to_owned(),
        "{\"_id\":{\"$oid\":\"x\"}}\n".to_owned(),
    ];
    place.write("x.jsonl", texts.concat().as_bytes());
    place.expect(4, &["run", "x.jsonl", "out"]);
    let found =
        |id: &str, path: &str| (id.to_owned(), "malformed-json".to_owned(), path.to_owned());
    let expected = [
        found(ID, "error.list.1.when"),
        found(ID, "cost"),
        found(ID, "title"),
        found("\"later\"", "a"),
        found("null", "_id"),
    ];
    assert_eq!(rejects(&place), expected);
    let page = place.expect(0, &["profile", "x.jsonl"]).stdout;
    assert!(page.contains("68c742c37a78e16545d97e01"), "{page}");

    // The same of BSON: text that is not UTF-8, in the document and within.
    let place = Place::new();
    let title = bad("\"title\":\"QQ\",\"error\":{\"list\":[1,{\"text\":\"ZZ\"}]}");
    let mut bson = Vec::new();
    reshelve_core::extjson::parse(title.as_bytes(), &mut bson).unwrap();
    let spoilt = |mark: &[u8]| {
        let at = bson.windows(2).position(|it| it == mark).unwrap();
        let mut spoilt = bson.clone();
        spoilt[at] = 0xFF;
        spoilt
    };
    place.write("x.bson", &[spoilt(b"QQ"), spoilt(b"ZZ")].concat());
    let told = place.expect(4, &["run", "x.bson", "out"]);
    assert!(told.stdout.contains("such as 68c742c37a78e16545d97e01 at title"), "{}", told.stdout);
    let paths: Vec<_> = rejects(&place).into_iter().map(|(id, _, path)| (id, path)).collect();
    let found = |path: &str| (ID.to_owned(), path.to_owned());
    assert_eq!(paths, [found("title"), found("error.list.1.text")]);
}
