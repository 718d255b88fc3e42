//! The monitoring page: what all novels of a place cost, how far they are, and what failed. It shows
//! sums that were made with the catalogue; every bar leads to the novels behind it.

mod time;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use maud::{Markup, html};
use reshelve::ends::{
    JobLookup, JobMark, JobPage, JobQuery, JobSort, JobSums, JobTotals, SortOrder,
};

use super::bars::{Bars, Row};
use super::form::{self, NONE, STAGES, STUCK, STUCK_AFTER_MS};
use super::words::{
    count, counted, decimal, dollars, duration, encoded, float, name, plain, shown_or,
    status_class, time_element,
};
use super::{answered, layout};
use crate::sides::{Asking, RouteName, now_ms};

/// How many stuck novels the page names.
const STUCK_SHOWN: usize = 10;

/// What the page shows.
struct Shown {
    totals: Arc<JobTotals>,
    /// The first of the novels that are stuck, the longest ones first.
    stuck: JobPage,
    /// The server's clock, in milliseconds since 1970.
    now_ms: i64,
}

pub(super) async fn page(State(asking): State<Arc<Asking>>) -> Response<Body> {
    let question = |place: &dyn JobLookup| {
        let now_ms = now_ms();
        let query = JobQuery {
            idle_since_ms: Some(now_ms - STUCK_AFTER_MS),
            sort: JobSort::Activity,
            order: SortOrder::Ascending,
            limit: STUCK_SHOWN,
            ..JobQuery::default()
        };
        let shown = Shown { totals: place.totals()?, stuck: place.page(&query)?, now_ms };
        Ok(rendered(&shown, &place.name()))
    };
    answered(&asking, RouteName::List, None, question).await
}

fn rendered(shown: &Shown, place: &str) -> Markup {
    let totals = &shown.totals;
    let parts: [(&str, &str, Markup); 9] = [
        ("time", "Over time", time::section(totals)),
        ("status", "Status", statuses(totals)),
        ("stuck", "Stuck", stuck(shown)),
        ("failures", "Failures", failures(totals)),
        ("alerts", "Alerts", alerts(totals)),
        ("stages", "Stages", stages(totals)),
        ("models", "Models", models(totals)),
        ("genres", "Genres and eras", genres(totals)),
        ("latency", "Latency", latency(totals)),
    ];
    let content = html! {
        h1 { "Monitoring" }
        p.soft { "All novels of this place, added up. Every bar leads to the novels behind it." }
        @if totals.all.jobs == 0 {
            div.empty { p { strong { "This place has no novels yet." } } p { a href="/ui/novels" { "To the library" } } }
        } @else {
            (tiles(shown))
            nav.parts aria-label="Parts of this page" { @for (anchor, name, _) in &parts { a href={ "#" (anchor) } { (name) } } }
            @for (anchor, name, content) in &parts {
                section aria-labelledby=(anchor) { h2 id=(anchor) { (name) } (content) }
            }
        }
    };
    layout::page("Monitoring", Some(place), &content)
}

fn tiles(shown: &Shown) -> Markup {
    let totals = &shown.totals;
    let tile = |class: &'static str, name: &str, value: String, query: &str| {
        html! { li class=(class) { a href={ "/ui/novels" (query) } { span.value { (value) } " " span.name { (name) } } } }
    };
    let marked = |class, name: &str, jobs: u64, mark: &str| {
        let class = if jobs > 0 { class } else { "" };
        tile(class, name, count(jobs), &format!("?mark={mark}"))
    };
    html! {
        ul.tiles {
            (tile("", "novels", count(totals.all.jobs), ""))
            (tile("", "cost", dollars(totals.all.cost_usd), "?sort=dearest"))
            (tile("", "tokens", decimal(totals.all.tokens), ""))
            (marked("", "in flight", totals.in_flight, "in-flight"))
            (marked("open", "stuck", shown.stuck.matched, STUCK))
            (marked("bad", "with failures", totals.with_failures, "failures"))
            (marked("bad", "with critical alerts", totals.with_mark(JobMark::Critical), "critical"))
        }
    }
}

/// The address of the novels with a filter.
fn novels(filter: &str, value: &str) -> String {
    format!("/ui/novels?{filter}={}", encoded(value))
}

/// The row of some jobs: jobs, cost, tokens, failed ones. The bar shows `value`.
fn row(name: Markup, link: Option<String>, sums: &JobSums, value: f64) -> Row {
    let cells =
        vec![dollars(sums.cost_usd), count(sums.jobs), decimal(sums.tokens), count(sums.failed)];
    Row { name, link, value, cells, class: "" }
}

