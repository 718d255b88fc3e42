//! What stands before Engine.IO: requests are judged as the server of the application judges
//! them, and its answers get the fields that it sends.

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL, CONTENT_LENGTH,
    CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE, VARY,
};
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode, Uri};
use engineioxide::TransportType;

use super::registry::Registry;

/// Where Socket.IO is.
pub(super) const PATH: &str = "/ws/";

/// What Engine.IO answers where it does not take a request: a number and a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    TransportUnknown = 0,
    SessionUnknown = 1,
    BadHandshakeMethod = 2,
    BadRequest = 3,
    Forbidden = 4,
    UnsupportedVersion = 5,
}

impl Refusal {
    fn sentence(self) -> &'static str {
        match self {
            Refusal::TransportUnknown => "Transport unknown",
            Refusal::SessionUnknown => "Session ID unknown",
            Refusal::BadHandshakeMethod => "Bad handshake method",
            Refusal::BadRequest => "Bad request",
            Refusal::Forbidden => "Forbidden",
            Refusal::UnsupportedVersion => "Unsupported protocol version",
        }
    }
}

/// Judges a request. Returns the target that it has for Engine.IO, or its answer.
pub(super) fn pass(
    parts: &Parts,
    query: &[(String, String)],
    sessions: &Registry,
) -> Result<Uri, Box<Response<Body>>> {
    if parts.method == Method::OPTIONS {
        return Err(Box::new(preflight(&parts.headers)));
    }
    let upgrades = parts.headers.contains_key(UPGRADE);
    let target = judged(&parts.method, upgrades, query, sessions)
        .map_err(|refusal| Box::new(refused(refusal, upgrades)))?;
    match missing(&parts.headers).filter(|_| upgrades) {
        Some(sentence) => Err(Box::new(answered(StatusCode::BAD_REQUEST, "text/html", sentence))),
        None => Ok(target),
    }
}

fn judged(
    method: &Method,
    upgrades: bool,
    query: &[(String, String)],
    sessions: &Registry,
) -> Result<Uri, Refusal> {
    // Of a repeated parameter, the last counts.
    let value = |name: &str| {
        query.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    };
    let transport = match value("transport") {
        Some("polling") => TransportType::Polling,
        Some("websocket") => TransportType::Websocket,
        _ => return Err(Refusal::TransportUnknown),
    };
    let is_websocket = transport == TransportType::Websocket;
    let name = if is_websocket { "websocket" } else { "polling" };
    if let Some(sid) = value("sid").filter(|sid| !sid.is_empty()) {
        let session = sessions.get(sid).ok_or(Refusal::SessionUnknown)?;
        let is_same = session.transport_type() == transport;
        let is_its_method = matches!(*method, Method::GET | Method::POST);
        if (!upgrades && !is_same) || upgrades != is_websocket || !is_its_method {
            return Err(Refusal::BadRequest);
        }
        return uri(&format!("{PATH}?EIO=4&transport={name}&sid={sid}"));
    }
    if *method != Method::GET {
        return Err(Refusal::BadHandshakeMethod);
    }
    if upgrades != is_websocket {
        return Err(Refusal::BadRequest);
    }
    if value("EIO") != Some("4") {
        return Err(Refusal::UnsupportedVersion);
    }
    if sessions.is_full() {
        return Err(Refusal::Forbidden);
    }
    uri(&format!("{PATH}?EIO=4&transport={name}"))
}

fn uri(text: &str) -> Result<Uri, Refusal> {
    text.parse().map_err(|_| Refusal::BadRequest)
}

/// What a websocket lacks.
fn missing(headers: &HeaderMap) -> Option<&'static str> {
    let is_version = headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    match headers.contains_key(SEC_WEBSOCKET_KEY) {
        false => Some("Missing or invalid Sec-WebSocket-Key header"),
        true if !is_version => Some("Missing or invalid Sec-WebSocket-Version header"),
        true => None,
    }
}

/// The answer to a request that is not taken.
fn refused(refusal: Refusal, upgrades: bool) -> Response<Body> {
    let sentence = refusal.sentence();
    let status = match refusal {
        Refusal::Forbidden => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    match upgrades {
        true => answered(status, "text/html", sentence),
        false => {
            let text = format!("{{\"code\":{},\"message\":\"{sentence}\"}}", refusal as u8);
            answered(status, "application/json", &text)
        }
    }
}

fn answered(status: StatusCode, kind: &'static str, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The answer to `OPTIONS`.
fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET,HEAD,PUT,PATCH,POST,DELETE");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(VARY, HeaderValue::from_static("Origin, Access-Control-Request-Headers"));
    if let Some(names) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS).filter(|names| !names.is_empty())
    {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
    response
}

/// An answer of Engine.IO with what the application's says besides.
pub(super) fn completed(mut response: Response<Body>, is_post: bool) -> Response<Body> {
    let status = response.status();
    let headers = response.headers_mut();
    if status == StatusCode::OK {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if is_post {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        }
    }
    response
}

/// An answer with what browsers are told: pages of any origin may ask. Whether they may subscribe
/// is told when they join.
pub(super) fn allowed(mut response: Response<Body>, asked: &HeaderMap) -> Response<Body> {
    let headers = response.headers_mut();
    if let Some(origin) = asked.get(ORIGIN).filter(|origin| !origin.is_empty()) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    headers.entry(VARY).or_insert(HeaderValue::from_static("Origin"));
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    response
}
