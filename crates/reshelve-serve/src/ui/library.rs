//! The library: all novels of a place, found, filtered, sorted, page by page.

use maud::{Markup, html};
use reshelve::ends::{JobEntry, JobFacets, JobMark, JobPage, JobTrace, Told};

use super::form::{Asked, MARKS, NONE, SORTS, TRACES};
use super::layout;
use super::words::{
    count, counted, dollars, encoded, name, plain, shown, shown_or, status_class, time_element,
};

pub(super) fn page(asked: &Asked, page: &JobPage, place: &str) -> Markup {
    let facets = &page.facets;
    let content = html! {
        h1 { "Library" }
        p.soft {
            (counted(facets.jobs, "novel", "novels"))
            @for (status, jobs) in &facets.statuses {
                " · "
                a href={ "/ui/novels?status=" (encoded(status)) } { (count(*jobs)) " " (name(status).to_lowercase()) }
            }
        }
        (filters(asked, page))
        (narrowed(asked))
        @if page.jobs.is_empty() { (empty(asked, page)) } @else { (list(asked, page)) }
    };
    layout::page("Library", Some(place), &content)
}

fn filters(asked: &Asked, page: &JobPage) -> Markup {
    let (query, facets) = (&asked.query, &page.facets);
    html! {
        form.filters role="search" action="/ui/novels" method="get" {
            label.search {
                "Search in title, premise and id"
                input type="search" name="q" value=(query.search) placeholder="A word, or a job id";
            }
            label {
                "Status"
                select name="status" {
                    option value="" { "All" }
                    @for (status, jobs) in &facets.statuses {
                        option value=(status) selected[query.status.as_ref() == Some(status)] { (name(status)) " (" (count(*jobs)) ")" }
                    }
                }
            }
            label {
                "Genre"
                select name="genre" {
                    option value="" { "All" }
                    @for (genre, jobs) in &facets.genres {
                        option value=(if genre.is_empty() { NONE } else { genre }) selected[query.genre.as_ref() == Some(genre)] {
                            @if genre.is_empty() { "None" } @else { (name(genre)) } " (" (count(*jobs)) ")"
                        }
                    }
                }
            }
            @if !facets.eras.is_empty() {
                label {
                    "Era"
                    select name="era" {
                        option value="" { "All" }
                        @for (era, jobs) in &facets.eras {
                            option value=(era) selected[query.era == Some(*era)] { (era) " (" (count(*jobs)) ")" }
                        }
                    }
                }
            }
            label {
                "Order"
                select name="sort" {
                    @for (word, label, ..) in SORTS { option value=(word) selected[word == asked.sort] { (label) } }
                }
            }
            @for ((word, label, mark), jobs) in MARKS.iter().zip([facets.in_flight, facets.failures, facets.alerts]) {
                label.mark { input type="checkbox" name="mark" value=(word) checked[query.marks.contains(mark)]; (label) " (" (count(jobs)) ")" }
            }
            @for (word, label, trace) in TRACES {
                @if let Some(jobs) = offered(facets, trace) {
                    label.mark { input type="checkbox" name="mark" value=(word) checked[query.traces.contains(&trace)]; (label) (jobs) }
                }
            }
            @for ((name, value), _) in asked.narrowed() { input type="hidden" name=(name) value=(value); }
            button type="submit" { "Show" }
            @if !asked.is_everything() { a.button href="/ui/novels" { "Clear" } }
        }
    }
}

/// How many novels have a trace, in words that may be none yet; nothing where the place cannot tell.
fn offered(facets: &JobFacets, trace: JobTrace) -> Option<String> {
    match facets.traces[trace.index()] {
        Told::Never => None,
        Told::WhenAsked => Some(String::new()),
        Told::Jobs(jobs) => Some(format!(" ({})", count(jobs))),
    }
}

