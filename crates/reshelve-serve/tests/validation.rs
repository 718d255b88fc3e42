//! Parameters against the rules that the application declares.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot proceed fails the test")]

use reshelve_serve::validation::{self, EventsQuery, ListQuery};

fn pairs(query: &[(&str, &str)]) -> Vec<(String, String)> {
    query.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// `declared.jsonl` holds decoded queries and ids, and what the application answered with its rules
/// applied, as it was served; null where it took them.
#[test]
fn every_recorded_answer_is_given() {
    let mut refused = 0;
    for line in include_str!("declared.jsonl").lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let pairs: Vec<(String, String)> = serde_json::from_value(record["pairs"].clone()).unwrap();
        let answer = match record["route"].as_str().unwrap() {
            "list" => validation::list(&pairs).err(),
            "events" => validation::events(&pairs).err(),
            _ => validation::job_id(&pairs[0].1).err(),
        };
        refused += u32::from(answer.is_some());
        let answer = answer.map_or("null".to_string(), |body| String::from_utf8(body).unwrap());
        assert!(line.ends_with(&format!(",\"body\":{answer}}}")), "{line}\n{answer}");
    }
    assert_eq!(refused, 43, "records are missing");
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Vec<u8>>) -> String {
    let body = String::from_utf8(answer.unwrap_err()).unwrap();
    let issues = body.strip_prefix(r#"{"statusCode":400,"message":"Validation failed","errors":["#);
    issues.unwrap().strip_suffix("]}").unwrap().to_string()
}

const TOO_SMALL: &str = r#"{"code":"too_small","minimum":0,"type":"number","inclusive":false,"exact":false,"message":"limit must be greater than 0","path":["limit"]}"#;
const NOT_A_NUMBER: &str = r#"{"code":"invalid_type","expected":"number","received":"nan","path":["limit"],"message":"Expected number, received nan"}"#;
const NOT_WHOLE: &str = r#"{"code":"invalid_type","expected":"integer","received":"float","message":"Expected integer, received float","path":["limit"]}"#;
const TOO_BIG: &str = r#"{"code":"too_big","maximum":100,"type":"number","inclusive":true,"exact":false,"message":"limit must not exceed 100","path":["limit"]}"#;

#[test]
fn limits_are_numbers_of_javascript_within_bounds() {
    for (text, limit) in [
        ("1", 1),
        ("100", 100),
        (" 5", 5),
        ("1e1", 10),
        ("0x10", 16),
        ("5.0", 5),
        ("\u{feff}7\n", 7),
    ] {
        let query = validation::list(&pairs(&[("limit", text)])).unwrap();
        assert_eq!(query, ListQuery { limit: Some(limit), statuses: None });
    }
    for (text, issues) in [
        ("", TOO_SMALL.to_string()),
        ("0", TOO_SMALL.to_string()),
        ("-1", TOO_SMALL.to_string()),
        ("abc", NOT_A_NUMBER.to_string()),
        ("1,2", NOT_A_NUMBER.to_string()),
        ("1.5", NOT_WHOLE.to_string()),
        ("-0.5", format!("{NOT_WHOLE},{TOO_SMALL}")),
        ("101", TOO_BIG.to_string()),
        ("1e300", TOO_BIG.to_string()),
        ("Infinity", format!("{NOT_WHOLE},{TOO_BIG}")),
        ("-Infinity", format!("{NOT_WHOLE},{TOO_SMALL}")),
    ] {
        assert_eq!(refused(validation::list(&pairs(&[("limit", text)]))), issues, "{text}");
    }
    assert_eq!(refused(validation::list(&pairs(&[("limit", "1"), ("limit", "1")]))), NOT_A_NUMBER);
    assert_eq!(validation::events(&pairs(&[("limit", "200")])).unwrap().limit, Some(200));
    let issue = refused(validation::events(&pairs(&[("limit", "201")])));
    assert_eq!(issue, TOO_BIG.replace("100", "200"));
}

#[test]
fn statuses_are_one_of_four_once_or_repeated() {
    for statuses in [&["queued"][..], &["failed", "running"], &["completed", "completed"]] {
        let query: Vec<_> = statuses.iter().map(|status| ("status", *status)).collect();
        let statuses = statuses.iter().map(|status| status.to_string()).collect();
        assert_eq!(
            validation::list(&pairs(&query)).unwrap(),
            ListQuery { limit: None, statuses: Some(statuses) }
        );
    }
    assert_eq!(validation::list(&[]).unwrap(), ListQuery::default());
    assert_eq!(
        refused(validation::list(&pairs(&[("status", "a\"'")]))),
        r#"{"code":"invalid_union","unionErrors":[{"issues":[{"received":"a\"'","code":"invalid_enum_value","options":["queued","running","completed","failed"],"path":["status"],"message":"Invalid enum value. Expected 'queued' | 'running' | 'completed' | 'failed', received 'a\"''"}],"name":"ZodError"},{"issues":[{"code":"invalid_type","expected":"array","received":"string","path":["status"],"message":"Expected array, received string"}],"name":"ZodError"}],"path":["status"],"message":"Invalid input"}"#
    );
    assert_eq!(
        refused(validation::list(&pairs(&[("status", "failed"), ("status", "x")]))),
        r#"{"code":"invalid_union","unionErrors":[{"issues":[{"expected":"'queued' | 'running' | 'completed' | 'failed'","received":"array","code":"invalid_type","path":["status"],"message":"Expected 'queued' | 'running' | 'completed' | 'failed', received array"}],"name":"ZodError"},{"issues":[{"received":"x","code":"invalid_enum_value","options":["queued","running","completed","failed"],"path":["status",1],"message":"Invalid enum value. Expected 'queued' | 'running' | 'completed' | 'failed', received 'x'"}],"name":"ZodError"}],"path":["status"],"message":"Invalid input"}"#
    );
}

#[test]
fn other_parameters_are_refused_after_the_rest() {
    assert_eq!(
        refused(validation::list(&pairs(&[
            ("b", "1"),
            ("limit", "0"),
            ("10", ""),
            ("b", "2"),
            ("2", ""),
            ("Status", "")
        ]))),
        format!(
            r#"{TOO_SMALL},{{"code":"unrecognized_keys","keys":["2","10","b","Status"],"path":[],"message":"Unrecognized key(s) in object: '2', '10', 'b', 'Status'"}}"#
        )
    );
    let issue = refused(validation::events(&pairs(&[("status", "failed")])));
    assert!(issue.contains(r#""keys":["status"]"#), "{issue}");
}

#[test]
fn the_end_of_a_page_is_trimmed_and_not_empty() {
    let query = validation::events(&pairs(&[("before", "\u{feff} 2025\u{a0}")])).unwrap();
    assert_eq!(query, EventsQuery { limit: None, before: Some("2025".to_string()) });
    for text in ["", " ", "\u{2028}"] {
        assert_eq!(
            refused(validation::events(&pairs(&[("before", text)]))),
            r#"{"code":"too_small","minimum":1,"type":"string","inclusive":true,"exact":false,"message":"before must be a non-empty ISO timestamp","path":["before"]}"#
        );
    }
    assert_eq!(
        refused(validation::events(&pairs(&[("before", "a"), ("before", "b")]))),
        r#"{"code":"invalid_type","expected":"string","received":"array","path":["before"],"message":"Expected string, received array"}"#
    );
}

#[test]
fn ids_are_trimmed_and_not_empty() {
    assert_eq!(validation::job_id("\u{feff} rich\t").unwrap(), "rich");
    // Not white space for JavaScript.
    assert_eq!(validation::job_id("\u{85}\u{200b}").unwrap(), "\u{85}\u{200b}");
    assert_eq!(
        refused(validation::job_id(" \u{2028}")),
        r#"{"code":"too_small","minimum":1,"type":"string","inclusive":true,"exact":false,"message":"jobId is required","path":["jobId"]}"#
    );
}
