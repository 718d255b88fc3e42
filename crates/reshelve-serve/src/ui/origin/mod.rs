//! Where everything that is stored of a novel comes from: each value of its legacy document beside
//! what became of it, the rule, and what only the residue keeps.

mod json;
mod page;
mod read;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};
use axum::routing::get;
use maud::Markup;
use reshelve::ends::JobLookup;

use super::{answered, asked, failed, not_found, respond};
use crate::sides::{Asking, RouteName, Side};
use read::Origin;

/// What is served beside the pages.
const JSON: &str = "application/json; charset=utf-8";

/// The routes of these pages.
pub(super) fn routes() -> Router<Arc<Asking>> {
    Router::new()
        .route("/ui/novels/{job}/origin", get(whole))
        .route("/ui/novels/{job}/origin/values/{at}", get(value))
        .route("/ui/novels/{job}/origin/{file}", get(file))
}

async fn whole(State(asking): State<Arc<Asking>>, Path(job): Path<String>) -> Response<Body> {
    of_novel(&asking, job, |origin| Some(page::page(origin))).await
}

async fn value(
    State(asking): State<Arc<Asking>>,
    Path((job, at)): Path<(String, String)>,
) -> Response<Body> {
    let at = at.parse().unwrap_or(usize::MAX);
    of_novel(&asking, job, move |origin| page::value(origin, at)).await
}

async fn of_novel(
    asking: &Asking,
    job: String,
    render: impl Fn(&Origin) -> Option<Markup> + Send + 'static,
) -> Response<Body> {
    let (id, sides) = (job.clone(), both(asking));
    let question = move |place: &dyn JobLookup| {
        Ok(Origin::read(place, sides.as_ref(), &id)?.and_then(|origin| render(&origin)))
    };
    answered(asking, RouteName::Detail, Some(&job), question).await
}

async fn file(
    State(asking): State<Arc<Asking>>,
    Path((job, file)): Path<(String, String)>,
) -> Response<Body> {
    let render = match file.as_str() {
        "residue.json" => json::residue,
        "legacy.json" => json::legacy,
        _ => return not_found("There is no such file."),
    };
    let (id, sides) = (job.clone(), both(&asking));
    let question = move |place: &dyn JobLookup| {
        Ok(Origin::read(place, sides.as_ref(), &id)?.and_then(|origin| render(&origin)))
    };
    match asked(&asking, RouteName::Detail, Some(&job), question).await {
        Ok(Some(text)) => respond(StatusCode::OK, JSON, text),
        Ok(None) => not_found("There is no legacy document of a novel with this job id."),
        Err(why) => failed(&why),
    }
}

/// Both sides: the legacy and the normalised one.
type Both = (Arc<dyn JobLookup>, Arc<dyn JobLookup>);

/// Both sides, if there are two: values are compared across them, whichever of them answers.
fn both(asking: &Asking) -> Option<Both> {
    asking.sides().place(Side::Legacy).zip(asking.sides().place(Side::Normalized))
}
