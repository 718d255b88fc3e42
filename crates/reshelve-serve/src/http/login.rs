//! The way in for people: a form that takes the token, and gives a cookie for it.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{StatusCode, Uri};

use super::access::{Access, COOKIE_NAME, LOGIN};
use super::answer::Response;
use super::query::Query;
use crate::ui;

/// The longest body of a login, in bytes: a token has at most 4 KiB, and is escaped.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024;

/// The longest destination that is kept, in bytes.
const DESTINATION_BYTES_MAX: usize = 4 * 1024;
/// Where a login leads that is asked for nothing else.
const HOME: &str = "/";

/// The form; `?to=` names where to go afterwards.
pub(super) async fn form(uri: Uri) -> Response {
    let query = Query::parse(uri.query().unwrap_or_default());
    let to = query.all("to").next().unwrap_or(HOME);
    ui::login(StatusCode::OK, destination(to), false)
}

/// The form instead of a page that was asked for.
pub(super) fn instead_of(target: &str) -> Response {
    ui::login(StatusCode::UNAUTHORIZED, destination(target), false)
}

/// A path of this server as it was asked for; the way home for everything else, so that no login
/// leads to another site.
fn destination(to: &str) -> &str {
    let is_path = to.starts_with('/') && !to[1..].starts_with(['/', '\\']);
    let is_plain = to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_login = to
        .strip_prefix(LOGIN)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
    let is_short = to.len() <= DESTINATION_BYTES_MAX;
    if is_path && is_plain && is_short && !is_login { to } else { HOME }
}

/// Takes a token, as a form or as JSON, and gives a cookie for it.
pub(super) async fn log_in(
    State(access): State<Access>,
    asked: HeaderMap,
    body: Bytes,
) -> Response {
    let given = given(&body);
    let to = given.as_ref().map_or(HOME, |given| destination(&given.to));
    let cookie = given.as_ref().and_then(|given| access.cookie_for(&given.token));
    let Some(cookie) = cookie else {
        return ui::login(StatusCode::UNAUTHORIZED, to, true);
    };
    // A browser keeps no `Secure` cookie of a page that came without TLS.
    let is_secure =
        asked.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https:"));
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE_NAME}={cookie}; Path=/; HttpOnly; SameSite=Strict{secure}");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    let to = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static(HOME));
    headers.insert(LOCATION, to);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        headers.insert(SET_COOKIE, cookie);
    }
    response
}

/// What a form says.
struct Given {
    token: String,
    to: String,
}

/// The token and the destination in `token=…&to=…` or `{"token": …, "to": …}`.
fn given(body: &[u8]) -> Option<Given> {
    let text = std::str::from_utf8(body).ok()?;
    if text.trim_start().starts_with('{') {
        let given: serde_json::Value = serde_json::from_str(text).ok()?;
        let text = |name| given.get(name).and_then(|it| it.as_str()).map(str::to_owned);
        return Some(Given { token: text("token")?, to: text("to").unwrap_or_default() });
    }
    let query = Query::parse(text.trim_end());
    let field = |name| query.all(name).next().map(str::to_owned);
    Some(Given { token: field("token")?, to: field("to").unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_a_path_of_this_server_alone() {
        for to in ["/", "/ui/runs/x?after=1&b=%2F", "/ui/novels?q=//evil.example", "/loginx"] {
            assert_eq!(destination(to), to);
        }
        let long = format!("/{}", "x".repeat(DESTINATION_BYTES_MAX));
        for to in [
            "",
            "//evil.example",
            "/\\evil.example",
            "/x\\y",
            "\\\\evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "ui/novels",
            "/\tx",
            "/x\r\nSet-Cookie: a=b",
            "/ü",
            "/login",
            "/login?to=/ui",
            &long,
        ] {
            assert_eq!(destination(to), HOME, "{to:?}");
        }
    }
}
