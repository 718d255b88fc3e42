//! The figures of a report: documents, cost and tokens three ways, how far records of cost are from
//! the sums of their parts, statuses that contradict the chapters.

use maud::{Markup, html};
use reshelve::parity::{JobList, Measure, StageTotals};

use crate::runs::{DeltaBucket, Figures, Said};
use crate::ui::bars::{Bars, Row};
use crate::ui::words::{count, counted, decimal, dollars, encoded, float, name, plain};

/// All of them; jobs are links where they are among the novels that are served.
pub(super) fn sections(said: &Said, is_served: bool) -> Markup {
    let Some(figures) = &said.figures else {
        return html! { p.none { "The source could not be read for the report: it has no figures." } };
    };
    let totals = &figures.totals;
    html! {
        h2 { "Cost and tokens, three ways" }
        p.soft { "What legacy recorded besides the parts, what the parts of all jobs add up to, what the mapping says should be stored, and what is stored. Only the last two have to agree: the application itself recorded 0 in its totals, and retries changed only the parts." }
        (table("Cost, in USD", &totals.cost_usd, dollars))
        (table("Tokens", &totals.tokens, decimal))
        h2 { "Recorded cost against the parts" }
        (deltas(figures, is_served))
        h2 { "Status conflicts" }
        (conflicts(figures, is_served))
        h2 { "Documents" }
        (counts(figures))
    }
}

fn table(caption: &str, measure: &Measure<StageTotals>, words: fn(f64) -> String) -> Markup {
    let has_target = measure.total.stored.is_some();
    html! {
        div.table tabindex="0" role="group" aria-label=(caption) { table {
            caption { (caption) }
            thead { tr {
                th scope="col" { "Stage" }
                th.number scope="col" { "Jobs with a record" }
                th.number scope="col" { "Legacy recorded" }
                th.number scope="col" { "By the parts" }
                th.number scope="col" { "Should be stored" }
                @if has_target { th.number scope="col" { "Stored" } th scope="col" { "As it should be" } }
            } }
            tbody { @for (stage, totals) in measure.named() { tr {
                th scope="row" { (name(stage)) }
                td.number { (count(totals.recorded_jobs)) }
                td.number { @if totals.recorded_jobs == 0 { span.none { "not recorded" } } @else { (words(totals.recorded)) } }
                td.number { (words(totals.recomputed)) }
                td.number { (words(totals.mapped)) }
                @if let Some(stored) = totals.stored {
                    td.number { (words(stored)) }
                    td { @if totals.within_tolerance { span.badge.good { "yes" } } @else { span.badge.bad { "no" } } }
                }
            } } }
        } }
    }
}

fn deltas(figures: &Figures, is_served: bool) -> Markup {
    let rows = figures.cost_deltas.iter().enumerate().map(|(at, bucket)| Row {
        name: html! { (bucket.words) },
        link: (bucket.count > 0).then(|| format!("#delta-{at}")),
        value: float(bucket.count),
        cells: vec![count(bucket.count)],
        class: if bucket.is_equal { "good" } else { "" },
    });
    let heads = ["Jobs"];
    let bars = Bars {
        caption: "Total cost, in USD: legacy recorded … than the parts add up to",
        of: "Recorded",
        heads: &heads,
        rows: rows.collect(),
    };
    html! {
        (bars.render())
        @if figures.unrecorded > 0 { p.soft { (counted(figures.unrecorded, "job has", "jobs have")) " no recorded total cost." } }
        h3 { "The jobs of each group" }
        @for (at, bucket) in figures.cost_deltas.iter().enumerate().filter(|(_, bucket)| bucket.count > 0) { (bucket_jobs(at, bucket, is_served)) }
    }
}

fn bucket_jobs(at: usize, bucket: &DeltaBucket, is_served: bool) -> Markup {
    html! {
        details id={ "delta-" (at) } {
            summary { "Recorded " (bucket.words) ": " (counted(bucket.count, "job", "jobs")) }
            (jobs(bucket.jobs.iter().map(|job| (&job[..], "")), bucket.count, is_served))
        }
    }
}

/// Jobs by their ids, each with a word about it.
fn jobs<'j>(
    all: impl ExactSizeIterator<Item = (&'j str, &'j str)>,
    of: u64,
    is_served: bool,
) -> Markup {
    let more = of.saturating_sub(u64::try_from(all.len()).unwrap_or(of));
    html! {
        ul {
            @for (job, word) in all {
                li {
                    @if is_served { a href={ "/ui/novels/" (encoded(job)) } { code { (plain(job)) } } } @else { code { (plain(job)) } }
                    @if !word.is_empty() { " " span.soft { (plain(word)) } }
                }
            }
        }
        @if more > 0 { p.soft { "And " (count(more)) " more." } }
    }
}

fn conflicts(figures: &Figures, is_served: bool) -> Markup {
    let conflicts = &figures.conflicts;
    let list = |words: &str, list: &JobList| {
        html! {
            @if list.count > 0 {
                h3 { (words) ": " (counted(list.count, "job", "jobs")) }
                (jobs(list.jobs.iter().map(|job| (&job.job[..], &job.status[..])), list.count, is_served))
            }
        }
    };
    html! {
        @if conflicts.novels_behind_failed.count + conflicts.failures_behind_completed.count == 0 {
            p.none { "No stored status contradicts the chapters." }
        }
        (list("Novels behind “failed”: every chapter is written", &conflicts.novels_behind_failed))
        (list("Failures behind “completed”: every chapter failed", &conflicts.failures_behind_completed))
    }
}

/// What is counted, in words; what is not here has its own name.
const COUNTED: [(&str, &str); 8] = [
    ("legacy", "Legacy documents"),
    ("rejected", "Rejected"),
    ("skipped", "Skipped in flight"),
    ("retried", "Carried over by a retry"),
    ("repaired", "Repaired before that"),
    ("not_in_source", "No longer in the source"),
    ("left_alone", "Of others, left alone"),
    ("novel_jobs", "Jobs in the target"),
];

fn counts(figures: &Figures) -> Markup {
    let words = |what: &str| {
        let known = COUNTED.iter().find(|(name, _)| *name == what);
        known.map_or_else(|| name(what), |(_, words)| (*words).to_owned())
    };
    html! {
        dl.facts { @for (what, number) in &figures.counts {
            div { dt { (words(what)) } dd { (count(*number)) } }
        } }
    }
}
