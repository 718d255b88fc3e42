//! What is served of jobs: lists and details, with what the mapping never writes.

use super::common::{NOW, NOW_MS, bson, text};
use reshelve_serve::present::{self, Cause};

const DATES: &str =
    r#""createdAt":{"$date":"2025-07-24T10:00:00Z"},"updatedAt":{"$date":"2025-07-24T10:01:00Z"}"#;

fn detail(fields: &str) -> String {
    text(present::detail(&bson(&format!("{{{fields}}}")), NOW_MS).unwrap())
}

fn item(fields: &str) -> String {
    let list = text(present::list(&[bson(&format!("{{{fields}}}"))], NOW_MS).unwrap());
    let item = list.strip_prefix("{\"items\":[").unwrap();
    item.strip_suffix("],\"count\":1}").unwrap().to_string()
}

/// What comes after the name in an answer, as far as the next of these names.
fn part(answer: &str, name: &str, next: &str) -> String {
    let (_, rest) = answer.split_once(&format!("\"{name}\":")).unwrap();
    let (part, _) = rest.split_once(&format!(",\"{next}\":")).unwrap();
    part.to_string()
}

fn fails(fields: &str, path: &str, cause: Cause) {
    let job = bson(&format!("{{{fields}}}"));
    let error = present::detail(&job, NOW_MS).unwrap_err();
    assert_eq!((error.path.as_str(), error.cause), (path, cause), "{fields}");
    assert_eq!(present::sound(&job).unwrap_err(), error);
    let error = present::list(&[bson("{}"), job.clone()], NOW_MS).unwrap_err();
    assert_eq!((error.path, error.cause), (format!("items.1.{path}"), cause), "{fields}");
    assert!(present::catch_up("j", &[], Some(&job), NOW_MS).is_empty());
}

#[test]
fn an_item_has_ten_fields_in_their_order() {
    let stored = format!(
        r#""_id":1,"engine":{{"clientType":"openai"}},"summary":{{"z":1,"a":2}},"progress":{{"chaptersCompleted":9}},{DATES},"requestedAt":"r","payload":{{"title":"t","more":1}},"queue":"q","status":"odd","jobId":"j""#
    );
    let item = item(&stored);
    assert_eq!(
        item,
        r#"{"jobId":"j","status":"odd","queue":"q","payload":{"title":"t","more":1},"requestedAt":"r","createdAt":"2025-07-24T10:00:00.000Z","updatedAt":"2025-07-24T10:01:00.000Z","progress":null,"summary":{"z":1,"a":2},"engine":{"clientType":"openai"}}"#
    );
    let detail = detail(&stored);
    assert_eq!(
        detail.strip_prefix(item.strip_suffix('}').unwrap()).unwrap(),
        r#","outline":[],"chapters":[],"events":[],"domainEvents":[],"context":{},"failures":[]}"#
    );
}

