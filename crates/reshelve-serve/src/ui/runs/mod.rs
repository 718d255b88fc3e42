//! The runs: a list, a page for each, its rejects and files.

mod change;
mod change_page;
mod list;
mod page;
mod parts;
mod rejects;
mod told;
pub(super) mod words;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use axum::http::{Response, StatusCode, Uri};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::Markup;
use reshelve::ends::JobLookup;

use super::{HTML, Page, answered, form, layout, not_found, respond};
use crate::runs::{Confirming, RunFile, Runs};
use crate::shadow::Counts;
use crate::sides::{Asking, Audit, RouteName};

/// How many runs a page of the list has.
const PAGE_RUNS: usize = 50;
/// How many rejects a page of them has.
const PAGE_REJECTS: usize = 50;
/// How many rejects the page of a run shows.
const FIRST_REJECTS: usize = 10;
/// Without a script, a page of a run at work is loaded again after so many seconds.
const AGAIN_AFTER_S: u32 = 5;

/// What the pages need.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) asking: Arc<Asking>,
    pub(crate) runs: Arc<dyn Runs>,
    pub(crate) confirming: Confirming,
    pub(crate) audit: Audit,
    /// What came of shadow reads; none where none are made.
    pub(crate) shadow: Option<Arc<Counts>>,
}

/// The routes.
pub(super) fn router(shown: Shown) -> Router {
    Router::new()
        .route("/ui/runs", get(list))
        .route("/ui/runs/{run}", get(run))
        .route("/ui/runs/{run}/rejects", get(rejects))
        .route("/ui/runs/{run}/rejects/{at}", get(reject))
        .route("/ui/runs/{run}/files/{name}", get(file))
        .route("/ui/runs/{run}/{command}", get(change::form).post(change::make))
        .layer(DefaultBodyLimit::max(change::BODY_BYTES_MAX))
        .with_state(shown)
}

impl Shown {
    /// Asks for something beside the threads that serve connections, and shows it with the name of
    /// the place that is served.
    pub(super) async fn page<T: Send + 'static>(
        &self,
        ask: impl Fn(&dyn Runs) -> Result<Option<T>, String> + Send + 'static,
        render: impl Fn(&T, &str) -> Markup + Send + 'static,
    ) -> Response<Body> {
        let runs = Arc::clone(&self.runs);
        let question = move |place: &dyn JobLookup| {
            let name = place.name();
            Ok(Told(ask(&*runs).map(|found| found.map(|found| render(&found, &name)))))
        };
        answered(&self.asking, RouteName::List, None, question).await
    }
}

/// A page, nothing where there is none, or why it cannot be shown.
struct Told(Result<Option<Markup>, String>);

impl Page for Told {
    fn response(self) -> Response<Body> {
        match self.0 {
            Ok(Some(page)) => page.response(),
            Ok(None) => not_found("There is no such run."),
            Err(why) => {
                let page = layout::failed(&why).into_string();
                respond(StatusCode::INTERNAL_SERVER_ERROR, HTML, page)
            }
        }
    }
}

/// A number in a query.
fn number_of(uri: &Uri, name: &str) -> u64 {
    let query = uri.query().unwrap_or_default();
    let found = form::pairs(query).find(|(other, _)| other == name);
    found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

async fn list(State(shown): State<Shown>, uri: Uri) -> Response<Body> {
    let after = number_of(&uri, "after");
    let ask = move |runs: &dyn Runs| runs.newest(after, PAGE_RUNS).map(Some);
    shown.page(ask, move |found, place| list::page(found, after, place)).await
}

async fn run(State(shown): State<Shown>, Path(id): Path<String>) -> Response<Body> {
    let ask = move |runs: &dyn Runs| {
        let Some(page) = runs.run(&id)? else { return Ok(None) };
        let rejects = runs.rejects(&id, 0, FIRST_REJECTS)?.unwrap_or_default();
        Ok(Some((page, rejects)))
    };
    shown.page(ask, |(found, rejects), place| page::page(found, rejects, place)).await
}

async fn rejects(State(shown): State<Shown>, Path(id): Path<String>, uri: Uri) -> Response<Body> {
    let after = number_of(&uri, "after");
    let name = id.clone();
    let ask = move |runs: &dyn Runs| runs.rejects(&name, after, PAGE_REJECTS);
    shown.page(ask, move |found, place| rejects::list(&id, found, after, place)).await
}

async fn reject(
    State(shown): State<Shown>,
    Path((id, at)): Path<(String, String)>,
) -> Response<Body> {
    let Ok(at) = at.parse() else { return not_found("There is no such reject.") };
    let name = id.clone();
    let ask = move |runs: &dyn Runs| runs.reject(&name, at);
    shown.page(ask, move |found, place| rejects::one(&id, at, found, place)).await
}

async fn file(
    State(shown): State<Shown>,
    Path((id, name)): Path<(String, String)>,
) -> Response<Body> {
    let runs = Arc::clone(&shown.runs);
    let question = move |_: &dyn JobLookup| Ok(Sent(runs.file(&id, &name)));
    answered(&shown.asking, RouteName::List, None, question).await
}

/// A file as an answer.
struct Sent(Result<Option<RunFile>, String>);

impl Page for Sent {
    fn response(self) -> Response<Body> {
        let file = match self.0 {
            Ok(Some(file)) => file,
            Ok(None) => return not_found("There is no such file."),
            Err(why) => return Told(Err(why)).response(),
        };
        let styles = file.style_sha256.map_or_else(String::new, |hash| {
            format!("; style-src 'sha256-{}'", STANDARD.encode(hash))
        });
        // It may hold anything: nothing in it is run, loaded or sent, and it is nobody's origin.
        let policy =
            format!("default-src 'none'{styles}; base-uri 'none'; frame-ancestors 'none'; sandbox");
        let mut response = respond(StatusCode::OK, file.content_type, file.bytes);
        if let Ok(policy) = HeaderValue::try_from(policy) {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}
