//! The routes of the application.

use super::operation::{HTML, JSON, PLAIN, Route};
use super::shape::{Shape, either, list_of, named, one_of, stored, text, text_that};

const NOVELS: &str = "novels";
const SERVER: &str = "server";

/// All of them.
pub(super) fn routes() -> Vec<Route> {
    let mut all = vec![list(), enqueued()];
    all.extend(jobs());
    all.extend(others());
    all.extend(sockets());
    all
}

fn list() -> Route {
    let statuses = either([text(), list_of(text())]);
    let limit = text_that("A whole number from 1 to 100 as JavaScript reads it.");
    let about = "At most 50, newest `createdAt` first. With `--validation declared`, other \
                 parameters are refused.";
    let route = Route::get("/api/novel", NOVELS, "The newest jobs")
        .about(about)
        .query(
            "status",
            statuses,
            "Jobs of this status, or of one of these; queued and running where it is left out. \
             What no job has matches none.",
        )
        .query("limit", limit, "Without effect unless `--validation declared`.");
    answered(route, "JobList", false).guarded()
}

fn jobs() -> [Route; 4] {
    let route = |path, summary: &str| {
        Route::get(path, NOVELS, summary).segment("jobId", "The id of the job, compared exactly.")
    };
    let limit = text_that("A whole number from 1 to 200 as JavaScript reads it.");
    [
        answered(route("/api/novel/{jobId}", "One job"), "Job", true).guarded(),
        answered(
            route("/api/novel/{jobId}/events", "The events of a job, newest first")
                .about("At most 250. The next page is asked for with the `emittedAt` of the last.")
                .query(
                    "before",
                    text(),
                    "Only events emitted before this, compared byte by byte; no bound where it is \
                     empty.",
                )
                .query("limit", limit, "Without effect unless `--validation declared`."),
            "EventPage",
            true,
        )
        .guarded(),
        answered(
            route("/api/novel/{jobId}/metrics", "Cost, tokens and times of a job"),
            "Metrics",
            true,
        )
        .guarded(),
        answered(
            route(
                "/api/novel/{jobId}/metadata",
                "Story bible, alerts, decisions and enhancements of a job",
            ),
            "Metadata",
            true,
        )
        .guarded(),
    ]
}

/// What can come of a route that reads: an answer of this shape, and what goes wrong.
fn answered(route: Route, shape: &str, is_of_a_job: bool) -> Route {
    let headers = [
        ("ETag", "A weak entity tag, for `If-None-Match`."),
        ("X-Reshelve-Side", "`legacy` or `normalized`: which answered, where there are two."),
    ];
    let route = route
        .headed(200, "What there is.", &[(JSON, named(shape))], &headers)
        .answers(304, "The client has it already.", &[])
        .answers(
            400,
            "A segment or a body that cannot be read; parameters that are refused.",
            &[(JSON, refused())],
        );
    let route = match is_of_a_job {
        true => route.answers(404, "There is no such job.", &[(JSON, named("Error"))]),
        false => route,
    };
    with_body(route).answers(500, "It cannot be read.", &[(JSON, named("PlainError"))])
}

fn refused() -> Shape {
    either([named("Error"), named("ValidationError")])
}

/// What can come of a body, which any request may have.
fn with_body(route: Route) -> Route {
    route.answers(413, "A body above 100 KB.", &[(JSON, named("PlainError"))]).answers(
        415,
        "A body in another charset or coding.",
        &[(JSON, named("PlainError"))],
    )
}

fn enqueued() -> Route {
    let route = Route::post("/api/novel", NOVELS, "A new job, which this server does not take")
        .body(&[(JSON, stored())])
        .answers(400, "A body that cannot be read.", &[(JSON, refused())]);
    with_body(route)
        .answers(500, "There is no body.", &[(JSON, named("PlainError"))])
        .answers(503, "There is no queue behind this server.", &[(JSON, named("Error"))])
        .guarded()
}

fn others() -> [Route; 3] {
    let route = |path, summary: &str, shape: &str| {
        let route = Route::get(path, SERVER, summary)
            .answers(200, "How it stands.", &[(JSON, named(shape))])
            .answers(304, "The client has it already.", &[])
            .answers(400, "A body that cannot be read.", &[(JSON, named("Error"))]);
        with_body(route).guarded()
    };
    [
        route("/health", "Whether the server runs", "Health"),
        route("/health/ready", "Whether what it serves can be read", "Readiness"),
        route("/internal/realtime/metrics", "Sessions and subscriptions", "RealtimeMetrics"),
    ]
}

/// Socket.IO, as far as it is HTTP.
fn sockets() -> [Route; 2] {
    let parameters = |route: Route| {
        route
            .query("EIO", one_of(&["4"]), "The version of Engine.IO.")
            .query("transport", one_of(&["polling", "websocket"]), "How packets travel.")
            .query("sid", text(), "The session, after the first request.")
    };
    let refusals = |route: Route| {
        let both = [(JSON, named("SocketError")), (HTML, text())];
        route
            .answers(400, "A request that Engine.IO does not take.", &both)
            .answers(403, "There are as many sessions as are served.", &both)
            .guarded()
    };
    let about = "Message `subscribe {jobId}`: `novel.subscribed`, then the newest 250 events, \
                 oldest first. Also `unsubscribe {jobId}` and `ping`.";
    let get = parameters(Route::get("/ws/", NOVELS, "Socket.IO 4: events of a job").about(about))
        .answers(101, "The connection is a websocket from now on.", &[])
        .answers(200, "Packets.", &[(PLAIN, text())]);
    let post = parameters(Route::post("/ws/", NOVELS, "Socket.IO 4: packets of a client"))
        .body(&[(PLAIN, text())])
        .answers(200, "They are taken.", &[(HTML, text())]);
    [refusals(get), refusals(post)]
}
