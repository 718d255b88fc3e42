//! What is served of events, metrics and metadata, with what the mapping never writes.

use super::common::{NOW, NOW_MS, bson, text};
use reshelve_serve::present::{self, Cause};

fn metrics(fields: &str) -> String {
    text(present::metrics("j", Some(&bson(&format!("{{{fields}}}"))), NOW_MS).unwrap())
}

fn metadata(fields: &str) -> String {
    text(present::metadata("j", Some(&bson(&format!("{{{fields}}}"))), NOW_MS).unwrap())
}

/// What comes after the name in an answer, as far as the next of these names.
fn part(answer: &str, name: &str, next: &str) -> String {
    let (_, rest) = answer.split_once(&format!("\"{name}\":")).unwrap();
    let (part, _) = rest.split_once(&format!(",\"{next}\":")).unwrap();
    part.to_string()
}

#[test]
fn an_event_has_the_fields_of_its_kind() {
    for (stored, json) in [
        (
            r#"{"snapshot":{"a":1},"status":"s","event":{"z":1,"a":2},"emittedAt":"e","kind":"generation","jobId":"j","createdAt":1}"#,
            r#"{"kind":"generation","jobId":"j","emittedAt":"e","event":{"z":1,"a":2}}"#,
        ),
        (
            r#"{"kind":"domain","jobId":"j","emittedAt":"e","event":null}"#,
            r#"{"kind":"domain","jobId":"j","emittedAt":"e","event":null}"#,
        ),
        (
            r#"{"kind":"domain","jobId":"j","emittedAt":"e"}"#,
            r#"{"kind":"domain","jobId":"j","emittedAt":"e"}"#,
        ),
        (
            r#"{"kind":"job-status","jobId":"j","emittedAt":"e","status":"running","snapshot":{"b":1},"event":1}"#,
            r#"{"kind":"job-status","jobId":"j","emittedAt":"e","status":"running","snapshot":{"b":1}}"#,
        ),
        (
            r#"{"kind":"Generation","jobId":"j","emittedAt":"e","event":1}"#,
            r#"{"kind":"job-status","jobId":"j","emittedAt":"e","status":"queued","snapshot":null}"#,
        ),
        (
            r#"{"status":null,"snapshot":0}"#,
            r#"{"kind":"job-status","status":"queued","snapshot":null}"#,
        ),
        (
            r#"{"kind":5,"emittedAt":{"$date":{"$numberLong":"0"}},"status":7,"snapshot":[]}"#,
            r#"{"kind":"job-status","emittedAt":"1970-01-01T00:00:00.000Z","status":7,"snapshot":[]}"#,
        ),
    ] {
        let page = text(present::events(&[bson(stored)]).unwrap());
        assert_eq!(page, format!("{{\"count\":1,\"items\":[{json}]}}"));
    }
}

