//! Answers as Express sends them: entity tags, conditional requests, and what browsers are told.

use axum::body::{Body, Bytes};
use axum::http::header::{
    self, ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS,
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, VARY,
};
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha1::{Digest as _, Sha1};

use crate::questions::Reply;
use crate::realtime::ClientOrigin;
use crate::sides::Side;

/// The header that says which side answered.
const SIDE: &str = "x-reshelve-side";

/// What is answered, before it is dressed for a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    status: StatusCode,
    /// JSON.
    body: Vec<u8>,
    /// Its entity tag.
    tag: String,
    /// Which side answered, where there are two.
    pub(super) side: Option<Side>,
}

impl Answer {
    /// An answer. Its tag is computed here: for a long body, away from connections.
    pub(super) fn new(status: StatusCode, body: Vec<u8>) -> Self {
        let tag = entity_tag(&body);
        Answer { status, body, tag, side: None }
    }

    /// What a place answered.
    pub(super) fn of(reply: Reply) -> Self {
        let status = StatusCode::from_u16(reply.status);
        Answer::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), reply.body)
    }

    /// Its status and its body.
    pub(super) fn content(&self) -> (u16, &[u8]) {
        (self.status.as_u16(), &self.body)
    }

    pub(super) fn ok(body: Vec<u8>) -> Self {
        Answer::new(StatusCode::OK, body)
    }
}

pub(super) type Response = axum::http::Response<Body>;

/// The answer to a request with such a method and fields.
pub(super) fn dressed(
    answer: Answer,
    method: &Method,
    asked: &HeaderMap,
    origin: &ClientOrigin,
) -> Response {
    let is_fresh = matches!(*method, Method::GET | Method::HEAD)
        && answer.status.is_success()
        && is_fresh(asked, &answer.tag);
    let length = answer.body.len();
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert("x-powered-by", HeaderValue::from_static("Express"));
    allow(headers, origin);
    if !is_fresh {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if let Ok(tag) = HeaderValue::try_from(answer.tag) {
        headers.insert(ETAG, tag);
    }
    if let Some(side) = answer.side {
        headers.insert(SIDE, HeaderValue::from_static(side.as_str()));
    }
    *response.status_mut() = if is_fresh { StatusCode::NOT_MODIFIED } else { answer.status };
    if !is_fresh {
        *response.body_mut() = Body::from(Bytes::from(answer.body));
    }
    response
}

/// The answer to `OPTIONS`, on any target.
pub(super) fn preflight(asked: &HeaderMap, origin: &ClientOrigin) -> Response {
    let methods = HeaderValue::from_static("GET,HEAD,PUT,PATCH,POST,DELETE");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert("x-powered-by", HeaderValue::from_static("Express"));
    allow(headers, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    let vary = if origin.is_any() {
        "Access-Control-Request-Headers"
    } else {
        "Origin, Access-Control-Request-Headers"
    };
    headers.insert(VARY, HeaderValue::from_static(vary));
    let asked = joined(asked, &ACCESS_CONTROL_REQUEST_HEADERS);
    if let Some(names) = asked.filter(|names| !names.is_empty()) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
    response
}

/// What a browser is told with every answer.
fn allow(headers: &mut HeaderMap, origin: &ClientOrigin) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.value().clone());
    if !origin.is_any() {
        headers.insert(VARY, HeaderValue::from_static("Origin"));
    }
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
}

/// The weak entity tag of a body: its length in hexadecimal, and 27 characters of its SHA-1.
fn entity_tag(body: &[u8]) -> String {
    let mut hash = STANDARD_NO_PAD.encode(Sha1::digest(body));
    hash.truncate(27);
    format!("W/\"{:x}-{hash}\"", body.len())
}