const SUM_HEADS: [&str; 4] = ["Cost", "Novels", "Tokens", "Failed"];

/// The rows of all names, the dearest first, and one of what is not told apart.
fn rows<K>(
    all: &[(K, JobSums)],
    of: &JobSums,
    filter: &str,
    words: impl Fn(&K) -> (Markup, String),
) -> Vec<Row> {
    let mut sorted: Vec<&(K, JobSums)> = all.iter().collect();
    sorted.sort_by(|(_, one), (_, other)| other.cost_usd.total_cmp(&one.cost_usd));
    let mut rest = *of;
    let mut rows = Vec::with_capacity(sorted.len() + 1);
    for (key, sums) in sorted {
        let (name, value) = words(key);
        rows.push(row(name, Some(novels(filter, &value)), sums, sums.cost_usd));
        rest -= *sums;
    }
    if rest.jobs > 0 {
        rows.push(row(html! { "All others" }, None, &rest, rest.cost_usd));
    }
    rows
}

fn statuses(totals: &JobTotals) -> Markup {
    let row = |(status, sums): &(String, JobSums)| Row {
        name: html! { span class=(status_class(status)) { (name(status)) } },
        link: Some(novels("status", status)),
        value: float(sums.jobs),
        cells: vec![count(sums.jobs), dollars(sums.cost_usd), decimal(sums.tokens)],
        class: match &status[..] {
            "completed" => "good",
            "failed" => "bad",
            "running" => "open",
            _ => "",
        },
    };
    let heads = ["Novels", "Cost", "Tokens"];
    let rows = totals.statuses.iter().map(row).collect();
    Bars { caption: "Novels by status", of: "Status", heads: &heads, rows }.render()
}

fn stuck(shown: &Shown) -> Markup {
    let JobPage { jobs, matched, .. } = &shown.stuck;
    html! {
        p {
            "A novel is stuck if it is queued or running and showed no activity for more than 2 hours, by this server's clock: "
            (time_element(Some(shown.now_ms))) ". A migrated novel that was in flight is stuck for as long as it stays so: nothing works on it any more."
        }
        @if jobs.is_empty() { p.none { "No novel is stuck." } } @else {
            div.table tabindex="0" role="group" aria-label="Stuck novels" { table {
                caption { "The longest first: " (jobs.len()) " of " (counted(*matched, "novel", "novels")) }
                thead { tr { th scope="col" { "Novel" } th scope="col" { "Status" } th scope="col" { "Last activity" } th.number scope="col" { "Since then" } } }
                tbody { @for job in jobs { tr {
                    th scope="row" { a href={ "/ui/novels/" (encoded(&job.job_id)) } { (shown_or(&job.title, "Without a title")) } }
                    td { span class=(status_class(&job.status)) { (name(&job.status)) } }
                    td { (time_element(job.activity_ms)) }
                    td.number { @if let Some(ms) = job.activity_ms { (since(shown.now_ms.saturating_sub(ms))) } @else { "—" } }
                } } }
            } }
            @if *matched > u64::try_from(jobs.len()).unwrap_or(0) {
                p { a href=(novels("mark", STUCK)) { "All " (count(*matched)) " stuck novels" } }
            }
        }
    }
}

/// A length of time, in days where it is long.
fn since(ms: i64) -> String {
    const DAY_MS: i64 = 86_400_000;
    match ms / DAY_MS {
        0 | 1 => duration(float(u64::try_from(ms).unwrap_or(0))),
        days => counted(u64::try_from(days).unwrap_or(0), "day", "days"),
    }
}

fn failures(totals: &JobTotals) -> Markup {
    let bar = |name: &str, (filter, value): (&str, &str), jobs: u64| Row {
        name: html! { (name) },
        link: Some(novels(filter, value)),
        value: float(jobs),
        cells: vec![count(jobs)],
        class: "bad",
    };
    let rows = vec![
        bar("Failed novels", ("status", "failed"), totals.all.failed),
        bar(
            "Novels with failed chapters",
            ("mark", "failed-chapters"),
            totals.with_failed_chapters,
        ),
        bar("Novels with any failure", ("mark", "failures"), totals.with_failures),
    ];
    html! {
        (Bars { caption: "Novels with failures", of: "What failed", heads: &["Novels"], rows }.render())
        p.soft {
            (counted(totals.failed_chapters, "chapter", "chapters")) " failed in "
            (counted(totals.with_failed_chapters, "novel", "novels"))
            ". A novel may be in more than one row."
        }
    }
}

