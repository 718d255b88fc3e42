//! The pages, and what lies beside them.

use super::operation::{HTML, JSON, PLAIN, Route};
use super::shape::{Shape, anything, named, one_of, stored, text};
use crate::ui;

const PAGES: &str = "pages";
const UNREADABLE: &str = "What is served cannot be read.";

/// All of them.
pub(super) fn routes() -> Vec<Route> {
    let mut all = novels();
    all.extend(origin());
    all.extend(runs());
    all.extend(commands());
    all.extend(rest());
    all
}

fn novels() -> Vec<Route> {
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
            .segment("form", "`markdown`, `html` or `epub`.")
            .answers(200, "The file.", &exports())
            .guarded(),
        Route::get("/ui/monitoring", PAGES, "All novels, added up: cost, failures, alerts")
            .shows(200, "The page.")
            .shows(500, UNREADABLE)
            .guarded(),
    ]
}

fn exports() -> [(&'static str, Shape); 3] {
    [("text/markdown", text()), (HTML, text()), ("application/epub+zip", anything())]
}

/// Where the values of a novel come from.
fn origin() -> [Route; 3] {
    [
        of_novel("/ui/novels/{job}/origin", "Where every value of a novel comes from")
            .shows(200, "The page.")
            .guarded(),
        of_novel("/ui/novels/{job}/origin/values/{at}", "One value of it, whole")
            .segment("at", "Which value, in the order of the page, from 0.")
            .shows(200, "The page.")
            .guarded(),
        of_novel("/ui/novels/{job}/origin/{file}", "What is behind it, as Extended JSON")
            .segment("file", "`legacy.json` or `residue.json`.")
            .answers(200, "The file.", &[(JSON, stored())])
            .guarded(),
    ]
}

fn runs() -> [Route; 7] {
    const AFTER: &str = "How many come before the first that is shown.";
    let kinds = || [HTML, JSON, PLAIN, "text/markdown"].map(|kind| (kind, text()));
    [
        Route::get("/ui/runs", PAGES, "The runs, newest first")
            .query("after", text(), AFTER)
            .shows(200, "The page.")
            .shows(500, UNREADABLE)
            .guarded(),
        of_run("/ui/runs/{run}", "One run").shows(200, "The page.").guarded(),
        of_run("/ui/runs/{run}/rejects", "The documents that it rejected")
            .query("after", text(), AFTER)
            .shows(200, "The page.")
            .guarded(),
        of_run("/ui/runs/{run}/rejects/{at}", "One of them, with the document")
            .segment("at", "Which one, from 0.")
            .shows(200, "The page.")
            .guarded(),
        of_run("/ui/runs/{run}/files/{name}", "A file of it, such as its report")
            .segment("name", "As the page of the run names it.")
            .answers(200, "The file.", &kinds())
            .guarded(),
        Route::get("/ui/parity", PAGES, "Whether source and target of the runs agree")
            .shows(200, "The page.")
            .shows(500, UNREADABLE)
            .guarded(),
        of_run("/ui/parity/{run}", "Whether source and target of one run agree")
            .shows(200, "The page.")
            .guarded(),
    ]
}

/// What changes a run.
fn commands() -> [Route; 2] {
    const PATH: &str = "/ui/runs/{run}/{command}";
    const FORM: &str = "application/x-www-form-urlencoded";
    const NOT_NOW: &str = "Not in the state that the run is in: the page says why.";
    let of_command = |route: Route| {
        route
            .segment("run", "The id of the run.")
            .segment("command", "`pause`, `resume`, `cancel`, `throttle` or `rollback`.")
            .answers(400, "The form lacks something, or cannot be read.", &[page(), plain()])
            .shows(404, "There is no such run, or no such command.")
            .shows(409, NOT_NOW)
            .shows(500, UNREADABLE)
    };
    [
        of_command(Route::get(PATH, PAGES, "What a command would do, and the form for it"))
            .shows(200, "The page.")
            .guarded(),
        of_command(Route::post(PATH, PAGES, "Gives a run a command, with a reason"))
            .body(&[(FORM, text())])
            .answers(303, "It is done, or has begun: to the run.", &[page()])
            .answers(
                403,
                "The server has no token, another site asks, or the form is not of this server, \
                 for the run as it is.",
                &[page(), (JSON, named("Error"))],
            )
            .answers(413, "A body above 16 KiB.", &[plain()])
            .guarded(),
    ]
}

fn page() -> (&'static str, Shape) {
    (HTML, text())
}

fn plain() -> (&'static str, Shape) {
    (PLAIN, text())
}

fn rest() -> [Route; 2] {
    [
        Route::get("/ui/assets/{name}", PAGES, "Styles, the script and the picture of pages")
            .segment("name", "As pages name it.")
            .answers(200, "The file.", &files())
            .answers(400, "A segment that cannot be read.", &[(PLAIN, text())])
            .shows(404, "There is no such file.")
            .answers(421, "The `Host` is none of this server's names.", &[(JSON, named("Error"))]),
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
    let [sorts, marks, stages] =
        [ui::sorts(), ui::marks(), ui::stages()].map(|words| one_of(&words));
    Route::get(path, PAGES, "All novels: search, filters, orders")
        .about("What is not understood is left out, and no error.")
        .query("q", text(), "Words of a title, premise, genre, job id or legacy `_id`.")
        .query("status", text(), "Only novels of this status.")
        .query("genre", text(), "Only novels of this genre; `-` for those without one.")
        .query("era", text(), "Only novels of this era of the legacy application.")
        .query(
            "created",
            text(),
            "Only novels created in this year, month or day; `-` for no time.",
        )
        .query("model", text(), "Only novels that used this model; `-` for one not recorded.")
        .query("stage", stages, "Only novels with a cost or tokens in this stage.")
        .query("response", text(), "Only novels in this group of average response times, from 0.")
        .query("mark", marks, "Only novels with this mark; several may be named.")
        .query("sort", sorts, "The order.")
        .query("at", text(), "Where a page begins, as the links between pages name it.")
        .shows(200, "The page.")
        .shows(500, UNREADABLE)
        .guarded()
}

/// A page about one novel.
fn of_novel(path: &'static str, summary: &str) -> Route {
    Route::get(path, PAGES, summary)
        .segment("job", "The id of the job.")
        .answers(400, "A segment that cannot be read.", &[(PLAIN, text())])
        .shows(404, "There is no such novel, or no such part of it.")
        .shows(500, UNREADABLE)
}

/// A page about one run.
fn of_run(path: &'static str, summary: &str) -> Route {
    Route::get(path, PAGES, summary)
        .segment("run", "The id of the run.")
        .answers(400, "A segment that cannot be read.", &[(PLAIN, text())])
        .shows(404, "There is no such run, or no such part of it.")
        .shows(500, UNREADABLE)
}
