//! Our own routes, and the pages.

use super::operation::{HTML, JSON, PLAIN, Route};
use super::shape::{Record, Shape, named, one_of, stored, text};
use crate::ui;

const SERVER: &str = "server";
const PAGES: &str = "pages";

/// All of them.
pub(super) fn routes() -> Vec<Route> {
    let mut all = server();
    all.extend(switch());
    all.extend(login());
    all.extend(pages());
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
    let token = || Record::new().has("token", text()).and_no_more();
    let error = || [(JSON, named("Error"))];
    const FORM: &str = "application/x-www-form-urlencoded";
    const HOST: &str = "The `Host` is none of this server's names.";
    [
        Route::get("/login", SERVER, "The form that takes the token")
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

fn pages() -> Vec<Route> {
    vec![
        library("/"),
        moved("/ui"),
        moved("/ui/"),
        library("/ui/novels"),
        of_novel("/ui/novels/{job}", "One novel").shows(200, "The page.").guarded(),
        of_novel("/ui/novels/{job}/chapters/{at}", "One chapter, to read")
            .segment("at", "Which chapter, in their order, from 1.")
            .shows(200, "The page.")
            .guarded(),
        of_novel("/ui/novels/{job}/export/{form}", "One novel as a file")
            .segment("form", "`markdown` or `html`.")
            .answers(200, "The file.", &[("text/markdown", text()), (HTML, text())])
            .guarded(),
        Route::get("/ui/assets/{name}", PAGES, "Styles, the script and the picture of pages")
            .segment("name", "As pages name it.")
            .answers(200, "The file.", &files())
            .answers(400, "A segment that cannot be read.", &[(PLAIN, text())])
            .shows(404, "There is no such file.")
            .guarded(),
        Route::get("/ui/{rest}", PAGES, "Anything else below the pages")
            .segment("rest", "Any path.")
            .shows(404, "There is no such page.")
            .guarded(),
    ]
}

fn files() -> [(&'static str, Shape); 3] {
    ["text/css", "text/javascript", "image/svg+xml"].map(|kind| (kind, text()))
}

fn moved(path: &'static str) -> Route {
    Route::get(path, PAGES, "Leads to the library").shows(308, "To `/ui/novels`.").guarded()
}

fn library(path: &'static str) -> Route {
    let [sorts, marks] = [ui::sorts(), ui::marks()].map(|words| one_of(&words));
    Route::get(path, PAGES, "All novels: search, filters, orders")
        .about("What is not understood is left out, and no error.")
        .query("q", text(), "Words of a title, premise, genre, job id or legacy `_id`.")
        .query("status", text(), "Only novels of this status.")
        .query("genre", text(), "Only novels of this genre; `-` for those without one.")
        .query("era", text(), "Only novels of this era of the legacy application.")
        .query("mark", marks, "Only novels with this mark; several may be named.")
        .query("sort", sorts, "The order.")
        .query("at", text(), "Where a page begins, as the links between pages name it.")
        .shows(200, "The page.")
        .shows(500, "What is served cannot be read.")
        .guarded()
}

/// A page about one novel.
fn of_novel(path: &'static str, summary: &str) -> Route {
    Route::get(path, PAGES, summary)
        .segment("job", "The id of the job.")
        .answers(400, "A segment that cannot be read.", &[(PLAIN, text())])
        .shows(404, "There is no such novel, or no such part of it.")
        .shows(500, "What is served cannot be read.")
}