/// What this place cannot tell, and was asked for.
fn untold(asked: &Asked, facets: &JobFacets) -> Markup {
    let is_untold = |trace: &&JobTrace| facets.traces[trace.index()] == Told::Never;
    html! {
        @for trace in asked.query.traces.iter().filter(is_untold) {
            p { @match trace {
                JobTrace::Warned => "This place cannot tell which novels have mapping warnings. A target can, and a legacy source.",
                JobTrace::Edited => "This place cannot tell which novels were edited since their mapping. A target can.",
            } }
        }
    }
}

/// The filters for which the form has no field, and how to leave each.
fn narrowed(asked: &Asked) -> Markup {
    let narrowed = asked.narrowed();
    html! {
        @if !narrowed.is_empty() {
            ul.narrowed aria-label="Further filters" {
                @for (filter, words) in &narrowed {
                    li { "Only novels " (words) " " a href=(asked.address_without(filter)) { "Show others too" } }
                }
            }
        }
    }
}

fn empty(asked: &Asked, page: &JobPage) -> Markup {
    html! {
        div.empty {
            @if page.facets.jobs == 0 {
                p { strong { "This place has no novels yet." } }
                p { "Fill it with " code { "reshelve run SOURCE TARGET --apply" } ", then load this page again." }
            } @else if page.matched > 0 {
                p { strong { "There is nothing on this page any more." } }
                p { "The novels changed meanwhile. " a href="/ui/novels" { "Begin at the first page" } "." }
            } @else if asked.is_everything() {
                p { strong { "No novel is listed." } }
            } @else {
                p { strong { "No novel matches." } }
                (untold(asked, &page.facets))
                p { "Use fewer words or filters, or " a href="/ui/novels" { "show all novels" } "." }
            }
        }
    }
}

fn list(asked: &Asked, page: &JobPage) -> Markup {
    let last = page.first + u64::try_from(page.jobs.len()).unwrap_or(0);
    html! {
        p.count role="status" {
            (count(page.first + 1)) "–" (count(last)) " of " (counted(page.matched, "novel", "novels"))
            @if !asked.is_everything() { " that match" }
        }
        ol.novels { @for job in &page.jobs { li { (entry(job)) } } }
        nav.pages aria-label="Pages of the list" {
            @if let Some(cursor) = &page.previous { a.button rel="prev" href=(asked.address(cursor)) { "← Previous" } } @else { span {} }
            @if let Some(cursor) = &page.next { a.button rel="next" href=(asked.address(cursor)) { "Next →" } }
        }
    }
}

fn entry(job: &JobEntry) -> Markup {
    let [critical, warning, other] = job.alerts;
    let alerts = u64::from(critical) + u64::from(warning) + u64::from(other);
    html! {
        div {
            h2 { a href={ "/ui/novels/" (encoded(&job.job_id)) } { (shown_or(&job.title, "Without a title")) } }
            @if !job.premise.trim().is_empty() { p.soft { (shown(&job.premise)) } }
            div.about {
                span class=(status_class(&job.status)) { (name(&job.status)) }
                @if !job.genre.is_empty() { span { (name(&job.genre)) } }
                @if job.marks.contains(&JobMark::Failures) { span.badge.bad { "failures" } }
                @if job.traces.contains(&JobTrace::Edited) { span.badge.open { "edited since" } }
                @if job.traces.contains(&JobTrace::Warned) { span.badge { "mapping warnings" } }
                @if alerts > 0 {
                    span class=(if critical > 0 { "badge bad" } else if warning > 0 { "badge open" } else { "badge" }) {
                        (counted(alerts, "alert", "alerts"))
                        @if critical > 0 { ", " (critical) " critical" }
                    }
                }
                @if let Some(era) = job.era { span { "Era " (era) } }
                code title="job id" { (plain(&job.job_id)) }
            }
        }
        div.side {
            span.words { (counted(job.words, "word", "words")) }
            span { (job.chapters) " of " (counted(u64::from(job.chapters_planned), "chapter", "chapters")) }
            span.figure { (dollars(job.cost_usd)) }
            (time_element(job.created_ms))
        }
    }
}