#[test]
fn pages_keep_the_order_of_their_events() {
    assert_eq!(text(present::events(&[]).unwrap()), r#"{"count":0,"items":[]}"#);
    let events = ["2", "1"].map(|at| bson(&format!(r#"{{"kind":"domain","emittedAt":"{at}"}}"#)));
    assert_eq!(
        text(present::events(&events).unwrap()),
        r#"{"count":2,"items":[{"kind":"domain","emittedAt":"2"},{"kind":"domain","emittedAt":"1"}]}"#
    );
}

#[test]
fn without_a_metrics_document_all_is_zero() {
    assert_eq!(
        text(present::metrics("\"é", None, NOW_MS).unwrap()),
        r#"{"jobId":"\"é","cost":{"totalUsd":0,"analysisUsd":0,"outlineUsd":0,"chaptersUsd":0},"tokens":{"total":0,"analysis":0,"outline":0,"chapters":0},"latencyMs":{},"updatedAt":null}"#
    );
}

#[test]
fn metrics_have_defaults_then_every_other_number() {
    let served = metrics(
        r#""updatedAt":{"$date":{"$numberLong":"0"}},"latencyMs":{"total":3,"x":"s","analysis":{"$numberLong":"5"}},"tokens":{"z":1,"chapters":4,"a":{"$numberDouble":"-0.0"},"total":2},"cost":{"recomputedUsd":0.5,"totalUsd":1.25},"jobId":"other""#,
    );
    assert_eq!(
        served,
        r#"{"jobId":"j","cost":{"totalUsd":1.25,"analysisUsd":0,"outlineUsd":0,"chaptersUsd":0,"recomputedUsd":0.5},"tokens":{"total":2,"analysis":0,"outline":0,"chapters":4,"z":1,"a":0},"latencyMs":{"total":3,"analysis":5},"updatedAt":"1970-01-01T00:00:00.000Z"}"#
    );
}

#[test]
fn what_is_no_number_is_as_if_absent() {
    for value in [
        r#""5""#,
        "null",
        "true",
        "{}",
        "[5]",
        r#"{"$numberDecimal":"5"}"#,
        r#"{"$numberDouble":"NaN"}"#,
        r#"{"$numberDouble":"Infinity"}"#,
        r#"{"$numberLong":"9007199254740993"}"#,
        r#"{"$date":{"$numberLong":"5"}}"#,
        r#"{"$undefined":true}"#,
    ] {
        let served = metrics(&format!(
            r#""cost":{{"totalUsd":{value},"x":{value}}},"latencyMs":{{"x":{value}}}"#
        ));
        assert_eq!(
            part(&served, "cost", "tokens"),
            r#"{"totalUsd":0,"analysisUsd":0,"outlineUsd":0,"chaptersUsd":0}"#,
            "{value}"
        );
        assert_eq!(part(&served, "latencyMs", "updatedAt"), "{}", "{value}");
    }
}

#[test]
fn names_of_metrics_are_those_of_an_object() {
    let served = metrics(
        r#""cost":{"b":1,"7":2,"totalUsd":3,"b":4,"__proto__":5,"constructor":6,"totalUsd":"x"}"#,
    );
    assert_eq!(
        part(&served, "cost", "tokens"),
        r#"{"7":2,"totalUsd":0,"analysisUsd":0,"outlineUsd":0,"chaptersUsd":0,"b":4,"constructor":6}"#
    );
}

#[test]
fn breakdowns_of_other_types_have_their_entries() {
    for (stored, json) in [
        ("null", "{}"),
        ("5", "{}"),
        (r#""123""#, "{}"),
        ("true", "{}"),
        (r#"[1,"2",3.5,null]"#, r#"{"0":1,"2":3.5}"#),
        (r#"{"$numberLong":"9007199254740993"}"#, r#"{"low":1,"high":2097152}"#),
        (r#"{"$numberDecimal":"5"}"#, "{}"),
        (r#"{"$date":{"$numberLong":"5"}}"#, "{}"),
    ] {
        assert_eq!(
            part(&metrics(&format!("\"latencyMs\":{stored}")), "latencyMs", "updatedAt"),
            json
        );
    }
    for stored in [r#"{"$numberDouble":"NaN"}"#, r#"{"$date":{"$numberLong":"8640000000000001"}}"#]
    {
        let document = bson(&format!("{{\"tokens\":{stored}}}"));
        let error = present::metrics("j", Some(&document), NOW_MS).unwrap_err();
        assert_eq!((error.path.as_str(), error.cause), ("tokens", Cause::NullInJson));
    }
}

#[test]
fn the_time_of_the_last_change_is_a_date_a_text_or_the_time_of_the_request() {
    for (stored, json) in [
        (r#""updatedAt":"soon""#, "soon"),
        (r#""updatedAt":"""#, ""),
        (r#""updatedAt":null"#, NOW),
        (r#""updatedAt":5"#, NOW),
        (r#""updatedAt":{}"#, NOW),
        ("", NOW),
        (
            r#""updatedAt":{"$date":{"$numberLong":"-62167219200001"}}"#,
            "-000001-12-31T23:59:59.999Z",
        ),
    ] {
        for served in [metrics(stored), metadata(stored)] {
            assert!(served.ends_with(&format!(",\"updatedAt\":\"{json}\"}}")), "{served}");
        }
    }
    let document = bson(r#"{"updatedAt":{"$date":{"$numberLong":"8640000000000001"}}}"#);
    for answer in [
        present::metrics("j", Some(&document), NOW_MS),
        present::metadata("j", Some(&document), NOW_MS),
    ] {
        assert_eq!(answer.unwrap_err().cause, Cause::DateOutOfRange);
    }
}

#[test]
fn without_a_metadata_document_all_is_empty() {
    assert_eq!(
        text(present::metadata("j", None, NOW_MS).unwrap()),
        r#"{"jobId":"j","storyBible":{"characters":{},"metadata":null,"locations":null,"themes":[]},"continuityAlerts":[],"aiDecisions":[],"enhancements":[],"performance":null,"updatedAt":null}"#
    );
}

#[test]
fn metadata_is_copied_in_its_order() {
    let served = metadata(
        r#""performance":{"b":1,"1":2},"enhancements":[{"z":1},null,5],"aiDecisions":[{"b":1,"metadata":{},"a":2}],"continuityAlerts":[{"b":1,"context":{"c":1},"a":2}],"storyBibleThemes":["t",null,5],"storyBibleLocations":{},"storyBibleMetadata":{"m":1},"storyBibleCharacters":{"b":null,"10":{},"2":{}},"legacy":{"era":1},"jobId":"other","updatedAt":"u""#,
    );
    assert_eq!(
        served,
        r#"{"jobId":"j","storyBible":{"characters":{"2":{},"10":{},"b":null},"metadata":{"m":1},"locations":{},"themes":["t",null,5]},"continuityAlerts":[{"b":1,"context":{"c":1},"a":2}],"aiDecisions":[{"b":1,"metadata":{},"a":2}],"enhancements":[{"z":1},null,5],"performance":{"1":2,"b":1},"updatedAt":"u"}"#
    );
}

#[test]
fn more_than_100_alerts_are_served() {
    let alerts: Vec<String> = (0..150).map(|at| format!("{{\"alertId\":\"{at}\"}}")).collect();
    let served = metadata(&format!("\"continuityAlerts\":[{}]", alerts.join(",")));
    assert_eq!(part(&served, "continuityAlerts", "aiDecisions"), format!("[{}]", alerts.join(",")));
}

#[test]
fn contexts_and_decisions_metadata_that_count_as_false_are_left_out() {
    for falsy in
        ["null", "0", r#""""#, "false", r#"{"$numberDouble":"NaN"}"#, r#"{"$undefined":true}"#]
    {
        let record = format!("{{\"a\":null,\"context\":{falsy},\"metadata\":{falsy},\"b\":0}}");
        let served =
            metadata(&format!("\"continuityAlerts\":[{record}],\"aiDecisions\":[{record}]"));
        let kept = if falsy.contains("NaN") { "null" } else { falsy };
        let kept = |name: &str| match falsy.contains("$undefined") {
            true => String::new(),
            false => format!("\"{name}\":{kept},"),
        };
        assert_eq!(
            part(&served, "continuityAlerts", "aiDecisions"),
            format!("[{{\"a\":null,{}\"b\":0}}]", kept("metadata"))
        );
        assert_eq!(
            part(&served, "aiDecisions", "enhancements"),
            format!("[{{\"a\":null,{}\"b\":0}}]", kept("context"))
        );
    }
    // Where the name repeats, the last one counts.
    let served = metadata(
        r#""continuityAlerts":[{"context":{"c":1},"a":1,"context":null},{"context":0,"a":1,"context":{"c":2}}]"#,
    );
    assert_eq!(
        part(&served, "continuityAlerts", "aiDecisions"),
        r#"[{"a":1},{"context":{"c":2},"a":1}]"#
    );
}

#[test]
fn odd_alerts_are_copied_field_by_field() {
    for (stored, json) in [
        ("5", "{}"),
        ("true", "{}"),
        (r#"{"$oid":"0123456789abcdef01234567"}"#, "{}"),
        (r#"{"$date":{"$numberLong":"5"}}"#, "{}"),
        (r#""aé😀""#, r#"{"0":"a","1":"é","2":"\ud83d","3":"\ude00"}"#),
        (
            r#"{"$binary":{"base64":"AP8=","subType":"80"}}"#,
            r#"{"sub_type":128,"buffer":{"type":"Buffer","data":[0,255]},"position":2}"#,
        ),
        (r#"{"$timestamp":{"t":4294967295,"i":2}}"#, r#"{"low":2,"high":-1,"unsigned":true}"#),
        (
            r#"{"$numberDecimal":"0"}"#,
            r#"{"bytes":{"type":"Buffer","data":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,64,48]}}"#,
        ),
        (r#"{"$code":"f()"}"#, r#"{"code":"f()","scope":null}"#),
        (r#"{"$code":"f()","$scope":{"a":1}}"#, r#"{"code":"f()","scope":{"a":1}}"#),
        (
            r#"{"$dbPointer":{"$ref":"d.c","$id":{"$oid":"0123456789abcdef01234567"}}}"#,
            r#"{"collection":"c","oid":"0123456789abcdef01234567","db":"d","fields":{}}"#,
        ),
        (r#"[1,{"$undefined":true},null]"#, r#"{"0":1,"2":null}"#),
        (r#"{"$numberLong":"9007199254740993"}"#, r#"{"low":1,"high":2097152,"unsigned":false}"#),
    ] {
        let served = metadata(&format!("\"continuityAlerts\":[{stored}]"));
        assert_eq!(part(&served, "continuityAlerts", "aiDecisions"), format!("[{json}]"));
    }
}

#[test]
fn parts_that_count_as_false_are_null_or_empty() {
    for stored in ["null", "0", r#""""#, "false", r#"{"$numberDouble":"NaN"}"#] {
        let served = metadata(&format!(
            "\"storyBibleMetadata\":{stored},\"storyBibleLocations\":{stored},\"storyBibleThemes\":{stored},\"enhancements\":{stored},\"performance\":{stored}"
        ));
        assert!(served.contains(r#""metadata":null,"locations":null,"themes":[]}"#), "{served}");
        assert!(served.contains(r#""enhancements":[],"performance":null,"#), "{served}");
    }
    for (stored, json) in [
        ("null", "{}"),
        (r#"{"$numberDouble":"NaN"}"#, "{}"),
        (r#"{"$date":{"$numberLong":"8640000000000001"}}"#, "{}"),
        ("0", "0"),
        ("[]", "[]"),
        (r#""""#, r#""""#),
    ] {
        let served = metadata(&format!("\"storyBibleCharacters\":{stored}"));
        assert!(served.contains(&format!("{{\"characters\":{json},\"metadata\":null")), "{served}");
    }
    assert!(metadata(r#""storyBibleThemes":"né""#).contains(r#""themes":["n","é"]}"#));
}

#[test]
fn what_the_application_fails_on_is_500() {
    for (stored, path, cause) in [
        (r#""storyBibleThemes":{}"#, "storyBibleThemes", Cause::NotIterable),
        (r#""storyBibleThemes":5"#, "storyBibleThemes", Cause::NotIterable),
        (r#""continuityAlerts":{}"#, "continuityAlerts", Cause::NotAnArray),
        (r#""continuityAlerts":"text""#, "continuityAlerts", Cause::NotAnArray),
        (r#""aiDecisions":false"#, "aiDecisions", Cause::NotAnArray),
        (r#""continuityAlerts":[{},null]"#, "continuityAlerts.1", Cause::Null),
        (r#""aiDecisions":[{"$undefined":true}]"#, "aiDecisions.0", Cause::Null),
        (r#""enhancements":{"a":1}"#, "enhancements", Cause::NotAnArray),
        (r#""enhancements":[1,{"$undefined":true}]"#, "enhancements.1", Cause::Null),
    ] {
        let document = bson(&format!("{{{stored}}}"));
        let error = present::metadata("j", Some(&document), NOW_MS).unwrap_err();
        assert_eq!((error.path.as_str(), error.cause), (path, cause), "{stored}");
    }
}

#[test]
fn a_subscriber_is_sent_the_events_oldest_first() {
    let events = [
        r#"{"kind":"job-status","jobId":"j","emittedAt":"3","snapshot":{"a":1}}"#,
        r#"{"kind":"domain","jobId":"j","emittedAt":"2","event":{"b":1}}"#,
        r#"{"kind":"generation","jobId":"j","emittedAt":"1"}"#,
    ]
    .map(bson);
    let sent: Vec<_> = present::catch_up("j", &events, Some(&bson("{}")), NOW_MS)
        .into_iter()
        .map(|(name, payload)| (name, text(payload)))
        .collect();
    let expected = [
        ("novel.generation-event", r#"{"jobId":"j","emittedAt":"1"}"#),
        ("novel.domain-event", r#"{"jobId":"j","emittedAt":"2","event":{"b":1}}"#),
        (
            "novel.job-status",
            r#"{"jobId":"j","emittedAt":"3","status":"queued","snapshot":{"a":1}}"#,
        ),
    ]
    .map(|(name, payload)| (name, payload.to_string()));
    assert_eq!(sent, expected);
}

#[test]
fn without_events_a_subscriber_is_sent_the_status_of_the_job() {
    for (stored, payload) in [
        (
            r#"{"status":"running","updatedAt":{"$date":{"$numberLong":"0"}},"summary":{"s":1},"chapters":[{}]}"#,
            r#"{"jobId":"j","emittedAt":"1970-01-01T00:00:00.000Z","status":"running","snapshot":{"summary":{"s":1},"progress":{"outlineComplete":false,"chaptersCompleted":0,"chaptersFailed":0,"totalChapters":1,"hasFailures":false}}}"#,
        ),
        (
            r#"{"status":"failed","summary":null}"#,
            &format!(r#"{{"jobId":"j","emittedAt":"{NOW}","status":"failed","snapshot":null}}"#),
        ),
        (
            r#"{"summary":{}}"#,
            &format!(r#"{{"jobId":"j","emittedAt":"{NOW}","snapshot":{{"summary":{{}}}}}}"#),
        ),
    ] {
        let sent = present::catch_up("j", &[], Some(&bson(stored)), NOW_MS);
        assert_eq!(sent, [("novel.job-status", payload.as_bytes().to_vec())]);
    }
    assert!(present::catch_up("j", &[], None, NOW_MS).is_empty());
}

#[test]
fn errors_have_the_bodies_of_the_application() {
    for (body, expected) in [
        (
            present::error::job_not_found("a\"\\\n日\u{7f}"),
            "{\"message\":\"Job with id \\\"a\\\"\\\\\\n日\u{7f}\\\" was not found.\",\"error\":\"Not Found\",\"statusCode\":404}",
        ),
        (
            present::error::unmatched("GET", "/x?y=%22"),
            r#"{"message":"Cannot GET /x?y=%22","error":"Not Found","statusCode":404}"#,
        ),
        (
            present::error::undecodable("%zz"),
            r#"{"message":"Failed to decode param '%zz'","error":"Bad Request","statusCode":400}"#,
        ),
        (
            present::error::bad_request("m"),
            r#"{"message":"m","error":"Bad Request","statusCode":400}"#,
        ),
        (present::error::internal(), r#"{"statusCode":500,"message":"Internal server error"}"#),
        (
            present::error::plain(413, "request entity too large"),
            r#"{"statusCode":413,"message":"request entity too large"}"#,
        ),
    ] {
        assert_eq!(text(body), expected);
    }
}