fn alerts(totals: &JobTotals) -> Markup {
    let severities =
        [("Critical", "critical", "bad"), ("Warning", "warning", "open"), ("Other", "notice", "")];
    let rows = severities.iter().zip(totals.alerts).map(|((name, mark, class), sums)| Row {
        name: html! { (name) },
        link: Some(novels("mark", mark)),
        value: float(sums.alerts),
        cells: vec![count(sums.alerts), count(sums.jobs)],
        class,
    });
    let (heads, rows) = (["Alerts", "Novels"], rows.collect());
    html! {
        @if totals.with_mark(JobMark::Alerts) == 0 { p.none { "No novel has continuity alerts." } } @else {
            (Bars { caption: "Continuity alerts by severity", of: "Severity", heads: &heads, rows }.render())
        }
    }
}

fn stages(totals: &JobTotals) -> Markup {
    let rows = STAGES.iter().filter_map(|(word, label, stage)| {
        let stage = &totals.stages[stage.index()];
        let is_beyond = *word == "beyond";
        if is_beyond && stage.sums.jobs == 0 {
            return None;
        }
        let mean = if is_beyond { "—".to_owned() } else { mean(stage.elapsed_ms, stage.timed) };
        let sums = &stage.sums;
        Some(Row {
            name: html! { (label) },
            link: Some(novels("stage", word)),
            value: sums.cost_usd,
            cells: vec![dollars(sums.cost_usd), count(sums.jobs), decimal(sums.tokens), mean],
            class: "",
        })
    });
    let (heads, rows) = (["Cost", "Novels", "Tokens", "Mean time"], rows.collect());
    let [.., whole] = &totals.stages;
    html! {
        (Bars { caption: "Cost by stage", of: "Stage", heads: &heads, rows }.render())
        @if whole.sums.jobs > 0 {
            p.soft { "Beyond the stages: what the recorded totals of " (counted(whole.sums.jobs, "novel", "novels")) " have more, or less, than their stages add up to." }
        }
        @if whole.timed > 0 {
            p.soft { "From begin to end, a novel took " (mean(whole.elapsed_ms, whole.timed)) " on average (" (counted(whole.timed, "novel", "novels")) " with a recorded time)." }
        }
    }
}

fn mean(sum: f64, of: u64) -> String {
    if of == 0 { "—".to_owned() } else { duration(sum / float(of)) }
}

fn models(totals: &JobTotals) -> Markup {
    // A novel is in as many rows as it used models: only the spending adds up.
    let of = JobSums { jobs: 0, ..totals.all };
    let rows = rows(&totals.models, &of, "model", |model| match &model[..] {
        "" => (html! { span.none { "not recorded" } }, NONE.to_owned()),
        model => (html! { code { (plain(model)) } }, model.to_owned()),
    });
    html! {
        @if rows.is_empty() { p.none { "No cost, no tokens and no models are recorded." } } @else {
            (Bars { caption: "Cost by model", of: "Model", heads: &SUM_HEADS, rows }.render())
            p.soft { "By the model that is recorded for each stage. A novel is in each row whose model it used." }
        }
    }
}

fn genres(totals: &JobTotals) -> Markup {
    let genres = rows(&totals.genres, &totals.all, "genre", |genre| match &genre[..] {
        "" => (html! { span.none { "no genre" } }, NONE.to_owned()),
        genre => (html! { (name(genre)) }, genre.to_owned()),
    });
    let eras =
        rows(&totals.eras, &totals.all, "era", |era| (html! { "Era " (era) }, era.to_string()));
    html! {
        (Bars { caption: "Cost by genre", of: "Genre", heads: &SUM_HEADS, rows: genres }.render())
        @if !totals.eras.is_empty() {
            (Bars { caption: "Cost by era of the legacy application", of: "Era", heads: &SUM_HEADS, rows: eras }.render())
        }
    }
}

fn latency(totals: &JobTotals) -> Markup {
    let (jobs, sum_ms) = totals
        .responses
        .iter()
        .fold((0, 0.0), |(jobs, sum_ms), group| (jobs + group.jobs, sum_ms + group.sum_ms));
    let rows = totals.responses.iter().enumerate().map(|(group, sums)| Row {
        name: html! { (form::response_words(group)) },
        link: Some(novels("response", &group.to_string())),
        value: float(sums.jobs),
        cells: vec![count(sums.jobs)],
        class: "",
    });
    html! {
        @if jobs == 0 { p.none { "No novel has a recorded response time." } } @else {
            p { "The average response time of a model is recorded for " (counted(jobs, "novel", "novels")) ": " strong { (mean(sum_ms, jobs)) } " in the mean of these." }
            (Bars { caption: "Novels by average response time", of: "Response time", heads: &["Novels"], rows: rows.collect() }.render())
        }
    }
}
