//! Our own routes, beside those of the application. The one place where more are added: pages
//! under `/ui`, our richer API under `/api/reshelve`, `/admin`, `/openapi.json`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::access::{Access, LOGIN};
use super::admin::{self, Admin, PERSISTENCE};
use super::login;
use super::measures::Measures;
use crate::sides::{Asking, Audit};

/// Paths that are ours: these, and what is below them.
const OURS: [&str; 5] = ["/healthz", "/readyz", "/metrics", "/admin", LOGIN];

/// Whether a path is one of ours.
pub(super) fn is_ours(path: &str) -> bool {
    OURS.iter().any(|ours| {
        path.strip_prefix(ours).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The routes.
pub(super) fn router(
    asking: Arc<Asking>,
    measures: Measures,
    access: Access,
    audit: Audit,
) -> Router {
    let admin = Admin { asking: Arc::clone(&asking), audit };
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz).with_state(asking))
        .route("/metrics", get(metrics).with_state(measures))
        .route(LOGIN, get(login::form).post(login::log_in).with_state(access))
        .route(PERSISTENCE, get(admin::shown).post(admin::turned).with_state(admin))
        .layer(DefaultBodyLimit::max(login::BODY_BYTES_MAX))
}

/// Whether the server runs at all.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether what it serves can be read.
async fn readyz(State(asking): State<Arc<Asking>>) -> (StatusCode, &'static str) {
    match asking.is_readable().await {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

/// What Prometheus reads.
async fn metrics(State(measures): State<Measures>) -> impl IntoResponse {
    const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, KIND)], measures.text())
}
