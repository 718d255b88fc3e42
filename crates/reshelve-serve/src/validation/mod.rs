//! The rules that the application declares for parameters, and does not apply: what it would
//! answer if it did, to the byte.

use std::collections::HashSet;

use crate::present::{array_index, number_from_text, push_string, trim};

/// The statuses that may be asked for.
const STATUSES: [&str; 4] = ["queued", "running", "completed", "failed"];
/// The same, as messages name them.
const STATUSES_SHOWN: &str = "'queued' | 'running' | 'completed' | 'failed'";
/// The largest limit of a list.
const LIST_LIMIT_MAX: u16 = 100;
/// The largest limit of a page of events.
const EVENTS_LIMIT_MAX: u16 = 200;

/// The decoded parameters of a query, in their order; a name may repeat.
pub type Pairs<'a> = &'a [(String, String)];

/// The sound parameters of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// How many jobs at most, from 1 to 100.
    pub limit: Option<u16>,
    /// The statuses that are asked for, as often as they were named.
    pub statuses: Option<Vec<String>>,
}

/// The sound parameters of a page of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventsQuery {
    /// How many events at most, from 1 to 200.
    pub limit: Option<u16>,
    /// Only events emitted before this, compared as strings. Not empty.
    pub before: Option<String>,
}

/// The id of a job without white space at its ends.
///
/// # Errors
/// The body of the answer 400, where nothing is left.
pub fn job_id(decoded: &str) -> Result<&str, Vec<u8>> {
    let mut issues = Issues::default();
    let id = not_empty(&mut issues, "jobId", decoded, "jobId is required");
    issues.into_result(id)
}

/// The parameters of `GET /api/novel`.
///
/// # Errors
/// The body of the answer 400.
pub fn list(pairs: Pairs<'_>) -> Result<ListQuery, Vec<u8>> {
    let mut issues = Issues::default();
    let limit = limit(&mut issues, pairs, LIST_LIMIT_MAX);
    let statuses = values(pairs, "status");
    check_statuses(&mut issues, &statuses);
    let statuses = statuses.into_iter().map(str::to_string).collect::<Vec<_>>();
    refuse_others(&mut issues, pairs, ["limit", "status"]);
    let statuses = Some(statuses).filter(|statuses| !statuses.is_empty());
    issues.into_result(ListQuery { limit, statuses })
}

/// The parameters of `GET /api/novel/:jobId/events`.
///
/// # Errors
/// The body of the answer 400.
pub fn events(pairs: Pairs<'_>) -> Result<EventsQuery, Vec<u8>> {
    let mut issues = Issues::default();
    let limit = limit(&mut issues, pairs, EVENTS_LIMIT_MAX);
    let before = match values(pairs, "before")[..] {
        [] => None,
        [before] => {
            let message = "before must be a non-empty ISO timestamp";
            Some(not_empty(&mut issues, "before", before, message).to_string())
        }
        _ => {
            issues.wrong_type("string", "array", "before");
            None
        }
    };
    refuse_others(&mut issues, pairs, ["limit", "before"]);
    issues.into_result(EventsQuery { limit, before })
}

fn values<'a>(pairs: Pairs<'a>, name: &str) -> Vec<&'a str> {
    pairs.iter().filter(|pair| pair.0 == name).map(|pair| pair.1.as_str()).collect()
}

fn not_empty<'a>(issues: &mut Issues, name: &str, text: &'a str, message: &str) -> &'a str {
    let trimmed = trim(text);
    if trimmed.is_empty() {
        issues.0.push(format!(
            r#"{{"code":"too_small","minimum":1,"type":"string","inclusive":true,"exact":false,"message":"{message}","path":["{name}"]}}"#
        ));
    }
    trimmed
}

