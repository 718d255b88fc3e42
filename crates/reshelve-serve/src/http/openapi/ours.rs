//! Our own routes, without the pages.

use super::operation::{JSON, PLAIN, Route};
use super::shape::{Record, named, stored, text};

const SERVER: &str = "server";

/// All of them.
pub(super) fn routes() -> Vec<Route> {
    let mut all = server();
    all.extend(switch());
    all.extend(login());
    all
}

fn server() -> Vec<Route> {
    const METRICS: &str = "application/openmetrics-text";
    let misdirected = "The `Host` is none of this server's names.";
    let get = |path, summary: &str| Route::get(path, SERVER, summary);
    vec![
        get("/healthz", "Whether the server runs; needs no token")
            .answers(200, "It does.", &[(PLAIN, text())])
            .answers(421, misdirected, &[(JSON, named("Error"))]),
        get("/readyz", "Whether what it serves can be read")
            .answers(200, "It can.", &[(PLAIN, text())])
            .answers(503, "It cannot.", &[(PLAIN, text())])
            .guarded(),
        get("/metrics", "Counts and times of requests, for Prometheus")
            .answers(200, "The text form of OpenMetrics 1.0.", &[(METRICS, text())])
            .guarded(),
        get("/openapi.json", "This document")
            .answers(200, "OpenAPI 3.1.", &[(JSON, stored())])
            .guarded(),
        get("/api/reshelve/shadow", "What has come of shadow reads")
            .answers(200, "Counts and examples.", &[(JSON, named("Shadow"))])
            .answers(404, "There are no shadow reads.", &[(JSON, named("Error"))])
            .guarded(),
    ]
}

fn switch() -> [Route; 2] {
    let shown = || [(JSON, named("Persistence"))];
    let error = || [(JSON, named("Error"))];
    const PATH: &str = "/admin/persistence";
    const ONE: &str = "One place is served: there is nothing to switch between.";
    [
        Route::get(PATH, SERVER, "Which side answers")
            .answers(200, "How the switch stands.", &shown())
            .answers(409, ONE, &error())
            .guarded(),
        Route::post(PATH, SERVER, "Turns the switch between the sides")
            .about("Who names `persistence` means everything: other routes and a share are gone.")
            .body(&[(JSON, named("PersistenceChange"))])
            .answers(200, "How it stands now, and how it stood before.", &shown())
            .answers(400, "The body cannot be read, or asks for nothing.", &error())
            .answers(409, ONE, &error())
            .answers(413, "A body above 16 KiB.", &[(PLAIN, text())])
            .guarded_change(),
    ]
}

fn login() -> [Route; 2] {
    let token = || Record::new().has("token", text()).may_have("to", text()).and_no_more();
    let error = || [(JSON, named("Error"))];
    const FORM: &str = "application/x-www-form-urlencoded";
    const HOST: &str = "The `Host` is none of this server's names.";
    [
        Route::get("/login", SERVER, "The form that takes the token")
            .query("to", text(), "The path of this server to go to afterwards.")
            .shows(200, "The form.")
            .answers(421, HOST, &error()),
        Route::post("/login", SERVER, "Takes the token, and gives a cookie for it")
            .body(&[(FORM, token()), (JSON, token())])
            .answers(303, "The cookie, and where to go.", &[])
            .shows(401, "The form again: this is not the token.")
            .answers(403, "The server has no token, or another site asks.", &error())
            .answers(413, "A body above 16 KiB.", &[(PLAIN, text())])
            .answers(421, HOST, &error()),
    ]
}
