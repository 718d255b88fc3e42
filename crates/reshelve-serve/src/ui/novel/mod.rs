//! The page of a novel: everything that is stored of it.

mod bible;
mod chapters;
mod cost;
mod notes;
mod outline;
mod phases;
mod quality;
mod timeline;

use maud::{Markup, html};
use reshelve::ends::{EndError, JobLookup};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::JobDocuments;

use super::export::Form;
use super::layout;
use super::read::Part;
use super::words::{
    count, decimal, dollars, duration, encoded, name, plain, shown, shown_or, status_class,
    time_element,
};

pub(super) use chapters::chapter;

/// How many rows a part of the page has, at most; it says so where there are more.
const ROWS_MAX: usize = 2_000;

/// The documents of a novel.
pub(super) struct Novel {
    place: String,
    job: Vec<u8>,
    metrics: Vec<u8>,
    metadata: Vec<u8>,
    /// Newest first, at most as many as a place gives at a time.
    events: Vec<Vec<u8>>,
}

impl Novel {
    /// Reads the documents of a job; nothing if there is none. Metrics or metadata may be missing.
    pub(super) fn read(place: &dyn JobLookup, id: &str) -> Result<Option<Self>, EndError> {
        let id = id.as_bytes();
        let Some(job) = place.document(Collection::Jobs, id)? else { return Ok(None) };
        Ok(Some(Novel {
            place: place.name(),
            job,
            metrics: place.document(Collection::Metrics, id)?.unwrap_or_default(),
            metadata: place.document(Collection::Metadata, id)?.unwrap_or_default(),
            events: place.events(id, None)?,
        }))
    }

    pub(super) fn job(&self) -> Part<'_> {
        Part::of(&self.job)
    }

    fn metrics(&self) -> Part<'_> {
        Part::of(&self.metrics)
    }

    fn metadata(&self) -> Part<'_> {
        Part::of(&self.metadata)
    }

    pub(super) fn id(&self) -> String {
        self.job().text("jobId")
    }

    pub(super) fn title(&self) -> String {
        let title = self.job().part("payload").text("title");
        if title.trim().is_empty() { "Without a title".to_owned() } else { title }
    }

    /// What is served.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Its documents, in the order of the collections; of the events none.
    pub(super) fn documents(&self) -> [&[u8]; 4] {
        [&self.job, &[], &self.metrics, &self.metadata]
    }

    /// The same, as the mapping writes them; without the events.
    pub(super) fn job_documents(&self) -> JobDocuments<'_> {
        JobDocuments {
            job: &self.job,
            events: &[],
            metrics: Some(&self.metrics),
            metadata: &self.metadata,
        }
    }

    /// Its permanent address.
    pub(super) fn address(&self) -> String {
        format!("/ui/novels/{}", encoded(&self.id()))
    }
}

/// A part of the page: its anchor, its name, how much there is, and what it shows.
struct Section {
    anchor: &'static str,
    name: &'static str,
    count: Option<usize>,
    content: Markup,
}

pub(super) fn page(novel: &Novel) -> Markup {
    let sections = [
        phases::section(novel),
        chapters::section(novel),
        outline::section(novel),
        timeline::section(novel),
        cost::section(novel),
        bible::section(novel),
        notes::alerts(novel),
        notes::decisions(novel),
        notes::enhancements(novel),
        quality::section(novel),
        notes::record(novel),
    ];
    let content = html! {
        (header(novel))
        nav.parts aria-label="Parts of this page" {
            @for section in &sections {
                a href={ "#" (section.anchor) } { (section.name) @if let Some(count) = section.count.filter(|it| *it > 0) { " " span.soft { (count) } } }
            }
        }
        @for section in &sections {
            section aria-labelledby=(section.anchor) {
                h2 id=(section.anchor) { (section.name) }
                (section.content)
            }
        }
    };
    layout::page(&novel.title(), Some(&novel.place), &content)
}

fn header(novel: &Novel) -> Markup {
    let job = novel.job();
    let (payload, status) = (job.part("payload"), job.text("status"));
    let (genre, subgenre) = (payload.text("genre"), payload.text("subgenre"));
    html! {
        header {
            p.soft { a href="/ui/novels" { "Library" } " / " code { (plain(&novel.id())) } }
            h1 { (shown(&novel.title())) }
            p {
                span class=(status_class(&status)) { (name(&status)) }
                " " (name(&genre))
                @if !subgenre.is_empty() { " · " (name(&subgenre)) }
                " · created " (time_element(job.time_ms("createdAt")))
            }
            (tiles(novel))
            p.premise { (shown_or(&payload.text("premise"), "Without a premise")) }
            p {
                @for form in Form::ALL { a.button href={ (novel.address()) "/export/" (form.word()) } { "Download as " (form.name()) } " " }
                a.button href={ (novel.address()) "/origin" } { "Where every value comes from" }
            }
        }
    }
}

fn tiles(novel: &Novel) -> Markup {
    let (job, metrics) = (novel.job(), novel.metrics());
    let summary = job.part("summary");
    let failures = job.values("failures").count();
    let alerts = novel.metadata().values("continuityAlerts").count();
    let number = |part: Part<'_>, name| decimal(part.number(name).unwrap_or(0.0));
    let tile = |class: &'static str, name: &'static str, value: String| {
        html! { li class=(class) { span.value { (value) } span.name { (name) } } }
    };
    let of = |many: usize, class| if many > 0 { class } else { "" };
    html! {
        ul.tiles {
            (tile("", "words", number(summary, "totalWordCount")))
            (tile("", "chapters completed", format!("{} of {}", number(summary, "chaptersGenerated"), number(summary, "totalChaptersPlanned"))))
            (tile("", "cost", dollars(metrics.part("cost").number("totalUsd").unwrap_or(0.0))))
            (tile("", "tokens", number(metrics.part("tokens"), "total")))
            @if let Some(ms) = job.number("durationMs") { (tile("", "from begin to end", duration(ms))) }
            (tile(of(failures, "bad"), if failures == 1 { "failure" } else { "failures" }, counted(failures)))
            (tile(of(alerts, "open"), "continuity alerts", counted(alerts)))
        }
    }
}

fn counted(number: usize) -> String {
    count(u64::try_from(number).unwrap_or(0))
}

/// The rows that are shown, and what is said where there are more.
fn limited<T>(rows: &[T]) -> (&[T], Markup) {
    let shown = &rows[..rows.len().min(ROWS_MAX)];
    let more = rows.len() - shown.len();
    (shown, html! { @if more > 0 { p.soft { "And " (counted(more)) " more." } } })
}

/// What is said where nothing is stored.
fn nothing(what: &str) -> Markup {
    html! { p.none { (what) } }
}

/// Names and values, without those that are empty.
fn facts(facts: &[(&str, Markup)]) -> Markup {
    let is_said = |markup: &Markup| !markup.0.is_empty();
    html! {
        dl.facts {
            @for (name, value) in facts.iter().filter(|(_, value)| is_said(value)) {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// A text of a document, or nothing at all.
fn fact(text: &str) -> Markup {
    if text.trim().is_empty() {
        html! {}
    } else {
        shown(text)
    }
}
