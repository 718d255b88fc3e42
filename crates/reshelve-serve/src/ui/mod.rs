//! The pages for people: the library and each novel, from target documents as they are. Rendered
//! here, with everything that they need in the binary: nothing is loaded from anywhere else, and
//! nothing of a document is markup.

mod assets;
mod bars;
mod export;
mod form;
mod layout;
mod library;
mod login;
mod monitoring;
mod novel;
mod origin;
mod parity;
mod period;
mod read;
mod runs;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Response, StatusCode, Uri};
use axum::middleware::map_response;
use axum::routing::get;
use maud::Markup;
use reshelve::ends::{EndError, JobLookup};

use crate::sides::{Asking, RouteName, now_ms};
use novel::Novel;

pub(crate) use runs::Shown;

/// Where the files are that pages load: they say nothing of what is served.
pub(crate) const ASSETS: &str = "/ui/assets/";

/// The page that asks for the token; `to` is where its reader wanted to go.
pub(crate) fn login(status: StatusCode, to: &str, is_wrong: bool) -> Response<Body> {
    let mut response = respond(status, HTML, login::page(to, is_wrong).into_string());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with_harmless_headers(response)
}

/// What a page may do: load styles, the script and pictures from here, load itself again, and send
/// its form here.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const HTML: &str = "text/html; charset=utf-8";

/// The routes of the pages.
pub(crate) fn router(shown: Shown) -> Router {
    let asking = Arc::clone(&shown.asking);
    Router::new()
        .route("/", get(library))
        .route("/ui", get(|| async { moved("/ui/novels") }))
        .route("/ui/", get(|| async { moved("/ui/novels") }))
        .route("/ui/novels", get(library))
        .route("/ui/novels/{job}", get(novel))
        .route("/ui/novels/{job}/chapters/{at}", get(chapter))
        .route("/ui/novels/{job}/export/{form}", get(exported))
        .merge(origin::routes())
        .route("/ui/monitoring", get(monitoring::page))
        .route("/ui/assets/{name}", get(asset))
        .route("/ui/{*rest}", get(|| async { not_found("There is no such page.") }))
        .with_state(asking)
        .merge(parity::router(shown.clone()))
        .merge(runs::router(shown))
        .route_layer(map_response(harmless))
}

/// The words for the orders of the library.
pub(crate) fn sorts() -> Vec<&'static str> {
    form::SORTS.iter().map(|(word, ..)| *word).collect()
}

/// The words for the marks by which the library is filtered.
pub(crate) fn marks() -> Vec<&'static str> {
    let traces = form::TRACES.iter().map(|(word, ..)| *word);
    form::all_marks().map(|(word, ..)| word).chain(traces).chain([form::STUCK]).collect()
}

/// The words for the stages by which the library is filtered.
pub(crate) fn stages() -> Vec<&'static str> {
    form::STAGES.iter().map(|(word, ..)| *word).collect()
}

async fn library(State(asking): State<Arc<Asking>>, uri: Uri) -> Response<Body> {
    let asked = form::Asked::of(uri.query().unwrap_or_default(), now_ms());
    let question = move |place: &dyn JobLookup| {
        let page = place.page(&asked.query)?;
        Ok(library::page(&asked, &page, &place.name()))
    };
    answered(&asking, RouteName::List, None, question).await
}

async fn novel(State(asking): State<Arc<Asking>>, Path(job): Path<String>) -> Response<Body> {
    of_novel(&asking, job, |novel| Some(novel::page(novel))).await
}

async fn chapter(
    State(asking): State<Arc<Asking>>,
    Path((job, at)): Path<(String, String)>,
) -> Response<Body> {
    let at = at.parse().unwrap_or(0);
    of_novel(&asking, job, move |novel| novel::chapter(novel, at)).await
}

/// A page of one novel; the page that says so where there is none.
async fn of_novel(
    asking: &Asking,
    job: String,
    render: impl Fn(&Novel) -> Option<Markup> + Send + 'static,
) -> Response<Body> {
    let id = job.clone();
    let question =
        move |place: &dyn JobLookup| Ok(Novel::read(place, &id)?.and_then(|novel| render(&novel)));
    answered(asking, RouteName::Detail, Some(&job), question).await
}

async fn exported(
    State(asking): State<Arc<Asking>>,
    Path((job, form)): Path<(String, String)>,
) -> Response<Body> {
    let Some(form) = export::Form::of(&form) else {
        return not_found("A novel can be exported as markdown, html or epub.");
    };
    let id = job.clone();
    let question = move |place: &dyn JobLookup| {
        Ok(Novel::read(place, &id)?
            .map(|novel| (export::file_name(&novel, form), export::render(&novel, form))))
    };
    match asked(&asking, RouteName::Detail, Some(&job), question).await {
        Ok(Some((_, Err(why)))) | Err(why) => failed(&why),
        Ok(Some((name, Ok(bytes)))) => {
            let mut response = respond(StatusCode::OK, form.content_type(), bytes);
            let disposition = format!("attachment; filename=\"{name}\"");
            if let Ok(value) = HeaderValue::try_from(disposition) {
                response.headers_mut().insert(CONTENT_DISPOSITION, value);
            }
            response
        }
        Ok(None) => not_found("There is no novel with this job id."),
    }
}

async fn asset(Path(name): Path<String>) -> Response<Body> {
    let Some(asset) = assets::find(&name) else { return not_found("There is no such file.") };
    let mut response = respond(StatusCode::OK, asset.content_type, asset.content.to_owned());
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(CACHE_CONTROL, forever);
    response
}

/// What a page answers with: a page, or nothing where what it is about is not there.
trait Page {
    fn response(self) -> Response<Body>;
}

impl Page for Markup {
    fn response(self) -> Response<Body> {
        respond(StatusCode::OK, HTML, self.into_string())
    }
}

impl Page for Option<Markup> {
    fn response(self) -> Response<Body> {
        self.map_or_else(|| not_found("There is no novel with this job id."), Page::response)
    }
}

async fn answered<T: Page + Send + 'static>(
    asking: &Asking,
    route: RouteName,
    job: Option<&str>,
    question: impl Fn(&dyn JobLookup) -> Result<T, EndError> + Send + 'static,
) -> Response<Body> {
    asked(asking, route, job, question).await.map_or_else(|why| failed(&why), Page::response)
}

async fn asked<T: Send + 'static>(
    asking: &Asking,
    route: RouteName,
    job: Option<&str>,
    question: impl Fn(&dyn JobLookup) -> Result<T, EndError> + Send + 'static,
) -> Result<T, String> {
    match asking.ask(route, job, question, |_| true).await {
        Ok(answered) => answered.value.map_err(|error| error.to_string()),
        Err(unanswered) => Err(unanswered.0),
    }
}

fn not_found(why: &str) -> Response<Body> {
    respond(StatusCode::NOT_FOUND, HTML, layout::not_found(why).into_string())
}

fn failed(why: &str) -> Response<Body> {
    respond(StatusCode::INTERNAL_SERVER_ERROR, HTML, layout::failed(why).into_string())
}

fn moved(to: &'static str) -> Response<Body> {
    let mut response = respond(StatusCode::PERMANENT_REDIRECT, HTML, String::new());
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(to));
    response
}

/// An answer with a body.
fn respond(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The same answer with the headers that all of these routes have, refusals included.
async fn harmless(response: Response<Body>) -> Response<Body> {
    with_harmless_headers(response)
}

fn with_harmless_headers(mut response: Response<Body>) -> Response<Body> {
    const HEADERS: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-cache"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
