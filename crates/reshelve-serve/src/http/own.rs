//! Our own routes, beside those of the application. The one place where more are added: pages
//! under `/ui`, our richer API under `/api/reshelve`, `/admin`. Each has to be described in
//! `openapi/` too.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use reshelve::ends::{EndError, JobLookup};

use super::access::{Access, LOGIN};
use super::admin::{self, Admin, PERSISTENCE};
use super::login;
use super::measures::Measures;
use super::openapi;
use crate::present::error;
use crate::runs::Runs;
use crate::shadow::Shadow;
use crate::sides::{Answered, Asking, Audit, RouteName};
use crate::ui;

/// Paths that are ours: these, and what is below them; and the root.
const OURS: [&str; 8] =
    ["/healthz", "/readyz", "/metrics", OPENAPI, "/admin", "/api/reshelve", "/ui", LOGIN];
/// The description of all routes.
const OPENAPI: &str = "/openapi.json";
/// What has come of shadow reads.
const SHADOW: &str = "/api/reshelve/shadow";

/// Whether a path is one of ours.
pub(super) fn is_ours(path: &str) -> bool {
    path == "/"
        || OURS.iter().any(|ours| {
            path.strip_prefix(ours).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

/// What the routes need.
pub(super) struct Ours {
    pub(super) asking: Arc<Asking>,
    pub(super) measures: Measures,
    pub(super) access: Access,
    pub(super) audit: Audit,
    pub(super) runs: Arc<dyn Runs>,
}

/// The routes.
pub(super) fn router(ours: Ours, shadow: Option<Arc<Shadow>>) -> Router {
    let Ours { asking, measures, access, audit, runs } = ours;
    let confirming = access.confirming();
    let (asks, told) = (Arc::clone(&asking), audit.clone());
    let shadowed_by = shadow.as_ref().map(|shadow| Arc::clone(&shadow.counts));
    let shown = ui::Shown { asking: asks, runs, confirming, audit: told, shadow: shadowed_by };
    let admin = Admin { asking: Arc::clone(&asking), audit };
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz).with_state(Arc::clone(&asking)))
        .route("/metrics", get(metrics).with_state((measures, Arc::clone(&asking))))
        .route(OPENAPI, get(openapi::served))
        .route(LOGIN, get(login::form).post(login::log_in).with_state(access))
        .route(SHADOW, get(shadowed).with_state(shadow))
        .route(PERSISTENCE, get(admin::shown).post(admin::turned).with_state(admin))
        .layer(DefaultBodyLimit::max(login::BODY_BYTES_MAX))
        .merge(ui::router(shown))
}

/// Whether the server runs at all.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether what it serves can be read, and which side is left alone for a while.
async fn readyz(State(asking): State<Arc<Asking>>) -> (StatusCode, String) {
    let (status, mut told) = match asking.is_readable().await {
        true => (StatusCode::OK, "ready\n".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned()),
    };
    for (side, seconds) in asking.paused() {
        let other = side.other();
        told.push_str(&format!(
            "the {side} side took long to fail: it is left alone for {seconds} more s, and the \
             {other} side answers\n"
        ));
    }
    (status, told)
}

/// What has come of shadow reads; 404 where none are asked for.
async fn shadowed(State(shadow): State<Option<Arc<Shadow>>>) -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "application/json; charset=utf-8")];
    match shadow {
        Some(shadow) => (StatusCode::OK, kind, shadow.counts.json().to_string().into_bytes()),
        None => {
            let why = "This server makes no shadow reads: it was started without --shadow.";
            (StatusCode::NOT_FOUND, kind, error::named(404, "Not Found", why))
        }
    }
}

/// What Prometheus reads. Figures of runs are read from files: beside the threads that serve
/// connections.
async fn metrics(State((measures, asking)): State<(Measures, Arc<Asking>)>) -> Response<Body> {
    const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let question = move |_: &dyn JobLookup| Ok::<_, EndError>(measures.text());
    match asking.ask(RouteName::List, None, question, |_| false).await {
        Ok(Answered { value: Ok(text), .. }) => ([(CONTENT_TYPE, KIND)], text).into_response(),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
