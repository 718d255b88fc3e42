//! The way in for people: a form that takes the token, and gives a cookie for it.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, ORIGIN,
    SET_COOKIE,
};

use super::access::{Access, COOKIE_NAME};
use super::answer::Response;
use super::query::Query;

/// The longest body of a login, in bytes: a token has at most 4 KiB, and is escaped.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024;

const PAGE: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"><title>reshelve</title>\
    <main><h1>reshelve</h1><form method=\"post\" action=\"/login\">\
    <p><label>Token of this server: <input type=\"password\" name=\"token\" required \
    autocomplete=\"current-password\"></label> <button>Log in</button></form></main></html>\n";

/// The form.
pub(super) async fn form() -> Response {
    page(StatusCode::OK)
}

/// The form as an answer with such a status.
pub(super) fn page(status: StatusCode) -> Response {
    const POLICY: &str =
        "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    let mut response = Response::new(Body::from(PAGE));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Takes a token, as a form or as JSON, and gives a cookie for it.
pub(super) async fn log_in(
    State(access): State<Access>,
    asked: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(cookie) = token(&body).and_then(|token| access.cookie_for(&token)) else {
        return page(StatusCode::UNAUTHORIZED);
    };
    // A browser keeps no `Secure` cookie of a page that came without TLS.
    let is_secure =
        asked.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https:"));
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE_NAME}={cookie}; Path=/; HttpOnly; SameSite=Strict{secure}");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static("/"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        headers.insert(SET_COOKIE, cookie);
    }
    response
}

/// The token in `token=…` or `{"token": …}`.
fn token(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    if text.trim_start().starts_with('{') {
        let given: serde_json::Value = serde_json::from_str(text).ok()?;
        return given.get("token")?.as_str().map(str::to_owned);
    }
    Query::parse(text.trim_end()).all("token").next().map(str::to_owned)
}