/// Whether a client has the body with such a tag already, and may use it.
fn is_fresh(asked: &HeaderMap, tag: &str) -> bool {
    let Some(known) = joined(asked, &IF_NONE_MATCH).filter(|known| !known.is_empty()) else {
        return false;
    };
    if joined(asked, &CACHE_CONTROL).is_some_and(|control| is_no_cache(control.as_bytes())) {
        return false;
    }
    let strong = tag.strip_prefix("W/").unwrap_or(tag).as_bytes();
    let known = known.as_bytes();
    known == b"*"
        || known.split(|byte| *byte == b',').any(|item| {
            let item = trimmed(item);
            item == tag.as_bytes() || item == strong
        })
}

/// Whether `no-cache` is one of the words of a `Cache-Control`.
fn is_no_cache(control: &[u8]) -> bool {
    control.split(|byte| *byte == b',').any(|word| word.trim_ascii() == b"no-cache")
}

/// Without spaces around it. Nothing else counts as blank there.
fn trimmed(mut item: &[u8]) -> &[u8] {
    while let Some(rest) = item.strip_prefix(b" ") {
        item = rest;
    }
    while let Some(rest) = item.strip_suffix(b" ") {
        item = rest;
    }
    item
}

/// All values of a field as one, as Node joins them.
pub(super) fn joined(headers: &HeaderMap, name: &header::HeaderName) -> Option<HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let mut all = first.as_bytes().to_vec();
    for value in values {
        all.extend_from_slice(b", ");
        all.extend_from_slice(value.as_bytes());
    }
    HeaderValue::from_bytes(&all).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "W/\"130-lzhg2qKTvy3H7IVYosmi1Z9cgBo\"";

    fn asked(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn tags_are_those_of_express() {
        let not_found = br#"{"message":"Cannot GET /ws","error":"Not Found","statusCode":404}"#;
        assert_eq!(entity_tag(not_found), "W/\"41-uzXDo+OuNJLAnXdN15AkA6tOBC4\"");
        assert_eq!(entity_tag(b""), "W/\"0-2jmj7l5rSw0yVb/vlWAYkK/YBwk\"");
    }

    #[test]
    fn conditions_are_judged_as_express_judges_them() {
        for (fields, expected) in [
            (vec![], false),
            (vec![("if-none-match", "*")], true),
            (vec![("if-none-match", TAG)], true),
            (vec![("if-none-match", &TAG[2..])], true),
            (vec![("if-none-match", "\"x\"")], false),
            (vec![("if-none-match", "\"x\" , W/\"130-lzhg2qKTvy3H7IVYosmi1Z9cgBo\"")], true),
            (vec![("if-none-match", "\"x\""), ("if-none-match", TAG)], true),
            (vec![("if-none-match", "*, \"x\"")], false),
            (vec![("if-none-match", "")], false),
            (vec![("if-none-match", "*"), ("cache-control", "no-cache")], false),
            (vec![("if-none-match", "*"), ("cache-control", "max-age=0 , no-cache ")], false),
            (vec![("if-none-match", "*"), ("cache-control", "No-Cache")], true),
            (vec![("if-none-match", "*"), ("cache-control", "no-cache=x")], true),
            (vec![("if-modified-since", "Sat, 28 Nov 2099 04:15:25 GMT")], false),
        ] {
            assert_eq!(is_fresh(&asked(&fields), TAG), expected, "{fields:?}");
        }
    }

    #[test]
    fn errors_and_other_methods_are_never_fresh() {
        let headers = asked(&[("if-none-match", "*")]);
        let origin = ClientOrigin::default();
        for (status, method, expected) in [
            (StatusCode::OK, Method::GET, StatusCode::NOT_MODIFIED),
            (StatusCode::OK, Method::HEAD, StatusCode::NOT_MODIFIED),
            (StatusCode::OK, Method::POST, StatusCode::OK),
            (StatusCode::NOT_FOUND, Method::GET, StatusCode::NOT_FOUND),
        ] {
            let answer = Answer::new(status, b"{}".to_vec());
            let response = dressed(answer, &method, &headers, &origin);
            assert_eq!(response.status(), expected);
            let has_type = response.headers().contains_key(CONTENT_TYPE);
            assert_eq!(has_type, expected != StatusCode::NOT_MODIFIED);
        }
    }
}