/// The limit, where it is a whole number within bounds. One that repeats is an array, which no
/// number can be made of.
fn limit(issues: &mut Issues, pairs: Pairs<'_>, limit_max: u16) -> Option<u16> {
    let number = match values(pairs, "limit")[..] {
        [] => return None,
        [text] => number_from_text(text),
        _ => f64::NAN,
    };
    if number.is_nan() {
        issues.wrong_type("number", "nan", "limit");
        return None;
    }
    if !number.is_finite() || number.fract() != 0.0 {
        issues.0.push(
            r#"{"code":"invalid_type","expected":"integer","received":"float","message":"Expected integer, received float","path":["limit"]}"#.to_string(),
        );
    }
    if number <= 0.0 {
        issues.0.push(
            r#"{"code":"too_small","minimum":0,"type":"number","inclusive":false,"exact":false,"message":"limit must be greater than 0","path":["limit"]}"#.to_string(),
        );
    }
    if number > f64::from(limit_max) {
        issues.0.push(format!(
            r#"{{"code":"too_big","maximum":{limit_max},"type":"number","inclusive":true,"exact":false,"message":"limit must not exceed {limit_max}","path":["limit"]}}"#
        ));
    }
    (1..=limit_max).find(|whole| f64::from(*whole) == number)
}

/// One status or several: both ways are tried, and what is wrong with each is said.
fn check_statuses(issues: &mut Issues, statuses: &[&str]) {
    let unknown = |status: &&str| !STATUSES.contains(status);
    if !statuses.iter().any(unknown) {
        return;
    }
    let (as_one, as_several) = match statuses {
        [status] => {
            let mut as_several = Issues::default();
            as_several.wrong_type("array", "string", "status");
            (unknown_status(status, None), as_several.0.concat())
        }
        _ => {
            let as_one = format!(
                r#"{{"expected":"{STATUSES_SHOWN}","received":"array","code":"invalid_type","path":["status"],"message":"Expected {STATUSES_SHOWN}, received array"}}"#
            );
            let all = statuses.iter().enumerate().filter(|(_, status)| unknown(status));
            let each: Vec<_> = all.map(|(at, status)| unknown_status(status, Some(at))).collect();
            (as_one, each.join(","))
        }
    };
    issues.0.push(format!(
        r#"{{"code":"invalid_union","unionErrors":[{{"issues":[{as_one}],"name":"ZodError"}},{{"issues":[{as_several}],"name":"ZodError"}}],"path":["status"],"message":"Invalid input"}}"#
    ));
}

fn unknown_status(status: &str, at: Option<usize>) -> String {
    let received = quoted(status);
    let place = at.map(|at| format!(",{at}")).unwrap_or_default();
    let message =
        quoted(&format!("Invalid enum value. Expected {STATUSES_SHOWN}, received '{status}'"));
    let options = STATUSES.map(quoted).join(",");
    format!(
        r#"{{"received":{received},"code":"invalid_enum_value","options":[{options}],"path":["status"{place}],"message":{message}}}"#
    )
}

/// Names the parameters that are not known, each once, in the order of a JavaScript object.
fn refuse_others(issues: &mut Issues, pairs: Pairs<'_>, known: [&str; 2]) {
    let mut others: Vec<&str> = Vec::new();
    let mut seen = HashSet::from(known);
    for (name, _) in pairs {
        if seen.insert(name.as_str()) {
            others.push(name);
        }
    }
    if others.is_empty() {
        return;
    }
    others.sort_by_key(|name| array_index(name.as_bytes()).unwrap_or(u32::MAX));
    let keys: Vec<_> = others.iter().copied().map(quoted).collect();
    let shown: Vec<_> = others.iter().map(|name| format!("'{name}'")).collect();
    let message = quoted(&format!("Unrecognized key(s) in object: {}", shown.join(", ")));
    let keys = keys.join(",");
    issues.0.push(format!(
        r#"{{"code":"unrecognized_keys","keys":[{keys}],"path":[],"message":{message}}}"#
    ));
}

/// What is wrong with the parameters, each as JSON.
#[derive(Default)]
struct Issues(Vec<String>);

impl Issues {
    fn wrong_type(&mut self, expected: &str, received: &str, name: &str) {
        self.0.push(format!(
            r#"{{"code":"invalid_type","expected":"{expected}","received":"{received}","path":["{name}"],"message":"Expected {expected}, received {received}"}}"#
        ));
    }

    fn into_result<T>(self, sound: T) -> Result<T, Vec<u8>> {
        if self.0.is_empty() {
            return Ok(sound);
        }
        let issues = self.0.join(",");
        let body =
            format!(r#"{{"statusCode":400,"message":"Validation failed","errors":[{issues}]}}"#);
        Err(body.into_bytes())
    }
}

/// A text as a JSON string.
fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    push_string(&mut out, text.as_bytes());
    String::from_utf8(out).unwrap_or_default()
}