#[test]
fn lists_hold_their_items_in_order() {
    assert_eq!(text(present::list(&[], NOW_MS).unwrap()), r#"{"items":[],"count":0}"#);
    let jobs = [bson(r#"{"jobId":"a"}"#), bson(r#"{"jobId":"b"}"#)];
    let list = text(present::list(&jobs, NOW_MS).unwrap());
    let a = item(r#""jobId":"a""#);
    let b = item(r#""jobId":"b""#);
    assert_eq!(list, format!("{{\"items\":[{a},{b}],\"count\":2}}"));
}

#[test]
fn progress_is_counted_from_outline_chapters_and_failures() {
    let outline = r#""outline":[{"keyEvents":[]},{"keyEvents":[]},{"keyEvents":[]}]"#;
    let chapters = r#""chapters":[{"status":"completed"},{"status":"failed"},{"status":"Failed"},{"status":1},{}]"#;
    for (stored, progress) in [
        ("", "null"),
        (r#""failures":[{}],"progress":{"totalChapters":3}"#, "null"),
        (
            outline,
            r#"{"outlineComplete":true,"chaptersCompleted":0,"chaptersFailed":0,"totalChapters":3,"hasFailures":false}"#,
        ),
        (
            chapters,
            r#"{"outlineComplete":false,"chaptersCompleted":1,"chaptersFailed":1,"totalChapters":5,"hasFailures":true}"#,
        ),
        (
            &format!("{outline},{chapters}"),
            r#"{"outlineComplete":true,"chaptersCompleted":1,"chaptersFailed":1,"totalChapters":3,"hasFailures":true}"#,
        ),
        (
            &format!("{outline},\"failures\":[{{}}]"),
            r#"{"outlineComplete":true,"chaptersCompleted":0,"chaptersFailed":0,"totalChapters":3,"hasFailures":true}"#,
        ),
    ] {
        assert_eq!(part(&item(stored), "progress", "summary"), progress, "{stored}");
    }
}

#[test]
fn summary_and_engine_are_null_where_they_count_as_false() {
    for (stored, json) in [
        ("null", "null"),
        ("0", "null"),
        (r#"{"$numberDouble":"-0.0"}"#, "null"),
        (r#"{"$numberDouble":"NaN"}"#, "null"),
        (r#"{"$numberLong":"0"}"#, "null"),
        (r#""""#, "null"),
        ("false", "null"),
        (r#"{"$undefined":true}"#, "null"),
        ("{}", "{}"),
        ("[]", "[]"),
        ("true", "true"),
        (r#"{"$numberDecimal":"0"}"#, r#"{"$numberDecimal":"0"}"#),
    ] {
        let item = item(&format!("\"summary\":{stored},\"engine\":{stored}"));
        assert!(item.ends_with(&format!("\"summary\":{json},\"engine\":{json}}}")), "{item}");
    }
}

#[test]
fn an_outline_has_its_fields_in_order_and_no_others() {
    for (stored, json) in [
        (
            r#"{"characterFocus":[1],"humanLikeElements":{},"wordTarget":1.5,"keyEvents":["a",null,{"$undefined":true}],"summary":null,"title":5,"chapterNumber":1,"plotAdvancement":"p"}"#,
            r#"{"chapterNumber":1,"title":5,"summary":null,"keyEvents":["a",null,null],"wordTarget":1.5,"humanLikeElements":{}}"#,
        ),
        (r#"{"keyEvents":[],"wordTarget":"1","humanLikeElements":null}"#, r#"{"keyEvents":[]}"#),
        (
            r#"{"keyEvents":[],"wordTarget":{"$numberDouble":"NaN"},"humanLikeElements":""}"#,
            r#"{"keyEvents":[],"wordTarget":null}"#,
        ),
        (
            r#"{"keyEvents":[],"wordTarget":{"$numberLong":"9007199254740993"},"humanLikeElements":0}"#,
            r#"{"keyEvents":[]}"#,
        ),
        // A string is spread into its letters.
        (r#"{"keyEvents":"aé😀\""}"#, r#"{"keyEvents":["a","é","😀","\""]}"#),
        (r#"{"keyEvents":""}"#, r#"{"keyEvents":[]}"#),
    ] {
        let detail = detail(&format!("\"outline\":[{stored}]"));
        assert_eq!(part(&detail, "outline", "chapters"), format!("[{json}]"));
    }
}

#[test]
fn a_chapter_has_its_fields_in_order_and_no_others() {
    for (stored, json) in [
        ("{}", r#"{"wordCount":null,"attempts":[]}"#),
        (
            r#"{"legacy":1,"tokens":{"totalTokens":3},"attempts":[],"costInUsd":0.5,"model":"m","content":"c","wordCount":0,"status":"s","title":"t","chapterNumber":1}"#,
            r#"{"chapterNumber":1,"title":"t","status":"s","wordCount":0,"content":"c","model":"m","costInUsd":0.5,"attempts":[]}"#,
        ),
        (
            r#"{"content":null,"model":null,"costInUsd":null,"wordCount":null,"attempts":null,"title":null}"#,
            r#"{"title":null,"wordCount":null,"content":null,"model":null,"costInUsd":null,"attempts":[]}"#,
        ),
        // What is no document has none of the fields.
        ("5", r#"{"wordCount":null,"attempts":[]}"#),
        (r#""text""#, r#"{"wordCount":null,"attempts":[]}"#),
    ] {
        let detail = detail(&format!("\"chapters\":[{stored}]"));
        assert_eq!(part(&detail, "chapters", "events"), format!("[{json}]"));
    }
}

#[test]
fn attempts_are_numbered_and_have_a_time() {
    let detail = detail(
        r#""chapters":[{"attempts":[{"rawResponse":{"r":1},"costInUsd":1,"tokens":{"t":2},"content":"c","prompt":"p","createdAt":"t","more":1},{"createdAt":null,"prompt":null},5]}]"#,
    );
    assert_eq!(
        part(&detail, "attempts", "events"),
        format!(
            r#"[{{"attemptNumber":1,"createdAt":"t","prompt":"p","content":"c","tokens":{{"t":2}},"costInUsd":1,"rawResponse":{{"r":1}}}},{{"attemptNumber":2,"createdAt":"{NOW}","prompt":null}},{{"attemptNumber":3,"createdAt":"{NOW}"}}]}}]"#
        )
    );
}

#[test]
fn events_and_context_are_copies() {
    let detail = detail(
        r#""events":[{"b":1,"a":2},null,"s",{"$undefined":true}],"domainEvents":[{"z":{"1":1,"0":2}}],"context":{"x":null}"#,
    );
    assert!(
        detail.contains(
            r#""events":[{"b":1,"a":2},null,"s",null],"domainEvents":[{"z":{"0":2,"1":1}}],"context":{"x":null},"failures":[]}"#
        ),
        "{detail}"
    );
}

#[test]
fn the_context_is_never_null_where_nothing_is_stored() {
    for (stored, json) in [
        ("null", "{}"),
        (r#"{"$undefined":true}"#, "{}"),
        ("{}", "{}"),
        ("0", "0"),
        (r#""""#, r#""""#),
        (r#"{"$numberDouble":"NaN"}"#, "null"),
    ] {
        assert_eq!(part(&detail(&format!("\"context\":{stored}")), "context", "failures"), json);
    }
}

#[test]
fn a_failure_has_its_fields_in_order_and_no_others() {
    for (stored, json) in [
        (
            r#"{"more":1,"metadata":{},"stage":"s","reason":"r","occurredAt":"o"}"#,
            r#"{"occurredAt":"o","reason":"r","stage":"s","metadata":{}}"#,
        ),
        (
            r#"{"occurredAt":"o","reason":"r","stage":"","metadata":null}"#,
            r#"{"occurredAt":"o","reason":"r"}"#,
        ),
        (r#"{"reason":null,"metadata":0}"#, r#"{"reason":null}"#),
        (
            r#"{"reason":5,"stage":0,"occurredAt":true}"#,
            r#"{"occurredAt":"true","reason":"5","stage":"0"}"#,
        ),
        (r#"{"reason":{"a":1},"occurredAt":[1]}"#, "{}"),
        ("7", "{}"),
        (r#""text""#, "{}"),
        (
            r#"{"occurredAt":"o","constructor":1,"__proto__":{},"reason":"r"}"#,
            r#"{"occurredAt":"o","reason":"r"}"#,
        ),
    ] {
        let detail = detail(&format!("\"failures\":[{stored}]"));
        assert!(detail.ends_with(&format!("\"failures\":[{json}]}}")), "{detail}");
    }
}

#[test]
fn what_is_no_array_becomes_the_element_of_one() {
    let detail = detail(
        r#""outline":{"keyEvents":[],"title":"t"},"chapters":{"title":"c"},"events":"e","domainEvents":{"d":1},"failures":{"reason":"r"}"#,
    );
    let (_, rest) = detail.split_once("\"outline\":").unwrap();
    assert_eq!(
        rest,
        r#"[{"title":"t","keyEvents":[]}],"chapters":[{"title":"c","wordCount":null,"attempts":[]}],"events":["e"],"domainEvents":[{"d":1}],"context":{},"failures":[{"reason":"r"}]}"#
    );
}

#[test]
fn declared_strings_are_made_from_other_types() {
    for (stored, json) in [
        ("null", "null"),
        ("5", r#""5""#),
        ("1.5", r#""1.5""#),
        (r#"{"$numberDouble":"1e21"}"#, r#""1e+21""#),
        (r#"{"$numberDouble":"NaN"}"#, r#""NaN""#),
        (r#"{"$numberDouble":"-Infinity"}"#, r#""-Infinity""#),
        (r#"{"$numberLong":"-9007199254740993"}"#, r#""-9007199254740993""#),
        ("true", r#""true""#),
        (r#"{"$oid":"0123456789abcdef01234567"}"#, r#""0123456789abcdef01234567""#),
        (r#"{"$numberDecimal":"1.50"}"#, r#""1.50""#),
        (r#"{"$timestamp":{"t":1,"i":2}}"#, r#""4294967298""#),
        (
            r#"{"$date":{"$numberLong":"1753351200123"}}"#,
            r#""Thu Jul 24 2025 10:00:00 GMT+0000 (Coordinated Universal Time)""#,
        ),
        (r#"{"$binary":{"base64":"aGk=","subType":"00"}}"#, r#""hi""#),
        (r#"{"$symbol":"s"}"#, r#""s""#),
        (
            r#"{"$regularExpression":{"pattern":"a/[/]\\/\n","options":"imsx"}}"#,
            r#""/a\\/[/]\\/\\n/gim""#,
        ),
        (r#"{"$regularExpression":{"pattern":"","options":""}}"#, r#""/(?:)/""#),
        (r#"{"_id":"x"}"#, r#""x""#),
    ] {
        assert_eq!(
            part(&item(&format!("\"requestedAt\":{stored}")), "requestedAt", "createdAt"),
            json
        );
        let item = item(&format!("\"queue\":{stored}"));
        assert!(item.starts_with(&format!("{{\"queue\":{json},")), "{item}");
    }
    for stored in ["{}", r#"{"a":1}"#, "[]", r#"{"$minKey":1}"#, r#"{"$undefined":true}"#] {
        let item = item(&format!("\"queue\":{stored},\"requestedAt\":{stored}"));
        assert!(item.starts_with("{\"requestedAt\":null,"), "{item}");
    }
}

#[test]
fn unreadable_dates_are_the_time_of_the_request() {
    for (stored, json) in [
        ("null", NOW),
        (r#""soon""#, NOW),
        (r#""""#, NOW),
        ("true", NOW),
        ("{}", NOW),
        (r#"{"$date":{"$numberLong":"8640000000000001"}}"#, NOW),
        (r#"{"$numberDouble":"NaN"}"#, NOW),
        ("1753351200123", "2025-07-24T10:00:00.123Z"),
        (r#""2025-07-24T12:00:00+02:00""#, "2025-07-24T10:00:00.000Z"),
        (r#"{"$date":{"$numberLong":"253402300800000"}}"#, "+010000-01-01T00:00:00.000Z"),
    ] {
        let item = item(&format!("\"createdAt\":{stored},\"updatedAt\":{stored}"));
        assert!(
            item.contains(&format!("\"createdAt\":\"{json}\",\"updatedAt\":\"{json}\",")),
            "{item}"
        );
    }
    assert!(item("").contains(&format!("\"createdAt\":\"{NOW}\",\"updatedAt\":\"{NOW}\",")));
}

#[test]
fn what_the_application_fails_on_is_500() {
    for (stored, path, cause) in [
        (r#""outline":[{"keyEvents":[]},null]"#, "outline.1", Cause::Null),
        (r#""outline":[{"$undefined":true}]"#, "outline.0", Cause::Null),
        (r#""outline":["text"]"#, "outline.0.keyEvents", Cause::NotIterable),
        (r#""outline":[5]"#, "outline.0.keyEvents", Cause::NotIterable),
        (r#""outline":"text""#, "outline.0.keyEvents", Cause::NotIterable),
        (r#""outline":[{"title":"t"}]"#, "outline.0.keyEvents", Cause::NotIterable),
        (r#""outline":[{"keyEvents":null}]"#, "outline.0.keyEvents", Cause::NotIterable),
        (r#""outline":[{"keyEvents":5}]"#, "outline.0.keyEvents", Cause::NotIterable),
        (r#""outline":[{"keyEvents":{}}]"#, "outline.0.keyEvents", Cause::NotIterable),
        (r#""chapters":[null]"#, "chapters.0", Cause::Null),
        (r#""failures":[{},null]"#, "failures.1", Cause::Null),
        (r#""chapters":[{},{"attempts":3}]"#, "chapters.1.attempts", Cause::NotAnArray),
        (r#""chapters":[{"attempts":0}]"#, "chapters.0.attempts", Cause::NotAnArray),
        (r#""chapters":[{"attempts":{}}]"#, "chapters.0.attempts", Cause::NotAnArray),
        (r#""chapters":[{"attempts":"text"}]"#, "chapters.0.attempts", Cause::NotAnArray),
        (r#""chapters":[{"attempts":[{},null]}]"#, "chapters.0.attempts.1", Cause::Null),
    ] {
        fails(stored, path, cause);
    }
    let error = present::detail(&bson(r#"{"outline":[{"keyEvents":5}]}"#), NOW_MS).unwrap_err();
    assert_eq!(error.to_string(), "`outline.0.keyEvents` is neither an array nor a string");
}

#[test]
fn a_card_is_all_that_a_list_needs() {
    let card = bson(
        r#"{"outline":[{"keyEvents":[]},{"keyEvents":[]}],"chapters":[{"status":"failed"}],"failures":[{}]}"#,
    );
    let list = text(present::list(std::slice::from_ref(&card), NOW_MS).unwrap());
    assert!(list.contains(r#""chaptersFailed":1,"totalChapters":2,"hasFailures":true"#), "{list}");
    let broken = bson(r#"{"outline":[{}]}"#);
    let listed = present::list(std::slice::from_ref(&broken), NOW_MS).unwrap_err();
    assert_eq!(listed.path, "items.0.outline.0.keyEvents");
    assert_eq!(present::sound(&broken).unwrap_err().path, "outline.0.keyEvents");
}
