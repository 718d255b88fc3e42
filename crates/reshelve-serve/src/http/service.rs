//! One request to its answer: by whom it is answered.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, CONNECTION, HOST, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{Method, Request, StatusCode, Uri};
use hyper::body::Incoming;
use tower_service::Service as _;

use super::access::{Access, Denied};
use super::answer::{self, Answer, Response};
use super::application::Application;
use super::guard::{SOCKETS, TARGET};
use super::hosts::Hosts;
use super::login;
use super::measures::Measures;
use super::own;
use super::query::Query;
use super::route::Target;
use crate::present::error;

/// What every request is answered with.
pub(super) struct Service {
    pub(super) application: Application,
    pub(super) own: Router,
    pub(super) access: Access,
    pub(super) hosts: Hosts,
    pub(super) measures: Measures,
    /// How long a connection may be idle.
    pub(super) idle_time: Duration,
}

impl Service {
    /// Answers a request; `at` is the address that the client connected to.
    pub(super) async fn respond(
        self: Arc<Self>,
        request: Request<Incoming>,
        at: IpAddr,
        is_late: Arc<AtomicBool>,
    ) -> Result<Response, Infallible> {
        let (mut parts, body) = request.into_parts();
        let closes = parts.headers.get(CONNECTION).is_some_and(|value| value == "close");
        let target = parts.headers.remove(TARGET);
        let target = target.as_ref().and_then(|target| target.to_str().ok()).unwrap_or("/");
        let (began, route) = (Instant::now(), route_name(target));
        let mut response = self.answered(parts, target, Body::new(body), at, &is_late).await;
        self.measures.count(route, response.status().as_u16(), began.elapsed());
        self.persist(response.headers_mut(), closes);
        Ok(response)
    }

    async fn answered(
        &self,
        mut parts: Parts,
        target: &str,
        body: Body,
        at: IpAddr,
        is_late: &AtomicBool,
    ) -> Response {
        if parts.headers.get(HOST).is_some_and(|host| !self.hosts.allow(host.as_bytes(), at)) {
            return misdirected();
        }
        if let Err(denied) = self.access.judge(&parts.method, target, &parts.headers) {
            return self.denied(&parts, target, denied);
        }
        let cut = Target::of(target);
        if target.starts_with(SOCKETS) {
            let query = Query::parse(cut.query);
            return self.application.realtime.answer(parts, query.pairs(), body).await;
        }
        match target.parse::<Uri>() {
            Ok(uri) if own::is_ours(cut.path) => {
                parts.uri = uri;
                let mut own = self.own.clone();
                match own.call(Request::from_parts(parts, body)).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
            _ => self.application.answer(&parts, target, body, is_late).await,
        }
    }

    /// The answer to who may not ask: where pages are read, the form that lets one in.
    fn denied(&self, parts: &Parts, target: &str, denied: Denied) -> Response {
        let wants_page = parts.headers.get(ACCEPT).and_then(|it| it.to_str().ok());
        let wants_page = wants_page.is_some_and(|accept| accept.contains("text/html"));
        let mut response = if denied == Denied::Token && wants_page {
            // Who sent a form has to send it again: nothing is done twice.
            let reads = matches!(parts.method, Method::GET | Method::HEAD);
            login::instead_of(if reads { target } else { "/" })
        } else {
            let status = denied.status();
            let name = status.canonical_reason().unwrap_or_default();
            let answer =
                Answer::new(status, error::named(status.as_u16(), name, denied.sentence()));
            answer::dressed(answer, &parts.method, &parts.headers, &self.application.origin)
        };
        if denied == Denied::Token {
            let scheme = HeaderValue::from_static("Bearer realm=\"reshelve\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response
    }

    /// Says, as Node does, whether the connection goes on and for how long it may be idle.
    fn persist(&self, headers: &mut HeaderMap, closes: bool) {
        if headers.contains_key(CONNECTION) {
            return;
        }
        let word = if closes { "close" } else { "keep-alive" };
        headers.insert(CONNECTION, HeaderValue::from_static(word));
        let seconds = format!("timeout={}", self.idle_time.as_secs());
        if let Some(seconds) = HeaderValue::try_from(seconds).ok().filter(|_| !closes) {
            headers.insert("keep-alive", seconds);
        }
    }
}

/// What the route of a target is called where requests are counted.
fn route_name(target: &str) -> &'static str {
    let cut = Target::of(target);
    match cut.route() {
        _ if target.starts_with(SOCKETS) => "socket",
        _ if own::is_ours(cut.path) => "own",
        route => route.name(),
    }
}

/// An answer that is not the application's: a status without a body, and the connection ends.
pub(super) fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The answer to a client that calls this server by the name of another.
fn misdirected() -> Response {
    const BODY: &str = concat!(
        r#"{"message":"This server does not answer for the host that was asked for; "#,
        r#"--host adds a name to those that it has.","#,
        r#""error":"Misdirected Request","statusCode":421}"#
    );
    let mut response = Response::new(Body::from(BODY));
    *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(axum::http::header::CONTENT_TYPE, kind);
    response
}
