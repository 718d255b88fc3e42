//! The parts of the page of a run: warnings, rejects, journal, files.

use maud::{Markup, html};

use super::rejects::table;
use super::words::size;
use crate::runs::{Coded, JournalRecords, RejectList, RunPage};
use crate::ui::words::{count, counted, encoded, shown};

/// How many documents are named of a code before the fold.
const NAMED_MAX: usize = 4;

/// Warnings by code, with the documents that are named.
pub(super) fn warnings(page: &RunPage) -> Markup {
    html! {
        h2 #warnings { "Warnings" }
        @if page.warnings.is_empty() { p.none { "No warnings." } } @else {
            p.soft { "What is worth a look and did not stop the run, with the first documents of each." }
            (coded(&page.warnings, page.run.is_of_place, "Warnings by code"))
        }
    }
}

fn coded(all: &[Coded], is_linked: bool, caption: &str) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label=(caption) {
            table {
                thead { tr { th scope="col" { "Code" } th.number scope="col" { "How often" } th scope="col" { "Such as" } } }
                tbody {
                    @for Coded { code, count: times, examples } in all {
                        tr {
                            th scope="row" { code { (shown(code)) } }
                            td.number { (count(*times)) }
                            td { (such_as(examples, is_linked)) }
                        }
                    }
                }
            }
        }
    }
}

/// The documents that are named; most of them behind a fold if they are many.
fn such_as(examples: &[(String, String)], is_linked: bool) -> Markup {
    let (first, others) = examples.split_at(examples.len().min(NAMED_MAX));
    html! {
        (named(first, is_linked))
        @if !others.is_empty() {
            details { summary { (others.len()) " more" } (named(others, is_linked)) }
        }
    }
}

fn named(examples: &[(String, String)], is_linked: bool) -> Markup {
    html! {
        @for (index, (job, path)) in examples.iter().enumerate() {
            @if index > 0 { br; }
            @if is_linked && !job.is_empty() { a href={ "/ui/novels/" (encoded(job)) } { code { (shown(job)) } } }
            @else { code { (shown(job)) } }
            @if !path.is_empty() { " at " code { (shown(path)) } }
        }
    }
}

/// Rejects by code, and the first ones.
pub(super) fn rejects(page: &RunPage, first: &RejectList) -> Markup {
    let id = &page.run.id;
    let listed = u64::try_from(first.rejects.len()).unwrap_or(u64::MAX);
    html! {
        h2 #rejects { "Rejects" }
        @if page.rejects.is_empty() { p.none { "No document was rejected." } } @else {
            p.soft { "Documents that were not migrated. Once repaired, " code { "reshelve run --only-rejects " (id) } " takes them again." }
            (coded(&page.rejects, false, "Rejects by code"))
        }
        @if !first.rejects.is_empty() {
            (table(id, &first.rejects, 0))
            @if first.total > listed {
                p { a href={ "/ui/runs/" (id) "/rejects" } { "All " (counted(first.total, "reject", "rejects")) } }
            }
        }
    }
}

/// What the journal holds.
pub(super) fn journal(page: &RunPage) -> Markup {
    let Some(journal) = &page.journal else { return html! {} };
    html! {
        h2 #journal { "Journal" }
        p.soft { "What the run was about to write, ahead of the target: a rollback takes back what it names, and nothing else." }
        dl.facts {
            div { dt { "Length" } dd { (size(journal.bytes)) } }
            @match &journal.records {
                Some(records) => { (of_kind(records)) }
                None => { div { dt { "Records" } dd { "counted once no process is at work on the run, if they are not too many" } } }
            }
        }
    }
}

fn of_kind(records: &JournalRecords) -> Markup {
    let JournalRecords { inserted, completed, replaced, withdrawn, batches } = *records;
    let rows = [
        ("Jobs to insert", inserted),
        ("Jobs to complete", completed),
        ("Jobs to replace", replaced),
        ("Withdrawn", withdrawn),
        ("Completed batches", batches),
    ];
    html! {
        @for (name, number) in rows {
            @if number > 0 || name == "Jobs to insert" { div { dt { (name) } dd { (count(number)) } } }
        }
    }
}

/// The files that can be looked at, and how a report is made.
pub(super) fn files(page: &RunPage) -> Markup {
    let id = &page.run.id;
    let has_report = page.files.iter().any(|file| file.name == "report.html");
    html! {
        h2 #files { "Report and files" }
        @if !has_report {
            @if let Some(line) = &page.report_with {
                p { "There is no report yet. This command writes it:" }
                pre { code { (line) } }
            }
        }
        @if page.files.is_empty() { p.none { "No file can be shown." } } @else {
            ul {
                @for file in &page.files {
                    li {
                        a href={ "/ui/runs/" (id) "/files/" (file.name) } { (file.name) }
                        " – " (file.what) ", " (size(file.bytes))
                    }
                }
            }
        }
    }
}
