//! The OpenAPI document of all routes: theirs (`application.rs`, with `answers.rs`), ours
//! (`ours.rs`) and the pages (`pages.rs`). A route that the server has and this does not name fails a test.
//!
//! The schemas are written here and not derived: answers are made from raw BSON, without types
//! that a schema could be taken from. Tests hold recorded answers against them.

mod answers;
mod application;
mod operation;
mod ours;
mod pages;
mod shape;

use std::sync::LazyLock;

use axum::response::IntoResponse;
use utoipa::openapi::path::{PathItem, PathsBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};

use super::access::COOKIE_NAME;
use operation::Route;

const ABOUT: &str = "\
The read API of the new stack, answered from migrated novels, and what this server has beside it.

- `HEAD` is answered as `GET` is, without a body. `OPTIONS` on any path of the application is \
answered 204, for browsers that ask first.
- Segments of the application's paths match in any letter case, with or without one slash at the \
end. Everything else below them is 404.
- With `--token-file`, every route but `/healthz`, `/login` and `/ui/assets` asks for the token, which \
`--open-api` lifts for the five read routes and Socket.IO. Without it, nothing can be changed: 403.
- A `Host` that is none of this server's names is answered 421. What Node refuses before an \
application sees it is answered as Node does, without a body: 400, 408, 417, 431.";

/// The document, as JSON.
pub(super) fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());
    &TEXT
}

/// Serves it.
pub(super) async fn served() -> impl IntoResponse {
    ([(axum::http::header::CONTENT_TYPE, "application/json; charset=utf-8")], text())
}

fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("reshelve serve")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    let routes = application::routes().into_iter().chain(ours::routes()).chain(pages::routes());
    let paths = routes.fold(PathsBuilder::new(), |paths, Route { path, method, operation }| {
        paths.path(path, PathItem::new(method, operation))
    });
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = answers::schemas()
        .into_iter()
        .fold(ComponentsBuilder::new(), |all, (name, shape)| all.schema(name, shape))
        .security_scheme("token", SecurityScheme::Http(bearer))
        .security_scheme(
            "cookie",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE_NAME))),
        );
    OpenApiBuilder::new()
        .info(info)
        .paths(paths.build())
        .components(Some(components.build()))
        .build()
}
